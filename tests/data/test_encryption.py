"""Encryption switched on, changed and switched off: stopped anywhere, nothing is lost."""

import datetime as dt
import json
import shutil

import pandas as pd
import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from tilt import sealing
from tilt.cli import app
from tilt.configuration import saved
from tilt.configuration.settings import Configuration
from tilt.data import credentials, encryption, packs, portfolios, runs, tables, trials
from tilt.data.backup import copy_store
from tilt.data.catalog import reading, writing
from tilt.data.store import Store
from tilt.data.verification import verify
from tilt.errors import DataError
from tilt.jobs import Jobs
from tilt.jobs.files import DamagedFileError, Files, LockedFileError
from tilt.jobs.repeats import Answer, Repeats
from tilt.settings import Settings

OLD, NEW = sealing.new_key(), sealing.new_key()
SECRETS = (b"Canary Fund", b"CNRYTICK", b"canary.csv", b"canary-answer", b"canary-result")
DAY = pd.Timestamp("2020-01-02")
HELD = pd.Series({"CNRYTICK": 0.25, "OTHER": 0.1 + 0.2})
OFF, ON = {"data_key": OLD}, {"data_key": OLD, "encrypt": "portfolios"}
ROTATED = {"data_key": NEW, "data_keys_old": (OLD,), "encrypt": "portfolios"}


@pytest.fixture
def opened(tmp_path):
    """Open the store of one folder with other keys."""
    stores = []

    def opened(**keys):
        stores.append(Store.open(Settings(data_url=str(tmp_path / "store"), **keys)))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


def fill(store, folder):
    """Keep one of everything that may hold holdings; return the files' hashes."""
    catalog = store.catalog
    for day in (None, DAY):
        store.save_portfolio("Canary Fund", HELD, "canary.csv", as_of=day)
    store.save_portfolio("Other", HELD, "canary.csv")
    credentials.save(catalog, "research", "canary-password")
    saved.save(catalog, "Mine", Configuration())
    question = {"holdings": {"CNRYTICK": 0.25}}
    told = ("OPTIMIZE", "of Canary Fund", "U", "s1", question, {}, (), "1", {})
    runs.record(catalog, "ann", runs.Run("abcdefabcdef", *told))
    whose = packs.Whose("ann", "Canary Fund", saved=True)
    made = dt.datetime(2020, 1, 3, tzinfo=dt.UTC)
    packs.record(catalog, packs.Pack(whose, "portfolio", "U", DAY, "s1", made, {"CNRYTICK": 1}))
    returns = pd.Series([0.01, 0.02], index=pd.DatetimeIndex([DAY, DAY + pd.Timedelta(days=1)]))
    trials.record(catalog, "ann", "book.xlsx", trials.Trial("r1", "U", "CNRYTICK", 1.0, returns))
    repeats = Repeats(catalog)
    repeats.begin("ann", "key1", "f" * 64)
    repeats.finish("ann", "key1", Answer("f" * 64, 200, "application/json", b"canary-answer"))
    files = Files(folder / "jobs", sealing.seal_of(catalog))
    (folder / "reports").mkdir(exist_ok=True)
    report = folder / "reports" / "abc-def.xlsx"
    encryption.keep_report(report, b"canary-result", sealing.seal_of(catalog))
    return files.write("a1-1.result", {"weights": {"CNRYTICK": "canary-result"}})


