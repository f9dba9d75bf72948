"""What rules on names and trades, which are there or not, ask together."""

from collections.abc import Sequence
from dataclasses import dataclass

from tilt.optimize.limits import Half

HELD = 1e-4  # of capital: from it on a name counts as held, where a least number is asked


@dataclass(frozen=True, eq=False)
class Choice:
    """What discrete rules ask of names and trades.

    fewest, most : names held
    holding      : smallest weight of a held name; zero for none
    trade        : smallest trade; None without a rule
    chooses      : whether names are counted or have a smallest weight
    """

    fewest: int
    most: int
    holding: float
    trade: float | None
    chooses: bool


def choice_of(sides: Sequence[Half], assets: int) -> Choice:
    """Return what the discrete ones of some halves ask together."""
    bound = {
        (h.rule.rule, h.side): h.rule.bound(h.side) or 0.0 for h in sides if h.rule.kind.discrete
    }
    fewest = int(bound.get(("names", "min"), 0))
    least = HELD if fewest else 0.0
    return Choice(
        fewest=fewest,
        most=min(int(bound.get(("names", "max"), assets)), assets),
        holding=max(bound.get(("holding", "min"), 0.0), least),
        trade=bound.get(("trade", "min")),
        chooses=any(rule in ("names", "holding") for rule, _ in bound),
    )
