"""Cells that judge factors: what they earned, what they foretold, how alike they are."""

from typing import Annotated

import numpy as np
import pandas as pd

from custom_functions._arguments import End, Start, Universe
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, cells, number, read_names, text
from tilt.api.books import date_of, grid_id, with_notes
from tilt.api.research import Scored, chosen_factors, factor_series, read_factor
from tilt.api.state import State, current
from tilt.api.values import Grid
from tilt.calendar import parse_date, period_ends
from tilt.errors import ArgumentError, one_of
from tilt.factors import evaluate
from tilt.factors.groups import Groups
from tilt.factors.inference import benjamini_hochberg, p_values
from tilt.factors.judged import quantile_table
from tilt.factors.series import compounded, correlation, factor_statistics
from tilt.frames import PERIODS_PER_YEAR, Panel
from tilt.portfolio.cells import is_zero

ALL = "*"  # all factors of the model; of the ICs of several, all styles
DATED = 3  # columns of a range of date, ticker and value
MOST_DAYS = 756
MOST_BUCKETS = 50

Factor = Annotated[
    Grid,
    cells("A factor, a field, an expression such as rank(roe), or date, ticker, value."),
]
Factors = Annotated[
    Grid | None,
    cells("Factors: Value, rank(roe), ...; or date, ticker, value; * or left out: the model's."),
]
Horizon = Annotated[float, number("Trading days ahead, 21 unless told.")]

_JUDGED = {
    "lag": "days between the score and the first day of the return: 1 (default), 0 to 21",
    "target": "return (default), or residual: what market and sector leave of it",
}


def _span(panel: Panel, start: object, end: object) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and the last date; left out, all that the factors have."""
    last = date_of(end, panel, "end")
    sessions = panel.factors.dates
    blank = start == 0 and not isinstance(start, bool)
    first = parse_date(None if blank else start, panel.dates, "start", default=sessions[0])
    if first > last:
        raise ArgumentError(f"start {first:%Y-%m-%d} is after end {last:%Y-%m-%d}.")
    return max(first, sessions[0]), last


def _series(
    panel: Panel, given: Grid | None, start: object, end: object
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return daily returns and t-values of the factors meant, and what is to be noted of them."""
    first, last = _span(panel, start, end)
    state = current()
    if given is None or (len(given) == len(given[0]) == 1 and is_zero(given[0][0])):
        history = panel.factors
        return history.returns.loc[first:last], history.t_stats.loc[first:last], []
    if len(given[0]) == DATED and len(given) > 1:
        chosen = [read_factor(state, panel, given)]
    else:
        model = [str(name) for name in panel.factors.factors.index]
        names = read_names(given, "factors")
        wanted = [one for name in names for one in (model if name == ALL else [name])]
        chosen = chosen_factors(state, panel, wanted)
    returns, t_values = factor_series(state, panel, chosen)
    returns, t_values = returns.loc[first:last], t_values.loc[first:last]
    notes = [
        f"{name} has no return in the period." for name in returns if returns[name].isna().all()
    ]
    return returns, t_values, notes


def _whole(value: float, name: str, least: int, most: int) -> int:
    if value != int(value) or not least <= value <= most:
        raise ArgumentError(f"{name} must be a whole number from {least} to {most}; got {value:g}.")
    return int(value)


@udf(
    result="date, then a column per factor",
    example='=TILT.FACTOR_RETURNS("Value,Momentum","-1Y",,"M")',
)
def factor_returns(
    factors: Factors = None,
    start: Start = None,
    end: End = None,
    frequency: Annotated[str, text("D (default), W, M, Q or Y.")] = "D",
    universe: Universe = None,
    options: Options = NO_OPTIONS,  # noqa: ARG001 - read by the edge
) -> pd.DataFrame:
    """Show what each factor returned, the others held still.

    Each day's returns of the members are regressed on the exposures of the close before; a style
    factor's return is that of a portfolio with exposure 1 to it and 0 to all others, before costs.
    Over a longer period days are compounded. A factor that was not known on a day is #N/A.
    """
    panel = current().panel(universe)
    frame, _, notes = _series(panel, factors, start, end)
    period = one_of("frequency", frequency, PERIODS_PER_YEAR)
    if period != "D":
        frame = compounded(frame, period_ends(pd.DatetimeIndex(frame.index), period))
    return with_notes(frame.rename_axis(index="date", columns=None).reset_index(), tuple(notes))


