"""The audit: one chain whoever writes, in which nothing is changed, left out or cut off unseen."""

import hashlib
import itertools
import json
import subprocess
import sys
import threading

import pytest
from sqlalchemy import delete, select, text, update

from tilt import audit
from tilt.api.trail import Trail, counted
from tilt.audit import ACTOR, Actor, Entry
from tilt.data import chain
from tilt.data.catalog import open_catalog, reading, writing
from tilt.data.chain import Anchor
from tilt.errors import ArgumentError, BusyError
from tilt.jobs import Jobs
from tilt.jobs.files import Files, task_file
from tilt.jobs.worker import run_as

SECRET = "a key of the audit, kept elsewhere"
KEYS = audit.read_keys([SECRET])
PROCESSES, EACH = 3, 40


def ten_entries(file):
    """Return a catalog in SQLite with ten entries."""
    engine = open_catalog(f"sqlite:///{file}", audit_keys=KEYS)
    for number in range(10):
        audit.append(engine, "saved", f"portfolio {number}", {"n": number}, ["abcdefabcdef"])
    return engine


@pytest.fixture
def log(tmp_path):
    engine = ten_entries(tmp_path / "log.sqlite")
    yield engine
    engine.dispose()


def unprotected(engine):
    """Take away what has the database itself refuse a change."""
    with writing(engine) as connection:
        for verb in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER audit_log_no_{verb}"))


WRITER = """
import sys
from tilt import audit
from tilt.data.catalog import open_catalog, writing
url, secret, name, each = sys.argv[1:]
engine = open_catalog(url, audit_keys=audit.read_keys([secret]), busy_seconds=60)
for number in range(int(each)):
    with writing(engine) as connection:  # of one and of several entries
        entry = audit.Entry("computed", f"{name} {number}")
        audit.add(connection, [entry] * (1 + number % 2))
"""


