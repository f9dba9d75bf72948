"""Every objective of OPTIMIZE in cells over the sample."""

import numpy as np
import pytest
from cell_tables import frame

from tilt.optimize.terms import OBJECTIVES

HELD = [["ticker", "weight"], ["AAPL", 0.2], ["XOM", 0.2], ["JPM", 0.2], ["JNJ", 0.2], ["WMT", 0.2]]
CAP = [["weight", "*", 0, 0.25]]
ALPHA = [["ticker", "return"], ["AAPL", 0.08], ["XOM", 0.05], ["JPM", 0.06]]
OPTIONS = {
    "risk_budget": "budgets=Energy=0.4, Financials=0.6",
    "pure_factor": "factor=Value",
    "min_cvar": "lookback=252",
    "risk_parity": "budgets=holdings",
}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_each_objective_explains_its_answer_in_a_cell(excel, objective):
    alpha = ALPHA if objective in ("max_return", "max_utility", "max_sharpe") else None
    options = OPTIONS.get(objective)
    rules = CAP if objective not in ("risk_budget", "hrp") else None
    asked = (objective, HELD, rules, None, alpha, None)
    told = [row[0] for row in excel("optimize", *asked, "explain", options)[1:]]
    assert "the best within the rules" in told[0]
    assert told[-1].startswith("Solved by")
    table = frame(excel("optimize", *asked, "summary", options)).set_index("measure")
    assert float(table.loc["cash", "after"]) == pytest.approx(0.0, abs=1e-6)


def weights_of(cells):
    return frame(cells).set_index("ticker")["weight"].astype(float)


def test_risk_parity_over_the_holdings_gives_each_a_fifth_of_the_risk(excel):
    options = "budgets=holdings"
    held = weights_of(
        excel("optimize", "risk_parity", HELD, None, None, None, None, "weights", options)
    )
    rows = [[ticker, float(weight)] for ticker, weight in held[held > 0].items()]
    table = frame(excel("risk_table", rows, "position", None, "NONE"))
    np.testing.assert_allclose(table["pct"].astype(float).iloc[:5], 0.2, atol=1e-6)


VIEWS = [
    ["name", "minus", "view", "confidence"],
    ["AAPL", "MSFT", 0.03, 0.8],
    ["Energy", "", 0.1, ""],
]


def test_views_of_a_range_and_of_an_option_are_the_same_and_are_explained(excel):
    asked = ("optimize", "black_litterman", "CASH", None, None, None, None)
    text = "views=AAPL - MSFT=0.03@0.8, Energy=0.1"
    ranged, typed = (
        weights_of(excel(*asked, "weights", *more)) for more in ((None, VIEWS), (text, None))
    )
    np.testing.assert_allclose(typed, ranged[typed.index], atol=1e-9)
    told = " ".join(row[0] for row in excel(*asked, "explain", None, VIEWS))
    assert "View 'AAPL above MSFT by 3 % a year': the market implies" in told
    assert "View 'Energy returns 10 % a year'" in told


def test_cvar_looks_at_the_days_before_its_date_and_no_later(excel, panel):
    day = "2016-06-30"
    told = excel("optimize", "min_cvar", HELD, CAP, None, None, day, "explain", "lookback=252")
    weights = weights_of(
        excel("optimize", "min_cvar", HELD, CAP, None, None, day, "weights", "lookback=252")
    )
    past = panel.returns.loc[:day].tail(252)[weights.index[weights > 0]]
    losses = np.sort(-past.to_numpy() @ weights[weights > 0])[::-1]
    tail = 0.05 * 252
    mean = (losses[:12].sum() + (tail - 12) * losses[12]) / tail
    assert f"is {100 * mean:.4g} %" in told[1][0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("risk_budget", HELD), "risk_budget needs option budgets"),
        (
            ("pure_factor", HELD, None, None, None, None, "trades", "factor=Valu"),
            "Did you mean 'Value'?",
        ),
        (("max_sharpe", HELD), "max_sharpe needs alpha"),
        (
            ("min_te", HELD, None, None, None, None, "trades", None, [["AAPL", 0.1]]),
            "views say nothing to min_te",
        ),
        (
            ("black_litterman", HELD, None, None, None, None, "trades", None, [["APPL", 0.1]]),
            "views row 1: 'APPL' is no ticker or sector",
        ),
        (
            ("min_risk", HELD, None, None, None, None, "trades", "estimator=ledoit"),
            "Did you mean 'ledoit_wolf'?",
        ),
    ],
)
def test_what_an_objective_misses_is_the_cells_message(excel, arguments, message):
    assert message in excel.error("optimize", *arguments)[1]


def test_an_estimator_of_returns_stands_in_for_the_factor_model(excel):
    options = "estimator=ledoit_wolf;lookback=252"
    told = excel("optimize", "min_risk", HELD, CAP, "NONE", None, None, "summary", options)
    plain = excel("optimize", "min_risk", HELD, CAP, "NONE", None, None, "summary")
    after = [float(frame(t).set_index("measure").loc["volatility", "after"]) for t in (told, plain)]
    assert after[0] != pytest.approx(after[1], rel=1e-6)
