"""What can be exported, by name: what was delivered, what was computed, findings, portfolios."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from tilt.api.lookup import members
from tilt.calendar import parse_date
from tilt.data.record import decode_table
from tilt.data.schema import SCHEMAS
from tilt.data.store import Store
from tilt.errors import DataError, UnknownNameError, cut, did_you_mean
from tilt.frames import Panel
from tilt.report.export import Export

SERIES = ("close", "returns", "volume", "market_cap", "factor_returns")
COMPUTED = (*SERIES, "exposures", "members", "findings")
NAMES = (*SCHEMAS, *COMPUTED)


@dataclass(frozen=True)
class Wanted:
    """What is to be exported.

    what     : one of ``NAMES``, or a saved portfolio
    universe, snapshot : which data; the default universe and its current snapshot if None
    date     : of members, exposures and portfolios; empty: the last one
    start, end : of a series; empty: all of it
    """

    what: str
    universe: str | None = None
    snapshot: str | None = None
    date: str = ""
    start: str = ""
    end: str = ""


def export_of(store: Store, wanted: Wanted) -> Export:
    """Return a table and where it comes from.

    Raises
    ------
    UnknownNameError
        If it is no dataset and no portfolio, or there is no such universe or snapshot.
    """
    name = wanted.what.strip().casefold().replace(" ", "_")
    saved = {str(n).casefold(): str(n) for n in store.portfolios()["name"]}
    if name not in NAMES and wanted.what.strip().casefold() in saved:
        return _portfolio(store, saved[wanted.what.strip().casefold()], wanted)
    if name not in NAMES:
        known = [*NAMES, *saved.values()]
        raise UnknownNameError(
            f"There is nothing called '{cut(wanted.what)}' to export."
            f"{did_you_mean(wanted.what, known)} It is one of {', '.join(NAMES)}, or a portfolio."
        )
    panel = store.panel(wanted.universe, wanted.snapshot)
    about = {
        "what": name,
        "universe": panel.universe,
        "snapshot": panel.snapshot,
        "as_of": f"{panel.as_of:%Y-%m-%d}",
        "survivorship": panel.survivorship,
    }
    if name in SCHEMAS:
        return Export(name, _raw(store, wanted, panel, name), about)
    if name == "findings":
        return Export(name, store.findings(wanted.universe, snapshot=wanted.snapshot), about)
    if name in SERIES:
        return Export(name, _series(panel, name, wanted), about)
    date = parse_date(wanted.date, panel.dates)
    about["date"] = f"{date:%Y-%m-%d}"
    if name == "members":
        return Export(name, members(panel, date), about)
    return Export(name, panel.factors.exposures(date).reset_index(names="ticker"), about)


def _raw(store: Store, wanted: Wanted, panel: Panel, name: str) -> pd.DataFrame:
    """Return a table as it was delivered, without the columns in which it has nothing."""
    base = wanted.snapshot or store.snapshot(panel.universe).id
    table = decode_table(store.contents(base).table(f"{name}.parquet"))
    days = "date" if "date" in table.columns else ""
    if days:
        table = _between(table, table[days], wanted).reset_index(drop=True)
    empty = [c.name for c in SCHEMAS[name].columns if not c.needed and table[c.name].isna().all()]
    return table.drop(columns=empty)


def _series(panel: Panel, name: str, wanted: Wanted) -> pd.DataFrame:
    """Return dates down and tickers, or factors, across."""
    frames: dict[str, Callable[[], pd.DataFrame]] = {
        "close": lambda: panel.close,
        "returns": lambda: panel.returns,
        "volume": lambda: panel.volume,
        "market_cap": lambda: panel.market_cap,
        "factor_returns": lambda: panel.factors.returns,
    }
    frame = frames[name]()
    kept = _between(frame, pd.Series(frame.index, index=frame.index), wanted)
    return kept.rename_axis(index="date", columns=None).reset_index()


def _between(table: pd.DataFrame, days: "pd.Series[pd.Timestamp]", wanted: Wanted) -> pd.DataFrame:
    if not wanted.start and not wanted.end:
        return table
    sessions = pd.DatetimeIndex(days.unique()).sort_values()
    if not len(sessions):
        return table
    first = parse_date(wanted.start, sessions, "start", default=sessions[0])
    last = parse_date(wanted.end, sessions, "end")
    if first > last:
        raise DataError(f"start {first:%Y-%m-%d} is after end {last:%Y-%m-%d}.")
    return table[((days >= first) & (days <= last)).to_numpy()]


def _portfolio(store: Store, name: str, wanted: Wanted) -> Export:
    """Return a portfolio: of one date if one is asked for, else every date that it has."""
    dates = store.portfolio_dates(name)
    about = {"what": "portfolio", "portfolio": name}
    if wanted.date and len(dates):
        date = parse_date(wanted.date, dates)
        weights = store.portfolio(name, date)
        about["date"] = f"{date:%Y-%m-%d}"
        return Export(name, _weights(weights), about)
    if not len(dates):
        return Export(name, _weights(store.portfolio(name)), about)
    parts = [_weights(store.portfolio(name, day)).assign(date=day) for day in dates]
    table = pd.concat(parts, ignore_index=True)[["date", "ticker", "weight"]]
    about["as_of"] = f"{dates[-1]:%Y-%m-%d}"
    return Export(name, table, about)


def _weights(weights: "pd.Series[float]") -> pd.DataFrame:
    return pd.DataFrame({"ticker": weights.index.astype("str"), "weight": weights.to_numpy()})
