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
from tilt.frames import Weights
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
    """

    model: RiskModel
    securities: pd.DataFrame
    exposures: pd.DataFrame
    caps: Weights
    sector: "pd.Series[str]"
    factor: str

    @property
    def styles(self) -> pd.DataFrame:
        groups = self.model.groups.reindex(self.exposures.columns)
        return self.exposures.loc[:, (groups.isna() | (groups == "style")).to_numpy()]

    @property
    def benchmark(self) -> Weights:
        return self.caps / self.caps.sum()


@dataclass(frozen=True)
class Limits:
    """What an investable portfolio must keep.

    exposure     : that is striven for, above the benchmark's
    long_only    : no short position; otherwise long and short sum to zero
    max_weight   : of a name; of its absolute value where short positions are allowed
    max_turnover : one way, from the benchmark; None for no limit
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
) -> FactorCase:
    """Return the case of a factor.

    Parameters
    ----------
    members : the estimation universe of the date; those with risk data and a cap are used
    scores : by asset, of a factor that is not in the model; names without a score are left out

    Raises
    ------
    ArgumentError
        If there is no such factor.
    DataError
        If no member is left.
    """
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
    return FactorCase(model, securities, exposures, cap[exposures.index], sector, name)


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

    The exposures settle the factor risk, so the rest is least squares: ``w = Δ⁻¹X (X'Δ⁻¹X)⁺ y``.
    """
    X = case.exposures.to_numpy(dtype=float)
    y = X.T @ pure(case).to_numpy()
    delta = case.model.specific_var.reindex(case.exposures.index).to_numpy(dtype=float)
    scaled = X / delta[:, None]
    # market and sectors repeat each other, hence the pseudo-inverse
    return pd.Series(
        scaled @ (np.linalg.pinv(X.T @ scaled, hermitian=True) @ y), case.exposures.index
    )


def investable(case: FactorCase, limits: Limits) -> Weights:
    """Return what can be held: nearest in risk to benchmark plus ``exposure`` of min_risk.

    Long-only it sums to one, otherwise it is the long-short portfolio alone and sums to zero.
    """
    target = limits.exposure * min_risk(case)
    start = case.benchmark if limits.long_only else 0.0 * case.benchmark
    most = limits.max_weight
    rules = [Rule("weight", "*", None if limits.long_only else -most, most)]
    if not limits.long_only:
        rules.append(Rule("net", "", 0.0, 0.0))
    if limits.max_turnover is not None:
        rules.append(Rule("turnover", "", None, limits.max_turnover))
    problem = Problem(
        "min_te",
        _of(case.model, case.exposures.index),
        case.securities,
        start,
        start + target,
        rules=tuple(replace(r, row=i) for i, r in enumerate(rules, start=1)),
        options={"long_short": "no" if limits.long_only else "yes", "cash": 0.0},
    )
    return solve(problem).require().weights.reindex(case.exposures.index).fillna(0.0)


def _of(model: RiskModel, assets: "pd.Index[str]") -> RiskModel:
    return replace(
        model,
        exposures=model.exposures.loc[assets],
        specific_var=model.specific_var.loc[assets],
    )


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
    """
    now, before = cases
    columns: dict[str, dict[str, float]] = {}
    reference = pure(now)
    for kind in KINDS:
        active = _active(now, kind, limits)
        earlier = _active(before, kind, limits)
        columns[kind] = _measures(now, active, earlier, reference, cost)
    table = pd.DataFrame(columns).rename_axis("measure").reset_index()
    return table[["measure", *KINDS]]


def _active(case: FactorCase, kind: str, limits: Limits) -> Weights:
    w = factor_portfolio(case, kind, limits)
    return w - case.benchmark if kind == "investable" and limits.long_only else w


def _measures(
    case: FactorCase, w: Weights, earlier: Weights, reference: Weights, cost: float
) -> dict[str, float]:
    assets = w.index.union(earlier.index)
    traded = float(
        (w.reindex(assets, fill_value=0) - earlier.reindex(assets, fill_value=0)).abs().sum()
    )
    y = w.to_numpy() @ case.exposures.to_numpy()
    held = pd.Series(y, case.exposures.columns)
    own = float(held[case.factor])
    styles = held[case.styles.columns].drop(case.factor, errors="ignore")
    known = case.model.factor_cov.index
    F = case.model.factor_cov.to_numpy()
    delta = case.model.specific_var.reindex(w.index).to_numpy()
    factor_var = float(held[known] @ F @ held[known])
    specific_var = float((w.to_numpy() ** 2) @ delta)
    base = reference.reindex(w.index).to_numpy()
    theirs = pd.Series(base @ case.exposures.to_numpy(), case.exposures.columns)[known]
    both = float(held[known] @ F @ theirs + (w.to_numpy() * base) @ delta)
    base_var = float(theirs @ F @ theirs + base**2 @ delta)
    volatility = np.sqrt(DAYS * (factor_var + specific_var))
    gross = float(w.abs().sum())
    yearly = 12 * traded * cost
    return {
        "exposure": own,
        "largest_other_style": float(styles.abs().max()) if len(styles) else np.nan,
        "volatility": volatility,
        "factor_volatility": np.sqrt(DAYS * factor_var),
        "specific_volatility": np.sqrt(DAYS * specific_var),
        "volatility_per_exposure": volatility / own if own > 0 else np.nan,
        "correlation_with_pure": both / np.sqrt((factor_var + specific_var) * base_var),
        "gross": gross,
        "names": float((w.abs() > NOTHING).sum()),
        "effective_names": gross**2 / float((w**2).sum()),
        "turnover_a_month": traded / 2,
        "cost_a_year": yearly,
        "cost_per_exposure": yearly / own if own > 0 else np.nan,
    }
