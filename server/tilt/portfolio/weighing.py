"""From amounts to weights: per cent, shares, market values, duplicates, unknown names, cash."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd

from tilt.errors import DataError, UnknownNameError, cut
from tilt.frames import Panel, Weights, listed
from tilt.portfolio.findings import ERROR, FIXED, WARNING, Finding
from tilt.portfolio.layout import SHARES, WEIGHT, Layout

MOST_UNKNOWN = 0.20  # of weight; above it the result would be another portfolio's
FRACTIONS = (0.5, 1.005)
PER_CENT = (50.0, 100.5)
MOST_SUGGESTIONS = 100
MOST_ROWS = 5  # of one ticker, that are each told
BASIS_POINTS = (5000.0, 10_050.0)
STALE_DAYS = 10  # a price this old still values a position
SUM_ROUNDING = 1e-9
LEAST_CASH = 5e-5  # cash that shows as 0.01 %
MOST_GROSS = 20.0  # a long-short book above 2,000 % is written in per cent


class Entry(NamedTuple):
    """One row that could be read: ``ticker`` is None if it is not known, and for cash.

    hint : why a known ticker counts as unknown
    """

    row: int
    text: str
    ticker: str | None
    amount: float
    is_cash: bool = False
    hint: str = ""


@dataclass(frozen=True, eq=False)
class Weighed:
    """Weights by ticker, cash, and what was found on the way."""

    weights: Weights
    cash: float
    findings: list[Finding]


def no_weights() -> Weights:
    """Return the weights of a book that holds nothing."""
    return pd.Series(np.empty(0), index=pd.Index([], dtype=str, name="ticker"), name="weight")


def weigh(
    entries: list[Entry],
    layout: Layout,
    panel: Panel,
    date: pd.Timestamp,
    *,
    long_short: bool,
    argument: str,
    suggest: Callable[[str], str],
) -> Weighed:
    """Return fractions of capital for the entries of one range.

    Parameters
    ----------
    suggest : from an unknown ticker to the words that name the likeliest one
    """
    findings: list[Finding] = []
    price = _prices(entries, panel, date)
    entries = [_without_price(e, price, date) for e in entries]
    if layout.kind == WEIGHT:
        scale = _scale(entries, findings, long_short=long_short, argument=argument)
        sized = {e.row: e.amount * scale for e in entries}
    else:
        sized = _fractions_of_money(entries, layout.kind, price, findings)
    if any(f.severity == ERROR for f in findings):
        return Weighed(no_weights(), float("nan"), findings)
    findings += _unknown(entries, sized, argument, suggest)
    findings += _duplicates(entries, sized)
    held = [e for e in entries if e.ticker is not None]
    if not held:
        return Weighed(no_weights(), 1.0, findings)
    weights = (
        pd.Series([sized[e.row] for e in held], index=[e.ticker for e in held], dtype=float)
        .groupby(level=0, sort=False)
        .sum()
        .rename("weight")
    )
    weights.index.name = "ticker"
    cash = 1.0 - float(weights.sum())
    if abs(cash) < SUM_ROUNDING:
        cash = 0.0
    findings += _signs(weights, long_short=long_short)
    findings += _cash(entries, sized, cash)
    return Weighed(weights, cash, findings)


def _prices(entries: list[Entry], panel: Panel, date: pd.Timestamp) -> dict[str, float]:
    """Return each ticker's last close of the ten sessions until the date; NaN without one."""
    names = list(dict.fromkeys(e.ticker for e in entries if e.ticker is not None))
    end = int(panel.dates.searchsorted(date, side="right"))
    columns = panel.assets.get_indexer(pd.Index(names, dtype=str))
    recent = panel.close.iloc[max(end - STALE_DAYS, 0) : end, columns].ffill()
    return dict(zip(names, recent.iloc[-1].astype(float).to_list(), strict=True))


def _without_price(entry: Entry, price: dict[str, float], date: pd.Timestamp) -> Entry:
    """Return an entry as unknown if its ticker has no price at the date."""
    if entry.ticker is None or np.isfinite(price[entry.ticker]):
        return entry
    hint = f"'{entry.ticker}' has no price on {date:%Y-%m-%d}"
    return entry._replace(ticker=None, hint=hint)


def _scale(
    entries: list[Entry],
    findings: list[Finding],
    *,
    long_short: bool,
    argument: str,
) -> float:
    """Return what turns the weights as typed into fractions."""
    total = sum(e.amount for e in entries)
    low, high = FRACTIONS
    if low - SUM_ROUNDING <= total <= high + SUM_ROUNDING:
        return 1.0
    gross = sum(abs(e.amount) for e in entries)
    in_per_cent = PER_CENT[0] - SUM_ROUNDING <= total <= PER_CENT[1] + SUM_ROUNDING
    if in_per_cent or (long_short and gross > MOST_GROSS):
        problem = f"weights sum to {total:.6g}, so they are per cent"
        findings.append(Finding(0, FIXED, problem, "Divided by 100.", note=True))
        return 0.01
    if not long_short:
        findings.append(_odd_sum(total, argument))
    return 1.0


