"""The command that lists the sources."""

import json

import pytest

from tilt.cli import main


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TILT_DATA_URL", str(tmp_path))


def run(*arguments):
    with pytest.raises(SystemExit) as done:
        main(["sources", *arguments])
    assert done.value.code == 0


def test_sources_are_listed_with_what_to_write_or_the_cure(capsys):
    run()
    said = capsys.readouterr().out
    assert "Yahoo Finance (ready)" in said
    assert 'tilt refresh --source "yahoo:AAPL,MSFT"' in said
    assert "Bloomberg (not available)" in said
    assert "Neither blpapi nor xbbg is installed." in said


def test_machines_get_every_column(capsys):
    run("--json")
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["sample"]["available"] is True
    assert rows["merge"]["cure"] == "Write [merge.NAME] with sources = [...] in tilt.toml."


def test_a_merge_of_the_settings_file_is_ready(tmp_path, capsys):
    text = '[merge.US]\nsources = ["files:a", "yahoo:AAPL"]\n'
    (tmp_path / "tilt.toml").write_text(text)
    run("--json")
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["merge"]["available"] is True
