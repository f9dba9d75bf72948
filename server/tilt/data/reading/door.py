"""Files in, tables out: the one door of every file, whichever source it lies in."""

from collections.abc import Iterable, Sequence

import pandas as pd

from tilt.data.reading.headers import READ_SCHEMAS, candidates
from tilt.data.reading.notes import Asked, Note, Reading
from tilt.data.reading.opening import PARQUET, TEXT, Content
from tilt.data.reading.parquet import read_parquet
from tilt.data.reading.raw import NoTableError, Raw
from tilt.data.reading.shaping import shape
from tilt.data.reading.sheets import read_workbook
from tilt.data.reading.text import read_text
from tilt.data.reading.units import in_whole_units
from tilt.data.reading.unreadable import together
from tilt.errors import DataError

NO_ASKED = Asked()


def read_raw(content: Content, asked: Asked = NO_ASKED) -> list[Raw]:
    """Return the tables of a file as they stand: one, or one a sheet.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    if content.kind == TEXT:
        found = [read_text(content, asked)]
    elif content.kind == PARQUET:
        found = [read_parquet(content)]
    else:
        found = read_workbook(content, asked)
    if not found:
        raise DataError(f"{content.name} has no visible sheet with anything in it.")
    return [raw.trimmed() for raw in found]


def read_files(
    contents: Iterable[Content], asked: Asked = NO_ASKED, *, lenient: bool = False
) -> Reading:
    """Return the tables of files; of rows with the same key the later file's stays.

    A file or sheet whose name is that of a table, such as ``prices.csv``, must be that table; any
    other one is recognized by its headers, or as a wide table by its name. Sheets of a workbook
    that are no table are left out, and said.

    Parameters
    ----------
    lenient : leave out files, too, that are no table, as long as one is; for a folder

    Raises
    ------
    DataError
        If a file cannot be read or holds no table.
    """
    parts: dict[str, list[tuple[str, pd.DataFrame]]] = {}
    notes: list[Note] = []
    refused: list[NoTableError] = []
    unreadable: list[pd.DataFrame] = []
    for content in contents:
        here: list[NoTableError] = []
        found = _shaped(content, asked, here)
        if here and not found and not lenient:
            raise here[0]
        refused += here
        for raw, name, table in found:
            parts.setdefault(name, []).append((raw.origin, table))
            notes.extend(raw.notes)
            unreadable.extend(raw.unreadable)
    if refused and not parts:
        raise refused[0]
    notes += [Note("", "rows", f"Left out: {error}") for error in refused]
    tables = {name: _together(name, given, notes) for name, given in parts.items()}
    return Reading(tables, tuple(notes), together(unreadable))


def merge(
    before: pd.DataFrame, after: pd.DataFrame, key: Sequence[str]
) -> tuple[pd.DataFrame, int]:
    """Return the rows of both, and how many of ``before`` gave way to a row of the same key.

    A row of ``after`` wins with the columns it has; those that only ``before`` has stay.
    """
    names = list(key)
    old, new = (_with_columns(t, names) for t in (before, after))
    given = pd.MultiIndex.from_frame(new[names])
    same = pd.MultiIndex.from_frame(old[names]).isin(given)
    values = [c for c in old.columns if c not in names]
    absent = [c for c in values if c not in new.columns]
    if absent and same.any():
        known = old.loc[same, [*names, *absent]].drop_duplicates(names, keep="last")
        new = new.merge(known, on=names, how="left")
    replaced = int(same.sum()) if len(absent) < len(values) else 0
    return pd.concat([old[~same], new], ignore_index=True), replaced


def _with_columns(table: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Return a table with every column of its key; statements may have no filing days."""
    gone = [c for c in key if c not in table.columns]
    nothing = pd.Series(pd.NaT, index=table.index, dtype="datetime64[us]")
    return table.assign(**dict.fromkeys(gone, nothing)) if gone else table


def _shaped(
    content: Content, asked: Asked, refused: list[NoTableError]
) -> list[tuple[Raw, str, pd.DataFrame]]:
    """Return the tables of a file, and put into ``refused`` why others are none."""
    made: list[tuple[Raw, str, pd.DataFrame]] = []
    table = ""
    try:
        for raw in read_raw(content, asked):
            label = raw.label.casefold()
            table = label if label in READ_SCHEMAS and label in candidates(asked.kind) else ""
            try:
                name, shaped = shape(raw, asked, table=table)
                shaped, said = in_whole_units(name, shaped, raw.unit)
                raw.notes.extend(Note(raw.origin, "numbers", text) for text in said)
                made.append((raw, name, shaped))
            except NoTableError as error:
                if table:
                    raise DataError(str(error)) from None
                refused.append(error)
    except NoTableError as error:  # the file as a whole
        if content.stem.casefold() in candidates(asked.kind):
            raise DataError(str(error)) from None
        refused.append(error)
    return made


def _together(name: str, given: list[tuple[str, pd.DataFrame]], notes: list[Note]) -> pd.DataFrame:
    """Return the rows of one table out of several files: columns side by side, or rows in turn."""
    key = list(READ_SCHEMAS[name].key)
    whole = given[0][1]
    for origin, table in given[1:]:
        whole, replaced = merge(whole, table, key)
        if replaced:
            notes.append(Note(origin, "rows", f"replaces {replaced:,} rows of files before it"))
    needed = [c.name for c in READ_SCHEMAS[name].columns if c.needed and c.name in whole.columns]
    whole_rows = whole[needed].notna().all(axis=1)
    if not whole_rows.all():
        gone = int((~whole_rows).sum())
        words = f"{gone:,} rows of {name} are left out: another file has no {needed[-1]} for them"
        notes.append(Note("", "rows", words))
        whole = whole[whole_rows].reset_index(drop=True)
    return whole
