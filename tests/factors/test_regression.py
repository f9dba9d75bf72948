import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tilt.errors import DataError
from tilt.factors.groups import Groups
from tilt.factors.regression import constraint, cross_section, cross_sections, least_assets

RNG = np.random.default_rng(3)
N, S = 90, 3
ASSETS = pd.Index([f"A{i:02d}" for i in range(N)])
CAPS = pd.Series(np.exp(RNG.normal(9, 1.3, N)), index=ASSETS)
SECTOR = pd.Series(RNG.choice(["Energy", "Tech", "Utilities", "Banks"], N), index=ASSETS)
STYLES = pd.DataFrame(RNG.standard_normal((N, S)), index=ASSETS, columns=["Size", "Value", "Beta"])
RETURNS = pd.Series(0.01 + 0.02 * RNG.standard_normal(N), index=ASSETS)
FIT = cross_section(RETURNS, STYLES, CAPS, SECTOR)
SECTORS = sorted(SECTOR.unique())
SHARES = CAPS.groupby(SECTOR).sum() / CAPS.sum()


def full_exposures() -> pd.DataFrame:
    dummies = pd.get_dummies(SECTOR)[SECTORS].astype(float)
    return pd.concat([pd.Series(1.0, ASSETS, name="Market"), dummies, STYLES], axis=1)


def test_pure_portfolios_have_their_own_exposure_and_no_other():
    held = FIT.pure @ full_exposures()
    np.testing.assert_allclose(held.loc[STYLES.columns, STYLES.columns], np.eye(S), atol=1e-10)
    np.testing.assert_allclose(held.loc["Market", STYLES.columns], 0, atol=1e-10)
    np.testing.assert_allclose(held.loc[SECTORS, STYLES.columns], 0, atol=1e-10)
    np.testing.assert_allclose(held.loc["Market", SECTORS], SHARES, atol=1e-10)
    np.testing.assert_allclose(held.loc[STYLES.columns, SECTORS], 0, atol=1e-10)


def test_market_portfolio_is_fully_invested_and_the_others_are_self_financing():
    invested = FIT.pure.sum(axis=1)
    assert invested["Market"] == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(invested.drop("Market"), 0, atol=1e-10)


def test_cap_weighted_sector_returns_sum_to_zero():
    assert (SHARES * FIT.factor_returns[SECTORS]).sum() == pytest.approx(0, abs=1e-14)


def test_pure_portfolios_earn_the_factor_returns():
    np.testing.assert_allclose(FIT.pure @ RETURNS, FIT.factor_returns, atol=1e-14)


def test_returns_are_their_factor_part_and_their_specific_part():
    fitted = full_exposures() @ FIT.factor_returns
    np.testing.assert_allclose(fitted + FIT.specific_returns, RETURNS, atol=1e-14)


def test_planted_factor_returns_are_recovered_without_noise():
    planted = pd.Series(RNG.standard_normal(1 + 4 + S) / 100, index=FIT.factor_returns.index)
    planted[SECTORS] -= (SHARES * planted[SECTORS]).sum()
    fit = cross_section(full_exposures() @ planted, STYLES, CAPS, SECTOR)
    np.testing.assert_allclose(fit.factor_returns, planted, atol=1e-13)
    assert fit.r2 == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("replaced", range(4))
def test_results_do_not_depend_on_the_replaced_sector(replaced):
    A = full_exposures().to_numpy()
    R = constraint(SHARES.to_numpy(), S, replaced=replaced)
    q = np.sqrt(CAPS.to_numpy())
    B = A @ R
    P = R @ np.linalg.solve(B.T @ (q[:, None] * B), B.T * q)
    np.testing.assert_allclose(P, FIT.pure, atol=1e-10)


def test_factor_returns_solve_the_constrained_problem_of_lagrange():
    A, q = full_exposures().to_numpy(), np.sqrt(CAPS.to_numpy())
    c = np.concatenate([[0.0], SHARES, np.zeros(S)])
    k = A.shape[1]
    kkt = np.block([[A.T @ (q[:, None] * A), c[:, None]], [c[None, :], np.zeros((1, 1))]])
    solution = np.linalg.solve(kkt, np.concatenate([A.T @ (q * RETURNS), [0.0]]))
    np.testing.assert_allclose(FIT.factor_returns, solution[:k], atol=1e-12)


