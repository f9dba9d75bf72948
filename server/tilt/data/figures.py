"""Published key figures: whose they are, which close they go with, and which can be used.

A list says the price it was made with, so the session it was *seen* on can be found: some lists are
months old when they are published. Shares are the list's cap over the list's price, and are
compared with the shares of the list before, through the splits in between.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.data.findings import Finding, Severity, noted
from tilt.data.quality import PriceReview
from tilt.data.returns import share_growth, values_at
from tilt.data.symbols import priced_tickers

OLDEST_LIST = 130  # sessions before its date that a list may have been seen
LEAST_NAMES = 5
STALE_DAYS = 10
EXACT = 0.03
REPEATED = 0.98  # part of the names that show the figures of the list before
TURNOVER_A_DAY = 0.2  # of the company; more is a cap on the wrong scale
BASIS = 0.10  # in logs, around a split's factor
BASIS_DAYS = 400
JUMP = 0.2
PER_SHARE = 0.3  # in logs, between price over figure and the published ratio
SAME_SHARES = 0.02


@dataclass(frozen=True, eq=False)
class FiguresReview:
    """Key figures after the checks.

    members  : date, ticker of every listed company that is priced
    figures  : rows that can be used: date, known (first session at or after the date), seen
               (session the price is of), ticker, price, shares, company_cap, and ratios to price
               or cap at ``price``
    findings : see ``tilt.data.findings``
    """

    members: pd.DataFrame
    figures: pd.DataFrame
    findings: list[Finding]


def review_figures(
    key_figures: pd.DataFrame, changes: pd.DataFrame, issuer: "pd.Series[str]", prices: PriceReview
) -> FiguresReview:
    """Check key figures against each other and against the closes.

    Parameters
    ----------
    key_figures, changes : tables of ``tilt.data.schema``
    issuer : by ticker, the same for the share classes of one company
    prices : the checked prices
    """
    close = prices.market.close
    rows = key_figures.copy()
    rows["ticker"] = priced_tickers(rows["symbol"], rows["date"], changes)
    rows = rows[rows["date"] <= close.index[-1]]
    priced = rows["ticker"].isin(close.columns)
    findings = _symbol_findings(rows[priced])
    rows = rows[priced].sort_values(["date", "ticker", "market_cap"], kind="stable")
    rows = rows.drop_duplicates(["date", "ticker"], keep="first").reset_index(drop=True)
    members = rows[["date", "ticker"]]
    rows, listed = _seen(rows, close)
    findings += listed
    rows["problem"] = ""
    _check_rows(rows, close, prices.market.volume)
    growth = share_growth(prices.market.split)
    rows["growth"] = values_at(growth, rows["seen"], rows["ticker"])
    findings += _check_basis(rows) + _check_per_share(rows) + _share_classes(rows, issuer)
    findings += _problems(rows)
    good = rows[(rows["problem"] == "") & rows["shares"].notna()]
    return FiguresReview(members, _ratios(good), findings)


def _seen(rows: pd.DataFrame, close: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the rows with the session each list was seen on and known from, and the findings."""
    sessions = pd.DatetimeIndex(close.index)
    logs = close.apply(np.log)
    notes: list[Finding] = []
    parts: list[pd.DataFrame] = []
    previous: pd.DataFrame | None = None
    for day in sorted(set(rows["date"])):
        listed = rows[rows["date"] == day]
        last = int(sessions.searchsorted(day, side="right"))
        if last == 0:
            continue  # before the first price
        seen, typical = _session(listed, logs.iloc[max(0, last - OLDEST_LIST) : last])
        known = min(int(sessions.searchsorted(day)), len(sessions) - 1)
        parts.append(listed.assign(seen=seen, known=sessions[known], typical=typical))
        if (day - seen).days > STALE_DAYS:
            words = _STALE.format(seen=seen, days=(day - seen).days)
            notes.append(noted(day, "stale_list", words))
        figures = listed.set_index("ticker")[["price", "market_cap", "book_value"]]
        if previous is not None and _share_equal(figures, previous) > REPEATED:
            notes.append(noted(day, "repeated_list", _REPEATED))
        previous = figures
    none = rows.iloc[:0].assign(seen=sessions[:0], known=sessions[:0], typical=0.0)
    return (pd.concat(parts, ignore_index=True) if parts else none), notes


