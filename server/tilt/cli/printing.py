"""How commands print: items and tables for people, JSON for machines."""

import json
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print machine output.")]


def print_items(items: dict[str, str], *, as_json: bool) -> None:
    """Print a line per item."""
    if as_json:
        typer.echo(json.dumps(items))
    else:
        for item, value in items.items():
            typer.echo(f"{item:<16}{value}")


def print_rows(table: pd.DataFrame, *, as_json: bool) -> None:
    """Print a table; for machines a list of its rows, with times in ISO 8601."""
    if as_json:
        typer.echo(table.to_json(orient="records", date_format="iso"))
    else:
        print_table(table)


def print_table(table: pd.DataFrame) -> None:
    """Print a table, missing values blank."""
    shown = Table(*table.columns, box=None, pad_edge=False)
    for row in table.itertuples(index=False, name=None):
        shown.add_row(*("" if pd.isna(v) else str(v) for v in row))
    Console().print(shown, markup=False)
