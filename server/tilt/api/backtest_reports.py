"""A backtest as a job that gives every view as JSON: what the pane and programs ask for."""

from collections.abc import Mapping
from types import MappingProxyType

from tilt.api.attributions import explain_tracks, tracks_of_result
from tilt.api.backtests import Asked, asked_id, backtest_job, check_backtest, title_of
from tilt.api.cell_jobs import worker_state
from tilt.api.frames import split
from tilt.api.runs import QUESTION, question_of_backtest
from tilt.api.state import State
from tilt.backtest.result import VIEWS, BacktestResult
from tilt.errors import TiltError
from tilt.frames import Panel
from tilt.jobs import Job, Progress
from tilt.portfolio.cells import DECIMAL_SIGN

EXPLAINED: Mapping[str, str] = MappingProxyType(
    {
        "attribution": "brinson",
        "factors": "factor",
        "forecast": "forecast",
        "regimes": "regimes",
    }
)


def submit_backtest(state: State, asked: Asked, owner: str) -> Job:
    """Return the job that computes every view of a backtest as JSON, its own or one that runs."""
    panel = state.panel(asked.universe or None)
    check_backtest(state, panel, asked)
    data, _, _ = panel.snapshot.partition(".")
    return state.jobs.submit(
        report_job,
        state.settings.data_url,
        state.settings.default_universe,
        data,
        DECIMAL_SIGN.get(),
        asked,
        (panel.universe, panel.snapshot),
        owner=owner,
        key=f"report {asked_id(state, panel, asked)}",
        title=f"Backtest of {title_of(asked)}",
        snapshot=data,
    )


def report_job(
    progress: Progress,
    data_url: str,
    default_universe: str,
    snapshot: str,
    decimal: str,
    asked: Asked,
    place: tuple[str, str],
) -> dict[str, object]:
    """Compute a backtest in a worker process; return its views as JSON knows them.

    Parameters
    ----------
    place : universe and snapshot, as results name them
    """
    found = backtest_job(progress, data_url, default_universe, snapshot, decimal, asked)
    progress(0.95, "attribution")
    state = worker_state(data_url, default_universe)
    panel = state.store.panel(asked.universe or None, snapshot)
    explained, problems = _explained(state, panel, asked, found)
    return {
        "run_id": found.run_id,
        "strategy": found.strategy,
        "views": {**{name: split(found.view(name)) for name in VIEWS}, **explained},
        "problems": problems,
        QUESTION: question_of_backtest(asked, found, place),
    }


def _explained(
    state: State, panel: Panel, asked: Asked, found: BacktestResult
) -> tuple[dict[str, dict[str, object] | None], dict[str, str]]:
    """Return the views that explain a backtest, None for what cannot be had, and why it cannot.

    A published index as benchmark has no weights, a universe may have no factor model.
    """
    views: dict[str, dict[str, object] | None] = dict.fromkeys(EXPLAINED)
    problems: dict[str, str] = {}
    for name, method in EXPLAINED.items():
        try:
            tracks = tracks_of_result(state, panel, found, asked.benchmark)
            views[name] = split(explain_tracks(state, tracks, method=method).table)
        except TiltError as error:
            problems[name] = str(error)
    return views, problems
