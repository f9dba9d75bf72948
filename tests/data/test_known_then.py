"""Caps, figures, statements and membership: what was known at each close, and nothing later."""

import numpy as np
import pandas as pd
import pytest

from tilt.data.fundamentals import FIELDS

LISTED = "2015-01-20"
SPLIT = "2015-02-10"


@pytest.fixture
def close(make):
    return make.walk(90, [f"N{i}" for i in range(8)])


def details(built, check):
    found = built.findings
    return found[found["check"] == check]


def test_caps_start_with_the_first_list_and_follow_shares_and_price(make, close):
    p = make.panel(prices=make.prices(close), key_figures=make.figures(close, LISTED)).panel
    assert p.market_cap.loc[:"2015-01-19"].isna().all(axis=None)
    np.testing.assert_allclose(p.market_cap.loc[LISTED:], close.loc[LISTED:] * 1e9, rtol=1e-12)


def test_a_listed_company_without_a_cap_is_out_of_the_universe_and_said_to_be_once(make, close):
    figures = make.figures(close, LISTED, "2015-02-02", "2015-03-02")
    unknown = (figures["symbol"] == "N0") & (figures["date"] < "2015-03-01")
    built = make.panel(
        prices=make.prices(close),
        key_figures=figures.assign(market_cap=figures["market_cap"].mask(unknown)),
    )
    member = built.panel.member["N0"]
    assert not member.loc[:"2015-03-01"].any()
    assert member.loc["2015-03-02":].all()
    (row,) = details(built, "member_without_cap").to_dict("records")
    assert (row["ticker"], row["date"]) == ("N0", pd.Timestamp(LISTED))
    assert "left out of the universe and of its cap-weighted benchmark" in row["action"]


def test_a_list_of_a_weekend_counts_from_the_next_session(make, close):
    p = make.panel(prices=make.prices(close), key_figures=make.figures(close, "2015-01-24")).panel
    assert p.market_cap.loc["2015-01-23"].isna().all()
    assert p.market_cap.loc["2015-01-26"].notna().all()
    assert p.member.loc["2015-01-26"].all()


def test_a_split_multiplies_shares_and_leaves_the_cap_and_the_ratios(make, close):
    whole = close["N0"].copy()
    close.loc[SPLIT:, "N0"] /= 4
    prices = make.prices(close, split={(SPLIT, "N0"): 4.0})
    p = make.panel(prices=prices, key_figures=make.figures(close, LISTED)).panel
    after = whole.loc[LISTED:]
    np.testing.assert_allclose(p.market_cap.loc[LISTED:, "N0"], after * 1e9, rtol=1e-12)
    np.testing.assert_allclose(
        p.fundamentals["book_to_price"].loc[LISTED:, "N0"], 20 / after, rtol=1e-12
    )
    np.testing.assert_allclose(p.fundamentals["book_value"].loc[LISTED:, "N0"], 20e9, rtol=1e-12)


def test_ratios_move_with_the_price_and_totals_do_not(make, close):
    p = make.panel(prices=make.prices(close), key_figures=make.figures(close, LISTED)).panel
    after = close.loc[LISTED:]
    at_list = close.loc[LISTED]
    expected = {
        "book_to_price": 20 / after,
        "earnings_to_price": 3 / after,
        "sales_to_price": 0.5 * at_list / after,
        "dividend_yield": 0.02 * at_list / after,
        "ebitda_to_price": 5e9 / (after * 1e9),
        "earnings": after * 0 + 3e9,
        "ebitda": after * 0 + 5e9,
    }
    for name, values in expected.items():
        np.testing.assert_allclose(p.fundamentals[name].loc[LISTED:], values, rtol=1e-12)


def test_a_spin_off_takes_its_part_of_the_book_value_with_it(make, close):
    before = close.loc[:SPLIT, "N0"].iloc[-2]
    close.loc[SPLIT:, "N0"] = before / 2
    prices = make.prices(close, dividend={(SPLIT, "N0"): before / 2})
    p = make.panel(prices=prices, key_figures=make.figures(close, LISTED)).panel
    ratio = p.fundamentals["book_to_price"]["N0"]
    assert ratio.loc[SPLIT] == pytest.approx(20 / before, rel=1e-12)
    assert p.fundamentals["book_value"].loc[SPLIT, "N0"] == pytest.approx(10e9, rel=1e-12)