def test_t_values_and_r2_are_those_of_statsmodels():
    # unconstrained sector levels; every factor is a linear combination of them
    A = full_exposures().iloc[:, 1:].to_numpy()
    result = sm.WLS(RETURNS.to_numpy(), A, weights=np.sqrt(CAPS.to_numpy())).fit(cov_type="HC1")
    L = np.zeros((1 + 4 + S, 4 + S))
    L[0, :4] = SHARES
    L[1:5, :4] = np.eye(4) - SHARES.to_numpy()[None, :]
    L[5:, 4:] = np.eye(S)
    error = np.sqrt(np.diag(L @ result.cov_params() @ L.T))
    np.testing.assert_allclose(FIT.factor_returns, L @ result.params, atol=1e-12)
    np.testing.assert_allclose(FIT.t_values, L @ result.params / error, rtol=1e-9)
    q, u = np.sqrt(CAPS), result.resid
    assert FIT.r2 == pytest.approx(1 - (q * u**2).sum() / (q * RETURNS**2).sum(), abs=1e-12)


def test_shuffled_assets_give_the_same_numbers():
    order = RNG.permutation(ASSETS)
    again = cross_section(RETURNS, STYLES.loc[order], CAPS, SECTOR)
    np.testing.assert_allclose(again.factor_returns, FIT.factor_returns, atol=1e-13)
    np.testing.assert_allclose(again.t_values, FIT.t_values, rtol=1e-9)
    np.testing.assert_allclose(again.pure[ASSETS], FIT.pure, atol=1e-12)


def test_scale_of_the_caps_does_not_matter():
    again = cross_section(RETURNS, STYLES, CAPS * 1e-9, SECTOR)
    np.testing.assert_allclose(again.factor_returns, FIT.factor_returns, atol=1e-12)


class Many:
    """A few dates with holes: names that leave, have no return, no style, no sector."""

    days = 7
    groups = Groups.of(SECTOR.where(SECTOR.index != "A06"))
    returns = RNG.standard_normal((days, N)) * 0.02
    styles = RNG.standard_normal((days, N, S))
    caps = np.exp(RNG.normal(9, 1, (days, N)))
    estu = RNG.random((days, N)) < 0.9
    returns[2, :5] = np.nan
    styles[3, 4, 1] = np.nan
    estu[4, (SECTOR == "Banks").to_numpy()] = False  # a sector without a member
    estu[5, 20:] = False  # too few assets
    fit = cross_sections(returns, styles, caps, estu, groups, tuple(STYLES.columns))

    @classmethod
    def used(cls, t: int) -> np.ndarray:
        known = np.isfinite(cls.returns[t]) & np.isfinite(cls.styles[t]).all(axis=1)
        return cls.estu[t] & known & (ASSETS != "A06")


@pytest.mark.parametrize("t", [0, 1, 2, 3, 4, 6])
def test_many_dates_agree_with_one_date_at_a_time(t):
    used = Many.used(t)
    names = ASSETS[used]
    one = cross_section(
        pd.Series(Many.returns[t], ASSETS),
        pd.DataFrame(Many.styles[t, used], names, STYLES.columns),
        pd.Series(Many.caps[t], ASSETS),
        SECTOR[names],
    )
    f = pd.Series(Many.fit.factor_returns[t], Many.fit.factors)
    tv = pd.Series(Many.fit.t_values[t], Many.fit.factors)
    np.testing.assert_allclose(f[one.factor_returns.index], one.factor_returns, atol=1e-13)
    np.testing.assert_allclose(tv[one.t_values.index], one.t_values, rtol=1e-8)
    assert Many.fit.r2[t] == pytest.approx(one.r2, abs=1e-12)
    u = Many.fit.specific_returns[t, used]
    np.testing.assert_allclose(u, one.specific_returns, atol=1e-13)


def test_sector_without_a_member_has_no_return_on_that_date_and_the_others_have():
    f = pd.DataFrame(Many.fit.factor_returns, columns=list(Many.fit.factors))
    assert np.isnan(f.loc[4, "Banks"])
    assert f.loc[4].drop("Banks").notna().all()
    assert np.isnan(Many.fit.t_values[4, 1])


def test_date_with_too_few_assets_has_no_regression():
    assert np.isnan(Many.fit.factor_returns[5]).all()
    assert np.isnan(Many.fit.r2[5])
    assert np.isnan(Many.fit.specific_returns[5]).all()


def test_asset_outside_the_estimation_universe_has_what_the_factors_leave():
    outside = np.flatnonzero(~Many.estu[0] & (Many.groups.codes >= 0))[0]
    f = pd.Series(Many.fit.factor_returns[0], Many.fit.factors)
    fitted = f["Market"] + f[SECTOR.iloc[outside]]
    fitted += Many.styles[0, outside] @ f[STYLES.columns].to_numpy()
    assert Many.fit.specific_returns[0, outside] == pytest.approx(
        Many.returns[0, outside] - fitted, abs=1e-14
    )


def test_return_outside_the_estimation_universe_moves_no_factor():
    outside = np.flatnonzero(~Many.estu[0])[0]
    returns = Many.returns.copy()
    returns[0, outside] = 5.0
    again = cross_sections(
        returns, Many.styles, Many.caps, Many.estu, Many.groups, tuple(STYLES.columns)
    )
    np.testing.assert_array_equal(again.factor_returns[0], Many.fit.factor_returns[0])


