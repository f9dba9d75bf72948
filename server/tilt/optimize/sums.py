"""Objectives that are sums of terms with weights: ``max_return - 4*risk - cost``."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tilt.errors import ArgumentError, cut, did_you_mean, one_of
from tilt.optimize.terms import OBJECTIVES

TERMS: Mapping[str, str] = MappingProxyType(
    {
        "return": "expected return of a year, from alpha",
        "risk": "variance of a year",
        "active_risk": "variance of a year against the benchmark",
        "cost": "expected cost of the trades, and the year's fee on shorts",
        "turnover": "one-way turnover",
        "distance": "squared distance of the weights to benchmark, current or equal",
        "exposure": "exposure to a factor, exposure(Momentum)",
    }
)
TARGETS = ("benchmark", "current", "equal")
# What a sum may call by the name of an objective: the term, its sign and what stands in brackets.
_ALIASES: Mapping[str, tuple[str, float, str]] = MappingProxyType(
    {
        "max_return": ("return", 1.0, ""),
        "min_risk": ("risk", -1.0, ""),
        "min_te": ("active_risk", -1.0, ""),
        "min_cost": ("cost", -1.0, ""),
        "equal_weight": ("distance", -1.0, "equal"),
    }
)
_CONVEX = ("risk", "active_risk", "cost", "turnover", "distance")
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_PART = re.compile(
    rf"\s*(?P<sign>[+-])?\s*(?:(?P<scale>{_NUMBER})\s*\*\s*)?(?P<name>[A-Za-z_]\w*)\s*"
    rf"(?:\((?P<who>[^()]*)\))?\s*(?:\*\s*(?P<after>{_NUMBER}))?\s*"
)


@dataclass(frozen=True)
class Part:
    """One term of a sum: ``scale * name(who)``."""

    scale: float
    name: str
    who: str = ""

    def words(self) -> str:
        """Return the term without its sign: '4*risk', 'exposure(Momentum)'."""
        name = f"{self.name}({self.who})" if self.who else self.name
        size = abs(self.scale)
        return name if size == 1 else f"{size:g}*{name}"


@dataclass(frozen=True)
class Sum:
    """Terms to be maximized together."""

    parts: tuple[Part, ...]

    def text(self) -> str:
        """Return the sum as it may be typed again: 'return - 4*risk - cost'."""
        signs = [" - " if part.scale < 0 else " + " for part in self.parts]
        first = "-" if self.parts[0].scale < 0 else ""
        rest = "".join(s + p.words() for s, p in zip(signs[1:], self.parts[1:], strict=True))
        return first + self.parts[0].words() + rest

    def has(self, *names: str) -> bool:
        return any(part.name in names for part in self.parts)

    def needs_benchmark(self) -> bool:
        return any(p.name == "active_risk" or p.who == "benchmark" for p in self.parts)


def is_sum(text: str) -> bool:
    """Return whether an objective's text is a sum of terms rather than one objective's name."""
    return any(sign in text for sign in "+-*(") or text.strip().casefold() in TERMS


def parse_sum(text: str, factors: Iterable[str] | None, risk_aversion: float = 4.0) -> Sum:
    """Read a sum of terms.

    Parameters
    ----------
    text : such as ``max_return - 4*risk - cost``
    factors : names of the risk model's factors; None where they are not known yet
    risk_aversion : what max_utility multiplies the active variance with

    Raises
    ------
    ArgumentError
        If a term, target or factor is not known (with the nearest name), something else stands
        between terms, a term comes twice, or a sign asks for more risk, cost or distance.
    """
    parts: list[Part] = []
    known = None if factors is None else list(factors)
    at = 0
    while at < len(text.rstrip()):
        found = _PART.match(text, at)
        if found is None or (parts and found["sign"] is None):
            raise ArgumentError(
                f"objective '{cut(text)}' is not read from '{cut(text[at:].strip())}' on. "
                "Write terms with + or - between them: max_return - 4*risk - cost."
            )
        parts += _terms(found, known, risk_aversion)
        at = found.end()
    _check(parts, text)
    return Sum(tuple(parts))


def _terms(found: "re.Match[str]", factors: list[str] | None, risk_aversion: float) -> list[Part]:
    name, who = found["name"].casefold(), (found["who"] or "").strip()
    if found["scale"] and found["after"]:
        raise ArgumentError(f"objective: '{cut(found[0].strip())}' has two numbers. Keep one.")
    scale = float(found["scale"] or found["after"] or 1.0)
    scale = -scale if found["sign"] == "-" else scale
    if name == "max_utility":
        return [Part(scale, "return"), Part(-scale * risk_aversion, "active_risk")]
    alias, sign, target = _ALIASES.get(name, (name, 1.0, who))
    if alias not in TERMS:
        raise ArgumentError(_unknown(name))
    return [Part(scale * sign, alias, _target(alias, target, factors))]


def _unknown(name: str) -> str:
    known = [*TERMS, *_ALIASES]
    listed = f"The terms are {', '.join(TERMS)}."
    if name in OBJECTIVES:
        return f"objective: '{name}' is an objective of its own and adds to nothing. {listed}"
    return f"objective: '{cut(name)}' is no term.{did_you_mean(name, known)} {listed}"


def _target(name: str, who: str, factors: list[str] | None) -> str:
    if name == "exposure":
        if not who:
            raise ArgumentError("objective: exposure needs a factor: exposure(Momentum).")
        return who if factors is None else one_of("objective: exposure", who, factors)
    if name == "distance":
        return one_of("objective: distance", who or "current", TARGETS)
    if who:
        raise ArgumentError(f"objective: '{name}' takes nothing in brackets; got '{cut(who)}'.")
    return ""


def _check(parts: list[Part], text: str) -> None:
    if not parts:
        raise ArgumentError("objective is blank. Write terms: max_return - 4*risk - cost.")
    seen: set[tuple[str, str]] = set()
    for part in parts:
        if (part.name, part.who) in seen:
            raise ArgumentError(
                f"objective '{cut(text)}' has '{part.name}' twice. Add the numbers and keep one."
            )
        seen.add((part.name, part.who))
        if part.name in _CONVEX and part.scale > 0:
            raise ArgumentError(
                f"objective '{cut(text)}' asks for more {part.name.replace('_', ' ')}: the sum is "
                f"maximized. Write '- {part.words()}'."
            )
        if part.scale == 0:
            raise ArgumentError(f"objective '{cut(text)}': '{part.name}' counts 0 times. Drop it.")
