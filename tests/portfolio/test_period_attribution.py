import numpy as np
import pandas as pd
import pytest

from tilt.errors import DataError
from tilt.portfolio.attribution import LINKS, compound, linking
from tilt.portfolio.period_attribution import CHAINING, by_period

DAYS = pd.bdate_range("2016-11-15", "2017-02-20")


@pytest.fixture(scope="module")
def daily():
    rng = np.random.default_rng(7)
    effects = pd.DataFrame(0.003 * rng.standard_normal((len(DAYS), 3)), DAYS, list("abc"))
    benchmark = pd.Series(0.01 * rng.standard_normal(len(DAYS)), DAYS)
    return effects, benchmark + effects.sum(axis=1), benchmark


@pytest.mark.parametrize("link", list(LINKS))
@pytest.mark.parametrize("frequency", ["M", "Q", "Y"])
def test_effects_sum_to_each_period_and_to_the_whole(daily, link, frequency):
    effects, portfolio, benchmark = daily
    found = by_period(effects, portfolio, benchmark, frequency=frequency, link=link)
    np.testing.assert_allclose(found.residual, 0.0, atol=1e-14)
    assert found.linked.sum() == pytest.approx(found.total, abs=1e-14)
    assert found.total == pytest.approx(compound(portfolio) - compound(benchmark), abs=1e-15)


@pytest.mark.parametrize("link", CHAINING)
def test_linking_by_month_is_linking_all_days_at_once(daily, link):
    effects, portfolio, benchmark = daily
    at_once = linking(portfolio, benchmark, link=link) @ effects.to_numpy()
    found = by_period(effects, portfolio, benchmark, link=link)
    np.testing.assert_allclose(found.linked, at_once, atol=1e-15)


def test_periods_carry_the_date_of_their_last_session(daily):
    ends = by_period(*daily).effects.index
    assert [f"{end:%Y-%m-%d}" for end in ends] == [
        "2016-11-30", "2016-12-30", "2017-01-31", "2017-02-20",
    ]  # fmt: skip


def test_no_day_is_refused_in_words(daily):
    effects, portfolio, benchmark = (x.iloc[:0] for x in daily)
    with pytest.raises(DataError, match="There is no day to attribute"):
        by_period(effects, portfolio, benchmark)