def test_nothing_of_before_is_carried_over_a_split_that_was_not_booked(make, close):
    close.loc[SPLIT:, "N0"] /= 2
    figures = make.figures(close, LISTED, "2015-03-10")
    p = make.panel(prices=make.prices(close), key_figures=figures).panel
    cap = p.market_cap["N0"]
    assert cap.loc[LISTED:"2015-02-09"].notna().all()
    assert cap.loc[SPLIT:"2015-03-09"].isna().all()
    assert not p.member.loc[SPLIT:"2015-03-09", "N0"].any()
    np.testing.assert_allclose(cap.loc["2015-03-10":], close.loc["2015-03-10":, "N0"] * 1e9)


def test_a_list_months_old_is_read_at_the_close_it_was_seen_at(make, close):
    old = make.figures(close, LISTED).assign(date=pd.Timestamp("2015-03-20"))
    close.loc[SPLIT:, "N0"] /= 2
    built = make.panel(prices=make.prices(close, split={(SPLIT, "N0"): 2.0}), key_figures=old)
    cap = built.panel.market_cap["N0"]
    assert cap.loc[:"2015-03-19"].isna().all()
    np.testing.assert_allclose(cap.loc["2015-03-20":], close.loc["2015-03-20":, "N0"] * 2e9)
    assert details(built, "stale_list")["detail"].tolist() == [
        "Its prices are the closes of 2015-01-20, 59 days before."
    ]


def test_shares_on_the_basis_of_before_a_split_are_not_used(make, close):
    close.loc[SPLIT:, "N0"] /= 2
    figures = make.figures(close, LISTED, "2015-03-10")  # a billion shares on both days
    built = make.panel(prices=make.prices(close, split={(SPLIT, "N0"): 2.0}), key_figures=figures)
    np.testing.assert_allclose(
        built.panel.market_cap.loc["2015-03-10":, "N0"], close.loc["2015-03-10":, "N0"] * 2e9
    )
    assert details(built, "wrong_basis")["ticker"].tolist() == ["N0"]


@pytest.mark.parametrize(
    ("column", "value", "check"),
    [
        ("price", 10.0, "price_mismatch"),
        ("price", np.nan, "no_price"),
        ("market_cap", np.nan, "no_market_cap"),
        ("market_cap", 1e8, "cap_off_scale"),
        ("sector", "60.95", "displaced_row"),
    ],
)
def test_a_row_that_cannot_be_right_is_not_used_and_is_reported(make, close, column, value, check):
    figures = make.figures(close, LISTED)
    figures.loc[figures["symbol"] == "N0", column] = value
    built = make.panel(prices=make.prices(close, volume=2e7), key_figures=figures)
    assert built.panel.market_cap["N0"].isna().all()
    assert built.panel.market_cap["N1"].notna().any()
    assert details(built, check)["ticker"].tolist() == ["N0"]


def test_a_figure_per_share_on_another_basis_is_left_out_alone(make, close):
    figures = make.figures(close, LISTED)
    figures.loc[figures["symbol"] == "N0", "book_value"] = 40.0  # its price to book says 20
    built = make.panel(prices=make.prices(close), key_figures=figures)
    assert built.panel.fundamentals["book_to_price"]["N0"].isna().all()
    assert built.panel.fundamentals["earnings_to_price"].loc[LISTED, "N0"] > 0
    assert details(built, "per_share_basis")["ticker"].tolist() == ["N0"]


def test_two_share_classes_that_show_the_whole_company_count_half_each(make, close):
    securities = pd.DataFrame({"ticker": close.columns, "issuer": [*"XX", *"ABCDEF"]})
    built = make.panel(
        prices=make.prices(close),
        key_figures=make.figures(close, LISTED),
        securities=securities,
    )
    caps = built.panel.market_cap.loc[LISTED] / close.loc[LISTED] / 1e9
    np.testing.assert_allclose(caps, [0.5, 0.5, 1, 1, 1, 1, 1, 1])
    assert sorted(details(built, "share_classes")["ticker"]) == ["N0", "N1"]


def test_the_symbol_of_a_day_is_read_as_the_ticker_of_the_prices_until_it_changes_hands(
    make, close
):
    figures = make.figures(close, LISTED, "2015-03-10").replace({"symbol": {"N0": "OLD"}})
    reused = pd.DataFrame({"symbol": ["OLD"], "ticker": ["N0"], "until": ["2015-02-28"]})
    built = make.panel(prices=make.prices(close), key_figures=figures, symbol_changes=reused)
    assert built.panel.member.loc[LISTED:"2015-03-09", "N0"].all()
    assert not built.panel.member.loc["2015-03-10":, "N0"].any()  # OLD is another company now
    assert details(built, "two_symbols")["detail"].tolist() == [
        "The figures call it OLD, the prices N0."
    ]


