"""What a user has imported under a name: kept beside the snapshots, a source like any other.

A later import wins where it has a value for the same row; nothing else of what was there is lost.
"""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine

from tilt.data.catalog import writing
from tilt.data.named import Files, open_files
from tilt.data.reading.door import merge
from tilt.data.reading.headers import EXPOSURES, READ_SCHEMAS
from tilt.data.reading.notes import Note, Reading
from tilt.data.reading.unreadable import TABLE as UNREADABLE
from tilt.data.reading.unreadable import none_unreadable, together
from tilt.data.schema import SCHEMAS
from tilt.data.sources.delivery import Delivery, Progress, Source, Vendor, quiet
from tilt.data.sources.files import deliver
from tilt.data.together import names_together, read_together, write_together
from tilt.errors import ArgumentError, DataError, UnknownNameError, cut, did_you_mean
from tilt.frames import listed
from tilt.settings import Settings

PREFIX = "import:"
_FOLDER = "imports"
_NOTES = "notes.json"
_NAME = re.compile(r"[A-Z0-9][A-Z0-9 _.\-]{0,99}")


@dataclass(frozen=True)
class Kept:
    """What an import does to one table.

    rows     : of the file
    added    : of them with a key that was not there
    replaced : of those that were there, the ones that give way
    total    : rows of the table afterwards
    """

    table: str
    rows: int
    added: int
    replaced: int
    total: int


@dataclass(frozen=True)
class Imported:
    """The tables imported under a name, which is the universe's too."""

    universe: str
    files: Files

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.universe}"

    def fetch(self, progress: Progress = quiet) -> Delivery:
        """Return what was imported; how the files were read is in the findings.

        Raises
        ------
        DataError
            If there are no prices among it.
        """
        tables = {n: t for n in SCHEMAS if (t := _read(self.files, self.universe, n)) is not None}
        progress(1.0)
        return deliver(
            Reading(
                tables,
                tuple(_notes(self.files, self.universe)),
                _unreadable(self.files, self.universe),
            ),
            source=self.name,
            universe=self.universe,
            description=f"Files imported as {self.universe}",
        )


def universe_name(name: str) -> str:
    """Return the name of an imported universe: in capitals, without spaces around it.

    Raises
    ------
    ArgumentError
        If it holds more than letters, digits, spaces, dots, dashes and underscores.
    """
    kept = name.strip().upper()
    if not _NAME.fullmatch(kept):
        raise ArgumentError(
            f"'{cut(name)}' is no name for data. Use letters, digits, spaces, '-', '_' and '.', at "
            "most 100, a letter or digit first."
        )
    return kept


def require_free(sources: Mapping[str, str], universe: str) -> None:
    """Raise ``ArgumentError`` if a universe has its data from elsewhere than from imports.

    Parameters
    ----------
    sources : where each universe came from, by its name
    """
    there = {name.casefold(): source for name, source in sources.items()}
    other = there.get(universe.casefold(), PREFIX)
    if not other.startswith(PREFIX):
        raise ArgumentError(
            f"'{universe}' comes from '{other}'. Import under another name; a [merge.NAME] section "
            "of tilt.toml makes one universe of both."
        )


def keep(
    catalog: Engine, files: Files, name: str, reading: Reading, *, dry_run: bool = False
) -> list[Kept]:
    """Merge what was read into what is kept under a name.

    All of it is kept or, whatever stops the writing, nothing. Two imports at the same time are done
    one after the other: neither loses what the other wrote.

    Parameters
    ----------
    dry_run : say what would happen, and leave everything as it is

    Raises
    ------
    DataError
        If rows would lack a value that they need, or cannot be written.
    BusyError
        If another import holds the catalog for longer than it waits.
    """
    universe = universe_name(name)
    if dry_run:
        return [kept for kept, _ in _merged(files, universe, reading)]
    with writing(catalog):
        merged = _merged(files, universe, reading)
        try:
            contents = {f"{kept.table}.parquet": _packed(table) for kept, table in merged}
            contents |= _with_unreadable(files, universe, reading)
            contents[_NOTES] = _with_notes(files, universe, reading.notes)
            write_together(files, _folder(universe), contents)
        except OSError as error:
            raise DataError(
                f"What was read cannot be kept ({error.strerror or error}). Make room or set "
                "TILT_DATA_URL to another place, then import again."
            ) from None
    return [kept for kept, _ in merged]


def exposures(files: Files, universe: str) -> pd.DataFrame:
    """Return the user's own factor values: date, ticker, factor, value; no rows if there are none.

    They are raw values as imported, by date, ticker and factor.
    """
    table = _read(files, universe, EXPOSURES.name)
    if table is None:
        made = pd.DataFrame({c.name: [] for c in EXPOSURES.columns})
        kinds = {"date": "datetime64[us]", "text": "str", "number": "float64"}
        return made.astype({c.name: kinds[c.kind] for c in EXPOSURES.columns})
    return table.sort_values(list(EXPOSURES.key), ignore_index=True)


