"""From Bloomberg's answers to the tables of ``tilt.data.schema``.

Closes, volumes and market caps are as they were on the day: nothing is adjusted. Splits are the
factors that Bloomberg applies to prices and volumes. A dividend is the amount of its history per
share of its day; Bloomberg may have it per share of today, and which of the two it is is decided by
the factor that Bloomberg itself applies to prices for it: one less the dividend over the close
before. Amounts of statements and market caps come in millions.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.data.known import OLDEST_STATEMENT, known_from
from tilt.data.schema import KEY_FIGURES, PRICES, SECURITIES, STATEMENTS
from tilt.data.sources.kept import Gap
from tilt.data.sources.yahoo_tables import month_ends

MILLION = 1e6
PRICE_FIELDS = ("PX_LAST", "PX_VOLUME", "CUR_MKT_CAP")
PROFILE: Mapping[str, str] = MappingProxyType(
    {
        "name": "LONG_COMP_NAME",
        "sector": "GICS_SECTOR_NAME",
        "industry": "GICS_INDUSTRY_NAME",
        "issuer": "ID_BB_COMPANY",
        "country": "CNTRY_ISSUE_ISO",
        "currency": "CRNCY",
        "exchange": "ID_MIC_PRIM_EXCH",
        "isin": "ID_ISIN",
        "cusip": "ID_CUSIP",
        "sedol": "ID_SEDOL1",
        "figi": "ID_BB_GLOBAL",
        "listed": "LISTING_DATE",
        "delisted": "INACTIVE_DATE",
    }
)
STATEMENT_CURRENCY = "EQY_FUND_CRNCY"
ANNOUNCED = "ANNOUNCEMENT_DT"
ITEMS: Mapping[str, str] = MappingProxyType(
    {
        "revenue": "SALES_REV_TURN",
        "cost_of_revenue": "IS_COGS_TO_FE_AND_PP_AND_G",
        "gross_profit": "GROSS_PROFIT",
        "operating_income": "IS_OPER_INC",
        "interest_expense": "IS_INT_EXPENSE",
        "net_income": "EARN_FOR_COMMON",
        "total_assets": "BS_TOT_ASSET",
        "current_assets": "BS_CUR_ASSET_REPORT",
        "current_liabilities": "BS_CUR_LIAB",
        "total_liabilities": "BS_TOT_LIAB2",
        "total_equity": "TOT_COMMON_EQY",
        "long_term_debt": "BS_LT_BORROW",
        "short_term_debt": "BS_ST_BORROW",
        "cash": "BS_CASH_NEAR_CASH_ITEM",
        "operating_cash_flow": "CF_CASH_FROM_OPER",
        "capital_expenditure": "CAPITAL_EXPEND",
        "depreciation": "CF_DEPR_AMORT",
        "research_and_development": "IS_RD_EXPEND",
    }
)
EBITDA = "EBITDA"
DIVIDENDS, FACTORS = "DVD_HIST_ALL", "EQY_DVD_ADJUST_FACT"
CASH = ("cash", "interim", "final", "income", "cap gain", "capital")  # in the dividend's type
DIVIDE, MULTIPLY = 1, 2  # of a price; the opposite of a volume
PRICE_ONLY, PRICE_AND_VOLUME = 1, 3
OFF = 0.2  # a dividend further than this from the factor of its day is said


@dataclass(frozen=True)
class Answer:
    """What Bloomberg says of one security on one day; days are ISO texts.

    history    : a row for each day: date, and ``PRICE_FIELDS`` that have a value
    statements : a row for each fiscal year: date (its last day), and items that have a value
    profile    : by field of Bloomberg
    dividends, factors : rows of the bulk fields
    gaps       : by part, why it is missing
    asked      : day on which it was asked
    restated   : how the history differs from that of an earlier answer, in words
    """

    security: str
    history: list[dict[str, str | float]] = field(default_factory=list)
    statements: list[dict[str, str | float]] = field(default_factory=list)
    profile: dict[str, str | float] = field(default_factory=dict)
    dividends: list[dict[str, str | float]] = field(default_factory=list)
    factors: list[dict[str, str | float]] = field(default_factory=list)
    gaps: dict[str, Gap] = field(default_factory=dict)
    asked: str = ""
    restated: str = ""

    @property
    def final(self) -> bool:
        """Whether asking again on the same day would give the same."""
        return all(gap.final for gap in self.gaps.values())

    @property
    def currency(self) -> str:
        return str(self.profile.get("CRNCY") or "")

    @property
    def same_currency(self) -> bool:
        """Whether the statements are, as far as Bloomberg says, in the currency of the prices."""
        return self.profile.get(STATEMENT_CURRENCY, self.currency) == self.currency


def number(value: object) -> float:
    """Return a value as a number; NaN if it is none."""
    try:
        return float(str(value))
    except ValueError:
        return np.nan


def day_of(value: object) -> pd.Timestamp | None:
    """Return a day from a date, an ISO text or a number such as 20240131; None if it is none."""
    text = str(value).strip()
    if text.endswith(".0"):
        text = text[:-2]
    try:
        return pd.Timestamp(dt.date.fromisoformat(text[:10]))
    except ValueError:
        return None


def daily(answer: Answer) -> tuple[pd.DataFrame, list[str]]:
    """Return close, volume, cap, dividend and split by day, and what is odd, in words.

    An event of a day without a close counts on the next day with one.
    """
    rows = pd.DataFrame(answer.history)
    days = pd.DatetimeIndex([day_of(d) for d in rows["date"]], name="date")
    columns = [[number(v) for v in rows[f]] if f in rows else np.nan for f in PRICE_FIELDS]
    table = pd.DataFrame(
        dict(zip(("close", "volume", "cap"), columns, strict=True)), index=days, dtype=float
    ).sort_index()
    table = table[table["close"].notna()]
    table["volume"] = table["volume"].fillna(0.0)
    table["cap"] *= MILLION
    table["split"], odd = _splits(answer.factors, table.index)
    table["dividend"], more = _dividends(answer, table)
    return table, odd + more


def _splits(
    factors: Sequence[Mapping[str, object]], days: pd.Index
) -> tuple[np.ndarray, list[str]]:
    """Return new shares for one old share by day; 1 where there is no split."""
    split = np.ones(len(days))
    odd: list[str] = []
    for row in factors:
        day, kind = day_of(row.get("Adjustment Date")), number(row.get(_OPERATOR))
        flag, factor = number(row.get(_FLAG)), number(row.get(_FACTOR))
        at = len(days) if day is None else int(days.searchsorted(day))
        if at == 0 or at == len(days) or not factor > 0:
            continue  # before the first day, where it changes nothing, or to come
        if flag == PRICE_AND_VOLUME and kind in {DIVIDE, MULTIPLY}:
            split[at] *= factor if kind == DIVIDE else 1.0 / factor
        elif not (flag == PRICE_ONLY and kind == MULTIPLY and factor < 1):
            odd.append(
                f"an adjustment of {factor:g} (operator {kind:g}, flag {flag:g}) on {day:%F}"
            )
    return split, odd


_OPERATOR, _FLAG = "Adjustment Factor Operator Type", "Adjustment Factor Flag"
_FACTOR = "Adjustment Factor"


def _dividends(answer: Answer, table: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Return the cash of each day's shares, and what is not cash or does not fit its factor."""
    days = table.index
    later = table["split"][::-1].cumprod()[::-1].to_numpy()  # of the day itself and after
    paid = np.zeros(len(days))
    odd: list[str] = []
    implied = _implied(answer.factors, table)
    for day, amounts in _cash(answer.dividends, odd).items():
        at = int(days.searchsorted(day))
        if at == 0 or at == len(days):
            continue
        amount = sum(amounts)
        after = later[at + 1] if at + 1 < len(days) else 1.0
        either = amount, amount * after
        expected = implied.get(day, np.nan)
        if np.isnan(expected):  # Bloomberg's history is per share of today
            paid[at] += either[1]
            continue
        best = min(either, key=lambda given: abs(np.log(given / expected)))
        if abs(best / expected - 1) > OFF:
            odd.append(
                f"a dividend of {amount:g} on {day:%F} where its factor means {expected:.4g}"
            )
        paid[at] += best
    return paid, odd