def read_all(store, folder, sha256):
    """Read everything that was kept, and compare it."""
    catalog, seal = store.catalog, sealing.seal_of(store.catalog)
    for name, date in (("canary fund", None), ("Canary Fund", DAY), ("Other", None)):
        held = store.portfolio(name, date)
        assert held.to_dict() == HELD.to_dict()
    assert list(store.portfolios()["source"]) == ["canary.csv"] * 2
    assert list(store.portfolio_names()) == ["Canary Fund", "Other"]
    assert credentials.read(catalog, "research") == "canary-password"
    assert saved.read(catalog, "mine") == Configuration()
    assert runs.find(catalog, "ann", "abcdefabcdef").question["holdings"] == {"CNRYTICK": 0.25}
    assert list(runs.listed(catalog, "ann", most=5)["subject"]) == ["of Canary Fund"]
    assert packs.listed(catalog, "ann", most=5)["portfolio"].tolist() == ["Canary Fund"]
    tried = trials.tried(catalog, "ann", "book.xlsx", "U")
    assert tried["strategy"].tolist() == ["CNRYTICK"]
    sessions = pd.DatetimeIndex([DAY, DAY + pd.Timedelta(days=1)])
    found = trials.returns_of(catalog, "ann", "book.xlsx", "U", sessions)
    assert found["r1"].tolist() == [0.01, 0.02]
    assert Repeats(catalog).begin("ann", "key1", "f" * 64).body == b"canary-answer"
    result = Files(folder / "jobs", seal).read("a1-1.result", sha256)
    assert result == {"weights": {"CNRYTICK": "canary-result"}}
    report = folder / "reports" / "abc-def.xlsx"
    assert encryption.read_report(report, seal) == b"canary-result"


