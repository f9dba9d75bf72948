"""The report's own words: the conventions behind its numbers, and what they are not."""

import pandas as pd

from tilt.report.layout import Sheet
from tilt.report.origin import subtitle
from tilt.report.review import Review
from tilt.report.tables import Block

CONVENTIONS = (
    (
        "Returns",
        (
            "Simple total returns from close, dividends and splits. Exposures and weights used "
            "for a day's return are known at the close before."
        ),
        "",
    ),
    (
        "Annual figures",
        (
            "252 days a year. Annual return is the compounded growth rate; the arithmetic mean "
            "is shown apart. Nothing is annualized below one year of data."
        ),
        "",
    ),
    (
        "Exposures",
        (
            "Robust outlier rule (10 median deviations), clipped at 3 deviations, standardized "
            "to a cap-weighted mean of 0 and an equal-weighted deviation of 1; missing scores "
            "are fitted from sector and size."
        ),
        "Menchero, Orr, Wang 2011, section 2",
    ),
    (
        "Fundamentals",
        "Key figures from their own date; yearly statements 90 days after the end of the period.",
        "",
    ),
    (
        "Factor returns",
        (
            "Daily cross-sectional regression on market, sectors and styles, weighted by the "
            "square root of market cap; sector returns sum to zero by cap."
        ),
        "Menchero, Orr, Wang 2011, section 3",
    ),
    (
        "Factor covariance",
        (
            "Exponential weights, half-life 84 days for volatilities and 504 for correlations, "
            "Newey-West lags 5 and 2."
        ),
        "Menchero, Orr, Wang 2011, section 4",
    ),
    (
        "Specific risk",
        "Exponential weights with the same half-life, shrunk to the mean of the size decile.",
        "Menchero, Orr, Wang 2011, section 5",
    ),
    (
        "Tracking error",
        (
            "√(252 a'Va) with active weights a against the cap-weighted benchmark. "
            "Contributions are exposure × volatility × correlation and sum to it."
        ),
        "Menchero, Davis 2011",
    ),
    (
        "Turnover",
        "One way: half the sum of absolute trades, cash included.",
        "",
    ),
    (
        "Limits",
        (
            "Every limit is checked after the solve, apart from the solver, to 1e-6. Gains come "
            "from solving again with the limit one step looser or tighter."
        ),
        "",
    ),
    (
        "Backtest",
        (
            "Decisions use data up to a close and are filled at the next; positions drift "
            "between rebalances; costs are paid from cash at the fill."
        ),
        "",
    ),
    (
        "Drawdown",
        "Fall of compounded wealth below its highest value so far, starting at 1; negative.",
        "",
    ),
)


def method_sheet(review: Review) -> Sheet:
    """Return the conventions behind the numbers of the report."""
    notes = [("Risk model", note, "") for note in review.model.notes]
    table = pd.DataFrame([*CONVENTIONS, *notes], columns=["number", "convention", "source"])
    block = Block(
        "conventions",
        "Conventions",
        table,
        widths={"convention": 90, "source": 36},
    )
    assumed = review.backtest.view("assumptions")
    kept = [("limit", rule.words()) for rule in review.strategy_rules]
    assumptions = Block(
        "assumptions",
        "What the backtest assumes",
        pd.concat([assumed, pd.DataFrame(kept, columns=assumed.columns)], ignore_index=True),
        widths={"value": 90},
    )
    return Sheet("Method", "How the numbers are computed", subtitle(review), (block, assumptions))


def disclaimers_sheet(review: Review) -> Sheet:
    """Return what a reader must know before relying on the report."""
    texts = [
        (
            "Hypothetical",
            (
                "Backtested results are hypothetical. They were computed with hindsight, were "
                "not achieved by an account, and do not predict results."
            ),
        ),
        ("Survivorship", review.panel.survivorship),
        (
            "Forecasts",
            (
                "Risk figures are estimates of a statistical model at one date. Losses can be "
                "larger than any figure shown."
            ),
        ),
        (
            "No advice",
            "The rebalance is the solution of a stated problem, not a recommendation to trade.",
        ),
        (
            "Data",
            (
                "Prices and key figures come from the sources named in the package's list of "
                "data sources, under their own licences; check them before passing the data on."
            ),
        ),
        (
            "Software",
            (
                "Tilt is open source under the MIT licence and comes without warranty. The "
                "Excel side runs on xlwings, whose PRO features are free for non-commercial use "
                "and need a paid key otherwise."
            ),
        ),
    ]
    block = Block(
        "disclaimers",
        "Please read",
        pd.DataFrame(texts, columns=["subject", "text"]),
        widths={"text": 110},
    )
    return Sheet("Disclaimers", "What this report is not", subtitle(review), (block,))
