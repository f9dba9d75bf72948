"""``tilt config``: a configuration saved from a file, listed, shown, and deleted."""

import json

import pytest

from tilt.cli import main


@pytest.fixture
def config(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TILT_DATA_URL", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, status: int = 0) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["config", *arguments])
        said = capsys.readouterr()
        assert int(ended.value.code or 0) == status, said.err
        return said.err if status else said.out

    return run


def test_a_configuration_is_saved_listed_shown_and_deleted(config, tmp_path):
    (tmp_path / "mine.json").write_text('{"optimization": {"objective": "min_te"}}')
    schema = json.loads(config("schema"))
    assert {"model", "optimization"} <= set(schema["properties"])
    kept = json.loads(config("save", "Core", "mine.json", "--json"))
    (row,) = json.loads(config("list", "--json"))
    assert (row["name"], row["id"]) == ("Core", kept["id"])
    (tmp_path / "shown.json").write_text(config("show", "core"))
    again = json.loads(config("save", "Copy", "shown.json", "--json"))
    assert again["id"] == kept["id"]
    config("delete", "Core")
    assert [r["name"] for r in json.loads(config("list", "--json"))] == ["Copy"]


def test_what_is_no_configuration_is_refused_and_nothing_is_saved(config, tmp_path):
    (tmp_path / "wrong.json").write_text('{"optimisation": {}}')
    assert "optimisation" in config("save", "Core", "wrong.json", status=2)
    assert "gone.json cannot be read" in config("save", "Core", "gone.json", status=2)
    assert json.loads(config("list", "--json")) == []
    assert "Core" in config("show", "Core", status=2)
