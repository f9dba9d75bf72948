"""What a style's scores and its pure portfolio measure about it, on one date."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.factors.evaluate import LEAST_NAMES
from tilt.factors.ranking import buckets, ranks
from tilt.factors.regression import pure_portfolios
from tilt.frames import FactorHistory, Panel, fully_scored

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
    date, scores = history.dates[row], history.styles[row]
    cap = panel.market_cap.loc[date].to_numpy(dtype=float)
    member = panel.member.loc[date].to_numpy(dtype=bool)
    sector = history.sector.reindex(history.assets)
    inside = fully_scored(scores) & member & (cap > 0) & sector.notna().to_numpy()
    names = history.assets[inside]
    known = np.isfinite(scores[inside]).any(axis=0)
    styles = pd.DataFrame(scores[inside][:, known], names, pd.Index(history.style_names)[known])
    return pure_portfolios(styles, pd.Series(cap[inside], names), sector[inside])


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