def found_in(folder):
    """Return which secrets stand in which files of a folder."""
    contents = {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {(secret, name) for name, c in contents.items() for secret in SECRETS if secret in c}


def test_a_store_is_encrypted_gets_another_key_and_is_decrypted_and_nothing_is_lost(
    opened, tmp_path
):
    folder = tmp_path / "store"
    before = opened(**OFF)
    sha256 = fill(before, folder)
    read_all(before, folder, sha256)
    before.close()
    assert {secret for secret, _ in found_in(folder)} == set(SECRETS), "the search finds them"
    for keys, key in ((ON, OLD), (ROTATED, NEW)):
        store = opened(**keys)
        assert encryption.apply(store.catalog, folder) > 10
        assert encryption.apply(store.catalog, folder) == 0, "all is done"
        encryption.forget_pages(store.catalog)
        read_all(store, folder, sha256)
        used = set(encryption.survey(store.catalog, folder)["key"])
        assert used == {sealing.read_seal(key, [], on=True).id}
        store.close()
        left = found_in(folder)
        audited = {b"Canary Fund"}  # before it was encrypted, the audit named it; it is not changed
        assert {secret for secret, _ in left} <= audited
    store = opened(data_key=NEW)
    encryption.apply(store.catalog, folder)
    read_all(store, folder, sha256)
    assert set(encryption.survey(store.catalog, folder)["key"]) == {
        encryption.PLAIN, sealing.read_seal(NEW, [], on=False).id
    }  # fmt: skip


class StoppedError(Exception):
    """The work was interrupted."""


@pytest.mark.parametrize("keys", [ON, ROTATED, {"data_key": NEW, "data_keys_old": (OLD,)}])
def test_stopped_after_any_step_all_is_readable_and_the_work_goes_on(opened, tmp_path, keys):
    folder = tmp_path / "store"
    first = opened(**(OFF if keys is ON else ON))
    sha256 = fill(first, folder)
    first.close()
    store = opened(**keys)
    written, rounds = -1, 0
    while written:

        def stop(_what, done):
            if done:
                raise StoppedError

        try:
            written = encryption.apply(store.catalog, folder, stop)
        except StoppedError:
            rounds += 1
        read_all(store, folder, sha256)
    assert rounds > 10, "it was stopped after each step that writes"
    assert verify(store, Settings(data_url=str(folder), **keys))[0].empty


def test_a_store_without_its_key_says_which_one_and_is_as_good_as_ever_with_it(opened, tmp_path):
    folder = tmp_path / "store"
    sha256 = fill(opened(**ON), folder)
    key = sealing.read_seal(OLD, [], on=True).id
    for keys in ({}, {"data_key": NEW}):
        other = opened(**keys)
        seal = sealing.seal_of(other.catalog)
        for read in (
            lambda other=other: other.portfolio("Canary Fund"),
            lambda other=other: other.portfolios(),
            lambda other=other: runs.find(other.catalog, "ann", "abcdefabcdef"),
            lambda other=other: credentials.read(other.catalog, "research"),
            lambda other=other: encryption.apply(other.catalog, folder),
        ):
            with pytest.raises(DataError, match=key):
                read()
        with pytest.raises(LockedFileError, match=key):
            Files(folder / "jobs", seal).read("a1-1.result", sha256)
    read_all(opened(**ON), folder, sha256)


def test_rows_that_change_places_are_noticed_and_told_with_their_cure(opened, tmp_path):
    folder = tmp_path / "store"
    store = opened(**ON)
    fill(store, folder)
    book = tables.books.c
    with reading(store.catalog) as connection:
        rows = connection.execute(select(book.portfolio, book.as_of, book.sealed)).all()
    one = next(r for r in rows if r.as_of == DAY.date())
    other = next(r for r in rows if r.portfolio != one.portfolio)
    with writing(store.catalog) as connection:
        mine = update(tables.books).where(book.portfolio == one.portfolio, book.as_of == one.as_of)
        connection.execute(mine.values(sealed=other.sealed))
    name = portfolios.names_by_id(store.catalog)[one.portfolio]
    with pytest.raises(DataError, match="not what was encrypted"):
        store.portfolio(name, DAY)
    table, checked = verify(store, Settings(data_url=str(folder), **ON))
    assert table[["part", "what"]].to_numpy().tolist() == [
        ["encryption", f"portfolio {one.portfolio}"]
    ]
    assert "backup" in table["cure"].iloc[0]
    assert checked["encryption"] > 10


def test_a_job_that_is_canceled_says_so_encrypted_too(opened, tmp_path):
    store = opened(**ON)
    folder = tmp_path / "store"
    with Jobs(store.catalog, folder / "jobs", processes=0) as jobs:
        job = jobs.submit(json.dumps, {}, owner="ann", key="k", title="Of Canary Fund")
        assert jobs.cancel(job.id, "ann").title == "Of Canary Fund"
        assert jobs.get(job.id, "ann").error == "It was canceled."
    assert set(encryption.survey(store.catalog, folder)["key"]) == {
        sealing.seal_of(store.catalog).id
    }


def test_a_file_of_a_job_in_the_place_of_another_is_never_loaded(opened, tmp_path):
    store = opened(**ON)
    files = Files(tmp_path / "jobs", sealing.seal_of(store.catalog))
    sha256 = files.write("a-1.result", "mine")
    shutil.copy(tmp_path / "jobs" / "a-1.result", tmp_path / "jobs" / "b-1.result")
    with pytest.raises(DamagedFileError, match="for another place"):
        files.read("b-1.result", sha256)


def test_two_results_of_the_same_content_have_different_hashes(opened, tmp_path):
    files = Files(tmp_path / "jobs", sealing.seal_of(opened(**ON).catalog))
    assert files.write("a-1.result", "guess") != files.write("b-1.result", "guess")


def test_a_backup_stays_encrypted_and_is_restored_with_the_key_only(opened, tmp_path, monkeypatch):
    folder = tmp_path / "store"
    sha256 = fill(opened(**ON), folder)
    backup = Store.open(Settings(data_url=str(tmp_path / "backup"), **ON))
    copy_store(opened(**ON), backup)
    backup.close()
    assert not found_in(tmp_path / "backup")
    for name, value in (("DATA_URL", tmp_path / "new"), ("DATA_KEY", ""), ("ENCRYPT", "")):
        monkeypatch.setenv(f"TILT_{name}", str(value))
    refused = CliRunner().invoke(app, ["restore", str(tmp_path / "backup")])
    assert sealing.read_seal(OLD, [], on=True).id in str(refused.exception)
    monkeypatch.setenv("TILT_DATA_KEY", OLD)
    monkeypatch.setenv("TILT_ENCRYPT", "portfolios")
    done = CliRunner().invoke(app, ["restore", str(tmp_path / "backup")])
    assert done.exit_code == 0, done.exception
    again = Store.open(Settings(data_url=str(tmp_path / "new"), **ON))
    assert again.portfolio("Canary Fund").to_dict() == HELD.to_dict()
    assert sha256
    again.close()
