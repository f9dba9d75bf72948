"""What a portfolio risks, in one number or as a table that adds up.

All figures are yearly (252 days) unless they say otherwise, from the model's covariance per day.
``w`` are weights, ``b`` the benchmark's, ``a = w - b``; without a benchmark ``b`` is cash, so ``a``
is ``w``. Cash has no risk.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.special import ndtri

from tilt.errors import ZeroDenominatorError, one_of
from tilt.frames import Weights
from tilt.risk.loadings import NO_VARIANCE
from tilt.risk.model import CASH, RiskModel
from tilt.risk.tail import normal_density

DAYS = 252
CONFIDENCE = 0.95
NORMAL_LOSS = float(ndtri(CONFIDENCE))  # in deviations

MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "volatility": "Forecast volatility of the portfolio: √(252 w'Vw)",
        "tracking_error": "Forecast volatility against the benchmark: √(252 a'Va), a = w - b",
        "beta": "Sensitivity to the benchmark: w'Vb / b'Vb",
        "factor_volatility": "Volatility from factors: √(252 w'XFX'w)",
        "specific_volatility": "Volatility from single names: √(252 w'Sw), S specific",
        "factor_te": "Tracking error from factors: √(252 a'XFX'a)",
        "specific_te": "Tracking error from single names: √(252 a'Sa), S specific",
        "r_squared": "Share of the portfolio's variance that factors explain: w'XFX'w / w'Vw",
        "active_r_squared": "Share of the active variance that factors explain: a'XFX'a / a'Va",
        "var95": "Loss of one day exceeded on 5 % of days, normal, zero mean: 1.645 √(w'Vw)",
        "cvar95": "Mean loss of the worst 5 % of days, normal, zero mean: 2.063 √(w'Vw)",
        "active_share": "Part of the capital held otherwise than the benchmark: Σ|a|/2, with cash",
        "effective_n": "Number of equal positions with the same concentration: 1/Σw²",
        "names": "Number of positions",
        "market_risk": "Volatility from the market alone: √(252 y'Fy), y = X'w of the group",
        "market_te": "Tracking error from the market alone: √(252 y'Fy), y = X'a of the group",
        "sector_te": "Tracking error from sectors alone: √(252 y'Fy), y = X'a of the group",
        "style_te": "Tracking error from styles alone: √(252 y'Fy), y = X'a of the group",
    }
)

GROUPINGS = ("factor", "group", "sector", "position", "summary")
COLUMNS = [
    "name", "group", "exposure", "volatility", "correlation", "mctr", "ctr", "pct", "x_sigma_rho",
]  # fmt: skip


class _Books:
    """Portfolios beside one benchmark; every array has a column per portfolio, per day."""

    def __init__(
        self, model: RiskModel, weights: pd.DataFrame, benchmark: "Weights | None"
    ) -> None:
        self.x = model.exposures.to_numpy(dtype=float)
        self.f = model.factor_cov.to_numpy(dtype=float)
        self.delta = model.specific_var.to_numpy(dtype=float)[:, None]
        self.alone = model.unshared_var.to_numpy(dtype=float)
        self.links = model.links
        self.specific_times = model.specific_times
        self._groups = model.groups
        self.w = weights.to_numpy(dtype=float)
        self.b: np.ndarray = np.zeros((len(model.assets), 1))
        if benchmark is not None:
            self.b = model.vector(benchmark, "benchmark")[:, None]

    @cached_property
    def groups(self) -> np.ndarray:
        return self._groups.to_numpy()

    @cached_property
    def a(self) -> np.ndarray:
        return np.asarray(self.w - self.b)

    @cached_property
    def y_w(self) -> np.ndarray:
        return np.asarray(self.x.T @ self.w)

    @cached_property
    def y_b(self) -> np.ndarray:
        return np.asarray(self.x.T @ self.b)

    @cached_property
    def y_a(self) -> np.ndarray:
        return np.asarray(self.y_w - self.y_b)

    def factor_variance(self, y: np.ndarray) -> np.ndarray:
        return np.asarray((y * (self.f @ y)).sum(axis=0))

    def specific_variance(self, w: np.ndarray) -> np.ndarray:
        common = self.links.T @ w
        return np.asarray(self.alone @ (w * w) + (common * common).sum(axis=0))

    @cached_property
    def total(self) -> np.ndarray:
        return np.asarray(self.factor_variance(self.y_w) + self.specific_variance(self.w))

    @cached_property
    def active(self) -> np.ndarray:
        return np.asarray(self.factor_variance(self.y_a) + self.specific_variance(self.a))

    def group_volatility(self, y: np.ndarray, group: str) -> np.ndarray:
        return _yearly(self.factor_variance(np.where((self.groups == group)[:, None], y, 0.0)))

    def beta(self) -> np.ndarray:
        own = self.factor_variance(self.y_b) + self.specific_variance(self.b)
        cross = (self.y_w * (self.f @ self.y_b)).sum(axis=0)
        return _ratio(cross + (self.w * self.specific_times(self.b)).sum(axis=0), own)

    def active_share(self) -> np.ndarray:
        cash = np.abs(self.a.sum(axis=0))  # what one has in cash and the other has not
        return np.asarray((np.abs(self.a).sum(axis=0) + cash) / 2)


_FORMULAS: Mapping[str, Callable[[_Books], np.ndarray]] = MappingProxyType(
    {
        "volatility": lambda p: _yearly(p.total),
        "tracking_error": lambda p: _yearly(p.active),
        "beta": lambda p: p.beta(),
        "factor_volatility": lambda p: _yearly(p.factor_variance(p.y_w)),
        "specific_volatility": lambda p: _yearly(p.specific_variance(p.w)),
        "factor_te": lambda p: _yearly(p.factor_variance(p.y_a)),
        "specific_te": lambda p: _yearly(p.specific_variance(p.a)),
        "r_squared": lambda p: _ratio(p.factor_variance(p.y_w), p.total),
        "active_r_squared": lambda p: _ratio(p.factor_variance(p.y_a), p.active),
        "var95": lambda p: NORMAL_LOSS * np.sqrt(p.total),
        "cvar95": lambda p: normal_density(NORMAL_LOSS) / (1 - CONFIDENCE) * np.sqrt(p.total),
        "active_share": lambda p: p.active_share(),
        "effective_n": lambda p: _ratio(np.ones(p.w.shape[1]), (p.w**2).sum(axis=0)),
        "names": lambda p: (p.w != 0).sum(axis=0).astype(float),
        "market_risk": lambda p: p.group_volatility(p.y_w, "market"),
        "market_te": lambda p: p.group_volatility(p.y_a, "market"),
        "sector_te": lambda p: p.group_volatility(p.y_a, "sector"),
        "style_te": lambda p: p.group_volatility(p.y_a, "style"),
    }
)

_DENOMINATORS: Mapping[str, str] = MappingProxyType(
    {
        "beta": "the benchmark has no risk; give one to have a beta",
        "r_squared": "the portfolio has no risk to explain",
        "active_r_squared": "the portfolio is its benchmark, so there is no active risk to explain",
        "effective_n": "the portfolio holds nothing",
    }
)


def risk_measure(
    model: RiskModel, weights: Weights, benchmark: "Weights | None", measure: str
) -> float:
    """Return one measure of a portfolio.

    Parameters
    ----------
    weights, benchmark : by asset, fractions of capital; no benchmark means absolute risk
    measure : one of `MEASURES`

    Raises
    ------
    ArgumentError
        If the measure is unknown.
    UnknownNameError
        If a held asset is not in the model.
    ZeroDenominatorError
        If the measure is a ratio whose denominator is zero.
    """
    name = one_of("measure", measure, MEASURES)
    value = float(risk_measure_many(model, weights.to_frame("w"), benchmark, name).iloc[0])
    if np.isnan(value):
        raise ZeroDenominatorError(f"No {name}: {_DENOMINATORS[name]}.")
    return value


def risk_measure_many(
    model: RiskModel, weights: pd.DataFrame, benchmark: "Weights | None", measure: str
) -> "pd.Series[float]":
    """Return one measure of many portfolios, by portfolio.

    ``weights`` is assets × portfolios, NaN where nothing is held. A ratio whose denominator is zero
    is NaN, so that one empty portfolio does not sink the others.
    """
    name = one_of("measure", measure, MEASURES)
    books = _Books(model, _spread(model, weights), benchmark)
    return pd.Series(_FORMULAS[name](books), index=weights.columns, name=name)


def risk_shares(
    model: RiskModel, weights: pd.DataFrame, benchmark: "Weights | None"
) -> "tuple[pd.Series[float], pd.DataFrame]":
    """Return tracking errors by portfolio, and each position's share of them.

    ``weights`` is assets × portfolios; without a benchmark it is volatility. The shares of a
    portfolio sum to 1; those of one without risk are NaN.
    """
    aligned = weights if weights.index.equals(model.assets) else _spread(model, weights)
    w = aligned.to_numpy(dtype=float).T  # a portfolio's positions side by side, as a frame has them
    b = 0.0 if benchmark is None else model.vector(benchmark, "benchmark")
    variance, shares = model.loadings.shares(w, b)
    return (
        pd.Series(_yearly(variance), weights.columns, copy=False),
        pd.DataFrame(shares.T, model.assets, weights.columns, copy=False),
    )


def exposure(model: RiskModel, weights: Weights, factor: str) -> float:
    """Return a portfolio's exposure to one factor.

    Raises
    ------
    ArgumentError
        If the factor is unknown.
    """
    name = one_of("factor", factor, model.exposures.columns)
    w = model.vector(weights, "weights")
    return float(model.exposures[name].to_numpy(dtype=float) @ w)


def exposure_table(model: RiskModel, weights: Weights, benchmark: "Weights | None") -> pd.DataFrame:
    """Return factor, group, portfolio, benchmark and active exposure, a row per factor."""
    p = _Books(model, _spread(model, weights.to_frame("w")), benchmark)
    return pd.DataFrame(
        {
            "factor": model.exposures.columns.to_numpy(),
            "group": model.groups.to_numpy(),
            "portfolio": p.y_w[:, 0],
            "benchmark": p.y_b[:, 0],
            "active": p.y_a[:, 0],
        }
    )


def risk_table(
    model: RiskModel, weights: Weights, benchmark: "Weights | None", *, by: str = "factor"
) -> pd.DataFrame:
    """Decompose tracking error (volatility without a benchmark) into rows that sum to the last.

    Parameters
    ----------
    by : "factor" and "group" have one row for all specific risk, "position" and "sector" split the
        risk by holding, "summary" into factors and specific

    Returns
    -------
    name, group, exposure, volatility, correlation, mctr, ctr, pct, x_sigma_rho. ``ctr`` is
    exposure × ``mctr``, yearly, and sums to the total, ``pct`` to 1; x_sigma_rho is the same as
    size × volatility × correlation (Menchero, Davis 2011). The exposure of a position or sector is
    its active weight, a group counts once. A sector's volatility is that of its active positions
    as they are, its size one, so it has no marginal contribution. Positions have one more column,
    ``mctr_funded``: what one more per cent adds if a slice of the benchmark pays for it,
    ``mctr - Σ b mctr``.

    Raises
    ------
    ArgumentError
        If ``by`` is unknown.
    ZeroDenominatorError
        If the portfolio is its benchmark: there is no risk to decompose.
    """
    by = one_of("by", by, GROUPINGS)
    p = _Books(model, _spread(model, weights.to_frame("w")), benchmark)
    risk = float(_yearly(p.active)[0])
    if p.active[0] <= NO_VARIANCE:
        held = "no risk" if benchmark is None else "no active risk: it is its benchmark"
        raise ZeroDenominatorError(f"The portfolio has {held}. There is nothing to decompose.")
    if by == "factor":
        rows = [_factor_rows(model, p, risk), _specific_row(p, risk)]
    elif by == "group":
        rows = [_group_rows(model, p, risk), _specific_row(p, risk)]
    elif by == "summary":
        rows = [_piece_rows(["Factors"], ["factor"], p.y_a, p, risk), _specific_row(p, risk)]
    elif by == "position":
        rows = [_position_rows(model, p, risk)]
    else:
        rows = [_sector_rows(model, p, risk)]
    total = _rows(["Total"], ["total"], np.ones(1), np.array([risk]), np.ones(1), risk)
    return pd.concat([*rows, total], ignore_index=True)


def _rows(
    names: list[str],
    groups: list[str],
    size: np.ndarray,
    volatility: np.ndarray,
    correlation: np.ndarray,
    risk: float,
) -> pd.DataFrame:
    mctr = volatility * correlation
    ctr, product = size * mctr, size * volatility * correlation
    values = [names, groups, size, volatility, correlation, mctr, ctr, ctr / risk, product]
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def _factor_rows(model: RiskModel, p: _Books, risk: float) -> pd.DataFrame:
    volatility = _yearly(np.diag(p.f))
    correlation = DAYS * (p.f @ p.y_a)[:, 0] / (volatility * risk)
    factors = model.exposures.columns
    return _rows(list(factors), list(model.groups), p.y_a[:, 0], volatility, correlation, risk)


def _group_rows(model: RiskModel, p: _Books, risk: float) -> pd.DataFrame:
    names = list(dict.fromkeys(model.groups))
    parts = np.where(model.groups.to_numpy()[:, None] == np.array(names)[None, :], p.y_a, 0.0)
    return _piece_rows(names, names, parts, p, risk)


def _piece_rows(
    names: list[str], groups: list[str], parts: np.ndarray, p: _Books, risk: float
) -> pd.DataFrame:
    """Return a row per column of ``parts``, factor exposures that sum to the portfolio's."""
    volatility = _yearly(p.factor_variance(parts))
    ctr = DAYS * (parts * (p.f @ p.y_a)).sum(axis=0) / risk
    return _rows(names, groups, np.ones(len(names)), volatility, _of(ctr, volatility), risk)


