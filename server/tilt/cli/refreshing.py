"""The command that schedulers run: refresh."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tilt.cli.printing import AsJson
from tilt.data.store import Store
from tilt.errors import BusyError, TiltError
from tilt.refresh import STAGES, Due, Refreshed, due
from tilt.refresh import Progress as Told
from tilt.refresh import refresh as refresh_one
from tilt.settings import Settings, read_settings

NEEDS_MENDING = 2  # as every command whose error a person can mend
TRY_LATER = 75  # EX_TEMPFAIL of sysexits.h
SOURCES = (
    "Where the data comes from: 'sample', a folder of CSV or Parquet files, or Yahoo Finance, "
    "which is then asked for these tickers: yahoo:AAPL,MSFT or yahoo:tickers.txt, and from a first "
    "day if wanted: yahoo:AAPL,MSFT@2015-01-01. Left out: where each universe came from."
)

app = typer.Typer()


@app.command()
def refresh(
    *,
    source: Annotated[str, typer.Option(help=SOURCES)] = "",
    universe: Annotated[
        str,
        typer.Option(
            help="Which universe; with --source, the name its data is kept under. Left out: all."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Fetch, check and store data, then estimate factors and risk; twice is harmless.

    Exit status: 0 when all is as new as it can be; 2 when something has to be mended; 75 when the
    same command may succeed later (another refresh runs, or a vendor does not answer). One universe
    that fails does not keep the others from being refreshed.
    """
    settings = read_settings()
    store = Store.open(settings)
    worst = 0
    try:
        for wanted in due(store, source=source, universe=universe):
            try:
                done = with_bar(store, settings, wanted)
            except TiltError as error:
                status = TRY_LATER if isinstance(error, BusyError) else NEEDS_MENDING
                worst = max(worst, status) if NEEDS_MENDING not in (worst, status) else 2
                typer.echo(f"tilt: {wanted.universe or wanted.source}: {error}", err=True)
            else:
                typer.echo(json.dumps(done.as_json()) if as_json else "\n".join(told(done)))
    finally:
        store.close()
    if worst:
        raise typer.Exit(worst)


def with_bar(store: Store, settings: Settings, wanted: Due) -> Refreshed:
    """Refresh one universe with a progress bar on stderr."""
    with bar(wanted.universe or wanted.source) as progress:
        return refresh_one(
            store, settings, source=wanted.source, universe=wanted.universe, progress=progress
        )


@contextmanager
def bar(name: str) -> Iterator[Told]:
    """Show a progress bar on stderr; the block tells it a stage and how much is done."""
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(name, total=1.0)

        def progress(stage: str, fraction: float) -> None:
            words = STAGES.get(stage, stage)
            shown.update(task, description=f"{name}: {words}", completed=fraction)

        yield progress


def told(done: Refreshed) -> list[str]:
    """Return the summary of a refresh, a line each."""
    items = done.as_json()
    kept = done.snapshot
    lines = {
        "Universe": f"{kept.universe}, {kept.securities} securities, from {kept.source}",
        "As of": f"{kept.as_of:%Y-%m-%d}",
        "Snapshot": f"{kept.id}, nothing new" if done.nothing_new else kept.id,
    }
    if not done.nothing_new:
        lines["Parent"] = done.parent or "none: it is the first one"
        lines["Days"] = f"{items['days_added']} new, {items['days_removed']} gone"
        if done.changed is not None:
            lines["Securities"] = _moved(done.changed.added, done.changed.removed)
            lines["Values"] = f"{done.changed.values_changed} others than before"
        lines["Findings"] = _findings(done)
    lines["Seconds"] = ", ".join(f"{stage} {taken:.1f}" for stage, taken in done.seconds.items())
    return [f"{item:<16}{value}" for item, value in lines.items()]


def _moved(added: tuple[str, ...], removed: tuple[str, ...]) -> str:
    def some(tickers: tuple[str, ...]) -> str:
        shown = f" ({', '.join(tickers[:5])}{', ...' if len(tickers) > 5 else ''})"
        return f"{len(tickers)}{shown if tickers else ''}"

    return f"{some(added)} new, {some(removed)} gone"


def _findings(done: Refreshed) -> str:
    new = done.findings_new["severity"].value_counts()
    by = ", ".join(f"{n} {severity}" for severity, n in new.items())
    return f"{len(done.findings_new)} new{f' ({by})' if by else ''}, {len(done.findings_gone)} gone"
