"""The button Compare: the marked holdings beside another portfolio."""

from dataclasses import replace

import pandas as pd
import xlwings as xw
import xlwings.server

from custom_scripts import _inputs as inputs
from custom_scripts import _sheets as sheets
from custom_scripts._inputs import Marked
from custom_scripts._sheets import Chart, Output, Part
from tilt.api.books import Book
from tilt.api.state import State, current
from tilt.errors import ArgumentError
from tilt.portfolio import compare as side_by_side

COMPARE = "Tilt Compare"
WITH = "compare_with"
WEIGHTS = ("a", "b", "difference")


@xlwings.server.script
def compare(book: xw.Book) -> None:
    """Put the marked holdings beside another portfolio: positions, sectors, factors and risk."""
    state = current()
    marked = inputs.read_marked(book, state)
    mine = marked.open(state)
    name, other = _other(book, state, marked, mine)
    tables = {
        by: side_by_side.compare(
            mine.model,
            mine.weights,
            other.weights,
            by=by,
            sectors=mine.panel.securities["sector"],
            benchmark=mine.benchmark,
        )
        for by in side_by_side.VIEWS
    }
    distance = tables["position"].set_index("name")["difference"]
    apart = (
        f"Active share {distance['active_share']:.2%}, overlap {distance['overlap']:.2%}, "
        f"turnover from b to a {distance['turnover']:.2%}"
    )
    words = [
        f"The holdings (a) beside {name} (b)",
        apart,
        inputs.origin(mine),
        inputs.sentences(*dict.fromkeys((*mine.notes, *other.notes))),
    ]
    risk = tables["risk"].rename(columns={"name": "measure"})
    parts: list[Part] = [
        Output("TiltComparePositions", tables["position"], percent=WEIGHTS),
        Output("TiltCompareSectors", tables["sector"], percent=WEIGHTS),
        Chart("TiltCompareChart", "Sectors", "bar_clustered", "TiltCompareBars"),
        Output("TiltCompareFactors", tables["factor"]),
        Output("TiltCompareRisk", risk),
        Output("TiltCompareBars", _bars(tables["sector"]), percent=("difference",)),
    ]
    written = sheets.write_sheet(book, COMPARE, words, parts)
    sheets.say(
        book,
        inputs.sentences(
            marked.said,
            f"Wrote the holdings beside {name} to the sheet {written}. {apart}.",
        ),
    )


def _other(book: xw.Book, state: State, marked: Marked, mine: Book) -> tuple[str, Book]:
    """Return the portfolio to compare with, and what it is called.

    It is the one that the settings name; else the saved portfolio that Save writes, so that one
    sees what has changed since; else the benchmark.

    Raises
    ------
    ArgumentError
        If there is none of them.
    """
    saved = {str(n).casefold(): str(n) for n in state.store.portfolios()["name"]}
    own = saved.get(inputs.portfolio_name(book, marked.settings).casefold())
    name = marked.text(WITH, own or "")
    if name:
        return name, replace(marked, holdings=[[name]]).open(state)
    if mine.benchmark is not None:
        return "the benchmark", replace(mine, weights=mine.benchmark, notes=())
    raise ArgumentError(
        f"There is nothing to compare with. Give {WITH} in {inputs.SETTINGS} the name of a saved "
        "portfolio or a universe, or press Save first."
    )


def _bars(sectors: pd.DataFrame) -> pd.DataFrame:
    """Return the difference of each sector, the largest last: a bar chart shows it on top."""
    rows = sectors.loc[sectors["a"].notna() & sectors["b"].notna(), ["name", "difference"]]
    return rows.sort_values("difference", ignore_index=True)
