"""A chapter of every kind of report, made once, of names that try to break out of their cells."""

from dataclasses import replace

import numpy as np
import pytest
from report_kinds import FUND, OPTIONS, RULES, chapter_of, chapter_of_review, nasty

from tilt.portfolio.holdings import parse_holdings
from tilt.report.live_calls import Calls, with_live
from tilt.report.record import Record
from tilt.report.review import review_portfolio


@pytest.fixture(scope="session")
def grid(panel):
    weights = 0.95 * np.random.default_rng(3).dirichlet(np.full(20, 4.0))
    return [[a, float(w)] for a, w in zip(panel.assets[:20], weights, strict=True)]


@pytest.fixture(scope="session")
def chapters(panel, grid):
    market = nasty(panel)
    rules = {"optimization": RULES, "month_end": RULES}
    made = {
        kind: chapter_of(kind, market, grid, rules=rules.get(kind, ()), name=FUND, **options)
        for kind, options in OPTIONS.items()
    }
    review = review_portfolio(
        market,
        parse_holdings(grid, market, market.as_of, saved={}),
        portfolio=FUND,
        rules=RULES,
        strategy="quantile:Momentum:5:5",
        strategy_rules=[],
        start=market.dates[500],
    )
    made["portfolio"] = chapter_of_review(review)
    named = FUND.replace("\x07", "")  # which no name of a saved portfolio can have
    record = Record()
    return {
        kind: live(
            chapter,
            Calls(named, market, RULES, OPTIONS.get(kind, {}), record, is_default=True),
        )
        for kind, chapter in made.items()
    }


def live(chapter, calls):
    """Return a chapter whose tables know which cells give them."""
    return replace(chapter, sections=tuple(with_live(s, calls) for s in chapter.sections))
