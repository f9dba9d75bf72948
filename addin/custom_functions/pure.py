"""The cell that makes a portfolio of one factor."""

from typing import Annotated

import pandas as pd

from custom_functions._arguments import Date, Universe
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, cells
from tilt.api.books import with_notes
from tilt.api.pure_factors import FREQUENCIES, PureAsked, case_today, compared, history
from tilt.api.state import current
from tilt.api.values import Grid
from tilt.errors import ArgumentError, one_of
from tilt.frames import PERIODS_PER_YEAR
from tilt.optimize import pure
from tilt.optimize.pure import Limits

MOST_COST = 500.0  # basis points
VIEWS = ("weights", "compare", "history", "performance")


@udf(
    result="ticker, weight; or by the view: measure and a column per kind (compare, performance); "
    "date and a column per kind (history)",
    example='=TILT.PURE_FACTOR("Value",,,"top=20")',
    keys={
        "kind": "pure (default), simple, min_risk or investable",
        "view": "weights (default); compare: the four kinds side by side; history: what each "
        "earned in a period; performance: that summed up",
        "exposure": "of the investable portfolio above the benchmark's that is striven for, 1",
        "long_only": "of the investable portfolio: yes (default) or no",
        "max_weight": "of a name in the investable portfolio, 0.05 unless told",
        "max_turnover": "one way from what is held to the investable portfolio; none unless told",
        "cost_bps": "of trading, in basis points of what is traded, 10 unless told",
        "start": "of history and performance, as a date or -3Y; all there is unless told",
        "rebalance": "of history and performance: M (default), Q or W",
        "net": "yes takes the costs of trading off the history",
    },
    alone=True,
)
def pure_factor(
    factor: Annotated[Grid, cells("A factor, a field, an expression, or ticker and value.")],
    date: Date = None,
    universe: Universe = None,
    options: Options = NO_OPTIONS,
    holdings: Annotated[
        Grid | None,
        cells("What is held now, which turnover counts from; left out: the benchmark."),
    ] = None,
) -> pd.DataFrame:
    """Make a portfolio of one factor: pure, simple, of least risk, or one that can be held.

    pure has exposure 1 to the factor and 0 to every other; its return is the factor's. simple has
    exposure 1 and what comes with it. min_risk has the exposures of pure and the least risk.
    investable comes as near as rules allow to the benchmark plus min_risk. The first three sum to
    zero. compare shows what each departure costs in exposure, risk, turnover and money. history
    makes the four anew at the end of each month with what was known then, buys them at the next
    close and shows their returns by the day the period ended; investable against the benchmark.
    """
    state = current()
    kind = one_of("option kind", options.text("kind", "pure"), pure.KINDS)
    view = one_of("option view", options.text("view", "weights"), VIEWS)
    asked = PureAsked(
        factor,
        date,
        universe or "",
        _limits(options),
        holdings,
        _cost(options),
        options.own.get("start"),
        one_of("option rebalance", options.text("rebalance", FREQUENCIES[0]), FREQUENCIES),
    )
    if view == "compare":
        return with_notes(*compared(state, asked))
    if view in ("history", "performance"):
        found = history(state, asked)
        if view == "performance":
            table = found.summary(PERIODS_PER_YEAR[asked.rebalance])
            return with_notes(table, found.notes)
        shown = found.net if options.flag("net") else found.returns
        return with_notes(shown.reset_index(), found.notes)
    case, notes = case_today(state, asked)
    weights = pure.factor_portfolio(case, kind, asked.limits)
    held = weights[weights.abs() > pure.NOTHING]
    held = held.reindex(held.abs().sort_values(ascending=False, kind="stable").index)
    return with_notes(
        pd.DataFrame({"ticker": held.index.to_numpy(), "weight": held.to_numpy()}), notes
    )


def _cost(options: Options) -> float:
    bps = options.number("cost_bps", 10.0)
    if not 0 <= bps <= MOST_COST:
        raise ArgumentError(f"option cost_bps must be from 0 to {MOST_COST:g}; got {bps:g}.")
    return bps / 1e4


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
