"""From Yahoo's answers to the tables of ``tilt.data.schema``.

Yahoo counts everything in today's shares: closes, volumes and dividends of the past are divided by
the splits that came after them. Here they are multiplied back, so that a close is what was traded.

Market caps exist only from the day Yahoo's count of shares outstanding is dated: one list at each
month's end, of the counts dated before it, times the close. Yahoo does not say when a count was
published, only which day it is of. Before its first count a name has no cap. Book value, earnings,
sales and EBITDA of a list are those of the last fiscal year whose statement was out by then
(``REPORTING_LAG``), over the same shares; Yahoo keeps four or five years.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.data.known import OLDEST_FIGURE, OLDEST_STATEMENT, REPORTING_LAG
from tilt.data.schema import KEY_FIGURES, PRICES, SECURITIES, STATEMENTS, Schema
from tilt.data.sources.yahoo_ask import Answer

ITEMS: Mapping[str, str] = MappingProxyType(
    {
        "revenue": "TotalRevenue",
        "cost_of_revenue": "CostOfRevenue",
        "gross_profit": "GrossProfit",
        "operating_income": "OperatingIncome",
        "interest_expense": "InterestExpense",
        "net_income": "NetIncomeCommonStockholders",
        "total_assets": "TotalAssets",
        "current_assets": "CurrentAssets",
        "current_liabilities": "CurrentLiabilities",
        "total_liabilities": "TotalLiabilitiesNetMinorityInterest",
        "total_equity": "StockholdersEquity",
        "long_term_debt": "LongTermDebt",
        "short_term_debt": "CurrentDebt",
        "cash": "CashAndCashEquivalents",
        "operating_cash_flow": "OperatingCashFlow",
        "capital_expenditure": "CapitalExpenditure",
        "depreciation": "DepreciationAndAmortization",
        "research_and_development": "ResearchAndDevelopment",
    }
)
EBITDA = "EBITDA"
OLDEST_CLOSE = 7  # days; a month's end may be a holiday where the name trades
YEAR = 365


def daily(answer: Answer) -> pd.DataFrame:
    """Return close, volume, dividend and split by day, as traded.

    An event of a day without a close counts on the next day with one.
    """
    table = pd.DataFrame(answer.prices, index=pd.DatetimeIndex(answer.days), dtype=float)
    table = table.rename_axis("date").sort_index()
    split = table["split"].where(table["split"] > 0, 1.0)
    later = split[::-1].cumprod()[::-1].shift(-1, fill_value=1.0)  # splits after the day itself
    traded = table["close"].notna()
    number = traded[::-1].cumsum()[::-1]  # the same for a traded day and the others just before it
    return pd.DataFrame(
        {
            "close": table["close"] * later,
            "volume": (table["volume"].fillna(0.0) / later).round(),
            "dividend": table["dividend"].fillna(0.0).groupby(number).transform("sum") * later,
            "split": split.groupby(number).transform("prod"),
        }
    )[traded]


def tables(answers: Mapping[str, Answer], day: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Return the tables of all names, up to and including ``day``.

    Parameters
    ----------
    answers : by ticker, each with prices, all in one currency
    """
    prices = {t: table.loc[:day] for t, table in ((t, daily(a)) for t, a in answers.items())}
    ends = month_ends(
        pd.DatetimeIndex(np.unique(np.concatenate([p.index for p in prices.values()])))
    )
    statements = {ticker: fiscal_years(a) for ticker, a in answers.items()}
    return {
        PRICES.name: _stacked(prices, "ticker", PRICES),
        KEY_FIGURES.name: _stacked(
            {t: figures(a, prices[t], statements[t], ends) for t, a in answers.items()},
            "symbol",
            KEY_FIGURES,
        ),
        STATEMENTS.name: _stacked(statements, "symbol", STATEMENTS),
        SECURITIES.name: pd.DataFrame(
            [
                {
                    "ticker": ticker,
                    "name": answer.profile.get("longName") or answer.profile.get("shortName"),
                    "sector": answer.profile.get("sector"),
                    "industry": answer.profile.get("industry"),
                }
                for ticker, answer in answers.items()
            ],
            columns=SECURITIES.names,
        ),
    }


def _stacked(parts: Mapping[str, pd.DataFrame], key: str, schema: Schema) -> pd.DataFrame:
    some = {ticker: part for ticker, part in parts.items() if not part.empty}
    if not some:
        return pd.DataFrame(columns=schema.names)
    return pd.concat(some, names=[key]).reset_index()