def test_membership_is_the_last_list_at_or_before_the_day(make, close):
    figures = make.figures(close, LISTED, "2015-03-10")
    figures = figures[~((figures["symbol"] == "N0") & (figures["date"] == "2015-03-10"))]
    p = make.panel(prices=make.prices(close), key_figures=figures).panel
    assert not p.member.loc[:"2015-01-19"].any(axis=None)
    assert p.member.loc[LISTED:"2015-03-09"].all(axis=None)
    assert p.member.loc["2015-03-10":].sum(axis=1).eq(7).all()


def test_without_lists_every_priced_asset_is_in_and_there_are_no_caps(make, close):
    close.loc[:"2015-01-09", "N0"] = np.nan
    p = make.panel(prices=make.prices(close)).panel
    assert p.member.sum(axis=1).tolist() == [7] * 7 + [8] * 83
    assert p.market_cap.isna().all(axis=None)
    assert list(p.fundamentals) == list(FIELDS)


def statement(symbol: str, period_end: str, **items: float) -> dict[str, object]:
    standard = {
        "revenue": 100.0,
        "cost_of_revenue": 60.0,
        "gross_profit": 40.0,
        "net_income": 10.0,
        "total_assets": 200.0,
        "total_equity": 50.0,
        "long_term_debt": 30.0,
        "short_term_debt": 10.0,
        "operating_cash_flow": 15.0,
        "capital_expenditure": -10.0,
    }
    return {"symbol": symbol, "period_end": period_end, **standard, **items}


def test_a_statement_counts_ninety_days_after_its_period_and_not_before(make):
    close = make.walk(700, ["N0", "N1"], start="2014-01-01")
    rows = [
        statement("N0", "2013-12-31"),
        statement("N0", "2014-12-31", total_assets=250.0, revenue=130.0, capital_expenditure=20.0),
        statement("N1", "2013-12-31", total_equity=-5.0, cost_of_revenue=0.0),
    ]
    p = make.panel(prices=make.prices(close), statements=pd.DataFrame(rows)).panel
    first, second = "2014-03-31", "2015-03-31"  # 90 days after
    roe = p.fundamentals["return_on_equity"]["N0"]
    assert roe.loc[:"2014-03-30"].isna().all()
    assert roe.loc[first] == 0.2
    expected = {
        "gross_profitability": (0.2, 0.16),
        "debt_to_equity": (0.8, 0.8),
        "debt_to_assets": (0.2, 0.16),
        "accruals": (-0.025, -0.02),
        "asset_growth": (np.nan, 0.25),
        "sales_growth": (np.nan, 0.3),
        "investment_rate": (0.05, 0.08),  # whichever sign the outlay is booked with
    }
    for name, (before, after) in expected.items():
        values = p.fundamentals[name]["N0"]
        np.testing.assert_allclose(values.loc[[first, "2015-03-30"]], before)
        assert values.loc[second] == pytest.approx(after)
    other = {name: p.fundamentals[name].loc[first, "N1"] for name in expected}
    assert np.isnan(other["debt_to_equity"])
    assert np.isnan(other["gross_profitability"])  # no cost of revenue: a bank
    assert other["debt_to_assets"] == 0.2


def test_figures_and_statements_go_when_they_are_too_old(make):
    close = make.walk(700, [f"N{i}" for i in range(6)], start="2014-01-01")
    p = make.panel(
        prices=make.prices(close),
        key_figures=make.figures(close, "2014-01-10"),
        statements=pd.DataFrame([statement("N0", "2013-12-31")]),
    ).panel
    cap, roe = p.market_cap["N0"], p.fundamentals["return_on_equity"]["N0"]
    assert cap.loc["2014-01-10":"2015-02-14"].notna().all()  # 400 days
    assert cap.loc["2015-02-16":].isna().all()
    assert roe.loc["2014-04-01":"2015-07-03"].notna().all()  # 550 days
    assert roe.loc["2015-07-06":].isna().all()


def test_an_asset_without_a_master_record_keeps_its_ticker_as_name(make, close):
    securities = pd.DataFrame({"ticker": ["N1"], "name": ["One"], "sector": ["Energy"]})
    p = make.panel(prices=make.prices(close), securities=securities).panel
    assert p.securities.loc["N0"].tolist() == ["N0", "Not classified", "Not classified"]
    assert p.securities.loc["N1"].tolist() == ["One", "Energy", "Not classified"]
