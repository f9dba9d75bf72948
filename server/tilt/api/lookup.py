"""What is known of securities: one date's values and histories, by the names of their fields."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from tilt.api.state import State
from tilt.calendar import period_ends
from tilt.data.record import adjusted_close
from tilt.data.securities import absence, may_be_absent
from tilt.errors import UnknownNameError, one_of
from tilt.factors.descriptors import NAMES as DESCRIPTORS
from tilt.factors.descriptors import descriptor, descriptors
from tilt.frames import Exposures, FactorHistory, Panel, fully_scored
from tilt.portfolio.identifiers import Tickers

TEXTS = ("name", "sector", "industry")
MEASURED = ("first_date", "last_date")  # of the security's own prices
PRICES = ("close", "adj_close", "return", "volume", "dollar_volume", "market_cap")
_SUMMED = frozenset({"volume", "dollar_volume"})
# from the name of a factor of the user's own to its scores, dates × assets; None if it is none
Own = Callable[[str], pd.DataFrame | None]


def no_own(name: str) -> None:
    """Know no factor of the user's own."""


def members(panel: Panel, date: pd.Timestamp) -> pd.DataFrame:
    """Return ticker, name, sector, industry and cap weight of a universe's members on a date."""
    weights = panel.cap_weights(date).sort_values(ascending=False)
    known = panel.securities.reindex(weights.index)
    return pd.DataFrame(
        {
            "ticker": weights.index.to_numpy(),
            **{column: known[column].to_numpy() for column in TEXTS},
            "weight": weights.to_numpy(),
        }
    )


def tickers(state: State, panel: Panel) -> Tickers:
    """Return the tickers of a universe, to be found as people write them."""
    return state.once(
        ("tickers", panel.universe, panel.snapshot), lambda: Tickers(panel, panel.as_of)
    )


def fields(panel: Panel) -> list[str]:
    """Return the names of everything known of a security."""
    factors = [] if panel.factor_history is None else panel.factors.factors.index.tolist()
    known = [str(c) for c in panel.securities.columns]
    return [*known, *MEASURED, *PRICES, *DESCRIPTORS, *factors]


def field_name(state: State, panel: Panel, given: str) -> str:
    """Return the field of a name, whatever its case.

    Raises
    ------
    UnknownNameError
        If a master of securities may have it, and that of the universe does not; it says why.
    ArgumentError
        If there is no such field.
    """
    if may_be_absent(given, panel):
        source = state.store.snapshot(panel.universe).source
        raise UnknownNameError(absence(given, panel, source))
    return one_of("field", given, fields(panel))


def exposures(state: State, panel: Panel, date: pd.Timestamp) -> Exposures:
    """Return assets × factors on a date."""
    return state.once(
        ("exposures", panel.universe, panel.snapshot, date), lambda: panel.factors.exposures(date)
    )


class Shelf:
    """What is known of securities, kept for the calls of a batch: each column is made once."""

    def __init__(self, state: State, panel: Panel, own: Own = no_own) -> None:
        self.panel = panel
        self._own = own
        self._scores: dict[str, pd.DataFrame] = {}
        self.tickers = tickers(state, panel)
        self.place = state.once(
            ("places", panel.universe, panel.snapshot),
            lambda: {str(ticker): i for i, ticker in enumerate(panel.assets)},
        )
        self._state = state
        self._names: dict[str, str] = {}
        self._columns: dict[tuple[str, pd.Timestamp], Sequence[object]] = {}

    def column(self, field: str, date: pd.Timestamp) -> Sequence[object]:
        """Return one field of all assets at the close of a date; None where it is not known."""
        if field not in self._names:
            scores = self._own(field)
            if scores is not None:
                self._scores[field] = scores
            known = scores is not None
            self._names[field] = field if known else field_name(self._state, self.panel, field)
        key = (self._names[field], date)
        if key not in self._columns:
            scores = self._scores.get(field)
            if scores is None:
                self._columns[key] = _column(self._state, self.panel, *key)
            else:
                self._columns[key] = _values(scores, date)
        return self._columns[key]


def _column(state: State, panel: Panel, name: str, date: pd.Timestamp) -> Sequence[object]:
    if name in panel.securities.columns:
        known = panel.securities[name].reindex(panel.assets)
        return [None if gone else v for v, gone in zip(known, known.isna(), strict=True)]
    if name in MEASURED:
        priced = panel.close.notna().to_numpy()
        row = priced.argmax(axis=0)
        if name == "last_date":
            row = len(priced) - 1 - priced[::-1].argmax(axis=0)
        return list(panel.dates[row])
    if name in PRICES or name in DESCRIPTORS:
        frame = through_time(state, panel, name)
        return _values(frame, date)
    scored = exposures(state, panel, date)[[name]].reindex(panel.assets).T
    return _values(scored.set_axis([date]), date)


def _values(frame: pd.DataFrame, date: pd.Timestamp) -> list[object]:
    row = frame.to_numpy()[frame.index.get_loc(date)]
    return [None if value != value else value for value in row.tolist()]