def test_date_has_the_same_numbers_whichever_are_regressed_with_it():
    many = [np.concatenate([a] * 80) for a in (Many.returns, Many.styles, Many.caps, Many.estu)]
    whole = cross_sections(*many, Many.groups, tuple(STYLES.columns))  # blocks for several threads
    for field in ("factor_returns", "t_values", "r2", "specific_returns"):
        again = getattr(whole, field)[-Many.days :]
        np.testing.assert_array_equal(again, getattr(Many.fit, field))


def test_nine_full_dates_are_those_of_one_at_a_time():
    rng = np.random.default_rng(11)
    returns, caps = rng.normal(0, 0.02, (9, N)), rng.lognormal(size=(9, N))
    styles = rng.standard_normal((9, N, S))
    fit = cross_sections(
        returns, styles, caps, np.ones((9, N), bool), Groups.of(SECTOR), tuple(STYLES.columns)
    )
    for t in range(9):
        one = cross_section(
            pd.Series(returns[t], ASSETS),
            pd.DataFrame(styles[t], ASSETS, STYLES.columns),
            pd.Series(caps[t], ASSETS),
            SECTOR,
        )
        np.testing.assert_allclose(fit.factor_returns[t], one.factor_returns, atol=1e-13)
        np.testing.assert_allclose(fit.t_values[t], one.t_values, rtol=1e-8)
        np.testing.assert_allclose(fit.specific_returns[t], one.specific_returns, atol=1e-13)
        assert fit.r2[t] == pytest.approx(one.r2, abs=1e-12)


def test_a_style_that_nobody_has_on_a_date_leaves_the_regression_without_it():
    styles = Many.styles.copy()
    styles[1, :, 2] = np.nan
    styles[1, 7, 0] = np.inf  # a name without another of its scores is left out as well
    fit = cross_sections(
        Many.returns, styles, Many.caps, Many.estu, Many.groups, tuple(STYLES.columns)
    )
    used = Many.used(1) & (np.arange(N) != 7)
    names = ASSETS[used]
    one = cross_section(
        pd.Series(Many.returns[1], ASSETS),
        pd.DataFrame(Many.styles[1, used, :2], names, STYLES.columns[:2]),
        pd.Series(Many.caps[1], ASSETS),
        SECTOR[names],
    )
    np.testing.assert_allclose(fit.factor_returns[1, :-1], one.factor_returns, atol=1e-13)
    np.testing.assert_allclose(fit.t_values[1, :-1], one.t_values, rtol=1e-8)
    assert np.isnan(fit.factor_returns[1, -1])
    assert np.isnan(fit.specific_returns[1, 7])
    np.testing.assert_array_equal(fit.factor_returns[2:], Many.fit.factor_returns[2:])


def test_single_precision_is_as_good_as_a_millionth():
    single = cross_sections(
        Many.returns, Many.styles.astype(np.float32), Many.caps, Many.estu, Many.groups,
        tuple(STYLES.columns),
    )  # fmt: skip
    size = np.nanmax(np.abs(Many.fit.factor_returns))
    np.testing.assert_allclose(single.factor_returns, Many.fit.factor_returns, atol=1e-6 * size)
    np.testing.assert_allclose(single.t_values, Many.fit.t_values, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(single.r2, Many.fit.r2, atol=1e-6)
    np.testing.assert_allclose(single.specific_returns, Many.fit.specific_returns, atol=1e-6 * size)


def test_too_few_assets_is_an_error_that_says_how_many_are_needed():
    few = ASSETS[:20]
    with pytest.raises(DataError, match=r"20 assets are too few for 8 factors; 30 are needed."):
        cross_section(RETURNS, STYLES.loc[few], CAPS, SECTOR)


def test_many_factors_need_two_assets_each():
    assert least_assets(18) == 36


def test_missing_style_is_named():
    styles = STYLES.copy()
    styles.loc["A03", "Value"] = np.nan
    with pytest.raises(DataError, match="A03 has no Value exposure"):
        cross_section(RETURNS, styles, CAPS, SECTOR)


def test_missing_sector_is_named():
    with pytest.raises(DataError, match="A03 needs an industry"):
        cross_section(RETURNS, STYLES, CAPS, SECTOR.drop("A03"))


def test_collinear_styles_are_refused():
    styles = STYLES.assign(Twice=STYLES["Size"] * 2)
    with pytest.raises(DataError, match="collinear"):
        cross_section(RETURNS, styles, CAPS, SECTOR)
    arrays = np.concatenate([Many.styles, 2 * Many.styles[:, :, :1]], axis=2)
    with pytest.raises(DataError, match="collinear"):
        cross_sections(
            Many.returns, arrays, Many.caps, Many.estu, Many.groups, (*STYLES.columns, "Twice")
        )