def _specific_row(p: _Books, risk: float) -> pd.DataFrame:
    volatility = _yearly(p.specific_variance(p.a))
    return _rows(["Specific"], ["specific"], np.ones(1), volatility, volatility / risk, risk)


def _position_rows(model: RiskModel, p: _Books, risk: float) -> pd.DataFrame:
    held = ((p.w != 0) | (p.b != 0))[:, 0]
    volatility = _yearly(((p.x @ p.f) * p.x).sum(axis=1) + p.delta[:, 0])
    marginal = DAYS * (p.x @ (p.f @ p.y_a) + p.specific_times(p.a))[:, 0] / risk
    rows = _rows(
        list(model.assets),
        list(model.sector),
        p.a[:, 0],
        volatility,
        _of(marginal, volatility),
        risk,
    )
    funded = rows.assign(mctr_funded=marginal - float(p.b[:, 0] @ marginal))
    return funded.iloc[np.flatnonzero(held)]


def _sector_rows(model: RiskModel, p: _Books, risk: float) -> pd.DataFrame:
    sector = model.sector
    held = ((p.w != 0) | (p.b != 0))[:, 0]
    names = sorted(set(sector[held]))
    inside = sector.to_numpy()[:, None] == np.array(names)[None, :]
    parts = np.where(inside, p.a, 0.0)
    y = p.x.T @ parts
    volatility = _yearly(p.factor_variance(y) + p.specific_variance(parts))
    marginal = DAYS * (p.x @ (p.f @ p.y_a) + p.specific_times(p.a)) / risk
    ctr = (parts * marginal).sum(axis=0)
    shown = [name or "No sector" for name in names]
    rows = _rows(
        shown, ["sector"] * len(names), np.ones(len(names)), volatility, _of(ctr, volatility), risk
    )
    return rows.assign(exposure=parts.sum(axis=0), mctr=np.nan)


