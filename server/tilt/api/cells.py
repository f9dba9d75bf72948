"""The registry of cell functions: what Excel may call, with which arguments, described how."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TypeAlias

from tilt.api.problems import RefusedError
from tilt.api.values import Grid, Result, Shared, read_grid
from tilt.errors import ArgumentError, TiltError, cut, did_you_mean

MARK = "__tilt_cell__"
NOTHING = inspect.Parameter.empty
Many: TypeAlias = Callable[[Sequence[tuple[object, ...]]], Sequence[Result | TiltError]]
_ALIKE = frozenset({str, float, int, Shared})  # of one cell, and what a batch sends once


@dataclass(frozen=True, eq=False)
class Argument:
    """One argument of a cell function.

    doc     : one sentence, shown by Excel's function wizard
    read    : from the cells and the argument's name to what the function takes; ``NOTHING`` where
        the cells mean that it is left out
    default : what stands for an argument left out; ``NOTHING`` when it may not be
    choices : the names Excel offers in a list, empty when there is none
    """

    name: str
    doc: str
    read: Callable[[Grid, str], object]
    default: object = NOTHING
    choices: tuple[str, ...] = ()

    @property
    def optional(self) -> bool:
        return self.default is not NOTHING


@dataclass(frozen=True, eq=False)
class Cell:
    """A function of the sheet.

    call    : takes the arguments read, returns what is written to the sheet
    many    : the same for all calls of a batch at once: rows of arguments in, for each the result
        or the error
    options : the keys its options know, with a description each
    alone   : takes long, so the client sends it outside of batches
    lasting : the same call has the same answer until data or saved portfolios change, so that a
        client may keep it
    stream  : its cell shows a new value whenever there is one; the add-in's live.js feeds it
    """

    name: str
    summary: str
    description: str
    result: str
    example: str
    arguments: tuple[Argument, ...]
    call: Callable[..., Result]
    many: Many | None
    options: Mapping[str, str]
    alone: bool = False
    lasting: bool = True
    stream: bool = False

    @property
    def signature(self) -> str:
        """The call as one types it: ``TILT.RISK(holdings,[measure])``."""
        given = ",".join(f"[{a.name}]" if a.optional else a.name for a in self.arguments)
        return f"TILT.{self.name.upper()}({given})"

    def read(self, raw: Sequence[object], known: "Known | None" = None) -> tuple[object, ...]:
        """Return the arguments of a call as the function takes them.

        Parameters
        ----------
        known : what the calls of a batch have read so far; arguments they share are read once

        Raises
        ------
        ArgumentError
            If there are too many, one that is needed is blank, or one cannot be read.
        """
        if len(raw) > len(self.arguments):
            raise ArgumentError(
                f"{self.name.upper()} takes at most {len(self.arguments)} arguments; "
                f"got {len(raw)}: {self.signature}"
            )
        one = known or Known()
        given = [one.read(self, a, v) for a, v in zip(self.arguments, raw, strict=False)]
        rest = self.arguments[len(raw) :]
        return (*given, *[a.default if a.optional else self.read_argument(a, None) for a in rest])

    def read_argument(self, argument: Argument, value: object) -> object:
        """Return one argument as the function takes it."""
        grid = read_grid(value, argument.name)
        found = NOTHING if grid is None else argument.read(grid, argument.name)
        if found is not NOTHING:
            return found
        if not argument.optional:
            raise ArgumentError(f"{argument.name} is missing: {self.signature}")
        return argument.default


class Known:
    """Arguments that the calls of a batch have read: what they share is read once."""

    def __init__(self) -> None:
        self._read: dict[tuple[Argument, type, object], object] = {}

    def read(self, cell: Cell, argument: Argument, value: object) -> object:
        """Return one argument as the function takes it."""
        only = value
        if type(value) is list and len(value) == 1 and type(value[0]) is list:
            only = value[0][0] if len(value[0]) == 1 else None
        kind = type(only)
        if kind not in _ALIKE:
            return cell.read_argument(argument, value)
        key = (argument, kind, only)  # 1 and 1.0 are equal, and not the same text
        found = self._read.get(key, NOTHING)
        if found is NOTHING:
            grid = value.grid if isinstance(value, Shared) else value
            found = self._read[key] = cell.read_argument(argument, grid)
        return found


def registry(module: ModuleType) -> dict[str, Cell]:
    """Return the cell functions that ``module`` lists in ``__all__``, by name.

    Raises
    ------
    TypeError
        If a listed name is no registered cell function.
    """
    cells: dict[str, Cell] = {}
    for name in module.__all__:
        cell = getattr(getattr(module, name), MARK, None)
        if not isinstance(cell, Cell):
            raise TypeError(f"custom_functions lists '{name}', which is no cell function.")
        cells[name] = cell
    return cells


def find(cells: Mapping[str, Cell], name: object) -> Cell:
    """Return a cell function by the name a client gives.

    Raises
    ------
    RefusedError
        If there is none; the status is 404.
    """
    if isinstance(name, str) and name in cells:
        return cells[name]
    if not isinstance(name, str):
        raise RefusedError("func_name must be the name of a function.")
    shown = cut(name)
    near = did_you_mean(shown.removeprefix("TILT."), [c.upper() for c in cells])
    raise RefusedError(f"Tilt has no function '{shown}'.{near}", 404, "#N/A")
