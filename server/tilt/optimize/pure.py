"""Portfolios of one factor: simple, pure, of least risk, and one that can be held.

- simple: a regression on the factor alone; unit exposure, whatever else comes along
- pure: the factor's row of the cross-sectional regression; unit exposure and none to any other
- min_risk: the exposures of the pure portfolio at the least specific risk
- investable: what of the benchmark plus the min_risk portfolio a fund within rules can hold, at the
  least tracking error to it

Menchero (2010), The Characteristics of Factor Portfolios; Clarke, de Silva, Murdock (2005).
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tilt.errors import DataError, one_of
from tilt.factors.regression import MARKET, pure_portfolios
from tilt.frames import Weights, listed
from tilt.optimize.constraints import Rule
from tilt.optimize.solve import Problem, solve
from tilt.risk.model import RiskModel

KINDS = ("simple", "pure", "min_risk", "investable")
DAYS = 252
NOTHING = 1e-7  # a weight that is a solver's rounding


@dataclass(frozen=True, eq=False)
class FactorCase:
    """One factor on one date, over the members of a universe.

    model     : the risk model of the date
    exposures : assets × factors, of the members; the factor is one of its columns
    caps      : market caps, by asset
    sector    : by asset
    factor    : a column of ``exposures``
    held      : what is held now, by asset of the model; None starts from the benchmark, or from
                nothing where the portfolio is long-short
    """

    model: RiskModel
    securities: pd.DataFrame
    exposures: pd.DataFrame
    caps: Weights
    sector: "pd.Series[str]"
    factor: str
    held: Weights | None = None

    @property
    def styles(self) -> pd.DataFrame:
        groups = self.model.groups.reindex(self.exposures.columns)
        return self.exposures.loc[:, (groups.isna() | (groups == "style")).to_numpy()]

    @property
    def benchmark(self) -> Weights:
        return self.caps / self.caps.sum()

    @property
    def own(self) -> "pd.Series[float]":
        """The exposures to the factor itself."""
        return self.exposures[self.factor]


@dataclass(frozen=True)
class Limits:
    """What an investable portfolio must keep.

    exposure     : that is striven for, above the benchmark's
    long_only    : no short position; otherwise long and short sum to zero
    max_weight   : of a name; of its absolute value where short positions are allowed
    max_turnover : one way, from what is held; None for no limit
    """

    exposure: float = 1.0
    long_only: bool = True
    max_weight: float = 0.05
    max_turnover: float | None = None


def open_factor(
    model: RiskModel,
    securities: pd.DataFrame,
    market_cap: Weights,
    members: "pd.Index[str]",
    factor: str,
    *,
    scores: Weights | None = None,
    held: Weights | None = None,
) -> FactorCase:
    """Return the case of a factor.

    Parameters
    ----------
    members : the estimation universe of the date; those with risk data and a cap are used
    scores : by asset, of a factor that is not in the model; names without a score are left out
    held : what is held now; a name without risk data must not be among it

    Raises
    ------
    ArgumentError
        If there is no such factor.
    DataError
        If no member is left, or a name that is held has no risk data.
    """
    if held is not None and len(unknown := held.index.difference(model.assets)):
        raise DataError(
            f"{listed(unknown)} is held and has no risk data on {model.date:%Y-%m-%d}. "
            "Take it out of the holdings or choose another date."
        )
    inside = model.assets.intersection(members)
    cap = market_cap.reindex(inside)
    inside = inside[((cap > 0) & securities["sector"].reindex(inside).notna()).to_numpy()]
    exposures = model.exposures.loc[inside]
    if scores is not None:
        exposures = exposures.assign(**{factor: scores.reindex(inside)}).dropna()
    if exposures.empty:
        raise DataError(f"No member has an exposure to '{factor}' on {model.date:%Y-%m-%d}.")
    name = one_of("factor", factor, map(str, exposures.columns))
    sector = securities["sector"].reindex(exposures.index)
    return FactorCase(model, securities, exposures, cap[exposures.index], sector, name, held)


def factor_portfolio(case: FactorCase, kind: str, limits: Limits) -> Weights:
    """Return the weights of one kind; a long-short portfolio sums to zero.

    Raises
    ------
    ArgumentError
        If there is no such kind.
    DataError
        If the factor is the same for all members, or repeats the others.
    NoSolutionError
        If no investable portfolio keeps the limits.
    """
    kind = one_of("option kind", kind, KINDS)
    if kind == "simple":
        return simple(case)
    if kind == "pure":
        return pure(case)
    if kind == "min_risk":
        return min_risk(case)
    return investable(case, limits)


def simple(case: FactorCase) -> Weights:
    """Return the portfolio of a regression on a constant and the factor, weights √cap."""
    x = case.exposures[case.factor].to_numpy(dtype=float)
    q = np.sqrt(case.caps.to_numpy(dtype=float))
    if case.factor == MARKET:
        return pd.Series(q / q.sum(), case.exposures.index)
    centered = x - (q @ x) / q.sum()
    spread = q @ centered**2
    if spread <= 1e-12 * q.sum():
        raise DataError(f"All members have the same exposure to {case.factor}.")
    return pd.Series(q * centered / spread, case.exposures.index)


def pure(case: FactorCase) -> Weights:
    """Return the portfolio whose return is the factor's in the cross-sectional regression."""
    return pure_portfolios(case.styles, case.caps, case.sector).T[case.factor]


