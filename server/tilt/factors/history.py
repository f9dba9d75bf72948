"""From a universe's panel to its exposures and factor returns through time."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError
from tilt.factors import standardize
from tilt.factors.descriptors import LEAST_SHARE, array, descriptors
from tilt.factors.groups import Groups
from tilt.factors.issuers import issuers_of
from tilt.factors.regression import MARKET, CrossSections, cross_sections, least_assets
from tilt.factors.styles import STYLES, Style
from tilt.frames import FactorHistory, Panel

logger = logging.getLogger(__name__)


def estimate_history(
    panel: Panel, *, styles: Sequence[Style] = STYLES, earlier: FactorHistory | None = None
) -> FactorHistory:
    """Score every style on every date and regress each day's returns on the scores before it.

    The estimation universe of a date is its members with a price, a market cap and a sector; every
    other asset with a price and a cap is scored by its statistics. A style begins on the first date
    on which it is known for half of the estimation universe; before, it has no scores and no
    returns, and the others are regressed without it. The history begins when half of the styles
    have begun. A style that never begins is left out (``left_out`` says why), and so are the
    sectors where there is but one. A thin sector stays a factor, for in the market, its parent, a
    bet on it would not be seen; a sector without a member on a date has no return on that date.

    Parameters
    ----------
    earlier : history of an earlier panel that is the past of this one, value for value; its dates
        are taken over as they are and only the later ones are estimated, with the same result

    Raises
    ------
    DataError
        If the panel has no market caps, or never enough members with half of the styles.
    """
    raw = descriptors(panel)
    sectors = Groups.of(panel.securities["sector"].reindex(panel.assets))
    cap = array(panel.market_cap)
    priced = np.isfinite(array(panel.close)) & np.isfinite(cap) & (cap > 0)
    estu = priced & panel.member.to_numpy(dtype=bool) & (sectors.codes >= 0)
    _check_members(panel, estu, 1 + len(sectors.names))
    covered = {s.name: _covered(s, raw, estu) for s in styles}
    kept = tuple(s for s in styles if covered[s.name].any())
    for name, why in _reasons(styles, raw, covered).items():
        logger.warning("%s is left out of %s: %s", name, panel.universe, why)
    first, begins = _first_date(panel, [covered[s.name] for s in kept], estu, sectors)

    begun = _begun(earlier, panel, first, kept, sectors)
    done = 0 if begun is None else len(begun.dates)
    new = slice(first + done, None)
    values = {name: array(frame)[new] for name, frame in raw.items()}
    scores, imputed = _score(values, kept, styles, cap[new], priced[new], estu[new], sectors)
    for i, begin in enumerate(begins):
        left = max(begin - done, 0)
        scores[:left, :, i], imputed[:left, :, i] = np.nan, False
    if begun is not None:
        scores = np.concatenate([begun.styles, scores])
        imputed = np.concatenate([begun.imputed, imputed])
    after = max(done, 1)  # a return needs the scores of the day before
    before = slice(after - 1, -1)
    fit = cross_sections(
        array(panel.returns)[first:][after:],
        scores[before],
        cap[first:][before],
        estu[first:][before],
        sectors,
        tuple(s.name for s in kept),
    )
    return _labelled(panel, first, kept, sectors, scores, imputed, fit, begun)


def _begun(
    earlier: FactorHistory | None,
    panel: Panel,
    first: int,
    styles: Sequence[Style],
    sectors: Groups,
) -> FactorHistory | None:
    """Return ``earlier`` if it has the same first date, assets and factors, or None."""
    if earlier is None or earlier.dates[0] != panel.dates[first]:
        return None
    factors = describe(styles, sectors.names)
    same = earlier.factors.equals(factors) and earlier.assets.equals(panel.assets)
    return earlier if same and len(earlier.dates) <= len(panel.dates) - first else None


def left_out(panel: Panel, styles: Sequence[Style] = STYLES) -> dict[str, str]:
    """Return why each style that the panel's data cannot give is left out of its model."""
    raw = descriptors(panel)
    sectors = Groups.of(panel.securities["sector"].reindex(panel.assets))
    cap = array(panel.market_cap)
    priced = np.isfinite(array(panel.close)) & np.isfinite(cap) & (cap > 0)
    estu = priced & panel.member.to_numpy(dtype=bool) & (sectors.codes >= 0)
    return _reasons(styles, raw, {s.name: _covered(s, raw, estu) for s in styles})


