"""What a style's scores and its pure portfolio measure about it, on one date."""

import numpy as np
import pandas as pd

from tilt.factors.evaluate import LEAST_NAMES
from tilt.factors.ranking import buckets, ranks
from tilt.factors.regression import pure_portfolios
from tilt.frames import FactorHistory, Panel

QUARTER = 63
TOP = 10
LEAST_PAIRED = 5  # names of a fifth that a mean correlation needs

MEANINGS: dict[str, str] = {
    "coverage": "members whose score is observed, not fitted",
    "coverage_cap": "their share of market cap",
    "build": "how far apart top and bottom fifth are in the raw descriptor, against its own past",
    "girth": "gross weight of the pure portfolio for exposure 1",
    "breadth_long": "effective number of names long in the pure portfolio",
    "breadth_short": "effective number of names short",
    "concentration": "share of the ten largest positions in its gross weight",
    "metabolism": "one-way turnover of the pure portfolio in a month, by its gross weight",
    "memory": "rank correlation of scores with those 21 days before",
    "memory_half_life": "days until half of the ranks' order is forgotten, at that pace",
    "crowding": "mean correlation of specific returns in the top fifth less that within sectors",
}


def pure_at(panel: Panel, history: FactorHistory, row: int) -> pd.DataFrame:
    """Return the pure portfolios of a row of the history, factors × members with every score."""
    date = history.dates[row]
    exposures = history.exposures(date)
    styles = exposures[history.style_names].dropna(axis=1, how="all")
    cap = panel.market_cap.loc[date].reindex(styles.index)
    sector = history.sector.reindex(styles.index)
    member = panel.member.loc[date].reindex(styles.index).to_numpy(dtype=bool)
    inside = member & (cap > 0).to_numpy() & sector.notna().to_numpy()
    names = styles.index[inside]
    return pure_portfolios(styles.loc[names], cap[names], sector[names])


def of_portfolio(w: "pd.Series[float]", before: "pd.Series[float] | None") -> dict[str, float]:
    """Return the measures of a pure portfolio; ``before`` is that of 21 days earlier."""
    x = w.to_numpy()
    gross = np.abs(x).sum()
    ordered = np.sort(np.abs(x))[::-1]
    moved = float("nan")
    if before is not None:
        names = w.index.union(before.index)
        now, then = w.reindex(names, fill_value=0.0), before.reindex(names, fill_value=0.0)
        moved = float((now - then).abs().sum() / 2 / gross)
    return {
        "girth": float(gross),
        "breadth_long": _effective(x[x > 0]),
        "breadth_short": _effective(x[x < 0]),
        "concentration": float(ordered[:TOP].sum() / gross),
        "metabolism": moved,
    }


def _effective(x: np.ndarray) -> float:
    return float(x.sum() ** 2 / (x @ x)) if len(x) else 0.0


def of_scores(
    panel: Panel, history: FactorHistory, row: int, style: int, earlier: int
) -> dict[str, float]:
    """Return the measures of a style's scores on a row of the history.

    ``earlier`` is the row 21 days before, negative where there is none.
    """
    cap = panel.market_cap.loc[history.dates[row]].to_numpy(dtype=float)
    member, observed = _known(panel, history, row, style)
    memory = _memory(history, row, style, earlier, member)
    total = np.nansum(cap[member])
    return {
        "coverage": float(observed.sum()),
        "coverage_cap": float(np.nansum(cap[observed]) / total) if total > 0 else float("nan"),
        "memory": memory,
        "memory_half_life": float(-21 * np.log(2) / np.log(memory))
        if 0 < memory < 1
        else float("nan"),
        "crowding": _crowding(history, row, _fifth(history, row, style, observed) == 5),
    }


def apart(panel: Panel, history: FactorHistory, row: int, style: int, raw: np.ndarray) -> float:
    """Return the mean of ``raw``, by asset, in the top fifth of scores less that in the bottom."""
    _, observed = _known(panel, history, row, style)
    fifth = _fifth(history, row, style, observed)
    return _mean(raw[fifth == 5]) - _mean(raw[fifth == 1])


def _known(
    panel: Panel, history: FactorHistory, row: int, style: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the members with a score, and those of them whose score is not fitted."""
    member = panel.member.loc[history.dates[row]].to_numpy(dtype=bool)
    member = member & np.isfinite(history.styles[row, :, style])
    return member, member & ~history.imputed[row, :, style]


def _fifth(history: FactorHistory, row: int, style: int, observed: np.ndarray) -> np.ndarray:
    x = np.where(observed, history.styles[row, :, style], np.nan)[None]
    return np.asarray(buckets(ranks(x), 5)[0])


def _mean(x: np.ndarray) -> float:
    known = x[np.isfinite(x)]
    return float(known.mean()) if len(known) else float("nan")


def _memory(
    history: FactorHistory, row: int, style: int, earlier: int, member: np.ndarray
) -> float:
    if earlier < 0:
        return float("nan")
    then = history.styles[earlier, :, style]
    both = member & np.isfinite(then)
    if both.sum() < LEAST_NAMES:
        return float("nan")
    pair = ranks(np.stack([history.styles[row, both, style], then[both]]))
    return float(np.corrcoef(pair)[0, 1])


def _crowding(history: FactorHistory, row: int, top: np.ndarray) -> float:
    """Return how much more the top fifth's specific returns move together than its sectors' do."""
    if row < QUARTER:
        return float("nan")
    u = history.specific_returns.to_numpy()[row - QUARTER + 1 : row + 1]
    whole = np.isfinite(u).all(axis=0) & (np.nan_to_num(u).std(axis=0) > 0)
    chosen = top & whole
    if chosen.sum() < LEAST_PAIRED:
        return float("nan")
    z = (u - u.mean(axis=0)) / np.where(whole, np.nan_to_num(u).std(axis=0), 1.0)
    sector = history.sector.reindex(history.assets).to_numpy()
    own, weight = [], []
    for name in pd.unique(sector[chosen]):
        alike = whole & (sector == name)
        if alike.sum() >= LEAST_PAIRED:
            own.append(_together(z[:, alike]))
            weight.append(float((chosen & alike).sum()))
    if not own:
        return float("nan")
    return _together(z[:, chosen]) - float(np.average(own, weights=weight))


def _together(z: np.ndarray) -> float:
    """Return the mean correlation of the pairs of columns, each of mean 0 and deviation 1."""
    days, n = z.shape
    total = (z.sum(axis=1) ** 2).sum() / days
    return float((total - n) / (n * (n - 1)))
