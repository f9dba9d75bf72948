"""The rules a portfolio must keep, and how a range of cells states them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError, cut, did_you_mean

Grid: TypeAlias = list[list[object]]
Side: TypeAlias = Literal["min", "max"]

COLUMNS = ("rule", "who", "min", "max", "relative", "priority")


@dataclass(frozen=True)
class Kind:
    """What is common to all rules of one name.

    members  : what ``who`` names; empty for a rule about the whole portfolio
    percent  : the bound is a fraction of capital or a yearly risk, shown in per cent
    step     : by how much the bound is moved to price it
    ceiling  : a bound beyond it was typed in whole per cent
    max_only : a lower bound would make the problem non-convex
    relative : may count against the benchmark
    """

    description: str
    members: str
    percent: bool
    step: float
    ceiling: float
    max_only: bool = False
    relative: bool = False


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
    }
)  # fmt: skip
RULES: Mapping[str, str] = MappingProxyType({name: k.description for name, k in KINDS.items()})

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
        name = self.rule.replace("_", " ")
        name = "factor exposure" if (self.rule, self.who) == ("factor", "*") else name
        if self.who == "*":
            return f"each {name}"
        return f"{name} {self.who}".strip()

    def shown(self, value: float) -> str:
        """Return a value of the rule in the unit of its bounds: '2 %' or '0.25'."""
        return amount(value, percent=self.rule in IMPLICIT or KINDS[self.rule].percent)

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


def parse_rules(
    grid: Grid,
    *,
    securities: pd.DataFrame,
    factors: Iterable[str],
    long_short: bool = False,
    argument: str = "constraints",
) -> tuple[Rule, ...]:
    """Read the rules of a range.

    Parameters
    ----------
    grid : rows of cells: rule, who, min, max, relative, priority; a header row is optional and may
        put the columns in another order; blank cells are None or empty text; blank rows count
        only for the row numbers
    securities : by ticker: sector and industry, the names ``who`` may be
    factors : names of the risk model's factors
    long_short : bounds of a sector, a weight or turnover may exceed 100 %
    argument : what a message calls the range

    Raises
    ------
    ArgumentError
        If a rule, name or column is not known (with the nearest name), min is above max, a rule
        is given twice or has no bound, or a bound was typed in whole per cent.
    DataError
        If a cell holds an error or text where a number belongs.
    """
    known = _known_names(securities, factors)
    rows = [
        (n, row)
        for n, row in enumerate(grid, start=1)
        if any(not _blank(c) and c != 0 for c in row)
    ]
    place = {name: at for at, name in enumerate(COLUMNS)}
    if rows and _is_header(rows[0][1]):
        place = _columns(rows[0], argument)
        rows = rows[1:]
    rules: list[Rule] = []
    seen: dict[tuple[str, str, bool], int] = {}
    for number, row in rows:
        where = f"{argument} row {number}"
        cells = {name: row[at] if at < len(row) else None for name, at in place.items()}
        _no_more_cells(row, place, where)
        rule = _rule(cells, known, number, where)
        check_rule(rule, where, long_short=long_short)
        key = (rule.rule, rule.who, rule.relative)
        if key in seen:
            raise ArgumentError(
                f"{where}: '{rule.subject()}' is given twice, first in row {seen[key]}. Keep one."
            )
        seen[key] = number
        rules.append(rule)
    return tuple(rules)


def _known_names(securities: pd.DataFrame, factors: Iterable[str]) -> dict[str, list[str]]:
    named = {
        column: sorted(securities[column].dropna().astype(str).unique())
        if column in securities.columns
        else []
        for column in ("sector", "industry")
    }
    tickers = [str(t) for t in securities.index]
    return {**named, "factor": list(factors), "asset": [*tickers, *named["sector"]]}


def _blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _text(cell: object) -> str:
    return cell.strip() if isinstance(cell, str) else ""


def _is_header(row: Sequence[object]) -> bool:
    return _text(row[0]).casefold() == "rule" or len(
        {_text(c).casefold() for c in row} & {"rule", "who", "min", "max"}
    ) >= 2  # fmt: skip


def _columns(header: tuple[int, Sequence[object]], argument: str) -> dict[str, int]:
    number, cells = header
    place: dict[str, int] = {}
    for at, cell in enumerate(cells):
        if _blank(cell):
            continue
        name = _text(cell).casefold()
        if name not in COLUMNS:
            known = f"{', '.join(COLUMNS)}.{did_you_mean(name, COLUMNS)}"
            raise ArgumentError(
                f"{argument} row {number}: the header '{cut(str(cell))}' is not one of {known}"
            )
        if name in place:
            raise ArgumentError(f"{argument} row {number}: the header '{name}' is there twice.")
        place[name] = at
    if "rule" not in place:
        raise ArgumentError(f"{argument} row {number}: the header has no column 'rule'.")
    return place


def _no_more_cells(row: Sequence[object], place: Mapping[str, int], where: str) -> None:
    for at, cell in enumerate(row):
        if at not in place.values() and not _blank(cell):
            raise ArgumentError(
                f"{where}: column {at + 1} holds '{cut(str(cell))}' but has no header. "
                f"The columns are {', '.join(COLUMNS)}."
            )


def _rule(
    cells: Mapping[str, object], known: Mapping[str, list[str]], number: int, where: str
) -> Rule:
    for column, cell in cells.items():
        if _text(cell).startswith("#"):
            raise DataError(f"{where}: {column} is {cut(_text(cell))}.")
    if _blank(cells["rule"]):
        raise ArgumentError(f"{where}: rule is blank. Type it, or clear the row.")
    given = _text(cells["rule"]) or str(cells["rule"]).upper()
    name = given.casefold().replace(" ", "_")
    _check_name(given, name, where)
    return Rule(
        name,
        _who(name, cells.get("who"), known, where),
        _number(cells.get("min"), f"{where}: min"),
        _number(cells.get("max"), f"{where}: max"),
        _yes(cells.get("relative"), where),
        _priority(cells.get("priority"), where),
        number,
    )


def _check_name(given: str, name: str, where: str) -> None:
    if name not in KINDS:
        raise ArgumentError(
            f"{where}: '{cut(given)}' is no rule.{did_you_mean(name, RULES)} "
            f"The rules are {', '.join(RULES)}."
        )


def _who(rule: str, cell: object, known: Mapping[str, list[str]], where: str) -> str:
    members = KINDS[rule].members
    # A ticker such as 8306 arrives as a number.
    given = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell or "")
    given = given.strip()
    if not members:
        if given not in ("", "*"):
            raise ArgumentError(
                f"{where}: '{rule}' is about the whole portfolio; leave who blank, "
                f"not '{cut(given)}'."
            )
        return ""
    if given in ("", "*"):
        return "*"
    by_fold = {n.casefold(): n for n in reversed(known[members])}
    if given.casefold() not in by_fold:
        what = "ticker or sector" if members == "asset" else members
        raise ArgumentError(
            f"{where}: '{cut(given)}' is no {what} of this universe."
            f"{did_you_mean(given, known[members])}"
        )
    return by_fold[given.casefold()]


def _number(cell: object, where: str) -> float | None:
    if _blank(cell):
        return None
    if isinstance(cell, str):
        raise DataError(f"{where} is the text '{cut(cell)}'. Type it as a number.")
    if isinstance(cell, bool) or not isinstance(cell, int | float | np.number):
        raise DataError(f"{where} is {str(cell).upper()}, not a number.")
    if not np.isfinite(float(cell)):
        raise DataError(f"{where} is not a number. Clear the cell for no bound.")
    return float(cell)


def _yes(cell: object, where: str) -> bool:
    if _blank(cell):
        return False
    text = str(cell).strip().casefold()
    if text in ("yes", "y", "true", "1", "1.0"):
        return True
    if text in ("no", "n", "false", "0", "0.0"):
        return False
    raise ArgumentError(f"{where}: relative must be yes or no; got '{cut(str(cell))}'.")


def _priority(cell: object, where: str) -> float | None:
    if _blank(cell) or _text(cell).casefold() == "hard":
        return None
    if isinstance(cell, str):
        raise ArgumentError(f"{where}: priority must be 'hard' or a number; got '{cut(cell)}'.")
    number = _number(cell, f"{where}: priority")
    if number is None or number <= 0:
        raise ArgumentError(f"{where}: priority must be above zero; got {cell}.")
    return number


def check_rule(rule: Rule, where: str, *, long_short: bool) -> None:
    """Raise ``ArgumentError``, starting with ``where``, if a rule or its bounds make no sense."""
    _check_name(rule.rule, rule.rule, where)
    kind = KINDS[rule.rule]
    if rule.low is None and rule.high is None:
        raise ArgumentError(f"{where}: '{rule.subject()}' has neither min nor max.")
    if rule.relative and not kind.relative:
        raise ArgumentError(f"{where}: '{rule.rule}' cannot be relative to the benchmark.")
    ceiling = kind.ceiling
    if long_short and rule.rule in ("weight", "sector", "industry", "turnover"):
        ceiling = 4.0
    for side in ("min", "max"):
        bound = rule.low if side == "min" else rule.high
        if bound is not None and abs(bound) > ceiling:
            if not kind.percent:
                raise ArgumentError(f"{where}: {side} {bound:g} is beyond any {rule.rule}.")
            raise ArgumentError(
                f"{where}: {side} {bound:g} means {100 * bound:g} %. "
                f"Type {bound:g} % as {bound / 100:g}, or format the cell in per cent."
            )
    if kind.max_only and rule.low is not None and rule.low > 0:
        raise ArgumentError(
            f"{where}: '{rule.rule}' takes a max only; a min of {rule.shown(rule.low)} "
            "would leave a hole in what is allowed."
        )
    if kind.max_only and (rule.high is None or rule.high < 0):
        raise ArgumentError(f"{where}: '{rule.rule}' needs a max of zero or more.")
    if rule.low is not None and rule.high is not None and rule.low > rule.high:
        raise ArgumentError(
            f"{where}: min {rule.shown(rule.low)} of '{rule.subject()}' is above "
            f"max {rule.shown(rule.high)}."
        )
