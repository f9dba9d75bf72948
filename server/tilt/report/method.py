"""The reports' own words: the conventions behind their numbers, and what they are not."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from tilt.report.tables import Block


@dataclass(frozen=True)
class Convention:
    """How a number is computed, and where that is written."""

    number: str
    words: str
    source: str = ""


CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        "returns": Convention(
            "Returns",
            (
                "Simple total returns from close, dividends and splits. Exposures and weights "
                "used for a day's return are known at the close before."
            ),
        ),
        "annual": Convention(
            "Annual figures",
            (
                "252 days a year. Annual return is the compounded growth rate; the arithmetic "
                "mean is shown apart. Nothing is annualized below one year of data."
            ),
        ),
        "exposures": Convention(
            "Exposures",
            (
                "Robust outlier rule (10 median deviations), clipped at 3 deviations, "
                "standardized to a cap-weighted mean of 0 and an equal-weighted deviation of 1; "
                "missing scores are fitted from sector and size."
            ),
            "Menchero, Orr, Wang 2011, section 2",
        ),
        "fundamentals": Convention(
            "Fundamentals",
            (
                "Key figures from their own date; yearly statements 90 days after the end of the "
                "period."
            ),
        ),
        "factor_returns": Convention(
            "Factor returns",
            (
                "Daily cross-sectional regression on market, sectors and styles, weighted by the "
                "square root of market cap; sector returns sum to zero by cap."
            ),
            "Menchero, Orr, Wang 2011, section 3",
        ),
        "factor_inference": Convention(
            "Inference on factors",
            (
                "t-values allow for serial correlation (at least the horizon less one lags); "
                "p-values marked BH allow for how many factors are looked at. None below 20 "
                "observations."
            ),
            "Newey, West 1987; Benjamini, Hochberg 1995",
        ),
        "ic": Convention(
            "Information coefficient",
            (
                "Correlation across members of the scores of a close with the returns of the "
                "days that begin one day later. Portfolios by score hold names by rank; the "
                "spread is the highest less the lowest; p-value of the order by bootstrap."
            ),
            "Patton, Timmermann 2010",
        ),
        "shape": Convention(
            "Shape",
            (
                "Measurements of a factor over a year, beside three years, its percentile among "
                "its own values a month apart, and its rank among the factors of its group."
            ),
        ),
        "pure": Convention(
            "Portfolios of a factor",
            (
                "Pure has exposure 1 to the factor and 0 to all others; simple has exposure 1 "
                "and what comes with it; min risk has the exposures of pure at the least "
                "specific risk; investable is the nearest long-only portfolio within limits."
            ),
            "Menchero 2010",
        ),
        "factor_covariance": Convention(
            "Factor covariance",
            (
                "Exponential weights, half-life 84 days for volatilities and 504 for "
                "correlations, Newey-West lags 5 and 2."
            ),
            "Menchero, Orr, Wang 2011, section 4",
        ),
        "specific_risk": Convention(
            "Specific risk",
            ("Exponential weights with the same half-life, shrunk to the mean of the size decile."),
            "Menchero, Orr, Wang 2011, section 5",
        ),
        "tracking_error": Convention(
            "Tracking error",
            (
                "√(252 a'Va) with active weights a against the cap-weighted benchmark. "
                "Contributions are exposure × volatility × correlation and sum to it."
            ),
            "Menchero, Davis 2011",
        ),
        "liquidity": Convention(
            "Liquidity",
            (
                "Days to exit are the position over a fifth of the mean daily dollar volume of "
                "20 days; all positions are sold evenly from the first day."
            ),
        ),
        "stress": Convention(
            "Stress",
            (
                "Today's exposures meet the factor returns of a window of the past, compounded; "
                "or one factor is shocked and the others move as expected given it: "
                "F_rs F_ss^-1 s."
            ),
            "Kupiec 1998",
        ),
        "turnover": Convention(
            "Turnover",
            "One way: half the sum of absolute trades, cash included.",
        ),
        "limits": Convention(
            "Limits",
            (
                "Every limit is checked after the solve, apart from the solver, to 1e-6. Gains "
                "come from solving again with the limit one step looser or tighter."
            ),
        ),
        "conflict": Convention(
            "Conflict",
            (
                "A smallest set of rules that cannot hold together: without any one of them the "
                "others can. A repair is the bound, rounded outward, at which all rules hold."
            ),
        ),
        "backtest": Convention(
            "Backtest",
            (
                "Decisions use data up to a close and are filled at the next; positions drift "
                "between rebalances; costs are paid from cash at the fill."
            ),
        ),
        "drawdown": Convention(
            "Drawdown",
            ("Fall of compounded wealth below its highest value so far, starting at 1; negative."),
        ),
        "overfitting": Convention(
            "Overfitting",
            (
                "PSR is the probability that the true Sharpe ratio is above zero, given skew and "
                "tails; the deflated one that it is above the best to expect of so many trials "
                "without skill. PBO is by cross-validation of 16 blocks."
            ),
            "Bailey, Lopez de Prado 2012, 2014; Bailey et al. 2017",
        ),
        "attribution": Convention(
            "Attribution by group",
            (
                "Each day, with weights at its start: allocation (wp - wb)(rb - Rb), selection "
                "wb (rp - rb), interaction (wp - wb)(rp - rb). Trading and costs are what was "
                "earned beyond the holdings of the day's start; a residual is always shown."
            ),
            "Brinson, Fachler 1985",
        ),
        "linking": Convention(
            "Linking",
            (
                "Days are linked within a month, and months within the whole, so that effects "
                "sum to the compounded active return; by Carino's method unless the lineage "
                "names another."
            ),
            "Carino 1999",
        ),
        "factor_attribution": Convention(
            "Attribution by factor",
            (
                "Each day the active exposure at the close before times the factor's return; "
                "specific is the active weights times what the factors leave of each return."
            ),
            "Menchero, Orr, Wang 2011",
        ),
    }
)
DISCLAIMERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "hypothetical": (
            "Hypothetical",
            (
                "Backtested results are hypothetical. They were computed with hindsight, were not "
                "achieved by an account, and do not predict results."
            ),
        ),
        "forecasts": (
            "Forecasts",
            (
                "Risk figures are estimates of a statistical model at one date. Losses can be "
                "larger than any figure shown."
            ),
        ),
        "no_advice": (
            "No advice",
            ("The rebalance is the solution of a stated problem, not a recommendation to trade."),
        ),
        "data": (
            "Data",
            (
                "Prices and key figures come from the sources named in the package's list of data "
                "sources, under their own licences; check them before passing the data on."
            ),
        ),
        "software": (
            "Software",
            (
                "Tilt is open source under the MIT licence and comes without warranty. The Excel "
                "side runs on xlwings, whose PRO features are free for non-commercial use and "
                "need a paid key otherwise."
            ),
        ),
    }
)
_IN_EVERY_REPORT = frozenset({"data", "software"})


def conventions_block(used: Collection[str], remarks: Sequence[tuple[str, str]]) -> Block:
    """Return the conventions that are used, in their usual order, then the remarks.

    Raises
    ------
    ValueError
        If there is no such convention.
    """
    _require(used, CONVENTIONS, "convention")
    told = [(c.number, c.words, c.source) for key, c in CONVENTIONS.items() if key in used]
    rows = [*told, *[(number, words, "") for number, words in remarks]]
    return Block(
        "conventions",
        "Conventions",
        pd.DataFrame(rows, columns=["number", "convention", "source"], dtype=object),
        widths={"convention": 90, "source": 36},
    )


def assumptions_block(assumed: Sequence[tuple[str, str, str]]) -> Block:
    """Return what is assumed: section, item and value."""
    return Block(
        "assumptions",
        "What is assumed",
        pd.DataFrame(assumed, columns=["section", "item", "value"], dtype=object),
        widths={"value": 90},
    )


def disclaimers_block(cautions: Collection[str], survivorship: Sequence[str]) -> Block:
    """Return what is not claimed; survivorship, data and software are always told.

    Raises
    ------
    ValueError
        If there is no such disclaimer.
    """
    _require(cautions, DISCLAIMERS, "disclaimer")
    told = {*cautions, *_IN_EVERY_REPORT}
    rows = [text for key, text in DISCLAIMERS.items() if key in told]
    after = int("hypothetical" in told)  # survivorship belongs beside what it flatters
    rows[after:after] = [("Survivorship", text) for text in survivorship]
    return Block(
        "disclaimers",
        "Please read",
        pd.DataFrame(rows, columns=["subject", "text"], dtype=object),
        widths={"text": 110},
    )


def _require(given: Collection[str], known: Mapping[str, object], what: str) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"no {what} {', '.join(unknown)}")
