"""Options of a problem: what a caller may set beside the rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from tilt.errors import ArgumentError, did_you_mean, one_of

MOST_CASH = 10.0  # times the capital
SOLVERS = ("auto", "piqp", "clarabel", "cvxpy")

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "long_short": "yes lets weights be negative",
        "risk_aversion": "price of yearly variance in max_utility",
        "solver": "auto, piqp, clarabel or cvxpy",
        "time_limit": "seconds a solver may take",
        "cash": "fraction of capital left in cash; the holdings' cash unless given",
    }
)


@dataclass(frozen=True)
class Options:
    """Options of a problem, read and checked."""

    long_short: bool = False
    risk_aversion: float = 4.0
    solver: str = "auto"
    time_limit: float | None = None
    cash: float | None = None


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
    limit, cash = read.get("time_limit"), read.get("cash")
    return Options(
        long_short=_yes(read.get("long_short", False)),
        risk_aversion=_positive(read.get("risk_aversion", 4.0), "risk_aversion"),
        solver=one_of("option solver", str(read.get("solver", "auto")), SOLVERS),
        time_limit=None if limit is None else _positive(limit, "time_limit"),
        cash=None if cash is None else _fraction(cash, "cash"),
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
