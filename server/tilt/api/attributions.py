"""Attribution as a sheet asks for it: by group, factor or position; forecast risk; by regime."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from tilt.api.backtests import OPTIONS as OF_BACKTEST
from tilt.api.backtests import read_number_option
from tilt.api.books import with_notes
from tilt.api.health import models_of_past
from tilt.api.regime import figures_by_regime
from tilt.api.state import State
from tilt.api.tracks import COLUMNS, AttributionAsked, Tracks, read_tracks, tracks_of_result
from tilt.backtest.costs import DAYS
from tilt.errors import ArgumentError, one_of
from tilt.frames import Panel
from tilt.portfolio.attribution import LINKS, brinson_table
from tilt.portfolio.daily_attribution import brinson_daily, positions_table
from tilt.portfolio.factor_attribution import factor_effects, factor_table
from tilt.portfolio.forecast_risk import forecast_table
from tilt.portfolio.track import Track, on_common_days

__all__ = [
    "METHODS",
    "OPTIONS",
    "AttributionAsked",
    "Explained",
    "Tracks",
    "explain",
    "explain_tracks",
    "tracks_of_result",
]

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "brinson": "allocation, selection and interaction by group",
        "factor": "by the factors of the risk model, with specific return, trading and costs",
        "position": "what each position contributed",
        "forecast": "forecast risk, month by month, against what came",
        "regimes": "performance in calm and in turbulent days of the market",
    }
)
OF_FACTORS = ("factor", "group")
OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "link": "carino (default), menchero, grap or frongello: how days are linked",
        "interaction": "show (default) or merge it into selection",
        "states": "of method regimes: 2 (default) or 3",
        "rebalance": "of a strategy: M (default), D, W, Q, Y or drift:0.05",
        **OF_BACKTEST,
    }
)
UNGROUPED = ("forecast", "regimes")
STATES = 2


@dataclass(frozen=True, eq=False)
class Explained:
    """An attribution's table and the two books it is of."""

    table: pd.DataFrame
    portfolio: Track
    benchmark: Track
    notes: tuple[str, ...]

    @property
    def noted(self) -> pd.DataFrame:
        return with_notes(self.table, self.notes)


def explain(state: State, asked: AttributionAsked, *, wait: bool = False) -> Explained:
    """Return why a portfolio did better or worse than its benchmark.

    Parameters
    ----------
    wait : run a backtest, or fit regimes, here and now, instead of as a job

    Raises
    ------
    RunningError
        If a backtest or a fit that it needs is not done yet.
    TiltError
        If an argument is wrong, or there is nothing to explain.
    """
    method = one_of("method", asked.method or "brinson", METHODS)
    link = one_of("option link", str(asked.options.get("link", "carino")), LINKS)
    tracks = read_tracks(state, asked, wait=wait)
    return _explained(state, tracks, asked, method, link, wait=wait)


def explain_tracks(
    state: State, tracks: Tracks, *, method: str, by: str = "", link: str = "carino"
) -> Explained:
    """Return the attribution of books whose days are known."""
    asked = AttributionAsked([[None]], method=method, by=by)
    return _explained(state, tracks, asked, method, link, wait=True)


def _explained(
    state: State, tracks: Tracks, asked: AttributionAsked, method: str, link: str, *, wait: bool
) -> Explained:
    panel, mine, theirs = tracks.panel, tracks.portfolio, tracks.benchmark
    notes = tuple(dict.fromkeys((*mine.notes, *theirs.notes)))
    if asked.by and method in UNGROUPED:
        raise ArgumentError(f"method={method} has no groups. Leave by out.")
    if method == "factor":
        by = one_of("by", asked.by or "factor", OF_FACTORS)
        found = factor_effects(mine, theirs, panel.factors)
        table = factor_table(found, link=link, by_group=by == "group")
        more = found.notes
    elif method == "position":
        groups = panel.securities["sector"].astype(str)
        table, more = positions_table(mine, theirs, groups, link=link)
    elif method == "forecast":
        table, more = forecast_table(mine, theirs, models_of_past(state, panel, "short"))
    elif method == "regimes":
        table, more = _by_regime(state, tracks, asked, wait=wait)
    else:
        merge = one_of(
            "option interaction", str(asked.options.get("interaction", "show")), ("show", "merge")
        )
        effects, more = brinson_daily(mine, theirs, _groups(tracks, panel, asked.by or "sector"))
        table = brinson_table(effects, link=link, merge=merge == "merge")
    return Explained(table, mine, theirs, (*notes, *more))


def _by_regime(
    state: State, tracks: Tracks, asked: AttributionAsked, *, wait: bool
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return performance by the state of the market that was known at the close before each day."""
    mine, theirs, notes = on_common_days(tracks.portfolio, tracks.benchmark)
    states = read_number_option("states", asked.options.get("states", STATES))
    table, said = figures_by_regime(
        state,
        tracks.panel,
        mine.earned,
        theirs.earned if theirs.weights.shape[1] else None,
        states=int(states),
        risk_free=(1.0 + mine.cash_rate) ** DAYS - 1.0,
        wait=wait,
    )
    return table, (*notes, *said)


def _groups(tracks: Tracks, panel: Panel, by: str) -> "pd.Series[str]":
    """Return each asset's group: a column of the range, or of the securities."""
    if tracks.groups is not None:
        return tracks.groups.astype(str)
    column = one_of("by", by, [c for c in COLUMNS if c in panel.securities])
    named = panel.securities[column]
    return named.astype(object).where(named.notna(), "").astype(str)
