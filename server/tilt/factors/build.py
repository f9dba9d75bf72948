"""What a style's scores and its pure portfolio measure about it, on one date."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.factors.evaluate import LEAST_NAMES
from tilt.factors.ranking import buckets, ranks
from tilt.factors.regression import pure_portfolios
from tilt.frames import FactorHistory, Panel, fully_scored

QUARTER, MONTHS = 63, 12
TOP = 10
COST = 0.001  # of what is traded: 10 basis points
LEAST_DAYS = 126  # of a window with returns
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
    "metabolism_cost": "what that trading costs in a year for exposure 1, at 10 basis points",
    "memory": "rank correlation of scores with those 21 days before",
    "memory_half_life": "days until half of the ranks' order is forgotten, at that pace",
    "crowding": "mean correlation of specific returns in the top fifth less that within sectors",
}

LEGS: dict[str, str] = {
    "balance": "share of the mean return that the long leg of the pure portfolio earned",
    "balance_variance": "share of its variance that comes from the long leg",
}


def pure_at(panel: Panel, history: FactorHistory, row: int) -> np.ndarray:
    """Return the pure portfolios of a row of the history, factors × assets.

    Made of the members with every score; zero elsewhere, and for a factor without scores.
    """
    date, scores = history.dates[row], history.styles[row]
    cap = panel.market_cap.loc[date].to_numpy(dtype=float)
    member = panel.member.loc[date].to_numpy(dtype=bool)
    sector = history.sector.reindex(history.assets)
    inside = fully_scored(scores) & member & (cap > 0) & sector.notna().to_numpy()
    names = history.assets[inside]
    known = np.isfinite(scores[inside]).any(axis=0)
    styles = pd.DataFrame(scores[inside][:, known], names, pd.Index(history.style_names)[known])
    made = pure_portfolios(styles, pd.Series(cap[inside], names), sector[inside])
    out = np.zeros((len(history.factors), len(history.assets)))
    of_factor = made.index.get_indexer(history.factors.index)
    out[np.ix_(of_factor >= 0, inside)] = made.to_numpy()[of_factor[of_factor >= 0]]
    return out


def of_portfolios(w: np.ndarray, before: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return the measures of pure portfolios by factor; NaN where a factor has none.

    ``w`` is factors × assets, zero where nothing is held; ``before`` is that of 21 days earlier.
    """
    size = np.abs(w)
    gross = size.sum(axis=1)
    gross = np.where(gross > 0, gross, np.nan)
    largest = -np.sort(-size, axis=1)[:, :TOP].sum(axis=1)
    moved = np.full(len(w), np.nan)
    if before is not None:
        held = (before != 0).any(axis=1)
        moved = np.where(held, np.abs(w - before).sum(axis=1), np.nan)
    return {
        "girth": gross,
        "breadth_long": np.where(gross > 0, _effective(np.maximum(w, 0)), np.nan),
        "breadth_short": np.where(gross > 0, _effective(np.maximum(-w, 0)), np.nan),
        "concentration": largest / gross,
        "metabolism": moved / 2 / gross,
        "metabolism_cost": MONTHS * COST * moved,
    }


