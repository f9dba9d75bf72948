"""From a universe's panel to its exposures and factor returns through time."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError
from tilt.factors import standardize
from tilt.factors.groups import Groups
from tilt.factors.regression import MARKET, CrossSections, cross_sections, least_assets
from tilt.factors.styles import LEAST_SHARE, STYLES, Style, array, descriptors
from tilt.frames import FactorHistory, Panel

logger = logging.getLogger(__name__)


def estimate_history(panel: Panel, *, styles: Sequence[Style] = STYLES) -> FactorHistory:
    """Score every style on every date and regress each day's returns on the scores before it.

    The estimation universe of a date is its members with a price, a market cap and a sector; every
    other asset with a price and a cap is scored by its statistics. The history begins on the first
    date on which every style is known for half of the estimation universe. A style whose fields are
    empty in the whole panel is left out, and so are the sectors where there is but one. A thin
    sector stays a factor, for in the market, its parent, a bet on it would not be seen; a sector
    without a member on a date has no return on that date.

    Raises
    ------
    DataError
        If the panel has no market caps, or never has every style for half of enough members.
    """
    raw = descriptors(panel)
    kept = tuple(s for s in styles if s.known_in(raw))
    for s in styles:
        if s not in kept:
            logger.warning("%s is left out of %s: no data for it", s.name, panel.universe)
    sectors = Groups.of(panel.securities["sector"].reindex(panel.assets))
    cap = array(panel.market_cap)
    priced = np.isfinite(array(panel.close)) & np.isfinite(cap) & (cap > 0)
    estu = priced & panel.member.to_numpy(dtype=bool) & (sectors.codes >= 0)
    first = _first_date(panel, raw, kept, estu, 1 + len(sectors.names) + len(kept))

    cap, priced, estu = cap[first:], priced[first:], estu[first:]
    values = {name: array(frame)[first:] for name, frame in raw.items()}
    scores, imputed = _score(values, kept, cap, priced, estu, sectors)
    names = tuple(s.name for s in kept)
    returns = array(panel.returns)[first:]
    fit = cross_sections(returns[1:], scores[:-1], cap[:-1], estu[:-1], sectors, names)
    return _labelled(panel, first, kept, sectors, scores, imputed, fit)


def _first_date(
    panel: Panel,
    raw: Mapping[str, pd.DataFrame],
    styles: Sequence[Style],
    estu: np.ndarray,
    factors: int,
) -> int:
    members = estu.sum(axis=1)
    if not members.any():
        raise DataError(
            f"'{panel.universe}' has no member with a price, a market cap and a sector; "
            "a factor model needs all three."
        )
    good = members >= least_assets(factors)
    short = "members with a price, a market cap and a sector"
    for style in styles:
        known = standardize.combine(
            [np.where(np.isfinite(array(raw[d])), 0.0, np.nan) for d in style.descriptors],
            list(style.descriptors.values()),
        )
        covered = (np.isfinite(known) & estu).sum(axis=1) >= LEAST_SHARE * members
        if good.any() and not (good & covered).any():
            short = f"members with {style.name}"
        good &= covered
    if not good.any():
        raise DataError(
            f"'{panel.universe}' has too few {short} on every date; "
            f"{factors} factors need {least_assets(factors)} assets and half of them with data."
        )
    return int(good.argmax())


def _score(
    values: Mapping[str, np.ndarray],
    styles: Sequence[Style],
    cap: np.ndarray,
    priced: np.ndarray,
    estu: np.ndarray,
    sectors: Groups,
) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and where they were imputed, dates × assets × styles."""
    size = standardize.standardize(np.where(priced, values["log_cap"], np.nan), cap, estu)
    scores = np.empty((*cap.shape, len(styles)))
    imputed = np.zeros(scores.shape, dtype=bool)
    place = {s.name: i for i, s in enumerate(styles)}
    for i, style in enumerate(styles):
        parts = [_descriptor(d, values[d], cap, priced, estu) for d in style.descriptors]
        z = standardize.composite(parts, list(style.descriptors.values()), cap, estu)
        z, filled = standardize.impute(z, size, cap, estu, sectors, scored=priced)
        if style.orthogonal_to:
            unknown = [o for o in style.orthogonal_to if place.get(o, i) >= i]
            if unknown:
                raise ArgumentError(
                    f"{style.name} is orthogonal to {unknown[0]}, which is not declared before it."
                )
            others = [scores[:, :, place[o]] for o in style.orthogonal_to]
            z = standardize.orthogonalize(z, others, cap, estu)
        scores[:, :, i], imputed[:, :, i] = z, filled
    return scores, imputed


def _descriptor(
    name: str, x: np.ndarray, cap: np.ndarray, priced: np.ndarray, estu: np.ndarray
) -> np.ndarray:
    x = np.where(priced, x, np.nan)
    kept = standardize.reject_outliers(x, estu)
    rejected = np.isfinite(x) & ~np.isfinite(kept)
    if rejected.any():
        logger.info("%s: %d of %d values are outliers", name, rejected.sum(), np.isfinite(x).sum())
    return standardize.zscore(standardize.clip(kept, estu), cap, estu)


def _labelled(
    panel: Panel,
    first: int,
    styles: Sequence[Style],
    sectors: Groups,
    scores: np.ndarray,
    imputed: np.ndarray,
    fit: CrossSections,
) -> FactorHistory:
    dates, factors = panel.dates[first:], describe(styles, sectors.names)
    told = [fit.factors.index(f) for f in factors.index]

    def through_time(values: np.ndarray, columns: pd.Index) -> pd.DataFrame:
        gap = np.full((1, values.shape[1]), np.nan)  # no return on the first date
        return pd.DataFrame(np.vstack([gap, values]), index=dates, columns=columns)

    return FactorHistory(
        factors=factors,
        dates=dates,
        assets=panel.assets,
        styles=scores,
        imputed=imputed,
        sector=panel.securities["sector"].reindex(panel.assets),
        returns=through_time(fit.factor_returns[:, told], factors.index),
        t_stats=through_time(fit.t_values[:, told], factors.index),
        r2=pd.Series(np.concatenate([[np.nan], fit.r2]), index=dates, name="r2"),
        specific_returns=through_time(fit.specific_returns, panel.assets),
        market_cap=panel.market_cap.iloc[first:],
    )


def describe(styles: Sequence[Style], sectors: Sequence[str]) -> pd.DataFrame:
    """Return group, description, descriptors, sign and source by factor.

    A single sector is the market, and no factor beside it.
    """
    source = "USE4: Menchero, Orr, Wang (2011)"
    rows = [
        (
            MARKET,
            "market",
            "Every asset has exposure 1; its pure portfolio is the market",
            "",
            1,
            source,
        ),
        *(
            (s, "sector", f"{s} against the market, all styles equal", "sector", 0, source)
            for s in (sectors if len(sectors) > 1 else ())
        ),
        *(
            (s.name, "style", s.description, ", ".join(s.descriptors), s.sign, s.source)
            for s in styles
        ),
    ]
    columns = ["factor", "group", "description", "descriptors", "sign", "source"]
    return pd.DataFrame(rows, columns=columns).set_index("factor")
