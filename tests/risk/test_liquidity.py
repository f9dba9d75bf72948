"""How long it takes to sell what is held."""

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, DataError
from tilt.risk.liquidity import average_dollar_volume, days_to_exit, share_out


def weights(**held):
    return pd.Series(held, dtype=float)


def test_days_are_the_position_over_our_share_of_the_volume():
    table = days_to_exit(weights(A=0.6, B=0.4), weights(A=1e6, B=8e6), 1e7, 0.2)
    found = table.set_index("ticker")
    assert found.loc["A", "days_to_exit"] == pytest.approx(6e6 / (0.2 * 1e6))
    assert found.loc["A", "pct_adv"] == pytest.approx(6.0)
    assert found.loc["B", "days_to_exit"] == pytest.approx(4e6 / (0.2 * 8e6))
    assert list(table["ticker"]) == ["A", "B"]  # the slowest first


def test_a_short_is_bought_back_as_a_long_is_sold():
    table = days_to_exit(weights(A=-0.5, B=0.5), weights(A=1e6, B=1e6), 1e6)
    assert table["days_to_exit"].iloc[0] == table["days_to_exit"].iloc[1]


def test_the_share_out_sells_evenly_day_by_day():
    table = days_to_exit(weights(A=0.5, B=0.5), weights(A=1e6, B=1e5), 1e6, 0.5)
    # A needs 1 day, B 10: after five days all of A and half of B are out
    assert share_out(table, 1) == pytest.approx(0.5 + 0.05)
    assert share_out(table, 5) == pytest.approx(0.5 + 0.25)
    assert share_out(table, 20) == 1.0


def test_a_name_without_volume_is_stuck_and_shown_last():
    table = days_to_exit(weights(A=0.5, B=0.5), weights(A=1e6), 1e6)
    assert np.isnan(table["days_to_exit"].iloc[-1])
    assert share_out(table, 1e9) == pytest.approx(0.5)


def test_volume_is_averaged_over_the_days_up_to_the_date():
    days = pd.bdate_range("2020-01-01", periods=30)
    close = pd.DataFrame({"A": 10.0, "B": 10.0}, index=days)
    volume = pd.DataFrame({"A": np.arange(30.0), "B": np.arange(30.0)}, index=days)
    volume.loc[days[12:24], "B"] = np.nan
    adv = average_dollar_volume(close, volume, days[24])
    assert adv["A"] == pytest.approx(10 * np.mean(np.arange(5, 25)))
    assert np.isnan(adv["B"])  # 12 of 20 days are missing


@pytest.mark.parametrize(("value", "share"), [(0, 0.2), (-1, 0.2), (1, 0), (1, 20)])
def test_senseless_figures_are_refused(value, share):
    with pytest.raises(ArgumentError):
        days_to_exit(weights(A=1.0), weights(A=1e6), value, share)


def test_no_volume_at_all_is_an_error_that_names_the_tickers():
    with pytest.raises(DataError, match="A, B"):
        days_to_exit(weights(A=0.5, B=0.5), weights(C=1.0), 1e6)
