"""Each result that carries a run id is recorded, once: its question, its data, its numbers' digest.

An engine's answer depends on nothing else, so that a run can be traced, and computed again.
"""

import hashlib
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import cache
from importlib.metadata import version as package
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson
import pandas as pd

import tilt
from tilt.api import permission
from tilt.api.audited import found_run
from tilt.api.backtests import Asked
from tilt.api.frames import split
from tilt.api.questions import backtest_from, of_asked, of_problem
from tilt.api.state import USER, State
from tilt.backtest.result import BacktestResult
from tilt.data import runs
from tilt.data.runs import Run
from tilt.errors import UnknownNameError
from tilt.frames import content_id
from tilt.jobs.program import program_id
from tilt.optimize.frontier import Frontier
from tilt.optimize.problem import Problem
from tilt.optimize.solve import Solution
from tilt.security.deciding import Thing
from tilt.settings import addin_path

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

OPTIMIZE, FRONTIER, BACKTEST, ATTRIBUTION = "OPTIMIZE", "FRONTIER", "BACKTEST", "ATTRIBUTION"
QUESTION = "question"  # the member of a job's result that is recorded and not shown
OF_ANSWER = ("weights", "trades", "summary")
OF_REFUSAL = ("summary", "constraints")
OF_BACKTEST = ("stats", "series", "weights", "costs")
_COMPUTED_WITH = ("numpy", "pandas", "scipy", "piqp", "clarabel", "cvxpy", "highspy")
RUN: ContextVar[str] = ContextVar("run", default="")  # of the latest result of this call

Body = Mapping[str, object]
_NOTHING: Body = MappingProxyType({})


def keep_solution(state: State, solution: Solution) -> str:
    """Record an optimization with its answer, or with what conflicts; return its run id."""
    problem = solution.problem

    def tables() -> dict[str, Body]:
        return {name: split(solution.view(name)) for name in views_of(solution)}

    return _keep_problem(
        state, OPTIMIZE, problem.run_id, problem, lambda: of_problem(problem), tables
    )


def keep_frontier(state: State, problem: Problem, points: int, found: Frontier) -> str:
    """Record an efficient frontier; return its run id."""

    def asked() -> Body:
        return {**of_problem(problem), "points": points}

    run = frontier_id(problem, points)
    return _keep_problem(state, FRONTIER, run, problem, asked, lambda: frontier_tables(found))


def _keep_problem(
    state: State,
    function: str,
    run: str,
    problem: Problem,
    question: Callable[[], Body],
    tables: Callable[[], Mapping[str, Body]],
) -> str:
    model = problem.model
    subject = f"{problem.objective}, {len(problem.current)} names"
    said = tuple(("note", note) for note in model.notes)
    return _keep(
        state, run, function, subject, (model.universe, model.snapshot), question, tables, said
    )


def keep_backtest(state: State, asked: Asked, result: BacktestResult) -> str:
    """Record a backtest; return its run id."""
    panel = state.panel(asked.universe or None)

    def tables() -> dict[str, Body]:
        return {name: split(result.view(name)) for name in OF_BACKTEST}

    said = tuple((str(i), str(v)) for i, v in result.assumptions.itertuples(index=False))
    place = (panel.universe, panel.snapshot)
    return _keep(
        state,
        result.run_id,
        BACKTEST,
        result.strategy,
        place,
        lambda: of_asked(asked),
        tables,
        said,
    )


def keep_attribution(
    state: State, universe: str, method: str, asked: "DataclassInstance", table: pd.DataFrame
) -> str:
    """Record an attribution; return its run id.

    Parameters
    ----------
    universe : empty for the default one
    asked : a frozen dataclass of plain members
    table : its result
    """
    panel = state.panel(universe or None)
    question = of_asked(asked)
    run = content_id(ATTRIBUTION, panel.universe, panel.snapshot, question)
    return _keep(
        state,
        run,
        ATTRIBUTION,
        method,
        (panel.universe, panel.snapshot),
        lambda: question,
        lambda: {"attribution": split(table)},
        (),
    )


def keep_body(state: State, owner: str, result: object) -> object:
    """Record a job's result as JSON, if it tells its question; return it without the question."""
    if not isinstance(result, dict) or QUESTION not in result:
        return result
    asked = result[QUESTION]
    tables = {name: result_table(result, name) for name in asked["tables"]}
    _keep(
        state,
        str(result["run_id"]),
        asked["function"],
        asked["subject"],
        (asked["universe"], asked["snapshot"]),
        lambda: asked["content"],
        lambda: tables,
        tuple((item, value) for item, value in asked["said"]),
        owner=owner,
    )
    return {key: value for key, value in result.items() if key != QUESTION}


