"""The embedded sample against facts that are not computed from it."""

import exchange_calendars
import numpy as np
import pandas as pd
import pytest

from tilt.data.returns import market_of
from tilt.data.sample import cut
from tilt.data.sources.sample import Sample

FOLDER = cut.HERE


@pytest.fixture(scope="module")
def delivery():
    return Sample().fetch()


def test_the_sample_takes_at_most_eight_megabytes():
    shipped = [p for p in FOLDER.iterdir() if p.is_file()]
    assert sum(p.stat().st_size for p in shipped) <= 8_000_000


def test_every_file_of_the_sample_is_named_with_its_origin():
    text = (FOLDER / "SOURCES.md").read_text(encoding="utf-8")
    for path in FOLDER.iterdir():
        if path.suffix in (".parquet", ".csv"):
            assert f"`{path.name}`" in text


def test_closes_come_back_exactly_as_they_were_cut():
    values = np.array([0.01, 12.3, 99.99, 101.4375, 79.620003, 1234.5])
    decimals, whole = cut._scaled(values)
    assert decimals.tolist() == [2, 2, 2, 4, 6, 2]
    np.testing.assert_array_equal(whole / 10.0**decimals, values)


def test_more_decimals_than_can_be_kept_stop_the_cut():
    with pytest.raises(ValueError, match="more than 6 decimals"):
        cut._scaled(np.array([0.12345678]))


@pytest.mark.parametrize(
    ("text", "amount"),
    [("63.802B", 63_802e6), ("7.5M", 7.5e6), ("0.189", 189e6), ("1.2T", 1.2e12)],
)
def test_amounts_are_read_with_their_unit(text, amount):
    assert cut._amount(text) == amount


def test_text_that_is_no_amount_is_missing():
    assert np.isnan(cut._amount("N/A"))


@pytest.mark.parametrize(
    ("ticker", "day", "expected"),
    [
        ("AAPL", "2014-06-09", 0.0160),  # 7:1; 645.57 to 93.70
        ("GOOGL", "2014-04-03", 0.0039),  # the class C share given for each class A share
        ("NFLX", "2015-07-15", -0.0223),  # 7:1
        ("MSFT", "2017-02-15", -0.0006),  # 64.57 to 64.14 with a dividend of 0.39
        ("ABT", "2013-01-02", 0.0183),  # AbbVie spun off
        ("V", "2015-03-19", -0.0016),  # 4:1
    ],
)
def test_well_known_days_have_their_return(panel, ticker, day, expected):
    assert panel.returns.loc[day, ticker] == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize(
    ("ticker", "day", "check"),
    [
        ("MSI", "2011-01-04", "event_denied_by_price"),  # Motorola Mobility's spin-off is missing
        ("TEL", "2014-05-15", "event_denied_by_price"),  # a dividend of 7 that was never paid
        ("HBI", "2015-03-04", "doubled_event"),  # 4:1, and again as a dividend of 3
        ("TMUS", "2013-05-01", "unbooked_split"),  # 1:2 with the merger
    ],
)
def test_days_that_are_booked_wrong_have_no_return_and_a_finding(panel, store, ticker, day, check):
    findings = store.findings(severity="error")
    mine = findings[(findings["ticker"] == ticker) & (findings["date"] == day)]
    assert mine["check"].tolist() == [check]
    assert np.isnan(panel.returns.loc[day, ticker])


def test_few_returns_are_left_out(panel):
    priced = panel.close.notna() & panel.close.shift().notna()
    assert (panel.returns.isna() & priced).to_numpy().sum() <= 10


def test_caps_are_those_the_newspapers_had(panel):
    billions = panel.market_cap / 1e9
    assert billions.loc["2014-06-10", "AAPL"] == pytest.approx(568, rel=0.03)
    assert billions.loc["2016-01-29", "MSFT"] == pytest.approx(436, rel=0.03)
    assert billions.loc["2017-06-30", "AMZN"] == pytest.approx(463, rel=0.03)
    both = billions.loc["2017-06-30", ["GOOG", "GOOGL"]].sum()
    assert both == pytest.approx(636, rel=0.04)  # the company once, not once for each class


