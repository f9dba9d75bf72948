"""What was known about each company at each close: caps, ratios to price, statement ratios.

Nothing is used before it was known. A key figure counts from the list's date; an annual statement
from its filing, or an assumed lag after its period's end; a restatement from its own filing, or the
day it was first seen (``tilt.data.known``). Between figures, shares are carried through splits and
ratios move with the price; a figure older than its limit is dropped.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.data.known import (
    OLDEST_FIGURE,
    OLDEST_STATEMENT,
    REPORTING_LAG,
    YEAR_APART,
    known_from,
)
from tilt.data.quality import PriceReview
from tilt.data.returns import distribution_index, share_growth, values_at
from tilt.data.symbols import priced_tickers

FIGURE_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "book_to_price": "book value of equity / market cap",
        "earnings_to_price": "earnings of the trailing twelve months / market cap",
        "sales_to_price": "sales of the trailing twelve months / market cap",
        "ebitda_to_price": "EBITDA of the trailing twelve months / market cap",
        "dividend_yield": "yearly dividend / price",
    }
)
TOTAL_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "book_value": "book value of equity, currency units",
        "earnings": "earnings of the trailing twelve months, currency units",
        "sales": "sales of the trailing twelve months, currency units",
        "ebitda": "EBITDA of the trailing twelve months, currency units",
    }
)
STATEMENT_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "return_on_equity": "net income / total equity; missing where equity is not positive",
        "gross_profitability": "gross profit / total assets (Novy-Marx 2013); missing for banks",
        "debt_to_equity": "debt / total equity; missing where equity is not positive",
        "debt_to_assets": "debt / total assets",
        "accruals": "(net income - operating cash flow) / total assets",
        "asset_growth": "total assets / total assets a year before - 1",
        "sales_growth": "revenue / revenue a year before - 1",
        "investment_rate": "capital expenditure / total assets",
    }
)
FIELDS: Mapping[str, str] = MappingProxyType({**FIGURE_FIELDS, **TOTAL_FIELDS, **STATEMENT_FIELDS})


def market_caps(figures: pd.DataFrame, prices: PriceReview) -> pd.DataFrame:
    """Return market caps, dates × assets, in the currency of the prices.

    Parameters
    ----------
    figures : usable rows of ``tilt.data.figures``: ticker, known, seen, shares
    prices : checked prices

    Returns
    -------
    shares of the last figure × splits since it was seen × close; NaN before the first figure, more
    than ``OLDEST_FIGURE`` days after the last, and after a split that was not booked
    """
    growth = share_growth(prices.market.split)
    rows = _comparable(figures, prices.broken)
    of_first_day = rows["shares"] / values_at(growth, rows["seen"], rows["ticker"])
    shares = _carried(of_first_day, rows["known"], rows, growth, OLDEST_FIGURE, "date")
    return shares.where(_unbroken(rows, prices.broken)) * growth * prices.market.close


def figure_fields(
    figures: pd.DataFrame, caps: pd.DataFrame, prices: PriceReview
) -> dict[str, pd.DataFrame]:
    """Return the fields of key figures by name, dates × assets.

    A ratio is the figure's own, times the price it came with over today's, splits and spin-offs
    undone. A total is the ratio times the market cap.
    """
    worth = distribution_index(prices.market)
    rows = _comparable(figures, prices.broken)
    unbroken = _unbroken(rows, prices.broken)
    then = values_at(worth, rows["seen"], rows["ticker"])
    fields = {}
    for name in FIGURE_FIELDS:
        given = rows[rows[name].notna()]
        scaled = given[name] * then[given.index]
        carried = _carried(scaled, given["known"], given, worth, OLDEST_FIGURE, "date")
        fields[name] = (carried / worth).where(unbroken)
    for name in TOTAL_FIELDS:
        ratio = "book_to_price" if name == "book_value" else f"{name}_to_price"
        fields[name] = fields[ratio] * caps
    return fields


def statement_fields(
    statements: pd.DataFrame,
    changes: pd.DataFrame,
    like: pd.DataFrame,
    *,
    lag: int = REPORTING_LAG,
) -> dict[str, pd.DataFrame]:
    """Return the fields of annual statements by name, of the labels of ``like``.

    On each date the latest period known by then counts, in its latest version known by then.

    Statements come in one file with the symbols of the day it was made, when the dated changes of
    symbols had happened; so only changes that hold always are applied.
    """
    rows = statements.copy()
    always = changes[changes["until"].isna()]
    rows["ticker"] = priced_tickers(rows["symbol"], rows["period_end"], always)
    rows["known"] = known_from(rows, lag)
    rows = rows[rows["ticker"].isin(like.columns)]
    rows = rows.sort_values(["ticker", "known", "period_end"], kind="stable", ignore_index=True)
    ratios = _statement_ratios(rows)
    latest = rows["period_end"] == rows.groupby("ticker")["period_end"].cummax()
    rows, ratios = rows[latest], ratios[latest]
    fields = {}
    for name in STATEMENT_FIELDS:
        given = rows[ratios[name].notna()]
        values = ratios[name][given.index]
        fields[name] = _carried(values, given["known"], given, like, OLDEST_STATEMENT, "period_end")
    return fields


def _statement_ratios(rows: pd.DataFrame) -> pd.DataFrame:
    assets = rows["total_assets"].where(rows["total_assets"] > 0)
    equity = rows["total_equity"].where(rows["total_equity"] > 0)
    debt = rows["long_term_debt"] + rows["short_term_debt"]
    # where the cost of revenue is nil or gross profit is, as for banks, there is no gross profit
    sold = (rows["cost_of_revenue"] > 0) & (rows["gross_profit"] != 0)
    before = _year_before(rows)[["total_assets", "revenue"]]
    year = before["total_assets"] > 0
    sold_before = before["revenue"] > 0
    return pd.DataFrame(
        {
            "return_on_equity": rows["net_income"] / equity,
            "gross_profitability": rows["gross_profit"].where(sold) / assets,
            "debt_to_equity": debt / equity,
            "debt_to_assets": debt / assets,
            "accruals": (rows["net_income"] - rows["operating_cash_flow"]) / assets,
            "asset_growth": (assets / before["total_assets"] - 1).where(year),
            "sales_growth": (rows["revenue"] / before["revenue"] - 1).where(sold_before),
            # vendors book the outlay as a negative cash flow or as a positive amount
            "investment_rate": rows["capital_expenditure"].abs() / assets,
        }
    )


def _year_before(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the statement of a year before each, as it was known then; missing where none was."""
    each = rows[["ticker", "period_end", "known"]].reset_index(names="row")
    pairs = each.merge(rows, on="ticker", suffixes=("", "_before"))
    days = (pairs["period_end"] - pairs["period_end_before"]).dt.days
    known = pairs["known_before"] <= pairs["known"]
    pairs = pairs[days.between(*YEAR_APART) & known]
    pairs = pairs.sort_values(["row", "period_end_before", "known_before"], kind="stable")
    return pairs.drop_duplicates("row", keep="last").set_index("row").reindex(rows.index)


