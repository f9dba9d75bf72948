"""A backtest as a job that gives every view as JSON: what the pane and programs ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tilt.api.attributions import explain_tracks, tracks_of_result
from tilt.api.backtests import Asked, asked_id, backtest_job, check_backtest, title_of
from tilt.api.frames import split
from tilt.api.luck import HORIZONS, MONTE_CARLO, Luck, tables_here, without_luck
from tilt.api.places import Place
from tilt.api.runs import QUESTION, question_of_backtest
from tilt.api.state import USER, State
from tilt.api.trials import WORKBOOK, count_trial, listed_trials, with_trials, without_count
from tilt.backtest.result import VIEWS, BacktestResult
from tilt.data import trials
from tilt.errors import TiltError
from tilt.frames import Panel, content_id
from tilt.jobs import Job, Pieces, Progress

EXPLAINED: Mapping[str, str] = MappingProxyType(
    {
        "attribution": "brinson",
        "factors": "factor",
        "forecast": "forecast",
        "regimes": "regimes",
    }
)


@dataclass(frozen=True)
class Among:
    """What a backtest is judged among.

    owner, workbook : whose trials it counts with; no workbook is a ledger of its own
    tried : how many were tried in all, as the user says; 0 for what the ledger has
    luck  : how its days are drawn anew
    """

    owner: str
    workbook: str
    tried: int
    luck: Luck


def submit_backtest(state: State, asked: Asked, owner: str, workbook: str = "") -> Job:
    """Return the job that computes every view of a backtest as JSON, its own or one that runs.

    Parameters
    ----------
    workbook : the one whose ledger of trials it goes into; after another trial the same backtest is
        judged anew
    """
    asked, tried = without_count(asked)
    asked, luck = without_luck(asked)
    panel = state.panel(asked.universe or None)
    check_backtest(state, panel, asked)
    own = asked_id(state, panel, asked)
    known = len(trials.tried(state.store.catalog, owner, workbook, panel.universe))
    place = Place.of(state, panel, asked.universe)
    return state.jobs.submit(
        report_job,
        place,
        asked,
        (panel.universe, panel.snapshot),
        Among(owner, workbook, tried, luck),
        owner=owner,
        key=f"report {content_id(own, workbook, known, tried, repr(luck))}",
        title=f"Backtest of {title_of(asked)}",
        snapshot=place.snapshot,
    )


def report_job(
    progress: Progress, place: Place, asked: Asked, named: tuple[str, str], among: Among
) -> dict[str, object] | Pieces[dict[str, object]]:
    """Compute a backtest in a worker process; return its views as JSON knows them.

    Parameters
    ----------
    named : universe and snapshot, as results name them
    """
    found = backtest_job(progress, place, asked)
    given = (place, asked, named, among)
    if isinstance(found, Pieces):
        return found.then(report_of, *given)
    return report_of(progress, found, *given)


def report_of(
    progress: Progress,
    found: BacktestResult,
    place: Place,
    asked: Asked,
    named: tuple[str, str],
    among: Among,
) -> dict[str, object]:
    """Return every view of a backtest as JSON knows them, in a worker process."""
    state, panel = place.open()
    judged = _judged(state, asked, found, among)
    progress(0.95, "attribution")
    explained, problems = _explained(state, panel, asked, found)
    redrawn, why_not = _redrawn(found, among.luck)
    views = {name: split(found.view(name)) for name in VIEWS}
    return {
        "run_id": found.run_id,
        "strategy": found.strategy,
        "views": {**views, **judged, **explained, **redrawn},
        "problems": {**problems, **why_not},
        QUESTION: question_of_backtest(asked, found, named),
    }


def _judged(
    state: State, asked: Asked, found: BacktestResult, among: Among
) -> dict[str, dict[str, object]]:
    """Count a backtest among the trials; return what is left of it beside them, and the list."""
    USER.set(among.owner)
    WORKBOOK.set(among.workbook)
    count_trial(
        state, asked, found.strategy, found.returns,
        risk_free=found.risk_free, run_id=found.run_id,
    )  # fmt: skip
    honest = with_trials(state, asked, found, among.tried).overfitting
    return {"overfitting": split(honest), "trials": split(listed_trials(state, asked))}


def _redrawn(
    found: BacktestResult, luck: Luck
) -> tuple[dict[str, dict[str, object] | None], dict[str, str]]:
    """Return the views that draw a backtest's days anew; None and the reason if they cannot be."""
    try:
        tables = tables_here(found, luck)
    except TiltError as error:
        return {MONTE_CARLO: None, HORIZONS: None}, {MONTE_CARLO: str(error)}
    return {name: split(table) for name, table in tables.items()}, {}


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