def _implied(
    factors: Sequence[Mapping[str, object]], table: pd.DataFrame
) -> dict[pd.Timestamp, float]:
    """Return the dividend that the price factors of a day mean: what they take off the close."""
    left: dict[pd.Timestamp, float] = {}
    for row in factors:
        day, factor = day_of(row.get("Adjustment Date")), number(row.get(_FACTOR))
        takes = number(row.get(_FLAG)) == PRICE_ONLY and number(row.get(_OPERATOR)) == MULTIPLY
        if day is not None and takes and 0 < factor < 1:
            left[day] = left.get(day, 1.0) * factor
    close, split = table["close"].to_numpy(), table["split"].to_numpy()
    at = {day: int(table.index.searchsorted(day)) for day in left}
    return {
        day: (1 - left[day]) * close[i - 1] / split[i]
        for day, i in at.items()
        if 0 < i < len(close)
    }


def _cash(
    dividends: Sequence[Mapping[str, object]], odd: list[str]
) -> dict[pd.Timestamp, list[float]]:
    found: dict[pd.Timestamp, list[float]] = {}
    for row in dividends:
        day, amount = day_of(row.get("Ex-Date")), number(row.get("Dividend Amount"))
        kind = str(row.get("Dividend Type"))
        if day is None or not amount > 0:
            continue
        if any(word in kind.casefold() for word in CASH):
            found.setdefault(day, []).append(amount)
        elif "split" not in kind.casefold():
            odd.append(f"'{kind}' of {amount:g} on {day:%F}, which is no cash")
    return found


