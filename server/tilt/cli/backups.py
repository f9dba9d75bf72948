"""Commands that copy the whole store: backup and restore."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tilt import audit
from tilt.cli.printing import AsJson, print_items
from tilt.data import encryption, retention
from tilt.data.backup import Copied, copy_store, settings_of_backup
from tilt.data.store import Store
from tilt.errors import ArgumentError, DataError
from tilt.settings import Settings, read_settings

app = typer.Typer()
Folder = Annotated[Path, typer.Argument(help="Folder of the backup.")]


@app.command()
def backup(folder: Folder, *, as_json: AsJson = False) -> None:
    """Copy snapshots, portfolios, universes, settings, keys and records to a new folder."""
    folder = folder.expanduser().resolve()
    if folder.exists() and any(folder.iterdir()):
        raise ArgumentError(f"{folder} is not empty. Name a new folder for the backup.")
    settings = read_settings()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # holdings are secret
    except OSError as error:
        raise DataError(f"{folder} cannot be made ({error.strerror}). Name another one.") from None
    backup = settings_of_backup(folder)
    _copy(settings, backup, f"Copying to {folder}", as_json=as_json)
    _note(settings, "exported", "backup")


@app.command()
def restore(folder: Folder, *, as_json: AsJson = False) -> None:
    """Copy a backup into the store of the settings, which must be empty."""
    folder = folder.expanduser().resolve()
    kept, settings = settings_of_backup(folder, made=True), read_settings()
    _require_keys(kept)
    _copy(kept, settings, f"Restoring {folder}", as_json=as_json)
    _note(settings, "restored", "backup")


def _require_keys(kept: Settings) -> None:
    """Refuse a backup that could not be read where it is restored."""
    with closing(Store.open(kept)) as store:
        unreadable = encryption.damage(store.catalog, kept.data_path)
    if unreadable:
        place, said = next(iter(unreadable.items()))
        raise DataError(f"The backup cannot be read here, nothing was restored. {place}: {said}")


def _note(settings: Settings, action: str, subject: str) -> None:
    with closing(Store.open(settings)) as store:
        audit.append(store.catalog, action, subject)


def _copy(given: Settings, taken: Settings, words: str, *, as_json: bool) -> None:
    with closing(Store.open(given)) as source, closing(Store.open(taken)) as target:
        with Console(stderr=True).status(words) as status:
            copied = copy_store(
                source, target, lambda share, what: status.update(f"{words}: {share:.0%}, {what}")
            )
            status.update(f"{words}: checking every file")
            damaged = retention.verify(target, target.snapshots())
        if not damaged.empty:
            raise DataError(f"{damaged['problem'].iloc[0]} The copy is not good: make it again.")
        print_items(_items(copied, target.place.where), as_json=as_json)


def _items(copied: Copied, where: str) -> dict[str, str]:
    return {
        "where": where,
        "snapshots": str(copied.snapshots),
        "portfolios": str(copied.portfolios),
        "files": f"{copied.bytes / 1e6:.1f} MB, every one checked",
    }
