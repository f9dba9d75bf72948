"""Planted conflicts: each is found, is smallest, and its repair makes the problem solvable."""

import re
from dataclasses import replace

import numpy as np
import pytest

from tilt.errors import NoSolutionError
from tilt.optimize.constraints import Rule
from tilt.optimize.solve import solve

# Rules that can hold together whatever the seed, among which a conflict is planted.
HARMLESS = (
    Rule("weight", "*", None, 0.30),
    Rule("sector", "Health", None, 0.60),
    Rule("factor", "Size", -2.0, 2.0, relative=True),
    Rule("volatility", "", None, 0.60),
)


def caps_too_low(_problem, rng):
    return (Rule("weight", "*", None, rng.uniform(0.01, 0.04)),)


def floors_too_high(_problem, rng):
    return (Rule("weight", "*", rng.uniform(0.045, 0.06)),)


def sector_over_its_names(_problem, rng):
    return Rule("sector", "Energy", rng.uniform(0.35, 0.6)), Rule("weight", "Energy", None, 0.05)


def sectors_above_the_whole(_problem, rng):
    return tuple(Rule("sector", s, rng.uniform(0.36, 0.5)) for s in ("Energy", "Finance", "Health"))


def sectors_below_the_whole(_problem, rng):
    return (Rule("sector", "*", None, rng.uniform(0.1, 0.2)),)


def turnover_against_cap(problem, rng):
    over = problem.current.sub(0.06).clip(lower=0).sum()
    limit = over * rng.uniform(0.3, 0.8)
    return Rule("weight", "*", None, 0.06), Rule("turnover", "", None, limit)


def turnover_against_sector(problem, _rng):
    held = problem.current.groupby(problem.securities["sector"]).sum()
    cap = held.max() / 3
    return Rule("sector", str(held.idxmax()), None, cap), Rule("turnover", "", None, cap / 2)


def tracking_error_against_turnover(_problem, _rng):
    return Rule("tracking_error", "", None, 0.005), Rule("turnover", "", None, 0.10)


def exposure_out_of_reach(problem, rng):
    best = problem.model.exposures["Momentum"].max()
    return (Rule("factor", "Momentum", best + rng.uniform(0.1, 0.5)),)


def exposure_low_and_high(problem, rng):
    column = problem.model.exposures["Value"]
    low = float(column.quantile(0.7))
    high = low - rng.uniform(0.05, 0.15) - float(column @ problem.benchmark)
    return Rule("factor", "Value", low), Rule("factor", "Value", None, high, relative=True)


def volatility_out_of_reach(_problem, rng):
    return (Rule("volatility", "", None, rng.uniform(0.01, 0.05)),)


def name_over_its_sector(problem, rng):
    name = str(rng.choice(problem.current.index))
    sector = str(problem.securities["sector"][name])
    return Rule("weight", name, 0.2), Rule("sector", sector, None, 0.15)


PLANTED = {
    caps_too_low: {"weight"},
    floors_too_high: {"weight"},
    sector_over_its_names: {"sector", "weight"},
    sectors_above_the_whole: {"sector"},
    sectors_below_the_whole: {"sector"},
    turnover_against_cap: {"weight", "turnover"},
    turnover_against_sector: {"sector", "turnover"},
    tracking_error_against_turnover: {"tracking_error", "turnover"},
    exposure_out_of_reach: {"factor"},
    exposure_low_and_high: {"factor"},
    volatility_out_of_reach: {"volatility"},
    name_over_its_sector: {"weight", "sector"},
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda f: f.__name__)
@pytest.mark.parametrize("seed", range(5))
def test_a_planted_conflict_is_found_is_smallest_and_its_repair_works(problem_of, plant, seed):
    problem = problem_of("min_risk", n=24, held=8, seed=seed)
    rules, guilty = plant(problem, np.random.default_rng(seed)), PLANTED[plant]
    problem = replace(problem, rules=(*HARMLESS, *rules))
    solution = solve(problem)

    assert solution.status == "infeasible"
    assert {r.rule for r in solution.conflict} == guilty
    assert all((r.low is None) != (r.high is None) for r in solution.conflict)
    assert solve(replace(problem, rules=solution.conflict)).status == "infeasible"
    for left_out in solution.conflict:
        rest = tuple(r for r in solution.conflict if r is not left_out)
        assert solve(replace(problem, rules=rest)).solved

    alone = solution.repairs[solution.repairs["alone"] == "yes"]
    assert len(alone) == len(solution.conflict)
    assert alone["to"].notna().any()
    for repair in alone[alone["to"].notna()].itertuples():
        assert solve(replace(problem, rules=repaired(problem.rules, [repair]))).solved
        barely = repair._replace(to=repair.bound + 0.8 * (repair.to - repair.bound))
        assert not solve(replace(problem, rules=repaired(problem.rules, [barely]))).solved
    together = list(solution.repairs[solution.repairs["alone"] == "together"].itertuples())
    assert solve(replace(problem, rules=repaired(problem.rules, together))).solved