def long_leg(long: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return the long leg's share of mean and of variance, portfolios × 2.

    ``long`` and ``whole`` are days × portfolios, daily returns; NaN under 126 days.
    """
    out = np.full((whole.shape[1], len(LEGS)), np.nan)
    for i, (a, r) in enumerate(zip(long.T, whole.T, strict=True)):
        seen = np.isfinite(r) & (r != 0)
        if seen.sum() < LEAST_DAYS:
            continue
        mean, variance = r[seen].mean(), r[seen].var()
        out[i] = a[seen].mean() / mean, np.cov(a[seen], r[seen], ddof=0)[0, 1] / variance
    return out


def _effective(x: np.ndarray) -> np.ndarray:
    squares = (x**2).sum(axis=1)
    return np.where(squares > 0, x.sum(axis=1) ** 2 / np.where(squares > 0, squares, 1.0), 0.0)


@dataclass(frozen=True, eq=False)
class Scores:
    """A style's scores on some dates, dates × assets.

    member   : members with a score
    observed : those of them whose score is not fitted
    fifth    : of the observed ones, 5 the highest; 0 for the others
    """

    values: np.ndarray
    member: np.ndarray
    observed: np.ndarray
    fifth: np.ndarray

    @classmethod
    def of(cls, panel: Panel, history: FactorHistory, rows: np.ndarray, style: int) -> "Scores":
        values = history.styles[rows, :, style]
        member = panel.member.reindex(index=history.dates[rows]).to_numpy(dtype=bool)
        member = member & np.isfinite(values)
        observed = member & ~history.imputed[rows, :, style]
        fifth = buckets(ranks(np.where(observed, values, np.nan)), 5)
        return cls(values, member, observed, fifth)

    def apart(self, raw: np.ndarray) -> np.ndarray:
        """Return by date the mean of ``raw``, dates × assets: top fifth's less bottom fifth's."""
        known = np.isfinite(raw)
        top, bottom = known & (self.fifth == 5), known & (self.fifth == 1)
        return np.asarray(_means(raw, top) - _means(raw, bottom))

    def measured(self, i: int, cap: np.ndarray, crowd: "Crowd | None") -> dict[str, float]:
        """Return the measures of the date at ``i``, the one before being 21 days earlier."""
        member, observed = self.member[i], self.observed[i]
        total = np.nansum(cap[member])
        memory = self._memory(i)
        return {
            "coverage": float(observed.sum()),
            "coverage_cap": float(np.nansum(cap[observed]) / total) if total > 0 else float("nan"),
            "memory": memory,
            "memory_half_life": float(-21 * np.log(2) / np.log(memory))
            if 0 < memory < 1
            else float("nan"),
            "crowding": float("nan") if crowd is None else crowd.of(self.fifth[i] == 5),
        }

    def _memory(self, i: int) -> float:
        both = self.member[i] & np.isfinite(self.values[i - 1])
        if i < 1 or both.sum() < LEAST_NAMES:
            return float("nan")
        pair = ranks(np.stack([self.values[i, both], self.values[i - 1, both]]))
        return float(np.corrcoef(pair)[0, 1])


def _means(x: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    count = chosen.sum(axis=1)
    total = np.where(chosen, x, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@dataclass(frozen=True, eq=False)
class Crowd:
    """How specific returns moved in the quarter up to a date.

    z        : days × assets, of mean 0 and deviation 1
    whole    : assets with every day
    sector   : by asset
    together : mean correlation within each sector that has enough names
    """

    z: np.ndarray
    whole: np.ndarray
    sector: np.ndarray
    together: dict[str, float]

    @classmethod
    def of_date(cls, history: FactorHistory, row: int) -> "Crowd | None":
        """Return the crowd of a row of the history; None where there is no quarter before it."""
        if row < QUARTER:
            return None
        u = history.specific_returns.to_numpy()[row - QUARTER + 1 : row + 1]
        sd = np.nan_to_num(u).std(axis=0)
        whole = np.isfinite(u).all(axis=0) & (sd > 0)
        z = (u - u.mean(axis=0)) / np.where(whole, sd, 1.0)
        sector = history.sector.reindex(history.assets).to_numpy()
        together = {}
        for name in pd.unique(sector[whole]):
            alike = whole & (sector == name)
            if alike.sum() >= LEAST_PAIRED:
                together[name] = _together(z[:, alike])
        return cls(z, whole, sector, together)

    def of(self, top: np.ndarray) -> float:
        """Return how much more ``top`` moves together than its sectors do."""
        chosen = top & self.whole
        if chosen.sum() < LEAST_PAIRED:
            return float("nan")
        weight = {s: float((chosen & (self.sector == s)).sum()) for s in self.together}
        if not sum(weight.values()):
            return float("nan")
        within = np.average(list(self.together.values()), weights=list(weight.values()))
        return _together(self.z[:, chosen]) - float(within)


def _together(z: np.ndarray) -> float:
    """Return the mean correlation of the pairs of columns, each of mean 0 and deviation 1."""
    days, n = z.shape
    total = (z.sum(axis=1) ** 2).sum() / days
    return float((total - n) / (n * (n - 1)))
