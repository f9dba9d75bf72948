"""Cells that find better weights."""

from typing import Annotated

import pandas as pd

from custom_functions._arguments import Benchmark, Constraints, Date, Holdings
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, cells, text
from tilt.api.books import with_notes
from tilt.api.configured import CONFIG, OPTION, Posed, open_posed, pose, posed_problem
from tilt.api.optimizations import WHY, ask_solution, why_names
from tilt.api.state import current
from tilt.api.through_time import OPTIONS as TIME
from tilt.api.through_time import Asked, ask_through_time, dates_of
from tilt.api.values import Grid
from tilt.errors import one_of
from tilt.optimize.solve import OPTIONS, VIEWS
from tilt.optimize.through_time import VIEWS as ALONG_TIME

Objective = Annotated[
    str,
    text(
        "min_te, min_risk, max_utility, max_sharpe, risk_parity, ...; "
        "a sum such as return - 4*risk; or config."
    ),
]
Views = Annotated[
    Grid | None,
    cells("Rows of name, view, confidence; or name, minus, view, confidence. Sets returns."),
]
Alpha = Annotated[
    Grid | None,
    cells("Tickers and expected yearly returns; or a factor: 1 % a year for a score of 1."),
]
View = Annotated[str, text(f"{', '.join(VIEWS)}; trades is the default.")]


@udf(
    result="view trades: ticker, name, current, optimal, trade, reason; weights; summary: measure, "
    "before, after; constraints: rule, who, min, max, value, slack, status, shadow_price, "
    "gain_if_looser, gain_if_tighter; exposures; risk; explain: one sentence a row",
    example='=TILT.OPTIMIZE("min_te",A2:B40,D2:I8)',
    keys={**OPTIONS, **OPTION, **WHY, **TIME},
    alone=True,
    traced=True,
)
def optimize(
    objective: Objective,
    holdings: Holdings,
    constraints: Constraints = None,
    benchmark: Benchmark = None,
    alpha: Alpha = None,
    date: Date = None,
    view: View = "trades",
    options: Options = NO_OPTIONS,
    views: Views = None,
) -> pd.DataFrame:
    """Find the best weights within the rules, and show trades, risk or the reasons.

    Another view of the same problem does not solve it again. What takes over two seconds shows how
    far it is until it is done. Where the rules cannot hold together the trades are #N/A with the
    conflict as its message, and the view explain says what repairs it.

    Views are what you expect of a year, of a ticker or sector, or of one above another: name
    "AAPL - MSFT" or a column minus. They move the returns that the benchmark implies, each as far
    as its confidence says (0.5 unless given), and stand in place of alpha.

    The options pin and exclude fix names by hand, as "pin=AAPL=0.05,MSFT;exclude=XOM"; the view
    summary then shows beside it what the answer without them would be. With the view explain the
    option why names tickers, and says in one sentence each why they are held or not.

    The option schedule (D, W, M, Q, Y, with start and end) or dates solves on many dates, each with
    what was known then and the weights that drifted there: view summary gives date, objective,
    turnover, names and status, view weights gives date, ticker and weight.

    The option config names a saved configuration, which says what the call leaves out: rules,
    benchmark, options, and the objective where that is the word config. The note tells its id.
    """
    view = one_of("view", view, VIEWS)
    own = {key: value for key, value in options.own.items() if key not in (CONFIG, *WHY, *TIME)}
    given = Posed(
        objective, constraints, benchmark, options=own, long_short=options.flag("long_short")
    )
    state = current()
    posed = pose(state, options.own.get(CONFIG), given)
    dates = dates_of(state.panel(posed.universe), options.own)
    if dates:
        view = one_of("view of many dates", view, ALONG_TIME)
        along = ask_through_time(state, Asked(holdings, posed, alpha, views, dates))
        return with_notes(along.view(view), (*posed.notes, *along.messages))
    book = open_posed(state, holdings, posed, date)
    problem = posed_problem(state, book, posed, alpha, views)
    names = why_names(options.own.get("why"), view)
    if names:
        solution = ask_solution(state, problem, "weights", book.panel.snapshot)
        return pd.DataFrame({"explanation": [solution.why(name) for name in names]})
    solution = ask_solution(state, problem, view, book.panel.snapshot)
    return with_notes(solution.view(view), book.notes)
