"""Each price equals what solving again finds, and each trade says what pays for it."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError
from tilt.optimize.constraints import KINDS, Rule
from tilt.optimize.solve import VIEWS, check_rules, solve
from tilt.optimize.trades import split_gains

RULES = (
    Rule("weight", "*", None, 0.11),
    Rule("sector", "Energy", None, 0.20),
    Rule("sector", "Health", 0.30, None),
    Rule("factor", "Momentum", 0.25, None, relative=True),
    Rule("turnover", "", None, 0.55),
    Rule("beta", "", 1.05, None),
)


def sign(problem):
    return -1.0 if problem.objective in ("min_te", "min_risk") else 1.0


def moved(problem, row, by):
    """Return the problem with the bound of row ``row`` of its rules looser by ``by``."""
    rule = problem.rules[row]
    change = rule.moved("min", rule.low - by) if rule.high is None else None
    change = change or rule.moved("max", rule.high + by)
    return replace(problem, rules=(*problem.rules[:row], change, *problem.rules[row + 1 :]))


@pytest.mark.parametrize("objective", ["min_te", "min_risk", "max_utility"])
@pytest.mark.parametrize("solver", ["piqp", "clarabel", "cvxpy"])
def test_a_shadow_price_is_the_finite_difference(problem_of, objective, solver):
    problem = problem_of(objective, RULES, seed=3, solver=solver)
    prices = solve(problem).rules["shadow_price"].to_numpy()
    assert (prices[: len(RULES)] > 1e-6).sum() >= 3
    for row, rule in enumerate(RULES):
        step = 1e-4 * (1.0 if KINDS[rule.rule].percent else 5.0)
        looser, tighter = (solve(moved(problem, row, by)).objective for by in (step, -step))
        difference = sign(problem) * (looser - tighter) / (2 * step)
        assert prices[row] == pytest.approx(difference, rel=2e-2, abs=5e-5)


def test_the_price_of_a_risk_cap_is_the_finite_difference(problem_of):
    rules = (Rule("weight", "*", None, 0.15), Rule("tracking_error", "", None, 0.04))
    for solver in ("clarabel", "cvxpy"):
        problem = problem_of("max_return", rules, solver=solver)
        price = solve(problem).rules["shadow_price"][1]
        up, down = (solve(moved(problem, 1, by)).objective for by in (1e-4, -1e-4))
        assert price == pytest.approx((up - down) / 2e-4, rel=1e-2)


@pytest.mark.parametrize("solver", ["piqp", "clarabel", "cvxpy"])
def test_names_on_both_bounds_of_their_rule_have_a_row_and_a_price_for_each_bound(
    problem_of, solver
):
    rule = Rule("weight", "*", -0.03, 0.03, relative=True)
    problem = problem_of("max_utility", (rule,), seed=5, solver=solver)
    table = solve(problem).view("constraints")
    rows = table[table["rule"] == "weight"].reset_index(drop=True)
    assert sorted(rows["value"].round(5)) == [-0.03, 0.03]
    assert rows["shadow_price"].is_monotonic_decreasing
    for row in rows.to_dict("records"):
        side = "max" if row["value"] > 0 else "min"

        def utility(by, side=side):
            outward = by if side == "max" else -by
            loose = rule.moved(side, rule.bound(side) + outward)
            return solve(replace(problem, rules=(loose,))).objective

        slope = (utility(1e-4) - utility(-1e-4)) / 2e-4
        assert row["shadow_price"] == pytest.approx(slope, rel=1e-2)
        assert row["gain_if_looser"] == pytest.approx(utility(0.005) - utility(0.0), abs=1e-7)
        assert row["gain_if_tighter"] == pytest.approx(utility(-0.005) - utility(0.0), abs=1e-7)


@pytest.mark.parametrize("solver", ["piqp", "clarabel", "cvxpy"])
@pytest.mark.parametrize("target", [-0.4, 0.4])
def test_an_equality_is_loosened_on_the_side_that_costs(problem_of, solver, target):
    problem = problem_of(
        "min_te", (Rule("factor", "Size", target, target, relative=True),), solver=solver
    )
    row = solve(problem).view("constraints").iloc[0]
    assert row["shadow_price"] > 1e-4  # without the rule the optimum is the benchmark, at zero
    assert row["gain_if_looser"] == pytest.approx(0.05 * row["shadow_price"], rel=1e-2)


def test_a_gain_is_what_solving_again_one_step_away_gives(problem_of):
    problem = problem_of("min_te", RULES, seed=3)
    solution = solve(problem)
    table = solution.view("constraints")
    binding = table.index[(table["status"] == "binding") & (table.index < len(RULES))]
    assert len(binding) >= 3
    for row in binding:
        step = table.loc[row, "step"]
        assert step == KINDS[table.loc[row, "rule"]].step
        looser = solve(moved(problem, row, step)).objective
        assert table.loc[row, "gain_if_looser"] == pytest.approx(
            solution.objective - looser, abs=1e-8
        )
        again = solve(moved(problem, row, -step))
        if again.solved:
            gain = solution.objective - again.objective
            assert table.loc[row, "gain_if_tighter"] == pytest.approx(gain, abs=1e-8)
        else:
            assert np.isnan(table.loc[row, "gain_if_tighter"])
    assert (table["gain_if_looser"].dropna() > -1e-8).all()
    assert (table["gain_if_tighter"].dropna() < 1e-8).all()


def test_each_member_of_a_starred_rule_has_its_own_row_and_price(problem_of):
    rules = (Rule("sector", "*", None, 0.26), Rule("turnover", "", None, 0.6))
    table = solve(problem_of("max_utility", rules)).view("constraints")
    sectors = table[table["rule"] == "sector"]
    assert list(sectors["who"]) == ["Energy", "Finance", "Health", "Technology"]
    assert (sectors.loc[sectors["status"] == "slack", "shadow_price"] == 0).all()
    assert (sectors.loc[sectors["status"] == "binding", "shadow_price"] > 0).any()


def test_the_constraints_view_states_the_budget_and_long_only(problem_of):
    table = solve(problem_of("min_te", RULES[:1])).view("constraints").set_index("rule")
    assert table.loc["budget", ["min", "max"]].tolist() == [1.0, 1.0]
    assert table.loc["long_only", "min"] == 0.0
    assert list(table.reset_index().columns)[:11] == [
        "rule", "who", "min", "max", "value", "slack", "status", "shadow_price",
        "gain_if_looser", "gain_if_tighter", "step",
    ]  # fmt: skip


def test_letting_names_go_short_is_priced_by_solving_again(problem_of):
    problem = problem_of("max_utility", RULES[:1])
    table = solve(problem).view("constraints").set_index("rule")
    short = replace(
        problem,
        rules=(*problem.rules, Rule("weight", "*", -0.005)),
        options={"long_short": "yes"},
    )
    expected = solve(short).objective - solve(problem).objective
    assert table.loc["long_only", "gain_if_looser"] == pytest.approx(expected, abs=1e-8)
    assert expected > 0


def test_a_budgets_price_is_what_one_unit_more_capital_adds(problem_of):
    problem = problem_of("max_utility", RULES[:1], cash=0.05)
    price = solve(problem).rules.set_index("rule").loc["budget", "shadow_price"]
    up, down = (
        solve(replace(problem, options={"cash": 0.05 - by})).objective for by in (1e-4, -1e-4)
    )
    assert price == pytest.approx((up - down) / 2e-4, rel=1e-2)


def test_the_gains_of_all_trades_sum_to_the_improvement(problem_of):
    for objective in ("min_te", "min_risk", "max_utility"):
        solution = solve(problem_of(objective, RULES[:1]))
        case, weights = solution.case, solution.weights.to_numpy()
        gains = split_gains(case, weights)
        better = sign(solution.problem) * (solution.objective - case.headline(case.current))
        assert gains.total.sum() == pytest.approx(better, abs=1e-7)
        np.testing.assert_allclose(gains.parts.sum(axis=1), gains.total)


def test_trades_add_up_and_each_has_its_reason(problem_of):
    problem = problem_of("min_te", RULES)
    solution = solve(problem)
    trades = solution.view()
    assert list(trades.columns) == ["ticker", "name", "current", "optimal", "trade", "reason"]
    np.testing.assert_allclose(trades["optimal"] - trades["current"], trades["trade"])
    assert trades["trade"].sum() == pytest.approx(0.0, abs=1e-5)
    assert trades["trade"].abs().is_monotonic_decreasing
    assert trades["reason"].str.endswith(".").all()
    assert (trades["name"] == "Name " + trades["ticker"]).all()
    assert trades["reason"].str.contains("tracking error").any()


def test_a_trade_that_mends_a_broken_rule_says_which_and_by_how_much(problem_of):
    problem = problem_of("min_te", (Rule("weight", "*", None, 0.12),), held=6)
    biggest = str(problem.current.idxmax())
    trades = solve(problem).view("trades").set_index("ticker")
    held = f"{100 * problem.current.max():.4g} % held."
    assert trades.loc[biggest, "reason"].startswith(f"Repairs 'each weight at most 12 %': {held}")


def test_a_trade_that_costs_says_which_rule_it_makes_room_under(problem_of):
    # At the benchmark every sector stands on its bound, so a purchase needs a sale beside it.
    problem = problem_of("max_utility", (Rule("sector", "*", None, 0.0, relative=True),))
    trades = solve(replace(problem, current=problem.benchmark)).view("trades")
    costly = trades[trades["reason"].str.startswith("Costs ") & (trades["trade"] < 0)]
    assert len(costly)
    sector = problem.securities["sector"]
    for ticker, reason in zip(costly["ticker"], costly["reason"], strict=True):
        assert reason.endswith(
            f"makes room under 'sector {sector[ticker]} at most 0 % against the benchmark'."
        )


def test_a_change_too_small_to_show_is_said_so_and_not_in_powers_of_ten(problem_of):
    problem = problem_of("min_te", RULES, seed=3)
    nearly = solve(problem).weights + 1e-7 * problem.alpha  # a hair's breadth from the optimum
    told = solve(replace(problem, current=nearly + 1e-5 * (nearly > 0) - 1e-5 * (nearly == 0)))
    words = [*told.view("trades")["reason"], *told.view("explain")["explanation"]]
    assert any("under 0.001 %" in w for w in words)
    assert not any("e-0" in w for w in words)
    for sentence in words:
        shown = re.search(r"would be (\S+ %) instead of (\S+ %)", sentence)
        assert shown is None or shown[1] != shown[2]


def test_a_trade_that_adds_risk_says_so_in_the_unit_of_the_objective(problem_of):
    trades = solve(problem_of("min_te", RULES)).view("trades")
    costly = trades[trades["reason"].str.startswith("Adds ")]
    assert len(costly)
    assert costly["reason"].str.match(r"Adds (under )?[\d.]+ % to tracking error, and ").all()


def test_moving_cash_is_a_trade_of_its_own(problem_of):
    problem = problem_of("min_te", (), cash=0.1)
    last = solve(problem).view("trades").iloc[-1]
    assert (last["ticker"], last["trade"]) == ("CASH", pytest.approx(0.1))


def test_weights_can_be_fed_back_as_holdings(problem_of):
    solution = solve(problem_of("min_te", RULES))
    view = solution.view("weights")
    back = view.set_index("ticker")["weight"].reindex(solution.weights.index).fillna(0.0)
    np.testing.assert_allclose(back, solution.weights)
    np.testing.assert_allclose(view["active"], view["weight"] - view["benchmark"])


def test_the_summary_compares_before_and_after(problem_of, dense_covariance):
    problem = problem_of("max_utility", RULES)
    solution = solve(problem)
    summary = solution.view("summary").set_index("measure")
    cov = dense_covariance(problem.model)
    for column, w in (("before", problem.current), ("after", solution.weights)):
        off = (w - problem.benchmark).to_numpy()
        assert summary.loc["tracking_error", column] == pytest.approx(np.sqrt(off @ cov @ off))
        assert summary.loc["expected_return", column] == pytest.approx(w @ problem.alpha)
        assert summary.loc["names", column] == (w != 0).sum()
        assert summary.loc["largest_weight", column] == w.max()
    assert summary.loc["turnover", "after"] == pytest.approx(
        (solution.weights - problem.current).abs().sum() / 2
    )


def test_exposures_and_risk_are_those_of_the_optimal_weights(problem_of):
    problem = problem_of("min_te", RULES)
    solution = solve(problem)
    exposures = solution.view("exposures").set_index("factor")
    expected = problem.model.exposures["Momentum"] @ (solution.weights - problem.benchmark)
    assert exposures.loc["Momentum", "active"] == pytest.approx(expected)
    assert solution.view("risk")["ctr"].iloc[-1] == pytest.approx(solution.objective)


def test_the_explanation_names_the_dearest_rule_and_the_largest_trades(problem_of):
    solution = solve(problem_of("min_te", RULES, seed=3))
    told = list(solution.view("explain")["explanation"])
    table = solution.view("constraints")
    dearest = table.loc[table["gain_if_looser"].idxmax()]
    costs = [t for t in told if "costs most" in t]
    assert len(costs) == 1
    assert dearest["rule"].replace("_", " ") in costs[0]
    first = solution.view("trades").iloc[0]
    assert any(first["ticker"] in t and first["reason"] in t for t in told)
    assert told[0].startswith("Tracking error is ")
    assert told[-1].startswith("Solved by piqp;")


def test_an_unknown_view_is_an_error_with_the_nearest_name(problem_of):
    with pytest.raises(ArgumentError, match="Did you mean 'trades'"):
        solve(problem_of()).view("trade")
    assert set(VIEWS) == {
        "trades", "weights", "summary", "constraints", "exposures", "risk", "explain",
    }  # fmt: skip


def test_check_says_by_how_much_a_portfolio_breaks_each_rule(problem_of):
    problem = problem_of()
    sector = problem.securities["sector"]
    weights = pd.Series({"N00": 0.5, "N01": 0.3})
    energy = float(weights.groupby(sector.reindex(weights.index)).sum()["Energy"])
    rules = (
        Rule("weight", "*", None, 0.4),
        Rule("sector", "Energy", None, 0.45),
        Rule("net", "", 0.8, 0.8),
        Rule("sector", "Health", 0.1, None, priority=1.0),
    )
    checked = check_rules(weights, rules, problem)
    assert checked["value"].tolist() == pytest.approx([0.5, energy, 0.8, 0.0])
    assert checked["slack"].tolist() == pytest.approx([-0.1, 0.45 - energy, 0.0, -0.1])
    assert checked["status"].tolist() == ["violated", "violated", "binding", "given up"]


def test_the_constraints_view_shows_what_the_holdings_had(problem_of):
    problem = problem_of("min_te", RULES, seed=3)
    table = solve(problem).view("constraints")
    assert list(table.columns)[-1] == "before"
    had = check_rules(problem.current, problem.rules, problem)["value"]
    np.testing.assert_allclose(table["before"][: len(RULES)], had)


def test_with_a_soft_rule_the_objective_one_step_away_is_the_one_that_solving_again_has(
    problem_of,
):
    rules = (Rule("weight", "*", None, 0.06), Rule("turnover", "", None, 0.2, priority=0.1))
    problem = problem_of("min_te", rules, held=6)
    told = list(solve(problem).view("explain")["explanation"])
    again = solve(moved(problem, 0, 0.005))
    (sentence,) = [t for t in told if t.startswith("'each weight at most 6 %'")]
    assert f"at 6.5 % tracking error would be {100 * again.objective:.4g} %" in sentence


def test_a_rule_with_hardly_any_room_is_a_warning_with_its_number(problem_of):
    problem = problem_of("min_te", (Rule("weight", "*", None, 0.0418),), n=24)
    solution = solve(problem)
    (warning,) = solution.warnings
    assert warning == (
        "'each weight at most 4.18 %' is nearly impossible: 0.5 % tighter "
        "no weights keep the rules."
    )
    assert warning in list(solution.view("explain")["explanation"])
    assert solve(problem_of("min_te", RULES[:1])).warnings == []


def test_a_covariance_near_a_singular_one_is_a_warning_with_its_number(problem_of):
    problem = problem_of("min_te", RULES[:1])
    specific = problem.model.specific_var.copy()
    specific.iloc[0] = 1e-15
    model = replace(problem.model, specific_var=specific)
    (warning,) = solve(replace(problem, model=model)).warnings
    assert re.match(
        r"The covariance is ill-conditioned \(condition number about \de\+\d\d\)", warning
    )
