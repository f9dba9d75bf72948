"""The tables that data arrives in, checked at the door.

Every source, the embedded sample as much as a user's folder, delivers tables of these columns. A
table that does not fit is refused with the file, the row and the column; a value that fits but
looks wrong is not refused: it becomes a finding (``tilt.data.quality``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from tilt.errors import DataError, did_you_mean

Kind = Literal["date", "text", "number"]


@dataclass(frozen=True)
class Column:
    """One column of a table: what it holds, and whether each row must have a value."""

    name: str
    kind: Kind
    description: str
    needed: bool = False


@dataclass(frozen=True)
class Schema:
    """One table: its columns, and those that together name a row.

    repeats : whether rows of one key are let through, for the quality checks to judge
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    repeats: bool = False

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.columns]


def _table(
    name: str, description: str, key: str, *columns: Column, repeats: bool = False
) -> Schema:
    return Schema(name, description, tuple(key.split()), columns, repeats)


_TICKER = Column("ticker", "text", "symbol of the price file", needed=True)

PRICES = _table(
    "prices",
    "One row per ticker and trading day.",
    "date ticker",
    Column("date", "date", "trading day", needed=True),
    _TICKER,
    Column("close", "number", "closing price as traded, not adjusted", needed=True),
    Column("volume", "number", "shares traded"),
    Column("dividend", "number", "cash per share of that day's shares, on the ex-date"),
    Column("split", "number", "new shares for one old share, on the effective day; 1 if none"),
    Column("adj_close", "number", "close that the source adjusted for every split and dividend"),
    repeats=True,
)

KEY_FIGURES = _table(
    "key_figures",
    "What was published about each member of the universe, on the day it was published.",
    "date symbol",
    Column("date", "date", "day of publication; the list is the membership from then", needed=True),
    Column("symbol", "text", "symbol of that day", needed=True),
    Column("price", "number", "price the figures go with"),
    Column("market_cap", "number", "market capitalization, currency units"),
    Column("book_value", "number", "book value of equity per share"),
    Column("earnings", "number", "earnings of the trailing twelve months per share"),
    Column("price_to_earnings", "number", "price over earnings"),
    Column("price_to_sales", "number", "price over sales"),
    Column("price_to_book", "number", "price over book value"),
    Column("ebitda", "number", "earnings before interest, tax, depreciation, currency units"),
    Column("dividend_yield", "number", "yearly dividend over price, a fraction"),
    Column("sector", "text", "sector, as published"),
)

STATEMENTS = _table(
    "statements",
    "Annual statements, each version of a period a row. Amounts in currency units.",
    "symbol period_end filed fetched",
    Column("symbol", "text", "symbol when the file was made", needed=True),
    Column("period_end", "date", "last day of the fiscal year", needed=True),
    Column("filed", "date", "day of the filing; blank: assumed to be a lag after the period's end"),
    Column("fetched", "date", "day on which Tilt first saw this version"),
    Column("revenue", "number", "total revenue"),
    Column("cost_of_revenue", "number", "cost of revenue"),
    Column("gross_profit", "number", "gross profit"),
    Column("operating_income", "number", "operating income"),
    Column("interest_expense", "number", "interest expense"),
    Column("net_income", "number", "net income for common shareholders"),
    Column("total_assets", "number", "total assets"),
    Column("current_assets", "number", "total current assets"),
    Column("current_liabilities", "number", "total current liabilities"),
    Column("total_liabilities", "number", "total liabilities"),
    Column("total_equity", "number", "total equity"),
    Column("long_term_debt", "number", "long-term debt"),
    Column("short_term_debt", "number", "short-term debt and the current part of long-term debt"),
    Column("cash", "number", "cash and equivalents"),
    Column("operating_cash_flow", "number", "net cash flow from operations"),
    Column("capital_expenditure", "number", "capital expenditure, negative when cash goes out"),
    Column("depreciation", "number", "depreciation and amortization"),
    Column("research_and_development", "number", "research and development expense"),
)

SECURITIES = _table(
    "securities",
    "Names, classes and codes of the priced tickers.",
    "ticker",
    _TICKER,
    Column("name", "text", "name of the company"),
    Column("sector", "text", "sector"),
    Column("industry", "text", "industry"),
    Column("issuer", "text", "the same for all share classes of a company, such as its CIK"),
    Column("country", "text", "country of the company, such as US"),
    Column("currency", "text", "currency of the price, such as USD"),
    Column("share_class", "text", "class of the share, such as A"),
    Column("exchange", "text", "exchange of the price: its MIC, such as XNYS"),
    Column("isin", "text", "ISIN; its check digit is verified"),
    Column("cusip", "text", "CUSIP, nine signs; its check digit is verified"),
    Column("sedol", "text", "SEDOL; its check digit is verified"),
    Column("figi", "text", "FIGI; its check digit is verified"),
    Column("free_float", "number", "part of the shares that trade freely, a fraction"),
    Column("listed", "date", "first day of trading"),
    Column("delisted", "date", "last day of trading; blank: still listed"),
)

INDEX_LEVEL = _table(
    "index_level",
    "Level of a published index beside the universe.",
    "date",
    Column("date", "date", "trading day", needed=True),
    Column("level", "number", "index level", needed=True),
)