def month_ends(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the last date of each month; of the month that is not over, the last there is."""
    month = dates.to_period("M")
    return dates[np.append(month[1:] != month[:-1], True)]


def fiscal_years(answer: Answer) -> pd.DataFrame:
    """Return the annual statements by period end, in the columns of the schema."""
    table = pd.DataFrame.from_dict(answer.statements, orient="index", dtype=float)
    table.index = pd.DatetimeIndex(table.index, name="period_end")
    named = table.reindex(columns=[*ITEMS.values(), EBITDA]).sort_index()
    named.columns = pd.Index([*ITEMS, "ebitda"])
    return named[named.notna().any(axis=1)].assign(fetched=answer.asked or None)


def same_currency(answer: Answer) -> bool:
    """Return whether the statements are, as far as Yahoo says, in the currency of the prices."""
    return answer.profile.get("financialCurrency", answer.currency) == answer.currency


def figures(
    answer: Answer, prices: pd.DataFrame, statements: pd.DataFrame, ends: pd.DatetimeIndex
) -> pd.DataFrame:
    """Return the key figures of one name by list, from the first count of shares on.

    Parameters
    ----------
    prices, statements : of :func:`daily`, cut at the last day, and :func:`fiscal_years`
    ends : days of the lists
    """
    table = pd.DataFrame(index=ends.rename("date"))
    close = prices["close"].reindex(ends, method="ffill", tolerance=pd.Timedelta(days=OLDEST_CLOSE))
    shares = outstanding(answer, prices, ends)
    table["price"] = close
    table["market_cap"] = shares * close
    if same_currency(answer):
        known = _known(statements, ends)
        table["book_value"] = known["total_equity"] / shares
        table["earnings"] = known["net_income"] / shares
        table["price_to_sales"] = table["market_cap"] / known["revenue"].where(known["revenue"] > 0)
        table["ebitda"] = known["ebitda"]
    table["dividend_yield"] = _dividend_yield(prices, ends)
    table["sector"] = answer.profile.get("sector")
    return table[table["market_cap"].notna()]


def outstanding(answer: Answer, prices: pd.DataFrame, ends: pd.DatetimeIndex) -> "pd.Series[float]":
    """Return the shares known at each day, splits since their count applied; NaN if none are.

    A count is known from the day after its date. Today's count, where there is no older one, is
    known on the last day only.
    """
    growth = prices["split"].cumprod()
    counts = pd.Series(answer.shares, dtype=float)
    counts.index = pd.DatetimeIndex(counts.index)
    counts = counts[counts.index < ends[-1]].sort_index()
    dated = pd.DatetimeIndex(counts.index)
    today = answer.profile.get("sharesOutstanding")
    if counts.empty:
        result = pd.Series(np.nan, index=ends)
        if isinstance(today, int | float) and len(prices):
            result.iloc[-1] = float(today)
        return result
    then = growth.reindex(dated, method="ffill").fillna(1.0)
    of_first_day = pd.Series((counts / then).to_numpy(), index=dated + pd.Timedelta(days=1))
    limit = pd.Timedelta(days=OLDEST_FIGURE)
    carried = of_first_day.reindex(ends, method="ffill", tolerance=limit)
    return carried * growth.reindex(ends, method="ffill").fillna(1.0)


def _known(statements: pd.DataFrame, ends: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the last fiscal year whose statement is out, by list."""
    out = statements.set_axis(statements.index + pd.Timedelta(days=REPORTING_LAG))
    limit = pd.Timedelta(days=OLDEST_STATEMENT - REPORTING_LAG)
    return out.reindex(ends, method="ffill", tolerance=limit)


def _dividend_yield(prices: pd.DataFrame, ends: pd.DatetimeIndex) -> "pd.Series[float]":
    """Return the dividends of the year up to each list over its close; NaN in the first year."""
    growth = prices["split"].cumprod()
    paid = (prices["dividend"] * growth).rolling(f"{YEAR}D").sum() / (prices["close"] * growth)
    whole = prices.index >= prices.index.min() + pd.Timedelta(days=YEAR)
    limit = pd.Timedelta(days=OLDEST_CLOSE)
    return paid.where(whole).reindex(ends, method="ffill", tolerance=limit)
