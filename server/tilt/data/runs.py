"""The record of runs: what was computed, from which data and arguments, and what came out.

Nothing in it is ever changed. Each owner's last ``MOST`` runs are kept; older ones go.
"""

import datetime as dt
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
import pandas as pd
from sqlalchemy import ColumnElement, Engine, delete, func, insert, select

from tilt import audit
from tilt.data import catalog
from tilt.data.snapshots import utc
from tilt.data.tables import audit as audited_before
from tilt.data.tables import publications, runs
from tilt.errors import UnknownNameError
from tilt.sealing import seal_of

MOST = 10_000  # runs of an owner that are kept
LONGEST = 200  # characters of a subject
MOST_TOLD = 20  # entries of the audit about a snapshot
SUBJECT = "runs/subject"  # what an encrypted one is bound to
COLUMNS = ("run_id", "function", "subject", "universe", "snapshot", "at", "version")


@dataclass(frozen=True)
class Run:
    """Something that was computed.

    id        : as its results show it
    function  : the cell function that computes it
    subject   : in a few words
    question  : everything that was asked for, by content; JSON
    results   : by table: rows, numbers, and a digest of every cell
    said      : item and value: what the result says of itself
    version   : of the program; versions: of what it computes with
    at        : when it was first computed by this version, with a time zone
    """

    id: str
    function: str
    subject: str
    universe: str
    snapshot: str
    question: Mapping[str, object]
    results: Mapping[str, Mapping[str, object]]
    said: tuple[tuple[str, str], ...]
    version: str
    versions: Mapping[str, str]
    at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))


def known(engine: Engine, owner: str, run: str, version: str) -> bool:
    """Return whether an owner has a run of this version of the program on record."""
    query = select(runs.c.run).where(*_mine(owner, run), runs.c.version == version)
    with catalog.reading(engine) as connection:
        return connection.execute(query).first() is not None


def record(engine: Engine, owner: str, run: Run) -> None:
    """Write a run down, unless it is on record; the owner's oldest make room for it."""
    body = {
        "question": run.question,
        "results": run.results,
        "said": run.said,
        "versions": run.versions,
    }
    seal = seal_of(engine)
    with catalog.writing(engine) as connection:
        there = select(runs.c.run).where(*_mine(owner, run.id), runs.c.version == run.version)
        if connection.execute(there).first() is not None:
            return
        connection.execute(
            insert(runs).values(
                owner=owner,
                run=run.id,
                version=run.version,
                function=run.function,
                subject=seal.keep_text(run.subject[:LONGEST], SUBJECT, most=LONGEST),
                universe=run.universe,
                snapshot=run.snapshot,
                at=run.at,
                body=seal.keep(
                    zlib.compress(orjson.dumps(body)), place_of(owner, run.id, run.version)
                ),
            )
        )
        of_owner = runs.c.owner == owner
        count = connection.execute(select(func.count()).where(of_owner)).scalar_one()
        if count > MOST:
            newest = select(runs.c.at).where(of_owner).order_by(runs.c.at.desc())
            last = connection.execute(newest.offset(MOST - 1).limit(1)).scalar_one()
            connection.execute(delete(runs).where(of_owner, runs.c.at < last))


def find(engine: Engine, owner: str, run: str) -> Run:
    """Return an owner's run, the latest one of its id.

    Raises
    ------
    UnknownNameError
        If the owner has none; another owner's is none.
    """
    query = select(runs).where(*_mine(owner, run)).order_by(runs.c.at.desc()).limit(1)
    with catalog.reading(engine) as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        raise unknown_run(run)
    seal = seal_of(engine)
    content = seal.open(row["body"], place_of(owner, row["run"], row["version"]))
    body = orjson.loads(zlib.decompress(content))
    return Run(
        id=row["run"],
        function=row["function"],
        subject=seal.open_text(row["subject"], SUBJECT),
        universe=row["universe"],
        snapshot=row["snapshot"],
        question=body["question"],
        results=body["results"],
        said=tuple((item, value) for item, value in body["said"]),
        version=row["version"],
        versions=body["versions"],
        at=utc(row["at"]),
    )


def unknown_run(run: str) -> UnknownNameError:
    """Return the error of a run that is not on record."""
    return UnknownNameError(
        f"No run '{run[:40]}' of yours is on record. A run id has 12 characters, as an answer "
        f"shows it; the last {MOST:,} of each user are kept. TRACE() lists yours."
    )


def listed(engine: Engine, owner: str, *, most: int, after: int = 0) -> pd.DataFrame:
    """Return run_id, function, subject, universe, snapshot, at, version, the newest first."""
    shown = [runs.c.run, *(runs.c[name] for name in COLUMNS[1:])]
    query = select(*shown).where(runs.c.owner == owner)
    order = query.order_by(runs.c.at.desc(), runs.c.run).offset(after).limit(most)
    with catalog.reading(engine) as connection:
        rows = connection.execute(order).all()
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    seal = seal_of(engine)
    found["subject"] = [seal.open_text(text, SUBJECT) for text in found["subject"]]
    when = pd.to_datetime(found["at"], utc=True).dt.tz_localize(None)
    return found.assign(at=when)


def story(engine: Engine, snapshot: str) -> list[tuple[str, dt.datetime, str]]:
    """Return what happened to a snapshot, when, and a detail, the earliest first."""
    published = select(publications.c.at, publications.c.universe).where(
        publications.c.snapshot == snapshot
    )
    old = audited_before.c
    noted = select(old.action, old.at, old.detail).where(old.subject == snapshot)
    with catalog.reading(engine) as connection:
        events = [("published", utc(r.at), str(r.universe)) for r in connection.execute(published)]
        events += [(str(r.action), utc(r.at), str(r.detail)) for r in connection.execute(noted)]
    for entry in audit.listed(engine, most=MOST_TOLD, subject=f"snapshot {snapshot}"):
        when = dt.datetime.fromisoformat(str(entry["at"]))
        events.append((str(entry["action"]), when, f"by {entry['who'] or 'nobody named'}"))
    return sorted(events, key=lambda event: event[1])


def place_of(owner: str, run: str, version: str) -> str:
    """Return what the encrypted body of a run is bound to."""
    return f"runs/{owner}/{run}/{version}"


def _mine(owner: str, run: str) -> "tuple[ColumnElement[bool], ...]":
    return runs.c.owner == owner, runs.c.run == run
