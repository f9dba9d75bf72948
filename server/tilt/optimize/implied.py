"""A price that its own answer implies: the one number behind an objective without a scale."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

STEPS = 40
CLOSE = 1e-9  # of the price: where the search ends

Answered = TypeVar("Answered")


@dataclass(frozen=True, eq=False)
class Tried(Generic[Answered]):
    """A price, what is best at it, and the price that this implies; NaN without an answer."""

    price: float
    answer: Answered
    implied: float

    @property
    def off(self) -> float:
        return float(np.log(self.implied / self.price))


def settle(at: Callable[[float], Tried[Answered]], start: float) -> Tried[Answered]:
    """Return what is best at the price that it implies itself, by secants where they help."""
    tried = [at(start)]
    for _ in range(STEPS):
        last = tried[-1]
        if not last.implied > 0 or abs(last.off) < CLOSE:
            break
        tried.append(at(_next(tried)))
    return tried[-1]


def _next(tried: list[Tried[Answered]]) -> float:
    last = tried[-1]
    if len(tried) > 1:
        before = tried[-2]
        slope = (last.off - before.off) / np.log(last.price / before.price)
        if abs(last.off) < abs(before.off) and slope < -1e-3:
            return float(last.price * np.exp(-last.off / slope))
    return last.implied
