"""Factors over HTTP: the same numbers as in the sheet, and the formula that shows them there."""

import base64
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.api.starter_factors import factor_sheets
from tilt.optimize.pure import KINDS, Limits, compare, factor_portfolio, open_factor
from tilt.risk.model import estimate_model

FACTOR = "Momentum"


def frame(answer):
    table = answer["table"]
    return pd.DataFrame(table["data"], columns=table["columns"])


def research(api, view, **body):
    return api.ok("POST", f"factor-research/{view}", {"factor": FACTOR, **body})


def test_factors_are_listed_with_their_group_and_the_first_day_of_their_returns(api, panel):
    answer = api.ok("GET", "factors")
    rows = pd.DataFrame(answer["factors"]["data"], columns=answer["factors"]["columns"])
    assert rows["factor"].tolist() == list(panel.factors.factors.index)
    assert rows["group"].tolist() == panel.factors.factors["group"].tolist()
    momentum = rows.set_index("factor").loc[FACTOR]
    known = panel.factors.returns[FACTOR].dropna()
    assert momentum["first_date"] == f"{known.index[0]:%Y-%m-%d}"
    assert momentum["days"] == len(known)
    assert answer["imported"] == []


def test_factor_returns_are_those_of_the_regressions(api, panel):
    answer = api.ok("GET", "factor-returns?factors=Value,Momentum&start=2016-01-04&end=2016-03-31")
    rows = frame(answer).set_index("date")
    expected = panel.factors.returns.loc["2016-01-04":"2016-03-31", ["Value", "Momentum"]]
    assert rows.index.tolist() == [f"{d:%Y-%m-%d}" for d in expected.index]
    assert rows.to_numpy() == pytest.approx(expected.to_numpy())
    formula = '=TILT.FACTOR_RETURNS("Value,Momentum","2016-01-04","2016-03-31","D")'
    assert answer["formula"] == formula


def test_statistics_and_correlation_agree_with_the_returns(api, panel):
    r = panel.factors.returns[FACTOR].dropna()
    row = frame(research(api, "statistics")).iloc[0]
    assert row["mean"] == pytest.approx(252 * r.mean())
    assert row["volatility"] == pytest.approx(np.sqrt(252) * r.std())
    every = frame(api.ok("GET", "factor-statistics")).set_index("factor")
    assert every.index.tolist() == list(panel.factors.factors.index)
    assert every.loc[FACTOR, "mean"] == row["mean"]
    matrix = frame(research(api, "correlation", start="2016-01-04")).set_index("factor")
    both = panel.factors.returns.loc["2016-01-04":, [FACTOR, "Value"]]
    assert matrix.loc["Value", FACTOR] == pytest.approx(both.corr().iloc[0, 1])


def test_the_mean_of_the_ic_series_is_the_summary_and_the_first_window_of_the_decay(api):
    span = {"start": "2016-01-04", "horizon": 21}
    summary = frame(research(api, "ic", **span)).set_index("measure")["value"]
    series = frame(research(api, "ic_series", **span))
    decay = frame(research(api, "decay", **span))
    assert summary["mean_ic"] == pytest.approx(series["ic"].mean())
    assert summary["observations"] == len(series)
    assert decay["mean_ic"].iloc[0] == pytest.approx(summary["mean_ic"])


def test_the_spread_is_the_highest_less_the_lowest_portfolio(api):
    answer = research(api, "quantiles", start="2015-01-02", quantiles=4, horizon=5)
    rows = frame(answer).set_index("quantile")["mean_return"]
    assert rows.index.tolist() == [1, 2, 3, 4, "spread"]
    assert rows["spread"] == pytest.approx(rows[4] - rows[1])
    assert answer["formula"] == '=TILT.FACTOR_QUANTILES("Momentum",4,5,"2015-01-02")'


def test_the_shape_of_a_factor_has_percentiles_and_meanings(api):
    rows = frame(research(api, "shape"))
    assert rows["percentile"].dropna().between(0, 1).all()
    assert rows["meaning"].str.len().gt(10).all()


@pytest.fixture(scope="module")
def cases(panel):
    """Momentum on the last date, and 21 trading days before."""
    days = (panel.as_of, panel.dates[-22])
    return tuple(
        open_factor(
            estimate_model(panel.factors, day),
            panel.securities,
            panel.market_cap.loc[day],
            panel.assets[panel.member.loc[day].to_numpy(dtype=bool)],
            FACTOR,
        )
        for day in days
    )