SYMBOL_CHANGES = _table(
    "symbol_changes",
    "Symbols of the day that the price file knows by another ticker.",
    "symbol until",
    Column("symbol", "text", "symbol of the day", needed=True),
    Column("ticker", "text", "its ticker in the price file; blank: the company is not priced"),
    Column("until", "date", "last day the symbol meant this company; blank: always"),
    Column("note", "text", "why"),
)

SCHEMAS: Mapping[str, Schema] = MappingProxyType(
    {s.name: s for s in (PRICES, KEY_FIGURES, STATEMENTS, SECURITIES, INDEX_LEVEL, SYMBOL_CHANGES)}
)
NOT_NUMBERS = ("nan", "na", "n/a", "null", "none", "-", "")


def empty(schema: Schema) -> pd.DataFrame:
    """Return the table without rows, as :func:`check_table` would return it."""
    return check_table(pd.DataFrame(columns=schema.names), schema, origin=schema.name)


def check_table(table: pd.DataFrame, schema: Schema, *, origin: str) -> pd.DataFrame:
    """Return ``table`` with exactly the schema's columns, typed, ordered by its key.

    Parameters
    ----------
    table : any frame; columns beyond the schema are left out, optional ones may be missing
    origin : the file's name, for the messages; rows are counted as a spreadsheet shows them, the
        header being row 1

    Raises
    ------
    DataError
        If a needed column or value is missing, a value is not what its column holds, or two rows
        have the same key in a table that does not let them through.
    """
    needed = [c.name for c in schema.columns if c.needed]
    missing = [n for n in needed if n not in table.columns]
    if missing:
        near = did_you_mean(missing[0], [str(c) for c in table.columns])
        raise DataError(
            f"{origin} has no column '{missing[0]}'.{near} "
            f"The table '{schema.name}' needs {', '.join(needed)}."
        )
    columns = {c.name: _typed(table, c, origin) for c in schema.columns}
    typed = pd.DataFrame(columns, index=pd.RangeIndex(len(table)))
    twice = typed.duplicated(list(schema.key)).to_numpy()
    if twice.any() and not schema.repeats:
        row = int(np.flatnonzero(twice)[0])
        named = ", ".join(_shown(typed[k].iloc[row]) for k in schema.key)
        raise DataError(
            f"{origin} row {row + 2}: {' and '.join(schema.key)} ({named}) are there already. "
            "Keep one of the rows."
        )
    return typed.sort_values(list(schema.key), kind="stable", ignore_index=True)


def _shown(value: object) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)


def _typed(table: pd.DataFrame, column: Column, origin: str) -> "np.ndarray | pd.Series[str]":
    rows = pd.RangeIndex(len(table))
    if column.name not in table.columns:
        kinds = {"date": "datetime64[us]", "number": "float64", "text": "str"}
        return pd.Series(None, index=rows, dtype=kinds[column.kind])
    given = table[column.name].set_axis(rows)
    what = {"date": "a date such as 2017-06-30", "number": "a number", "text": "a text"}
    values: np.ndarray | pd.Series[str]
    if column.kind == "text":
        values = given.astype("str").str.strip().where(given.notna())
        values = values.mask(values == "")
        bad = np.zeros(len(given), dtype=bool)
    else:
        values, bad = _dates(given) if column.kind == "date" else _numbers(given)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"{origin} row {row + 2}: {column.name} is '{given.iloc[row]}', "
            f"not {what[column.kind]}."
        )
    missing = np.asarray(pd.isna(values))
    if column.needed and missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise DataError(
            f"{origin} row {row + 2}: {column.name} is missing. It must be {what[column.kind]}."
        )
    return values


def _dates(given: "pd.Series[str]") -> tuple[np.ndarray, np.ndarray]:
    """Return days without a time, and where the text or value is no date."""
    if pd.api.types.is_datetime64_any_dtype(given):
        days = pd.DatetimeIndex(given).tz_localize(None).normalize()
        return days.as_unit("us").to_numpy(), np.zeros(len(given), dtype=bool)
    if pd.api.types.is_numeric_dtype(given):  # a number is no date, whatever its unit might be
        return np.full(len(given), np.datetime64("NaT", "us")), given.notna().to_numpy()
    blank = (given.isna() | (given.astype("str").str.strip() == "")).to_numpy()
    parsed = pd.to_datetime(given.where(~blank), format="ISO8601", errors="coerce")
    days = pd.DatetimeIndex(parsed).normalize().as_unit("us")
    return days.to_numpy(), np.asarray(days.isna()) & ~blank


def _numbers(given: "pd.Series[str]") -> tuple[np.ndarray, np.ndarray]:
    """Return floats, and where the text is no number or the number is infinite."""
    if pd.api.types.is_numeric_dtype(given):
        plain = given.to_numpy(dtype="float64", na_value=np.nan)
        return plain, np.isinf(plain)
    text = given.astype("str").str.strip().str.lower()
    blank = (given.isna() | text.isin(NOT_NUMBERS)).to_numpy()
    values = pd.to_numeric(text.where(~blank), errors="coerce").to_numpy(dtype="float64")
    return values, (np.isnan(values) & ~blank) | np.isinf(values)
