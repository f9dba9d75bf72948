from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.risk.measures import risk_shares
from tilt.risk.model import RiskModel, estimate_model

SECTORS = ["Energy", "Financials", "Health Care", "Utilities"]


@pytest.fixture(scope="module")
def model(truth) -> RiskModel:
    return estimate_model(truth.history, truth.history.dates[-1])


def with_sectors(model: RiskModel, which: str) -> RiskModel:
    """Return the model with sectors of another kind, and two names that share a source of risk."""
    x = model.exposures.copy()
    if which == "a name without one":
        x.loc["A00", SECTORS] = 0.0
    elif which == "one without a name":
        x.loc[x["Energy"] == 1, ["Energy", "Utilities"]] = [0.0, 1.0]
    elif which == "none of them has a name":
        x[SECTORS] = 0.0
    elif which == "a name between two":
        x.loc["A00", SECTORS] = [0.5, 0.5, 0.0, 0.0]
    elif which == "a name in two":
        x.loc["A00", SECTORS] = [1.0, 1.0, 0.0, 0.0]
    shared = pd.DataFrame({"A": [0.005, 0.004]}, index=["A01", "A02"])
    return replace(model, exposures=x, shared=shared)


@pytest.mark.parametrize(
    "which",
    [
        "plain",
        "a name without one",
        "one without a name",
        "none of them has a name",
        "a name between two",
        "a name in two",
    ],
)
def test_products_with_members_of_sectors_are_those_of_the_full_matrix(model, which):
    other = with_sectors(model, which)
    a = np.random.default_rng(1).normal(size=(3, len(model.assets)))
    got = np.empty_like(a)
    other.loadings.times(a, got)
    v = other.covariance(model.assets).to_numpy()
    np.testing.assert_allclose(got, a @ v, rtol=1e-11, atol=1e-15)


def test_shares_of_many_portfolios_are_those_of_each_alone(model):
    rng = np.random.default_rng(2)
    weights = pd.DataFrame(rng.dirichlet(np.ones(len(model.assets)), 150).T, model.assets)
    weights = weights.where(rng.random(weights.shape) < 0.9)  # the rest is not held
    benchmark = pd.Series(1 / len(model.assets), model.assets)
    risk, shares = risk_shares(model, weights, benchmark)
    for i in (0, 15, 16, 149):
        one, its = risk_shares(model, weights[[i]].fillna(0.0), benchmark)
        assert risk[i] == pytest.approx(one[i], rel=1e-13)
        np.testing.assert_allclose(shares[i], its[i], atol=1e-15)
    np.testing.assert_allclose(shares.sum(), 1.0, rtol=1e-12)