def repaired(rules, repairs):
    changed = list(rules)
    for repair in repairs:
        for n, rule in enumerate(changed):
            same = (rule.rule, rule.who) == (repair.rule, repair.who)
            if same and rule.bound(repair.side) == repair.bound:
                changed[n] = rule.moved(repair.side, repair.to)
                break
        else:
            raise AssertionError(f"{repair} names no rule")
    return tuple(changed)


def test_every_message_stands_alone_in_120_characters(problem_of):
    for seed, plant in enumerate(PLANTED):
        problem = problem_of("min_risk", seed=seed)
        rules = plant(problem, np.random.default_rng(seed))
        solution = solve(replace(problem, rules=rules))
        with pytest.raises(NoSolutionError) as error:
            solution.require()
        message = str(error.value)
        first = re.split(r"\. (?=[A-Z])", message)[0] + "."
        assert len(first) <= 120
        assert first.startswith("No solution")
        assert first.endswith(("conflict.", "invested.", "rules."))
        assert message.endswith(".")
        assert "Raise" in message[:200] or "Lower" in message[:200]


def test_a_conflict_of_two_says_both_and_both_ways_out(problem_of):
    held = problem_of().current.mask(lambda w: w > 0, 0.125)
    rules = (Rule("weight", "*", None, 0.10), Rule("turnover", "", None, 0.05))
    solution = solve(replace(problem_of(rules=rules), current=held))
    # 8 names of 12.5 % must sell 2.5 % each: 20 % turnover; at 5 % they come down to 11.875 %.
    assert solution.refusal == (
        "No solution: 'each weight at most 10 %' and 'turnover at most 5 %' conflict. "
        "Raise the max of each weight to 11.88 %. Or raise the max of turnover to 20.01 %."
    )
    assert (
        "Bringing the holdings within the weight rules takes 20 % one-way turnover at least; "
        "'turnover at most 5 %' is asked."
    ) in list(solution.view("explain")["explanation"])


ARITHMETIC = [
    (
        (Rule("weight", "*", None, 0.01),),
        "24 names at most 1 % each allow 24 % invested at most; 100 % must be.",
    ),
    (
        (Rule("weight", "*", 0.05),),
        "24 names at least 5 % each take 120 % at least; 100 % is to be invested.",
    ),
    (
        (Rule("sector", "Energy", 0.7), Rule("sector", "Health", 0.4)),
        "The least sector weights add up to 110 %; 100 % is to be invested.",
    ),
    (
        (Rule("sector", "*", None, 0.2),),
        "The largest sector weights add up to 80 %; 100 % must be invested.",
    ),
    (
        (Rule("sector", "Energy", 0.3), Rule("weight", "Energy", None, 0.02)),
        "sector Energy has 6 names at most 2 % each: 12 % at most, but at least 30 % is asked.",
    ),
    (
        (Rule("sector", "Energy", None, 0.1), Rule("weight", "Energy", 0.02)),
        "sector Energy has 6 names at least 2 % each: 12 % at least, but at most 10 % is asked.",
    ),
    (
        (Rule("weight", "N03", 0.06), Rule("weight", "*", None, 0.05)),
        "N03 must weigh at least 6 % and at most 5 %.",
    ),
    (
        (Rule("net", "", 0.5, 0.6), Rule("turnover", "", None, 0.1)),
        "Bringing the holdings within the change of cash takes 40 % one-way turnover at least",
    ),
]


