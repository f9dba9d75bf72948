"""Checks of statements and of the list of securities."""

import re

import numpy as np
import pandas as pd

from tilt.data.findings import Finding, Severity, noted
from tilt.data.known import OLDEST_STATEMENT
from tilt.frames import Prices, listed

UNBALANCED = 0.01  # of total assets
LATE = 120  # days from the period's end to the filing; a 10-K is due within 60 to 90
SAME_CLOSES = 60  # last closes of two tickers that are the same
_LEGAL = re.compile(
    r"\b(incorporated|inc|corporation|corp|company|co|limited|ltd|plc|group|holdings?|class [a-c])"
    r"\b|[^a-z0-9]+"
)


def review_tables(
    statements: pd.DataFrame, securities: pd.DataFrame, close: Prices
) -> list[Finding]:
    """Check statements against themselves and the calendar, and securities against each other.

    Parameters
    ----------
    statements : of ``tilt.data.schema``
    securities : of the same
    close : dates × assets
    """
    as_of = pd.Timestamp(close.index[-1])
    master = securities.set_index("ticker").reindex(close.columns)
    return [
        *_unbalanced(statements),
        *_filings(statements, as_of),
        *_overdue(statements, close, as_of),
        *_same_company(master, close, as_of),
        *([] if securities.empty else _without_sector(master, as_of)),
    ]


def _unbalanced(statements: pd.DataFrame) -> list[Finding]:
    """Return statements whose assets are not liabilities and equity."""
    sides = statements["total_liabilities"] + statements["total_equity"]
    gap = (statements["total_assets"] - sides) / statements["total_assets"].abs()
    rows = statements.assign(gap=gap, sides=sides)[gap.abs() > UNBALANCED]
    return [
        noted(
            r["period_end"], "unbalanced_statement", _UNBALANCED.format_map(r), ticker=r["symbol"]
        )
        for r in rows.to_dict("records")
    ]


def _filings(statements: pd.DataFrame, as_of: pd.Timestamp) -> list[Finding]:
    """Return filings that are late, and days that cannot be."""
    days = (statements["filed"] - statements["period_end"]).dt.days
    rows = statements.assign(days=days)
    late = rows[(days > LATE) & (statements["filed"] <= as_of)]
    early = rows[days <= 0]
    future = rows[(statements["filed"] > as_of) | (statements["period_end"] > as_of)]
    kinds: tuple[tuple[str, Severity, str, pd.DataFrame], ...] = (
        ("late_filing", "info", _LATE, late),
        ("future_filing", "error", _EARLY, early),
        ("future_filing", "warning", _FUTURE, future[~future.index.isin(early.index)]),
    )
    return [
        noted(r["period_end"], check, words.format_map(r), ticker=r["symbol"], severity=severity)
        for check, severity, words, found in kinds
        for r in found.to_dict("records")
    ]


def _overdue(statements: pd.DataFrame, close: Prices, as_of: pd.Timestamp) -> list[Finding]:
    """Return priced companies whose next annual statement should have come."""
    last = statements.groupby("symbol")["period_end"].max()
    trades = close.columns[close.iloc[-1].notna()]
    old = last[((as_of - last).dt.days > OLDEST_STATEMENT) & last.index.isin(trades)]
    return [
        noted(as_of, "overdue_statement", _OVERDUE.format(day=day), ticker=str(ticker))
        for ticker, day in old.items()
    ]


def _same_company(master: pd.DataFrame, close: Prices, as_of: pd.Timestamp) -> list[Finding]:
    """Return tickers that share an issuer, a name or their closes: each once, with the others."""
    reasons = {
        "the issuer": master["issuer"],
        "the name": master["name"].map(_plain_name, na_action="ignore"),
        "the last closes": _last_closes(close).reindex(master.index),
    }
    findings: list[Finding] = []
    told: set[frozenset[str]] = set()
    for reason, key in reasons.items():
        for _, group in key.dropna().groupby(key):
            tickers = sorted(str(t) for t in group.index)
            if len(tickers) > 1 and frozenset(tickers) not in told:
                told.add(frozenset(tickers))
                findings += [
                    _same(t, [o for o in tickers if o != t], reason, as_of) for t in tickers
                ]
    return findings


def _same(ticker: str, others: list[str], reason: str, as_of: pd.Timestamp) -> Finding:
    severity: Severity = "warning" if reason == "the last closes" else "info"
    words = _SAME.format(reason=reason, others=listed(others))
    return noted(as_of, "same_company", words, ticker=ticker, severity=severity)


def _plain_name(name: str) -> str:
    return _LEGAL.sub("", name.casefold())


def _last_closes(close: Prices) -> "pd.Series[str]":
    """Return a text for each asset that is the same where the last closes and their day are."""
    values = close.to_numpy()
    keys: dict[str, str] = {}
    for column, ticker in enumerate(close.columns):
        rows = np.flatnonzero(np.isfinite(values[:, column]))[-SAME_CLOSES:]
        if len(rows) == SAME_CLOSES:
            keys[str(ticker)] = f"{rows[-1]} {values[rows, column].tobytes().hex()}"
    return pd.Series(keys, dtype="str")


def _without_sector(master: pd.DataFrame, as_of: pd.Timestamp) -> list[Finding]:
    if master["sector"].isna().all():
        return [noted(as_of, "missing_sector", _NO_SECTORS.format(n=len(master)))]
    missing = master.index[master["sector"].isna()]
    return [noted(as_of, "missing_sector", _NO_SECTOR, ticker=str(t)) for t in missing]


_UNBALANCED = (
    "Total assets of {total_assets:.6g} are not liabilities and equity, {sides:.6g}: "
    "{gap:+.1%} of the assets are missing. | Kept."
)
_LATE = (
    "It was filed on {filed:%Y-%m-%d}, {days:.0f} days after its period's end. | "
    "Kept: used from its filing day."
)
_EARLY = (
    "Its filing day {filed:%Y-%m-%d} is not after its period's end. | "
    "Quarantined: the filing day is not used; the assumed lag is."
)
_FUTURE = (
    "Its period or its filing day lies after the last price. | "
    "Quarantined: not used before that day."
)
_OVERDUE = (
    "Its last annual statement is of {day:%Y-%m-%d}; the next is overdue. | "
    f"Quarantined: not used more than {OLDEST_STATEMENT} days after that day."
)
_SAME = "It shares {reason} with {others}. | Kept: each counts as a security of its own."
_NO_SECTOR = "It has no sector. | Kept as 'Not classified'."
_NO_SECTORS = "None of the {n} securities has a sector. | Kept as 'Not classified'."
