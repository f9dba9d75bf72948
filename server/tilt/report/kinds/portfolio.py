"""The portfolio report as a kind: read from the holdings that are asked for."""

from dataclasses import replace

from tilt.errors import NoSolutionError
from tilt.report.kind import Kind, Material, Study
from tilt.report.kinds.figures import figures_of, to_json
from tilt.report.portfolio import SECTIONS, TITLE, portfolio_makers
from tilt.report.review import HOUSE_RULES, Review, review_portfolio


def _open(material: Material) -> Study:
    if material.holdings is None:
        raise ValueError("a portfolio report needs holdings")
    review = review_portfolio(
        material.panel,
        material.holdings,
        portfolio=material.portfolio,
        rules=material.rules or HOUSE_RULES,
        rebalanced="rebalance" in material.wanted,
        record=material.record,
    )
    looked_at = review if _solved(review) else replace(review, rebalanced=False)
    makers = dict(portfolio_makers(looked_at))
    makers["rebalance"] = portfolio_makers(review)["rebalance"]  # it alone says what is wrong
    return Study(review.subject, makers, lambda: to_json(figures_of(review)))


def _solved(review: Review) -> bool:
    """Return whether the rules of a rebalance can be kept, True where there is none."""
    try:
        return not review.rebalanced or review.solution.solved
    except NoSolutionError:
        return False


PORTFOLIO = Kind(
    "portfolio",
    TITLE,
    "What is held, what it risks, better weights within the limits, and how an idea did.",
    SECTIONS,
    _open,
)
