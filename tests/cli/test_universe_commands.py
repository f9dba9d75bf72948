"""Universes on the command line: listed, made by a rule, shown, deleted."""

import json
import logging
import shutil

import pytest

from tilt.cli import main


@pytest.fixture(scope="module")
def folder(store, sample_settings, tmp_path_factory):
    assert store.snapshot()
    copy = tmp_path_factory.mktemp("universes") / "data"
    shutil.copytree(sample_settings.data_url, copy)
    return copy


@pytest.fixture
def tilt(folder, monkeypatch, capsys):
    """Run a command; return its exit status and what it printed."""
    monkeypatch.setenv("TILT_DATA_URL", str(folder))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # those of a server in this process

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["universe", *arguments])
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


def test_a_universe_is_made_shown_listed_and_deleted(tilt):
    made = ("create", "ENERGY20", "-r", "sector=Energy", "-r", "top=20", "-r", "rebalance=M")
    code, out, _ = tilt(*made)
    assert code == 0
    assert "20 on 2017-06-30" in out
    code, out, _ = tilt("show", "energy20", "--json")
    shown = json.loads(out)
    assert (len(shown["members"]), shown["parent"]) == (20, "US_LARGE_CAP")
    assert shown["rule"] == "the 20 largest; of Energy; weighted by market cap; reviewed monthly"
    names = [row["name"] for row in json.loads(tilt("list", "--json")[1])]
    assert names == ["US_LARGE_CAP", "ENERGY20"]
    assert "ENERGY20" in tilt("list")[1]
    assert tilt("delete", "ENERGY20")[0] == 0
    assert "ENERGY20" not in tilt("list")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "X", "-r", "topp=3"), "Did you mean 'top'"),
        (("create", "X", "-r", "top"), "is not of the form key=value"),
        (("create", "AAPL", "-r", "top=3"), "'AAPL' is a ticker"),
        (("create", "X", "-r", "tickers=AAPL;APPL"), "Unknown ticker 'APPL'"),
        (("show", "US_LARGE_KAP"), "Did you mean 'US_LARGE_CAP'"),
        (("delete", "US_LARGE_CAP"), "No universe made by a rule is named 'US_LARGE_CAP'"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_status_2(tilt, arguments, words):
    code, _, err = tilt(*arguments)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1
