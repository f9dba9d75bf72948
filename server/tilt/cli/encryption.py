"""Commands on encryption: the key, what is encrypted, and bringing all to what the settings say."""

import json
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console

from tilt import audit, sealing
from tilt.cli.printing import AsJson, print_items, print_table
from tilt.data import encryption
from tilt.data.store import Store
from tilt.errors import ArgumentError
from tilt.sealing import seal_of
from tilt.settings import read_settings

app = typer.Typer(help="Encryption of what is kept.", no_args_is_help=True)


@app.command("key")
def make_key(
    *,
    keyring: Annotated[
        str, typer.Option(help="Put it into the system's keyring under this name, unseen.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Make a data key; keep it where the data is not, as without it nothing can be read."""
    key = sealing.new_key()
    if keyring:
        sealing.store_key(keyring, key)
        print_items({"TILT_DATA_KEY": f"{sealing.KEYRING}{keyring}"}, as_json=as_json)
        return
    print_items({"TILT_DATA_KEY": key}, as_json=as_json)


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Say what is encrypted with which key."""
    settings = read_settings()
    with closing(Store.open(settings)) as store:
        seal = seal_of(store.catalog)
        table = encryption.survey(store.catalog, settings.data_path)
    set_to = f"portfolios, with the key {seal.id}" if seal.on else "off"
    if as_json:
        rows = json.loads(table.to_json(orient="records"))
        typer.echo(json.dumps({"encrypt": "portfolios" if seal.on else "", "key": seal.id,
                               "kept": rows}))  # fmt: skip
        return
    typer.echo(f"Encryption is {set_to}.")
    print_table(table)


@app.command()
def apply(*, as_json: AsJson = False) -> None:
    """Encrypt or decrypt what is kept, as TILT_ENCRYPT says; stopped, it goes on when run again."""
    _apply(as_json=as_json)


@app.command()
def rotate(*, as_json: AsJson = False) -> None:
    """Encrypt anew with TILT_DATA_KEY; the key of before stays in TILT_DATA_KEYS_OLD until done."""
    if not read_settings().data_keys_old:
        raise ArgumentError(
            "There is no key of before. Put the new key into TILT_DATA_KEY and the one of before "
            "into TILT_DATA_KEYS_OLD, of every server first."
        )
    _apply(as_json=as_json)


def _apply(*, as_json: bool) -> None:
    settings = read_settings()
    with (
        closing(Store.open(settings)) as store,
        Console(stderr=True).status("Encrypting") as shown,
    ):
        done = encryption.apply(
            store.catalog,
            settings.data_path,
            lambda what, count: shown.update(f"{what}: {count:,} written"),
        )
        seal = seal_of(store.catalog)
        key = seal.id if seal.on else encryption.PLAIN
        audit.append(store.catalog, "encrypted", "store", {"key": key, "written": done})
        encryption.forget_pages(store.catalog)
    print_items({"key": key, "written": str(done)}, as_json=as_json)