_STALE = (
    "Its prices are the closes of {seen:%Y-%m-%d}, {days} days before. | Kept: used from its date "
    "on, with shares carried from the day it was seen."
)
_REPEATED = "It repeats the list before. | Kept: it tells membership only."


def _session(listed: pd.DataFrame, logs: pd.DataFrame) -> tuple[pd.Timestamp, float]:
    """Return the session whose closes are nearest to the list's prices, and the typical gap."""
    given = listed.set_index("ticker")["price"]
    given = np.log(given[given > 0])
    gaps = (logs[given.index] - given).abs()
    counted = gaps.notna().sum(axis=1)
    typical = gaps.median(axis=1).where(counted >= min(LEAST_NAMES, len(given)))
    if len(given) < LEAST_NAMES or typical.isna().all() or typical.min() > EXACT:
        return pd.Timestamp(logs.index[-1]), 0.0
    return pd.Timestamp(typical.idxmin()), float(typical.min())


def _share_equal(figures: pd.DataFrame, previous: pd.DataFrame) -> float:
    both = figures.index.intersection(previous.index)
    same = (figures.loc[both] == previous.loc[both]).all(axis=1)
    return float(same.mean()) if len(both) else 0.0


def _check_rows(rows: pd.DataFrame, close: pd.DataFrame, volume: pd.DataFrame) -> None:
    """Mark rows that are not what their columns say, and work out the shares of the others."""
    at = values_at(close, rows["seen"], rows["ticker"])
    gap = np.abs(np.log((rows["price"] / at).where(rows["price"] > 0)))
    allowed = np.maximum(EXACT, 8 * rows["typical"])
    money = (close * volume).rolling(21, min_periods=5).median()
    traded = values_at(money, rows["seen"], rows["ticker"])
    number = pd.to_numeric(rows["sector"], errors="coerce").notna()
    cap = rows["market_cap"]
    _mark(rows, number, "displaced_row")
    _mark(rows, ~(rows["price"] > 0) | at.isna(), "no_price")
    _mark(rows, gap > allowed, "price_mismatch")
    _mark(rows, ~(cap > 0), "no_market_cap")
    _mark(rows, traded > TURNOVER_A_DAY * cap, "cap_off_scale")
    rows["shares"] = (cap / rows["price"]).where(rows["problem"] == "")
    rows["company_cap"] = cap
    rows["close_seen"] = at
    rows["money"] = traded


def _mark(rows: pd.DataFrame, where: "pd.Series[bool]", problem: str) -> None:
    rows.loc[where.to_numpy() & (rows["problem"] == "").to_numpy(), "problem"] = problem


def _check_basis(rows: pd.DataFrame) -> list[Finding]:
    """Mark caps whose shares are those before a split, or have it twice; report other jumps."""
    notes = []
    rows["change"] = np.nan
    for ticker, mine in rows[rows["shares"].notna()].groupby("ticker", sort=True):
        shares, growth = mine["shares"].to_numpy(), mine["growth"].to_numpy()
        seen, published = mine["seen"].tolist(), mine["date"].tolist()
        kept = 0
        for i in range(1, len(mine)):
            booked = float(growth[i] / growth[kept])
            change = float(np.log(shares[i] / shares[kept] / booked))
            if (seen[i] - seen[kept]).days <= BASIS_DAYS and _by_split(change, booked):
                rows.loc[mine.index[i], ["problem", "change"]] = ["wrong_basis", np.exp(change)]
                continue
            if abs(change) > JUMP:
                words = _JUMP.format(change=np.exp(change), since=published[kept])
                note = noted(published[i], "share_jump", words, ticker=str(ticker), severity="info")
                notes.append(note)
            kept = i
    return notes


_JUMP = (
    "Shares are {change:.2f} times those of {since:%Y-%m-%d} and no split explains it: a merger, "
    "other share classes counted, or an error. | Kept: used from its date on."
)


def _by_split(change: float, booked: float) -> bool:
    """Return whether a change of shares is a booked split left out or counted twice."""
    factor = abs(np.log(booked))
    return bool(factor > JUMP and abs(abs(change) - factor) < BASIS)


