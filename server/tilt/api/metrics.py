"""What a monitoring system asks every few seconds, as Prometheus reads it.

Names of universes, functions and states are labels; no user, portfolio, ticker or path is. Counts
are of all processes of this server since it started, also of those that were replaced; jobs and
snapshots are of the whole installation.
"""

import asyncio
import datetime as dt
from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

import tilt
from tilt.api.pool import Pool
from tilt.api.rates import Rates
from tilt.api.state import State
from tilt.data import snapshots
from tilt.monitoring.named import used
from tilt.monitoring.processes import BOUNDS, Process, Processes

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_KINDS = (
    ("/xlwings/custom-functions-call", "cells"),
    ("/xlwings/custom-scripts-call", "buttons"),
    ("/api/", "api"),
    ("/health", "health"),
    ("/metrics", "metrics"),
)
NOTED_SECONDS = 1.0  # how old the figures of the processes beside the one that answers may be


class Metrics:
    """The figures of one application, and of the processes beside it."""

    def __init__(self, state: State, pool: Pool, rates: Rates, processes: Processes) -> None:
        self._state = state
        self._pool = pool
        self._rates = rates
        self._processes = processes
        self._registry = CollectorRegistry()
        self._registry.register(_Figures(state, processes))

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count an answer."""
        kind = next((kind for start, kind in _KINDS if path.startswith(start)), "files")
        self._processes.answered(f"{kind} {status // 100}xx", seconds)

    def note(self) -> None:
        """Let the processes beside this one know how it is."""
        state, pool, rates = self._state, self._pool, self._rates
        now = {
            "pending": pool.waiting + pool.running,
            "left": pool.left,
            "redis_away": rates.away,
            "models": len(state.models),
            "results": len(state.results),
        }
        ever = {
            "refused_rate": rates.refused,
            "refused_busy": pool.refused,
            "left_seconds": pool.left_seconds,
            "redis_failures": rates.failures,
        }
        self._processes.note(now, ever)

    async def keep_noted(self) -> None:
        """Let them know again and again, until this is canceled."""
        while True:
            self.note()
            await asyncio.sleep(NOTED_SECONDS)

    def text(self) -> bytes:
        """Return all figures as they are now.

        Raises
        ------
        BusyError, DataError
            If the catalog cannot be read.
        """
        self.note()
        return generate_latest(self._registry)


class _Figures(Collector):
    """Figures that are read when they are asked for."""

    def __init__(self, state: State, processes: Processes) -> None:
        self._state = state
        self._processes = processes

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering does not ask for the figures."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield each figure."""
        state, every = self._state, self._processes.every()
        alive = [process for process in every if process.alive]
        version = GaugeMetricFamily("tilt_info", "The program that runs.", labels=["version"])
        version.add_metric([tilt.__version__], 1)
        yield version
        yield _started(alive)
        yield from _now(alive)
        yield from _ever(every)
        yield _answers(every)
        yield _operations(state)
        jobs = GaugeMetricFamily("tilt_jobs", "Jobs by state.", labels=["state"])
        for name, count in state.jobs.counts().items():
            jobs.add_metric([name], count)
        yield jobs
        yield from _data(state)
        yield from _system(alive)


def _started(alive: list[Process]) -> Metric:
    family = GaugeMetricFamily("tilt_started_seconds", "When it started.", labels=["process"])
    for process in alive:
        family.add_metric([str(process.place)], float(process.figures["started"]))
    return family


def _now(alive: list[Process]) -> Iterator[Metric]:
    """Yield how the processes are at this moment, together."""

    def sum_of(name: str) -> float:
        return sum(float(process.figures["now"][name]) for process in alive)

    yield GaugeMetricFamily("tilt_processes", "Processes that serve.", len(alive))
    yield GaugeMetricFamily("tilt_calls_pending", "Calls that run or wait.", sum_of("pending"))
    yield GaugeMetricFamily("tilt_calls_left", "Calls that run for nobody.", sum_of("left"))
    away = "Processes for which Redis does not answer."
    yield GaugeMetricFamily("tilt_redis_away", away, sum_of("redis_away"))
    kept = GaugeMetricFamily("tilt_cached", "What is kept ready in memory.", labels=["what"])
    kept.add_metric(["risk models"], sum_of("models"))
    kept.add_metric(["results"], sum_of("results"))
    yield kept


def _ever(every: list[Process]) -> Iterator[Metric]:
    """Yield what was refused, and what ran on for nobody, also by processes that were replaced."""

    def sum_of(name: str) -> float:
        return sum(float(process.figures["ever"][name]) for process in every)

    refused = CounterMetricFamily("tilt_refused", "Requests refused.", labels=["why"])
    refused.add_metric(["rate"], sum_of("refused_rate"))
    refused.add_metric(["busy"], sum_of("refused_busy"))
    yield refused
    yield CounterMetricFamily(
        "tilt_calls_left_seconds", "Time that calls ran on for nobody.", sum_of("left_seconds")
    )
    yield CounterMetricFamily(
        "tilt_redis_failures", "Times Redis was asked in vain.", sum_of("redis_failures")
    )


def _answers(every: list[Process]) -> Metric:
    family = HistogramMetricFamily(
        "tilt_answer_seconds",
        "Time from a request to the end of its answer.",
        labels=["kind", "status"],
    )
    none = np.zeros(len(BOUNDS) + 1)
    counted: dict[str, tuple[npt.NDArray[np.float64], float]] = {}
    for process in every:
        for name, row in used(process.figures["answers"]):
            before, seconds = counted.get(name, (none, 0.0))
            counted[name] = (before + row["within"], seconds + float(row["total"]))
    bounds = [*map(str, BOUNDS), "+Inf"]
    for name, (answers, seconds) in sorted(counted.items()):
        upto = np.cumsum(answers).tolist()
        family.add_metric(name.split(), list(zip(bounds, upto, strict=True)), seconds)
    return family


def _operations(state: State) -> Metric:
    family = SummaryMetricFamily(
        "tilt_operation_seconds", "Calls of each function, and their time.", labels=["operation"]
    )
    for name, (calls, seconds) in state.durations.totals().items():
        family.add_metric([name], calls, seconds)
    return family


def _system(alive: list[Process]) -> Iterator[Metric]:
    """Yield memory, processor time and open files of each process; on Linux."""
    families: dict[str, Metric] = {}
    for process in alive:
        pid = partial(int, process.figures["pid"])
        for found in ProcessCollector(pid=pid, registry=None).collect():
            family = families.setdefault(
                found.name, Metric(found.name, found.documentation, found.type)
            )
            for sample in found.samples:
                family.add_sample(sample.name, {"process": str(process.place)}, sample.value)
    yield from families.values()


def _data(state: State) -> Iterator[Metric]:
    """Yield how old the data is, by universe: the first thing to be warned of."""
    day = GaugeMetricFamily("tilt_data_as_of_seconds", "Last day with data.", labels=["universe"])
    made = GaugeMetricFamily(
        "tilt_data_published_seconds", "When the data became current.", labels=["universe"]
    )
    for snapshot in snapshots.current(state.store.catalog):
        midnight = dt.datetime.combine(snapshot.as_of, dt.time(), dt.UTC)
        day.add_metric([snapshot.universe], midnight.timestamp())
        made.add_metric([snapshot.universe], snapshot.published.timestamp())
    yield from (day, made)
