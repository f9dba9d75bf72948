"""Active return explained by the risk model's factors: exposure at the day's start times return.

Each day ``a'r = Σ_k y_k f_k + Σ_i a_i u_i`` with the active weights ``a`` and exposures ``y`` of
the close before; what the book earned beyond its holdings is trading and costs. Days are linked
like the effects of Brinson's method.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.errors import UnknownNameError
from tilt.frames import FactorHistory, fully_scored, listed
from tilt.portfolio.attribution import COSTS, RESIDUAL, TOTAL, add_rows, compound, linking
from tilt.portfolio.track import CASH_GROUP, Track, on_common_days

SPECIFIC, UNMODELED = "Specific", "No exposures"
KINDS = {SPECIFIC: "specific", UNMODELED: "specific", CASH_GROUP: "cash", COSTS: "trading"}
BATCH = 64  # days whose exposures are gathered at once


@dataclass(frozen=True, eq=False)
class FactorEffects:
    """Active return by day and source.

    effects   : dates × (factors, Specific, No exposures, Cash, Trading and costs); rows sum to the
        day's active return
    exposures : dates × factors, active, at the close before
    factor_returns : dates × factors
    specific  : dates × assets, what each one's own return added
    portfolio, benchmark : return by date
    groups    : by factor
    notes     : what its reader should know
    """

    effects: pd.DataFrame
    exposures: pd.DataFrame
    factor_returns: pd.DataFrame
    specific: pd.DataFrame
    portfolio: "pd.Series[float]"
    benchmark: "pd.Series[float]"
    groups: "pd.Series[str]"
    notes: tuple[str, ...]


def factor_effects(portfolio: Track, benchmark: Track, history: FactorHistory) -> FactorEffects:
    """Split each day's active return into factors, specific return, cash, trading and costs.

    Raises
    ------
    UnknownNameError
        If no day has exposures at the close before it and factor returns.
    DataError
        If the two tracks share no day.
    """
    mine, theirs, notes = on_common_days(portfolio, benchmark)
    assets = mine.weights.columns.union(theirs.weights.columns, sort=False)
    active = mine.weights.reindex(columns=assets, fill_value=0.0) - theirs.weights.reindex(
        columns=assets, fill_value=0.0
    )
    returns = mine.returns.combine_first(theirs.returns)[assets]
    before = history.dates.get_indexer(mine.dates) - 1
    known = before >= 0
    if not known.any():
        raise UnknownNameError(
            f"There are no exposures before {mine.dates[-1]:%Y-%m-%d}: they start on "
            f"{history.dates[0]:%Y-%m-%d}. Choose a later start."
        )
    f = history.returns.reindex(mine.dates).fillna(0.0)
    a = active.to_numpy(dtype=float)
    r = returns.to_numpy(dtype=float)
    fitted, modeled, y = _fitted(history, before, assets, a, f.to_numpy(dtype=float))
    own = np.where(modeled, a * (r - fitted), 0.0)
    parts = pd.DataFrame(y * f.to_numpy(), index=mine.dates, columns=f.columns)
    parts[SPECIFIC] = own.sum(axis=1)
    parts[UNMODELED] = np.where(modeled, 0.0, a * r).sum(axis=1)
    parts[CASH_GROUP] = mine.cash * mine.cash_rate - theirs.cash * theirs.cash_rate
    parts[COSTS] = mine.costs - theirs.costs
    outside = assets[((a != 0.0) & ~modeled).any(axis=0)]
    if len(outside):
        said = f"{listed(outside)}: no exposures on some days; that part stands in '{UNMODELED}'."
        notes = (*notes, said)
    return FactorEffects(
        effects=parts,
        exposures=pd.DataFrame(y, index=mine.dates, columns=f.columns),
        factor_returns=f,
        specific=pd.DataFrame(own, index=mine.dates, columns=assets),
        portfolio=mine.earned,
        benchmark=theirs.earned,
        groups=history.factors["group"],
        notes=notes,
    )


def factor_table(
    found: FactorEffects, *, link: str = "carino", by_group: bool = False
) -> pd.DataFrame:
    """Return what each factor contributed over all days, linked.

    Parameters
    ----------
    by_group : a row for each group of factors (market, sector, style) instead of each factor

    Returns
    -------
    name, group, exposure (mean active exposure; NaN for what is no factor), factor_return
    (compounded), contribution; after the factors the rows ``Specific``, and where they are not
    zero ``No exposures``, ``Cash`` and ``Trading and costs``; then ``Residual``, what all of them
    leave of the active return, and ``Total``, that return.
    """
    rates = linking(found.portfolio, found.benchmark, link=link)
    linked = pd.Series(rates @ found.effects.to_numpy(dtype=float), index=found.effects.columns)
    factors = list(found.factor_returns.columns)
    table = pd.DataFrame(
        {
            "group": found.groups.reindex(factors),
            "exposure": found.exposures.mean(),
            "factor_return": (1.0 + found.factor_returns).prod() - 1.0,
            "contribution": linked[factors],
        }
    ).rename_axis("name")
    if by_group:
        sums = table.groupby("group", sort=False)["contribution"].sum()
        table = pd.DataFrame(
            {"group": sums.index, "exposure": np.nan, "factor_return": np.nan, "contribution": sums}
        ).rename_axis("name")
    rows: dict[str, list[object]] = {}
    for name, kind in KINDS.items():
        if name == SPECIFIC or (found.effects[name] != 0.0).any():
            rows[name] = [kind, np.nan, np.nan, float(linked[name])]
    table = add_rows(table, rows)
    total = compound(found.portfolio) - compound(found.benchmark)
    left = total - float(table["contribution"].sum())
    last: dict[str, list[object]] = {
        RESIDUAL: ["residual", np.nan, np.nan, left],
        TOTAL: ["total", np.nan, np.nan, total],
    }
    return add_rows(table, last).reset_index()


def _fitted(
    history: FactorHistory,
    before: np.ndarray,
    assets: "pd.Index[str]",
    active: np.ndarray,
    factor_returns: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what the factors give each asset on each day, where they do, and active exposures.

    Parameters
    ----------
    before : by day, the row of the history whose exposures hold; below zero where there is none
    active, factor_returns : days × assets, days × factors
    """
    days, count = active.shape
    place = history.assets.get_indexer(assets)
    inside = np.flatnonzero(place >= 0)
    groups = history.factors["group"].to_numpy()
    sectors = history.factors.index[groups == "sector"].to_numpy()
    sector = history.sector.reindex(assets[inside]).to_numpy()
    dummies = (sector[:, None] == sectors[None, :]).astype(float)
    ones = np.ones((len(inside), int((groups == "market").sum())))
    fitted, modeled = np.zeros((days, count)), np.zeros((days, count), dtype=bool)
    y = np.zeros((days, len(groups)))
    for start in range(0, days, BATCH):
        rows = np.arange(start, min(start + BATCH, days))
        rows = rows[before[rows] >= 0]
        scores = history.styles[before[rows]][:, place[inside]].astype(float)
        # one asset among few may be all that is known of a date: the whole cross-section decides
        whole = fully_scored(history.styles[before[rows]])[:, place[inside]]
        for i, day in enumerate(rows):
            x = np.hstack([ones, dummies, np.nan_to_num(scores[i])])
            x = x * whole[i][:, None]
            fitted[day, inside] = x @ factor_returns[day]
            y[day] = active[day, inside] @ x
            modeled[day, inside] = whole[i]
    return fitted, modeled, y