def _spread(model: RiskModel, weights: pd.DataFrame) -> pd.DataFrame:
    """Return assets × portfolios over all assets, without cash."""
    if weights.index.equals(model.assets):
        values = weights.to_numpy(dtype=float)
        holes = np.isnan(values)
        return weights if not holes.any() else weights.mask(holes, 0.0)
    given = weights.drop(index=CASH) if CASH in weights.index else weights
    values = given.to_numpy(dtype=float)
    values = np.where(np.isnan(values), 0.0, values)
    used = pd.Series(np.abs(values).max(axis=1, initial=0.0), index=given.index)
    model.positions(used, "the portfolio")  # a held name without risk data is an error
    place = model.assets.get_indexer(given.index)
    aligned = np.zeros((len(model.assets), values.shape[1]))
    aligned[place[place >= 0]] = values[place >= 0]
    return pd.DataFrame(aligned, index=model.assets, columns=given.columns)


def _yearly(variance: np.ndarray) -> np.ndarray:
    """Return the yearly volatility of a variance per day."""
    return np.asarray(np.sqrt(DAYS * np.maximum(variance, 0.0)))


def _of(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole; a part of nothing (but rounding) is nothing."""
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 1e-11))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return above / below, NaN where there is nothing below."""
    return np.asarray(above / np.where(below > NO_VARIANCE, below, np.nan))
