"""Where a number comes from: a recorded run in rows, and the same computed again."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from tilt import audit
from tilt.api import permission, runs
from tilt.api.attributions import AttributionAsked, explain
from tilt.api.backtests import run_prepared
from tilt.api.books import date_of, problem_scenarios
from tilt.api.cell_jobs import work_out
from tilt.api.frames import split
from tilt.api.places import Place
from tilt.api.questions import (
    backtest_from,
    options_in_force,
    rules_from,
    views_from,
    weights_from,
    without_sign,
)
from tilt.api.runs import Body, digest, owner_now, version_now, views_of
from tilt.api.state import State, pin
from tilt.data import runs as record
from tilt.data.derive import data_snapshot
from tilt.data.runs import Run
from tilt.errors import UnknownNameError
from tilt.frames import Panel, content_id
from tilt.jobs import Job, Progress
from tilt.optimize.frontier import trace_frontier
from tilt.optimize.market import quotes
from tilt.optimize.options import read_options
from tilt.optimize.problem import Problem
from tilt.optimize.solve import solve
from tilt.security.deciding import Thing

COLUMNS = ["part", "item", "value"]
VERIFIED = ["table", "rows", "numbers", "equal"]
MOST_SHOWN = 100  # names of a list of weights; longer ones are told in a row
ALL = "all"

CONVENTIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    runs.OPTIMIZE: (
        ("turnover", "one way: half the sum of |weight - weight now|, cash counted"),
        ("tracking error", "sqrt(252 a'Va), a = weights - benchmark, V per day of the risk model"),
        ("rules", "each checked after the solve, independently of the solver, to 1e-6"),
        ("run id", "depends on every number of the problem, so the same id is the same problem"),
    ),
    runs.FRONTIER: (
        ("points", "least risk for each return, equally spaced in return, every rule kept"),
        ("risk", "a year: tracking error with a benchmark, volatility without one"),
    ),
    runs.BACKTEST: (
        ("decision", "with what was known at a close, filled lag sessions later"),
        ("annual return", "compounded: (V_T / V_0)^(252/n) - 1, n daily returns"),
    ),
    runs.ATTRIBUTION: (
        ("weights", "of each day's start, drifted; the effects of all days are linked"),
        ("return", "the rows sum to the compounded active return of the row Total"),
    ),
}


def trace_table(state: State, run_id: str) -> pd.DataFrame:
    """Return part, item, value: everything behind a run of the caller.

    Raises
    ------
    UnknownNameError
        If the caller has no such run.
    """
    found = _find(state, run_id)
    return pd.DataFrame(_rows(state, found), columns=COLUMNS)


def trace_body(state: State, run_id: str) -> dict[str, object]:
    """Return a run of the caller as JSON: its rows, and its question as it is kept."""
    found = _find(state, run_id)
    return {
        "run_id": found.id,
        "function": found.function,
        "universe": found.universe,
        "snapshot": found.snapshot,
        "at": found.at.isoformat(),
        "version": found.version,
        "versions": found.versions,
        "reproducible": _is_there(state, found),
        "question": found.question,
        "results": found.results,
        "trace": split(pd.DataFrame(_rows(state, found), columns=COLUMNS)),
    }


def listed_runs(state: State, *, most: int, after: int = 0) -> pd.DataFrame:
    """Return the caller's runs, the newest first."""
    catalog, mine = state.store.catalog, owner_now()
    table = record.listed(catalog, mine, most=most, after=after)
    things = [Thing("run", str(run), mine) for run in table["run_id"]]
    kept = permission.still_seen(catalog, things)
    there = [permission.sees(Thing("universe", str(u))) for u in table["universe"]]
    seen = [thing in kept and found for thing, found in zip(things, there, strict=True)]
    return table[np.array(seen, dtype=bool)].reset_index(drop=True)


def verify(state: State, run_id: str) -> pd.DataFrame:
    """Return table, rows, numbers, equal: a run computed again by a job, table by table.

    Raises
    ------
    RunningError
        If the job is not done yet.
    UnknownNameError
        If the caller has no such run, or its snapshot is gone.
    """
    found = _verifiable(state, run_id)
    place = place_of_run(state, found, owner_now())
    return work_out(state, verify_job, place, found, **_words(state, found))


def submit_verify(state: State, run_id: str, owner: str) -> Job:
    """Return the job that computes a run again, its result as JSON."""
    found = _verifiable(state, run_id)
    words = _words(state, found)
    return state.jobs.submit(
        verify_body,
        place_of_run(state, found, owner),
        found,
        owner=owner,
        key=f"as json {words['key']}",
        title=words["title"],
        snapshot=words["snapshot"],
    )


