"""What the marked tables say: holdings, rules, settings; an example where there are none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

import pandas as pd
import xlwings as xw

from custom_scripts import _sheets as sheets
from custom_scripts._sheets import Output
from tilt.api import backtest_views
from tilt.api.books import Book, open_book
from tilt.api.configured import OPTION
from tilt.api.state import State
from tilt.api.values import Grid
from tilt.errors import ArgumentError, DataError, UnknownNameError, did_you_mean
from tilt.frames import Panel
from tilt.optimize.solve import OPTIONS
from tilt.portfolio.cells import is_blank, is_error

INPUTS = "Tilt Inputs"
HOLDINGS, CONSTRAINTS, SETTINGS = "TiltHoldings", "TiltConstraints", "TiltSettings"
SAMPLE = "SAMPLE"
OBJECTIVE = "min_te"
KEYS: Mapping[str, str] = {
    "portfolio": "the name that Load reads and Save writes",
    "compare_with": "of Compare: a saved portfolio or a universe; left out: the saved holdings",
    "benchmark": "a saved portfolio, a universe, or NONE; left out: the universe by market cap",
    "date": "of holdings, exposures and risk; left out: the last with data",
    "universe": "left out: the default one",
    "objective": "of Optimize: min_te, min_risk, max_return, ..., or a sum such as return - 4*risk",
    "alpha": "a factor, whose scores are taken for expected returns; or TiltAlpha, a table of them",
    "factor": "of Pure factor: a factor, a field or an expression; left out: the first style",
    "exposure": "of Pure factor: that the investable portfolio strives for, 1 unless given",
    "long_only": "of Pure factor: no lets the investable portfolio be short",
    "max_weight": "of Pure factor: of a name in the investable portfolio, 0.05 unless given",
    "max_turnover": "of Pure factor: from the benchmark, one way; no limit unless given",
    "fund": "of What-if: cash pays for the trades, or prorata what is not traded",
    "strategy": "of Backtest: equal_weight, quantile:Momentum:5:5, ...; left out: the holdings",
    "start": "of Backtest and Attribution; left out, Attribution begins a month ago",
    "end": "of Backtest and Attribution; left out: the last with data",
    "rebalance": "of Backtest: M, D, W, Q, Y or drift:0.05",
    "attribute": "of Attribution: holdings (default), strategy: that of Backtest, or a run id",
    "by": "of Attribution: sector (default), industry or a column of the holdings",
    "link": "of Attribution: carino (default), menchero, grap or frongello",
    "interaction": "of Attribution: show (default), or merge it into selection",
    "report": "of Export report: portfolio (default), optimization, attribution, month_end, ...",
    **OPTIONS,
    **backtest_views.OPTIONS,
    **OPTION,
}
EXAMPLE_RULES: Grid = [
    ["weight", "*", 0.0, 0.05, "no", "hard"],
    ["sector", "*", -0.03, 0.03, "yes", "hard"],
    ["turnover", "", None, 0.2, "no", "hard"],
]
RULE_COLUMNS = ["rule", "who", "min", "max", "relative", "priority"]
EXAMPLE_SETTINGS: Grid = [["objective", OBJECTIVE], ["benchmark", ""], ["strategy", ""]]


@dataclass(frozen=True, eq=False)
class Marked:
    """The marked tables of a workbook.

    said : what had to be made because it was not there; a sentence, or empty
    """

    holdings: Grid
    constraints: Grid | None
    settings: Mapping[str, object]
    said: str = ""

    @property
    def long_short(self) -> bool:
        word = str(self.settings.get("long_short", "no")).strip().casefold()
        return word in {"yes", "true", "on", "1", "1.0"}

    def text(self, key: str, default: str) -> str:
        """Return a setting as text."""
        value = self.settings.get(key)
        return default if value is None else str(value).strip()

    def cell(self, key: str) -> Grid | None:
        """Return a setting as the range of one cell, None if it is left out."""
        value = self.settings.get(key)
        return None if value is None else [[value]]

    def options(self, known: Iterable[str]) -> dict[str, object]:
        """Return the settings of the given names that are there."""
        return {key: self.settings[key] for key in known if key in self.settings}

    @property
    def universe(self) -> str | None:
        value = self.settings.get("universe")
        return None if value is None else str(value)

    def open(self, state: State) -> Book:
        """Return the holdings with benchmark, date and risk model."""
        return open_book(
            state,
            self.holdings,
            self.cell("benchmark"),
            self.settings.get("date"),
            self.universe,
            long_short=self.long_short,
        )


def read_marked(book: xw.Book, state: State) -> Marked:
    """Return what the marked tables say; without holdings, write an example and return that."""
    settings = read_settings(book)
    holdings = sheets.read_table(book, HOLDINGS)
    constraints = sheets.read_table(book, CONSTRAINTS) or _from_pane(book, "rules")
    if holdings is not None:
        return Marked(holdings, constraints, settings)
    example = example_tables(state)
    missing = [t for t in example if sheets.read_table(book, t.name) is None]
    sheets.write_sheet(
        book,
        INPUTS,
        ["Tilt inputs", "Change these tables, then press the button again."],
        missing,
    )
    frame = example[0].frame
    return Marked(
        [[str(c) for c in frame.columns], *frame.to_numpy().tolist()],
        constraints or [[*RULE_COLUMNS], *EXAMPLE_RULES],
        settings,
        said=f"There was no table {HOLDINGS}: an example stands on the sheet {INPUTS}.",
    )


def read_settings(book: xw.Book) -> dict[str, object]:
    """Return keys and values of the settings table, and of the pane where the table has none.

    Raises
    ------
    ArgumentError
        If a key is not known or comes twice, or the table has not two columns.
    DataError
        If a cell is an error.
    """
    table = sheets.read_table(book, SETTINGS) or []
    chosen = _pairs(_from_pane(book, "settings") or [], "The pane's settings")
    return {**chosen, **_pairs(table, SETTINGS)}


def _pairs(cells: Grid, where: str) -> dict[str, object]:
    if cells and len(cells[0]) != 2:
        raise ArgumentError(f"{where} must have two columns, key and value.")
    settings: dict[str, object] = {}
    for row, (key, value) in enumerate(cells, start=1):
        if is_error(key) or is_error(value):
            raise DataError(f"{where} row {row} is {value if is_error(value) else key}.")
        name = "" if is_blank(key) else str(key).strip().casefold().replace(" ", "_")
        if not name or is_blank(value) or (row == 1 and name == "key"):
            continue
        if name not in KEYS:
            raise ArgumentError(
                f"{where} has no key '{key}'.{did_you_mean(name, KEYS)} It stands in row {row}. "
                f"The keys are {', '.join(KEYS)}."
            )
        if name in settings:
            raise ArgumentError(f"{where} row {row}: '{name}' is given twice. Keep one.")
        settings[name] = value
    return settings


def _from_pane(book: xw.Book, name: str) -> Grid | None:
    """Return rows that the pane sent with the workbook, None if there are none.

    Raises
    ------
    ArgumentError
        If they are no rows of plain values.
    """
    sent = book.impl.api["book"].get("tilt") or {}
    rows = sent.get(name) if isinstance(sent, dict) else None
    if not rows:
        return None
    if not isinstance(rows, list) or not all(
        isinstance(row, list) and len(row) == len(rows[0]) for row in rows
    ):
        raise ArgumentError(f"The {name} of the pane are no table. Set them again in the pane.")
    if any(isinstance(v, list | dict) for row in rows for v in row):
        raise ArgumentError(f"The {name} of the pane hold no plain values. Set them again.")
    return [[None if v == "" else v for v in row] for row in rows]


def example_tables(state: State) -> list[Output]:
    """Return holdings, rules and settings to start from."""
    holdings = example_holdings(state, state.panel(None))
    return [
        Output(HOLDINGS, holdings, percent=("weight",)),
        Output(CONSTRAINTS, pd.DataFrame(EXAMPLE_RULES, columns=RULE_COLUMNS)),
        Output(SETTINGS, pd.DataFrame(EXAMPLE_SETTINGS, columns=["key", "value"])),
    ]


def example_holdings(state: State, panel: Panel) -> pd.DataFrame:
    """Return the sample portfolio, or the ten largest names where it is not saved."""
    try:
        weights = state.store.portfolio(SAMPLE)
    except UnknownNameError:
        weights = panel.cap_weights(panel.as_of).nlargest(10)
        weights = weights / weights.sum()
    return as_table(weights)


def as_table(weights: "pd.Series[float]") -> pd.DataFrame:
    """Return weights as the columns of a table of holdings."""
    return pd.DataFrame({"ticker": weights.index.to_numpy(), "weight": weights.to_numpy()})


def portfolio_name(book: xw.Book, settings: Mapping[str, object]) -> str:
    """Return the name of the settings, or that of the workbook."""
    given = settings.get("portfolio")
    return PurePath(book.name).stem if given is None else str(given).strip()


def origin(book: Book, run_id: str = "") -> str:
    """Return the line that says which data a result rests on."""
    run = f", run {run_id}" if run_id else ""
    return f"As of {book.date:%Y-%m-%d}, {book.panel.universe}, snapshot {book.panel.snapshot}{run}"


def sentences(*parts: str) -> str:
    """Return sentences in one line, the empty ones left out."""
    return " ".join(p for p in parts if p)


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, in the plural unless it is one."""
    return f"{number:,} {noun}" if number == 1 or noun == "fixed" else f"{number:,} {noun}s"
