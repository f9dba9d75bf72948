"""Cut the embedded sample out of vendor files: ``python -m tilt.data.sample.cut FOLDER``.

It parses and selects, and repairs no number: what is wrong in the vendor files is wrong in the
sample too, for the quality checks to find. The same input gives the same bytes.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

FIRST, LAST = "2011-01-03", "2017-06-30"
HERE = Path(__file__).parent
MAX_DECIMALS = 6
STATEMENT_ITEMS = {
    "Total Revenue": "revenue",
    "Cost of Revenue": "cost_of_revenue",
    "Gross Profit": "gross_profit",
    "Operating Income": "operating_income",
    "Interest Expense": "interest_expense",
    "Net Income Applicable to Common Shareholders": "net_income",
    "Total Assets": "total_assets",
    "Total Current Assets": "current_assets",
    "Total Current Liabilities": "current_liabilities",
    "Total Liabilities": "total_liabilities",
    "Total Equity": "total_equity",
    "Long-Term Debt": "long_term_debt",
    "Short-Term Debt / Current Portion of Long-Term Debt": "short_term_debt",
    "Cash and Cash Equivalents": "cash",
    "Net Cash Flow-Operating": "operating_cash_flow",
    "Capital Expenditures": "capital_expenditure",
    "Depreciation": "depreciation",
    "Research and Development": "research_and_development",
}
FIGURES = {
    "snapshot_date": "date",
    "symbol": "symbol",
    "price": "price",
    "book_value": "book_value",
    "earnings_share": "earnings",
    "price_earnings": "price_to_earnings",
    "price_sales": "price_to_sales",
    "price_book": "price_to_book",
    "sector": "sector",
}
SPELLED = {
    "Industries": "Industrials",
    "Telecommunications Services": "Telecommunication Services",
}
# the 2021 list has a sector of 2018; these are its names that no list of 2012 to 2017 holds
SECTOR_2017 = {
    "DISH": "Consumer Discretionary",
    "LYV": "Consumer Discretionary",
    "TMUS": "Telecommunication Services",
    "TTWO": "Information Technology",
    "TWTR": "Information Technology",
}
CUT_SHORT = {"NV": "NVDA"}  # tickers that the price file misspells
UNITS = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def cut(folder: Path, target: Path) -> None:
    """Write the sample's Parquet files into ``target``."""
    prices = pd.read_parquet(folder / "prices.parquet")
    prices["date"] = pd.to_datetime(prices["date"])
    prices["ticker"] = prices["ticker"].replace(CUT_SHORT)
    prices = prices[prices["date"].between(FIRST, LAST)].sort_values(["ticker", "date"])
    _write_prices(prices, target)
    figures = _key_figures(pd.read_csv(folder / "key_figures.csv"))
    _write(figures, target / "key_figures.parquet")
    statements = pd.read_csv(folder / "fundamentals.csv")
    statements["period_end"] = pd.to_datetime(statements["Period Ending"], format="%m/%d/%Y")
    statements = statements.rename(columns={"Ticker Symbol": "symbol", **STATEMENT_ITEMS})
    statements = statements[["symbol", "period_end", *STATEMENT_ITEMS.values()]]
    _write(statements.sort_values(["symbol", "period_end"]), target / "statements.parquet")
    securities = _securities(folder, figures, prices["ticker"].unique())
    _write(securities, target / "securities.parquet")
    index = pd.read_csv(folder / "spx_index.csv", names=["date", "level"], header=0)
    index["date"] = pd.to_datetime(index["date"])
    _write(index[index["date"].between(FIRST, LAST)], target / "index_level.parquet")


def _write_prices(prices: pd.DataFrame, target: Path) -> None:
    """Write closes as a whole number and its count of decimals: exact, and small."""
    tickers = pd.Categorical(prices["ticker"])
    decimals, whole = _scaled(prices["close"].to_numpy())
    table = pa.table(
        {
            "date": pa.array(prices["date"].dt.date, pa.date32()),
            "ticker": pa.DictionaryArray.from_arrays(
                pa.array(tickers.codes.astype("int16")), pa.array(list(tickers.categories))
            ),
            "close": pa.array(whole, pa.int32()),
            "decimals": pa.array(decimals, pa.int8()),
            "volume": pa.array(prices["volume"].to_numpy(), pa.int64()),
        }
    )
    pq.write_table(
        table,
        target / "prices.parquet",
        compression="zstd",
        compression_level=19,
        use_dictionary=["ticker", "decimals"],
        column_encoding={
            "date": "DELTA_BINARY_PACKED",
            "close": "DELTA_BINARY_PACKED",
            "volume": "DELTA_BINARY_PACKED",
        },
    )
    events = prices[(prices["dividend"] != 0) | (prices["split"] != 1)]
    _write(events[["date", "ticker", "dividend", "split"]], target / "events.parquet")