def table(
    state: State, panel: Panel, assets: Sequence[str], names: Sequence[str], date: pd.Timestamp
) -> list[list[object]]:
    """Return a row per asset with the value of each field; None where it is not known."""
    shelf = Shelf(state, panel)
    columns = [dict(zip(shelf.place, shelf.column(name, date), strict=True)) for name in names]
    return [[column.get(ticker) for column in columns] for ticker in assets]


class Scores:
    """The factor exposures of one date, by ticker and place of the factor.

    The same numbers as ``exposures`` has, without a frame for a date of which one is asked.

    factors : their names, each at its place
    """

    def __init__(self, state: State, panel: Panel, date: pd.Timestamp) -> None:
        known = panel.factors
        if date not in known.dates:
            exposures(state, panel, date)  # says from when to when there are any
        self.factors, self._fixed, self._place = state.once(
            ("groups", panel.universe, panel.snapshot), lambda: _fixed(known)
        )
        styles = known.styles[int(known.dates.searchsorted(date))]
        self._scored = fully_scored(styles).tolist()
        self._styles = styles.tolist()

    def of(self, ticker: str) -> list[float] | None:
        """Return a security's exposure to every factor; None if it has none on the date."""
        place = self._place.get(ticker)
        if place is None or not self._scored[place]:
            return None
        return [*self._fixed[place], *self._styles[place]]


def _fixed(known: FactorHistory) -> tuple[list[str], list[list[float]], dict[str, int]]:
    """Return what no date changes: the factors, the columns of market and sectors, the places."""
    groups = known.factors["group"].to_numpy()
    sectors = known.factors.index[groups == "sector"].to_numpy()
    own = known.sector.reindex(known.assets).to_numpy()
    market = np.ones((len(own), int((groups == "market").sum())))
    fixed = np.hstack([market, (own[:, None] == sectors[None, :]).astype(float)])
    names = [str(name) for name in known.factors.index]
    return names, fixed.tolist(), {str(ticker): i for i, ticker in enumerate(known.assets)}


def history(
    state: State,
    panel: Panel,
    assets: Sequence[str],
    field: str,
    *,
    start: pd.Timestamp,
    end: pd.Timestamp,
    frequency: str,
    own: Own = no_own,
) -> pd.DataFrame:
    """Return one field through time, dates × assets.

    Over a period longer than a day returns compound, volumes add up, anything else is the value
    at the period's last session.
    """
    fixed = {*panel.securities.columns, *MEASURED}
    known = [f for f in fields(panel) if f not in fixed]
    scores = own(field)
    name = field if scores is not None else one_of("field", field, known)
    whole = through_time(state, panel, name) if scores is None else scores
    frame = whole.loc[start:end, list(dict.fromkeys(assets))]
    ends = period_ends(pd.DatetimeIndex(frame.index), frequency)
    if frequency != "D" and (name == "return" or name in _SUMMED):
        period = pd.Index(ends.searchsorted(frame.index, side="left"))
        if name == "return":
            frame = (1 + frame).groupby(period).prod(min_count=1) - 1
        else:
            frame = frame.groupby(period).sum(min_count=1)
        frame.index = ends
    return frame.loc[ends, list(assets)]


def raw_descriptors(state: State, panel: Panel) -> dict[str, pd.DataFrame]:
    """Return the descriptors of a universe, dates × assets by name, computed once a snapshot."""
    return state.once(("descriptors", panel.universe, panel.snapshot), lambda: descriptors(panel))


def through_time(state: State, panel: Panel, name: str) -> pd.DataFrame:
    """Return a field of prices, a descriptor or a factor's scores, dates × assets."""
    if name in DESCRIPTORS:
        key = ("descriptor", panel.universe, panel.snapshot, name)
        return state.once(key, lambda: descriptor(panel, name))
    if name == "adj_close":
        return state.once(
            ("adj_close", panel.universe, panel.snapshot),
            lambda: adjusted_close(panel.close, panel.returns),
        )
    if name == "dollar_volume":
        return panel.close * panel.volume
    plain = {
        "close": panel.close,
        "return": panel.returns,
        "volume": panel.volume,
        "market_cap": panel.market_cap,
    }
    return plain[name] if name in plain else _factor(panel, name)


def _factor(panel: Panel, name: str) -> pd.DataFrame:
    known = panel.factors
    if name in known.style_names:
        scores = known.styles[:, :, known.style_names.index(name)]
    else:
        scored = fully_scored(known.styles)
        group = known.factors["group"].loc[name]
        inside = np.ones(len(known.assets), dtype=bool)
        if group == "sector":
            inside = (known.sector.reindex(known.assets) == name).to_numpy()
        scores = np.where(scored, inside[None, :].astype(float), np.nan)
    frame = pd.DataFrame(scores, index=known.dates, columns=known.assets)
    return frame.reindex(index=panel.dates, columns=panel.assets)
