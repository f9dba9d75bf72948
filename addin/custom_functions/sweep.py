"""The cell that runs a backtest many times over."""

from typing import Annotated

import pandas as pd

from custom_functions._arguments import Benchmark, End, Start
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, cells, text
from tilt.api.backtests import OPTIONS, Asked
from tilt.api.state import current
from tilt.api.sweeps import VIEWS, ask_sweep, parse_axis
from tilt.api.values import Grid
from tilt.backtest.result import STATS
from tilt.errors import one_of

OWN = {
    "view": "heat (default), list of all figures, or overfitting of the best",
    "universe": "name of a universe; left out: the default of the settings",
}


@udf(
    result="a row for each value of rows, a column for each value of columns; view list: the "
    "parameters, then figures; overfitting: measure, value, meaning",
    example='=TILT.SWEEP("quantile:{factor}:5:5","factor=Value,Momentum","lag=1,5","2016-01-04")',
    keys={**OPTIONS, **OWN},
    alone=True,
)
def sweep(
    strategy: Annotated[
        Grid, cells('As in BACKTEST; {name} stands for a parameter: "quantile:{factor}:5:5".')
    ],
    rows: Annotated[str, text('A parameter and its values: "factor=Value,Momentum".')],
    columns: Annotated[str, text('Another one: "cost_bps=0,10,30"; left out: one column.')] = "",
    start: Start = None,
    end: End = None,
    rebalance: Annotated[str, text("M (default), D, W, Q, Y or drift:0.05.")] = "",
    benchmark: Benchmark = None,
    measure: Annotated[str, text("sharpe (default), cagr, ...: a row of BACKTEST.")] = "sharpe",
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Run a backtest for many values of one or two parameters: a heat map, or a list.

    A parameter is a placeholder of the strategy, an option of BACKTEST (capital with impact=1 shows
    the capacity) or rebalance, start, end. Each backtest counts as a trial of the workbook.
    """
    measure = one_of("measure", measure, STATS)  # told before anything is run
    view = one_of("option view", options.text("view", next(iter(VIEWS))), VIEWS)
    asked = Asked(
        strategy,
        start,
        end,
        rebalance,
        None,
        benchmark,
        {key: value for key, value in options.own.items() if key not in OWN},
        options.flag("long_short"),
        universe=options.text("universe", ""),
    )
    found = ask_sweep(
        current(),
        asked,
        parse_axis(rows, "rows"),
        parse_axis(columns, "columns") if columns else None,
    )
    return found.view(view, measure)
