"""What a monitoring system asks every few seconds, as Prometheus reads it.

Names of universes, functions and states are labels; no user, portfolio, ticker or path is. Counts
are of this process since it started; jobs and snapshots are of the whole installation.
"""

import datetime as dt
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

import tilt
from tilt.api.pool import Pool
from tilt.api.rates import Rates
from tilt.api.state import State
from tilt.data import snapshots

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_KINDS = (
    ("/xlwings/custom-functions-call", "cells"),
    ("/xlwings/custom-scripts-call", "buttons"),
    ("/api/", "api"),
    ("/health", "health"),
    ("/metrics", "metrics"),
)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

Family = CounterMetricFamily | GaugeMetricFamily | SummaryMetricFamily


class Metrics:
    """The figures of one application."""

    def __init__(self, state: State, pool: Pool, rates: Rates) -> None:
        self._registry = CollectorRegistry()
        self._answers = Histogram(
            "tilt_answer_seconds",
            "Time from a request to the end of its answer.",
            ("kind", "status"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._registry.register(_OfState(state, time.time()))
        self._registry.register(_OfLimits(pool, rates))
        ProcessCollector(registry=self._registry)  # memory, processor time, open files; on Linux

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count an answer."""
        kind = next((kind for start, kind in _KINDS if path.startswith(start)), "files")
        self._answers.labels(kind, f"{status // 100}xx").observe(seconds)

    def text(self) -> bytes:
        """Return all figures as they are now.

        Raises
        ------
        BusyError, DataError
            If the catalog cannot be read.
        """
        return generate_latest(self._registry)


class _OfState(Collector):
    """Figures that are read when they are asked for."""

    def __init__(self, state: State, started: float) -> None:
        self._state = state
        self._started = started

    def describe(self) -> list[Family]:
        """Return nothing, so that registering does not ask for the figures."""
        return []

    def collect(self) -> Iterator[Family]:
        """Yield each figure."""
        state = self._state
        version = GaugeMetricFamily("tilt_info", "The program that runs.", labels=["version"])
        version.add_metric([tilt.__version__], 1)
        yield version
        yield GaugeMetricFamily("tilt_started_seconds", "When it started.", self._started)
        yield GaugeMetricFamily("tilt_calls_pending", "Calls that run or wait.", state.pending())
        yield _cache(state)
        yield _operations(state)
        jobs = GaugeMetricFamily("tilt_jobs", "Jobs by state.", labels=["state"])
        for name, count in state.jobs.counts().items():
            jobs.add_metric([name], count)
        yield jobs
        yield from _data(state)


class _OfLimits(Collector):
    """What was refused, and what ran on for nobody."""

    def __init__(self, pool: Pool, rates: Rates) -> None:
        self._pool = pool
        self._rates = rates

    def describe(self) -> list[Family]:
        """Return nothing, so that registering does not ask for the figures."""
        return []

    def collect(self) -> Iterator[Family]:
        """Yield each figure."""
        pool, rates = self._pool, self._rates
        refused = CounterMetricFamily("tilt_refused", "Requests refused.", labels=["why"])
        refused.add_metric(["rate"], rates.refused)
        refused.add_metric(["busy"], pool.refused)
        yield refused
        yield GaugeMetricFamily("tilt_calls_left", "Calls that run for nobody.", pool.left)
        yield CounterMetricFamily(
            "tilt_calls_left_seconds", "Time that calls ran on for nobody.", pool.left_seconds
        )
        yield GaugeMetricFamily("tilt_redis_away", "1 while Redis does not answer.", rates.away)
        yield CounterMetricFamily(
            "tilt_redis_failures", "Times Redis was asked in vain.", rates.failures
        )


def _cache(state: State) -> Family:
    kept = GaugeMetricFamily("tilt_cached", "What is kept ready in memory.", labels=["what"])
    kept.add_metric(["risk models"], len(state.models))
    kept.add_metric(["results"], len(state.results))
    return kept


def _operations(state: State) -> Family:
    family = SummaryMetricFamily(
        "tilt_operation_seconds", "Calls of each function, and their time.", labels=["operation"]
    )
    for name, (calls, seconds) in state.durations.totals().items():
        family.add_metric([name], calls, seconds)
    return family


def _data(state: State) -> Iterator[Family]:
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
