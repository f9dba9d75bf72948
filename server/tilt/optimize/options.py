"""Options of a problem: what a caller may set beside the rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from tilt.errors import ArgumentError, did_you_mean, one_of
from tilt.risk.estimators import ESTIMATORS

MOST_CASH = 10.0  # times the capital
SOLVERS = ("auto", "piqp", "clarabel", "cvxpy")
POSTERIORS = ("S+M", "S")
ESTIMATED = ("factor", *ESTIMATORS)
MOST_DAYS = 10_000

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "long_short": "yes lets weights be negative",
        "risk_aversion": "price of yearly variance in max_utility",
        "pin": "names at fixed weights, as AAPL=0.05, MSFT; without a weight as held now",
        "exclude": "names and sectors that are not to be held, as XOM, Energy",
        "solver": "auto, piqp, clarabel or cvxpy",
        "risk_free": "yearly rate that max_sharpe counts from, a decimal",
        "factor": "of pure_factor: the factor that is striven for",
        "confidence": "of min_cvar: 0.95 looks at the worst 5 % of the days",
        "lookback": "days of returns: the scenarios of min_cvar, or what an estimator reads",
        "estimator": "of the risk model: factor, sample, ewma, ledoit_wolf, oas, pca",
        "views": "of black_litterman, as AAPL=0.08@0.6, AAPL - MSFT=0.02; or the argument views",
        "tau": "how uncertain the implied returns are, in units of the covariance",
        "delta": "price of variance that implies returns; left out: a Sharpe ratio of 0.5",
        "posterior": "S+M, the risk that views leave, or S, the risk model's own",
        "budgets": "of risk_parity, risk_budget: equal, holdings, sector, or Energy=0.3, XOM=0.1",
        "time_limit": "seconds a solver may take",
        "cash": "fraction of capital left in cash; the holdings' cash unless given",
        "gap": "a mixed-integer problem is solved when its answer is proven this near the best",
        "value": "money of the portfolio: for the rules adv and lot, and for impact",
        "cost_bps": "linear cost of what is traded, basis points",
        "spread": "bid-ask spread as a fraction of the price; half of it is paid",
        "impact": "c of the 3/2-power law c σ |x|^1.5 / sqrt(ADV); 1 is usual, 0 leaves it out",
        "borrow": "yearly fee on the value of shorts, a decimal",
    }
)


@dataclass(frozen=True)
class Options:
    """Options of a problem, read and checked."""

    long_short: bool = False
    risk_aversion: float = 4.0
    risk_free: float = 0.0
    factor: str = ""
    confidence: float = 0.95
    lookback: int = 504
    estimator: str = ""
    views: str = ""
    tau: float = 0.05
    delta: float | None = None
    posterior: str = "S+M"
    budgets: str = ""
    pin: str = ""
    exclude: str = ""
    solver: str = "auto"
    time_limit: float | None = None
    cash: float | None = None
    gap: float = 1e-3
    value: float | None = None
    cost_bps: float = 10.0
    spread: float = 0.0
    impact: float = 0.0
    borrow: float = 0.0


def read_options(given: Mapping[str, object]) -> Options:
    """Return the options with their defaults.

    Raises
    ------
    ArgumentError
        If a key is not known (with the nearest one), or a value is not what the key takes.
    """
    read: dict[str, object] = {}
    for key, value in given.items():
        name = str(key).strip().casefold()
        if name not in OPTIONS:
            raise ArgumentError(
                f"option '{key}' is not one of {', '.join(OPTIONS)}.{did_you_mean(name, OPTIONS)}"
            )
        read[name] = value
    limit, cash, value = read.get("time_limit"), read.get("cash"), read.get("value")
    return Options(
        long_short=_yes(read.get("long_short", False)),
        risk_aversion=_positive(read.get("risk_aversion", 4.0), "risk_aversion"),
        risk_free=_rate(read.get("risk_free", 0.0), "risk_free"),
        factor=str(read.get("factor", "")).strip(),
        confidence=_confidence(read.get("confidence", 0.95)),
        lookback=_days(read.get("lookback", 504)),
        estimator=_estimator(read.get("estimator", "")),
        views=str(read.get("views", "")).strip(),
        tau=_positive(read.get("tau", 0.05), "tau"),
        delta=None if read.get("delta") is None else _positive(read["delta"], "delta"),
        posterior=one_of("option posterior", str(read.get("posterior", "S+M")), POSTERIORS),
        budgets=str(read.get("budgets", "")).strip(),
        pin=str(read.get("pin", "")).strip(),
        exclude=str(read.get("exclude", "")).strip(),
        solver=one_of("option solver", str(read.get("solver", "auto")), SOLVERS),
        time_limit=None if limit is None else _positive(limit, "time_limit"),
        cash=None if cash is None else _fraction(cash, "cash"),
        gap=_within(read.get("gap", 1e-3), "gap", 0.5),
        value=None if value is None else _positive(value, "value"),
        cost_bps=_within(read.get("cost_bps", 10.0), "cost_bps", 1000.0),
        spread=_within(read.get("spread", 0.0), "spread", 0.2),
        impact=_within(read.get("impact", 0.0), "impact", 100.0),
        borrow=_within(read.get("borrow", 0.0), "borrow", 1.0),
    )


def _yes(value: object) -> bool:
    text = str(value).strip().casefold()
    if text in ("yes", "true", "1", "on"):
        return True
    if text in ("no", "false", "0", "off", ""):
        return False
    raise ArgumentError(f"option long_short must be yes or no; got '{value}'.")


def _decimal(value: object, name: str) -> float:
    try:
        number = float(str(value))
    except ValueError:
        raise ArgumentError(f"option {name} must be a number; got '{value}'.") from None
    if not np.isfinite(number):
        raise ArgumentError(f"option {name} must be a number; got '{value}'.")
    return number


def _fraction(value: object, name: str) -> float:
    number = _decimal(value, name)
    if abs(number) > MOST_CASH:
        raise ArgumentError(
            f"option {name} must be a fraction of capital, 0.05 for 5 %; got {number:g}."
        )
    return number


def _positive(value: object, name: str) -> float:
    number = _decimal(value, name)
    if number <= 0:
        raise ArgumentError(f"option {name} must be above zero; got {number:g}.")
    return number


def _within(value: object, name: str, most: float) -> float:
    number = _decimal(value, name)
    if not 0 <= number <= most:
        raise ArgumentError(f"option {name} must be between 0 and {most:g}; got {number:g}.")
    return number


def _rate(value: object, name: str) -> float:
    number = _decimal(value, name)
    if abs(number) > 1:
        raise ArgumentError(f"option {name} must be a yearly rate, 0.03 for 3 %; got {number:g}.")
    return number


def _estimator(value: object) -> str:
    text = str(value).strip()
    return one_of("option estimator", text, ESTIMATED) if text else ""


def _confidence(value: object) -> float:
    number = _decimal(value, "confidence")
    if not 0.5 <= number < 1:
        raise ArgumentError(
            f"option confidence must be at least 0.5 and below 1, 0.95 for 95 %; got {number:g}."
        )
    return number


def _days(value: object) -> int:
    number = _decimal(value, "lookback")
    if not 20 <= number <= MOST_DAYS or number != int(number):
        raise ArgumentError(
            f"option lookback must be a whole number of days from 20 to {MOST_DAYS}; "
            f"got {number:g}."
        )
    return int(number)


# What only some objectives read; an option in no list is read by all.
OPTIONS_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "max_utility": ("risk_aversion",),
        "max_sharpe": ("risk_free",),
        "risk_parity": ("budgets",),
        "risk_budget": ("budgets",),
        "min_cvar": ("confidence",),
        "pure_factor": ("factor",),
        "black_litterman": ("views", "tau", "delta", "posterior"),
    }
)