def test_the_four_portfolios_stand_side_by_side(api, cases):
    given = {"factor": FACTOR, "max_weight": 0.03, "cost_bps": 20}
    rows = frame(api.ok("POST", "pure-factor", given)).set_index("measure")
    assert rows.columns.tolist() == list(KINDS)
    expected = compare(cases, Limits(max_weight=0.03), cost=0.002).set_index("measure")
    assert rows.to_numpy(dtype=float) == pytest.approx(expected.to_numpy(dtype=float), rel=1e-4)


def test_the_weights_of_the_pure_portfolio_have_no_other_exposure(api, cases):
    answer = api.ok("POST", "pure-factor/pure", {"factor": FACTOR, "max_weight": 0.03})
    weights = frame(answer).set_index("ticker")["weight"]
    expected = factor_portfolio(cases[0], "pure", Limits())
    assert weights.to_dict() == pytest.approx(expected[expected.abs() > 1e-7].to_dict())
    assert answer["formula"] == '=TILT.PURE_FACTOR("Momentum",,,"kind=pure")'


def test_an_investable_portfolio_keeps_its_limits_and_sums_to_one(api):
    given = {"factor": FACTOR, "max_weight": 0.02, "max_turnover": 0.4}
    answer = api.ok("POST", "pure-factor/investable", given)
    weights = frame(answer)["weight"]
    assert weights.sum() == pytest.approx(1.0, abs=1e-5)
    assert weights.between(0, 0.02 + 1e-6).all()
    options = '"kind=investable;max_weight=0.02;max_turnover=0.4"'
    assert answer["formula"] == f'=TILT.PURE_FACTOR("Momentum",,,{options})'


def test_an_expression_is_judged_like_a_factor_and_quoted_in_its_formula(api):
    given = {"factor": "rank(roe) - rank(leverage)", "start": "2017-01-03"}
    answer = api.ok("POST", "factor-research/ic", given)
    assert frame(answer)["value"].notna().any()
    assert answer["formula"].startswith('=TILT.FACTOR_IC("rank(roe) - rank(leverage)",21,')


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("factor-research/ic", {"factor": "Momentun"}, 404, "Did you mean 'Momentum'?"),
        ("factor-research/shape", {"factor": "Momentun"}, 404, "Did you mean 'Momentum'?"),
        ("factor-research/ic", {"factor": FACTOR, "horizon": 0}, 400, "horizon must be"),
        ("factor-research/returns", {"factor": FACTOR, "start": "soon"}, 400, "start"),
        ("pure-factor", {"factor": FACTOR, "max_weight": 5}, 400, "max_weight must be a fraction"),
        ("pure-factor/best", {"factor": FACTOR}, 422, "kind"),
        ("pure-factor", {"factor": FACTOR, "universe": "NONE SUCH"}, 404, "NONE SUCH"),
    ],
)
def test_what_cannot_be_answered_is_said_in_words(api, path, body, status, words):
    given, said = api.refused("POST", path, body)
    assert words in said
    assert given == status


def test_a_universe_without_a_factor_model_says_so(api):
    rows = ["date,ticker,close"]
    rows += [f"2015-01-{d},{t},{p + d}" for d in (15, 16) for t, p in (("AAPL", 9), ("MSFT", 4))]
    file = base64.b64encode("\n".join(rows).encode()).decode()
    body = {"file": file, "name": "two.csv", "universe": "two names"}
    assert api.ended(api.ok("POST", "data/import", body)["job"])["state"] == "done"
    asked = {"factor": FACTOR, "universe": "TWO NAMES"}
    for answer in (
        api.refused("GET", "factors?universe=TWO NAMES"),
        api.refused("POST", "factor-research/ic", asked),
        api.refused("POST", "pure-factor", asked),
    ):
        assert "'TWO NAMES' has no factor model" in answer[1]


def test_without_a_factor_model_the_starter_workbook_has_no_sheets_on_factors(panel):
    assert [s.name for s in factor_sheets(panel)] == ["Factors", "Pure factor"]
    assert factor_sheets(replace(panel, factor_history=None)) == ()
