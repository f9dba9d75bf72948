"""How a range of cells states the rules that a portfolio must keep."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError, cut, did_you_mean
from tilt.optimize.rules import (
    DISCRETE,
    GROUP,
    GROUPED,
    IMPLICIT,
    KINDS,
    RULES,
    Kind,
    Rule,
    Side,
    amount,
    kind_of,
)

__all__ = [
    "COLUMNS",
    "DISCRETE",
    "GROUP",
    "GROUPED",
    "IMPLICIT",
    "KINDS",
    "RULES",
    "Grid",
    "Kind",
    "Rule",
    "Side",
    "amount",
    "check_rule",
    "kind_of",
    "parse_rules",
]

Grid: TypeAlias = list[list[object]]

COLUMNS = ("rule", "who", "min", "max", "relative", "priority")


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
    """Return what ``who`` may be, by the members of a rule's kind or its column that groups."""
    text = [c for c in securities.columns if not pd.api.types.is_numeric_dtype(securities[c])]
    columns = {*GROUPED, *text}
    named = {
        str(column): sorted(set(securities[column].dropna().astype(str)) - {""})
        if column in securities.columns
        else []
        for column in columns
    }
    tickers = [str(t) for t in securities.index]
    names = list(factors)
    groups = {GROUP + column: known for column, known in named.items()}
    assets = [*tickers, *named["sector"]]
    return {
        **groups,
        **{column: named[column] for column in GROUPED},
        "factor": names,
        "asset": assets,
        "risk": [*assets, *names],
    }


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
    name = _rule_name(given, known, where)
    return Rule(
        name,
        _who(name, cells.get("who"), known, where),
        _number(cells.get("min"), f"{where}: min"),
        _number(cells.get("max"), f"{where}: max"),
        _yes(cells.get("relative"), where),
        _priority(cells.get("priority"), where),
        number,
    )


def _rule_name(given: str, known: Mapping[str, list[str]], where: str) -> str:
    """Return the rule's name as the engine spells it, the column of a group included."""
    name = given.casefold().replace(" ", "_")
    head, colon, column = given.partition(":")
    if head.strip().casefold() != "group":
        _check_name(given, name, where)
        return name
    columns = [key[len(GROUP) :] for key in known if key.startswith(GROUP)]
    by_fold = {c.casefold(): c for c in columns}
    wanted = column.strip()
    if not colon or not wanted:
        raise ArgumentError(f"{where}: '{cut(given)}' names no column. Type group:sector.")
    if wanted.casefold() not in by_fold:
        raise ArgumentError(
            f"{where}: the securities have no column '{cut(wanted)}' to group by."
            f"{did_you_mean(wanted, columns)} The columns are {', '.join(sorted(columns))}."
        )
    return GROUP + by_fold[wanted.casefold()]


def _check_name(given: str, name: str, where: str) -> None:
    if name == "group" or (name not in KINDS and not name.startswith(GROUP)):
        raise ArgumentError(
            f"{where}: '{cut(given)}' is no rule.{did_you_mean(name, RULES)} "
            f"The rules are {', '.join(RULES)}."
        )


_MEMBERS = {"asset": "ticker or sector", "risk": "ticker, sector or factor"}


def _who(rule: str, cell: object, known: Mapping[str, list[str]], where: str) -> str:
    members = rule if rule.startswith(GROUP) else KINDS[rule].members
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
        if members == "risk":
            raise ArgumentError(f"{where}: '{rule}' needs who: a ticker, a sector or a factor.")
        return "*"
    by_fold = {n.casefold(): n for n in reversed(known[members])}
    if given.casefold() not in by_fold:
        what = _MEMBERS.get(members, members.removeprefix(GROUP))
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
    kind = rule.kind
    if rule.low is None and rule.high is None:
        raise ArgumentError(f"{where}: '{rule.subject()}' has neither min nor max.")
    if rule.relative and not kind.relative:
        raise ArgumentError(f"{where}: '{rule.rule}' cannot be relative to the benchmark.")
    _check_size(rule, where, long_short=long_short)
    _check_sides(rule, where)
    if rule.low is not None and rule.high is not None and rule.low > rule.high:
        raise ArgumentError(
            f"{where}: min {rule.shown(rule.low)} of '{rule.subject()}' is above "
            f"max {rule.shown(rule.high)}."
        )


def _check_size(rule: Rule, where: str, *, long_short: bool) -> None:
    kind, ceiling = rule.kind, rule.kind.ceiling
    if long_short and (rule.rule in ("weight", "turnover") or rule.column):
        ceiling = 4.0
    for side in ("min", "max"):
        bound = rule.low if side == "min" else rule.high
        if bound is None:
            continue
        if kind.integer and bound != round(bound):
            raise ArgumentError(f"{where}: {side} of '{rule.rule}' is a count; got {bound:g}.")
        if abs(bound) <= ceiling:
            continue
        if not kind.percent:
            raise ArgumentError(f"{where}: {side} {bound:g} is beyond any {rule.rule}.")
        raise ArgumentError(
            f"{where}: {side} {bound:g} means {100 * bound:g} %. "
            f"Type {bound:g} % as {bound / 100:g}, or format the cell in per cent."
        )


def _check_sides(rule: Rule, where: str) -> None:
    kind = rule.kind
    if kind.max_only and rule.low is not None and rule.low > 0:
        raise ArgumentError(
            f"{where}: '{rule.rule}' takes a max only; a min of {rule.shown(rule.low)} "
            "would leave a hole in what is allowed."
        )
    if kind.max_only and (rule.high is None or rule.high < 0):
        raise ArgumentError(f"{where}: '{rule.rule}' needs a max of zero or more.")
    if kind.min_only and rule.high is not None:
        raise ArgumentError(
            f"{where}: '{rule.rule}' takes a min only, {kind.description.split(';')[0]}. "
            "For a largest weight use a weight rule."
        )
    if kind.min_only and (rule.low or 0.0) <= 0:
        raise ArgumentError(f"{where}: min of '{rule.rule}' must be above zero.")
    if rule.rule == "names" and ((rule.low or 0.0) < 0 or (rule.high or 0.0) < 0):
        raise ArgumentError(f"{where}: a number of names cannot be negative.")
    if rule.priority is not None and (kind.discrete or rule.rule in ("lot", "risk_share")):
        raise ArgumentError(
            f"{where}: '{rule.rule}' cannot be soft: a name is held or not. Leave priority blank."
        )
