"""Commands that bring data in and take it out: import, export."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tilt import audit
from tilt.cli.datasets import NAMES, Wanted, export_of
from tilt.cli.positions import POSITIONS, keep_positions, read_positions
from tilt.cli.printing import AsJson, print_items
from tilt.cli.refreshing import with_bar
from tilt.data import portfolios
from tilt.data.named import open_files
from tilt.data.reading.door import read_files
from tilt.data.reading.notes import Asked, Note, Reading
from tilt.data.reading.opening import open_path
from tilt.data.schema import PRICES
from tilt.data.sources.imported import PREFIX, keep, kept_tables, require_free, universe_name
from tilt.data.store import Store
from tilt.errors import one_of
from tilt.refresh import Due
from tilt.report.export import write_export
from tilt.settings import Settings, read_settings

KINDS = ("prices", "fundamentals", "securities", *POSITIONS, "exposures")
app = typer.Typer()


@app.command("import")
def import_command(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="CSV (also .gz), TSV, Excel or Parquet."),
    ],
    *,
    name: Annotated[str, typer.Option("--as", help="Universe or portfolio that it goes into.")],
    kind: Annotated[str, typer.Option(help=f"{', '.join(KINDS)}; found out if left out.")] = "",
    field: Annotated[
        str, typer.Option(help="What a wide table holds, if its name does not say.")
    ] = "",
    sheet: Annotated[str, typer.Option(help="One sheet of a workbook; else every table.")] = "",
    dates: Annotated[str, typer.Option(help="day-first or month-first, where no date says.")] = "",
    decimal: Annotated[str, typer.Option(help="The decimal sign, where no number says.")] = "",
    delimiter: Annotated[str, typer.Option(help="What divides cells, where it is unclear.")] = "",
    encoding: Annotated[str, typer.Option(help="Of a text file, where it is unclear.")] = "",
    universe: Annotated[
        str, typer.Option(help="Whose tickers a portfolio's are; else the default one.")
    ] = "",
    dry_run: Annotated[bool, typer.Option(help="Say what would happen; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read files of your own into a universe, or weights into a portfolio, and say how."""
    given = one_of("kind", kind, KINDS) if kind else ""
    asked = Asked(given, field, sheet, dates, decimal, delimiter, encoding)
    settings = read_settings()
    contents = [open_path(f) for f in files]
    store = Store.open(settings)
    try:
        positions = None if given and given not in POSITIONS else read_positions(contents, asked)
        if positions is None:
            reading = read_files(contents, asked)
            done = _keep_tables(store, settings, name, reading, dry_run=dry_run)
            notes = reading.notes
        else:
            done = keep_positions(store, name, positions, universe or None, dry_run=dry_run)
            notes = positions.notes
    finally:
        store.close()
    _print(done, notes, as_json=as_json)


@app.command("export")
def export_command(
    what: Annotated[str, typer.Argument(help=f"{', '.join(NAMES)}, or a portfolio's name.")],
    *,
    path: Annotated[
        Path | None, typer.Option("--as", help="File that ends in .csv, .parquet or .xlsx.")
    ] = None,
    universe: Annotated[str, typer.Option(help="Universe; else the default one.")] = "",
    snapshot: Annotated[str, typer.Option(help="An earlier snapshot, by its id.")] = "",
    date: Annotated[str, typer.Option(help="Day of members, exposures or a portfolio.")] = "",
    start: Annotated[str, typer.Option(help="First day of a series.")] = "",
    end: Annotated[str, typer.Option(help="Last day of a series.")] = "",
    as_json: AsJson = False,
) -> None:
    """Write data, or a portfolio, into a file, with the snapshot and the date it is of."""
    store = Store.open(read_settings())
    try:
        wanted = Wanted(what, universe or None, snapshot or None, date, start, end)
        export = export_of(store, wanted)
        subject = what if what in NAMES else portfolios.audit_name(store.catalog, what)
        audit.append(store.catalog, "exported", subject)
    finally:
        store.close()
    written = write_export((path or Path(f"{export.name}.csv")).absolute(), export)
    result = {
        **export.about,
        "rows": str(len(export.table)),
        "files": ", ".join(str(p) for p in written),
    }
    print_items(result, as_json=as_json)


def _keep_tables(
    store: Store, settings: Settings, name: str, reading: Reading, *, dry_run: bool
) -> dict[str, object]:
    """Keep tables under a name and make a snapshot of them, as soon as there are prices."""
    universe = universe_name(name)
    require_free({s.universe: s.source for s in store.snapshots()}, universe)
    files = open_files(settings)
    kept = keep(store.catalog, files, universe, reading, dry_run=dry_run)
    done: dict[str, object] = {
        "universe": universe,
        "tables": [asdict(k) for k in kept],
        "dry_run": dry_run,
    }
    if dry_run:
        return done
    if PRICES.name not in kept_tables(files, universe):
        words = f"Kept. There are no prices of {universe} yet: import them, and it is a universe."
        return {**done, "next": words}
    refreshed = with_bar(store, settings, Due(f"{PREFIX}{universe}", universe))
    return {**done, "refreshed": refreshed.as_json()}


def _print(done: Mapping[str, object], notes: Sequence[Note], *, as_json: bool) -> None:
    if as_json:
        said = [asdict(n) for n in notes]
        typer.echo(json.dumps({**done, "notes": said}))
        return
    for origin in dict.fromkeys(n.origin for n in notes):
        typer.echo(f"{origin or 'All files'}")
        for note in notes:
            if note.origin == origin:
                typer.echo(f"  {note.what:<8} {note.text}")
    for line in _lines(done):
        typer.echo(line)


def _lines(done: Mapping[str, object]) -> list[str]:
    """Return what was done, or would be."""
    would = "would be " if done["dry_run"] else ""
    lines: list[str] = []
    tables = done.get("tables", [])
    if isinstance(tables, list):
        lines += [
            f"{t['table']}: {t['rows']:,} rows read, {t['added']:,} {would}new, "
            f"{t['replaced']:,} {would}replaced, {t['total']:,} in all"
            for t in tables
        ]
    portfolio = done.get("portfolio")
    if portfolio is not None:
        lines.append(f"{portfolio}: {done['positions']:,} positions {would}saved, {done['of']}")
    assumed = done.get("assumed")
    lines += [f"  {note}" for note in assumed] if isinstance(assumed, list) else []
    lines += [str(done["next"])] if "next" in done else []
    refreshed = done.get("refreshed")
    if isinstance(refreshed, dict):
        lines += [f"{k:<16}{refreshed[k]}" for k in ("universe", "snapshot", "as_of")]
    return lines
