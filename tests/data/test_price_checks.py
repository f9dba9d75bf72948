import numpy as np
import pandas as pd
import pytest

DAY = "2015-03-02"  # the 43rd of the walk's days


@pytest.fixture
def close(make):
    return make.walk(60, [f"N{i}" for i in range(8)])


def checks(review, ticker="N0"):
    return [f.check for f in review.findings if f.ticker == ticker]


def test_clean_prices_have_no_findings_and_no_missing_return(make, close):
    review = make.review(make.prices(close))
    assert review.findings == []
    assert review.returns.iloc[1:].notna().all(axis=None)
    np.testing.assert_allclose(review.returns.iloc[1:], close.pct_change().iloc[1:], atol=1e-12)


def test_a_booked_split_and_dividend_that_the_price_confirms_are_kept(make, close):
    real = close.pct_change().loc[DAY, "N0"]
    close.loc[DAY:, "N0"] /= 2
    close.loc[DAY:, "N1"] -= 6
    booked = make.prices(close, split={(DAY, "N0"): 2.0}, dividend={(DAY, "N1"): 6.0})
    review = make.review(booked)
    assert review.returns.loc[DAY, "N0"] == pytest.approx(real, abs=1e-12)
    assert checks(review) == []
    assert checks(review, "N1") == ["large_dividend"]
    assert abs(review.returns.loc[DAY, "N1"]) < 0.05


@pytest.mark.parametrize("ratio", [2, 3, 7, 1.5, 0.5, 1 / 7])
def test_a_split_that_was_not_booked_leaves_the_return_out(make, close, ratio):
    close.loc[DAY:, "N0"] /= ratio
    prices = make.prices(close)
    after = (prices["date"] >= DAY) & (prices["ticker"] == "N0")
    prices.loc[after, "volume"] *= ratio  # as much money as before buys that many more shares
    review = make.review(prices)
    assert np.isnan(review.returns.loc[DAY, "N0"])
    assert review.returns["N0"].iloc[1:].isna().sum() == 1
    assert review.broken.loc[DAY, "N0"]
    finding = next(f for f in review.findings if f.check == "unbooked_split")
    assert finding.ticker == "N0"
    assert finding.severity == "error"
    assert f"a split of {ratio:.3g} would make it" in finding.detail


def test_the_same_jump_on_heavy_trading_is_news_and_is_kept(make, close):
    close.loc[DAY:, "N0"] /= 2
    prices = make.prices(close)
    news = (prices["date"] == DAY) & (prices["ticker"] == "N0")
    prices.loc[news, "volume"] *= 20
    review = make.review(prices)
    assert checks(review) == ["near_split_ratio"]
    assert review.returns.loc[DAY, "N0"] < -0.4


def test_a_booked_split_that_did_not_happen_leaves_the_return_out(make, close):
    review = make.review(make.prices(close, split={(DAY, "N0"): 2.0}))
    assert np.isnan(review.returns.loc[DAY, "N0"])
    assert checks(review) == ["event_denied_by_price"]


def test_a_large_dividend_that_the_price_denies_leaves_the_return_out(make, close):
    review = make.review(make.prices(close, dividend={(DAY, "N0"): 7.0}))
    assert np.isnan(review.returns.loc[DAY, "N0"])
    assert checks(review) == ["event_denied_by_price"]
    assert review.market.dividend.loc[DAY, "N0"] == 0  # it was not paid, so no value left


@pytest.mark.parametrize("dividend", [2.0, 1.0])
def test_one_event_booked_as_split_and_dividend_leaves_the_return_out(make, close, dividend):
    close.loc[DAY:, "N0"] /= 2
    booked = make.prices(close, split={(DAY, "N0"): 2.0}, dividend={(DAY, "N0"): dividend})
    review = make.review(booked)
    assert checks(review) == ["doubled_event"]
    assert np.isnan(review.returns.loc[DAY, "N0"])


def test_a_dividend_booked_twice_within_days_counts_once(make, close):
    twice = {("2015-03-02", "N0"): 0.50, ("2015-03-04", "N0"): 0.50}
    review = make.review(make.prices(close, dividend=twice))
    change = close.pct_change()
    assert checks(review) == ["doubled_dividend"]
    assert review.returns.loc["2015-03-04", "N0"] == pytest.approx(
        change.loc["2015-03-04", "N0"], abs=1e-12
    )
    assert review.returns.loc["2015-03-02", "N0"] > change.loc["2015-03-02", "N0"] + 0.005


@pytest.mark.parametrize(
    "second", [("2015-03-20", 0.50), ("2015-03-04", 1.00)], ids=["weeks later", "another size"]
)
def test_two_dividends_weeks_apart_or_of_other_size_both_count(make, close, second):
    date, amount = second
    paid = {("2015-03-02", "N0"): 0.50, (date, "N0"): amount}
    assert checks(make.review(make.prices(close, dividend=paid))) == []


def test_a_price_that_is_not_positive_is_left_out_and_said(make, close):
    close.loc[DAY, "N0"] = 0.0
    review = make.review(make.prices(close))
    assert np.isnan(review.market.close.loc[DAY, "N0"])
    assert review.returns["N0"].iloc[1:].isna().sum() == 2
    assert np.isfinite(review.returns["N1"].iloc[1:]).all()
    assert "price_not_positive" in checks(review)


def test_days_without_trade_repeats_and_holes_are_reported_and_kept(make, close):
    close.loc["2015-03-03", "N1"] = close.loc["2015-03-02", "N1"]
    close.loc["2015-03-03", "N2"] = np.nan
    prices = make.prices(close)
    prices.loc[(prices["date"] == DAY) & (prices["ticker"] == "N0"), "volume"] = 0.0
    review = make.review(prices)
    assert checks(review, "N0") == ["zero_volume"]
    assert checks(review, "N1") == ["repeated_day"]
    assert checks(review, "N2") == ["missing_price"]
    assert review.returns.loc["2015-03-03", "N1"] == 0


def test_an_asset_that_lists_late_or_ends_early_has_no_hole(make, close):
    close.loc[:"2015-01-30", "N0"] = np.nan
    close.loc["2015-03-10":, "N1"] = np.nan
    review = make.review(make.prices(close))
    assert review.findings == []


@pytest.mark.parametrize(
    ("split", "odd"), [(1.5, False), (0.1, False), (1.05, True), (0.955, True)]
)
def test_a_split_that_is_no_ratio_of_small_numbers_is_reported(make, close, split, odd):
    close.loc[DAY:, "N0"] /= split
    review = make.review(make.prices(close, split={(DAY, "N0"): split}))
    assert ("odd_split" in checks(review)) == odd
    assert np.isfinite(review.returns.loc[DAY, "N0"])


def test_a_finding_says_when_who_and_what_was_done(make, close):
    review = make.review(make.prices(close, dividend={(DAY, "N0"): 7.0}))
    (finding,) = review.findings
    assert finding.date == pd.Timestamp(DAY)
    assert "dividend of 7" in finding.detail
    assert finding.action == "Quarantined: the return is left out."
