"""Commands on universes: list, show, create by a rule, delete."""

import json
from contextlib import closing
from typing import Annotated

import typer

from tilt.cli.printing import AsJson, print_items, print_table
from tilt.data.rules import Universe, read_rule
from tilt.data.store import Store
from tilt.errors import ArgumentError
from tilt.frames import Panel
from tilt.portfolio.identifiers import Tickers
from tilt.settings import read_settings

app = typer.Typer(help="Universes, with data or made by a rule.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Its name, as 'tilt universe list' shows it.")]
RULE = (
    "A part of the rule, key=value, given once for each: top=100, sector=Energy;Utilities, "
    "tickers=AAPL;MSFT, exclude=XOM, min_price=5, min_adv=1e6, min_history=252, buffer=0.1, "
    "rebalance=M, weighting=equal, cap=0.05. Lists have semicolons between."
)
LISTS = frozenset({"tickers", "exclude", "sector", "industry", "country"})


@app.command("list")
def list_universes(*, as_json: AsJson = False) -> None:
    """List the universes, those made by a rule last."""
    table = Store.open(read_settings()).universes()
    if as_json:
        typer.echo(table.to_json(orient="records", date_format="iso"))
    else:
        days = {c: table[c].dt.strftime("%Y-%m-%d") for c in ("first_date", "last_date")}
        print_table(table.assign(**days).drop(columns="survivorship"))


@app.command("show")
def show_universe(name: Name, *, as_json: AsJson = False) -> None:
    """Say how a universe is made, how many are in it, and how biased its past is."""
    store = Store.open(read_settings())
    _print(store.panel(name), store.rule_of(name), as_json=as_json)


@app.command("create")
def create_universe(
    name: Annotated[str, typer.Argument(help="The name formulas will know it by.")],
    rule: Annotated[list[str] | None, typer.Option("--rule", "-r", help=RULE)] = None,
    *,
    parent: Annotated[
        str | None, typer.Option(help="The universe it is made out of; left out: the default.")
    ] = None,
    description: Annotated[str, typer.Option(help="A line about it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a universe out of another one by a rule, or change the rule of one."""
    store = Store.open(read_settings())
    above = store.panel(parent)
    known = Tickers(above, above.as_of)
    if known.find(name) is not None:
        raise ArgumentError(f"'{name}' is a ticker; a formula would read it so. Choose another.")
    given = dict(_part(text) for text in rule or [])
    for key in ("tickers", "exclude"):
        texts = given.get(key, [])
        if isinstance(texts, list):
            matches = [(text, known.find(text)) for text in texts]
            given[key] = [m.ticker if m else text for text, m in matches]
    made = Universe(
        name=name.strip(), parent=above.universe, description=description, rule=read_rule(given)
    )
    _print(store.save_universe(made), made, as_json=as_json)


@app.command("delete")
def delete_universe(name: Name) -> None:
    """Delete a universe made by a rule; the data it is made out of stays."""
    with closing(Store.open(read_settings())) as store:
        store.delete_universe(name)
    typer.echo(f"{name} is deleted.")


def _part(text: str) -> tuple[str, object]:
    key, sign, value = (part.strip() for part in text.partition("="))
    if not sign or not key or not value:
        raise ArgumentError(f"--rule '{text}' is not of the form key=value.")
    if key in LISTS:
        return key, [v.strip() for v in value.split(";") if v.strip()]
    return key, value


def _print(panel: Panel, made: Universe | None, *, as_json: bool) -> None:
    inside = panel.member.iloc[-1]
    items = {
        "name": panel.universe,
        "parent": "" if made is None else made.parent,
        "rule": "data of its own" if made is None else made.rule.words(),
        "members": f"{int(inside.sum())} on {panel.as_of:%Y-%m-%d}",
        "survivorship": panel.survivorship,
    }
    if as_json:
        names = [str(t) for t in inside.index[inside]]
        typer.echo(json.dumps({**items, "members": names, "as_of": f"{panel.as_of:%Y-%m-%d}"}))
    else:
        print_items(items, as_json=False)
