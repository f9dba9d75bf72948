"""What a rule is: the rules that there are, and one line of the table of constraints."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

Side: TypeAlias = Literal["min", "max"]


@dataclass(frozen=True)
class Kind:
    """What is common to all rules of one name.

    members  : what ``who`` names; empty for a rule about the whole portfolio
    percent  : the bound is a fraction of capital or a yearly risk, shown in per cent
    step     : by how much the bound is moved to price it
    ceiling  : a bound beyond it was typed in whole per cent
    max_only : a lower bound would make the problem non-convex
    min_only : only a lower bound has a meaning
    relative : may count against the benchmark
    integer  : the bound is a count
    discrete : names are in or out, trades are made or not: the problem is mixed-integer
    unit     : what stands behind the number, where it is neither per cent nor plain
    """

    description: str
    members: str
    percent: bool
    step: float
    ceiling: float
    max_only: bool = False
    min_only: bool = False
    relative: bool = False
    integer: bool = False
    discrete: bool = False
    unit: str = ""


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "weight": Kind(
            "each name's weight; who is *, a ticker or a sector",
            "asset", percent=True, step=0.005, ceiling=1.0, relative=True,
        ),
        "sector": Kind(
            "the sum of a sector's weights",
            "sector", percent=True, step=0.01, ceiling=1.0, relative=True,
        ),
        "industry": Kind(
            "the sum of an industry's weights",
            "industry", percent=True, step=0.01, ceiling=1.0, relative=True,
        ),
        "factor": Kind(
            "the portfolio's exposure to a factor",
            "factor", percent=False, step=0.05, ceiling=100.0, relative=True,
        ),
        "turnover": Kind(
            "one-way turnover against the holdings, cash included",
            "", percent=True, step=0.01, ceiling=1.0, max_only=True,
        ),
        "tracking_error": Kind(
            "yearly tracking error before the fact",
            "", percent=True, step=0.005, ceiling=1.0, max_only=True,
        ),
        "volatility": Kind(
            "yearly volatility before the fact",
            "", percent=True, step=0.01, ceiling=1.0, max_only=True,
        ),
        "beta": Kind(
            "beta to the benchmark before the fact",
            "", percent=False, step=0.05, ceiling=100.0, relative=True,
        ),
        "gross": Kind(
            "the sum of absolute weights",
            "", percent=True, step=0.05, ceiling=10.0, max_only=True,
        ),
        "net": Kind(
            "the sum of weights; replaces the budget",
            "", percent=True, step=0.01, ceiling=10.0,
        ),
        "long": Kind(
            "the sum of positive weights",
            "", percent=True, step=0.05, ceiling=10.0, max_only=True,
        ),
        "short": Kind(
            "the sum of short weights, as a positive number",
            "", percent=True, step=0.05, ceiling=10.0, max_only=True,
        ),
        "country": Kind(
            "the sum of a country's weights",
            "country", percent=True, step=0.01, ceiling=1.0, relative=True,
        ),
        "group": Kind(
            "group:<column>: the sum of the weights of a group by any column of the securities",
            "group", percent=True, step=0.01, ceiling=1.0, relative=True,
        ),
        "names": Kind(
            "how many names are held",
            "", percent=False, step=1.0, ceiling=1e5, integer=True, discrete=True,
        ),
        "holding": Kind(
            "the smallest weight of a name that is held",
            "", percent=True, step=0.0025, ceiling=1.0, min_only=True, discrete=True,
        ),
        "trade": Kind(
            "the smallest trade that is made",
            "", percent=True, step=0.0025, ceiling=1.0, min_only=True, discrete=True,
        ),
        "adv": Kind(
            "each trade as a share of what the name trades in a day; needs option value",
            "", percent=True, step=0.05, ceiling=10.0, max_only=True, unit="of ADV",
        ),
        "cost": Kind(
            "the expected cost of all trades, a fraction of capital",
            "", percent=True, step=0.0005, ceiling=0.5, max_only=True,
        ),
        "risk_share": Kind(
            "the share of a ticker, sector or factor in the total risk; relative: in the tracking "
            "error",
            "risk", percent=True, step=0.01, ceiling=1.0, max_only=True, relative=True,
        ),
        "lot": Kind(
            "shares in a round lot; trades are rounded after the solve; needs option value",
            "", percent=False, step=1.0, ceiling=1e7, min_only=True, integer=True, unit="shares",
        ),
    }
)  # fmt: skip
GROUP = "group:"  # before the column by which a rule groups
RULES: Mapping[str, str] = MappingProxyType(
    {GROUP + "<column>" if name == "group" else name: k.description for name, k in KINDS.items()}
)
DISCRETE = tuple(name for name, kind in KINDS.items() if kind.discrete)
GROUPED = ("sector", "industry", "country")  # and ``group:<column>``


def kind_of(rule: str) -> Kind:
    """Return what is common to all rules of a name, or of one column that groups."""
    return KINDS["group"] if rule.startswith(GROUP) else KINDS[rule]


_SUBJECTS = {
    "holding": "each held name",
    "trade": "each trade made",
    "adv": "each trade",
    "risk_share": "risk share of",
    "lot": "each lot",
}

# Rules nobody typed: they hold in every problem unless an option or a `net` rule says otherwise.
IMPLICIT = ("budget", "long_only")


@dataclass(frozen=True)
class Rule:
    """One line of the table of constraints.

    who       : ``*``, a name, or empty for a rule about the whole portfolio
    low, high : bounds as decimals; None is no bound
    relative  : counts against the benchmark
    priority  : None is hard; a number makes the rule soft, and is what one unit of violation costs
                in the objective (yearly return, or yearly variance)
    row       : its row in the range, counted from 1
    """

    rule: str
    who: str = ""
    low: float | None = None
    high: float | None = None
    relative: bool = False
    priority: float | None = None
    row: int = field(default=0, compare=False)

    @property
    def hard(self) -> bool:
        return self.priority is None

    @property
    def kind(self) -> Kind:
        """What is common to all rules of its name."""
        return kind_of(self.rule)

    @property
    def column(self) -> str:
        """The column of the securities by which it groups; empty for other rules."""
        if self.rule.startswith(GROUP):
            return self.rule[len(GROUP) :]
        return self.rule if self.rule in GROUPED else ""

    def bound(self, side: Side) -> float | None:
        return self.low if side == "min" else self.high

    def only(self, side: Side) -> "Rule":
        """Return the rule with one of its bounds."""
        return replace(self, high=None) if side == "min" else replace(self, low=None)

    def moved(self, side: Side, bound: float) -> "Rule":
        """Return the rule with one bound at another value."""
        return replace(self, low=bound) if side == "min" else replace(self, high=bound)

    def subject(self) -> str:
        """Return what the rule is about: 'each weight', 'sector Energy', 'turnover'."""
        name = _SUBJECTS.get(self.rule, (self.column or self.rule).replace("_", " "))
        if self.rule in _SUBJECTS:
            return f"{name} {self.who}" if self.rule == "risk_share" else name
        name = "factor exposure" if (self.rule, self.who) == ("factor", "*") else name
        if self.who == "*":
            return f"each {name}"
        return f"{name} {self.who}".strip()

    def shown(self, value: float) -> str:
        """Return a value of the rule in the unit of its bounds: '2 %' or '0.25'."""
        if self.rule in IMPLICIT:
            return amount(value)
        text = amount(value, percent=self.kind.percent)
        return f"{text} {self.kind.unit}" if self.kind.unit else text

    def words(self) -> str:
        """Return the rule as a reader says it: 'each weight at most 2 %'."""
        low, high = self.low, self.high
        if low is not None and high is not None:
            bounds = (
                f"exactly {self.shown(high)}"
                if low == high
                else f"between {self.shown(low)} and {self.shown(high)}"
            )
        elif high is not None:
            bounds = f"at most {self.shown(high)}"
        else:
            bounds = f"at least {self.shown(low or 0.0)}"
        against = " against the benchmark" if self.relative else ""
        return f"{self.subject()} {bounds}{against}"


def amount(value: float, *, percent: bool = True) -> str:
    """Return a number for a sentence, four digits at most: 0.0164 is '1.64 %'."""
    scaled = 100 * value if percent else value
    text = f"{0.0 if abs(scaled) < 5e-7 else scaled:.4g}"
    if "e" in text:
        text = f"{scaled:.6f}".rstrip("0").rstrip(".") if abs(scaled) < 1 else f"{scaled:.0f}"
    return f"{text} %" if percent else text