def min_risk(case: FactorCase) -> Weights:
    """Return the portfolio with the exposures of the pure one and the least specific risk.

    The exposures settle the factor risk, so the rest is least squares: ``w = S⁻¹X (X'S⁻¹X)⁺ y``,
    S with the specific risk that issuers' share classes have in common.
    """
    X = case.exposures.to_numpy(dtype=float)
    y = X.T @ pure(case).to_numpy()
    scaled = _by_specific_risk(case.model.only(case.exposures.index), X)
    # market and sectors repeat each other, hence the pseudo-inverse
    return pd.Series(
        scaled @ (np.linalg.pinv(X.T @ scaled, hermitian=True) @ y), case.exposures.index
    )


def _by_specific_risk(model: RiskModel, X: np.ndarray) -> np.ndarray:
    """Return ``S⁻¹X`` with ``S = D + LL'`` (Woodbury)."""
    own = model.unshared_var.to_numpy(dtype=float)[:, None]
    linked = model.links
    scaled = X / own
    if not linked.shape[1]:
        return np.asarray(scaled)
    inner = np.eye(linked.shape[1]) + linked.T @ (linked / own)
    return np.asarray(scaled - (linked / own) @ np.linalg.solve(inner, linked.T @ scaled))


def investable(case: FactorCase, limits: Limits) -> Weights:
    """Return what can be held: nearest in risk to benchmark plus ``exposure`` of min_risk.

    Long-only it sums to one, otherwise it is the long-short portfolio alone and sums to zero.
    """
    base = case.benchmark if limits.long_only else 0.0 * case.benchmark
    start = base if case.held is None else case.held
    assets = case.exposures.index.union(start.index, sort=False)
    goal = (base + limits.exposure * min_risk(case)).reindex(assets, fill_value=0.0)
    most = limits.max_weight
    rules = [Rule("weight", "*", None if limits.long_only else -most, most)]
    if not limits.long_only:
        rules.append(Rule("net", "", 0.0, 0.0))
    if limits.max_turnover is not None:
        rules.append(Rule("turnover", "", None, limits.max_turnover))
    problem = Problem(
        "min_te",
        case.model.only(assets),
        case.securities,
        start.reindex(assets, fill_value=0.0),
        goal,
        rules=tuple(replace(r, row=i) for i, r in enumerate(rules, start=1)),
        options={"long_short": "no" if limits.long_only else "yes", "cash": 0.0},
    )
    return solve(problem).require().weights.reindex(case.exposures.index).fillna(0.0)