def kept_tables(files: Files, universe: str) -> list[str]:
    """Return the names of the tables that are kept under a name."""
    names = names_together(files, _folder(universe_name(universe)))
    return [n for n in READ_SCHEMAS if f"{n}.parquet" in names]


def _merged(files: Files, universe: str, reading: Reading) -> list[tuple[Kept, pd.DataFrame]]:
    done: list[tuple[Kept, pd.DataFrame]] = []
    for name, table in reading.tables.items():
        before = _read(files, universe, name)
        whole, replaced = (table, 0) if before is None else merge(before, table, _key(name))
        _check_whole(name, whole)
        rows, held = len(table), 0 if before is None else len(before)
        added = max(0, len(whole) - held)
        done.append((Kept(name, rows, added, replaced, len(whole)), whole))
    return done


def _key(name: str) -> tuple[str, ...]:
    return READ_SCHEMAS[name].key


def _check_whole(name: str, table: pd.DataFrame) -> None:
    """Raise ``DataError`` if a row lacks what it needs: a volume came without its close."""
    for column in READ_SCHEMAS[name].columns:
        if not column.needed:
            continue
        gone = table[column.name].isna() if column.name in table.columns else None
        if gone is not None and not gone.any():
            continue
        first = table.iloc[0] if gone is None else table[gone].iloc[0]
        row = ", ".join(str(first[k]).removesuffix(" 00:00:00") for k in _key(name) if k in first)
        count = len(table) if gone is None else int(gone.sum())
        raise DataError(
            f"{count:,} rows of {name} have no {column.name}, the first is {row}. "
            f"Import a file with {column.name} too, at the same time or before."
        )


def _folder(universe: str) -> str:
    return f"{_FOLDER}/{universe}"


def _read(files: Files, universe: str, table: str) -> pd.DataFrame | None:
    folder, file = _folder(universe), f"{table}.parquet"
    try:
        content = read_together(files, folder, file)
    except FileNotFoundError:
        return None
    try:
        whole = pq.read_table(io.BytesIO(content), page_checksum_verification=True)
        frame: pd.DataFrame = whole.to_pandas()
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(
            f"{folder}/{file} is damaged: {str(error).splitlines()[0]}. Remove it and import again."
        ) from None
    return frame


def _packed(table: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    plain = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(plain, sink, compression="zstd", write_page_checksum=True)
    return sink.getvalue()


def _notes(files: Files, universe: str) -> list[Note]:
    try:
        kept: list[Mapping[str, str]] = json.loads(read_together(files, _folder(universe), _NOTES))
        return [Note(n["origin"], n["what"], n["text"]) for n in kept]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{_folder(universe)}/{_NOTES} is damaged: {error}. Restore it from a backup, or "
            "remove it and import again."
        ) from None


def _with_notes(files: Files, universe: str, notes: tuple[Note, ...]) -> bytes:
    """Return how files were read, in place of what was noted of files of the same name."""
    again = {note.origin for note in notes}
    both = [*(n for n in _notes(files, universe) if n.origin not in again), *notes]
    in_order = sorted(both, key=lambda n: n.origin)  # the same files give the same snapshot
    return json.dumps([asdict(n) for n in in_order]).encode()


def _unreadable(files: Files, universe: str) -> pd.DataFrame:
    kept = _read(files, universe, UNREADABLE)
    return none_unreadable() if kept is None else kept


def _with_unreadable(files: Files, universe: str, reading: Reading) -> dict[str, bytes]:
    """Return the cells that could not be read, in place of those of files of the same name."""
    again = {note.origin for note in reading.notes}
    before = _unreadable(files, universe)
    both = together([before[~before["file"].isin(again)], reading.unreadable])
    if both.empty and before.empty:
        return {}
    ordered = both.sort_values(["file", "column", "row"], ignore_index=True)
    return {f"{UNREADABLE}.parquet": _packed(ordered)}


def open_import(asked: str, settings: Settings) -> Source:
    """Return the source of what was imported under a name.

    Raises
    ------
    UnknownNameError
        If nothing was.
    """
    universe = universe_name(asked)
    files = open_files(settings)
    folders = {n.split("/")[1] for n in files.listed(_FOLDER) if n.count("/") > 1}
    names = sorted(n for n in folders if names_together(files, _folder(n)))
    if universe not in names:
        known = f" There is {listed(names)}." if names else ""
        raise UnknownNameError(
            f"Nothing was imported as '{universe}'.{did_you_mean(universe, names)}{known} "
            f"Run 'tilt import FILE --as {universe}'."
        )
    return Imported(universe, files)


VENDOR = Vendor(
    title="Files that were imported",
    kind="files",
    gives=tuple(SCHEMAS),
    example="import:NAME",
    open=open_import,
)
