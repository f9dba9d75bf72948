"""Portfolio problems as a sheet asks for them: quick ones at once, slow ones as jobs."""

from collections.abc import Mapping
from types import MappingProxyType

from tilt.api.cell_jobs import work_out
from tilt.api.runs import keep_solution
from tilt.api.state import State
from tilt.errors import ArgumentError
from tilt.jobs import Progress
from tilt.optimize.solve import Problem, Solution, solve

QUICK = 20_000  # names solved for, all solves together, in about two seconds at most
GENERAL = 10  # solves of the native solvers in the time that cvxpy takes for one
WHY: Mapping[str, str] = MappingProxyType(
    {"why": "with view explain: tickers, each told why it is held or not, as AAPL,XOM"}
)
STEPPED = ("constraints", "explain")  # views for which each binding rule is solved again


def why_names(given: object, view: str) -> list[str]:
    """Return the tickers of the option why, which goes with the view explain only.

    Raises
    ------
    ArgumentError
        If it is given with another view.
    """
    names = [name.strip() for name in str(given or "").split(",") if name.strip()]
    if names and view != "explain":
        raise ArgumentError(f"option why goes with view explain; got view '{view}'.")
    return names


def ask_solution(state: State, problem: Problem, view: str, snapshot: str) -> Solution:
    """Return the answer to a problem with what a view needs; slow parts are computed by jobs.

    Another view of the same problem does not solve it again.

    Raises
    ------
    RunningError
        If a job is not done yet.
    """
    solution = _solved(state, problem, snapshot)
    keep_solution(state, solution)
    if view not in STEPPED or not solution.solved:
        return solution
    if effort(problem, 2 * int((solution.rules["status"] == "binding").sum())) <= QUICK:
        return solution
    return work_out(
        state,
        step_job,
        solution,
        key=f"priced solution {asked_as(problem)}",
        title=f"Prices of the rules of {problem.objective}",
        snapshot=snapshot,
    )


def asked_as(problem: Problem) -> str:
    """Return the key of a problem as it was asked: its content, and the rows its answer may name.

    The same rules below a header, or after a blank row, are the same problem with the same run id;
    but what is said of them names other rows.
    """
    return f"{problem.run_id} {'.'.join(str(rule.row) for rule in problem.rules)}"


def solve_once(state: State, problem: Problem) -> Solution:
    """Return the answer to a problem; asked again it is not solved again."""
    return state.once(("solution", asked_as(problem)), lambda: solve(problem))


def effort(problem: Problem, solves: int) -> int:
    """Return how many names are solved for, in those of the native solvers."""
    general = str(problem.options.get("solver", "")).strip().casefold() == "cvxpy"
    return len(problem.model.assets) * solves * (GENERAL if general else 1)


def solve_job(progress: Progress, problem: Problem) -> Solution:
    """Solve a problem in a worker process."""
    progress(0.0, "solving")
    return solve(problem)


def step_job(progress: Progress, solution: Solution) -> Solution:
    """Return a solution that has each binding rule solved again, one step looser and tighter."""
    progress(0.0, "pricing the rules")
    solution.view("constraints")  # which the solution keeps
    return solution


def _solved(state: State, problem: Problem, snapshot: str) -> Solution:
    if effort(problem, 1) <= QUICK:
        return solve_once(state, problem)
    return work_out(
        state,
        solve_job,
        problem,
        key=f"solution {asked_as(problem)}",
        title=f"Optimization of {problem.objective}",
        snapshot=snapshot,
    )
