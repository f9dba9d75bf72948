"""Commands that copy the whole store: backup and restore."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tilt.cli.printing import AsJson, print_items
from tilt.data import retention
from tilt.data.backup import Copied, copy_store
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
    _copy(settings, _store_in(folder), f"Copying to {folder}", as_json=as_json)


@app.command()
def restore(folder: Folder, *, as_json: AsJson = False) -> None:
    """Copy a backup into the store of the settings, which must be empty."""
    folder = folder.expanduser().resolve()
    kept = _store_in(folder)
    if not Path(kept.catalog_url.removeprefix("sqlite:///")).exists():
        raise ArgumentError(f"{folder} holds no backup. Name the folder given to 'tilt backup'.")
    _copy(kept, read_settings(), f"Restoring {folder}", as_json=as_json)


def _store_in(folder: Path) -> Settings:
    return Settings(data_url=str(folder), database_url="", work_folder="")


def _copy(given: Settings, taken: Settings, words: str, *, as_json: bool) -> None:
    source, target = Store.open(given), Store.open(taken)
    try:
        with Console(stderr=True).status(words) as status:
            copied = copy_store(
                source, target, lambda share, what: status.update(f"{words}: {share:.0%}, {what}")
            )
            status.update(f"{words}: checking every file")
            damaged = retention.verify(target, target.snapshots())
        if not damaged.empty:
            raise DataError(f"{damaged['problem'].iloc[0]} The copy is not good: make it again.")
        print_items(_items(copied, target.place.where), as_json=as_json)
    finally:
        source.close()
        target.close()


def _items(copied: Copied, where: str) -> dict[str, str]:
    return {
        "where": where,
        "snapshots": str(copied.snapshots),
        "portfolios": str(copied.portfolios),
        "files": f"{copied.bytes / 1e6:.1f} MB, every one checked",
    }
