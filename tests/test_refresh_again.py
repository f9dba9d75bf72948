"""The second refresh and the ones after it: what is taken over, what is told, who may work."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tilt.cli import main
from tilt.data.store import Store
from tilt.errors import BusyError, UnknownNameError
from tilt.factors.history import estimate_history
from tilt.refresh import due, refresh
from tilt.refresh.estimates import kept_model, same_past
from tilt.refresh.lock import only_refresh
from tilt.risk.model import estimate_model
from tilt.risk.stored import model_of_tables, tables_of_model
from tilt.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(data_url=str(tmp_path / "store"))


@pytest.fixture
def opened(settings):
    store = Store.open(settings)
    yield store
    store.close()


def write_folder(folder, days):
    """Files of forty companies in two sectors, of the first ``days`` of 330 days."""
    rng = np.random.default_rng(0)
    names = [f"T{i:02d}" for i in range(40)]
    dates = pd.bdate_range("2018-01-01", periods=330)
    walk = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, (330, 40)), axis=0))
    wide = pd.DataFrame(walk, dates, names).rename_axis("date").iloc[:days].reset_index()
    folder.mkdir(exist_ok=True)
    long = wide.melt("date", var_name="ticker", value_name="close").assign(volume=1e6)
    long.to_parquet(folder / "prices.parquet")
    figures = pd.concat(
        pd.DataFrame({"date": d, "symbol": names, "price": walk[dates.get_loc(d)]})
        for d in dates[:days:20]
    )
    figures.assign(market_cap=figures["price"] * 1e8).to_parquet(folder / "key_figures.parquet")
    sectors = pd.DataFrame({"ticker": names, "sector": ["Energy", "Utilities"] * 20})
    sectors.to_parquet(folder / "securities.parquet")
    return folder


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A store that was refreshed with 310 days, then with two more, and what it said each time."""
    folder = tmp_path_factory.mktemp("grown")
    settings = Settings(data_url=str(folder / "store"))
    store = Store.open(settings)
    first = refresh(store, settings, source=str(write_folder(folder / "forty", 310)))
    write_folder(folder / "forty", 312)
    second = refresh(store, settings)
    yield store, settings, first, second
    store.close()


def test_new_days_extend_the_history_to_what_a_full_estimate_gives(grown):
    store, _, first, second = grown
    before, after = (store.panel(snapshot=r.snapshot.id) for r in (first, second))
    assert len(after.factors.dates) == len(before.factors.dates) + 2
    assert same_past(before, after)
    full = estimate_history(after)
    for name in ("returns", "t_stats", "specific_returns", "market_cap", "factors"):
        pd.testing.assert_frame_equal(
            getattr(after.factors, name), getattr(full, name), check_exact=True
        )
    np.testing.assert_array_equal(after.factors.styles, full.styles)
    np.testing.assert_array_equal(after.factors.imputed, full.imputed)
    pd.testing.assert_series_equal(after.factors.r2, full.r2, check_exact=True)


@given(new=st.integers(1, 40))
@hypothesis_settings(max_examples=8)
def test_a_history_extended_by_any_number_of_days_is_the_full_one(grown, new):
    store, _, _, second = grown
    panel = store.panel(snapshot=second.snapshot.id)
    bare = replace(panel, factor_history=None)
    earlier = estimate_history(bare.until(panel.dates[-1 - new]))
    full = estimate_history(bare)
    made = estimate_history(bare, earlier=earlier)
    np.testing.assert_array_equal(made.styles, full.styles)
    pd.testing.assert_frame_equal(made.returns, full.returns, check_exact=True)
    pd.testing.assert_frame_equal(made.specific_returns, full.specific_returns, check_exact=True)


@pytest.mark.parametrize("field", ["close", "returns", "volume", "market_cap"])
def test_a_value_of_the_past_that_changed_is_not_the_same_past(grown, field):
    store, _, first, second = grown
    before, after = (store.panel(snapshot=r.snapshot.id) for r in (first, second))
    values = getattr(after, field).copy()
    values.iloc[100, 3] += 1e-12 * abs(values.iloc[100, 3]) + 1e-15
    assert not same_past(before, replace(after, **{field: values}))
    moved = after.securities.assign(sector=after.securities["sector"].to_numpy()[::-1])
    assert not same_past(before, replace(after, securities=moved))


def test_a_refresh_says_what_is_new(grown):
    _, _, first, second = grown
    told = first.as_json()
    assert (told["days_added"], told["parent"], told["securities"]) == (310, "", 40)
    told = second.as_json()
    assert told["parent"] == first.snapshot.id
    assert (told["days_added"], told["days_removed"], told["values_changed"]) == (2, 0, 0)
    assert (told["securities_added"], told["securities_gone"]) == ([], [])
    assert list(told["seconds"]) == ["fetch", "compare", "check", "factors", "model", "write"]
    assert second.findings_new["severity"].value_counts().to_dict() == {
        k: v for k, v in told["findings_new"].items() if v
    }


def test_a_third_refresh_has_nothing_to_do(grown):
    store, settings, _, second = grown
    third = refresh(store, settings)
    assert third.nothing_new
    assert third.snapshot.id == second.snapshot.id
    assert third.findings_new.empty
    assert list(third.seconds) == ["fetch", "compare"]


