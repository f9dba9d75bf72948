"""The cell that makes a portfolio of one factor."""

from typing import Annotated

import pandas as pd

from custom_functions._arguments import Date, Universe
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, cells
from tilt.api.books import date_of, with_notes
from tilt.api.research import Scored, read_factor
from tilt.api.state import State, current
from tilt.api.values import Grid
from tilt.errors import ArgumentError, one_of
from tilt.frames import Panel
from tilt.optimize import pure
from tilt.optimize.pure import FactorCase, Limits

MONTH = 21
MOST_COST = 500.0  # basis points


@udf(
    result="ticker, weight; or, to compare, measure and a column per kind",
    example='=TILT.PURE_FACTOR("Value",,,"top=20")',
    keys={
        "kind": "pure (default), simple, min_risk or investable",
        "view": "weights (default) or compare: the four kinds side by side",
        "exposure": "of the investable portfolio above the benchmark's that is striven for, 1",
        "long_only": "of the investable portfolio: yes (default) or no",
        "max_weight": "of a name in the investable portfolio, 0.05 unless told",
        "max_turnover": "one way from the benchmark to the investable portfolio; none unless told",
        "cost_bps": "of trading, in basis points of what is traded, 10 unless told",
    },
)
def pure_factor(
    factor: Annotated[Grid, cells("A factor, a field, an expression, or ticker and value.")],
    date: Date = None,
    universe: Universe = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Make a portfolio of one factor: pure, simple, of least risk, or one that can be held.

    pure has exposure 1 to the factor and 0 to every other; its return is the factor's. simple has
    exposure 1 and what comes with it. min_risk has the exposures of pure and the least risk.
    investable comes as near as rules allow to the benchmark plus min_risk. The first three sum to
    zero. compare shows what each departure costs in exposure, risk, turnover and money.
    """
    state = current()
    panel = state.panel(universe)
    day = date_of(date, panel)
    found = read_factor(state, panel, factor, date=day)
    kind = one_of("option kind", options.text("kind", "pure"), pure.KINDS)
    view = one_of("option view", options.text("view", "weights"), ("weights", "compare"))
    limits = _limits(options)
    case = _case(state, panel, day, found)
    if view == "compare":
        bps = options.number("cost_bps", 10.0)
        if not 0 <= bps <= MOST_COST:
            raise ArgumentError(f"option cost_bps must be from 0 to {MOST_COST:g}; got {bps:g}.")
        at = int(panel.dates.get_indexer(pd.DatetimeIndex([day]))[0])
        before = panel.dates[max(at - MONTH, 0)]
        earlier = read_factor(state, panel, factor, date=before)
        cases = (case, _case(state, panel, before, earlier))
        return with_notes(pure.compare(cases, limits, cost=bps / 1e4), found.notes)
    weights = pure.factor_portfolio(case, kind, limits)
    held = weights[weights.abs() > pure.NOTHING]
    held = held.reindex(held.abs().sort_values(ascending=False, kind="stable").index)
    table = pd.DataFrame({"ticker": held.index.to_numpy(), "weight": held.to_numpy()})
    return with_notes(table, found.notes)


def _limits(options: Options) -> Limits:
    turnover = options.own.get("max_turnover")
    limits = Limits(
        exposure=options.number("exposure", 1.0),
        long_only=options.flag("long_only") if options.text("long_only", "") else True,
        max_weight=options.number("max_weight", 0.05),
        max_turnover=None if turnover is None else options.number("max_turnover", 1.0),
    )
    if not 0 < limits.max_weight <= 1:
        raise ArgumentError(
            f"option max_weight must be a fraction, 0.05 for 5 %; got {limits.max_weight:g}."
        )
    if limits.max_turnover is not None and not 0 <= limits.max_turnover <= 1:
        raise ArgumentError(
            f"option max_turnover must be a fraction, 0.2 for 20 %; got {limits.max_turnover:g}."
        )
    return limits


def _case(state: State, panel: Panel, date: pd.Timestamp, found: Scored) -> FactorCase:
    members = panel.assets[panel.member.loc[date].to_numpy(dtype=bool)]
    return pure.open_factor(
        state.model(panel, date),
        panel.securities,
        panel.market_cap.T[date],
        members,
        found.name,
        scores=None if found.model else found.scores.T[date],
    )
