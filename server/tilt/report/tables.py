"""What a report is made of: blocks of cells with their formats, their note and their origin."""

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from tilt.report.style import NUMBER_FORMATS, WIDTHS

_TABLE_NAME = re.compile(r"[a-z_]{4,240}(_\d+){0,2}")  # longer than any cell's address
BY_ROW = "by row"  # a column whose rows have units of their own
LONGEST_HEADING = 255  # of a column of an Excel table
_KEY = re.compile(r"[\w ]+")
_IN_FORMULAS = re.compile(r"([\[\]#'])")  # what a table's column has with an apostrophe there
LONGEST_TEXT = 32_767  # Excel's limit for one cell, in units of UTF-16
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")  # what a typed formula begins with
# what XML has no letter for, and the halves of letters that text cut in the wrong place leaves
_UNPRINTED = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_WORDS = {
    "mctr": "MCTR",
    "ctr": "CTR",
    "pct": "Share",
    "nav": "NAV",
    "benchmark_nav": "Benchmark NAV",
    "relative_nav": "Relative NAV",
    "factor_te": "TE from factors",
    "specific_te": "TE from single names",
    "market_te": "TE from the market",
    "sector_te": "TE from sectors",
    "style_te": "TE from styles",
    "var95": "VaR 95 %, one day",
    "cvar95": "CVaR 95 %, one day",
    "r_squared": "Share explained by factors",
    "effective_n": "Effective number of names",
    "cagr": "Annual return",
    "gross_cagr": "Gross annual return",
    "psr": "Probabilistic Sharpe ratio",
    "sharpe_t_hac": "Sharpe ratio, t-value",
    "volatility_period": "Volatility per day",
    "deflated_sharpe": "Deflated Sharpe ratio",
    "trial_sharpe_sd": "Deviation of the trials",
    "expected_best": "Best to expect without skill",
    "least_years": "Years needed",
    "pbo": "Probability of overfitting",
    "pbo_loss": "Loss out of sample",
    "pbo_slope": "Slope out of sample",
    "cv_sharpe": "Cross-validated Sharpe ratio",
    "cv_worst": "Worst cross-validated path",
    "ir": "IR",
    "icir": "ICIR",
    "icir_annual": "ICIR a year",
    "mean_ic": "Mean IC",
    "sd_ic": "Deviation",
    "t_stat": "t-value",
    "t_hac": "t-value",
    "pearson_ic": "Pearson IC",
    "p_value": "p-value",
    "p_value_bh": "p-value, BH",
    "pnl": "Active",
    "portfolio_pnl": "Portfolio",
    "benchmark_pnl": "Benchmark",
    "pct_adv": "Of daily volume",
}


@dataclass(frozen=True)
class Formula:
    """A native Excel formula, without its ``=``, and the value it has at the time of writing."""

    text: str
    value: float | str


@dataclass(frozen=True)
class Link:
    """A cell that jumps to a sheet of the same workbook."""

    sheet: str
    text: str


@dataclass(frozen=True)
class Lineage:
    """Where a block comes from.

    function  : the engine's function, as imported
    arguments : by name, as text a person can type again
    run_id    : of the result, or empty when the function has none
    """

    function: str
    arguments: Mapping[str, str]
    run_id: str = ""


@dataclass(frozen=True)
class Live:
    """A call of the add-in that gives numbers of a table.

    call    : without its ``=``, as it is typed
    columns : the table's by the call's
    key     : the table's column that names the rows; empty if the call's rows are in its order
    of      : the call's column that has those names; the same as ``key`` if empty
    names   : of the rows as the call has them, where the table has words in their place
    rows    : how many rows from the first on the call has; all if None
    """

    call: str
    columns: Mapping[str, str]
    key: str = ""
    of: str = ""
    names: tuple[str, ...] = ()
    rows: int | None = None

    def count(self, block: "Block") -> int:
        """Return how many rows of a table it gives."""
        return len(block.table) if self.rows is None else self.rows


