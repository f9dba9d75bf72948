"""The least mean loss of the worst days, by the linear program of Rockafellar and Uryasev."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from tilt.errors import ArgumentError, DataError
from tilt.optimize.constraints import Rule
from tilt.optimize.goals import WorstDays
from tilt.optimize.solve import solve


def days(n=24, periods=260, seed=0):
    rng = np.random.default_rng(seed)
    shock = rng.standard_t(4, (periods, 1)) * 0.006
    own = rng.standard_t(5, (periods, n)) * rng.uniform(0.006, 0.02, n)
    names = [f"N{i:02d}" for i in range(n)]
    return pd.DataFrame(shock * rng.uniform(0.5, 1.5, n) + own + 0.0002, columns=names)


def asked(problem_of, rules=(), scenarios=None, **options):
    given = days() if scenarios is None else scenarios
    return replace(problem_of("min_cvar", rules, held=24, **options), scenarios=given)


def plain(weights, scenarios, confidence):
    """Return the mean of the worst share of the losses, the last day counted in part."""
    losses = np.sort(-(scenarios.to_numpy() @ np.asarray(weights)))[::-1]
    tail = (1 - confidence) * len(losses)
    whole = int(tail)
    return (losses[:whole].sum() + (tail - whole) * losses[whole]) / tail


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
def test_the_value_is_the_mean_of_the_worst_days(problem_of, confidence):
    solution = solve(asked(problem_of, confidence=confidence))
    mean = plain(solution.weights, days(), confidence)
    assert solution.objective == pytest.approx(mean, abs=1e-9)


KINDS = {
    "caps": (Rule("weight", "*", None, 0.1), Rule("sector", "Energy", 0.3, None)),
    "turnover": (Rule("turnover", "", None, 0.3), Rule("factor", "Value", 0.0, None)),
    "tracking error": (Rule("tracking_error", "", None, 0.06),),
    "soft": (Rule("weight", "*", None, 0.08, priority=0.001), Rule("weight", "*", None, 0.2)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_linear_program_and_cvxpy_agree(problem_of, kind):
    found = [solve(asked(problem_of, KINDS[kind], solver=s)) for s in ("auto", "clarabel", "cvxpy")]
    assert {s.status for s in found} == {"optimal"}
    assert found[0].solver == ("clarabel" if kind == "tracking error" else "highs")

    def worth(s):
        return s.objective + sum(
            r.priority * np.clip(s.weights - r.high, 0, None).sum()
            for r in KINDS[kind]
            if not r.hard
        )

    for other in found[1:]:
        assert worth(other) == pytest.approx(worth(found[0]), abs=1e-6)


def test_no_random_portfolio_loses_less(problem_of):
    best = solve(asked(problem_of)).objective
    for w in np.random.default_rng(2).dirichlet(np.full(24, 0.5), 300):
        assert plain(w, days(), 0.95) >= best - 1e-9


def test_normal_returns_give_the_portfolio_of_least_volatility_about():
    """For a normal distribution with mean zero CVaR is a multiple of the volatility."""
    rng = np.random.default_rng(3)
    deviation = np.array([0.01, 0.02, 0.03])
    scenarios = rng.normal(size=(40_000, 3)) * deviation
    term = WorstDays(scenarios, 0.95)
    w = 1 / deviation**2 / (1 / deviation**2).sum()
    multiple = norm.pdf(norm.ppf(0.95)) / 0.05
    at = term.value(w, None)
    assert at == pytest.approx(multiple * np.sqrt(w**2 @ deviation**2), rel=0.02)
    slope = term.gradient(w, None)
    assert np.ptp(slope) < 0.05 * at  # equal marginal losses: no trade helps


def test_the_gradient_is_the_slope_of_the_value():
    rng = np.random.default_rng(5)
    term = WorstDays(rng.normal(0, 0.01, (301, 4)), 0.9)
    w, toward = rng.dirichlet(np.ones(4)), rng.normal(size=4)
    slope = (term.value(w + 1e-7 * toward, None) - term.value(w - 1e-7 * toward, None)) / 2e-7
    assert term.gradient(w, None) @ toward == pytest.approx(slope, rel=1e-5)


def test_shadow_prices_are_the_slope_of_the_loss(problem_of):
    rule = Rule("sector", "Energy", 0.5, None)
    at = solve(asked(problem_of, (rule,)))
    ends = [
        solve(asked(problem_of, (rule.moved("min", 0.5 + h),))).objective for h in (1e-5, -1e-5)
    ]
    slope = (ends[0] - ends[1]) / 2e-5
    assert at.rules.set_index("rule")["shadow_price"]["sector"] == pytest.approx(slope, rel=1e-3)
    assert slope > 0


def test_a_name_without_a_return_on_each_day_is_not_bought_and_said(problem_of):
    scenarios = days()
    best = solve(asked(problem_of)).weights.idxmax()
    scenarios.loc[10:12, best] = np.nan
    unheld = problem_of("min_cvar", held=0)
    solution = solve(replace(unheld, scenarios=scenarios))
    assert solution.weights[best] == 0
    assert f"Not bought, for want of a return on each of the 260 days: {best}." in solution.messages
    held = solve(asked(problem_of, scenarios=scenarios))
    assert f"A missing return of {best}, which is held, counts with zero." in held.messages
    needs = replace(unheld, scenarios=scenarios, rules=(Rule("weight", best, 0.1, None),))
    assert "Shorten option lookback" in solve(needs).refusal


def test_what_is_missing_for_it_is_said(problem_of):
    with pytest.raises(ArgumentError, match=r"min_cvar needs scenarios"):
        solve(problem_of("min_cvar"))
    with pytest.raises(DataError, match=r"15 days are too few for a confidence of 0.95"):
        solve(asked(problem_of, scenarios=days(periods=15)))
    with pytest.raises(ArgumentError, match=r"confidence must be at least 0.5"):
        solve(asked(problem_of, confidence=95))
    with pytest.raises(ArgumentError, match=r"min_cvar does not take the rule"):
        solve(asked(problem_of, (Rule("names", "", None, 5),)))


def test_run_ids_tell_scenarios_apart(problem_of):
    first, second = asked(problem_of), asked(problem_of, scenarios=days(seed=1))
    assert first.run_id == asked(problem_of).run_id != second.run_id