def compare(
    cases: tuple[FactorCase, FactorCase], limits: Limits, *, cost: float = 0.001
) -> pd.DataFrame:
    """Put the four kinds side by side: exposure, risk, turnover, cost.

    Parameters
    ----------
    cases : of the date, and of 21 trading days before, for the turnover
    cost : of trading, as a fraction of what is traded

    Returns
    -------
    measure and a column per kind; the long-only investable portfolio counts against the benchmark.
    Cost and turnover are for a portfolio of the exposure shown; ``*_per_exposure`` for one unit.
    ``risk_beyond_pure`` is the volatility, for one unit of exposure, of what departs from the pure
    portfolio; ``turnover_to_start`` and ``cost_to_start`` are those of getting there from what is
    held: from nothing for a long-short portfolio.
    """
    now, before = cases
    columns: dict[str, dict[str, float]] = {}
    reference = pure(now)
    for kind in KINDS:
        active = _active(now, kind, limits)
        earlier = _active(before, kind, limits)
        columns[kind] = _measures(now, active, earlier, reference, cost)
        columns[kind] |= _start(now, active, cost, against=_is_active(kind, limits))
    table = pd.DataFrame(columns).rename_axis("measure").reset_index()
    return table[["measure", *KINDS]]


def _is_active(kind: str, limits: Limits) -> bool:
    return kind == "investable" and limits.long_only


def _active(case: FactorCase, kind: str, limits: Limits) -> Weights:
    w = factor_portfolio(case, kind, limits)
    return w - case.benchmark if _is_active(kind, limits) else w


def _start(case: FactorCase, w: Weights, cost: float, *, against: bool) -> dict[str, float]:
    """Return turnover and cost of getting to a portfolio; ``against`` the benchmark it is given."""
    whole = w + case.benchmark if against else w
    held = case.held if against else 0.0 * w
    if held is None:
        held = case.benchmark
    traded = float(whole.sub(held, fill_value=0.0).abs().sum())
    return {"turnover_to_start": traded / 2, "cost_to_start": traded * cost}


def _measures(
    case: FactorCase, w: Weights, earlier: Weights, reference: Weights, cost: float
) -> dict[str, float]:
    traded = float(w.sub(earlier, fill_value=0.0).abs().sum())
    held = case.exposures.T @ w
    own = float(held[case.factor])
    styles = held[case.styles.columns].drop(case.factor, errors="ignore")
    risk = _Risk(case)
    factor_var, specific_var = risk.factor(w), risk.specific(w)
    volatility = np.sqrt(DAYS * (factor_var + specific_var))
    beyond = w / own - reference if own > 0 else w * np.nan
    gross = float(w.abs().sum())
    yearly = 12 * traded * cost
    return {
        "exposure": own,
        "largest_other_style": float(styles.abs().max()) if len(styles) else np.nan,
        "volatility": volatility,
        "factor_volatility": np.sqrt(DAYS * factor_var),
        "specific_volatility": np.sqrt(DAYS * specific_var),
        "volatility_per_exposure": volatility / own if own > 0 else np.nan,
        "risk_beyond_pure": np.sqrt(DAYS * max(risk.factor(beyond) + risk.specific(beyond), 0.0)),
        "correlation_with_pure": risk.correlation(w, reference),
        "gross": gross,
        "names": float((w.abs() > NOTHING).sum()),
        "effective_names": gross**2 / float((w**2).sum()),
        "turnover_a_month": traded / 2,
        "cost_a_year": yearly,
        "cost_per_exposure": yearly / own if own > 0 else np.nan,
    }


class _Risk:
    """The variances of portfolios of a case's members, per day."""

    def __init__(self, case: FactorCase) -> None:
        self._model = case.model.only(case.exposures.index)
        self._exposures = self._model.exposures.to_numpy(dtype=float)
        self._cov = self._model.factor_cov.to_numpy(dtype=float)

    def factor(self, w: Weights, other: Weights | None = None) -> float:
        y = self._exposures.T @ w.to_numpy()
        z = y if other is None else self._exposures.T @ other.to_numpy()
        return float(y @ self._cov @ z)

    def specific(self, w: Weights, other: Weights | None = None) -> float:
        second = w if other is None else other
        return float(second.to_numpy() @ self._model.specific_times(w.to_numpy(dtype=float)))

    def correlation(self, w: Weights, other: Weights) -> float:
        both = self.factor(w, other) + self.specific(w, other)
        one, two = (self.factor(x) + self.specific(x) for x in (w, other))
        return float(both / np.sqrt(one * two))
