"""Commands on the store: snapshots, verify, prune."""

import datetime as dt
import json
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console

from tilt.cli.printing import AsJson, print_table
from tilt.data import retention
from tilt.data.store import Store
from tilt.settings import read_settings

app = typer.Typer(help="The snapshots of the data store.", no_args_is_help=True)
UniverseName = Annotated[str | None, typer.Option("--universe", help="One universe; else all.")]


@app.command()
def snapshots(*, universe: UniverseName = None, as_json: AsJson = False) -> None:
    """List every snapshot that can be read, the newest first."""
    store = Store.open(read_settings())
    every = store.snapshots(universe)
    current: set[str] = set()
    rows = []
    for kept in every:
        newest = kept.universe not in current
        current.add(kept.universe)
        rows.append(
            {
                "universe": kept.universe,
                "snapshot": kept.id,
                "as_of": pd.Timestamp(kept.as_of),
                "published": pd.Timestamp(kept.published).tz_localize(None),
                "securities": kept.securities,
                "source": kept.source,
                "current": "yes" if newest else "",
            }
        )
    store.close()
    _print(pd.DataFrame(rows), "There is no snapshot yet.", as_json=as_json)


@app.command()
def verify(
    *,
    universe: UniverseName = None,
    snapshot: Annotated[str, typer.Option(help="One snapshot; else all.")] = "",
    as_json: AsJson = False,
) -> None:
    """Check every file of every snapshot against what was written; exit 1 if one is damaged."""
    store = Store.open(read_settings())
    chosen = [s for s in store.snapshots(universe) if snapshot in ("", s.id)]
    if snapshot and not chosen:
        store.panel(snapshot=snapshot)  # says that there is none
    with Console(stderr=True).status(f"Checking {len(chosen)} snapshots"):
        damaged = retention.verify(store, chosen)
    store.close()
    _print(damaged, f"{len(chosen)} snapshots, every file as it was written.", as_json=as_json)
    if not damaged.empty:
        raise typer.Exit(1)


@app.command()
def prune(
    *,
    keep: Annotated[int, typer.Option(help="Snapshots kept of each universe, the newest.")] = 10,
    days: Annotated[float, typer.Option(help="Kept too: current within so many days.")] = 30.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    universe: UniverseName = None,
    as_json: AsJson = False,
) -> None:
    """Remove old snapshots; never the current one of a universe."""
    store = Store.open(read_settings())
    now = dt.datetime.now(dt.UTC)
    planned = retention.plan(store, keep=keep, days=days, now=now, universe=universe)
    gone = [] if dry_run else retention.prune(store, planned)
    store.close()
    goes = planned[planned["fate"] == retention.GOES]
    if as_json:
        typer.echo(json.dumps({"plan": _plain(planned), "removed": gone}))
        return
    print_table(_shown(planned))
    freed = goes["bytes"].sum() / 1e6
    verb = "would go" if dry_run else "removed"
    typer.echo(f"{len(goes) if dry_run else len(gone)} snapshots {verb}, {freed:.1f} MB.")
    if goes["results"].sum():
        typer.echo(
            f"{goes['results'].sum()} saved results were computed from them; they stay, and cannot "
            "be computed again."
        )


def _print(table: pd.DataFrame, if_empty: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_plain(table)))
    elif table.empty:
        typer.echo(if_empty)
    else:
        print_table(_shown(table))


def _plain(table: pd.DataFrame) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(table.to_json(orient="records", date_format="iso"))
    return rows


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with days as people write them."""
    formats = {"as_of": "%Y-%m-%d", "published": "%Y-%m-%d %H:%M"}
    days = {c: table[c].dt.strftime(f) for c, f in formats.items() if c in table.columns}
    return table.assign(**days)
