"""The command that lists where data can come from."""

import json

import typer

from tilt.cli.printing import AsJson
from tilt.data.sources.registry import listed
from tilt.settings import read_settings

app = typer.Typer()


@app.command()
def sources(*, as_json: AsJson = False) -> None:
    """List the sources of data: which can be used here, and the cure where one cannot."""
    table = listed(read_settings())
    if as_json:
        typer.echo(json.dumps(table.to_dict("records")))
        return
    for row in table.to_dict("records"):
        state = "ready" if row["available"] else "not available"
        typer.echo(f"{row['name']:<12}{row['title']} ({state})")
        if row["available"]:
            typer.echo(f'{"":<12}tilt refresh --source "{row["example"]}"')
            typer.echo(f"{'':<12}gives {row['gives']}")
        else:
            typer.echo(f"{'':<12}{row['reason']}")
            typer.echo(f"{'':<12}{row['cure']}")
