"""What vendors and people call the columns of the tables that Tilt keeps."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from tilt.data.reading.raw import NoTableError
from tilt.data.schema import (
    INDEX_LEVEL,
    KEY_FIGURES,
    PRICES,
    SECURITIES,
    STATEMENTS,
    SYMBOL_CHANGES,
    Column,
    Schema,
)
from tilt.errors import cut, did_you_mean

EXPOSURES = Schema(
    "exposures",
    "A user's own factors: one row per date, ticker and factor.",
    ("date", "ticker", "factor"),
    (
        Column("date", "date", "day the value was known", needed=True),
        Column("ticker", "text", "symbol of the price file", needed=True),
        Column("factor", "text", "name of the factor", needed=True),
        Column("value", "number", "raw value, not standardized", needed=True),
    ),
)
READ_SCHEMAS: Mapping[str, Schema] = MappingProxyType(
    {
        s.name: s
        for s in (
            PRICES,
            KEY_FIGURES,
            STATEMENTS,
            SECURITIES,
            INDEX_LEVEL,
            SYMBOL_CHANGES,
            EXPOSURES,
        )
    }
)
_DATE = "date|dates|day|trade date|trading day|trading date|price date|pricing date|as of|asof|"
_DATE += "as of date|datetime|timestamp|time|period|datum|valuation date|business date"
_TICKER = "ticker|tickers|symbol|symbols|ticker symbol|security ticker|stock|stock symbol|sym|"
_TICKER += "bloomberg ticker|bbg ticker|ric|instrument|identifier|id|asset|secid|code|name|security"
_SYNONYMS: dict[str, dict[str, str]] = {
    "prices": {
        "date": f"{_DATE}|snapshot date",
        "ticker": _TICKER,
        "close": "close|closing price|close price|price close|px last|pxlast|last|last price|"
        "price|unadjusted close|raw close|close unadjusted|prc|settle|schlusskurs|p",
        "adj_close": "adj close|adjclose|adjusted close|close adj|close adjusted|adjusted price|"
        "adj price|adjusted closing price|total return price|tot return index",
        "volume": "volume|vol|px volume|pxvolume|shares traded|trading volume|share volume|"
        "turnover shares|daily volume|v",
        "dividend": "dividend|dividends|div|cash dividend|ex dividend|dividend amount|divcash|"
        "div cash|eqy dvd cash ex|dvd",
        "split": "split|splits|stock splits|stock split|split factor|split ratio|splitfactor|"
        "split coefficient",
    },
    "key_figures": {
        "date": f"{_DATE}|snapshot date|publication date|published",
        "symbol": _TICKER,
        "price": "price|close|px last|last price|last",
        "market_cap": "market cap|marketcap|market capitalization|market capitalisation|mkt cap|"
        "mktcap|cur mkt cap|cap|mcap|market value",
        "book_value": "book value|book value per share|book value per sh|bvps|book value share",
        "earnings": "earnings|eps|earnings per share|earnings share|trailing eps|trail 12m eps",
        "price_to_earnings": "price to earnings|price earnings|pe|p e|pe ratio|p e ratio|"
        "price earnings ratio",
        "price_to_sales": "price to sales|price sales|ps|p s|ps ratio|px to sales ratio",
        "price_to_book": "price to book|price book|pb|p b|pb ratio|px to book ratio",
        "ebitda": "ebitda|trail 12m ebitda",
        "dividend_yield": "dividend yield|div yield|yield|eqy dvd yld 12m",
        "sector": "sector|gics sector|gics sector name",
    },
    "statements": {
        "symbol": _TICKER,
        "period_end": "period end|period ending|period end date|fiscal period end|fiscal year end|"
        "report period|period|fpe|datadate|report date|latest period end dt full record",
        "filed": "filed|filing date|file date|announcement date|report published|rdq",
        "fetched": "fetched|fetch date|downloaded",
        "revenue": "revenue|total revenue|sales|net sales|revenues|sales rev turn",
        "cost_of_revenue": "cost of revenue|cost of goods sold|cogs|cost of sales",
        "gross_profit": "gross profit|gross income",
        "operating_income": "operating income|ebit|operating profit|is oper inc",
        "interest_expense": "interest expense|is int expense",
        "net_income": "net income applicable to common shareholders|net income to common|"
        "net income common stockholders|net income|net profit",
        "total_assets": "total assets|assets|bs tot asset",
        "current_assets": "current assets|total current assets",
        "current_liabilities": "current liabilities|total current liabilities",
        "total_liabilities": "total liabilities|liabilities|bs tot liab2",
        "total_equity": "total equity|equity|shareholders equity|stockholders equity|"
        "total shareholders equity|total stockholders equity|common equity",
        "long_term_debt": "long term debt|lt debt|bs lt borrow",
        "short_term_debt": "short term debt|st debt|bs st borrow|"
        "short term debt current portion of long term debt",
        "cash": "cash|cash and equivalents|cash and cash equivalents|cash equivalents",
        "operating_cash_flow": "operating cash flow|net cash flow operating|"
        "cash from operations|cfo|cash flow from operations|net cash from operations",
        "capital_expenditure": "capital expenditure|capital expenditures|capex",
        "depreciation": "depreciation|depreciation and amortization|depreciation amortization|d a",
        "research_and_development": "research and development|r d|rd expense|r and d",
    },
    "securities": {
        "ticker": _TICKER.removesuffix("|name|security"),
        "name": "name|security|company|company name|security name|long name|long comp name|"
        "issuer name|description",
        "sector": "sector|gics sector|gics sector name|icb sector|sector name",
        "industry": "industry|gics sub industry|gics industry|gics industry name|sub industry|"
        "industry name|icb industry",
        "country": "country|country of risk|domicile|country of domicile|cntry of risk",
        "currency": "currency|ccy|crncy|trading currency",
        "share_class": "share class|class",
        "exchange": "exchange|mic|exch code|listing exchange|primary exchange",
        "issuer": "issuer|cik|issuer id|company id|gvkey|permco|lei",
        "isin": "isin|id isin|isin code",
        "cusip": "cusip|id cusip",
        "sedol": "sedol|id sedol1",
        "figi": "figi|id bb global|composite figi",
        "listed": "listed|listing date|ipo date|first traded|start date",
        "delisted": "delisted|delisting date|last traded|end date",
    },
    "index_level": {
        "date": _DATE,
        "level": "level|index level|index|index value|sp500|spx|px last",
    },
    "symbol_changes": {
        "symbol": "symbol|old symbol|old ticker",
        "ticker": "ticker|new ticker|new symbol",
        "until": "until|changed|last day",
        "note": "note|why|comment|reason",
    },
    "exposures": {
        "date": _DATE,
        "ticker": _TICKER,
        "factor": "factor|factor name|style|signal|descriptor",
        "value": "value|exposure|score|loading|beta|zscore|z score",
    },
}
_TABLES = {"fundamentals": ("key_figures", "statements")}  # what an import kind may be


def fold(header: str) -> str:
    """Return a header without case, signs and units: ``PX_LAST (USD)`` is px last."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", header)
    bare = re.sub(r"[(\[].*?[)\]]", " ", spaced.casefold())
    return " ".join(re.sub(r"[^0-9a-z]+", " ", bare).split())


