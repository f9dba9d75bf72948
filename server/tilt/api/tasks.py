"""What runs as a job: functions that a worker process imports by name.

A worker has none of the server's connections. It opens the store itself, by the settings of its
environment, so that no password lies in a job's file.
"""

from tilt.api.frames import plain, split
from tilt.api.runs import OPTIMIZE, QUESTION, question_of_problem, views_of
from tilt.api.solutions import solution_body
from tilt.data.store import Store
from tilt.jobs import Progress
from tilt.optimize.solve import Problem, solve
from tilt.optimize.turnover_curve import trace_turnover
from tilt.refresh import STAGES, refresh
from tilt.settings import read_settings


def refresh_data(
    progress: Progress, data_url: str, default_universe: str, source: str, universe: str = ""
) -> dict[str, object]:
    """Refresh one universe; return the snapshot that is then current, and its news.

    Parameters
    ----------
    source, universe : as :func:`tilt.refresh.refresh` takes them
    """
    progress(0.02, "opening the store")
    settings = read_settings().model_copy(
        update={"data_url": data_url, "default_universe": default_universe}
    )
    store = Store.open(settings)
    try:
        done = refresh(
            store,
            settings,
            source=source,
            universe=universe,
            progress=lambda stage, done: progress(0.05 + 0.95 * done, STAGES.get(stage, stage)),
        )
    finally:
        store.close()
    return done.as_json()


def solve_problem(progress: Progress, problem: Problem) -> dict[str, object]:
    """Solve a portfolio problem; return its answer from every side, as JSON knows it."""
    progress(0.1, "looking for the best weights")
    solution = solve(problem)
    stage = "pricing the rules" if solution.solved else "looking for what conflicts"
    progress(0.5, stage)
    asked = question_of_problem(problem, OPTIMIZE, views_of(solution))
    body = {**solution_body(solution), QUESTION: asked}
    progress(1.0, "done")
    return body


def trace_turnover_curve(progress: Progress, problem: Problem, points: int) -> dict[str, object]:
    """Return the least tracking error at each turnover, as JSON knows it."""
    progress(0.1, "trading less and less")
    found = trace_turnover(problem, points=points)
    progress(1.0, "done")
    return {
        "curve": split(found.table),
        "holdings": plain(found.holdings),
        "messages": list(found.messages),
    }