def verify_body(progress: Progress, place: Place, found: Run) -> dict[str, object]:
    """Compute a run again in a worker process; return what is equal as JSON."""
    table = verify_job(progress, place, found)
    return {"equal": bool(table["equal"].all()), "tables": split(table)}


def verify_job(progress: Progress, place: Place, found: Run) -> pd.DataFrame:
    """Compute a run again in a worker process, and compare every cell with what was recorded."""
    progress(0.05, "opening the snapshot")
    return compared(found, *again(*place.open(), found))


def compared(found: Run, run: str, tables: Mapping[str, Body]) -> pd.DataFrame:
    """Return table, rows, numbers, equal; the last row is of all.

    Parameters
    ----------
    run, tables : the run id and the tables of the second computation
    """
    rows: list[tuple[str, int, int, bool]] = [(runs.QUESTION, 1, 0, run == found.id)]
    for name, known in found.results.items():
        new = digest(tables[name]) if name in tables else {}
        rows.append((name, _whole(known["rows"]), _whole(known["numbers"]), new == known))
    equal = all(row[3] for row in rows)
    rows.append((ALL, sum(r[1] for r in rows[1:]), sum(r[2] for r in rows), equal))
    return pd.DataFrame(rows, columns=VERIFIED)


def again(state: State, panel: Panel, found: Run) -> tuple[str, dict[str, Body]]:
    """Return the run id and the tables of a run, computed anew on its own snapshot."""
    pin(panel)
    if found.function == runs.BACKTEST:
        result = run_prepared(state, panel, backtest_from(found.question))
        return result.run_id, {name: split(result.view(name)) for name in runs.OF_BACKTEST}
    if found.function == runs.ATTRIBUTION:
        return _attribution_again(state, panel, found)
    problem = problem_again(state, panel, found)
    if found.function == runs.FRONTIER:
        points = _whole(found.question["points"])
        traced = trace_frontier(problem, points=points)
        return runs.frontier_id(problem, points), runs.frontier_tables(traced)
    solution = solve(problem)
    return problem.run_id, {name: split(solution.view(name)) for name in views_of(solution)}


def _attribution_again(state: State, panel: Panel, found: Run) -> tuple[str, dict[str, Body]]:
    asked = TypeAdapter(AttributionAsked).validate_python(without_sign(found.question))
    table = explain(state, asked, wait=True).noted
    run = content_id(runs.ATTRIBUTION, panel.universe, panel.snapshot, dict(found.question))
    return run, {"attribution": split(table)}


def problem_again(state: State, panel: Panel, found: Run) -> Problem:
    """Return a portfolio problem as it was, over its own snapshot."""
    asked = found.question
    date = date_of(asked["date"], panel)
    given, options = asked["model"], asked["options"]
    if not isinstance(given, Mapping) or not isinstance(options, Mapping):
        raise TypeError(f"run {found.id} has no model or options")
    read = read_options(options)
    model = state.model(
        panel, date, given["horizon"], given["estimator"], _whole(given["lookback"])
    )
    rules = rules_from(asked)
    market = quotes(panel, date, rules, read)
    objective = str(asked["objective"])
    return Problem(
        objective,
        model,
        panel.securities,
        _needed(weights_from(asked["holdings"])),
        weights_from(asked["benchmark"]),
        alpha=weights_from(asked["alpha"]),
        rules=rules,
        options=options,
        configuration=str(asked["configuration"]),
        scenarios=problem_scenarios(panel, model, objective, read.lookback),
        views=views_from(asked),
        adv=market.adv,
        sigma=market.sigma,
        prices=market.prices,
    )


def _find(state: State, run_id: str) -> Run:
    return runs.find_run(state, run_id.strip().lower())


def _verifiable(state: State, run_id: str) -> Run:
    found = _find(state, run_id)
    if not _is_there(state, found):
        raise UnknownNameError(
            f"Run '{found.id}' cannot be computed again: snapshot {found.snapshot} of "
            f"{found.universe} is gone. 'tilt data prune --keep' says how many stay."
        )
    return found


def _is_there(state: State, found: Run) -> bool:
    data = data_snapshot(found.snapshot)
    return any(kept.id == data for kept in state.store.snapshots())


