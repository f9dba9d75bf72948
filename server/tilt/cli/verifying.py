"""The command that checks everything that is kept: verify."""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console

from tilt.cli.printing import AsJson, print_table
from tilt.data import chain
from tilt.data.backup import settings_of_backup
from tilt.data.store import Store
from tilt.data.verification import verify
from tilt.settings import Settings, read_settings

app = typer.Typer()


@app.command("verify")
def verify_command(
    *,
    backup: Annotated[
        list[Path] | None, typer.Option(help="Folder of a backup to check too; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every checksum of all that is kept, the audit too; exit 1 if something is damaged."""
    settings = read_settings()
    places = {"": settings}
    for folder in backup or []:
        places[str(folder)] = settings_of_backup(folder.expanduser().resolve(), made=True)
    anchors = chain.read_anchors(settings.anchor_file)
    tables, counts = [], {}
    for name, given in places.items():
        table, counts[name or "store"] = _checked(given, [] if name else anchors)
        tables.append(table.assign(where=name or "store"))
    found = pd.concat(tables, ignore_index=True)
    if found[found["part"] == "audit"].empty:
        _note_anchor(settings, anchors)
    if as_json:
        rows = json.loads(found.to_json(orient="records"))
        typer.echo(json.dumps({"checked": counts, "damaged": rows}))
    else:
        _print(found, counts, len(anchors))
    if not found.empty:
        raise typer.Exit(1)


def _checked(
    settings: Settings, anchors: list[chain.Anchor]
) -> tuple[pd.DataFrame, dict[str, int]]:
    with closing(Store.open(settings)) as store, Console(stderr=True).status("Checking") as status:
        return verify(store, settings, anchors, lambda part: status.update(f"Checking {part}"))


def _note_anchor(settings: Settings, known: list[chain.Anchor]) -> None:
    with closing(Store.open(settings)) as store:
        chain.note_anchor(store.catalog, settings.anchor_file, known[-1] if known else None)


def _print(found: pd.DataFrame, counts: dict[str, dict[str, int]], anchors: int) -> None:
    for where, parts in counts.items():
        shown = ", ".join(f"{count:,} {part}" for part, count in parts.items())
        typer.echo(f"{where}: checked {shown}")
    if not anchors:
        typer.echo("No anchor of the audit is here: that its end was cut off would not be noticed.")
    if found.empty:
        typer.echo("All is as it was written.")
    else:
        print_table(found)
