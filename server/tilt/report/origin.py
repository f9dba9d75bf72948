"""What every sheet of a review says about itself: its subtitle and where its blocks come from."""

from tilt.report.review import Review
from tilt.report.tables import Lineage


def subtitle(review: Review) -> str:
    """Return the line under every sheet's title."""
    return (
        f"{review.portfolio} against {review.panel.universe}, cap weighted · "
        f"as of {review.date:%Y-%m-%d}"
    )


def risk_lineage(review: Review, by: str) -> Lineage:
    """Return the origin of a table of risk."""
    return Lineage(
        "tilt.risk.measures.risk_table",
        {
            "portfolio": review.portfolio,
            "benchmark": review.panel.universe,
            "by": by,
            "date": f"{review.date:%Y-%m-%d}",
            "horizon": review.model.horizon,
        },
    )


def exposure_lineage(review: Review) -> Lineage:
    """Return the origin of a table of exposures."""
    return Lineage(
        "tilt.risk.measures.exposure_table",
        {
            "portfolio": review.portfolio,
            "benchmark": review.panel.universe,
            "date": f"{review.date:%Y-%m-%d}",
        },
    )


def solve_lineage(review: Review) -> Lineage:
    """Return the origin of everything the optimizer said."""
    return Lineage(
        "tilt.optimize.solve.solve",
        {
            "objective": review.solution.problem.objective,
            "portfolio": review.portfolio,
            "benchmark": review.panel.universe,
            "rules": "; ".join(rule.words() for rule in review.solution.problem.rules),
        },
        review.solution.run_id,
    )