def _check_per_share(rows: pd.DataFrame) -> list[Finding]:
    """Leave out figures per share that contradict the published ratio: another basis of shares."""
    notes = []
    rows["earnings"] = rows["earnings"].fillna(rows["price"] / rows["price_to_earnings"])
    for figure, ratio in (("book_value", "price_to_book"), ("earnings", "price_to_earnings")):
        rows["own"] = rows["price"] / rows[figure]
        times = rows["own"] / rows[ratio]
        off = (np.abs(np.log(times.where(times > 0))) > PER_SHARE) & (rows["problem"] == "")
        notes += [
            noted(
                row["date"],
                "per_share_basis",
                _PER_SHARE.format(
                    figure=figure.replace("_", " "),
                    value=row[figure],
                    own=row["own"],
                    ratio=ratio.replace("_", " "),
                    given=row[ratio],
                ),
                ticker=row["ticker"],
            )
            for row in rows[off].to_dict("records")
        ]
        rows[figure] = rows[figure].mask(off)
    return notes


_PER_SHARE = (
    "The price over {figure} per share ({value:g}) is {own:.2f}, but {ratio} is given as "
    "{given:g}. | Quarantined: the {figure} of this list is left out."
)


def _share_classes(rows: pd.DataFrame, issuer: "pd.Series[str]") -> list[Finding]:
    """Give each of several classes of a company its part of a cap that counts the whole company."""
    notes = []
    company = rows["ticker"].map(issuer)
    good = rows.assign(company=company)[
        (rows["problem"] == "") & rows["shares"].notna() & company.notna()
    ]
    several = good[good.duplicated(["date", "company"], keep=False)]
    for _, classes in several.groupby(["date", "company"], sort=True):
        shares = classes["shares"]
        if shares.max() / shares.min() - 1 < SAME_SHARES:
            rows.loc[classes.index, "shares"] = shares / len(classes)
            words = _CLASSES.format(others=" and ".join(classes["ticker"]), n=len(classes))
            notes += [
                noted(row["date"], "share_classes", words, ticker=row["ticker"], severity="info")
                for row in classes.to_dict("records")
            ]
    return notes


_CLASSES = "{others} each show the cap of the whole company. | Repaired: each counts 1/{n} of it."

_NOT_USED = "Quarantined: the row is not used."
_PROBLEMS: dict[str, tuple[Severity, str]] = {
    "displaced_row": (
        "error",
        "Its sector is the number {sector}: the columns are displaced. | " + _NOT_USED,
    ),
    "no_price": ("warning", "It has no price, or no close beside it. | " + _NOT_USED),
    "price_mismatch": (
        "error",
        "Its price {price:g} is not the close then, {close_seen:g}. | " + _NOT_USED,
    ),
    "no_market_cap": ("warning", "It has no market cap. | " + _NOT_USED),
    "cap_off_scale": (
        "error",
        "A cap of {market_cap:.3g} cannot be: {money:.3g} is traded a day. | " + _NOT_USED,
    ),
    "wrong_basis": (
        "error",
        (
            "Its shares are {change:.2f} times those of before, against the split. | "
            "Quarantined: it is not used."
        ),
    ),
}


def _problems(rows: pd.DataFrame) -> list[Finding]:
    return [
        noted(row["date"], problem, words.format_map(row), ticker=row["ticker"], severity=severity)
        for problem, (severity, words) in _PROBLEMS.items()
        for row in rows[rows["problem"] == problem].to_dict("records")
    ]


def _symbol_findings(rows: pd.DataFrame) -> list[Finding]:
    """Return one finding for each company that appears under two symbols, on the first day."""
    changed = rows[rows["symbol"] != rows["ticker"]].drop_duplicates(["symbol", "ticker"])
    words = "The figures call it {symbol}, the prices {ticker}. | Kept: read as {ticker}."
    return [
        noted(
            row["date"],
            "two_symbols",
            words.format_map(row),
            ticker=row["ticker"],
            severity="info",
        )
        for row in changed.to_dict("records")
    ]


def _ratios(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the usable rows with every figure as a ratio to the price or cap it came with."""
    ratios = rows[["date", "known", "seen", "ticker", "price", "shares", "company_cap"]].copy()
    ratios["book_to_price"] = rows["book_value"] / rows["price"]
    ratios["earnings_to_price"] = rows["earnings"] / rows["price"]
    ratios["sales_to_price"] = 1 / rows["price_to_sales"].where(rows["price_to_sales"] > 0)
    ratios["ebitda_to_price"] = rows["ebitda"] / rows["company_cap"]
    ratios["dividend_yield"] = rows["dividend_yield"]
    return ratios.reset_index(drop=True)
