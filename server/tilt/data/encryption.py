"""All that may be encrypted, brought to what the settings say: on, off, or under another key.

Every step is some rows, one file or one portfolio, written whole or not at all, and each content
tells itself which key it is encrypted with. So the work may be stopped anywhere and begun again:
what is done is passed over. Servers may run meanwhile, if they have the keys of before and of now.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd
from sqlalchemy import Column, Connection, Engine, Table, select, tuple_, update

from tilt.data import books, credentials, runs, tables, trials
from tilt.data.catalog import reading, writing
from tilt.data.disk import Disk
from tilt.errors import BusyError, TiltError
from tilt.jobs import repeats
from tilt.jobs.files import ASKED, Files
from tilt.jobs.table import ERROR, JOBS, LONGEST_TITLE, TITLE
from tilt.sealing import Seal, seal_of, sealed_with, text_sealed_with
from tilt.security.tables import GRANTS, RESTS

PLAIN = "not encrypted"
REPORTS = "reports"  # the folder of files made for download
Progress = Callable[[str, int], None]
_AT_ONCE = 200  # rows of one transaction
_Row = Mapping[str, object]


@dataclass(frozen=True, eq=False)
class _Field:
    """A column that may be encrypted.

    name   : for people
    place  : what a row's content is bound to
    most   : characters of a column of text that is not unbounded
    always : whether it is encrypted whatever the settings say
    """

    name: str
    column: "Column[object]"
    place: Callable[[_Row], str]
    most: int | None = None
    always: bool = False

    @property
    def table(self) -> Table:
        found = self.column.table
        if not isinstance(found, Table):
            raise TypeError(f"{self.name} is of no table")
        return found

    def key(self, content: object) -> str:
        """Return the id of the key that a content is encrypted with; empty if it is not."""
        if isinstance(content, bytes):
            return sealed_with(content)
        return text_sealed_with(content) if isinstance(content, str) else ""

    def opened(self, content: object, seal: Seal, row: _Row) -> None:
        """Raise what a content that cannot be read raises."""
        if isinstance(content, bytes):
            seal.open(content, self.place(row))
        elif isinstance(content, str):
            seal.open_text(content, self.place(row))

    def again(self, content: object, seal: Seal, row: _Row) -> object:
        """Return a content as it is to be kept; None if it is kept so."""
        mine = replace(seal, on=True) if self.always else seal
        if isinstance(content, bytes):
            return mine.again(content, self.place(row)) if content else None
        if isinstance(content, str):
            return mine.again_text(content, self.place(row), most=self.most) if content else None
        return None


def _fields() -> tuple[_Field, ...]:
    run, pack, trial = tables.runs.c, tables.packs.c, tables.trials.c
    saved, secret, again = tables.configurations.c, tables.credentials.c, repeats.REPEATS.c
    grant, rest = GRANTS.c, RESTS.c
    return (
        _Field("runs", run.body, _at(runs.place_of, "owner", "run", "version")),
        _Field("runs", run.subject, lambda _: runs.SUBJECT, runs.LONGEST),
        _Field("reports on record", pack.body, _at("packs/{}".format, "pack")),
        _Field("trials", trial.strategy, lambda _: trials.STRATEGY),
        _Field("trials", trial.returns, _at(trials.place_of, "owner", "workbook", "run")),
        _Field("configurations", saved.body, _at("configurations/{}".format, "name")),
        _Field("jobs", JOBS.c.title, lambda _: TITLE, LONGEST_TITLE),
        _Field("jobs", JOBS.c.error, lambda _: ERROR),
        _Field("repeated answers", again.body, _at(repeats.place_of, "owner", "key")),
        _Field("grants", grant.name, _at("grants/{}".format, "id")),
        _Field("what results rest on", rest.things, _at("rests/{}".format, "id")),
        _Field("credentials", secret.body, _at(credentials.place_of, "name"), always=True),
    )


def _at(place: Callable[..., str], *names: str) -> Callable[[_Row], str]:
    return lambda row: place(*(str(row[name]) for name in names))


def survey(engine: Engine, folder: Path) -> pd.DataFrame:
    """Return what, key and count: what is kept, and with which key it is encrypted.

    Parameters
    ----------
    folder : of the installation's data

    Returns
    -------
    what, key, count; ``key`` is the id of a data key, or ``not encrypted``
    """
    found: Counter[tuple[str, str]] = Counter()
    for keys in books.keys_used(engine).values():
        found.update(("portfolios", key) for key in keys)
    for field in _fields():
        for rows in _rows(engine, field):
            contents = [r[field.column.name] for r in rows]
            found.update((field.name, field.key(content)) for content in contents if content)
    for path in _job_files(folder):
        found.update(("files of jobs", key) for key in _keys_of(path))
    for path in _reports(folder):
        found.update(("files of reports", key) for key in _keys_of(path))
    table = [(what, key or PLAIN, count) for (what, key), count in sorted(found.items())]
    return pd.DataFrame(table, columns=["what", "key", "count"])


def apply(engine: Engine, folder: Path, progress: Progress = lambda _what, _done: None) -> int:
    """Bring everything to what the settings say; return how many contents were written.

    Parameters
    ----------
    progress : told what is being worked on, and how many were written so far

    Raises
    ------
    DataError
        If something is encrypted with a key that is not here, or is damaged. What was done so far
        stays; begun again with the key, it goes on from there.
    """
    done = 0
    for kept in list(books.keys_used(engine)):
        done += books.keep_as_set(engine, kept)
        progress("portfolios", done)
    for field in _fields():
        for rows in _rows(engine, field):
            done += _write(engine, field, rows)
            progress(field.name, done)
    files = Files(folder / "jobs", seal_of(engine))
    for path in _job_files(folder):
        done += _if_there(partial(files.put_again, path.name))
        progress("files of jobs", done)
    for path in _reports(folder):
        done += _if_there(partial(_report_again, path, seal_of(engine)))
        progress("files of reports", done)
    return done


def forget_pages(engine: Engine) -> None:
    """Let a database in SQLite be written anew: pages that are free still hold what stood there.

    Raises
    ------
    BusyError
        If another process is using it.
    """
    if engine.dialect.name != "sqlite":
        return
    raw = engine.raw_connection()
    try:
        for words in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            raw.cursor().execute(words)
    except sqlite3.OperationalError as error:
        raise BusyError(
            f"All is written, but the database's file could not be cleaned of what stood there "
            f"before ({error}). Stop the servers and run the command again."
        ) from None
    finally:
        raw.close()


def damage(engine: Engine, folder: Path) -> dict[str, str]:
    """Return what cannot be read, by its place, and why: damaged, or its key is not here."""
    seal = seal_of(engine)
    found: dict[str, str] = {}
    for kept in books.keys_used(engine):
        _try(found, f"portfolio {kept}", partial(books.check, engine, kept))
    for field in _fields():
        for rows in _rows(engine, field):
            for row in rows:
                place = f"{field.table.name} {'/'.join(_key(field, row))}"
                content = row[field.column.name]
                _try(found, place, partial(field.opened, content, seal, row))
    for path in _reports(folder):
        _try(found, f"file {path.name}", partial(read_report, path, seal))
    return found


def keep_report(path: Path, content: bytes, seal: Seal) -> None:
    """Write a file for download; whoever reads it sees all of it or nothing."""
    Disk().replace(path, seal.keep(content, f"{REPORTS}/{path.name}"))


def read_report(path: Path, seal: Seal) -> bytes:
    """Return what a file for download holds.

    Raises
    ------
    DataError
        If it is encrypted, and its key is not here or it is damaged.
    """
    return seal.open(path.read_bytes(), f"{REPORTS}/{path.name}")


def _report_again(path: Path, seal: Seal) -> bool:
    before = path.stat().st_mtime_ns
    content = seal.again(path.read_bytes(), f"{REPORTS}/{path.name}")
    if content is None:
        return False
    Disk().replace(path, content)
    os.utime(path, ns=(before, before))  # it is no younger than it was
    return True


def _rows(engine: Engine, field: _Field) -> Iterator[Sequence[_Row]]:
    """Yield the rows of a field's table, some at a time, each with its key and the content."""
    keys = list(field.table.primary_key.columns)
    with reading(engine) as connection:
        known = [tuple(row) for row in connection.execute(select(*keys).order_by(*keys))]
    for start in range(0, len(known), _AT_ONCE):
        some = known[start : start + _AT_ONCE]
        query = select(*keys, field.column).where(tuple_(*keys).in_(some))
        with reading(engine) as connection:
            yield [dict(row) for row in connection.execute(query).mappings()]


