"""A saved configuration where a problem or a backtest is stated: it says what the call leaves out.

What the call itself gives wins. A result says which configuration it rests on, and its run id
depends on all of the configuration's content.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from tilt.api import seen_configurations
from tilt.api.backtests import Asked
from tilt.api.books import Book, open_book, state_problem
from tilt.api.state import State
from tilt.api.values import Grid
from tilt.backtest.parse import SOLVED
from tilt.configuration import Configuration
from tilt.errors import ArgumentError
from tilt.optimize.options import OPTIONS, read_options
from tilt.optimize.problem import Problem
from tilt.portfolio.cells import is_blank, shown

CONFIG = "config"  # the option, and what stands for its objective where one must be given
OPTION: Mapping[str, str] = MappingProxyType(
    {CONFIG: "name of a saved configuration, which says what the call leaves out"}
)


@dataclass(frozen=True)
class Posed:
    """A portfolio problem as it is stated, before its names are looked up.

    configuration : id of the configuration that states a part of it; empty for none
    notes         : which configuration that is
    """

    objective: str
    constraints: Grid | None = None
    benchmark: Grid | None = None
    universe: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    long_short: bool = False
    horizon: str = "short"
    configuration: str = ""
    notes: tuple[str, ...] = ()


def pose(state: State, name: object, given: Posed) -> Posed:
    """Return a problem with what a saved configuration says of it, where it is left out.

    Parameters
    ----------
    name : of the configuration; blank for none
    given : as called; an objective that is empty or ``config`` is left out

    Raises
    ------
    ArgumentError
        If the name is no text, or no objective is given and no configuration.
    UnknownNameError
        If there is no such configuration.
    """
    found = _find(state, name)
    if found is None:
        _needs_configuration(given.objective, "objective")
        return given
    own = found.optimization
    params = found.model.params
    objective = "" if _stands_for_it(given.objective) else given.objective
    mine = {
        "objective": bool(objective),
        "constraints": given.constraints is not None,
        "benchmark": given.benchmark is not None,
        "universe": given.universe is not None,
        **dict.fromkeys(given.options, True),
    }
    options = {**own.options(), **given.options}
    if given.long_short:
        options["long_short"] = True
    return Posed(
        objective=objective or own.objective,
        constraints=given.constraints or _rules(found),
        benchmark=given.benchmark or _cell(params.benchmark),
        universe=given.universe or params.universe or None,
        options=options,
        long_short=read_options(options).long_short,
        horizon=params.horizon,
        configuration=found.id,
        notes=(_words(name, found, mine),),
    )


def open_posed(state: State, holdings: Grid, posed: Posed, date: object) -> Book:
    """Return the holdings of a stated problem, with its notes."""
    asked = read_options({k: v for k, v in posed.options.items() if k in OPTIONS})
    book = open_book(
        state,
        holdings,
        posed.benchmark,
        date,
        posed.universe,
        long_short=posed.long_short,
        horizon=posed.horizon,
        estimator=asked.estimator,
        lookback=asked.lookback,
    )
    return replace(book, notes=(*posed.notes, *book.notes))


def posed_problem(
    state: State, book: Book, posed: Posed, alpha: Grid | None, views: Grid | None = None
) -> Problem:
    """Return a stated problem as the optimizer takes it."""
    return state_problem(
        state,
        book,
        posed.objective,
        constraints=posed.constraints,
        alpha=alpha,
        views=views,
        options=posed.options,
        long_short=posed.long_short,
        configuration=posed.configuration,
    )


def complete(state: State, asked: Asked, name: object) -> Asked:
    """Return a backtest with what a saved configuration says of it, where it is left out.

    Its constraints are those of an objective, and of no other strategy. A strategy ``config`` is
    the configuration's objective, solved anew at each rebalance.

    Raises
    ------
    ArgumentError
        If the name is no text, or the strategy is ``config`` without one.
    UnknownNameError
        If there is no such configuration.
    """
    found = _find(state, name)
    word = _one_word(asked.strategy)
    if found is None:
        _needs_configuration(word, "strategy")
        return asked
    own, params = found.model.backtest, found.model.params
    solver = found.optimization.options()
    by_name = word == CONFIG
    strategy: Grid = [[found.optimization.objective]] if by_name else asked.strategy
    solves = _one_word(strategy) in SOLVED
    mine = {
        "strategy": not by_name,
        "start": not is_blank(asked.start),
        "end": not is_blank(asked.end),
        "rebalance": bool(asked.rebalance),
        "constraints": asked.constraints is not None,
        "benchmark": asked.benchmark is not None,
        **dict.fromkeys(asked.options, True),
    }
    costs: dict[str, object] = own.model_dump(exclude={"start", "end", "rebalance"})
    options = {**costs, **asked.options}
    negative = options.get("long_short", solver["long_short"])
    return replace(
        asked,
        strategy=strategy,
        start=own.start if is_blank(asked.start) else asked.start,
        end=own.end if is_blank(asked.end) else asked.end,
        rebalance=asked.rebalance or own.rebalance,
        constraints=asked.constraints or (_rules(found) if solves else None),
        benchmark=asked.benchmark or _cell(params.benchmark),
        options=options,
        long_short=read_options({"long_short": negative}).long_short,
        solver=solver,
        universe=params.universe,
        horizon=params.horizon,
        configuration=found,
        configured=_words(name, found, mine),
    )


def _find(state: State, name: object) -> Configuration | None:
    if is_blank(name):
        return None
    if not isinstance(name, str):
        raise ArgumentError(f"option config must be a configuration's name; got {shown(name)}.")
    return seen_configurations.read(state, name)


def _needs_configuration(word: str, argument: str) -> None:
    if word.strip().casefold() == CONFIG:
        raise ArgumentError(
            f"{argument} is that of a configuration, and none is named. Give option config=NAME."
        )


def _stands_for_it(objective: str) -> bool:
    return objective.strip().casefold() in {"", CONFIG}


def _one_word(grid: Grid) -> str:
    return str(grid[0][0]).strip().casefold() if len(grid) == len(grid[0]) == 1 else ""


def _rules(found: Configuration) -> Grid | None:
    rules = found.optimization
    return [list(row) for row in rules.grid()] if rules.constraints else None


def _cell(text: str) -> Grid | None:
    return [[text]] if text else None


def _words(name: object, found: Configuration, given: Mapping[str, bool]) -> str:
    """Return which configuration a result rests on, and what the call has of its own."""
    said = f"Configuration '{str(name).strip()}' (id {found.id})"
    own = [argument for argument, there in given.items() if there]
    return f"{said}; the call gives {', '.join(own)}." if own else f"{said}."
