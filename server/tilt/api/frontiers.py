"""Efficient frontiers as a sheet and the pane ask for them."""

from tilt.api.cell_jobs import work_out
from tilt.api.frames import plain, split
from tilt.api.optimizations import QUICK, asked_as, effort
from tilt.api.runs import FRONTIER, QUESTION, frontier_id, keep_frontier, question_of_problem
from tilt.api.state import State
from tilt.jobs import Progress
from tilt.optimize.frontier import VIEWS, Frontier, trace_frontier
from tilt.optimize.posing import open_case
from tilt.optimize.problem import Problem

__all__ = ["VIEWS", "ask_frontier", "frontier_body", "frontier_job", "trace_job"]


def ask_frontier(state: State, problem: Problem, points: int, snapshot: str) -> Frontier:
    """Return a frontier; asked again, or for another view, it is not traced again.

    Raises
    ------
    RunningError
        If it is long and its job is not done yet.
    """
    found = _asked(state, problem, points, snapshot)
    keep_frontier(state, problem, points, found)
    return found


def _asked(state: State, problem: Problem, points: int, snapshot: str) -> Frontier:
    key = f"frontier {asked_as(problem)} {points}"
    if effort(problem, points) <= QUICK and not any(r.kind.discrete for r in problem.rules):
        return state.once(key, lambda: trace_frontier(problem, points=points))
    open_case(problem)  # what is badly stated is said at once
    return work_out(
        state,
        frontier_job,
        problem,
        points,
        key=key,
        title="Efficient frontier",
        snapshot=snapshot,
    )


def frontier_job(progress: Progress, problem: Problem, points: int) -> Frontier:
    """Trace a frontier in a worker process."""
    return trace_frontier(problem, points=points, progress=progress)


def trace_job(progress: Progress, problem: Problem, points: int) -> dict[str, object]:
    """Trace a frontier in a worker process; return it as JSON knows it."""
    found = trace_frontier(problem, points=points, progress=progress)
    return frontier_body(problem, points, found)


def frontier_body(problem: Problem, points: int, found: Frontier) -> dict[str, object]:
    """Return a frontier with its axes, and the portfolios one compares it with.

    Without a frontier the tables are null, and ``refusal`` says why.
    """
    there = not found.refusal
    tables = ("frontier", "weights") if there else ()
    return {
        "run_id": frontier_id(problem, points),
        QUESTION: question_of_problem(problem, FRONTIER, tables, {"points": points}),
        "status": "optimal" if there else "infeasible",
        "refusal": found.refusal,
        "messages": list(found.messages),
        "axes": {"risk": found.risk_name, "return": found.return_name},
        "frontier": split(found.table) if there else None,
        "weights": split(found.weights) if there else None,
        "corners": split(found.corners) if there else None,
        "holdings": _place(found.holdings),
        "benchmark": None if found.benchmark is None else _place(found.benchmark),
        "current": {
            str(ticker): float(weight) for ticker, weight in problem.current.items() if weight != 0
        },
    }


def _place(at: tuple[float, float]) -> dict[str, object]:
    return {"risk": plain(at[0]), "return": plain(at[1])}
