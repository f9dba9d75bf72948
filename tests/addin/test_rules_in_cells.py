"""The language of OPTIMIZE in a cell over the sample: counts, volumes, costs, lots and sums."""

import re

import numpy as np
import pytest
from cell_tables import frame

HELD = [["ticker", "weight"], ["AAPL", 0.2], ["XOM", 0.2], ["JPM", 0.2], ["JNJ", 0.2], ["WMT", 0.2]]


def weights_of(excel, objective, rules, options=None, alpha=None):
    cells = excel("optimize", objective, HELD, rules, None, alpha, None, "weights", options)
    return frame(cells).set_index("ticker")["weight"].astype(float)


def explained(excel, objective, rules, options=None, alpha=None):
    cells = excel("optimize", objective, HELD, rules, None, alpha, None, "explain", options)
    return [row[0] for row in cells[1:]]


def test_few_names_none_of_them_small_with_the_proof(excel):
    rules = [["names", "", None, 15], ["holding", "", 0.02, None], ["weight", "*", None, 0.15]]
    held = weights_of(excel, "min_te", rules, "gap=0.1")
    held = held[held > 0]
    assert len(held) <= 15
    assert held.min() >= 0.02 - 1e-6
    (proof,) = (
        re.findall(r"proven within ([\d.]+) % of the best", line)
        for line in explained(excel, "min_te", rules, "gap=0.1")
        if "proven within" in line
    )
    assert float(proof[0]) <= 10


def test_too_few_names_for_their_caps_is_said_as_a_colleague_would(excel):
    rules = [["names", "", None, 20], ["weight", "*", None, 0.04]]
    cell, said = excel.error("optimize", "min_te", HELD, rules)
    assert cell == "#N/A"
    assert said.startswith("No solution: 'names at most 20' and 'each weight at most 4 %' conflict")
    assert "20 names at most 4 % each allow 80 % invested at most; 100 % must be." in explained(
        excel, "min_te", rules
    )


def test_volume_and_impact_are_read_from_the_universe(excel):
    rules = [["adv", "*", None, 0.05], ["cost", "", None, 0.01]]
    told = frame(
        excel(
            "optimize", "min_te", HELD, rules, None, None, None, "constraints",
            "value=100000000;impact=1;spread=0.001",
        )
    ).set_index("rule")  # fmt: skip
    assert float(told.loc["adv", "value"]) <= 0.05 + 1e-5
    assert 0 < float(told.loc["cost", "value"]) <= 0.01 + 1e-6


def test_lots_leave_cash_and_say_so(excel):
    told = explained(excel, "min_te", [["lot", "*", 100, None]], "value=50000000")
    assert any(line.startswith("Trades are rounded to lots of 100 shares") for line in told)


def test_a_sum_of_terms_is_an_objective_of_a_cell(excel):
    alpha = [["ticker", "return"], ["AAPL", 0.08], ["XOM", 0.05]]
    utility = weights_of(excel, "max_utility", None, "risk_aversion=4", alpha)
    summed = weights_of(excel, "max_return - 4*active_risk", None, None, alpha)
    both = summed.index.union(utility.index)
    np.testing.assert_allclose(
        summed.reindex(both).fillna(0), utility.reindex(both).fillna(0), atol=2e-5
    )
    told = explained(excel, "max_return - 4*active_risk - cost", None, None, alpha)
    assert "the best within the rules" in told[0]


@pytest.mark.parametrize(
    ("objective", "rules", "options", "said"),
    [
        ("max_return - 4*rsk", None, None, "'rsk' is no term. Did you mean 'risk'"),
        ("min_te", [["names", "", None, 0.2]], None, "max of 'names' is a count; got 0.2."),
        ("min_te", [["adv", "*", None, 0.2]], None, "rule adv needs option value"),
        ("min_te", [["group:sectr", "*", None, 0.2]], None, "Did you mean 'sector'"),
        ("min_te", None, "gap=2", "option gap must be between 0 and 0.5; got 2."),
    ],
)
def test_what_cannot_be_meant_is_refused_in_the_cell(excel, objective, rules, options, said):
    alpha = [["ticker", "return"], ["AAPL", 0.08]]
    asked = (objective, HELD, rules, None, alpha, None, "trades", options)
    assert said in excel.error("optimize", *asked)[1]
