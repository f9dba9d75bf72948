"""The measurements of a factor's body, each beside its own past and the other factors'.

Height, vigor, posture and the like are of a year of its returns; build, girth, memory and the like
are of its scores and its pure portfolio. As on a growth chart, the question is not only how large a
number is but how unusual for this factor: the percentile says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.errors import UnknownNameError
from tilt.factors import build, gait
from tilt.factors.descriptors import array
from tilt.factors.evaluate import (
    forward_returns,
    ic_summary,
    information_coefficients,
    quantile_returns,
)
from tilt.factors.ranking import ranks
from tilt.factors.regression import MARKET
from tilt.frames import FactorHistory, Panel

YEAR, MONTH = 252, 21
YEARS_BACK = 3
AHEAD = MONTH + 1  # days until the return after a score is known
COLUMNS = ("measure", "value", "three_year", "percentile", "rank", "meaning")
EYESIGHT: Mapping[str, str] = {
    "eyesight": "mean rank correlation of scores with the returns of the next 21 days",
    "eyesight_ir": "that mean over its deviation, for a year",
    "eyesight_order": "rank correlation of fifth and mean return",
}
Table = dict[str, np.ndarray]  # by measure: points × factors


def factor_shape(
    panel: Panel, raw: Mapping[str, pd.DataFrame], factor: str, date: pd.Timestamp
) -> pd.DataFrame:
    """Return the shape of a factor at the close of a date.

    Parameters
    ----------
    panel : with its factor history; nothing after ``date`` is looked at
    raw : the descriptors, dates × assets
    factor : of the history, its name as it is

    Returns
    -------
    measure, value (over the last year), three_year (over the last three), percentile (share of the
    factor's own year-long values, a month apart, that are not above it), rank (1 is the largest of
    its group), meaning. What is measured on dates is a mean of the dates a month apart.

    Raises
    ------
    UnknownNameError
        If the history has under a year by then.
    """
    seen = panel.until(date)
    history = seen.factors
    days = len(history.dates)
    if days <= YEAR:
        raise UnknownNameError(
            f"The shape of a factor needs {YEAR} days of returns; there are {max(days - 1, 0)} on "
            f"{date:%Y-%m-%d}."
        )
    ends = np.arange(days - 1, YEAR - 1, -MONTH)[::-1]
    group = history.factors["group"].loc[factor]
    names = [str(f) for f in history.factors.index[history.factors["group"] == group]]
    at = names.index(factor)
    year, three = _of_returns(history, names, at, ends)
    meanings = dict(gait.MEANINGS)
    if group == "style":
        more, longer = _of_bodies(seen, history, names, at, raw, ends)
        year, three = year | more, three | longer
        meanings = meanings | build.MEANINGS | build.LEGS | dict(EYESIGHT)
    return _page(year, three, meanings, at)


def _page(
    year: Table, three: Mapping[str, float], meanings: Mapping[str, str], at: int
) -> pd.DataFrame:
    rows = []
    for measure, meaning in meanings.items():
        own = year[measure][:, at]
        value, peers = own[-1], year[measure][-1]
        past = own[np.isfinite(own)]
        known = bool(np.isfinite(value))
        rows.append(
            (
                measure,
                value,
                three[measure],
                float((past <= value).mean()) if known else np.nan,
                float(1 + (peers[np.isfinite(peers)] > value).sum()) if known else np.nan,
                meaning,
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _of_returns(
    history: FactorHistory, names: list[str], wanted: int, ends: np.ndarray
) -> tuple[Table, dict[str, float]]:
    """Return each measure of a year, ends × factors, and the wanted factor's over three years.

    The others of the group are measured at the last end only, for the ranks; NaN before.
    """
    returns = history.returns[names].to_numpy(dtype=float)
    t_values = history.t_stats[names].to_numpy(dtype=float)
    market = history.returns[MARKET].to_numpy(dtype=float)
    forecast = gait.forecasts(returns)

    def over(end: int, length: int, at: int) -> dict[str, float]:
        part = slice(max(end + 1 - length, 0), end + 1)
        return gait.measure(returns[part], at, t_values[part, at], market[part], forecast[part, at])

    year = {m: np.full((len(ends), len(names)), np.nan) for m in gait.MEANINGS}
    for i, end in enumerate(ends):
        for at in range(len(names)) if i == len(ends) - 1 else (wanted,):
            for measure, value in over(int(end), YEAR, at).items():
                year[measure][i, at] = value
    return year, over(int(ends[-1]), YEARS_BACK * YEAR, wanted)


def _of_bodies(
    panel: Panel,
    history: FactorHistory,
    names: list[str],
    wanted: int,
    raw: Mapping[str, pd.DataFrame],
    ends: np.ndarray,
) -> tuple[Table, dict[str, float]]:
    """Return the measures of scores and pure portfolios, means of the months of a year."""
    months = np.arange(int(ends[-1]), -1, -MONTH)[::-1]
    scores = [build.Scores.of(panel, history, months, at) for at in range(len(names))]
    pure = _portfolios(panel, history, names, months)
    monthly = _monthly(panel, history, names, wanted, months, scores)
    for i in range(len(months)):
        found = build.of_portfolios(pure[i], pure[i - 1] if i else None)
        for measure, values in found.items():
            monthly.setdefault(measure, np.full((len(months), len(names)), np.nan))[i] = values
    monthly["build"] = _apart(history, names, raw, months, scores)
    year: Table = {}
    three: dict[str, float] = {}
    recent = months > ends[-1] - YEARS_BACK * YEAR
    for measure, values in monthly.items():
        points = [values[(months <= end) & (months > end - YEAR)] for end in ends]
        year[measure] = np.array([_column_means(p) for p in points])
        three[measure] = float(_column_means(values[recent])[wanted])
    sight, longer = _eyesight(panel, history, wanted, ends)
    legs, long_legs = _balance(panel, history, pure, months, wanted, ends)
    return year | sight | legs, three | longer | long_legs


def _portfolios(
    panel: Panel, history: FactorHistory, names: list[str], months: np.ndarray
) -> np.ndarray:
    """Return the pure portfolios of the styles, months × styles × assets."""
    place = history.factors.index.get_indexer(pd.Index(names))
    return np.stack([build.pure_at(panel, history, int(row))[place] for row in months])


def _monthly(
    panel: Panel,
    history: FactorHistory,
    names: list[str],
    wanted: int,
    months: np.ndarray,
    scores: list[build.Scores],
) -> Table:
    """Return the measures of each month's scores; of the others, of the last year only."""
    out: Table = {}
    for i, row in enumerate(months):
        late = row > months[-1] - YEAR
        cap = panel.market_cap.loc[history.dates[row]].to_numpy(dtype=float)
        crowd = build.Crowd.of_date(history, int(row))
        for at in range(len(names)) if late else (wanted,):
            for measure, value in scores[at].measured(i, cap, crowd).items():
                blank = np.full((len(months), len(names)), np.nan)
                out.setdefault(measure, blank)[i, at] = value
    return out