def test_of_several_processes_every_entry_is_in_one_chain(either_database):
    engine = open_catalog(either_database, audit_keys=KEYS)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, either_database, SECRET, f"p{n}", str(EACH)]
        )
        for n in range(PROCESSES)
    ]
    assert [worker.wait() for worker in workers] == [0] * PROCESSES
    checked = chain.check(engine)
    assert checked.problems == ()
    assert checked.entries == checked.signed == PROCESSES * (EACH + EACH // 2)
    with reading(engine) as connection:
        said = connection.execute(select(audit.LOG.c.object).order_by(audit.LOG.c.number)).scalars()
        order = list(said)
    assert set(order) == {f"p{n} {i}" for n in range(PROCESSES) for i in range(EACH)}
    with pytest.raises(Exception, match="never changed or removed"), writing(engine) as connection:
        connection.execute(update(audit.LOG).values(who="nobody"))
    with pytest.raises(Exception, match="never changed or removed"), writing(engine) as connection:
        connection.execute(delete(audit.LOG))
    engine.dispose()


def test_a_change_that_is_rolled_back_leaves_no_entry(log):
    class FailedError(Exception):
        pass

    def fail():
        with writing(log) as connection:
            audit.note(connection, "saved", "portfolio x")
            raise FailedError

    with pytest.raises(FailedError):
        fail()
    assert chain.check(log).entries == 10


def test_without_the_write_lock_nothing_is_added(log):
    with log.begin() as connection, pytest.raises(ValueError, match="write transaction"):
        audit.note(connection, "saved", "x")


CHANGED = {
    "who": "mallory", "at": "2020-01-01T00:00:00.000000+00:00", "action": "read", "object": "y",
    "detail": "{}", "runs": "[]", "client": "x", "request": "x", "mac": "0" * 64,
}  # fmt: skip


@pytest.mark.parametrize("column", CHANGED)
def test_an_entry_of_which_anything_is_changed_is_named(log, column):
    unprotected(log)
    with writing(log) as connection:
        mine = update(audit.LOG).where(audit.LOG.c.number == 4)
        connection.execute(mine.values({column: CHANGED[column]}))
    assert any("entry 4 " in problem for problem in chain.check(log).problems)


def test_an_entry_taken_out_of_the_middle_or_the_beginning_is_missed(log):
    unprotected(log)
    for number, said in ((1, "entries 1 to 1"), (5, "entries 5 to 5")):
        with writing(log) as connection:
            connection.execute(delete(audit.LOG).where(audit.LOG.c.number == number))
        assert any(f"{said} are missing" in p for p in chain.check(log).problems)


def test_an_entry_of_another_log_of_the_same_key_does_not_fit_into_this_one(log, tmp_path):
    """Such as the same installation restored from a backup, that went on in another way."""
    fifth = audit.LOG.c.number == 5
    other = ten_entries(tmp_path / "other.sqlite")
    with reading(other) as connection:
        theirs = dict(connection.execute(select(audit.LOG).where(fifth)).mappings().one())
    other.dispose()
    unprotected(log)
    with writing(log) as connection:
        connection.execute(update(audit.LOG).where(fifth).values(theirs))
    assert any("entry 5 " in problem for problem in chain.check(log).problems)


def test_who_can_write_the_database_and_not_the_key_cannot_write_the_log_anew(log):
    unprotected(log)
    with writing(log) as connection:
        rows = [dict(r) for r in connection.execute(select(audit.LOG)).mappings()]
        connection.execute(delete(audit.LOG))
    for key in ("", "0" * 8, rows[0]["key"]):
        before = ""
        with writing(log) as connection:
            connection.execute(delete(audit.LOG))
            for row in rows:
                forged = {**row, "who": "mallory", "key": key}
                before = audit.Keys().mac(forged, before) if not key else "0" * 64
                connection.execute(audit.LOG.insert().values({**forged, "mac": before}))
        checked = chain.check(log)
        assert checked.problems or checked.signed == 0
        if not key:
            real = Anchor(10, rows[-1]["mac"])
            assert "written anew" in chain.check(log, [real]).problems[0]


def test_an_end_without_signature_after_a_signed_beginning_is_named(log):
    before = audit.head(log.connect())[1]
    row = {"number": 11, "at": "x", "who": "mallory", "client": "", "request": "", "action": "x",
           "object": "x", "detail": "{}", "runs": "[]", "key": ""}  # fmt: skip
    with writing(log) as connection:
        forged = {**row, "mac": audit.Keys().mac(row, before)}
        connection.execute(audit.LOG.insert().values(forged))
    assert "entry 11 is not signed" in chain.check(log).problems[0]


def test_an_end_that_was_cut_off_is_told_by_the_anchor_alone(log, tmp_path):
    file = tmp_path / "elsewhere" / "anchors"
    anchor = chain.note_anchor(log, file)
    assert chain.note_anchor(log, file, anchor) == anchor, "an anchor is noted once"
    assert chain.read_anchors(file) == [anchor]
    unprotected(log)
    with writing(log) as connection:
        connection.execute(delete(audit.LOG).where(audit.LOG.c.number > 7))
    assert chain.check(log).problems == (), "the chain alone cannot tell"
    (problem,) = chain.check(log, chain.read_anchors(file)).problems
    assert "entries 8 to 10 are missing" in problem
    for _ in range(3):  # made as long again, it is another one
        audit.append(log, "saved", "x")
    assert "entry 10 is not the one" in chain.check(log, [anchor]).problems[0]


def test_a_line_of_anchors_that_was_cut_off_by_a_crash_is_left_out(log, tmp_path):
    file = tmp_path / "anchors"
    anchor = chain.note_anchor(log, file)
    file.write_text(file.read_text() + '{"number": 12, "m')
    assert chain.read_anchors(file) == [anchor]
    audit.append(log, "saved", "x")
    after = chain.note_anchor(log, file, anchor)
    assert chain.read_anchors(file) == [anchor, after], "the next one begins a line of its own"
    assert chain.read_anchor(str(anchor)) == anchor
    with pytest.raises(ArgumentError, match="is no anchor"):
        chain.read_anchor("12")


def test_after_a_change_of_key_the_old_part_needs_the_old_key(tmp_path):
    url = f"sqlite:///{tmp_path / 'log.sqlite'}"
    keys = {"old": ["o" * 32], "both": ["n" * 32, "o" * 32], "new": ["n" * 32]}
    found = {}
    for name, given in keys.items():
        engine = open_catalog(url, audit_keys=audit.read_keys(given))
        if name != "new":
            audit.append(engine, "saved", "x")
        found[name] = chain.check(engine)
        engine.dispose()
    assert found["old"].problems == found["both"].problems == ()
    assert found["both"].signed == 2
    assert "which is not here" in found["new"].problems[0]


def test_an_entry_says_who_asked_and_holds_what_no_database_refuses(log):
    token = ACTOR.set(Actor("ann", "pane", "req12345"))
    audit.append(log, "saved", "portfolio \0 \ud800 x" * 100)
    ACTOR.reset(token)
    newest = audit.listed(log, most=1)[0]
    assert (newest["who"], newest["client"], newest["request"]) == ("ann", "pane", "req12345")
    assert len(str(newest["object"])) == audit.LONGEST["object"]
    assert chain.check(log).problems == ()


def test_the_entries_of_a_run_are_its_askers(log):
    for who in ("ann", "bert"):
        token = ACTOR.set(Actor(who))
        audit.append(log, "computed", "cells", {}, ["0123456789ab"])
        ACTOR.reset(token)
    assert [e["who"] for e in audit.of_run(log, "0123456789ab", who="ann")] == ["ann"]


def test_what_is_gathered_is_on_record_when_the_server_has_stopped(log, tmp_path):
    trail = Trail(log, tmp_path / "anchors", every=3600.0)
    threads = [
        threading.Thread(
            target=lambda: [trail.gather(Entry("computed", "cells")) for _ in range(50)]
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trail.close()
    checked = chain.check(log, chain.read_anchors(tmp_path / "anchors"))
    assert (checked.entries, checked.anchors, checked.problems) == (210, 1, ())


def test_while_the_catalog_cannot_be_written_nothing_is_lost_and_in_the_end_refused(
    log, tmp_path, monkeypatch
):
    monkeypatch.setattr("tilt.api.trail.MOST", 3)
    trail = Trail(log, tmp_path / "anchors", every=3600.0)
    for _ in range(3):
        trail.gather(Entry("computed", "cells"))
    impatient = open_catalog(str(log.url), busy_seconds=0.05, audit_keys=KEYS)
    trail._engine = impatient
    with writing(log), pytest.raises(BusyError):
        trail.flush()
    with pytest.raises(BusyError, match="The audit cannot be written"):
        trail.gather(Entry("computed", "cells"))
    trail.flush()
    assert chain.check(log).entries == 13
    trail.close()
    impatient.dispose()


def test_a_flood_of_equal_refusals_is_one_entry_that_counts_them():
    ann = Actor("ann", "pane")
    flood = [Entry("refused", "GET a page", {"status": 401}, actor=ann)] * 1000
    made = counted([Entry("computed", "cells"), *flood, Entry("refused", "x", {"status": 401})])
    assert [(e.action, e.detail.get("times")) for e in made] == [
        ("computed", None), ("refused", 1000), ("refused", 1),
    ]  # fmt: skip


def test_bytes_of_two_different_rows_are_never_the_same():
    row = dict.fromkeys(("number", "at", "who", "client", "request", "action", "object", "detail",
                         "runs", "key"), "")  # fmt: skip
    made = {
        audit.canonical({**row, **dict(zip(pair, parts, strict=True))}, "")
        for pair in itertools.pairwise(row)
        for parts in (("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc"))
    }
    assert len(made) == 9 * 4 - 8, "a value at the end of a pair begins the next one"


def test_a_role_of_postgresql_that_may_only_add_can_use_the_log(postgres_server):
    url = postgres_server.new_database()
    engine = open_catalog(url, audit_keys=KEYS)
    audit.append(engine, "saved", "x")
    with writing(engine) as connection:
        connection.execute(text("CREATE ROLE writer"))
        connection.execute(text("GRANT SELECT, INSERT ON audit_log, audit_runs TO writer"))
        connection.execute(text("SET LOCAL ROLE writer"))
        audit.note(connection, "saved", "y")
    with writing(engine) as connection:
        connection.execute(text("SET LOCAL ROLE writer"))
        with pytest.raises(Exception, match="permission denied"):
            connection.execute(text("DELETE FROM audit_log"))
    assert chain.check(engine).entries == 2
    engine.dispose()


def test_what_a_job_changes_is_told_of_whoever_asked_for_it(log, tmp_path):
    ann = Actor("ann", "pane", "req12345")
    ACTOR.set(ann)
    with Jobs(log, tmp_path / "jobs", processes=0) as jobs:
        job = jobs.submit(json.dumps, {}, owner="ann", key="k", title="Refresh")
    ACTOR.set(audit.NOBODY)
    name = task_file(job.id)
    sha256 = hashlib.sha256((tmp_path / "jobs" / name).read_bytes()).hexdigest()
    task = Files(tmp_path / "jobs").read(name, sha256)
    assert task == (run_as, (ann, json.dumps, ({},)))
    run_as(None, ann, lambda _progress: audit.append(log, "refreshed", "universe X"), ())
    newest = audit.listed(log, most=1)[0]
    assert (newest["action"], newest["who"], newest["request"]) == ("refreshed", "ann", "req12345")
    assert ACTOR.get() == audit.NOBODY, "the next task of the process is somebody else's"
