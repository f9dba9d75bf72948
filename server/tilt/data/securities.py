"""The security master: what a security is called, where it belongs, and the codes it goes by.

It is the source's table, nothing added to it. A code whose check digit is wrong, or that two
companies claim, is a finding and is left out, so that nothing is ever matched by it; the record
keeps the table as it came.
"""

from collections.abc import Mapping

import pandas as pd

from tilt.codes import KINDS, check_code
from tilt.data.findings import Finding, noted
from tilt.data.schema import SECURITIES
from tilt.frames import Panel

UNCLASSIFIED = "Not classified"
ALWAYS = ("name", "sector", "industry")
FREE_FLOAT = "free_float"
MORE = tuple(c for c in SECURITIES.names if c not in ("ticker", *ALWAYS))


def review_securities(
    given: pd.DataFrame, assets: "pd.Index[str]", day: pd.Timestamp
) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the master of the priced tickers, and what is wrong with the table.

    Parameters
    ----------
    given : the table ``securities`` of ``tilt.data.schema``
    assets : the priced tickers
    day : that findings are of

    Returns
    -------
    by ticker: all columns of the table; a name that is missing is the ticker, a sector or industry
    that is missing is ``Not classified``, a code that cannot be trusted is missing
    """
    table = given.set_index("ticker").reindex(assets)
    table["name"] = table["name"].fillna(pd.Series(assets, index=assets))
    table["sector"] = table["sector"].fillna(UNCLASSIFIED)
    table["industry"] = table["industry"].fillna(UNCLASSIFIED)
    findings: list[Finding] = []
    for kind in KINDS:
        codes = table[kind].str.upper().str.replace(" ", "")
        right = {c for c in codes.dropna() if check_code(kind, c)}
        wrong = codes.notna() & ~codes.isin(right)
        findings += [
            noted(day, "wrong_check_digit", _WRONG.format(kind.upper(), codes[t]), ticker=str(t))
            for t in codes.index[wrong]
        ]
        codes = codes.mask(wrong)
        shared = codes.notna() & codes.duplicated(keep=False)
        findings += [
            noted(day, "same_identifier", _shared(kind, codes, str(t)), ticker=str(t))
            for t in codes.index[shared]
        ]
        table[kind] = codes.mask(shared)
    return table, findings + _backwards(table, day)


_WRONG = (
    "The check digit of {} {} is wrong. | Quarantined: nothing is matched by it; the record keeps "
    "it. Correct the table of securities."
)
_SHARED = (
    "{} {} is that of {} too. | Quarantined: nothing is matched by it. Correct the table of "
    "securities."
)
_BACKWARDS = (
    "It was delisted on {:%Y-%m-%d}, before it was listed on {:%Y-%m-%d}. | Kept. Correct the "
    "table of securities."
)


def _shared(kind: str, codes: "pd.Series[str]", ticker: str) -> str:
    others = [str(t) for t in codes.index[codes == codes[ticker]] if t != ticker]
    return _SHARED.format(kind.upper(), codes[ticker], ", ".join(others))


def _backwards(table: pd.DataFrame, day: pd.Timestamp) -> list[Finding]:
    ends, begins = table["delisted"], table["listed"]
    return [
        noted(day, "delisted_first", _BACKWARDS.format(ends[t], begins[t]), ticker=str(t))
        for t in table.index[ends < begins]
    ]


def known_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the master without the columns that no security has a value in."""
    return table[[*ALWAYS, *(c for c in MORE if table[c].notna().any())]]


def may_be_absent(field: str, panel: Panel) -> bool:
    """Return whether a field is one that a master of securities may have, and this one has not."""
    wanted = field.strip().casefold()
    return wanted in MORE and wanted not in panel.securities.columns


def absence(field: str, panel: Panel, source: str) -> str:
    """Return why no security of a universe has a field that a master may have; empty if it may not.

    Parameters
    ----------
    field : a name, as asked for
    source : where the data came from
    """
    if not may_be_absent(field, panel):
        return ""
    wanted = field.strip().casefold()
    described: Mapping[str, str] = {c.name: c.description for c in SECURITIES.columns}
    return (
        f"There is no {wanted} in '{panel.universe}': its source '{source}' gives none "
        f"({described[wanted]}). Import a table of securities with the column '{wanted}'."
    )
