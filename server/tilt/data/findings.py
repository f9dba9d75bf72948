"""What the quality checks found: one row each, with what was done about it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


class Finding(NamedTuple):
    """One thing that looks wrong.

    severity : ``error`` where a number was left out or replaced, ``warning`` where it may be wrong,
        ``info`` where it is only unusual
    action   : what was done, beginning with ``Kept``, ``Repaired`` or ``Quarantined``; the record
        keeps the raw value in every case
    """

    date: pd.Timestamp
    ticker: str
    check: str
    severity: Severity
    detail: str
    action: str


def noted(
    date: pd.Timestamp, check: str, words: str, *, ticker: str = "", severity: Severity = "warning"
) -> Finding:
    """Return the finding whose detail and action are the two sides of `` | `` in ``words``."""
    detail, action = words.split(" | ")
    return Finding(date, ticker, check, severity, detail, action)


def found(
    where: pd.DataFrame,
    check: str,
    severity: Severity,
    details: Mapping[str, pd.DataFrame],
    words: str,
) -> list[Finding]:
    """Return one finding for each True of ``where``, dates × assets.

    Parameters
    ----------
    details : frames of the shape of ``where``, whose values at the place fill the text
    words : detail and action, divided by `` | ``, with a place for each of the details
    """
    rows, columns = np.nonzero(where.to_numpy())
    values = {name: frame.to_numpy()[rows, columns] for name, frame in details.items()}
    dates, tickers = where.index[rows], where.columns[columns]
    return [
        noted(
            pd.Timestamp(dates[i]),
            check,
            words.format(**{name: value[i] for name, value in values.items()}),
            ticker=str(tickers[i]),
            severity=severity,
        )
        for i in range(len(rows))
    ]


def chosen(
    findings: pd.DataFrame,
    *,
    checks: Sequence[str] = (),
    tickers: Sequence[str] = (),
    start: pd.Timestamp | None = None,
    end: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Return the findings of the given checks, tickers and days; all where nothing is given."""
    keep = np.ones(len(findings), dtype=bool)
    for column, names in (("check", checks), ("ticker", tickers)):
        if names:
            keep &= findings[column].isin(list(names)).to_numpy()
    if start is not None:
        keep &= (findings["date"] >= start).to_numpy()
    if end is not None:
        keep &= (findings["date"] <= end).to_numpy()
    return findings[keep].reset_index(drop=True)


def findings_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return findings as a table by date, ticker and check."""
    table = pd.DataFrame(list(findings), columns=list(Finding._fields))
    text = [c for c in table.columns if c != "date"]
    table = table.astype(dict.fromkeys(text, "str"))
    table["date"] = pd.to_datetime(table["date"]).astype("datetime64[us]")
    return table.sort_values(["date", "ticker", "check"], kind="stable", ignore_index=True)
