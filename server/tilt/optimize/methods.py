"""Which method solves an objective: one of its own, or the solvers that all the others share."""

from collections.abc import Callable, Mapping

from tilt.optimize import route
from tilt.optimize.budgets import find_budgets, find_tilt
from tilt.optimize.case import Case
from tilt.optimize.cheapest import find_cheapest
from tilt.optimize.ratio import find_ratio
from tilt.optimize.route import Found
from tilt.optimize.worst_days import find_least_loss

METHODS: Mapping[str, Callable[[Case], Found]] = {
    "max_sharpe": find_ratio,
    "max_diversification": find_ratio,
    "risk_parity": find_budgets,
    "risk_budget": find_budgets,
    "factor_budget": find_tilt,
    "min_cvar": find_least_loss,
    "min_cost": find_cheapest,
}


def find(case: Case) -> Found:
    """Solve a case by the method of its objective."""
    return METHODS.get(case.objective, route.find)(case)
