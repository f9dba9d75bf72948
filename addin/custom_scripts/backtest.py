"""The Backtest button: what the marked holdings, or a strategy by name, would have earned."""

import pandas as pd
import xlwings as xw
import xlwings.server

from custom_scripts import _inputs as inputs
from custom_scripts import _sheets as sheets
from custom_scripts._inputs import Marked
from custom_scripts._sheets import Chart, Output, Part
from tilt.api.backtest_views import OPTIONS, run_counted
from tilt.api.backtests import Asked
from tilt.api.configured import CONFIG, complete
from tilt.api.state import State, current
from tilt.api.trials import WORKBOOK
from tilt.backtest.parse import SOLVED
from tilt.backtest.result import BacktestResult
from tilt.errors import ArgumentError

BACKTEST = "Tilt Backtest"
CURVE = ["date", "nav", "benchmark_nav"]  # what the chart shows comes first
SERIES = [*CURVE, "return", "active", "drawdown", "turnover"]
RATIOS = ("return", "active", "drawdown", "turnover")

HINDSIGHT = "The weights are those of today, held in the past: chosen with hindsight."


@xlwings.server.script
def backtest(book: xw.Book) -> None:
    """Show what the marked holdings, or the strategy of the settings, would have earned."""
    state = current()
    marked = inputs.read_marked(book, state)
    WORKBOOK.set(book.name)
    result, honest = _run(state, marked)
    words = _words(result)
    if "strategy" not in marked.settings:
        words[3] = inputs.sentences(HINDSIGHT, words[3])
    written = sheets.write_sheet(book, BACKTEST, words, _parts(result, honest))
    done = f"Wrote statistics, months, drawdowns and the curve to the sheet {written}. {words[1]}."
    sheets.say(book, inputs.sentences(marked.said, done))


def _run(state: State, marked: Marked) -> tuple[BacktestResult, pd.DataFrame]:
    panel = state.panel(None)
    if marked.universe and marked.universe.strip().casefold() != panel.universe.casefold():
        raise ArgumentError(
            f"Backtest runs on the default universe {panel.universe}, not on '{marked.universe}'. "
            f"Clear universe in {inputs.SETTINGS}."
        )
    named = marked.cell("strategy")
    solves = str(marked.settings.get("strategy", "")).strip().casefold() in {*SOLVED, CONFIG}
    asked = Asked(
        named or marked.holdings,
        marked.settings.get("start"),
        marked.settings.get("end"),
        marked.text("rebalance", ""),
        marked.constraints if solves else None,
        marked.cell("benchmark"),
        marked.options(OPTIONS),
        marked.long_short,
    )
    return run_counted(state, complete(state, asked, marked.settings.get(CONFIG)))


def _words(result: BacktestResult) -> list[str]:
    stats = result.view("stats").set_index("measure")["portfolio"].astype(float).to_dict()
    said = result.assumptions.set_index("item")["value"].astype(str).to_dict()
    figures = [
        f"{label} {stats[name]:.2%}"
        for name, label in (
            ("cagr", "Return a year"),
            ("volatility", "volatility"),
            ("max_drawdown", "largest drawdown"),
        )
        if stats.get(name) == stats.get(name) and name in stats
    ]
    return [
        f"Backtest: {result.strategy}",
        ", ".join(figures),
        f"{said['window']}, {said['universe']}, run {result.run_id}",
        inputs.sentences(said["HYPOTHETICAL"], said["SURVIVORSHIP"]),
    ]


def _parts(result: BacktestResult, honest: pd.DataFrame) -> list[Part]:
    months: pd.DataFrame = result.view("monthly")
    return [
        Output("TiltBacktestStats", result.view("stats")),
        Chart("TiltBacktestCurve", "Wealth, 1 at the start", "line", "TiltBacktestSeries", 3),
        Output("TiltBacktestMonths", months, percent=tuple(months.columns[1:])),
        Output("TiltBacktestFalls", result.view("drawdowns"), percent=("depth",)),
        Output("TiltBacktestSeries", result.view("series")[SERIES], percent=RATIOS),
        Output("TiltBacktestHonesty", honest, plain=_plain(honest)),
        Output("TiltBacktestNotes", result.view("assumptions")),
    ]


def _plain(honest: pd.DataFrame) -> tuple[str, ...]:
    return tuple(str(m) for m in honest["measure"])