@udf(
    result="factor, mean, volatility, ir, t_stat, max_drawdown, mean_abs_t, share_t_over_2, "
    "autocorrelation, p_value_bh, observations",
    example="=TILT.FACTOR_STATS()",
)
def factor_stats(
    factors: Factors = None,
    start: Start = None,
    end: End = None,
    universe: Universe = None,
    options: Options = NO_OPTIONS,  # noqa: ARG001 - read by the edge
) -> pd.DataFrame:
    """Sum up factor returns: mean, volatility, how sure, how deep the fall.

    Mean and volatility are for a year, arithmetic. t_stat allows for serial correlation
    (Newey, West 1987). mean_abs_t and share_t_over_2 are of the daily regressions (HC1). p_value_bh
    is adjusted for how many factors are shown (Benjamini, Hochberg 1995).
    """
    panel = current().panel(universe)
    returns, t_values, notes = _series(panel, factors, start, end)
    return with_notes(factor_statistics(returns, t_values), tuple(notes))


@udf(
    result="a matrix with the factors above and beside it",
    example='=TILT.FACTOR_CORRELATION("Value,Momentum,Quality")',
)
def factor_correlation(
    factors: Factors = None,
    start: Start = None,
    end: End = None,
    universe: Universe = None,
) -> pd.DataFrame:
    """Correlate the daily returns of factors."""
    panel = current().panel(universe)
    returns, _, _ = _series(panel, factors, start, end)
    found = correlation(returns)
    return found.rename_axis(index="factor", columns=None).reset_index()


class _Judged:
    """A factor's scores over a period, and the returns that followed until its end."""

    def __init__(
        self,
        factor: Grid,
        horizon: float,
        start: object,
        end: object,
        universe: str | None,
        options: Options,
    ) -> None:
        self.state: State = current()
        panel = self.state.panel(universe)
        self.horizon = _whole(horizon, "horizon", 1, MOST_DAYS)
        self.lag = _whole(options.number("lag", 1), "option lag", 0, 21)
        self.target = one_of("option target", options.text("target", "return"), _TARGETS)
        found = read_factor(self.state, panel, factor)
        first, last = _span(panel, start, end)
        seen = panel.until(last)
        rows = seen.dates >= first
        self.scored: Scored = found
        self.dates = seen.dates[rows]
        member = seen.member.to_numpy(dtype=bool)
        scores = found.scores.loc[:last].to_numpy(dtype=float)
        self.scores = np.where(member, scores, np.nan)[rows]
        self.caps = seen.market_cap.to_numpy(dtype=float)[rows]
        self.returns = self._returns(seen, member)[rows]
        self.key = (
            panel.universe, panel.snapshot, grid_id(factor), found.name, self.horizon, self.lag,
            self.target, first, last,
        )  # fmt: skip
        self.notes = found.notes
        if self.lag == 0:
            self.notes = (*self.notes, "lag=0 trades at the close that the score is made of.")

    def _returns(self, panel: Panel, member: np.ndarray) -> np.ndarray:
        r = panel.returns.to_numpy(dtype=float)
        if self.target == "return":
            return r
        sectors = Groups.of(panel.securities["sector"].reindex(panel.assets))
        caps = np.vstack([np.full((1, r.shape[1]), np.nan), panel.market_cap.to_numpy()[:-1]])
        before = np.vstack([np.zeros((1, r.shape[1]), dtype=bool), member[:-1]])
        return evaluate.residual_returns(r, caps, before, sectors)

    def forward(self) -> np.ndarray:
        """Return the returns over the horizon after each date; NaN where they are not over yet."""
        return evaluate.forward_returns(self.returns, horizon=self.horizon, lag=self.lag)


_TARGETS = ("return", "residual")
_IC_VIEWS = ("summary", "series", "decay", "factors")


