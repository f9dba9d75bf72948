"""Factors as a sheet names them: of the model, imported, in a range, or as an expression."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.api import lookup
from tilt.api.pairs import read_pairs, ticker_in
from tilt.api.state import State
from tilt.api.values import Grid
from tilt.calendar import calendar_day
from tilt.data.named import open_files
from tilt.data.sources.imported import exposures as imported_values
from tilt.errors import ArgumentError, DataError, UnknownNameError, cut, did_you_mean, one_of
from tilt.factors.expression import evaluate, is_expression, spelled
from tilt.factors.user import beside, score
from tilt.frames import FactorHistory, Panel, content_id, listed
from tilt.portfolio.cells import Number, is_blank, is_error, read_number, shown

CARRIED = 400  # days that a value of a range or an import is used after its date


@dataclass(frozen=True, eq=False)
class Scored:
    """A factor's scores through time.

    scores : dates × assets, z-scores over the members of each date
    model  : whether it is one of the risk model's factors
    notes  : what the reader of a number should know
    raw    : dates × assets, what the scores of one of the user's own are made of
    """

    name: str
    scores: pd.DataFrame
    model: bool
    notes: tuple[str, ...] = ()
    raw: pd.DataFrame | None = None


def imported_names(state: State, panel: Panel) -> list[str]:
    """Return the names of the factors that were imported for a universe."""
    return sorted({str(name) for name in _imported(state, panel)["factor"]})


def is_own(state: State, panel: Panel, name: str) -> bool:
    """Return whether a name is an expression, a field or an imported factor, not of the model."""
    if name.strip().casefold() in {str(f).casefold() for f in panel.factors.factors.index}:
        return False
    if is_expression(name):
        return True
    return _folded(name.strip()) in spelled(_known(panel, imported_names(state, panel)))


def own_scores(state: State, panel: Panel, name: str) -> pd.DataFrame | None:
    """Return the scores of an expression or an imported factor; None for a field or any other."""
    plain = {f.casefold() for f in lookup.fields(panel)}
    if name.strip().casefold() in plain or not is_own(state, panel, name):
        return None
    return named_factor(state, panel, name).scores


def chosen_factors(state: State, panel: Panel, names: Iterable[str]) -> list[Scored]:
    """Return the factors that a list names: of the model or the user's own, each once.

    Raises
    ------
    ArgumentError
        If there is no such factor; the message tells the nearest.
    """
    model = [str(f) for f in panel.factors.factors.index]
    found = {}
    for name in names:
        own = is_own(state, panel, name)
        one = named_factor(state, panel, name if own else one_of("factor", name, model))
        found[one.name] = one
    return list(found.values())


def scores_at(
    state: State, panel: Panel, name: str, date: pd.Timestamp, assets: "pd.Index[str]"
) -> "pd.Series[float]":
    """Return the z-scores of a factor, of the model or the user's own; NaN where it has none.

    Raises
    ------
    ArgumentError
        If there is no such factor.
    """
    (found,) = chosen_factors(state, panel, [name])
    return found.scores.T[date].reindex(assets)


def with_returns(state: State, panel: Panel, found: Scored) -> FactorHistory:
    """Return the model's factors through time; one of the user's own stands beside them.

    Raises
    ------
    DataError
        If it is known for too few members to have returns, or repeats the model's factors.
    """
    raw = found.raw
    if raw is None:
        return panel.factors
    key = ("beside", panel.universe, panel.snapshot, found.name, content_id(raw))
    values = raw.to_numpy(dtype=float)
    return state.once(key, lambda: beside(panel, panel.factors, found.name, values))


def factor_series(
    state: State, panel: Panel, chosen: Sequence[Scored]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return returns and t-values of factors, dates × factors.

    Each of the user's own is estimated beside the model's factors alone, so that what it returned
    does not depend on which others are asked for.
    """
    histories = [(one.name, with_returns(state, panel, one)) for one in chosen]
    returns = pd.DataFrame({name: history.returns[name] for name, history in histories})
    return returns, pd.DataFrame({name: history.t_stats[name] for name, history in histories})


