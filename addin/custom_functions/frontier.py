"""The cell that shows what each bit of risk earns."""

from typing import Annotated

import pandas as pd

from custom_functions._arguments import Benchmark, Constraints, Holdings
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, number, text
from custom_functions.optimize import Alpha
from tilt.api.books import with_notes
from tilt.api.configured import CONFIG, OPTION, Posed, open_posed, pose, posed_problem
from tilt.api.frontiers import VIEWS, ask_frontier
from tilt.api.state import current
from tilt.errors import one_of
from tilt.optimize.frontier import POINTS, whole_points
from tilt.optimize.solve import OPTIONS

Objective = Annotated[
    str, text("min_te: tracking error; min_risk: volatility; others: by the benchmark; or config.")
]
Points = Annotated[float, number("How many portfolios, 3 to 100; 20 if left out.")]
OWN = {"view": ", ".join(VIEWS), "date": "as in OPTIMIZE"}


@udf(
    result="risk, return, ratio, turnover, names, entering, leaving; view=weights: ticker, name, "
    "a column per point; view=corners: point, risk, return, ticker, change, weight",
    example='=TILT.FRONTIER("min_te",A2:B40,D2:I8,,"Momentum")',
    keys={**OWN, **OPTIONS, **OPTION},
    alone=True,
    traced=True,
)
def frontier(
    objective: Objective,
    holdings: Holdings,
    constraints: Constraints = None,
    benchmark: Benchmark = None,
    alpha: Alpha = None,
    points: Points = float(POINTS),
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Trace the efficient frontier: for each return the portfolio of least risk, rules kept.

    The first row is the portfolio of least risk, the last that of the largest return; the rows
    between are equally spaced in return. Against a benchmark risk is tracking error, return is
    active return and ratio the information ratio; without one they are volatility, expected return
    and the Sharpe ratio. All rules of OPTIMIZE hold at every point. entering and leaving name who
    joins and who drops out from the row above. risk and return are ready for a scatter chart.
    """
    view = one_of("option view", options.text("view", "frontier"), VIEWS)
    own = {k: v for k, v in options.own.items() if k not in (CONFIG, *OWN)}
    given = Posed(
        objective, constraints, benchmark, options=own, long_short=options.flag("long_short")
    )
    state = current()
    posed = pose(state, options.own.get(CONFIG), given)
    book = open_posed(state, holdings, posed, options.own.get("date"))
    problem = posed_problem(state, book, posed, alpha)
    found = ask_frontier(state, problem, whole_points(points), book.panel.snapshot).require()
    return with_notes(found.view(view), (*book.notes, *found.messages))