def place_of_run(state: State, found: Run, owner: str) -> Place:
    """Return where a run was computed, and for whom: it may rest on another run of theirs."""
    return Place(
        state.settings.data_url,
        state.settings.default_universe,
        data_snapshot(found.snapshot),
        found.universe,
        str(found.question.get("decimal", "")),
        owner,
    )


def _words(state: State, found: Run) -> dict[str, str]:
    return {
        "key": f"verify {found.id} {found.version} {state.edition()}",
        "title": f"Compute run {found.id} again",
        "snapshot": found.snapshot,
    }


def _rows(state: State, found: Run) -> Iterator[tuple[str, str, object]]:
    yield "run", "run_id", found.id
    yield "run", "function", found.function
    yield "run", "computed", f"{found.at:%Y-%m-%d %H:%M:%S} UTC"
    yield "run", "by", owner_now()
    yield "run", "version", found.version
    there = _is_there(state, found)
    words = "the snapshot is there: view verify computes it again"
    yield from _audited(state, found)
    yield "run", "reproducible", f"yes, {words}" if there else "no, its snapshot was removed"
    if found.version != version_now():
        yield "run", "this server", f"{version_now()}: another program, numbers may differ"
    yield "data", "universe", found.universe
    yield "data", "snapshot", found.snapshot
    data = data_snapshot(found.snapshot)
    for action, at, detail in record.story(state.store.catalog, data):
        yield "data", action, f"{at:%Y-%m-%d %H:%M} UTC, {detail}"
    yield from _question(found)
    yield from (("said", item, value) for item, value in found.said)
    yield from (("convention", *pair) for pair in CONVENTIONS[found.function])
    for name, known in found.results.items():
        words = f"{known['rows']} rows, {known['numbers']} numbers, digest {known['digest']}"
        yield "result", name, words
    yield from (("computed with", name, version) for name, version in found.versions.items())


def _audited(state: State, found: Run) -> Iterator[tuple[str, str, object]]:
    """Yield what the audit has of a run: when its owner asked for it, and took it out.

    A run id is the same for whoever asks the same; what others did is theirs.
    """
    for entry in audit.of_run(state.store.catalog, found.id, who=owner_now()):
        where = f"{entry['object']}, {entry['client'] or 'no client named'}"
        yield (
            "audit",
            str(entry["action"]),
            f"{str(entry['at'])[:16].replace('T', ' ')} UTC, {where}",
        )


def _question(found: Run) -> Iterator[tuple[str, str, object]]:
    """Yield what was asked for, row by row."""
    asked = found.question
    own = {"holdings", "benchmark", "alpha", "rules", "views", "options"}
    for name, value in asked.items():
        if "rules" in asked and name in own:
            continue
        yield from _argument(name, value)
    if "rules" not in asked:
        return
    for name in ("holdings", "benchmark", "alpha"):
        yield from _weights(name, asked[name])
    for rule in rules_from(asked):
        bounds = f"min {_bound(rule.low)}, max {_bound(rule.high)}"
        relative = ", relative to the benchmark" if rule.relative else ""
        priority = "hard" if rule.hard else f"priority {rule.priority:g}"
        yield "rule", f"{rule.rule} {rule.who}".strip(), f"{bounds}{relative}, {priority}"
    yield from (("view", str(n), v.words()) for n, v in enumerate(views_from(asked), start=1))
    for name, value, chosen in options_in_force(asked):
        yield "option" if chosen else "default", name, "none" if value in (None, "") else value


def _argument(name: str, value: object) -> Iterator[tuple[str, str, object]]:
    if isinstance(value, Mapping):
        yield from (("argument", f"{name}.{key}", one) for key, one in value.items())
    elif isinstance(value, list):
        for number, row in enumerate(value, start=1):
            cells = ["" if c is None else str(c) for c in row]
            yield "argument", name if len(value) == 1 else f"{name} row {number}", "; ".join(cells)
    elif value not in (None, ""):
        yield "argument", name, value


def _weights(name: str, given: object) -> Iterator[tuple[str, str, object]]:
    if not isinstance(given, Mapping):
        yield name, "none", "none"
        return
    total = sum(given.values())
    yield name, "in all", f"{len(given)} names, {total:.6g} together, content {content_id(given)}"
    if len(given) <= MOST_SHOWN:
        yield from ((name, str(ticker), weight) for ticker, weight in given.items())


def _bound(value: float | None) -> str:
    return "none" if value is None else f"{value:.12g}"


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _needed(weights: "pd.Series[float] | None") -> "pd.Series[float]":
    if weights is None:
        raise TypeError("a problem without holdings")
    return weights