@dataclass(frozen=True, eq=False)
class Block:
    """One table of a sheet.

    key         : the Excel table's name; four lower-case letters or underscores at least,
                  and perhaps a number at its end
    table       : the cells; the index is not written. Text, numbers, dates, ``Formula``, ``Link``
    formats     : by column, a name of ``style.NUMBER_FORMATS``, or ``BY_ROW``; columns left out
                  are text
    row_formats : the format of each row in the columns that go ``BY_ROW``
    totals      : by column, the engine's total; written under the table as a native SUM over it
    bars        : columns drawn with data bars
    widths      : by column, in characters, for text that wraps
    live        : calls of the add-in that give its numbers
    not_live    : why no call, or not all of it, does
    trend       : neighboring columns whose course is drawn beside each row
    """

    key: str
    title: str
    table: pd.DataFrame
    formats: Mapping[str, str] = field(default_factory=dict)
    row_formats: tuple[str, ...] = ()
    totals: Mapping[str, float] = field(default_factory=dict)
    bars: tuple[str, ...] = ()
    widths: Mapping[str, int] = field(default_factory=dict)
    note: str = ""
    lineage: Lineage | None = None
    live: tuple[Live, ...] = ()
    not_live: str = ""
    trend: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _TABLE_NAME.fullmatch(self.key):
            raise ValueError(f"'{self.key}' is no name for an Excel table")
        known = set(self.table.columns)
        for given in (self.formats, self.totals, self.bars, self.widths, self.trend):
            unknown = set(given) - known
            if unknown:
                raise ValueError(f"block '{self.key}' has no column {sorted(unknown)}")
        by_row = BY_ROW in self.formats.values()
        if by_row and len(self.row_formats) != len(self.table):
            raise ValueError(f"block '{self.key}' needs one row format per row")
        for name in {*self.formats.values(), *self.row_formats} - {BY_ROW}:
            if name not in NUMBER_FORMATS:
                raise ValueError(f"no number format '{name}'")

    def number_format(self, row: int, column: str) -> str:
        """Return the format's name of one cell; ``row`` counts from 0."""
        name = self.formats.get(column, "text")
        return self.row_formats[row] if name == BY_ROW else name

    def ref(self, column: str) -> str:
        """Return the structured reference of a column, for formulas anywhere in the workbook."""
        if column not in self.table.columns:
            raise ValueError(f"block '{self.key}' has no column '{column}'")
        escaped = _IN_FORMULAS.sub(r"'\1", header(column))
        return f"{self.key}[{escaped}]"

    def width(self, column: str) -> int:
        """Return the width in characters that shows the whole column."""
        if column in self.widths:
            return self.widths[column]
        heading = len(header(column)) + 3  # the filter's arrow
        if column in self.formats:
            narrowest = 16 if column in self.bars else WIDTHS.get(self.formats[column], 9)
            return max(heading, narrowest)
        longest = max((len(shown(v)) for v in self.table[column]), default=0)
        return max(heading, longest + 2)

    def lines(self, row: int) -> int:
        """Return how many lines the wrapped text of a row takes."""
        lengths = {c: len(shown(self.table[c].iloc[row])) for c in self.widths}
        return max((math.ceil(n / self.widths[c] / 1.15) for c, n in lengths.items()), default=1)

    def follows_number(self, column: str) -> bool:
        """Return True for text right of a number, or of text that fills its column."""
        names = list(self.table.columns)
        if column in self.formats or column == names[0]:
            return False
        before = names[names.index(column) - 1]
        return before in self.formats or before in self.widths

    def stands_left(self, column: str) -> bool:
        """Return True for text, and for the dates or numbers that name the rows."""
        return column not in self.formats or (
            column == self.table.columns[0] and self.formats[column] in {"date", "count"}
        )


def number_at(table: pd.DataFrame, row: str, column: str) -> float:
    """Return the number in the row whose first cell is ``row``."""
    found = table.loc[table.iloc[:, 0] == row, column]
    return float(found.iloc[0])


def header(column: str) -> str:
    """Return a key in words: the column ``shadow_price`` is headed ``Shadow price``."""
    if not _KEY.fullmatch(column):  # a name that a person gave, or an expression
        return column[:LONGEST_HEADING]
    words = _WORDS.get(column, column.replace("_", " "))
    return words[:1].upper() + words[1:LONGEST_HEADING]


def in_words(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the table with the keys of a column in words."""
    return table.assign(**{column: [header(str(key)) for key in table[column]]})


def shown(value: object) -> str:
    """Return roughly the text a cell shows, to measure its width."""
    if isinstance(value, Link):
        return value.text
    if isinstance(value, Formula):
        return str(value.value)
    return str(value)


def clean_text(text: str) -> str:
    """Return text that a cell can hold: no control characters, and cut at Excel's limit."""
    kept = _UNPRINTED.sub(" ", text)
    if kept.startswith("<r>") and kept.endswith("</r>"):
        kept += " "  # else XlsxWriter takes it for the XML of a text in several fonts
    return kept if 2 * len(kept) <= LONGEST_TEXT else _cut(kept)


def _cut(text: str) -> str:
    units = text.encode("utf-16-le")
    if len(units) <= 2 * LONGEST_TEXT:
        return text
    return units[: 2 * (LONGEST_TEXT - 1)].decode("utf-16-le", errors="ignore") + "…"


class _Exact(float):
    """A number that prints all its digits: the writer's own format drops the seventeenth."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


def starts_like_formula(text: str) -> bool:
    """Return True for text that a spreadsheet would take for a formula if it were typed."""
    return text.startswith(FORMULA_SIGNS)


def write_cell(sheet: Worksheet, row: int, column: int, value: object, style: Format) -> None:
    """Write one value by its own type: text stays text, whatever it begins with.

    A missing value is a blank cell. Only ``Formula`` becomes a formula.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or value is pd.NA:
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, Formula):
        sheet.write_formula(row, column, f"={value.text}", style, value.value)
    elif isinstance(value, Link):
        target = value.sheet.replace("'", "''")
        sheet.write_url(row, column, f"internal:'{target}'!A1", style, clean_text(value.text))
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value, style)
    elif isinstance(value, str):
        sheet.write_string(row, column, clean_text(value), style)
    elif isinstance(value, dt.datetime | dt.date):
        sheet.write_datetime(row, column, value, style)
    elif isinstance(value, int | float):
        if math.isfinite(value):
            sheet.write_number(row, column, _Exact(value), style)
        else:
            sheet.write_blank(row, column, None, style)
    else:
        raise TypeError(f"a cell cannot hold a {type(value).__name__}")
