"""Commands on configurations: list, show, save, delete, schema."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tilt.cli.printing import AsJson, print_items, print_rows
from tilt.configuration import json_schema, read_configuration, saved
from tilt.data.store import Store
from tilt.errors import DataError
from tilt.settings import read_settings

LARGEST = 1_000_000  # bytes
app = typer.Typer(
    help="Saved configurations of model, backtest and optimization.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="Name of the configuration.")]


@app.command("list")
def list_configurations(*, as_json: AsJson = False) -> None:
    """List the saved configurations: name, id, when they were saved."""
    table = saved.listed(Store.open(read_settings()).catalog)
    print_rows(table, as_json=as_json)


@app.command("show")
def show_configuration(name: Name) -> None:
    """Print a configuration as JSON, which 'tilt config save' reads again."""
    found = saved.read(Store.open(read_settings()).catalog, name)
    typer.echo(found.model_dump_json(indent=2))


@app.command("save")
def save_configuration(
    name: Name,
    file: Annotated[str, typer.Argument(help="A JSON file; - reads standard input.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Check a configuration and save it under a name, in place of the one of that name."""
    found = read_configuration(_content(file))
    kept = saved.save(Store.open(read_settings()).catalog, name, found)
    print_items({"name": name.strip(), "id": kept}, as_json=as_json)


@app.command("delete")
def delete_configuration(name: Name) -> None:
    """Delete a saved configuration."""
    saved.delete_saved(Store.open(read_settings()).catalog, name)


@app.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of a configuration, for editors and other programs."""
    typer.echo(json.dumps(json_schema(), indent=2))


def _content(file: str) -> bytes:
    try:
        content = sys.stdin.buffer.read(LARGEST + 1) if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.") from None
    if len(content) > LARGEST:
        raise DataError(f"{file} is larger than a configuration can be, {LARGEST:,} bytes.")
    return content