def _balance(
    panel: Panel,
    history: FactorHistory,
    pure: np.ndarray,
    months: np.ndarray,
    wanted: int,
    ends: np.ndarray,
) -> tuple[Table, dict[str, float]]:
    """Return the long leg's shares, each portfolio held for the month after it is known."""
    frame = panel.returns.reindex(index=history.dates, columns=history.assets)
    r = np.nan_to_num(array(frame))
    both = np.full((2, len(r), pure.shape[1]), np.nan)
    for i, row in enumerate(months):
        days = slice(row + 1, row + 1 + MONTH)
        both[0, days] = r[days] @ np.maximum(pure[i], 0).T
        both[1, days] = r[days] @ pure[i].T

    def over(end: int, length: int) -> np.ndarray:
        part = slice(max(end + 1 - length, 0), end + 1)
        return build.long_leg(both[0, part], both[1, part])

    told = np.stack([over(int(end), YEAR) for end in ends])
    longer = over(int(ends[-1]), YEARS_BACK * YEAR)
    year = {measure: told[:, :, i] for i, measure in enumerate(build.LEGS)}
    return year, {measure: float(longer[wanted, i]) for i, measure in enumerate(build.LEGS)}


def _apart(
    history: FactorHistory,
    names: list[str],
    raw: Mapping[str, pd.DataFrame],
    months: np.ndarray,
    scores: list[build.Scores],
) -> np.ndarray:
    """Return how far apart the fifths are in the first descriptor, in deviations of its past."""
    described = history.factors["descriptors"]
    out = np.full((len(months), len(names)), np.nan)
    for at, name in enumerate(names):
        made_of = str(described[name])
        frame = raw[made_of if made_of in raw else made_of.split(", ")[0]]
        rows = history.dates[months]
        out[:, at] = scores[at].apart(array(frame.reindex(index=rows, columns=history.assets)))
        known = out[np.isfinite(out[:, at]), at]
        sd = known.std(ddof=1) if len(known) > 2 else 0.0
        out[:, at] = (out[:, at] - known.mean()) / sd if sd > 0 else np.nan
    return out