def _scaled(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the fewest decimals (from two) that hold each value exactly, and value x 10**them."""
    decimals = np.full(len(values), MAX_DECIMALS)
    for d in range(MAX_DECIMALS, 1, -1):
        decimals[np.round(values * 10.0**d) / 10.0**d == values] = d
    whole = np.round(values * 10.0**decimals).astype("int64")
    if not np.array_equal(whole / 10.0**decimals, values):
        raise ValueError(f"a close has more than {MAX_DECIMALS} decimals")
    return decimals, whole


def _key_figures(given: pd.DataFrame) -> pd.DataFrame:
    """Return the key figures in whole currency units and fractions; text without a number is null.

    The first list writes capitalizations and EBITDA with a unit (63.802B), the others in billions.
    """
    figures = given[list(FIGURES)].rename(columns=FIGURES)
    figures["date"] = pd.to_datetime(figures["date"])
    billions = pd.to_numeric(given["market_cap"], errors="coerce") * 1e9
    figures["market_cap"] = billions.fillna(given["market_capitalization"].map(_amount))
    figures["ebitda"] = given["ebitda"].map(_amount)
    figures["dividend_yield"] = given["dividend_yield"] / 100
    figures["price_to_book"] = pd.to_numeric(given["price_book"], errors="coerce")
    figures["sector"] = given["sector"].str.strip().replace(SPELLED)
    return figures.sort_values(["date", "symbol"])


def _amount(text: object) -> float:
    """Return the currency units of ``7.569B``; a bare number counts billions."""
    given = str(text).strip()
    unit = UNITS.get(given[-1:].upper(), 0.0)
    number = pd.to_numeric(given[:-1] if unit else given, errors="coerce")
    return float(np.round(number * (unit or 1e9)))


def _securities(folder: Path, figures: pd.DataFrame, tickers: np.ndarray) -> pd.DataFrame:
    """Return name, sector, industry and issuer: of early 2017 where listed then, else of 2021."""
    changes = pd.read_csv(HERE / "symbol_changes.csv")
    renamed = changes[changes["until"].isna()].set_index("symbol")["ticker"]
    listed = pd.read_csv(folder / "securities_2017.csv")
    listed.columns = ["ticker", "name", "sector", "industry", "added", "issuer"]
    listed["ticker"] = listed["ticker"].replace(renamed)
    listed["issuer"] = listed["issuer"].map("{:010d}".format)
    listed = listed[listed["ticker"].isin(tickers)].drop(columns="added")
    later = pd.read_csv(folder / "constituents_2021.csv")
    later.columns = ["ticker", "name", "sector"]
    known = later["ticker"].isin(tickers)  # IR is its own ticker here, and an old symbol of TT
    later["ticker"] = later["ticker"].where(known, later["ticker"].replace(renamed))
    later["sector"] = later["ticker"].map(SECTOR_2017).fillna(later["sector"])
    earlier = figures[figures["sector"].notna()].groupby("symbol")["sector"].last()
    earlier.index = earlier.index.to_series().replace(renamed)
    earlier = earlier[~earlier.index.duplicated()]
    later["sector"] = later["ticker"].map(earlier).fillna(later["sector"])
    later = later[later["ticker"].isin(tickers) & ~later["ticker"].isin(listed["ticker"])]
    both = pd.concat([listed, later], ignore_index=True)
    both["sector"] = both["sector"].replace(SPELLED)
    both["industry"] = both["industry"].str.strip()
    return both.drop_duplicates("ticker").sort_values("ticker")


def _write(table: pd.DataFrame, path: Path) -> None:
    days = {c: table[c].dt.date for c in table.columns if str(table[c].dtype)[:8] == "datetime"}
    arrow = pa.Table.from_pandas(table.assign(**days), preserve_index=False)
    pq.write_table(
        arrow.replace_schema_metadata(None), path, compression="zstd", compression_level=19
    )


if __name__ == "__main__":
    cut(Path(sys.argv[1]), HERE)