def statements(answer: Answer) -> pd.DataFrame:
    """Return the annual statements by period end, in the columns of the schema, and ebitda."""
    rows = []
    for row in answer.statements:
        items = {c: number(row.get(f)) * MILLION for c, f in (*ITEMS.items(), ("ebitda", EBITDA))}
        end = day_of(row.get("date"))
        if end is not None and not all(np.isnan(v) for v in items.values()):
            rows.append({"period_end": end, "filed": day_of(row.get(ANNOUNCED)), **items})
    columns = ["period_end", "filed", *ITEMS, "ebitda"]
    table = pd.DataFrame(rows, columns=columns).assign(fetched=answer.asked or None)
    table["filed"] = pd.to_datetime(table["filed"])
    return table.set_index("period_end")


def figures(prices: pd.DataFrame, stated: pd.DataFrame, answer: Answer) -> pd.DataFrame:
    """Return the key figures of one name at the ends of its months.

    Parameters
    ----------
    prices, stated : of :func:`daily` and :func:`statements`
    """
    ends = month_ends(pd.DatetimeIndex(prices.index))
    at = prices.loc[ends]
    shares = at["cap"] / at["close"]
    table = pd.DataFrame({"price": at["close"], "market_cap": at["cap"]})
    if answer.same_currency:
        known = _known(stated, ends)
        table["book_value"] = known["total_equity"] / shares
        table["earnings"] = known["net_income"] / shares
        table["price_to_sales"] = table["market_cap"] / known["revenue"].where(known["revenue"] > 0)
        table["ebitda"] = known["ebitda"]
    table["sector"] = answer.profile.get(PROFILE["sector"])
    return table[table["market_cap"] > 0]


def _known(stated: pd.DataFrame, ends: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the last fiscal year that was announced by each list."""
    rows = stated.reset_index().assign(symbol="")
    rows["fetched"] = pd.NaT
    out = rows.assign(known=known_from(rows)).sort_values(["known", "period_end"])
    out = out.drop_duplicates("known", keep="last").set_index("known")
    last = out.reindex(ends, method="ffill")
    young = (ends - pd.DatetimeIndex(last["period_end"])).days <= OLDEST_STATEMENT
    return last.where(pd.Series(young, index=ends), np.nan)


def tables(answers: Mapping[str, Answer]) -> tuple[dict[str, pd.DataFrame], dict[str, list[str]]]:
    """Return the tables of all names, and what is odd about each.

    Parameters
    ----------
    answers : by ticker, each with prices, all in one currency
    """
    prices, odd = {}, {}
    for ticker, answer in answers.items():
        prices[ticker], odd[ticker] = daily(answer)
    stated = {t: statements(a) for t, a in answers.items()}
    lists = {t: figures(prices[t], stated[t], a) for t, a in answers.items()}
    named = [
        {"ticker": t, **{c: a.profile.get(f) for c, f in PROFILE.items()}}
        for t, a in answers.items()
    ]
    securities = pd.DataFrame(named)
    for column in ("listed", "delisted"):
        securities[column] = pd.to_datetime(securities[column].map(day_of))
    made = {
        PRICES.name: pd.concat(prices, names=["ticker"]).reset_index(),
        KEY_FIGURES.name: _stacked(lists, list(KEY_FIGURES.names)),
        STATEMENTS.name: _stacked(stated, list(STATEMENTS.names)),
        SECURITIES.name: securities,
    }
    return made, odd


def _stacked(parts: Mapping[str, pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    some = {ticker: part for ticker, part in parts.items() if not part.empty}
    if not some:
        return pd.DataFrame(columns=columns)
    return pd.concat(some, names=["symbol"]).reset_index()