def _odd_sum(total: float, argument: str) -> Finding:
    """Return the error for weights that are neither fractions nor per cent."""
    rule = "They must sum to about 1, or to about 100 in per cent; "
    mend = "a long-short or leveraged book needs options long_short=yes."
    raised = "For a long-short or leveraged book set options long_short=yes."
    if BASIS_POINTS[0] <= total <= BASIS_POINTS[1]:
        mend = raised = "These look like basis points: divide them by 10,000."
    return Finding(
        0,
        ERROR,
        f"weights sum to {total:.6g}",
        f"{rule}{mend}",
        message=f"{argument} weights sum to {total:.6g}; they must sum to about 1, or to "
        f"about 100 in per cent. {raised}",
        raises=DataError,
    )


def _fractions_of_money(
    entries: list[Entry],
    kind: str,
    price: dict[str, float],
    findings: list[Finding],
) -> dict[int, float]:
    """Return each row's fraction of the whole value; rows without a price have NaN."""
    per_unit = {
        e.row: (1.0 if kind != SHARES or e.is_cash else price.get(e.ticker or "", np.nan))
        for e in entries
    }
    money = {e.row: e.amount * per_unit[e.row] for e in entries}
    whole = float(np.nansum(list(money.values())))
    gross = float(np.nansum(np.abs(list(money.values()))))
    if whole <= 1e-6 * gross or gross == 0.0:
        findings.append(
            Finding(
                0,
                ERROR,
                f"{kind} sums to {whole:,.6g}, so there is no capital to take fractions of",
                "Add a row CASH with the money of the book, or give weights.",
                raises=DataError,
            )
        )
        return {}
    return {row: value / whole for row, value in money.items()}


def _unknown(
    entries: list[Entry],
    sized: dict[int, float],
    argument: str,
    suggest: Callable[[str], str],
) -> list[Finding]:
    """Return a finding for each unknown name: warnings, or errors if they are too much."""
    unknown = [e for e in entries if e.ticker is None and not e.is_cash]
    if not unknown:
        return []
    values = [sized[e.row] for e in unknown]
    if np.isnan(values).any():  # shares without a price: count names instead
        share = len(unknown) / len(entries)
        words = f"{len(unknown)} of {len(entries)} names"
    else:
        gross = sum(abs(v) for v in sized.values())
        share = sum(abs(v) for v in values) / gross if gross else 1.0
        words = f"{share:.1%} of the weight".replace("%", " %")
    too_much = share > MOST_UNKNOWN + SUM_ROUNDING
    return [
        _unknown_name(
            entry,
            sized[entry.row],
            argument,
            words if too_much else "",
            # nobody reads more suggestions, and each takes a look through all names
            meant="" if entry.hint or n >= MOST_SUGGESTIONS else suggest(entry.text),
        )
        for n, entry in enumerate(unknown)
    ]


def _unknown_name(
    entry: Entry, size: float, argument: str, too_much: str, *, meant: str
) -> Finding:
    problem = entry.hint or f"Unknown ticker '{cut(entry.text)}'"
    if too_much:
        return Finding(
            entry.row,
            ERROR,
            problem,
            f"{meant} Unknown names are {too_much}; only up to 20 % may be left out.".strip(),
            message=f"{problem} ({argument} row {entry.row}).{meant} "
            f"Unknown names are {too_much}; only up to 20 % may be left out.",
            raises=UnknownNameError,
        )
    weight = "" if np.isnan(size) else f"; its {100 * size:.4g} % counts as cash"
    return Finding(entry.row, WARNING, problem, f"Left out{weight}.{meant}", note=True)


def _duplicates(entries: list[Entry], sized: dict[int, float]) -> list[Finding]:
    held = sorted((e for e in entries if e.ticker is not None), key=lambda e: str(e.ticker))
    found = []
    for ticker, group in groupby(held, key=lambda e: e.ticker):
        rows = sorted(group, key=lambda e: e.row)
        fix = f"Summed to {100 * sum(sized[e.row] for e in rows):.4g} %."
        problems = [(e.row, f"{ticker} is also in row {rows[0].row}") for e in rows[1:]]
        if len(rows) > MOST_ROWS:
            last = rows[-1].row
            problems = [(last, f"{ticker} is in {len(rows)} rows, {rows[0].row} to {last}")]
        found += [Finding(row, FIXED, problem, fix, note=True) for row, problem in problems]
    return found


def _signs(weights: Weights, *, long_short: bool) -> list[Finding]:
    short = weights.index[weights.to_numpy() < 0]
    if long_short or not len(short):
        return []
    problem = f"{listed(short)} ha{'s' if len(short) == 1 else 've'} a negative weight"
    return [Finding(0, WARNING, problem, "Read as short; options long_short=yes says so.")]


def _cash(entries: list[Entry], sized: dict[int, float], cash: float) -> list[Finding]:
    given = sum(sized[e.row] for e in entries if e.is_cash)
    left_out = sum(sized[e.row] for e in entries if e.ticker is None and not e.is_cash)
    rest = cash - given - (0.0 if np.isnan(left_out) else left_out)
    if abs(rest) < LEAST_CASH:
        return []
    total = 1.0 - rest
    fix = (
        f"The missing {100 * rest:.4g} % counts as cash."
        if rest > 0
        else f"Cash is {100 * cash:.4g} %."
    )
    return [Finding(0, FIXED, f"weights sum to {100 * total:.6g} %", fix, note=True)]
