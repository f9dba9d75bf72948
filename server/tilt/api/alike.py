"""Calls of a batch that differ in single cells alone, taken by column instead of one by one.

Most cells of a sheet ask the same function about a ticker, a field and a date. Of a thousand such
calls each different cell of a column is read once, and the function is asked once for each
different row. Answers and errors are those of the way that takes any call, in ``tilt.api.calls``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TypeAlias, TypeVar, cast

from tilt.api.cells import Argument, Cell, Many
from tilt.api.locales import read_dialect
from tilt.api.problems import RefusedError
from tilt.api.values import Value
from tilt.errors import TiltError
from tilt.stopping import look

T = TypeVar("T")
Row: TypeAlias = tuple[object, ...]

_MEMBERS = ("func_name", "runtime", "culture_info_name")
_NAMED = frozenset({str, type(None)})
_PLAIN = frozenset({str, float, int, bool, type(None)})
_BLANK: list[list[object]] = [[None]]
_TEXTS = 2**13  # read, that are kept: the tickers, fields and dates of a sheet
_SHORT = 64  # letters of one that is kept


@dataclass(frozen=True, eq=False)
class Alike:
    """Calls of one function with as many arguments each, of one plain cell each.

    places  : of the calls in their batch, ascending
    columns : for each argument the cells of all calls
    """

    cell: Cell
    many: Many
    rich: bool
    decimal: str
    places: Sequence[int]
    columns: Sequence[Sequence[Value]]

    @property
    def cell_count(self) -> int:
        """How many cells the arguments of all calls hold."""
        return len(self.places) * len(self.columns)

    @property
    def filled_count(self) -> int:
        """How many of them are neither blank nor zero."""
        return sum(map(bool, chain.from_iterable(self.columns)))


def part(
    cells: Mapping[str, Cell], bodies: Sequence[object], base: Mapping[str, object]
) -> tuple[list[Alike], list[int]]:
    """Divide a batch into calls that are alike, and the places of all others.

    Only calls of functions that can take many at once are alike. What cannot be read is another's.

    Parameters
    ----------
    bodies : calls as the client describes them
    base : members that all calls of a batch have, unless they have their own
    """
    every = list(range(len(bodies)))
    objects = [body for body in bodies if isinstance(body, dict)]
    heads = [_members(objects, name, base) for name in _MEMBERS]
    given = [args for args in _members(objects, "args", base) if isinstance(args, list)]
    if len(given) < len(bodies) or not set(map(type, chain(*heads))) <= _NAMED:
        return [], every
    kinds: dict[tuple[object, object, object, int], list[int]] = {}
    for place, kind in enumerate(zip(*heads, map(len, given), strict=True)):
        kinds.setdefault(kind, []).append(place)
    found = []
    for (name, runtime, culture, width), places in kinds.items():
        cell = cells.get(str(name))
        if cell is None or cell.many is None or not 0 < width <= len(cell.arguments):
            continue
        try:
            rich, decimal = read_dialect(runtime, culture)
        except RefusedError:
            continue
        single = _single_cells(places, given)
        if single is not None:
            found.append(Alike(cell, cell.many, rich, decimal, *single))
    taken = set(chain.from_iterable(alike.places for alike in found))
    return found, [place for place in every if place not in taken]


def _members(
    bodies: Sequence[Mapping[str, object]], name: str, base: Mapping[str, object]
) -> list[object]:
    left_out = base.get(name)
    return [body.get(name, left_out) for body in bodies]


def _single_cells(
    places: list[int], given: Sequence[Sequence[object]]
) -> tuple[list[int], list[list[Value]]] | None:
    """Return the places and columns of calls whose arguments are one plain cell each."""
    columns = _columns([given[place] for place in places])
    if columns is None:  # some arguments are ranges, or nothing that we know
        places = [place for place in places if _columns([given[place]]) is not None]
        columns = _columns([given[place] for place in places])
    return None if columns is None else (places, columns)


def _columns(calls: Sequence[Sequence[object]]) -> list[list[Value]] | None:
    """Return the cells of calls with as many arguments, by argument; None if one is no cell."""
    if not calls:
        return None
    arguments = list(chain.from_iterable(calls))
    if None in arguments:  # one is left out between others
        arguments = [_BLANK if argument is None else argument for argument in arguments]
    rows = only(arguments)
    cells = None if rows is None else only(rows)
    if cells is None or not set(map(type, cells)) <= _PLAIN:
        return None
    width = len(calls[0])
    return [cast("list[Value]", cells[i::width]) for i in range(width)]


def only(lists: Sequence[object]) -> list[object] | None:
    """Return the only element of each list; None if one has more or none, or is no list."""
    if set(map(type, lists)) != {list}:
        return None
    try:
        return [one for (one,) in cast("Sequence[list[object]]", lists)]
    except ValueError:  # one has more or none
        return None


class Asked:
    """The different calls among some that are alike."""

    def __init__(self, alike: Alike) -> None:
        self._alike = alike
        self._keys = [_keys(column) for column in alike.columns]
        self._calls = list(zip(*self._keys, strict=True))
        self._different = list(dict.fromkeys(self._calls))

    def __len__(self) -> int:
        return len(self._different)

    def read(self) -> list[Row | TiltError]:
        """Return the arguments of each different call, or why they cannot be read."""
        look()
        cell, given, decimal = self._alike.cell, self._alike.columns, self._alike.decimal
        columns = []
        kinds: set[type] = set()
        for place, different in enumerate(zip(*self._different, strict=True)):
            cells = dict(zip(self._keys[place], given[place], strict=True))
            argument = cell.arguments[place]
            read = {key: _read(cell, argument, value, decimal) for key, value in cells.items()}
            kinds.update(map(type, read.values()))
            columns.append([read[key] for key in different])
        for argument in cell.arguments[len(given) :]:
            left_out = argument.default if argument.optional else _read(cell, argument, None, "")
            kinds.add(type(left_out))
            columns.append([left_out] * len(self))
        rows = list(zip(*columns, strict=True))
        if not any(issubclass(kind, TiltError) for kind in kinds):
            return [*rows]
        return [next((v for v in row if isinstance(v, TiltError)), row) for row in rows]

    def each(self, answers: Sequence[T]) -> list[T]:
        """Return for every call the answer to the different call that it equals."""
        known = dict(zip(self._different, answers, strict=True))
        return [known[call] for call in self._calls]


def _keys(column: Sequence[Value]) -> Sequence[object]:
    """Return what is equal for cells that are the same, as 1 and 1.0 and TRUE are not."""
    return column if set(map(type, column)) == {str} else [repr(value) for value in column]


def _read(cell: Cell, argument: Argument, value: Value, decimal: str) -> object:
    """Return an argument of one cell as the function takes it, or why it cannot be read."""
    try:
        if type(value) is str and len(value) <= _SHORT:
            return _read_text(cell, argument, value, decimal)
        return cell.read_argument(argument, [[value]])
    except TiltError as error:
        return error


@lru_cache(_TEXTS)
def _read_text(cell: Cell, argument: Argument, text: str, _decimal: str) -> object:
    """Return what a text means, which the batches of a sheet have in common.

    It depends on the text, and on the sign before decimals in the reader's Excel.
    """
    return cell.read_argument(argument, [[text]])
