"""Commands on the audit: who did what."""

import errno
import json
import os
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from sqlalchemy import Engine

from tilt import audit
from tilt.cli.printing import AsJson, print_items, print_table
from tilt.data import chain, portfolios
from tilt.data.store import Store
from tilt.errors import DataError
from tilt.settings import read_settings

app = typer.Typer(help="Who did what: a log that only grows.", no_args_is_help=True)
_SHOWN = ("number", "at", "who", "client", "action", "object", "detail", "runs")
_AT_ONCE = 5_000


@app.command("list")
def list_entries(
    *,
    who: Annotated[str, typer.Option(help="Of one user.")] = "",
    action: Annotated[str, typer.Option(help="Such as computed, saved, exported, refused.")] = "",
    subject: Annotated[
        str, typer.Option("--object", help="Such as 'portfolio Growth' or 'cells'.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List entries, the newest first."""
    with closing(Store.open(read_settings())) as store:
        names = portfolios.names_by_id(store.catalog)
        ids = {f"portfolio {name}": f"portfolio {kept}" for kept, name in names.items()}
        entries = audit.listed(
            store.catalog, most=limit, who=who, action=action, subject=ids.get(subject, subject)
        )
    if as_json:
        typer.echo(json.dumps(entries))
        return
    hidden = {f"portfolio {kept}": f"portfolio {name}" for kept, name in names.items()}
    rows = [{name: entry[name] for name in _SHOWN} for entry in entries]
    table = pd.DataFrame(rows, columns=list(_SHOWN))
    table["object"] = [hidden.get(str(o), o) for o in table["object"]]
    table["at"] = [str(at)[:19].replace("T", " ") for at in table["at"]]
    table["detail"] = [", ".join(f"{k} {v}" for k, v in d.items()) for d in table["detail"]]
    table["runs"] = [", ".join(runs) for runs in table["runs"]]
    print_table(table)


@app.command("export")
def export_entries(
    file: Annotated[Path, typer.Argument(help="File of JSON lines; it must not exist.")],
    *,
    after: Annotated[int, typer.Option(min=0, help="Only entries of a higher number.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Write the entries to a file, and show the anchor: keep it where nobody can change it."""
    with closing(Store.open(read_settings())) as store:
        count, last = _write_new(file, store.catalog, after)
        audit.append(store.catalog, "exported", "audit", {"entries": count, "after": after})
    items = {"file": str(file), "entries": str(count), "anchor": str(last or "")}
    print_items(items, as_json=as_json)


@app.command("verify")
def verify_chain(
    *,
    anchor: Annotated[
        list[str] | None, typer.Option(help="NUMBER:MAC of an export; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the chain and that it reaches every anchor; exit 1 if it does not."""
    settings = read_settings()
    given = [chain.read_anchor(text) for text in anchor or []]
    with closing(Store.open(settings)) as store:
        known = chain.read_anchors(settings.anchor_file)
        checked = chain.check(store.catalog, [*known, *given])
        if not checked.problems:
            last = known[-1] if known else None
            chain.note_anchor(store.catalog, settings.anchor_file, last)
    items = {
        "entries": f"{checked.entries}",
        "signed": f"{checked.signed}",
        "anchors": f"{checked.anchors}",
        "head": str(checked.head or ""),
        "problems": "; ".join(checked.problems) or "none",
    }
    if checked.entries > checked.signed and not checked.problems:
        remedy = (
            "it is right of those of before the key was set; an anchor that is kept elsewhere "
            "tells whether they end there"
            if settings.audit_secrets[0]
            else "set TILT_AUDIT_KEY"
        )
        items["note"] = (
            "entries that are not signed can be written anew by whoever can write the database: "
            f"{remedy}"
        )
    print_items(items, as_json=as_json)
    if checked.problems:
        raise typer.Exit(1)


def _write_new(file: Path, catalog: Engine, after: int) -> tuple[int, chain.Anchor | None]:
    """Write entries to a new file, whole or not at all; return how many, and the last one."""
    draft = file.with_name(f".{file.name}.part")
    count, last = 0, None
    try:
        if file.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        with draft.open("w", encoding="utf-8") as out:
            while entries := audit.following(catalog, after=after, most=_AT_ONCE):
                out.writelines(f"{json.dumps(entry)}\n" for entry in entries)
                count, after = count + len(entries), int(str(entries[-1]["number"]))
                last = chain.Anchor(after, str(entries[-1]["mac"]))
        draft.replace(file)
    except OSError as error:
        raise DataError(f"{file} cannot be written ({error.strerror}). Name a new file.") from None
    finally:
        with suppress(OSError):
            draft.unlink()
    return count, last