@udf(
    result="measure, value; or by the view: date, ic; window, first_day, last_day, mean_ic, t_hac; "
    "factor, mean_ic, sd_ic, icir, icir_annual, t_hac, hit_rate, observations, p_value_bh",
    example='=TILT.FACTOR_IC("Momentum",21)',
    keys={
        "view": "summary (default), series, decay, or factors: a row for each of several, * for "
        "all styles",
        "method": "spearman (default, of ranks) or pearson",
        **_JUDGED,
    },
)
def factor_ic(
    factor: Factor,
    horizon: Horizon = 21.0,
    start: Start = None,
    end: End = None,
    universe: Universe = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Correlate a factor's scores with the returns that followed: its information coefficient.

    Each day's scores of the members are held against their returns over the next ``horizon`` days,
    beginning a day after the score is known. icir is mean over deviation of the daily figures;
    icir_annual multiplies it by the root of the windows in a year. t_hac allows for windows that
    overlap. half_life is from disjoint windows ever further ahead (view decay), in days. With
    view=factors p_value_bh is adjusted for how many are shown (Benjamini, Hochberg 1995).
    """
    view = one_of("option view", options.text("view", "summary"), _IC_VIEWS)
    method = one_of("option method", options.text("method", "spearman"), ("spearman", "pearson"))
    if view == "factors":
        styles = current().panel(universe).factors.style_names
        given = list(dict.fromkeys(read_names(factor, "factor")))
        rows = {
            name: _ic_of(_Judged([[name]], horizon, start, end, universe, options), method)
            for name in (styles if given == [ALL] else given)
        }
        return _adjusted(rows)
    judged = _Judged(factor, horizon, start, end, universe, options)

    def decay() -> pd.DataFrame:
        return evaluate.ic_decay(
            judged.scores, judged.returns, horizon=judged.horizon, lag=judged.lag, method=method
        )

    if view == "decay":
        found = judged.state.once(("ic decay", method, *judged.key), decay)
        return with_notes(found, judged.notes)
    if view == "series":
        series = _ic_series(judged, method)
        kept = np.isfinite(series)
        return with_notes(
            pd.DataFrame({"date": judged.dates[kept], "ic": series[kept]}), judged.notes
        )
    summary = _ic_of(judged, method)
    ahead = judged.state.once(("ic decay", method, *judged.key), decay)
    middle = (ahead["first_day"] + ahead["last_day"]).to_numpy(dtype=float) / 2
    summary["half_life"] = evaluate.half_life(middle, ahead["mean_ic"].to_numpy(dtype=float))
    table = pd.DataFrame({"measure": list(summary), "value": list(summary.values())})
    return with_notes(table, judged.notes)


def _ic_series(judged: _Judged, method: str) -> np.ndarray:
    def ic() -> np.ndarray:
        return evaluate.information_coefficients(judged.scores, judged.forward(), method=method)

    return judged.state.once(("ic", method, *judged.key), ic)


def _ic_of(judged: _Judged, method: str) -> dict[str, float]:
    return evaluate.ic_summary(_ic_series(judged, method), horizon=judged.horizon)


def _adjusted(rows: dict[str, dict[str, float]]) -> pd.DataFrame:
    """Return a row per factor, with p-values that allow for how many there are."""
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("factor").reset_index()
    p = p_values(table["t_hac"].to_numpy(), table["observations"].to_numpy())
    return table.assign(p_value_bh=benjamini_hochberg(p))


@udf(
    result="quantile, mean_return, volatility, sharpe, turnover, count, t_hac, monotonicity, "
    "p_value; the last row is the spread; or date and a column per quantile",
    example='=TILT.FACTOR_QUANTILES("Value",5,21)',
    keys={
        "view": "table (default) or series",
        "weights": "equal (default) or cap, within a quantile",
        **_JUDGED,
    },
    totals=1,
)
def factor_quantiles(
    factor: Factor,
    quantiles: Annotated[float, number("How many portfolios, 5 unless told.")] = 5.0,
    horizon: Horizon = 21.0,
    start: Start = None,
    end: End = None,
    universe: Universe = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Show what portfolios of the members ordered by a factor earned, the lowest scores first.

    Every ``horizon`` days the members are put into portfolios by rank and held until the next time.
    mean_return and volatility are for a year, arithmetic, before costs; turnover is one way at each
    rebalance. The spread is the highest less the lowest. monotonicity is the rank correlation of
    quantile and mean return; p_value is the chance of so ordered means where there is no order
    (Patton, Timmermann 2010), by 1000 seeded draws.
    """
    judged = _Judged(factor, horizon, start, end, universe, options)
    view = one_of("option view", options.text("view", "table"), ("table", "series"))
    by = one_of("option weights", options.text("weights", "equal"), ("equal", "cap"))
    count = _whole(quantiles, "quantiles", 2, MOST_BUCKETS)

    def work() -> evaluate.Buckets:
        step = slice(None, None, judged.horizon)
        return evaluate.quantile_returns(
            judged.scores[step],
            judged.forward()[step],
            judged.dates[step],
            quantiles=count,
            caps=judged.caps[step] if by == "cap" else None,
        )

    found = judged.state.once(("quantiles", count, by, *judged.key), work)
    if view == "series":
        shown = found.returns.assign(spread=found.spread).dropna(how="all")
        return with_notes(shown.rename_axis(index="date").reset_index(), judged.notes)
    return with_notes(quantile_table(found, judged.horizon), judged.notes)