def test_the_snapshot_keeps_the_risk_model_of_its_last_day(grown):
    store, _, first, second = grown
    panel = store.panel(snapshot=second.snapshot.id)
    kept = kept_model(store, panel, panel.as_of)
    made = estimate_model(
        panel.factors, panel.as_of, universe=panel.universe, snapshot=panel.snapshot
    )
    pd.testing.assert_frame_equal(kept.exposures, made.exposures)
    pd.testing.assert_frame_equal(kept.factor_cov, made.factor_cov)
    pd.testing.assert_series_equal(kept.specific_var, made.specific_var, check_names=False)
    pd.testing.assert_series_equal(kept.groups, made.groups, check_names=False)
    assert (kept.date, kept.horizon, kept.notes) == (made.date, made.horizon, made.notes)
    assert (kept.universe, kept.snapshot) == (made.universe, made.snapshot)
    assert kept_model(store, panel, panel.dates[-2]) is None
    older = store.panel(snapshot=first.snapshot.id)
    assert kept_model(store, older, older.as_of).date == older.as_of


def test_a_model_comes_back_from_its_tables_as_it_was(grown):
    store, _, _, second = grown
    panel = store.panel(snapshot=second.snapshot.id)
    made = estimate_model(panel.factors, panel.as_of, universe="U", snapshot="s")
    again = model_of_tables(tables_of_model(made), universe="U", snapshot="s")
    weights = panel.cap_weights(panel.as_of).reindex(made.assets).fillna(0.0)
    assert again.variance(weights) == made.variance(weights)
    assert again.sector.equals(made.sector)


def test_each_universe_remembers_its_source(grown, tmp_path):
    store, _, _, second = grown
    (mine,) = due(store)
    assert (mine.source, mine.universe) == (second.snapshot.source, "FORTY")
    assert due(store, universe="forty") == [mine]
    with pytest.raises(UnknownNameError, match=r"Unknown universe 'FORT'. Did you mean 'FORTY'"):
        due(store, universe="FORT")
    empty = Store.open(Settings(data_url=str(tmp_path)))
    assert [d.source for d in due(empty)] == ["sample"]
    empty.close()


def test_a_source_can_be_kept_under_another_name(opened, settings, tmp_path):
    made = refresh(
        opened, settings, source=str(write_folder(tmp_path / "files", 30)), universe="Other"
    )
    assert made.snapshot.universe == "Other"
    assert [d.universe for d in due(opened)] == ["Other"]
    assert refresh(opened, settings, universe="OTHER").nothing_new


def test_a_second_refresh_of_the_same_universe_is_told_and_does_nothing(opened, settings, tmp_path):
    folder = write_folder(tmp_path / "files", 30)
    made = refresh(opened, settings, source=str(folder)).snapshot
    write_folder(folder, 31)
    for held in (made.source, "files"):  # the source, or the universe
        with (
            only_refresh(opened.catalog, settings.data_path / "locks", held),
            pytest.raises(BusyError, match=r"is being refreshed already, by process \d+ since"),
        ):
            refresh(opened, settings)
    assert opened.snapshot().id == made.id
    assert refresh(opened, settings).as_json()["days_added"] == 1


def test_two_universes_are_refreshed_at_the_same_time(opened, settings, tmp_path):
    folder = write_folder(tmp_path / "files", 30)
    with only_refresh(opened.catalog, settings.data_path / "locks", "another"):
        assert refresh(opened, settings, source=str(folder)).snapshot.universe == "FILES"


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TILT_DATA_URL", str(tmp_path / "store"))

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["refresh", *arguments])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return run


def test_the_command_refreshes_every_universe_and_says_what_is_new(command, tmp_path):
    one = write_folder(tmp_path / "one", 30)
    code, out, _ = command("--source", str(one))
    assert code == 0
    assert "ONE, 40 securities, from files:" in out
    assert "none: it is the first one" in out
    two = write_folder(tmp_path / "two", 30)
    assert command("--source", str(two))[0] == 0
    write_folder(two, 32)
    code, out, _ = command("--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(d["universe"], d["days_added"], d["nothing_new"]) for d in lines] == [
        ("ONE", 0, True),
        ("TWO", 2, False),
    ]


def test_the_exit_status_tells_a_scheduler_what_to_do(command, tmp_path, settings):
    one, two = (write_folder(tmp_path / name, 30) for name in ("one", "two"))
    assert command("--source", str(one))[0] == 0
    assert command("--source", str(two))[0] == 0
    store = Store.open(settings)
    with only_refresh(store.catalog, settings.data_path / "locks", "one"):
        code, out, err = command()
    assert code == 75  # try again later; the other one was refreshed
    assert "ONE: 'ONE' is being refreshed already" in err
    assert "TWO, 40 securities" in out
    store.close()
    (one / "prices.parquet").write_bytes(b"nonsense")
    code, out, err = command()
    assert code == 2
    assert "ONE: prices.parquet" in err
    assert "TWO, 40 securities" in out
    assert command("--source", "nowhere")[0] == 2
