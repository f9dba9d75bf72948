"""Who may what, what sources sign in with, and who did what: the commands of an administrator."""

import json

import pytest
from typer.testing import CliRunner

from tilt.cli import app
from tilt.data.store import Store
from tilt.errors import DataError, UnknownNameError
from tilt.sealing import new_key
from tilt.settings import Settings

AUDIT_KEY = "a key of the audit, kept elsewhere"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TILT_DATA_URL", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments, typed=None):
        done = CliRunner().invoke(app, [str(a) for a in arguments], input=typed)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return run


def test_people_are_given_roles_and_grants_and_lose_them_all(run):
    run("user", "role", "anna", "viewer", "trader")
    run("user", "grant", "anna", "read,trade", "portfolio", "Growth")
    (person,) = json.loads(run("user", "list", "--json").stdout)
    assert (person["id"], person["roles"]) == ("anna", "trader, viewer")
    (grant,) = json.loads(run("user", "grants", "--json").stdout)
    assert (grant["who"], grant["name"], grant["verbs"]) == ("anna", "growth", "read, trade")
    with pytest.raises(UnknownNameError, match=r"Nobody is called 'ana'. Did you mean 'anna'"):
        run("user", "grant", "ana", "read", "portfolio", "Growth")
    assert "has no role and no grant any more" in run("user", "forget", "ANNA").stdout
    for what in ("list", "grants"):
        assert json.loads(run("user", what, "--json").stdout) == []


def test_a_credential_is_read_from_standard_input_and_shown_by_no_command(run, monkeypatch):
    monkeypatch.setenv("TILT_DATA_KEY", new_key())
    said = run("credential", "set", " research ", typed="a secret\n").stdout
    said += run("credential", "list").stdout + run("audit", "list").stdout
    assert said.count("research") == 3
    assert "a secret" not in said
    with pytest.raises(UnknownNameError, match=r"Did you mean 'research'\?.*tilt credential list"):
        run("credential", "remove", "reserch")
    assert run("credential", "remove", " research").stdout == "research is removed.\n"
    assert json.loads(run("credential", "list", "--json").stdout) == []


def test_an_export_of_the_audit_is_whole_or_not_there(run, tmp_path, monkeypatch):
    run("user", "role", "anna", "viewer")
    file = tmp_path / "audit.jsonl"
    done = json.loads(run("audit", "export", file, "--json").stdout)
    (line,) = file.read_text().splitlines()
    assert done["anchor"] == f"1:{json.loads(line)['mac']}"
    assert run("audit", "verify", "--anchor", done["anchor"]).exit_code == 0
    with pytest.raises(DataError, match=r"audit.jsonl cannot be written \(File exists\)"):
        run("audit", "export", file)
    assert file.read_text().splitlines() == [line]

    def lost(*_, **__):
        raise DataError("The catalog does not answer.")

    monkeypatch.setattr("tilt.audit.following", lost)
    with pytest.raises(DataError, match="does not answer"):
        run("audit", "export", tmp_path / "again.jsonl")
    assert not list(tmp_path.glob("*again.jsonl*"))


def test_who_ran_a_command_is_as_the_system_knows_them_not_as_they_say(run, monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "mallory")
    run("user", "role", "anna", "viewer")
    (entry,) = json.loads(run("audit", "list", "--json").stdout)
    assert entry["who"].endswith(" (command)")
    assert "mallory" not in entry["who"]


@pytest.mark.parametrize(("key", "remedy"), [("", "set TILT_AUDIT_KEY"), (AUDIT_KEY, "an anchor")])
def test_entries_that_are_not_signed_are_told_with_what_can_be_done(run, monkeypatch, key, remedy):
    run("user", "role", "anna", "viewer")
    monkeypatch.setenv("TILT_AUDIT_KEY", key)
    assert remedy in json.loads(run("audit", "verify", "--json").stdout)["note"]


def test_a_damaged_note_of_an_import_is_found_and_told(run, tmp_path):
    Store.open(Settings(data_url=str(tmp_path / "data"))).close()
    folder = tmp_path / "data" / "imports" / "MINE"
    folder.mkdir(parents=True)
    (folder / "notes.json").write_text('[{"origin": "a.csv", "wh')
    done = run("verify", "--json")
    assert done.exit_code == 1
    (damage,) = json.loads(done.stdout)["damaged"]
    assert (damage["part"], damage["what"]) == ("imports", "imports/MINE/notes.json")
    said = run("refresh", "--source", "import:MINE").output
    assert "imports/MINE/notes.json is damaged" in said
    assert "import again" in said
