"""Old snapshots go by rule and never the current one; damage is found and named."""

import datetime as dt
import json

import pytest
from typer.testing import CliRunner

from tilt.cli import app
from tilt.data import retention
from tilt.data.named import open_files
from tilt.data.store import Store
from tilt.errors import ArgumentError, UnknownNameError
from tilt.jobs.ledger import Ledger

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def filled(either_settings, make):
    """A store of either kind with five snapshots of one universe and one of another."""
    store = Store.open(either_settings)
    given = make.small()
    record = make.record(given)
    for snapshot in ("s1", "s2", "s3", "s4", "s5"):
        store.publish(snapshot, given, record)
    make.publish(store, make.small("OTHER"), "o1")
    yield store
    store.close()


def fates(plan):
    return dict(zip(plan["snapshot"], plan["fate"], strict=True))


def test_the_last_ones_and_the_young_ones_stay(filled):
    later = NOW + dt.timedelta(days=100)
    plan = retention.plan(filled, keep=2, days=30, now=later)
    assert plan["snapshot"].tolist() == ["o1", "s5", "s4", "s3", "s2", "s1"]
    assert [s for s, fate in fates(plan).items() if fate == "goes"] == ["s3", "s2", "s1"]
    assert plan["why"].tolist()[:3] == ["current", "current", "one of the last 2"]
    assert (plan["bytes"] > 1000).all()
    young = retention.plan(filled, keep=1, days=30, now=NOW)
    assert set(young["fate"]) == {"kept"}
    with pytest.raises(ArgumentError, match="At least the last snapshot is kept"):
        retention.plan(filled, keep=0, days=30, now=NOW)


def test_pruned_snapshots_are_gone_with_their_files_and_the_rest_is_whole(filled, either_settings):
    plan = retention.plan(filled, keep=1, days=0, now=NOW + dt.timedelta(days=1))
    moment = filled.snapshots("TEST")[-1].published
    filled.make_current("s2")  # meanwhile
    assert retention.prune(filled, plan) == ["s4", "s3", "s1"]
    assert [s.id for s in filled.snapshots("TEST")] == ["s2", "s5"]
    names = open_files(either_settings).listed("snapshots")
    assert {name.split("/")[1] for name in names} == {"s2", "s5", "o1"}
    assert retention.verify(filled, filled.snapshots()).empty
    with pytest.raises(UnknownNameError, match=r"There is no snapshot 's1'.*or pruned"):
        filled.snapshot_at("TEST", moment)


def test_results_that_rest_on_a_snapshot_are_counted(filled):
    ledger = Ledger(filled.catalog)
    for job, snapshot in (("j1", "s1"), ("j2", "s1.rule"), ("j3", "s2")):
        ledger.add(
            job=job, key=job, owner="me", title="t", function="f", task="0", most=9,
            snapshot=snapshot,
        )  # fmt: skip
        if job != "j3":
            ledger.finish(ledger.claim("here"), "0")
    plan = retention.plan(filled, keep=1, days=0, now=NOW).set_index("snapshot")
    assert plan.loc[["s1", "s2"], "results"].tolist() == [2, 0]


def test_the_commands_list_check_and_remove(settings, make, monkeypatch):
    store = Store.open(settings)
    for seed in (3, 4, 5):
        make.publish(store, make.small(seed=seed), f"s{seed}")
    store.close()
    monkeypatch.setenv("TILT_DATA_URL", settings.data_url)

    def run(*words, status=0):
        done = CliRunner().invoke(app, ["data", *words, "--json"])
        assert done.exit_code == status, done.output
        return json.loads(done.stdout)

    listed = run("snapshots")
    assert [(r["snapshot"], r["current"]) for r in listed] == [
        ("s5", "yes"),
        ("s4", ""),
        ("s3", ""),
    ]
    assert run("verify") == []
    path = settings.data_path / "snapshots" / "s3" / "panel.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    (damaged,) = run("verify", status=1)
    assert (damaged["snapshot"], damaged["file"]) == ("s3", "panel.parquet")
    assert "Run 'tilt refresh'" in damaged["problem"]
    asked = ("prune", "--keep", "1", "--days", "0")
    dry = run(*asked, "--dry-run")
    assert [r["fate"] for r in dry["plan"]] == ["kept", "goes", "goes"]
    assert dry["removed"] == []
    assert run(*asked)["removed"] == ["s4", "s3"]
    assert [r["snapshot"] for r in run("snapshots")] == ["s5"]
    said = CliRunner().invoke(app, ["data", *asked]).stdout
    assert "0 snapshots removed" in said