def test_the_cap_weighted_universe_moves_with_the_published_index(panel):
    caps = panel.market_cap.where(panel.member)
    weights = caps.div(caps.sum(axis=1), axis=0).shift()
    ours = (weights * panel.returns).sum(axis=1).loc["2013-01-02":]
    index = panel.index_level.pct_change(fill_method=None).loc["2013-01-02":]
    assert ours.corr(index) > 0.998
    assert (ours - index).std() * np.sqrt(252) < 0.01
    ahead = ((1 + ours).prod() / (1 + index).prod()) ** (252 / len(ours)) - 1
    assert 0.015 < ahead < 0.035  # dividends, about 2 % a year, and survivorship


def test_yearly_returns_are_near_the_published_total_return_of_the_index(panel):
    caps = panel.market_cap.where(panel.member)
    weights = caps.div(caps.sum(axis=1), axis=0).shift()
    daily = 1 + (weights * panel.returns).sum(axis=1)
    for year, published in {2013: 0.3239, 2014: 0.1369, 2015: 0.0138, 2016: 0.1196}.items():
        made = daily[daily.index.year == year].prod() - 1
        assert made == pytest.approx(published, abs=0.02), year


def test_the_universe_is_the_priced_part_of_about_five_hundred_members(panel):
    count = panel.member.sum(axis=1)
    assert count.loc[:"2012-12-26"].eq(0).all()
    assert count.loc["2012-12-27":].between(335, 420).all()


def test_every_change_of_symbol_is_borne_out_by_the_prices(delivery):
    """On the lists where it holds, the price under the old symbol is the close of the ticker."""
    figures, changes = delivery.tables["key_figures"], delivery.tables["symbol_changes"]
    close = market_of(delivery.tables["prices"]).close
    figures = figures[figures["date"] > "2013-01-01"]  # the first list is months old
    for change in changes[changes["ticker"].notna()].itertuples():
        mine = figures[figures["symbol"] == change.symbol]
        if pd.notna(change.until):
            mine = mine[mine["date"] <= change.until]
        mine = mine[mine["price"] > 0]
        near = [
            (close[change.ticker].loc[:day].tail(6) / price - 1).abs().min() < 0.02
            for day, price in zip(mine["date"], mine["price"], strict=True)
            if day != pd.Timestamp("2014-02-25")  # repeats a list of January
        ]
        assert np.mean(near or [1.0]) >= 0.9, change.symbol


def test_a_symbol_that_went_to_another_company_is_not_read_as_the_first_one(panel):
    # Ingersoll-Rand's IR, Johnson Controls' JCI and Chubb's CB of those days are other companies
    day = pd.Timestamp("2014-06-02")
    caps = panel.market_cap.loc[day] / 1e9
    assert caps["TT"] == pytest.approx(16, rel=0.15)
    assert caps["CB"] == pytest.approx(35, rel=0.15)  # ACE
    assert caps["NVDA"] == pytest.approx(10.5, rel=0.15)
    assert np.isnan(caps["IR"])


def test_the_sample_portfolio_leaves_two_per_cent_in_cash(delivery, panel):
    weights = delivery.portfolios["SAMPLE"]
    assert len(weights) == 40
    assert weights.sum() == pytest.approx(0.98, abs=1e-12)
    assert panel.member.loc[panel.as_of, weights.index].all()
    assert panel.securities.loc[weights.index, "sector"].nunique() == 11


def test_every_asset_has_a_name_and_one_of_eleven_sectors(panel):
    assert panel.securities["sector"].nunique() == 11
    assert "Not classified" not in set(panel.securities["sector"])
    assert panel.securities["name"].notna().all()


@pytest.mark.filterwarnings("ignore:Series.values returning")  # inside exchange_calendars
def test_every_trading_day_of_the_exchange_is_there(panel):
    sessions = exchange_calendars.get_calendar("XNYS").sessions_in_range("2011-01-03", "2017-06-30")
    assert panel.dates.tolist() == sessions.tolist()
    assert (panel.index_level.index == panel.dates).all()


@pytest.mark.parametrize(
    ("field", "since", "share"),
    [
        ("book_to_price", "2014-01-02", 0.99),
        ("earnings_to_price", "2014-01-02", 0.97),
        ("gross_profitability", "2014-04-15", 0.75),  # banks have none
        ("return_on_equity", "2014-04-15", 0.8),
        ("debt_to_assets", "2014-04-15", 0.8),
    ],
)
def test_value_and_quality_are_known_for_most_members(panel, field, since, share):
    member = panel.member.loc[since:]
    known = panel.fundamentals[field].loc[since:].notna() & member
    assert (known.sum(axis=1) / member.sum(axis=1)).min() > share
