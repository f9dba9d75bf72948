"""The Backtest button: what the marked holdings, or a strategy by name, would have earned."""

import pandas as pd
import xlwings as xw
import xlwings.server

from custom_scripts import _inputs as inputs
from custom_scripts import _sheets as sheets
from custom_scripts._inputs import Marked
from custom_scripts._sheets import Chart, Output, Part
from custom_scripts.attribution import EFFECTS, effect_bars, factor_bars
from tilt.api.attributions import explain_tracks, tracks_of_result
from tilt.api.backtest_views import OPTIONS, run_counted
from tilt.api.backtests import Asked
from tilt.api.configured import CONFIG, complete
from tilt.api.state import State, current
from tilt.api.trials import WORKBOOK
from tilt.backtest.parse import SOLVED
from tilt.backtest.result import BacktestResult
from tilt.errors import ArgumentError, TiltError

BACKTEST = "Tilt Backtest"
CURVE = ["date", "nav", "benchmark_nav"]  # what the chart shows comes first
SERIES = [*CURVE, "return", "active", "drawdown", "turnover"]
RATIOS = ("return", "active", "drawdown", "turnover")
RISKS = ("volatility", "realized_volatility", "tracking_error", "realized_tracking_error")

HINDSIGHT = "The weights are those of today, held in the past: chosen with hindsight."


@xlwings.server.script
def backtest(book: xw.Book) -> None:
    """Show what the marked holdings, or the strategy of the settings, would have earned."""
    state = current()
    marked = inputs.read_marked(book, state)
    WORKBOOK.set(book.name)
    asked, result, honest = _run(state, marked)
    words = _words(result)
    if "strategy" not in marked.settings:
        words[3] = inputs.sentences(HINDSIGHT, words[3])
    why, missing = _why(state, asked, result)
    words[3] = inputs.sentences(words[3], missing)
    written = sheets.write_sheet(book, BACKTEST, words, [*_parts(result, honest), *why])
    done = (
        "Wrote statistics, months, drawdowns, the curve, and why and at what risk it came about to "
        f"the sheet {written}. {words[1]}."
    )
    sheets.say(book, inputs.sentences(marked.said, done))


def _run(state: State, marked: Marked) -> tuple[Asked, BacktestResult, pd.DataFrame]:
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
    asked = complete(state, asked, marked.settings.get(CONFIG))
    return (asked, *run_counted(state, asked))


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


def _why(state: State, asked: Asked, result: BacktestResult) -> tuple[list[Part], str]:
    """Return why the backtest did what it did, at what risk and in which times.

    Where its benchmark has no weights, or its universe no factor model, the reason is returned in
    place of what cannot be told.
    """
    missing: dict[str, None] = {}
    parts: list[Part] = []
    for method, made in (
        ("brinson", _by_group),
        ("factor", _by_factor),
        ("forecast", _forecast),
        ("regimes", _regimes),
    ):
        try:
            tracks = tracks_of_result(state, state.panel(None), result, asked.benchmark)
            parts += made(explain_tracks(state, tracks, method=method).table)
        except TiltError as error:
            missing[str(error)] = None
    return parts, " ".join(missing)


def _by_group(table: pd.DataFrame) -> list[Part]:
    return [
        Output("TiltBacktestWhy", table, percent=tuple(table.columns[1:])),
        Chart(
            "TiltBacktestWhyChart",
            "Allocation, selection and interaction",
            "bar_clustered",
            "TiltBacktestWhyBars",
            4,
        ),
        Output("TiltBacktestWhyBars", effect_bars(table), percent=EFFECTS),
    ]


def _by_factor(table: pd.DataFrame) -> list[Part]:
    return [
        Output("TiltBacktestFactors", table, percent=("factor_return", "contribution")),
        Chart(
            "TiltBacktestFactorChart",
            "Contribution of factors",
            "bar_clustered",
            "TiltBacktestFactorBars",
        ),
        Output("TiltBacktestFactorBars", factor_bars(table), percent=("contribution",)),
    ]


def _forecast(table: pd.DataFrame) -> list[Part]:
    active = bool(table["tracking_error"].notna().any())
    shown = ["tracking_error", "realized_tracking_error"] if active else RISKS[:2]
    title = "Tracking error, forecast and realized" if active else "Risk, forecast and realized"
    months = table.iloc[:-1].rename(columns={"period": "month"})
    return [
        Output("TiltBacktestRisk", table, percent=RISKS),
        Chart("TiltBacktestRiskChart", title, "line", "TiltBacktestRiskLines", 3),
        Output("TiltBacktestRiskLines", months[["month", *shown]], percent=RISKS),
    ]


def _regimes(table: pd.DataFrame) -> list[Part]:
    ratios = ("periods", "sharpe", "information_ratio", "beta")
    shares = tuple(c for c in table.columns[1:] if c not in ratios)
    return [Output("TiltBacktestRegimes", table, percent=shares)]


def _plain(honest: pd.DataFrame) -> tuple[str, ...]:
    return tuple(str(m) for m in honest["measure"])
