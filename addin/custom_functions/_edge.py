"""The edge between Excel and the engine: ``@udf`` makes a function of ours one of the sheet's."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from types import MappingProxyType
from typing import Annotated, Literal, ParamSpec, TypeVar, get_args, get_origin, get_type_hints

import pandas as pd
import xlwings.server

from custom_functions._inputs import NO_OPTIONS, TABLE_OPTIONS, Input, Options, choice, options
from custom_functions._tables import arrange
from tilt.api.cells import MARK, NOTHING, Argument, Cell
from tilt.api.runs import RUN
from tilt.api.values import Result
from tilt.errors import NoSolutionError, TiltError

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Result])
Many = Callable[[Sequence[tuple[object, ...]]], Sequence[Result | TiltError]]

RUN_KEY = "run"
RUN_OPTION: Mapping[str, str] = MappingProxyType(
    {RUN_KEY: "yes shows the id of the run, for TRACE, in place of the table"}
)
_NO_KEYS: Mapping[str, str] = MappingProxyType({})


def udf(
    *,
    result: str,
    example: str,
    keys: Mapping[str, str] = _NO_KEYS,
    totals: int = 0,
    many: Many | None = None,
    alone: bool = False,
    lasting: bool = True,
    stream: bool = False,
    traced: bool = False,
) -> Callable[[F], F]:
    """Register a function for the sheet; its first sentence is what Excel shows.

    Parameters
    ----------
    result : what the cell shows, in words, or the columns of the table
    example : a formula
    keys : of its options, beside those of every table
    totals : rows at the end of its table that stay there, unless ``attrs["totals"]`` says how many
    many : the same function for all calls of a batch at once
    alone : it takes long; the client sends its calls outside of batches
    lasting : the same call has the same answer until the data change, so a client may keep it
    stream : its cell shows a new value whenever there is one
    traced : each result is on record under a run id, which the option ``run`` shows
    """
    known = {**keys, **RUN_OPTION} if traced else keys

    def register(function: F) -> F:
        hints = get_type_hints(function, include_extras=True)
        is_table = hints["return"] is pd.DataFrame
        arguments = tuple(
            _argument(p, hints[p.name], known, table=is_table)
            for p in inspect.signature(function).parameters.values()
        )
        summary, _, description = inspect.cleandoc(function.__doc__ or "").partition("\n\n")
        place = {a.name: i for i, a in enumerate(arguments)}.get("options")
        shared = TABLE_OPTIONS if is_table and place is not None else {}
        cell = Cell(
            name=function.__name__,
            summary=" ".join(summary.split()),
            description=description,
            result=result,
            example=example,
            arguments=arguments,
            call=_arranged(function, place, totals, traced=traced) if is_table else function,
            many=many,
            options={**known, **shared},
            alone=alone,
            lasting=lasting,
            stream=stream,
        )
        return _for_xlwings(function, cell)

    return register


def attempt(function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result | TiltError:
    """Return what a function returns, or its error: one call must not sink the others."""
    try:
        return function(*args, **kwargs)
    except TiltError as error:
        return error


def _argument(
    parameter: inspect.Parameter, hint: object, keys: Mapping[str, str], *, table: bool
) -> Argument:
    if hint is Options:
        known = options(keys, table=table)
        return Argument(parameter.name, known.doc, known.read, NO_OPTIONS)
    if get_origin(hint) is not Annotated:
        raise TypeError(f"argument '{parameter.name}' does not say what it means")
    kind, described, *_ = get_args(hint)
    choices: tuple[str, ...] = ()
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        described = choice(described.doc, choices)
    if not isinstance(described, Input):
        raise TypeError(f"argument '{parameter.name}' does not say how it is read")
    default = NOTHING if parameter.default is inspect.Parameter.empty else parameter.default
    return Argument(parameter.name, described.doc, described.read, default, choices)


def _arranged(
    function: Callable[..., Result], place: int | None, totals: int, *, traced: bool
) -> Callable[..., Result]:
    """Return ``function`` with the options of every table applied to what it returns."""

    @wraps(function)
    def arranged(*arguments: object) -> Result:
        given = NO_OPTIONS if place is None else arguments[place]
        if traced and place is not None and isinstance(given, Options) and given.flag(RUN_KEY):
            own = {key: value for key, value in given.own.items() if key != RUN_KEY}
            rest = (replace(given, own=own), *arguments[place + 1 :])
            return _run_of(function, *arguments[:place], *rest)
        frame = function(*arguments)
        if not isinstance(frame, pd.DataFrame) or not isinstance(given, Options):
            raise TypeError(f"{function.__name__} must take Options and return a DataFrame")
        return arrange(frame, given, totals=frame.attrs.get("totals", totals))

    return arranged


def _run_of(function: Callable[..., Result], *arguments: object) -> str:
    """Return the run id of a call, also of a problem without a solution."""
    RUN.set("")
    try:
        function(*arguments)
    except NoSolutionError:
        if not RUN.get():
            raise
    return RUN.get()


def _for_xlwings(function: F, cell: Cell) -> F:
    """Register with xlwings, which writes the metadata and the JavaScript that Excel loads."""
    registered = xlwings.server.func(function)
    for argument in cell.arguments:
        registered = xlwings.server.arg(argument.name, doc=argument.doc)(registered)
    described = registered.__dict__["__xlfunc__"]
    described["ret"]["doc"] = cell.summary
    setattr(registered, MARK, cell)
    return registered
