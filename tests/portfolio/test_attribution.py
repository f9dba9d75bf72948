"""Brinson attribution and its linking through time."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilt.errors import ArgumentError, DataError
from tilt.portfolio.attribution import EFFECTS, LINKS, brinson, brinson_table

GROUPS = ["UK equities", "Japanese equities", "US equities"]


def one_period():
    """The example of Bacon, Practical Portfolio Performance Measurement (2008), chapter 5."""
    return tuple(
        pd.DataFrame([row], columns=GROUPS)
        for row in ([0.4, 0.3, 0.3], [0.4, 0.2, 0.4], [0.2, -0.05, 0.06], [0.1, -0.04, 0.08])
    )


def test_bacons_published_example():
    found = brinson(*one_period())
    assert found.portfolio.iloc[0] == pytest.approx(0.083)
    assert found.benchmark.iloc[0] == pytest.approx(0.064)
    np.testing.assert_allclose(found.allocation.iloc[0], [0.0, -0.0104, -0.0016], atol=1e-12)
    np.testing.assert_allclose(found.selection.iloc[0], [0.04, -0.002, -0.008], atol=1e-12)
    np.testing.assert_allclose(found.interaction.iloc[0], [0.0, -0.001, 0.002], atol=1e-12)


def many(seed=0, periods=12, groups=5):
    random = np.random.default_rng(seed)
    names = [f"G{i}" for i in range(groups)]
    days = pd.date_range("2020-01-31", periods=periods, freq="ME")

    def weights():
        w = random.random((periods, groups))
        return pd.DataFrame(w / w.sum(axis=1, keepdims=True), days, names)

    def returns():
        return pd.DataFrame(random.normal(0.01, 0.05, (periods, groups)), days, names)

    return weights(), weights(), returns(), returns()


@pytest.mark.parametrize("link", list(LINKS))
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_linked_effects_sum_to_the_compounded_active_return(link, seed, periods):
    found = brinson(*many(seed, periods))
    active = np.prod(1 + found.portfolio) - np.prod(1 + found.benchmark)
    table = brinson_table(found, link=link).set_index("group")
    parts = table.drop(index=["Residual", "Total"])[list(EFFECTS)].to_numpy().sum()
    assert parts == pytest.approx(active, abs=1e-12)
    assert table.loc["Residual", "total"] == pytest.approx(0.0, abs=1e-12)
    assert table.loc["Total", "total"] == pytest.approx(active, abs=1e-15)


def test_one_period_needs_no_linking():
    found = brinson(*one_period())
    tables = [brinson_table(found, link=link) for link in LINKS]
    for table in tables[1:]:
        np.testing.assert_allclose(table["total"], tables[0]["total"], atol=1e-14)


def test_carinos_coefficients_by_hand():
    found = brinson(*many(periods=2))
    rp, rb = found.portfolio.to_numpy(), found.benchmark.to_numpy()
    k = (np.log(1 + rp) - np.log(1 + rb)) / (rp - rb)
    whole_p, whole_b = (1 + rp).prod() - 1, (1 + rb).prod() - 1
    whole = (np.log(1 + whole_p) - np.log(1 + whole_b)) / (whole_p - whole_b)
    expected = (found.allocation.to_numpy() * (k / whole)[:, None]).sum(axis=0)
    shown = brinson_table(found).set_index("group")["allocation"].drop(["Residual", "Total"])
    np.testing.assert_allclose(shown, expected, rtol=1e-12)


def test_grap_grows_with_the_portfolio_before_and_the_benchmark_after():
    found = brinson(*many(periods=3))
    rp, rb = found.portfolio.to_numpy(), found.benchmark.to_numpy()
    e = found.selection.to_numpy()
    expected = (
        e[0] * (1 + rb[1]) * (1 + rb[2]) + (1 + rp[0]) * e[1] * (1 + rb[2])
        + (1 + rp[0]) * (1 + rp[1]) * e[2]
    )  # fmt: skip
    shown = brinson_table(found, link="grap").set_index("group")["selection"]
    np.testing.assert_allclose(shown.drop(["Residual", "Total"]), expected, rtol=1e-12)


@pytest.mark.parametrize("link", list(LINKS))
def test_periods_that_return_the_same_on_both_sides_are_no_trouble(link):
    wp, _, rp, _ = many(periods=4)
    found = brinson(wp, wp, rp, rp)
    table = brinson_table(found, link=link)
    assert np.isfinite(table["total"]).all()
    assert table["total"].abs().max() == pytest.approx(0.0, abs=1e-14)


def test_a_group_that_is_not_held_selects_nothing():
    wp, wb, rp, rb = one_period()
    wp.loc[0] = [0.6, 0.4, 0.0]
    rp.loc[0, GROUPS[2]] = np.nan
    found = brinson(wp, wb, rp, rb)
    assert found.selection.loc[0, GROUPS[2]] == 0.0
    assert found.allocation.loc[0, GROUPS[2]] == pytest.approx(-0.4 * (0.08 - 0.064))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda t: t[0].__setitem__(GROUPS[0], 0.5), "portfolio_weights of 0 sum to 110"),
        (lambda t: t[1].__setitem__(GROUPS[0], np.nan), "UK equities has no weight in 0. Use 0"),
        (lambda t: t[2].__setitem__(GROUPS[0], np.nan), "portfolio_returns of UK equities in 0 is"),
        (lambda t: t[3].__setitem__(GROUPS[0], -2.0), "is -2. Give a simple return"),
        (lambda t: setattr(t[3], "columns", ["X", *GROUPS[1:]]), "only in one of them"),
        (lambda t: setattr(t[3], "index", [1]), "have different periods"),
    ],
)
def test_what_does_not_fit_is_named(spoil, words):
    tables = one_period()
    spoil(tables)
    with pytest.raises(DataError, match=words):
        brinson(*tables)


def test_a_misspelt_method_has_a_suggestion():
    with pytest.raises(ArgumentError, match="carino"):
        brinson_table(brinson(*one_period()), link="carinho")