def _reasons(
    styles: Sequence[Style],
    raw: Mapping[str, pd.DataFrame],
    covered: Mapping[str, np.ndarray],
) -> dict[str, str]:
    reasons = {}
    for style in styles:
        if covered[style.name].any():
            continue
        empty = [d for d in style.descriptors if raw[d].isna().all(axis=None)]
        reasons[style.name] = (
            f"no data for it ({', '.join(empty)})"
            if not style.known_in(raw)
            else "its descriptors are known for under half of the members on every date"
        )
    return reasons


def _check_members(panel: Panel, estu: np.ndarray, factors: int) -> None:
    most = int(estu.sum(axis=1).max(initial=0))
    if not most:
        raise DataError(
            f"'{panel.universe}' has no member with a price, a market cap and a sector; "
            "a factor model needs all three."
        )
    if most < least_assets(factors):
        raise DataError(
            f"'{panel.universe}' has too few members with a price, a market cap and a sector on "
            f"every date; {factors} factors need {least_assets(factors)} assets."
        )


def _covered(style: Style, raw: Mapping[str, pd.DataFrame], estu: np.ndarray) -> np.ndarray:
    """Return the dates on which half of the estimation universe has the style's descriptors."""
    known = standardize.combine(
        [np.where(np.isfinite(array(raw[d])), 0.0, np.nan) for d in style.descriptors],
        list(style.descriptors.values()),
    )
    members = estu.sum(axis=1)
    return np.asarray(
        (members > 0) & ((np.isfinite(known) & estu).sum(axis=1) >= LEAST_SHARE * members)
    )


def _first_date(
    panel: Panel, covered: Sequence[np.ndarray], estu: np.ndarray, sectors: Groups
) -> tuple[int, list[int]]:
    """Return the first row of the history, and each style's first row counted from there."""
    factors = 1 + len(sectors.names) + len(covered)
    enough = estu.sum(axis=1) >= least_assets(factors)
    starts = [int((c & enough).argmax()) if (c & enough).any() else len(enough) for c in covered]
    half = sorted(starts)[max(-(-len(starts) // 2), 1) - 1] if starts else len(enough)
    if half == len(enough):
        raise DataError(
            f"'{panel.universe}' has too few members with half of the styles on every date; "
            f"{factors} factors need {least_assets(factors)} assets and half of them with data."
        )
    return half, [max(start - half, 0) for start in starts]


def _score(
    values: Mapping[str, np.ndarray],
    styles: Sequence[Style],
    declared: Sequence[Style],
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
        others = _earlier(style, styles[:i], declared)
        if others:
            z = standardize.orthogonalize(z, [scores[:, :, place[o]] for o in others], cap, estu)
        scores[:, :, i], imputed[:, :, i] = z, filled
    return scores, imputed


def _earlier(style: Style, before: Sequence[Style], declared: Sequence[Style]) -> list[str]:
    """Return the styles that ``style`` is made orthogonal to; one without data is left out."""
    order = [s.name for s in declared]
    for name in style.orthogonal_to:
        if name not in order[: order.index(style.name)]:
            raise ArgumentError(
                f"{style.name} is orthogonal to {name}, which is not declared before it."
            )
    return [s.name for s in before if s.name in style.orthogonal_to]


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
    begun: FactorHistory | None,
) -> FactorHistory:
    dates, factors = panel.dates[first:], describe(styles, sectors.names)
    told = [fit.factors.index(f) for f in factors.index]
    gap = np.full((1, len(factors)), np.nan)  # no return on the first date

    def through_time(earlier: np.ndarray, values: np.ndarray, columns: pd.Index) -> pd.DataFrame:
        return pd.DataFrame(np.vstack([earlier, values]), index=dates, columns=columns)

    return FactorHistory(
        factors=factors,
        dates=dates,
        assets=panel.assets,
        styles=scores,
        imputed=imputed,
        sector=panel.securities["sector"].reindex(panel.assets),
        returns=through_time(
            gap if begun is None else begun.returns.to_numpy(),
            fit.factor_returns[:, told],
            factors.index,
        ),
        t_stats=through_time(
            gap if begun is None else begun.t_stats.to_numpy(), fit.t_values[:, told], factors.index
        ),
        r2=pd.Series(
            np.concatenate([[np.nan] if begun is None else begun.r2.to_numpy(), fit.r2]),
            index=dates,
            name="r2",
        ),
        specific_returns=through_time(
            np.full((1, len(panel.assets)), np.nan)
            if begun is None
            else begun.specific_returns.to_numpy(),
            fit.specific_returns,
            panel.assets,
        ),
        market_cap=panel.market_cap.iloc[first:],
        issuer=issuers_of(panel.securities).reindex(panel.assets),
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
