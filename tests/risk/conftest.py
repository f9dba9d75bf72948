"""Simulated markets whose exposures, factor covariance and specific risk are known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from tilt.frames import FactorHistory

SECTORS = ["Energy", "Financials", "Health Care", "Utilities"]
FACTORS = ["Market", *SECTORS, "Size", "Value"]
GROUPS = ["market", *["sector"] * 4, "style", "style"]


@dataclass(frozen=True, eq=False)
class Truth:
    """A history together with what it was drawn from, per day."""

    history: FactorHistory
    factor_cov: np.ndarray
    specific_sigma: np.ndarray


def simulate(*, days: int = 1500, names: int = 80, seed: int = 0) -> Truth:
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2010-01-04", periods=days)
    assets = pd.Index([f"A{i:02d}" for i in range(names)])
    vol = np.array([0.010, 0.006, 0.005, 0.004, 0.005, 0.002, 0.003])
    loading = 0.4 * rng.standard_normal((7, 2))
    correlation = loading @ loading.T
    np.fill_diagonal(correlation, 0)
    correlation = np.clip(correlation, -0.5, 0.5) / 2 + np.eye(7)
    cov = correlation * np.outer(vol, vol)
    f = rng.multivariate_normal(np.zeros(7), cov, size=days)
    sigma = 0.012 * np.exp(0.35 * rng.standard_normal(names))
    u = sigma * rng.standard_normal((days, names))
    f[0], u[0] = np.nan, np.nan
    caps = np.exp(rng.normal(23, 1, names))
    styles = np.broadcast_to(rng.standard_normal((names, 2)), (days, names, 2)).copy()
    factors = pd.DataFrame({"group": GROUPS}, index=pd.Index(FACTORS, name="factor"))
    history = FactorHistory(
        factors=factors,
        dates=dates,
        assets=assets,
        styles=styles,
        imputed=np.zeros(styles.shape, dtype=bool),
        sector=pd.Series([SECTORS[i % 4] for i in range(names)], index=assets),
        returns=pd.DataFrame(f, dates, FACTORS),
        t_stats=pd.DataFrame(np.nan, dates, FACTORS),
        r2=pd.Series(np.nan, dates),
        specific_returns=pd.DataFrame(u, dates, assets),
        market_cap=pd.DataFrame(np.broadcast_to(caps, u.shape).copy(), dates, assets),
    )
    return Truth(history, cov, sigma)


@pytest.fixture(scope="session")
def truth() -> Truth:
    return simulate()