def own_exposure(
    state: State, panel: Panel, date: pd.Timestamp, name: str, weights: "pd.Series[float]"
) -> float:
    """Return the sum of weight times score of a factor of the user's own.

    Raises
    ------
    UnknownNameError
        If a name that is held has no score on the date.
    """
    scores = named_factor(state, panel, name).scores.T[date]
    held = weights[weights != 0]
    known = scores.reindex(held.index)
    missing = held.index[known.isna().to_numpy()]
    if len(missing):
        raise UnknownNameError(
            f"{listed(missing)} has no value of '{cut(name)}' on {date:%Y-%m-%d}. "
            "Leave it out or choose another date."
        )
    return float(held.to_numpy() @ known.to_numpy())


def own_exposures(
    state: State,
    panel: Panel,
    date: pd.Timestamp,
    books: "tuple[pd.Series[float], pd.Series[float] | None]",
    names: Iterable[str],
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return factor, group, portfolio, benchmark, active for factors, and what is to be noted.

    ``books`` is portfolio and benchmark. A name without a value counts as average, which is 0.
    """
    rows, notes = [], []
    for name in names:
        scores = scores_at(state, panel, name, date, panel.assets)
        filled = scores.fillna(0.0).to_numpy()
        held, base = (
            np.zeros(len(filled)) if w is None else w.reindex(panel.assets).fillna(0.0).to_numpy()
            for w in books
        )
        rows.append((name, "own", held @ filled, base @ filled, (held - base) @ filled))
        missing = float(np.abs(held[scores.isna()]).sum())
        if missing > 0:
            notes.append(f"{missing:.1%} of the weight has no value of {cut(name)}.")
    columns = ["factor", "group", "portfolio", "benchmark", "active"]
    return pd.DataFrame(rows, columns=columns), tuple(notes)


def read_factor(
    state: State, panel: Panel, given: Grid, *, date: pd.Timestamp | None = None
) -> Scored:
    """Return the factor that an argument means.

    Parameters
    ----------
    given : the name of a factor, a field or an imported factor; an expression over those; or a
        range of date, ticker, value, each value used from its date for 400 days; or, for a number
        at ``date`` alone, a range of ticker and value

    Raises
    ------
    UnknownNameError
        If it names what is not known.
    ArgumentError
        If a range has another shape.
    DataError
        If a value is no number, or there are too few to score.
    """
    if len(given) == len(given[0]) == 1:
        cell = given[0][0]
        if not isinstance(cell, str) or is_error(cell):
            raise ArgumentError(f"factor is {shown(cell)}. Give a name, an expression or a range.")
        return named_factor(state, panel, cell)
    if len(given[0]) == 2:
        if date is None:
            raise ArgumentError(
                "factor has two columns, one value a ticker, and values through time are needed. "
                "Give date, ticker and value."
            )
        raw = _of_one_date(state, panel, given, date)
    elif len(given[0]) == 3:
        raw = _dated(state, panel, given)
    else:
        raise ArgumentError("factor must be a name, or a range of date, ticker and value.")
    return _scored(panel, "range", raw)


def named_factor(state: State, panel: Panel, text: str) -> Scored:
    """Return a factor by its name, or the one that an expression means."""
    name = text.strip()
    by_fold = {str(f).casefold(): str(f) for f in panel.factors.factors.index}
    if name.casefold() in by_fold:
        factor = by_fold[name.casefold()]
        key = ("factor", panel.universe, panel.snapshot, factor)
        scores = state.once(key, lambda: lookup.through_time(state, panel, factor))
        return Scored(factor, scores, model=True)
    imported = _imported(state, panel)
    mine = ("own factor", panel.universe, panel.snapshot, content_id(imported), name)
    return state.once(mine, lambda: _own(state, panel, name, imported))


def _own(state: State, panel: Panel, name: str, table: pd.DataFrame) -> Scored:
    imported = sorted({str(f) for f in table["factor"]})
    known = _known(panel, imported)
    names = spelled(known)
    if not is_expression(name) and names.get(_folded(name)) is None:
        raise UnknownNameError(
            f"Unknown factor '{cut(name)}'.{did_you_mean(name, known)} "
            "It must be a factor, a field, or an expression such as rank(roe)."
        )

    def read(wanted: str) -> np.ndarray:
        if wanted in imported:
            return _carried(panel, table[table["factor"] == wanted])
        if wanted in lookup.fields(panel):
            return lookup.through_time(state, panel, wanted).to_numpy(dtype=float)
        frame = panel.fundamentals[wanted]
        return frame.reindex(index=panel.dates, columns=panel.assets).to_numpy(dtype=float)

    text = name if is_expression(name) else _folded(name)
    return _scored(panel, name, evaluate(text, names, read))


def _scored(panel: Panel, name: str, raw: np.ndarray) -> Scored:
    frame = pd.DataFrame(raw, index=panel.dates, columns=panel.assets)
    return Scored(name, score(panel, raw, name), model=False, raw=frame)


def _known(panel: Panel, imported: Sequence[str]) -> list[str]:
    """Return the names of all that has a number for every security."""
    texts = {*map(str, panel.securities.columns), *lookup.MEASURED}
    fields = [f for f in lookup.fields(panel) if f not in texts]
    return list(dict.fromkeys([*fields, *panel.fundamentals, *imported]))


def _folded(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name.casefold())


def _imported(state: State, panel: Panel) -> pd.DataFrame:
    return imported_values(open_files(state.settings), panel.universe)


def _carried(panel: Panel, rows: pd.DataFrame) -> np.ndarray:
    """Return the last value at or before each date, of the last 400 days; dates × assets."""
    column = panel.assets.get_indexer(pd.Index(rows["ticker"]))
    row = panel.dates.searchsorted(pd.DatetimeIndex(rows["date"]))
    good = (column >= 0) & (row < len(panel.dates))
    values = np.full(panel.close.shape, np.nan)
    born = np.full(panel.close.shape, np.nan)
    at = (row[good], column[good])
    values[at] = rows["value"].to_numpy(dtype=float)[good]
    born[at] = pd.DatetimeIndex(rows["date"]).to_numpy().astype("datetime64[D]").astype(float)[good]
    frame, since = pd.DataFrame(values).ffill(), pd.DataFrame(born).ffill()
    today = panel.dates.to_numpy().astype("datetime64[D]").astype(float)[:, None]
    return np.where(today - since.to_numpy() <= CARRIED, frame.to_numpy(), np.nan)


def _of_one_date(state: State, panel: Panel, given: Grid, date: pd.Timestamp) -> np.ndarray:
    known = ticker_in(lookup.tickers(state, panel))
    values = read_pairs(given, "factor", "value", known)
    raw = np.full(panel.close.shape, np.nan)
    row = int(panel.dates.get_indexer(pd.DatetimeIndex([date]))[0])
    raw[row, panel.assets.get_indexer(pd.Index(list(values)))] = list(values.values())
    return raw


def _dated(state: State, panel: Panel, given: Grid) -> np.ndarray:
    resolve = ticker_in(lookup.tickers(state, panel))
    rows = []
    for number, (day, name, value) in enumerate(_filled(given), start=1):
        place = f"factor row {number}"
        when = calendar_day(day)
        read = None if is_blank(value) else read_number(value, point_is_decimal=True)
        if when is None and number == 1:
            continue  # a header
        if when is None:
            raise DataError(f"{place}: the date is {shown(day)}. Use an Excel date or 2026-01-31.")
        if not isinstance(read, Number):
            raise DataError(f"{place}: the value is {shown(value)}. Type it as a number.")
        rows.append((pd.Timestamp(when), resolve(name, place), read.value))
    if not rows:
        raise DataError("factor has no row with a date, a ticker and a value.")
    table = pd.DataFrame(rows, columns=["date", "ticker", "value"])
    return _carried(panel, table.sort_values("date", kind="stable"))


def _filled(given: Grid) -> Iterable[list[object]]:
    return (row for row in given if not all(is_blank(cell) for cell in row))