def _write(engine: Engine, field: _Field, rows: Sequence[_Row]) -> int:
    seal, name = seal_of(engine), field.column.name
    made = [(row, field.again(row[name], seal, row)) for row in rows]
    changed = [(row, content) for row, content in made if content is not None]
    if not changed:
        return 0
    with writing(engine) as connection:
        return sum(_replace(connection, field, row, content) for row, content in changed)


def _replace(connection: Connection, field: _Field, row: _Row, content: object) -> int:
    """Write a row's content, unless somebody has written it meanwhile or it is gone."""
    same = [c == row[c.name] for c in (*field.table.primary_key.columns, field.column)]
    values = {field.column.name: content}
    return connection.execute(update(field.table).where(*same).values(values)).rowcount


def _key(field: _Field, row: _Row) -> list[str]:
    return [str(row[column.name]) for column in field.table.primary_key.columns]


def _job_files(folder: Path) -> list[Path]:
    return [p for p in _files(folder / "jobs") if not p.name.endswith(ASKED)]


def _reports(folder: Path) -> list[Path]:
    return [p for p in _files(folder / REPORTS) if p.suffix != ".part"]


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_file()) if folder.is_dir() else []


def _keys_of(path: Path) -> list[str]:
    """Return the id of the key of a file, empty if it is not encrypted; none if it is gone."""
    try:
        with path.open("rb") as file:
            return [sealed_with(file.read(16))]
    except FileNotFoundError:  # a server has removed it
        return []


def _if_there(step: Callable[[], bool]) -> bool:
    try:
        return step()
    except FileNotFoundError:  # a server has removed it
        return False


def _try(found: dict[str, str], place: str, step: Callable[[], object]) -> None:
    try:
        step()
    except TiltError as error:
        found[place] = str(error)
    except FileNotFoundError:
        pass  # a server has removed it
