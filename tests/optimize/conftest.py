"""Small random factor models and problems; the seed is an argument, so nothing is shared."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from tilt.optimize.constraints import Rule
from tilt.optimize.solve import Problem
from tilt.risk.model import RiskModel

SECTORS = ("Energy", "Finance", "Health", "Technology")
STYLES = ("Size", "Value", "Momentum")


def _model(assets: list[str], seed: int) -> RiskModel:
    rng = np.random.default_rng(seed)
    n = len(assets)
    sector = np.array(SECTORS)[np.arange(n) % len(SECTORS)]
    exposures = np.hstack(
        [
            np.ones((n, 1)),
            (sector[:, None] == np.array(SECTORS)).astype(float),
            rng.normal(size=(n, len(STYLES))),
        ]
    )
    factors = ["Market", *SECTORS, *STYLES]
    deviation = np.array([0.010, *[0.005] * len(SECTORS), *[0.003] * len(STYLES)])
    draws = rng.normal(size=(4 * len(factors), len(factors)))
    correlation = np.corrcoef(draws.T)
    groups = ["market", *["sector"] * len(SECTORS), *["style"] * len(STYLES)]
    return RiskModel(
        universe="TEST",
        snapshot="",
        date=pd.Timestamp("2016-06-30"),
        horizon="short",
        exposures=pd.DataFrame(exposures, assets, factors),
        factor_cov=pd.DataFrame(correlation * np.outer(deviation, deviation), factors, factors),
        specific_var=pd.Series(rng.uniform(0.008, 0.025, n) ** 2, assets),
        groups=pd.Series(groups, factors),
        notes=(),
    )


def _problem(
    objective: str = "min_te",
    rules: tuple[Rule, ...] = (),
    *,
    n: int = 24,
    held: int = 8,
    seed: int = 0,
    **options: object,
) -> Problem:
    assets = [f"N{i:02d}" for i in range(n)]
    rng = np.random.default_rng(seed + 1000)
    benchmark = pd.Series(rng.uniform(0.2, 2.0, n), assets)
    current = pd.Series(0.0, assets)
    current.iloc[rng.permutation(n)[:held]] = rng.uniform(0.5, 1.5, held)
    sector = np.array(SECTORS)[np.arange(n) % len(SECTORS)]
    return Problem(
        objective=objective,
        model=_model(assets, seed),
        securities=pd.DataFrame(
            {"name": [f"Name {a}" for a in assets], "sector": sector, "industry": sector},
            index=assets,
        ),
        current=current / current.sum() if held else current,
        benchmark=benchmark / benchmark.sum(),
        alpha=pd.Series(rng.normal(0.0, 0.03, n), assets),
        rules=rules,
        options=options,
    )


@pytest.fixture(scope="session")
def problem_of() -> Callable[..., Problem]:
    """Return a builder of problems: objective, rules, n, held, seed, and any options."""
    return _problem


@pytest.fixture(scope="session")
def dense_covariance() -> Callable[[RiskModel], np.ndarray]:
    """Return the yearly covariance matrix that a model stands for."""

    def matrix(model: RiskModel) -> np.ndarray:
        x = model.exposures.to_numpy()
        factor = x @ model.factor_cov.to_numpy() @ x.T
        return 252 * (factor + np.diag(model.specific_var.to_numpy()))

    return matrix