@pytest.mark.parametrize(("rules", "sentence"), ARITHMETIC, ids=[s[:30] for _, s in ARITHMETIC])
def test_plain_arithmetic_is_said_in_plain_words(problem_of, rules, sentence):
    told = solve(problem_of(rules=rules)).view("explain")["explanation"]
    assert any(t.startswith(sentence) for t in told), list(told)


def test_the_best_exposure_under_a_cap_is_named(problem_of):
    problem = problem_of()
    best = problem.model.exposures["Momentum"].nlargest(10).mean()
    rules = (Rule("weight", "*", None, 0.1), Rule("factor", "Momentum", best + 0.5))
    told = solve(replace(problem, rules=rules)).view("explain")["explanation"]
    sentence = f"The largest exposure to Momentum that the weight rules allow is {best:.4g}"
    assert any(t.startswith(sentence) for t in told), list(told)


def test_without_a_solution_summary_and_constraints_still_answer_and_trades_do_not(problem_of):
    solution = solve(problem_of(rules=(Rule("weight", "*", None, 0.01), Rule("beta", "", 0.5))))
    assert solution.weights.empty
    summary = solution.view("summary").set_index("measure")
    assert summary["after"].isna().all()
    assert summary.loc["names", "before"] == 8
    status = solution.view("constraints").set_index("rule")["status"]
    assert (status["weight"], status["beta"]) == ("conflict", "not solved")
    for view in ("trades", "weights", "exposures", "risk"):
        with pytest.raises(NoSolutionError, match="No solution: 'each weight at most 1 %' cannot"):
            solution.view(view)


def test_a_soft_rule_is_never_part_of_a_conflict(problem_of):
    rules = (Rule("weight", "*", None, 0.01, priority=1.0), Rule("sector", "*", None, 0.3))
    assert solve(problem_of(rules=rules)).solved


def test_a_rule_that_cannot_repair_it_alone_is_said_to(problem_of):
    rules = (Rule("weight", "*", None, 0.05), Rule("weight", "N00", 0.2), Rule("beta", "", 9.0))
    solution = solve(problem_of(rules=rules))
    assert solution.repairs.loc[solution.repairs["alone"] == "yes", "to"].isna().any()
    told = list(solution.view("explain")["explanation"])
    assert any(t.startswith("Moving '") and t.endswith("' alone repairs nothing.") for t in told)


def test_less_invested_keeps_all_rules_where_the_caps_do_not_add_up(problem_of):
    capped = problem_of(rules=(Rule("weight", "*", None, 0.02),))
    (release,) = solve(capped).trouble.releases
    assert (release.option, release.words()) == ("cash", "leave 52.01 % in cash")
    again = solve(replace(capped, options={"cash": release.to}))
    assert again.solved
    assert again.weights.max() <= 0.02 + 1e-9
    barely = replace(capped, options={"cash": release.to - 0.001})
    assert not solve(barely).solved, "no smaller cash would do"


def test_short_positions_are_offered_where_they_keep_all_rules(problem_of):
    neutral = problem_of(rules=(Rule("net", "", 0.0, 0.0), Rule("weight", "N00", 0.1, None)))
    trouble = solve(neutral).trouble
    assert [(r.option, r.to) for r in trouble.releases] == [("long_short", True)]
    assert "To keep all rules, allow short positions (option long_short)." in trouble.sentences()
    assert solve(replace(neutral, options={"long_short": True})).solved


def test_no_option_is_offered_that_repairs_nothing(problem_of):
    crossed = problem_of(rules=(Rule("weight", "N00", 0.2), Rule("weight", "N00", None, 0.1)))
    assert solve(crossed).trouble.releases == ()