def synonyms(table: str, column: str) -> list[str]:
    """Return the folded names of a column, the plainest first; its own among them."""
    names = [n for n in _SYNONYMS.get(table, {}).get(column, "").split("|") if n]
    if fold(column) not in names:
        names = [fold(column), *names]
    return [*dict.fromkeys([*names, *(n.replace(" ", "") for n in names)])]


def match_columns(headers: list[str], schema: Schema) -> dict[str, int]:
    """Return the place of each column of a schema among headers; each header is one column's."""
    folded = [fold(h) for h in headers]
    found: dict[str, int] = {}
    for column in schema.columns:  # names that are spelled as ours come first
        if column.name in headers:
            found[column.name] = headers.index(column.name)
    for column in schema.columns:
        if column.name in found:
            continue
        for name in synonyms(schema.name, column.name):
            at = next(
                (i for i, f in enumerate(folded) if f == name and i not in found.values()), -1
            )
            if at >= 0:
                found[column.name] = at
                break
    return found


def lacking(found: Mapping[str, int], schema: Schema) -> list[str]:
    """Return the needed columns that were not found."""
    return [c.name for c in schema.columns if c.needed and c.name not in found]


def fits(found: Mapping[str, int], schema: Schema) -> bool:
    """Return whether headers are a schema's: all that is needed, and more than the row's name."""
    return not lacking(found, schema) and any(name not in schema.key for name in found)


def names_rows(headers: list[str]) -> bool:
    """Return whether a header is one of dates or tickers: what is below it is meant as a table."""
    keys = {*_DATE.split("|"), *_TICKER.split("|")} - {"name", "time", "code", "id"}
    return any(fold(h) in keys for h in headers)


def candidates(kind: str) -> tuple[str, ...]:
    """Return the tables that an import kind, a table's name or a blank may mean."""
    if not kind:
        return tuple(READ_SCHEMAS)
    return _TABLES.get(kind, (kind,))


def field_table(label: str) -> tuple[str, str] | None:
    """Return the table and column whose values a wide table named ``label`` holds, or None."""
    name = fold(label)
    for schema in (PRICES, KEY_FIGURES):
        for column in schema.columns:
            if column.kind == "number" and name in synonyms(schema.name, column.name):
                return schema.name, column.name
    return None


def field_names() -> list[str]:
    """Return the names that a wide table may have."""
    both = [c.name for s in (PRICES, KEY_FIGURES) for c in s.columns if c.kind == "number"]
    return [*dict.fromkeys(both)]


def missing_column(origin: str, headers: list[str], schema: Schema, column: str) -> NoTableError:
    """Return the error that a needed column is not there, with the nearest there is."""
    near = next(
        (m for n in synonyms(schema.name, column) if (m := did_you_mean(n, headers))),
        "",
    )
    needed = ", ".join(c.name for c in schema.columns if c.needed)
    known = ", ".join(synonyms(schema.name, column)[:4])
    return NoTableError(
        f"{origin} has no column '{column}'.{near} The table '{schema.name}' needs {needed}; "
        f"'{column}' may also be called {known}. Its columns are {cut(', '.join(headers), 120)}."
    )
