"""Which strategy a range or a text means."""

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from tilt.backtest.factor_strategies import Pure, Quantile, Spread
from tilt.backtest.strategy import (
    CapWeight,
    DatedWeights,
    EqualWeight,
    FixedWeights,
    InverseVol,
    Strategy,
)
from tilt.backtest.walk_forward import Optimal
from tilt.calendar import parse_date
from tilt.errors import ArgumentError, UnknownNameError, cut, did_you_mean, one_of
from tilt.frames import Panel, Weights
from tilt.optimize.terms import OBJECTIVES
from tilt.portfolio.cells import Grid, is_blank
from tilt.portfolio.holdings import Holdings, Saved, parse_holdings, weigh_rows
from tilt.portfolio.layout import BadLayout, Row, looks_dated, read_layout

SOLVED = frozenset(OBJECTIVES) - {"equal_weight"}  # which needs no solver, and keeps no rules
STRATEGIES: Mapping[str, str] = {
    "equal_weight": "every member of the universe with the same weight",
    "cap_weight": "every member with its share of the market cap",
    "inverse_vol": "every member in proportion to one over its volatility",
    "quantile:Momentum:5:5": "the members in one bucket of a factor; the last scores highest",
    "spread:Value:5": "long the highest bucket of a factor, short the lowest",
    "pure:Value": "the factor's pure portfolio: unit exposure to it, none to any other factor",
} | {
    name: f"{text}, solved anew at each rebalance"
    for name, text in OBJECTIVES.items()
    if name in SOLVED
}
MOST_BUCKETS = 100
MOST_NOTES = 20


def parse_strategy(
    given: str | Grid | None,
    panel: Panel,
    *,
    saved: Saved,
    date: pd.Timestamp | None = None,
    long_short: bool = False,
    alpha: "Weights | None" = None,
    options: Mapping[str, object] | None = None,
) -> Strategy:
    """Return the strategy that a range or a text means.

    Parameters
    ----------
    given : holdings (fixed weights), a range of date, ticker, weight (dated weights), the name of
        a strategy or objective, of a saved portfolio or of the universe
    date : at which holdings are read: shares are valued at its close; the last date unless given
    long_short : allow weights of any sum
    alpha, options : of an objective

    Raises
    ------
    ArgumentError, DataError, UnknownNameError
        If it is none of these; rows are named as in the range.
    """
    if isinstance(given, list) and len(given) == 1 and len(given[0]) == 1:
        given = given[0][0] if isinstance(given[0][0], str) else given
    if given is None or is_blank(given):
        raise ArgumentError(
            f"strategy is missing. Give holdings or one of {', '.join(STRATEGIES)}."
        )
    at = panel.as_of if date is None else date
    if isinstance(given, str):
        named = _named(given.strip(), panel, alpha, options or {})
        return named or _saved(given, panel, at, saved)
    if looks_dated(given):
        return _dated(given, panel, long_short=long_short)
    held = parse_holdings(given, panel, at, saved=saved, long_short=long_short, argument="strategy")
    return FixedWeights(held.weights, notes=held.notes)


def _named(
    text: str, panel: Panel, alpha: "Weights | None", options: Mapping[str, object]
) -> Strategy | None:
    """Return a strategy by its name, or None if the text is none of them."""
    word, _, rest = text.partition(":")
    name = word.strip().casefold()
    if name in {"quantile", "spread", "pure"}:
        return _of_factor(name, rest, panel)
    plain: dict[str, Strategy] = {
        "equal_weight": EqualWeight(),
        "cap_weight": CapWeight(),
        panel.universe.casefold(): CapWeight(),
    }
    if name == "inverse_vol":
        lookback = options.get("lookback", InverseVol.lookback)
        return InverseVol(_whole(str(lookback), "lookback", least=2, most=10_000))
    if name in plain and not rest:
        return plain[name]
    if name in OBJECTIVES:
        return Optimal(name, alpha=alpha, options=options)
    return None