def question_of_problem(
    problem: Problem, function: str, tables: tuple[str, ...], more: Body = _NOTHING
) -> Body:
    """Return what a job's result says of its question.

    Parameters
    ----------
    tables : members of the result whose numbers are recorded
    more : of the question, beside the problem
    """
    model = problem.model
    return {
        "function": function,
        "subject": f"{problem.objective}, {len(problem.current)} names",
        "universe": model.universe,
        "snapshot": model.snapshot,
        "content": {**of_problem(problem), **more},
        "tables": tables,
        "said": [("note", note) for note in model.notes],
    }


def question_of_backtest(asked: Asked, result: BacktestResult, place: tuple[str, str]) -> Body:
    """Return what a job's result says of its question; ``place`` is universe and snapshot."""
    said = [(str(i), str(v)) for i, v in result.assumptions.itertuples(index=False)]
    return {
        "function": BACKTEST,
        "subject": result.strategy,
        "universe": place[0],
        "snapshot": place[1],
        "content": of_asked(asked),
        "tables": OF_BACKTEST,
        "said": said,
    }


def result_table(result: Body, name: str) -> Body:
    """Return a table of a job's result, or of its views."""
    views = result.get("views")
    found = (views if isinstance(views, Mapping) else result)[name]
    return found if isinstance(found, Mapping) else {"columns": [], "data": []}


def views_of(solution: Solution) -> tuple[str, ...]:
    """Return the views of a solution whose numbers are recorded."""
    return OF_ANSWER if solution.solved else OF_REFUSAL


def frontier_tables(found: Frontier) -> dict[str, Body]:
    """Return the tables of a frontier whose numbers are recorded; none where there is none."""
    if found.refusal:
        return {}
    return {"frontier": split(found.table), "weights": split(found.weights)}


def frontier_id(problem: Problem, points: int) -> str:
    """Return the run id of a frontier, which is not that of its problem."""
    return content_id(FRONTIER, problem.run_id, points)


def backtest_of(state: State, run_id: str) -> tuple[Asked, str]:
    """Return a backtest of the caller as it was asked for, and the snapshot it ran on.

    Raises
    ------
    UnknownNameError
        If the caller has no such backtest.
    """
    found = find_run(state, run_id)
    if found.function != BACKTEST:
        raise UnknownNameError(f"Run '{run_id}' is one of {found.function}, not of BACKTEST.")
    return backtest_from(found.question), found.snapshot


def find_run(state: State, run_id: str) -> Run:
    """Return a run of the caller, as long as they see all that it rests on.

    Raises
    ------
    UnknownNameError
        If there is none for them.
    """
    catalog, mine = state.store.catalog, owner_now()
    found = runs.find(catalog, mine, run_id)
    if found.universe:
        on = Thing("universe", found.universe)
        permission.require("read", on, lambda: runs.unknown_run(run_id))
    what = Thing("run", found.id, mine)
    permission.require_rests(catalog, what, lambda: runs.unknown_run(run_id))
    return found


def owner_now() -> str:
    """Return whose runs a request may see."""
    return USER.get() or "local"


@cache
def version_now() -> str:
    """Return the version of the program, and an id of its code."""
    return f"{tilt.__version__} ({program_id(addin_path() / 'custom_functions')})"


def digest(table: Body) -> dict[str, object]:
    """Return how many rows and numbers a table has, and a digest of every cell of it.

    Parameters
    ----------
    table : a ``split`` object; its index does not count
    """
    data = table["data"]
    rows = data if isinstance(data, list) else []
    numbers = sum(isinstance(c, int | float) and not isinstance(c, bool) for r in rows for c in r)
    content = orjson.dumps([table["columns"], rows])
    return {
        "rows": len(rows),
        "numbers": numbers,
        "digest": hashlib.sha256(content).hexdigest()[:16],
    }


def _keep(
    state: State,
    run: str,
    function: str,
    subject: str,
    place: tuple[str, str],
    question: Callable[[], Body],
    tables: Callable[[], Mapping[str, Body]],
    said: tuple[tuple[str, str], ...],
    owner: str = "",
) -> str:
    """Record a run unless it is on record; what is recorded is made only if it is not.

    This server does not ask the catalog again for a run that it knows to be there.
    """
    RUN.set(run)
    found_run(run)
    catalog, mine = state.store.catalog, owner or owner_now()

    def kept() -> str:
        if runs.known(catalog, mine, run, version_now()):
            return run
        results = {name: digest(table) for name, table in tables().items()}
        permission.remember(catalog, Thing("run", run, mine))
        runs.record(
            catalog,
            mine,
            Run(
                run, function, subject, *place, question(), results, said, version_now(),
                _versions(),
            ),
        )  # fmt: skip
        return run

    return state.recorded.get((mine, run), kept)


@cache
def _versions() -> dict[str, str]:
    python = ".".join(map(str, sys.version_info[:3]))
    return {"python": python, **{name: package(name) for name in _COMPUTED_WITH}}