def membership(members: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Return True where an asset was on the last list at or before the date.

    Parameters
    ----------
    members : date and ticker of every listed company
    like : the frame whose labels the result takes
    """
    lists = pd.DatetimeIndex(np.unique(members["date"]))
    listed = np.zeros((len(lists) + 1, like.shape[1]), dtype=bool)  # row 0: before the first list
    row = lists.get_indexer(pd.DatetimeIndex(members["date"])) + 1
    listed[row, like.columns.get_indexer(pd.Index(members["ticker"]))] = True
    latest = lists.searchsorted(pd.DatetimeIndex(like.index), side="right")
    return pd.DataFrame(listed[latest], index=like.index, columns=like.columns)


def _comparable(figures: pd.DataFrame, broken: pd.DataFrame) -> pd.DataFrame:
    """Return the figures without an unbooked split between being seen and being known."""
    breaks = broken.cumsum().astype(float)
    then = values_at(breaks, figures["seen"], figures["ticker"])
    now = values_at(breaks, figures["known"], figures["ticker"])
    return figures[then == now]


def _unbroken(rows: pd.DataFrame, broken: pd.DataFrame) -> pd.DataFrame:
    """Return where no unbooked split came after the last figure."""
    breaks = broken.cumsum().astype(float)
    count = values_at(breaks, rows["known"], rows["ticker"])
    at_figure = _placed(count, rows["known"], rows["ticker"], broken).ffill()
    return at_figure.isna() | (at_figure == breaks)


def _carried(
    values: "pd.Series[float]",
    known: "pd.Series[pd.Timestamp]",
    rows: pd.DataFrame,
    like: pd.DataFrame,
    oldest: int,
    day: str,
) -> pd.DataFrame:
    """Return the last known value at each date, dropped ``oldest`` days after the row's ``day``."""
    dates = pd.DatetimeIndex(like.index)
    number = rows[day].to_numpy().astype("datetime64[D]").astype(float)
    carried = _placed(values, known, rows["ticker"], like).ffill()
    born = _placed(pd.Series(number, index=rows.index), known, rows["ticker"], like).ffill()
    today = dates.to_numpy().astype("datetime64[D]").astype(float)
    return carried.where(born.rsub(today, axis=0) <= oldest)


def _placed(
    values: "pd.Series[float]",
    known: "pd.Series[pd.Timestamp]",
    tickers: "pd.Series[str]",
    like: pd.DataFrame,
) -> pd.DataFrame:
    """Return a frame of the labels of ``like`` with each value at the first session it is known."""
    table = np.full(like.shape, np.nan)
    row = like.index.searchsorted(pd.DatetimeIndex(known))
    column = like.columns.get_indexer(pd.Index(tickers))
    order = np.argsort(pd.DatetimeIndex(known).to_numpy(), kind="stable")  # the last one stays
    inside = order[row[order] < len(like)]
    table[row[inside], column[inside]] = values.to_numpy(dtype=float)[inside]
    return pd.DataFrame(table, index=like.index, columns=like.columns)