def _of_factor(name: str, rest: str, panel: Panel) -> Strategy:
    parts = [p.strip() for p in rest.split(":")]
    if name == "pure":
        if len(parts) != 1 or not parts[0]:
            raise ArgumentError(f"'pure:{cut(rest)}' must be pure:factor, pure:Value.")
        return Pure(_style(parts[0], panel))
    if name == "spread":
        if len(parts) != 2:
            raise ArgumentError(
                f"'spread:{cut(rest)}' must be spread:factor:buckets, spread:Value:5."
            )
        count = _whole(parts[1], "buckets", least=2, most=MOST_BUCKETS)
        return Spread(_style(parts[0], panel), count)
    if len(parts) != 3:
        raise ArgumentError(
            f"'quantile:{cut(rest)}' must be quantile:factor:buckets:bucket, quantile:Momentum:5:1."
        )
    count = _whole(parts[1], "buckets", least=2, most=MOST_BUCKETS)
    bucket = _whole(parts[2], "bucket", least=1, most=count)
    return Quantile(_style(parts[0], panel), count, bucket)


def _style(name: str, panel: Panel) -> str:
    return one_of("factor", name, panel.factors.style_names)


def _whole(text: str, name: str, *, least: int, most: int) -> int:
    if not re.fullmatch(r"\d{1,6}(\.0+)?", text) or not least <= int(float(text)) <= most:
        raise ArgumentError(
            f"{name} must be a whole number from {least} to {most}; got '{cut(text)}'."
        )
    return int(float(text))


def _saved(given: str, panel: Panel, date: pd.Timestamp, saved: Saved) -> Strategy:
    try:
        held = parse_holdings(given, panel, date, saved=saved, argument="strategy")
    except UnknownNameError as error:
        hint = did_you_mean(given.strip(), STRATEGIES)
        if "Did you mean" in str(error) or not hint:
            raise UnknownNameError(
                f"{error} Strategies by name are {', '.join(STRATEGIES)}."
            ) from None
        raise UnknownNameError(f"Unknown strategy '{cut(given)}'.{hint}") from None
    return FixedWeights(held.weights, label=held.name, notes=held.notes)


def _dated(grid: Grid, panel: Panel, *, long_short: bool) -> DatedWeights:
    held, notes = read_dated(grid, panel, long_short=long_short, argument="strategy")
    frame = pd.DataFrame(held).T.fillna(0.0)
    frame.index = pd.DatetimeIndex(frame.index)
    return DatedWeights(frame.astype(np.float64), notes=notes)


def read_dated(
    grid: Grid, panel: Panel, *, long_short: bool = False, argument: str = "holdings"
) -> tuple[dict[pd.Timestamp, Weights], tuple[str, ...]]:
    """Return the weights of a range of date, ticker, weight by trading day, and notes.

    Raises
    ------
    ArgumentError, DataError, UnknownNameError
        If a row is wrong; it is named as in the range.
    """
    layout = read_layout(grid, dated=True)
    if isinstance(layout, BadLayout):
        raise ArgumentError(f"{argument} {layout.problem}. {layout.fix}")
    by_date: dict[pd.Timestamp, list[Row]] = {}
    for row in layout.rows:
        if is_blank(row.date):
            raise ArgumentError(f"{argument} row {row.number}: date is blank. Type it.")
        day = parse_date(row.date, panel.dates, f"{argument} row {row.number}: date")
        by_date.setdefault(day, []).append(row)
    held: dict[pd.Timestamp, Holdings] = {
        day: weigh_rows(
            replace(layout, rows=tuple(rows)),
            panel,
            day,
            long_short=long_short,
            argument=argument,
        ).require()
        for day, rows in sorted(by_date.items())
    }
    notes = [f"{day:%Y-%m-%d}: {n}" for day, h in held.items() for n in h.notes]
    return {day: h.weights for day, h in held.items()}, tuple(notes[:MOST_NOTES])


def is_strategy(text: str) -> bool:
    """Return whether a text names a strategy, whatever its parameters: ``quantile:Value:5:1``."""
    word = text.partition(":")[0].strip().casefold()
    return word in {name.partition(":")[0] for name in STRATEGIES}
