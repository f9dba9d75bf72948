"""The portfolio report as a kind: read from the holdings that are asked for."""

from tilt.report.kind import Kind, Material, Study
from tilt.report.portfolio import SECTIONS, TITLE, portfolio_makers
from tilt.report.review import HOUSE_RULES, review_portfolio


def _open(material: Material) -> Study:
    if material.holdings is None:
        raise ValueError("a portfolio report needs holdings")
    review = review_portfolio(
        material.panel,
        material.holdings,
        portfolio=material.portfolio,
        rules=material.rules or HOUSE_RULES,
        rebalanced="rebalance" in material.wanted,
    )
    return Study(review.subject, portfolio_makers(review))


PORTFOLIO = Kind(
    "portfolio",
    TITLE,
    "What is held, what it risks, better weights within the limits, and how an idea did.",
    SECTIONS,
    _open,
)
