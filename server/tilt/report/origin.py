"""Where the tables of a review come from."""

from tilt.report.review import Review
from tilt.report.tables import Lineage


def _about(review: Review) -> dict[str, str]:
    return {
        "portfolio": review.portfolio,
        "benchmark": review.panel.universe,
        "date": f"{review.date:%Y-%m-%d}",
    }


def risk_lineage(review: Review, by: str) -> Lineage:
    """Return the origin of a table of risk."""
    given = {**_about(review), "by": by, "horizon": review.model.horizon}
    return Lineage("tilt.risk.measures.risk_table", given)


def exposure_lineage(review: Review) -> Lineage:
    """Return the origin of a table of exposures."""
    return Lineage("tilt.risk.measures.exposure_table", _about(review))


def solve_lineage(review: Review) -> Lineage:
    """Return the origin of everything the optimizer said."""
    problem = review.solution.problem
    return Lineage(
        "tilt.optimize.solve.solve",
        {
            "objective": problem.objective,
            "portfolio": review.portfolio,
            "benchmark": review.panel.universe,
            "rules": "; ".join(rule.words() for rule in problem.rules),
        },
        review.solution.run_id,
    )


def backtest_lineage(review: Review) -> Lineage:
    """Return the origin of everything the backtest said."""
    return Lineage(
        "tilt.backtest.run.backtest",
        {
            "strategy": review.strategy,
            "rules": "; ".join(rule.words() for rule in review.strategy_rules),
            "start": f"{review.backtest.market.dates[0]:%Y-%m-%d}",
            "rebalance": "M",
        },
        review.backtest.run_id,
    )
