"""Each check finds the fault that was planted for it, and leaves the near miss alone."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.data.quality import CHECKS
from tilt.data.quality.coverage import coverage_findings
from tilt.frames import FactorHistory
from tilt.settings import addin_path

DAY, NEXT = "2015-03-02", "2015-03-03"  # the 43rd of the walk's days
NAMES = [f"N{i}" for i in range(8)]


@pytest.fixture
def close(make):
    return make.walk(60, NAMES)


def checks(found, ticker="N0"):
    return [f.check for f in found if f.ticker == ticker]


def adjusted(make, close, adj):
    """Prices with adjusted closes beside them."""
    both = make.prices(close).merge(
        make.prices(adj)[["date", "ticker", "close"]].rename(columns={"close": "adj_close"})
    )
    assert len(both) == close.notna().to_numpy().sum()
    return both


@pytest.mark.parametrize(("off", "fires"), [(0.0101, True), (-0.0101, True), (0.0099, False)])
def test_a_return_that_differs_from_the_adjusted_close_by_over_a_point_is_found(
    make, close, off, fires
):
    adj = close.copy()
    real = close["N0"].pct_change().loc[DAY]
    adj.loc[:"2015-02-27", "N0"] *= (1 + real) / (1 + real + off)  # its return is real + off
    review = make.review(adjusted(make, close, adj))
    assert checks(review.findings) == (["adjusted_close_disagrees"] if fires else [])
    assert review.returns.loc[DAY, "N0"] == pytest.approx(real, abs=1e-12)


def test_the_dividend_of_a_split_day_is_per_new_share_when_adjusted_closes_are_compared(
    make, close
):
    adj = close.copy()
    close.loc[DAY:, "N0"] = close.loc[DAY:, "N0"] / 2
    last, now = close["N0"].loc["2015-02-27"], close["N0"].loc[DAY]
    prices = adjusted(make, close, adj)
    at = (prices["date"] == DAY) & (prices["ticker"] == "N0")
    prices.loc[at, ["split", "dividend"]] = [2.0, 0.30]
    per_new = (now + 0.30) * 2 / last - 1
    before = (prices["date"] < DAY) & (prices["ticker"] == "N0")
    prices.loc[before, "adj_close"] *= adj["N0"].loc[DAY] / last / (1 + per_new)
    assert checks(make.review(prices).findings) == []
    per_old = (now * 2 + 0.30) / last - 1
    prices.loc[before, "adj_close"] *= (1 + per_new) / (1 + per_old)
    assert abs(per_new - per_old) < 0.01  # such a small dividend cannot tell the two apart
    prices.loc[at, "dividend"] = 1.5
    assert checks(make.review(prices).findings) == ["adjusted_close_disagrees"]


def test_a_hole_does_not_hide_a_disagreement_after_it(make, close):
    close.loc["2015-02-27", "N0"] = np.nan
    adj = close.copy()
    adj.loc[:"2015-02-26", "N0"] *= 0.5
    found = make.review(adjusted(make, close, adj)).findings
    assert sorted(checks(found)) == ["adjusted_close_disagrees", "missing_price"]


def test_a_split_that_only_the_adjusted_close_knows_repairs_the_return_and_says_so(make, close):
    adj = close.copy()
    real = close["N0"].pct_change().loc[DAY]
    close.loc[DAY:, "N0"] /= 2
    prices = adjusted(make, close, adj)
    prices.loc[(prices["date"] >= DAY) & (prices["ticker"] == "N0"), "volume"] *= 2
    review = make.review(prices)
    assert review.returns.loc[DAY, "N0"] == pytest.approx(real, abs=1e-12)
    mine = {f.check: f for f in review.findings if f.ticker == "N0"}
    assert set(mine) == {"unbooked_split", "adjusted_close_disagrees"}
    assert all(f.action.startswith("Repaired: the return is that of") for f in mine.values())
    assert review.broken.loc[DAY, "N0"] == 1  # shares of before still do not compare


def test_a_third_of_the_price_is_no_split_when_every_day_is_wild(make):
    close = make.walk(60, NAMES)
    wild = np.exp(np.where(np.arange(60) % 2, 0.09, -0.09))
    close["N0"] = 50 * np.cumprod(wild)
    close.loc[DAY:, "N0"] *= 2 / 3 * close["N0"].loc["2015-02-27"] / close["N0"].loc[DAY]
    found = make.review(make.prices(close)).findings
    assert "unbooked_split" not in checks(found)
    assert "near_split_ratio" in checks(found)


@pytest.mark.parametrize("factor", [1.5, 0.62])
def test_a_close_that_is_wrong_for_one_day_is_a_jump_and_the_jump_back(make, close, factor):
    real = close["N0"].loc[NEXT]
    close.loc[DAY, "N0"] *= factor
    prices = make.prices(close)
    heavy = (prices["date"] == DAY) & (prices["ticker"] == "N0")
    prices.loc[heavy, "volume"] *= 20
    review = make.review(prices)
    assert "reverted_jump" in checks(review.findings)
    assert "unbooked_split" not in checks(review.findings)
    assert review.market.close.loc[NEXT, "N0"] == real
    gone = close["N0"].copy()
    gone.loc[NEXT:] *= factor  # it stays where it went
    assert "reverted_jump" not in checks(make.review(make.prices(close.assign(N0=gone))).findings)


def test_a_jump_taken_for_a_split_and_its_jump_back_are_left_out_and_shares_compare_again(
    make, close
):
    close.loc[DAY, "N0"] *= 2 / 3
    review = make.review(make.prices(close))
    assert checks(review.findings) == ["unbooked_split", "reverted_jump"]
    assert review.returns["N0"].loc[[DAY, NEXT]].isna().all()
    assert review.broken["N0"].loc[[DAY, NEXT]].tolist() == [1, -1]
    assert review.broken["N0"].sum() == 0


@pytest.mark.parametrize(("days", "fires"), [(5, True), (4, False)])
def test_a_close_that_stands_still_is_stale_on_the_fifth_day(make, close, days, fires):
    rows = close.loc[DAY:].index[:days]
    close.loc[rows, "N0"] = close.loc[DAY, "N0"]
    prices = make.prices(close)
    prices["volume"] += np.arange(len(prices))  # trade goes on
    found = [f for f in make.review(prices).findings if f.check == "stale_price"]
    assert [f.date for f in found] == ([rows[-1]] if fires else [])


@pytest.mark.parametrize(("volume", "fires"), [(0.1e6, True), (0.3e6, False)])
def test_a_large_move_on_hardly_any_trade_is_found(make, close, volume, fires):
    close.loc[DAY:, "N0"] *= 1.15
    prices = make.prices(close)
    prices.loc[(prices["date"] == DAY) & (prices["ticker"] == "N0"), "volume"] = volume
    found = checks(make.review(prices).findings)
    assert ("thin_large_move" in found) == fires


def test_copies_of_a_row_count_once_and_rows_that_differ_not_at_all(make, close):
    prices = make.prices(close)
    day = prices["date"] == DAY
    copy = prices[day & (prices["ticker"] == "N0")]
    other = prices[day & (prices["ticker"] == "N1")].assign(close=1.0)
    built = make.panel(prices=pd.concat([prices, copy, other]))
    found = built.findings[built.findings["check"] == "duplicate_row"]
    assert found[["ticker", "severity"]].to_numpy().tolist() == [
        ["N0", "warning"],
        ["N1", "error"],
    ]
    assert built.panel.close.loc[DAY, "N0"] == pytest.approx(close.loc[DAY, "N0"])
    assert np.isnan(built.panel.close.loc[DAY, "N1"])
    assert built.panel.close.loc[DAY, "N2"] == pytest.approx(close.loc[DAY, "N2"])


def statement(symbol="N0", period_end="2014-11-30", **items):
    standard = {"total_assets": 200.0, "total_liabilities": 150.0, "total_equity": 50.0}
    return {"symbol": symbol, "period_end": period_end, **standard, **items}


def of_statements(make, close, *rows):
    found = make.panel(prices=make.prices(close), statements=pd.DataFrame(list(rows))).findings
    return found[found["ticker"] == "N0"]["check"].tolist()


@pytest.mark.parametrize(("equity", "fires"), [(47.9, True), (48.1, False), (52.1, True)])
def test_assets_that_are_not_liabilities_and_equity_are_found(make, close, equity, fires):
    found = of_statements(make, close, statement(total_equity=equity))
    assert found == (["unbalanced_statement"] if fires else [])


@pytest.mark.parametrize(
    ("filed", "expected"),
    [
        ("2015-01-30", []),
        ("2015-03-20", []),  # 110 days
        ("2014-11-30", ["future_filing"]),  # on the period's last day
        ("2014-10-01", ["future_filing"]),
        ("2015-12-31", ["future_filing"]),  # after the last price
    ],
)
def test_filings_that_cannot_be_are_found(make, close, filed, expected):
    assert of_statements(make, close, statement(filed=filed)) == expected


@pytest.mark.parametrize(("filed", "fires"), [("2015-01-30", True), ("2015-01-26", False)])
def test_a_filing_after_four_months_is_late(make, close, filed, fires):
    late = statement(period_end="2014-09-30", filed=filed)
    assert of_statements(make, close, late) == (["late_filing"] if fires else [])


@pytest.mark.parametrize(("period_end", "fires"), [("2013-09-20", True), ("2013-09-30", False)])
def test_a_traded_company_without_its_next_statement_is_overdue(make, close, period_end, fires):
    found = of_statements(make, close, statement(period_end=period_end))
    assert found == (["overdue_statement"] if fires else [])


def of_securities(make, close, **columns):
    table = pd.DataFrame({"ticker": NAMES, "sector": "Energy", **columns})
    found = make.panel(prices=make.prices(close), securities=table).findings
    return found.loc[found["ticker"] != "", ["ticker", "check"]].to_numpy().tolist()


def test_tickers_of_one_company_are_found_by_issuer_name_and_closes(make):
    close = make.walk(70, NAMES)
    names = ["Acme Inc.", "ACME Corporation", *(f"Firm {c}" for c in "abcdef")]
    by_name = [["N0", "same_company"], ["N1", "same_company"]]
    assert of_securities(make, close, name=names) == by_name
    issuers = ["X", "X", *"ABCDEF"]
    assert of_securities(make, close, name=names, issuer=issuers) == by_name  # told once
    close["N3"] = close["N2"]
    assert of_securities(make, close) == [["N2", "same_company"], ["N3", "same_company"]]
    close.loc[close.index[-1], "N3"] += 0.01
    assert of_securities(make, close) == []


def test_a_security_without_a_sector_is_found_and_one_with_is_not(make, close):
    sectors = ["Energy"] * 7 + [None]
    assert of_securities(make, close, sector=sectors) == [["N7", "missing_sector"]]


@pytest.mark.parametrize(("gone", "fires"), [(1, True), (0, False)])
def test_a_day_with_many_fewer_prices_is_found(make, close, gone, fires):
    close.loc[DAY:, NAMES[:gone]] = np.nan
    found = make.panel(prices=make.prices(close)).findings
    assert ("fewer_prices" in set(found["check"])) == fires


def scored(panel, style):
    """A factor history in which every asset has a score of one style on every day."""
    dates, assets = panel.dates, panel.assets
    shape = (len(dates), len(assets), 1)
    by_style = pd.DataFrame(0.0, index=dates, columns=[style])
    return FactorHistory(
        factors=pd.DataFrame({"group": ["style"]}, index=[style]),
        dates=dates,
        assets=assets,
        styles=np.zeros(shape),
        imputed=np.zeros(shape, dtype=bool),
        sector=pd.Series("Energy", index=assets),
        returns=by_style,
        t_stats=by_style,
        r2=by_style[style],
        specific_returns=pd.DataFrame(0.0, index=dates, columns=assets),
    )


@pytest.mark.parametrize(
    ("known", "severity"), [(40, None), (32, None), (31, "info"), (19, "warning")]
)
def test_a_factor_that_is_known_for_too_few_members_is_found(make, known, severity):
    names = [f"N{i:02d}" for i in range(40)]
    close = make.walk(60, names)
    figures = make.figures(close, "2015-01-02")
    panel = make.panel(prices=make.prices(close), key_figures=figures).panel
    history = scored(panel, "Value")
    history.styles[20:30, known:] = np.nan
    history.imputed[30:, known:] = True  # a score that was fitted from others is not known
    found = coverage_findings(replace(panel, factor_history=history))
    assert all(f.check == "low_coverage" and f.date == panel.dates[20] for f in found)
    told = [f.severity for f in found]
    assert told == ([severity] if severity else [])


@pytest.mark.parametrize("ratio", [1.25, 4 / 3])
def test_a_fall_of_a_fifth_or_a_fourth_is_not_taken_for_a_small_split(make, close, ratio):
    close.loc[DAY:, "N0"] /= ratio
    review = make.review(make.prices(close))
    assert not {"unbooked_split", "near_split_ratio"} & set(checks(review.findings))
    assert review.returns.loc[DAY, "N0"] < 1 / ratio - 1 + 0.05


def test_every_finding_of_the_sample_is_a_known_check_with_its_action(store):
    found = store.findings()
    assert set(found["check"]) <= set(CHECKS)
    first = found["action"].str.split(r"[ :.,]", regex=True).str[0]
    assert set(first) <= {"Kept", "Repaired", "Quarantined"}
    order = ["info", "warning", "error"]
    for check, severity in found.groupby("check")["severity"].unique().items():
        assert max(map(order.index, severity)) <= order.index(CHECKS[str(check)].severity)
    for check in found.loc[found["severity"] == "error", "check"]:
        assert CHECKS[str(check)].severity == "error"


def test_the_help_page_has_every_check_and_no_other():
    text = (addin_path() / "help" / "data-quality.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(told) == sorted(CHECKS)
