"""A factor of the user's own beside the model's: scored, filled and regressed as they are."""

import numpy as np
import pandas as pd
import pytest

from tilt.errors import DataError
from tilt.factors.history import estimate_history
from tilt.factors.regression import cross_section
from tilt.factors.user import beside

RNG = np.random.default_rng(31)


@pytest.fixture(scope="module")
def history(made_up):
    return estimate_history(made_up)


@pytest.fixture(scope="module")
def raw(made_up):
    values = RNG.standard_normal(made_up.close.shape)
    values[:, 20:25] = np.nan  # fitted from sector and size
    values[400] = 3.0  # the same for all on that date
    return values


@pytest.fixture(scope="module")
def told(made_up, history, raw):
    return beside(made_up, history, "mine", raw)


@pytest.mark.parametrize("back", [1, 7])
def test_its_return_is_that_of_a_regression_with_all_factors(made_up, told, back):
    row = len(told.dates) - 1 - back
    day, after = told.dates[row], told.dates[row + 1]
    cap, r = made_up.market_cap.loc[day], made_up.returns.loc[after]
    inside = np.isfinite(told.styles[row]).all(axis=1) & made_up.member.loc[day].to_numpy()
    names = told.assets[inside & r.notna().to_numpy()]
    styles = pd.DataFrame(told.styles[row], told.assets, told.style_names).loc[names]
    one = cross_section(r, styles, cap, made_up.securities["sector"].loc[names])
    assert told.returns.loc[after, "mine"] == pytest.approx(one.factor_returns["mine"], abs=1e-12)
    assert told.t_stats.loc[after, "mine"] == pytest.approx(one.t_values["mine"], rel=1e-8)


def test_the_model_keeps_its_returns_and_the_new_one_stands_last(history, told):
    assert list(told.factors.index) == [*history.factors.index, "mine"]
    pd.testing.assert_frame_equal(told.returns[history.returns.columns], history.returns)
    assert told.style_names[-1] == "mine"
    assert told.styles.shape[2] == len(told.style_names)


def test_what_is_missing_is_fitted_and_counts_as_such(told):
    assert told.imputed[-1, 20:25, -1].all()
    assert np.isfinite(told.styles[-1, 20:25, -1]).all()
    assert not told.imputed[-1, 30:60, -1].any()


def test_date_on_which_all_are_the_same_has_no_scores_and_no_return_after(made_up, told):
    row = told.dates.get_loc(made_up.dates[400])
    assert np.isnan(told.styles[row, :, -1]).all()
    assert np.isnan(told.returns["mine"].iloc[row + 1])
    assert np.isfinite(told.returns["mine"].iloc[row + 2])


def test_deleting_the_future_changes_no_score_and_no_return(made_up, history, raw, told):
    last = made_up.dates[390]
    cut = beside(made_up.until(last), history.until(last), "mine", raw[:391])
    n = len(cut.dates)
    np.testing.assert_array_equal(cut.styles, told.styles[:n])
    pd.testing.assert_frame_equal(cut.returns, told.returns.iloc[:n], check_exact=True)


def test_factor_that_repeats_one_of_the_model_is_sent_to_it(made_up, history):
    value = made_up.fundamentals["book_to_price"].to_numpy()
    with pytest.raises(DataError, match=r"'again' repeats the model's factors.*Ask for Value"):
        beside(made_up, history, "again", value)


def test_factor_of_a_few_names_has_no_returns_and_says_so(made_up, history, raw):
    few = np.where(np.arange(raw.shape[1]) < 20, raw, np.nan)
    with pytest.raises(DataError, match="'few' is known for under half of the members"):
        beside(made_up, history, "few", few)
