"""The buttons Factor analysis and Risk: what a portfolio is exposed to, and what it risks."""

import pandas as pd
import xlwings as xw
import xlwings.server

from custom_scripts import _inputs as inputs
from custom_scripts import _sheets as sheets
from custom_scripts._sheets import Chart, Output, Part
from tilt.api.books import Book
from tilt.api.state import current
from tilt.errors import UnknownNameError
from tilt.risk.measures import MEASURES, exposure_table, risk_measure_many, risk_table
from tilt.risk.stress import replay_library

FACTORS, RISK = "Tilt Factors", "Tilt Risk"
DRIVERS = 15  # bars of a chart that one can still read
RISK_PERCENT = ("volatility", "mctr", "ctr", "pct", "x_sigma_rho", "mctr_funded")
RETURNS = ("pnl", "portfolio_pnl", "benchmark_pnl")
SPLITS = ("factor", "group", "sector", "position")


@xlwings.server.script
def factor_analysis(book: xw.Book) -> None:
    """Compare the factor exposures of the marked holdings with the benchmark's."""
    state = current()
    marked = inputs.read_marked(book, state)
    found = marked.open(state)
    exposures = exposure_table(found.model, found.weights, found.benchmark)
    styles, sectors = _active(exposures, "style"), _active(exposures, "sector")
    widest = styles.iloc[int(styles["active"].abs().to_numpy().argmax())]
    words = [
        "Factor analysis",
        f"Widest active style: {widest['factor']} {widest['active']:+.2f} standard deviations",
        inputs.origin(found),
        inputs.sentences(*found.notes),
    ]
    parts: list[Part] = [
        Output("TiltExposures", exposures),
        Chart("TiltActiveStyles", "Active style exposure", "bar_clustered", "TiltStyles"),
        Chart("TiltActiveSectors", "Active sector weight", "bar_clustered", "TiltSectors"),
        Output("TiltStyles", styles),
        Output("TiltSectors", sectors, percent=("active",)),
    ]
    written = sheets.write_sheet(book, FACTORS, words, parts)
    done = f"Wrote exposures to {len(exposures)} factors to the sheet {written}. {words[1]}."
    sheets.say(book, inputs.sentences(marked.said, done))


@xlwings.server.script
def risk(book: xw.Book) -> None:
    """Split the forecast risk of the marked holdings, and replay windows of the past on them."""
    state = current()
    marked = inputs.read_marked(book, state)
    found = marked.open(state)
    tables = {by: risk_table(found.model, found.weights, found.benchmark, by=by) for by in SPLITS}
    kind = "volatility" if found.benchmark is None else "tracking error"
    total = float(tables["factor"]["ctr"].iloc[-1])
    words = [
        "Risk",
        f"{kind.capitalize()} {total:.2%} a year",
        inputs.origin(found),
        inputs.sentences(*found.notes),
    ]
    parts: list[Part] = [
        Output("TiltRiskSummary", _summary(found)),
        Chart("TiltRiskDrivers", f"Contribution to {kind}", "bar_clustered", "TiltDrivers"),
        Output("TiltRiskFactors", tables["factor"], percent=RISK_PERCENT),
        Output("TiltRiskSectors", tables["sector"], percent=RISK_PERCENT),
        Output("TiltRiskPositions", _largest_first(tables["position"]), percent=RISK_PERCENT),
        Output("TiltDrivers", _drivers(tables["factor"]), percent=("ctr",)),
        Output("TiltRiskGroups", tables["group"], percent=RISK_PERCENT),
        *_replayed(found),
    ]
    written = sheets.write_sheet(book, RISK, words, parts)
    done = f"Wrote risk by factor, group, sector and position to the sheet {written}. {words[1]}."
    sheets.say(book, inputs.sentences(marked.said, done))


def _replayed(book: Book) -> list[Part]:
    """Return the windows of the past that the data hold; nothing where they hold none."""
    history = book.panel.factor_history
    if history is None:
        return []
    try:
        windows, _ = replay_library(book.model, history, book.weights, book.benchmark)
    except UnknownNameError:
        return []
    return [Output("TiltRiskScenarios", windows, percent=RETURNS)]


def _largest_first(by_position: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by size of their contribution, the total last."""
    rows, total = by_position.iloc[:-1], by_position.iloc[-1:]
    order = rows["ctr"].abs().sort_values(ascending=False, kind="stable").index
    return pd.concat([rows.loc[order], total], ignore_index=True)


def _active(exposures: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return the active exposures of a group, the largest last: a bar chart shows it on top."""
    chosen = exposures.loc[exposures["group"] == group, ["factor", "active"]]
    return chosen.sort_values("active", ignore_index=True)


def _summary(book: Book) -> pd.DataFrame:
    held = book.weights.to_frame("portfolio")
    values = [
        float(risk_measure_many(book.model, held, book.benchmark, m).iloc[0]) for m in MEASURES
    ]
    return pd.DataFrame({"measure": list(MEASURES), "value": values})


def _drivers(by_factor: pd.DataFrame) -> pd.DataFrame:
    """Return the factors that contribute most, the largest last, without specific and total."""
    factors = by_factor[~by_factor["group"].isin(("specific", "total"))]
    largest = factors.loc[factors["ctr"].abs().nlargest(DRIVERS).index]
    return largest[["name", "ctr"]].sort_values("ctr", ignore_index=True)
