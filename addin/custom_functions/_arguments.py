"""The arguments that several functions share, each with the words Excel shows for it."""

from typing import Annotated

from custom_functions import _inputs as inputs
from tilt.api.values import Grid

Universe = Annotated[
    str | None, inputs.text("Name of a universe; left out: the default of the settings.")
]
Date = Annotated[
    object,
    inputs.one(
        "Excel date, 2026-01-31, 20260131 or relative such as -1M; left out: the last with data."
    ),
]
Start = Annotated[object, inputs.one("First date, as a date, or relative such as -1Y or YTD.")]
End = Annotated[object, inputs.one("Last date; left out: the last with data.")]
Tickers = Annotated[
    tuple[str, ...], inputs.names('Tickers: a range, or a text such as "AAPL,MSFT".')
]
Holdings = Annotated[
    Grid,
    inputs.cells(
        "Tickers and weights, shares or market values; or the name of a portfolio or universe."
    ),
]
Benchmark = Annotated[
    Grid | None,
    inputs.cells("As holdings; left out: the universe by market cap; NONE: absolute risk."),
]
Constraints = Annotated[
    Grid | None, inputs.cells("Rows of rule, who, min, max, relative, priority.")
]