def _eyesight(
    panel: Panel, history: FactorHistory, wanted: int, ends: np.ndarray
) -> tuple[Table, dict[str, float]]:
    """Return what scores foretold, by return windows that were over at each end."""
    frame = panel.returns.reindex(index=history.dates, columns=history.assets)
    member = panel.member.reindex(index=history.dates, columns=history.assets).to_numpy(dtype=bool)
    forward = forward_returns(array(frame), horizon=MONTH)
    styles = history.styles.shape[2]
    year = {m: np.full((len(ends), styles), np.nan) for m in EYESIGHT}
    three: dict[str, float] = {}
    for at in range(styles):
        first = 0 if at == wanted else max(int(ends[-1]) + 1 - YEAR, 0)
        scores = np.where(member[first:], history.styles[first:, :, at], np.nan)
        seen = _Sight.of(scores, forward[first:], history.dates[first:])
        for i, end in enumerate(ends):
            if at == wanted or i == len(ends) - 1:
                for measure, value in seen.told(int(end) - first, YEAR).items():
                    year[measure][i, at] = value
        if at == wanted:
            three = seen.told(int(ends[-1]), YEARS_BACK * YEAR)
    return year, three


@dataclass(frozen=True, eq=False)
class _Sight:
    """A factor's daily ICs, and the returns of its fifths on rows a month apart."""

    ic: np.ndarray
    rows: np.ndarray
    fifths: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, forward: np.ndarray, dates: pd.DatetimeIndex) -> "_Sight":
        rows = np.arange(len(scores) - 1 - AHEAD, -1, -MONTH)[::-1]
        fifths = np.full((len(rows), 5), np.nan)
        if (np.isfinite(scores[rows]).sum(axis=1) >= 5).any():
            found = quantile_returns(scores[rows], forward[rows], dates[rows])
            fifths = found.returns.to_numpy()
        return cls(information_coefficients(scores, forward), rows, fifths)

    def told(self, end: int, length: int) -> dict[str, float]:
        first, last = max(end + 1 - length, 0), max(end + 1 - AHEAD, 0)
        summary = ic_summary(self.ic[first:last], horizon=MONTH)
        mean = _column_means(self.fifths[(self.rows >= first) & (self.rows < last)])
        order = float("nan")
        if np.isfinite(mean).all() and np.ptp(mean) > 0:
            order = float(np.corrcoef(ranks(mean[None])[0], np.arange(5.0))[0, 1])
        return dict(zip(EYESIGHT, (summary["mean_ic"], summary["icir_annual"], order), strict=True))


def _column_means(x: np.ndarray) -> np.ndarray:
    """Return the mean of each column's known values; NaN where there is none."""
    known = np.isfinite(x)
    count = known.sum(axis=0)
    total = np.where(known, x, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
