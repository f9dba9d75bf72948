"""Each step of the kernels, done again for one date in plain pandas."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from tilt.errors import ArgumentError, DataError
from tilt.factors import standardize
from tilt.factors.groups import Groups

N, T = 60, 4
RNG = np.random.default_rng(11)
NAMES = pd.Index([f"A{i:02d}" for i in range(N)])
CAPS = np.exp(RNG.normal(8, 1.2, (T, N)))
ESTU = RNG.random((T, N)) < 0.85
SECTOR = pd.Series([f"S{i % 5}" for i in range(N)], index=NAMES)
RAW = RNG.standard_t(3, (T, N))
RAW[RNG.random((T, N)) < 0.1] = np.nan
RAW[:, 7] = 1e6  # a slip of units
GROUPS = Groups.of(SECTOR)


def plain_scores(x: pd.Series, caps: pd.Series, estu: pd.Series) -> pd.Series:
    """Steps 1 and 2 of the convention, as one reads them."""
    median = x[estu].median()
    mad = (x[estu] - median).abs().median()
    x = x.where((x - median).abs() / (1.4826 * mad) <= 10)
    for _ in range(2):
        mean, sd = x[estu].mean(), x[estu].std()
        x = x.clip(mean - 3 * sd, mean + 3 * sd)
    known = x[estu].dropna()
    mean = np.average(known, weights=caps[known.index])
    return (x - mean) / known.std()


def row(values: np.ndarray, t: int) -> pd.Series:
    return pd.Series(values[t], index=NAMES)


@pytest.mark.parametrize("t", range(T))
def test_kernel_agrees_with_the_plain_steps_of_one_date(t):
    kernel = standardize.standardize(RAW, CAPS, ESTU)
    plain = plain_scores(row(RAW, t), row(CAPS, t), row(ESTU, t))
    np.testing.assert_allclose(kernel[t], plain, atol=1e-12)


def test_value_beyond_ten_robust_deviations_is_missing_and_the_rest_is_untouched():
    x = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 100.0]])
    estu = np.array([[True] * 5 + [False]])
    # median 3, MAD 1: 100 is 65 deviations away; 17.8 would be just inside
    np.testing.assert_array_equal(
        standardize.reject_outliers(x, estu), [[1.0, 2.0, 3.0, 4.0, 5.0, np.nan]]
    )
    x[0, 5] = 3 + 14.826 - 1e-9
    np.testing.assert_array_equal(standardize.reject_outliers(x, estu), x)


def test_nothing_is_rejected_where_most_values_are_equal():
    x = np.array([[0.0, 0.0, 0.0, 0.0, 9.0]])
    np.testing.assert_array_equal(standardize.reject_outliers(x, np.ones((1, 5), dtype=bool)), x)


def test_infinite_values_are_missing():
    x = np.array([[1.0, 2.0, np.inf, -np.inf, 3.0]])
    cleaned = standardize.reject_outliers(x, np.ones((1, 5), dtype=bool))
    np.testing.assert_array_equal(cleaned, [[1.0, 2.0, np.nan, np.nan, 3.0]])


@settings(max_examples=30)
@given(scale=st.floats(0.01, 100.0), shift=st.floats(-100.0, 100.0))
def test_scores_do_not_depend_on_the_unit_of_the_descriptor(scale, shift):
    before = standardize.standardize(RAW, CAPS, ESTU)
    after = standardize.standardize(RAW * scale + shift, CAPS, ESTU)
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_scores_have_cap_weighted_mean_zero_and_equal_weighted_deviation_one():
    z = standardize.standardize(RAW, CAPS, ESTU)
    for t in range(T):
        inside = ESTU[t] & np.isfinite(z[t])
        assert np.average(z[t, inside], weights=CAPS[t, inside]) == pytest.approx(0, abs=1e-12)
        assert z[t, inside].std(ddof=1) == pytest.approx(1, abs=1e-12)


def test_row_without_values_or_without_spread_has_no_scores():
    x = np.vstack([np.full(N, np.nan), np.full(N, 2.0)])
    z = standardize.standardize(x, CAPS[:2], ESTU[:2])
    assert np.isnan(z).all()


def test_composite_needs_half_of_the_weight_and_turns_negative_weights_around():
    one = np.array([[1.0, 1.0, np.nan, np.nan]])
    two = np.array([[3.0, np.nan, 3.0, np.nan]])
    out = standardize.combine([one, two], [0.6, -0.4])
    # (0.6·1 - 0.4·3)/1; 0.6/0.6; 0.4 of the weight is under half; nothing
    np.testing.assert_allclose(out, [[-0.6, 1.0, np.nan, np.nan]], atol=1e-15)
    half = standardize.combine([one, two], [0.5, 0.5])
    np.testing.assert_allclose(half, [[2.0, 1.0, 3.0, np.nan]], atol=1e-15)


def test_imputed_score_is_the_prediction_of_a_weighted_regression_on_sector_and_size():
    z = standardize.standardize(RAW, CAPS, ESTU)
    size = standardize.standardize(np.log(CAPS), CAPS, ESTU)
    filled, flags = standardize.impute(
        z, size, CAPS, ESTU, GROUPS, scored=np.ones((T, N), dtype=bool)
    )
    np.testing.assert_array_equal(flags, np.isnan(z))
    dummies = (SECTOR.to_numpy()[:, None] == np.unique(SECTOR)).astype(float)
    for t in range(T):
        x = np.column_stack([dummies, size[t]])
        inside = ESTU[t] & np.isfinite(z[t])
        fit = sm.WLS(z[t, inside], x[inside], weights=np.sqrt(CAPS[t, inside])).fit()
        np.testing.assert_allclose(filled[t, flags[t]], fit.predict(x[flags[t]]), atol=1e-10)
        np.testing.assert_array_equal(filled[t, ~flags[t]], z[t, ~flags[t]])


def test_sector_without_an_observation_takes_the_fit_of_the_market():
    z = standardize.standardize(RAW, CAPS, ESTU)
    z[:, (SECTOR == "S2").to_numpy()] = np.nan
    size = standardize.standardize(np.log(CAPS), CAPS, ESTU)
    filled, _ = standardize.impute(z, size, CAPS, ESTU, GROUPS, scored=np.ones((T, N), dtype=bool))
    inside = ESTU[0] & np.isfinite(z[0])
    fit = sm.WLS(
        z[0, inside], sm.add_constant(size[0, inside]), weights=np.sqrt(CAPS[0, inside])
    ).fit()
    gone = (SECTOR == "S2").to_numpy()
    expected = fit.params[0] + fit.params[1] * size[0, gone]
    np.testing.assert_allclose(filled[0, gone], expected, atol=1e-10)


def test_assets_that_are_not_due_a_score_stay_missing():
    scored = np.ones((T, N), dtype=bool)
    scored[:, 10] = False
    z = standardize.standardize(RAW, CAPS, ESTU)
    filled, flags = standardize.impute(z, np.log(CAPS), CAPS, ESTU, GROUPS, scored=scored)
    assert np.isnan(filled[:, 10]).all()
    assert not flags[:, 10].any()


def test_neutral_scores_have_no_industry_tilt():
    everyone = np.ones((T, N), dtype=bool)
    z = standardize.zscore(np.where(np.isnan(RAW), 0.0, RAW), CAPS, everyone)
    neutral = standardize.neutralize(z, CAPS, everyone, GROUPS)
    for t in range(T):
        for sector in GROUPS.names:
            inside = SECTOR.eq(sector).to_numpy()
            mean = np.average(neutral[t, inside], weights=CAPS[t, inside])
            assert mean == pytest.approx(0, abs=1e-10)


def test_industry_of_seven_names_is_scored_against_the_market():
    labels = SECTOR.copy()
    labels.iloc[:7] = "Small"
    everyone = np.ones((T, N), dtype=bool)
    z = standardize.zscore(np.where(np.isnan(RAW), 0.0, RAW), CAPS, everyone)
    neutral = standardize.neutralize(z, CAPS, everyone, Groups.of(labels))
    # against the market a z-score stays as it is, up to the last standardization (a line)
    line = np.polyfit(z[0, :7], neutral[0, :7], 1)
    np.testing.assert_allclose(np.polyval(line, z[0, :7]), neutral[0, :7], atol=1e-10)
    line = np.polyfit(z[0], neutral[0], 1)
    assert np.abs(np.polyval(line, z[0]) - neutral[0]).max() > 0.01


def test_orthogonal_scores_are_the_residual_of_a_weighted_regression():
    z = standardize.standardize(RAW, CAPS, ESTU)
    other = standardize.standardize(np.log(CAPS), CAPS, ESTU)
    out = standardize.orthogonalize(z, [other], CAPS, ESTU)
    for t in range(T):
        inside = ESTU[t] & np.isfinite(z[t])
        q = np.sqrt(CAPS[t, inside])
        x = sm.add_constant(other[t, inside])
        residual = pd.Series(sm.WLS(z[t, inside], x, weights=q).fit().resid)
        scores = residual - np.average(residual, weights=CAPS[t, inside])
        np.testing.assert_allclose(out[t, inside], scores / residual.std(), atol=1e-9)


def test_orthogonalizing_against_the_same_score_twice_is_refused():
    other = standardize.standardize(np.log(CAPS), CAPS, ESTU)
    with pytest.raises(DataError, match="collinear"):
        standardize.orthogonalize(RAW, [other, other], CAPS, ESTU)


def test_one_date_door_scores_labelled_descriptors():
    raw = pd.DataFrame({"a": RAW[0], "b": RAW[1]}, index=NAMES)
    out = standardize.exposures(
        raw, row(CAPS, 0), {"F": {"a": 0.5, "b": 0.5}}, members=row(ESTU, 0)
    )
    a, b = (plain_scores(raw[c], row(CAPS, 0), row(ESTU, 0)) for c in raw)
    both = pd.concat([a, b], axis=1).mean(axis=1)
    known = both[row(ESTU, 0)].dropna()
    mean = np.average(known, weights=row(CAPS, 0)[known.index])
    np.testing.assert_allclose(out["F"], (both - mean) / known.std(), atol=1e-10)


def test_factor_of_an_unknown_descriptor_is_an_error_that_names_it():
    raw = pd.DataFrame({"a": RAW[0]}, index=NAMES)
    with pytest.raises(ArgumentError, match=r"Factor 'F' needs descriptor 'b'. Given are a."):
        standardize.exposures(raw, row(CAPS, 0), {"F": {"b": 1.0}})


def test_group_sums_agree_with_pandas_and_leave_out_assets_without_a_group():
    labels = SECTOR.copy()
    labels.iloc[3] = None
    labels.iloc[4] = " "
    groups = Groups.of(labels)
    x = RNG.random((T, N))
    known = ~labels.index.isin(["A03", "A04"])
    expected = pd.DataFrame(x[:, known].T).groupby(labels[known].to_numpy()).sum().T
    np.testing.assert_allclose(groups.sums(x), expected, rtol=1e-12)
    assert np.isnan(groups.spread(groups.sums(x))[:, 3:5]).all()
