"""Everything that is kept, held against its checksums: what is damaged, and what brings it back."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from tilt.data import chain, encryption, retention, snapshots
from tilt.data.catalog import reading
from tilt.data.chain import Anchor
from tilt.data.named import open_files
from tilt.data.store import Store
from tilt.jobs.files import DamagedFileError, Files, LockedFileError, result_file, task_file
from tilt.jobs.table import JOBS
from tilt.sealing import seal_of
from tilt.settings import Settings

COLUMNS = ("part", "what", "problem", "cure")
IMPORTS = "imports"
_RESTORE = "Restore it from a backup."
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Damage:
    """Something that is not what was written."""

    part: str
    what: str
    problem: str
    cure: str


def verify(
    store: Store,
    settings: Settings,
    anchors: Iterable[Anchor] = (),
    progress: Progress = lambda _part: None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Check all of a store.

    Parameters
    ----------
    settings : the store's own
    anchors : that the audit must reach
    progress : told what is checked next

    Returns
    -------
    part, what, problem, cure, a row per damage, none if all is well; and by part how many things
    were checked
    """
    parts: dict[str, Callable[[], tuple[int, Iterable[Damage]]]] = {
        "database": lambda: (1, _database(store)),
        "snapshots": lambda: (len(store.snapshots()), _snapshots(store)),
        "imports": lambda: _imports(settings),
        "jobs": lambda: _jobs(store, settings),
        "encryption": lambda: _encryption(store, settings),
        "audit": lambda: _audit(store, anchors),
    }
    found: list[Damage] = []
    checked: dict[str, int] = {}
    for part, look in parts.items():
        progress(part)
        checked[part], damage = look()
        found += damage
    return pd.DataFrame([astuple(d) for d in found], columns=list(COLUMNS)), checked


def _database(store: Store) -> Iterator[Damage]:
    if store.catalog.dialect.name != "sqlite":
        return  # PostgreSQL checks its own pages, if it was made with checksums
    with reading(store.catalog) as connection:
        said = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
    for words in said:
        if words != "ok":
            yield Damage("database", "catalog.sqlite", words, _RESTORE)


def _snapshots(store: Store) -> Iterator[Damage]:
    with reading(store.catalog) as connection:
        current = snapshots.current_ids(connection)
    for row in retention.verify(store, store.snapshots()).itertuples():
        cure = (
            f"'tilt refresh --universe {row.universe}' makes it again from its source."
            if row.snapshot in current
            else f"It is an old one: {_RESTORE.lower()} Or let it go with 'tilt data prune'."
        )
        yield Damage("snapshots", f"{row.snapshot} {row.file}", str(row.problem), cure)


def _imports(settings: Settings) -> tuple[int, list[Damage]]:
    files = open_files(settings)
    names = files.listed(IMPORTS)
    found = []
    for name in names:
        try:
            _read_import(name, files.read(name))
        except FileNotFoundError:
            continue  # imported anew meanwhile
        except (pa.ArrowException, OSError, ValueError) as error:
            cure = f"Import its file again with 'tilt import', or {_RESTORE.lower()}"
            found.append(Damage("imports", name, str(error), cure))
    return len(names), found


def _read_import(name: str, content: bytes) -> None:
    """Read a table, or the JSON beside it; raises what either raises where it is damaged."""
    if name.endswith(".parquet"):
        pq.read_table(pa.BufferReader(content), page_checksum_verification=True)
    else:
        json.loads(content)


def _jobs(store: Store, settings: Settings) -> tuple[int, list[Damage]]:
    files = Files(settings.data_path / "jobs", seal_of(store.catalog))
    columns = ("id", "state", "attempt", "split", "task", "result", "title")
    query = select(*(JOBS.c[name] for name in columns))
    query = query.where(JOBS.c.state.in_(["queued", "running", "done"]))
    with reading(store.catalog) as connection:
        rows = connection.execute(query).all()
    found = []
    for row in rows:
        name, sha256, cure = task_file(row.id), row.task, "Submit the job again."
        if row.state == "done" or row.split:
            name, sha256 = result_file(row.id, row.split or row.attempt), row.result
            cure = "Nothing to do: asked for again, it is computed again."
        try:
            files.content(name, sha256)
        except DamagedFileError as error:
            if isinstance(error, LockedFileError):
                cure = "Nothing is lost: with its key it is as good as ever."
            if _is_same(store, row.id, row.state, row.attempt):
                found.append(Damage("jobs", name, str(error), cure))
    return len(rows), found


def _is_same(store: Store, job: str, state: str, attempt: int) -> bool:
    """Return whether a job is where it was: else its files have changed with it."""
    with reading(store.catalog) as connection:
        row = connection.execute(select(JOBS.c.state, JOBS.c.attempt).where(JOBS.c.id == job))
        return tuple(row.first() or ()) == (state, attempt)


def _encryption(store: Store, settings: Settings) -> tuple[int, list[Damage]]:
    seal = seal_of(store.catalog)
    table = encryption.survey(store.catalog, settings.data_path)
    found = [
        Damage("encryption", place, problem, _RESTORE)
        for place, problem in encryption.damage(store.catalog, settings.data_path).items()
    ]
    wanted = seal.id if seal.on else encryption.PLAIN
    others = table[(table["key"] != wanted) & (table["what"] != "credentials")]
    for row in others.itertuples():
        words = f"{row.count} with {row.key}, where the settings say {wanted}"
        cure = "'tilt encrypt apply' brings all to what the settings say."
        found.append(Damage("encryption", str(row.what), words, cure))
    return int(table["count"].sum()), found


def _audit(store: Store, anchors: Iterable[Anchor]) -> tuple[int, list[Damage]]:
    checked = chain.check(store.catalog, anchors)
    cure = (
        "Nobody but a person with write access to the database can have done it: keep a copy as "
        "evidence, compare with an exported audit, and restore from a backup."
    )
    return checked.entries, [Damage("audit", "audit_log", p, cure) for p in checked.problems]
