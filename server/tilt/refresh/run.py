"""From a source to a snapshot: fetch, check, estimate, write.

Safe to stop at any instant: what a source has fetched is kept by the source, and a snapshot becomes
visible at its end or not at all. The same data gives the same snapshot, so running it again does
nothing.
"""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from types import MappingProxyType

import pandas as pd

from tilt.data.findings import findings_table
from tilt.data.panel import build_panel
from tilt.data.record import Record, decode_table
from tilt.data.schema import SCHEMAS
from tilt.data.sources.agreement import statement_disagreements
from tilt.data.sources.delivery import Delivery
from tilt.data.sources.merge import kept_of_source
from tilt.data.sources.registry import fetch, find_source
from tilt.data.store import Snapshot, Store
from tilt.errors import DataError
from tilt.refresh.estimates import (
    Before,
    engine_of,
    estimated_tables,
    usable_models,
    with_factors,
)
from tilt.refresh.identity import snapshot_id
from tilt.refresh.lock import only_refresh
from tilt.refresh.sources import due
from tilt.refresh.statements import with_versions
from tilt.refresh.summary import Refreshed, compare
from tilt.settings import Settings

Progress = Callable[[str, float], None]
STAGES: Mapping[str, str] = MappingProxyType(
    {
        "fetch": "fetching the data",
        "compare": "comparing with the last snapshot",
        "check": "checking prices and figures",
        "factors": "estimating factors",
        "model": "estimating the risk model",
        "write": "writing the snapshot",
        "done": "done",
    }
)
LOCKS = "locks"


def silent(stage: str, fraction: float) -> None:
    """Report nothing."""


class _Stages:
    """Tells the progress, and takes the time of each stage."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._stage = ""
        self._since = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def enter(self, stage: str, fraction: float) -> None:
        now = time.perf_counter()
        if self._stage:
            self.seconds[self._stage] = now - self._since
        self._stage, self._since = stage, now
        self._progress(stage, fraction)

    def within(self, fraction: float) -> None:
        self._progress(self._stage, fraction)


def refresh(
    store: Store,
    settings: Settings,
    *,
    source: str = "",
    universe: str = "",
    progress: Progress = silent,
) -> Refreshed:
    """Fetch, check, estimate and record one universe, and make the result visible.

    Parameters
    ----------
    source : as :func:`tilt.data.sources.registry.find_source` knows it; empty: the one that the
        universe came from, and for an empty store the embedded sample
    universe : the name of what is refreshed; empty: as the source calls it, or the only one there
        is. With a source, the name that its data is kept under
    progress : told the stage, a key of ``STAGES``, and the fraction of the whole that is done

    Returns
    -------
    what was done; its snapshot is the one that was there already if neither the data nor the
    program has changed

    Raises
    ------
    UnknownNameError
        If there is no such source or universe.
    DataError
        If a table does not fit its schema, or the disk does not take the snapshot.
    BusyError
        If another refresh of it runs or came first, or the source is on the network and does not
        answer; nothing has changed then.
    """
    todo = due(store, source=source, universe=universe)
    if len(todo) > 1:
        todo = due(store, universe=store.snapshot().universe)
    (wanted,) = todo
    stages = _Stages(progress)
    with ExitStack() as locks:
        found = find_source(wanted.source, settings)
        locks.enter_context(only_refresh(store.catalog, settings.data_path / LOCKS, found.name))
        stages.enter("fetch", 0.0)
        last = _last(store, found.name, wanted.universe)
        held = None if last is None else _held(store, last)
        delivery = fetch(found, held=held, progress=lambda done: stages.within(0.2 * done))
        if wanted.universe:
            delivery = replace(delivery, universe=_spelled(last, wanted.universe))
        locks.enter_context(
            only_refresh(store.catalog, settings.data_path / LOCKS, delivery.universe)
        )
        stages.enter("compare", 0.2)
        tables = with_versions(delivery.tables, held, _today())
        delivery = replace(delivery, tables={**delivery.tables, **tables})
        return _kept(store, settings, delivery, stages)


def _kept(store: Store, settings: Settings, delivery: Delivery, stages: _Stages) -> Refreshed:
    """Return what became of a delivery: a new snapshot, or the one that holds the same already."""
    parent = store.parent(delivery.universe)
    snapshot = snapshot_id(delivery, reporting_lag=settings.reporting_lag)
    before = None if snapshot == parent else _before(store, parent)
    if store.holds(snapshot):
        kept = store.make_current(snapshot, parent=parent)
        findings = store.findings(snapshot=snapshot)
        panel = None if before is None else store.panel(snapshot=snapshot)
    else:
        stages.enter("check", 0.25)
        built = build_panel(delivery, reporting_lag=settings.reporting_lag)
        stages.enter("factors", 0.5)
        panel, more = with_factors(replace(built.panel, snapshot=snapshot), before)
        stages.enter("model", 0.7)
        estimates = estimated_tables(panel, usable_models(store, panel, before))
        stages.enter("write", 0.75)
        disagree = statement_disagreements(delivery.tables)
        every = findings_table([*delivery.findings, *disagree, *more])
        found = pd.concat([built.findings, every], ignore_index=True)
        findings = found.sort_values(["date", "ticker", "check"], kind="stable", ignore_index=True)
        record = Record(delivery.tables, panel, findings, estimates)
        kept = store.publish(snapshot, delivery, record, parent=parent)
    _save_portfolios(store, delivery)
    stages.enter("done", 1.0)
    return Refreshed(
        snapshot=kept,
        parent=parent,
        changed=None if panel is None else compare(before, panel, findings),
        findings=findings,
        days=len(panel.dates) if panel is not None else 0,
        seconds=stages.seconds,
    )


def _save_portfolios(store: Store, delivery: Delivery) -> None:
    saved = {name.casefold() for name in store.portfolios()["name"]}
    for name, weights in delivery.portfolios.items():
        if name.casefold() not in saved:  # a portfolio that the user has changed stays as it is
            store.save_portfolio(name, weights, delivery.source)


def _today() -> pd.Timestamp:
    return pd.Timestamp(dt.datetime.now(dt.UTC).date())


def _last(store: Store, source: str, universe: str) -> Snapshot | None:
    """Return the last snapshot that came from a source, of the universe where one is named."""
    return next(
        (
            s
            for s in store.snapshots()
            if s.source == source and universe.casefold() in ("", s.universe.casefold())
        ),
        None,
    )


def _spelled(last: Snapshot | None, universe: str) -> str:
    return universe if last is None else last.universe


def _held(store: Store, last: Snapshot) -> dict[str, pd.DataFrame] | None:
    """Return the tables of a snapshot; None if they are damaged, for the source mends that."""
    files = store.contents(last.id)
    try:
        stored = (file.name.removesuffix(".parquet") for file in files.files)
        names = [*SCHEMAS, *(name for name in stored if kept_of_source(name))]
        return {name: decode_table(files.table(f"{name}.parquet")) for name in names}
    except DataError:
        return None


def _before(store: Store, parent: str) -> Before | None:
    """Return the snapshot that a refresh begins from; None if there is none, or it is damaged."""
    if not parent:
        return None
    try:
        engine = engine_of(store.contents(parent))
        return Before(store.panel(snapshot=parent), engine, store.findings(snapshot=parent))
    except DataError:
        return None
