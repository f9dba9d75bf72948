import shutil

import numpy as np
import pandas as pd
import pytest

from tilt.data.sources.registry import find_source
from tilt.data.store import Store
from tilt.errors import ArgumentError, DataError, UnknownNameError
from tilt.factors.history import estimate_history
from tilt.factors.styles import STYLES
from tilt.refresh import refresh, snapshot_id
from tilt.settings import Settings


def test_a_second_refresh_of_the_same_data_does_nothing(store, sample_settings):
    before = store.snapshot()
    folder = sample_settings.data_path / "snapshots" / before.id
    written = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    stages = []
    after = refresh(
        store, sample_settings, progress=lambda stage, done: stages.append((stage, done))
    )
    assert (after.snapshot, after.nothing_new) == (before, True)
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == written
    assert stages == [("fetch", 0.0), ("compare", 0.2), ("done", 1.0)]


def test_the_sample_comes_with_its_portfolio_and_a_factor_history(store, panel):
    assert store.portfolio("SAMPLE").sum() == pytest.approx(0.98)
    history = panel.factors
    assert history.dates[-1] == panel.as_of
    assert history.style_names == [style.name for style in STYLES]


def test_the_stored_factor_history_is_the_one_the_panel_gives(panel):
    again, stored = estimate_history(panel), panel.factors
    pd.testing.assert_frame_equal(stored.returns, again.returns)
    pd.testing.assert_frame_equal(stored.t_stats, again.t_stats)
    pd.testing.assert_series_equal(stored.r2, again.r2)
    pd.testing.assert_frame_equal(stored.factors, again.factors)
    pd.testing.assert_frame_equal(stored.specific_returns, again.specific_returns)
    pd.testing.assert_frame_equal(stored.market_cap, again.market_cap)
    np.testing.assert_array_equal(stored.styles, again.styles)
    np.testing.assert_array_equal(stored.imputed, again.imputed)
    date = panel.as_of
    pd.testing.assert_frame_equal(stored.exposures(date), again.exposures(date))


@pytest.fixture
def settings(tmp_path):
    return Settings(data_url=str(tmp_path / "store"))


@pytest.fixture
def own_files(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    days = pd.bdate_range("2020-01-01", periods=5).strftime("%Y-%m-%d")
    rows = [f"{d},{t},{10 + i},1000" for i, d in enumerate(days) for t in ("A", "NA")]
    (folder / "prices.csv").write_text("\n".join(["date,ticker,close,volume", *rows]))
    return folder


def test_a_users_own_folder_goes_the_same_way_as_the_sample(settings, own_files):
    store = Store.open(settings)
    stages = []
    made = refresh(
        store, settings, source=str(own_files), progress=lambda *told: stages.append(told[1])
    ).snapshot
    assert (made.universe, made.source, made.securities) == ("MINE", f"files:{own_files}", 2)
    assert stages == sorted(stages)
    assert stages[-1] == 1.0
    panel = store.panel("mine")
    assert panel.assets.tolist() == ["A", "NA"]
    np.testing.assert_allclose(panel.returns["NA"].iloc[1:], [1 / 10, 1 / 11, 1 / 12, 1 / 13])
    assert panel.factor_history is None  # there are no caps to weigh by
    store.close()


def test_a_universe_too_small_for_factors_is_published_without_them_and_says_why(
    settings, own_files
):
    days = pd.bdate_range("2020-01-01", periods=5).strftime("%Y-%m-%d")
    (own_files / "key_figures.csv").write_text(
        f"date,symbol,price,market_cap\n{days[0]},A,10,5e7\n{days[0]},NA,10,6e7\n"
    )
    (own_files / "securities.csv").write_text("ticker,sector\nA,Energy\nNA,Energy\n")
    store = Store.open(settings)
    made = refresh(store, settings, source=str(own_files)).snapshot
    assert not made.has_factors
    assert store.panel().cap_weights(store.panel().as_of).sum() == pytest.approx(1.0)
    (row,) = store.findings(severity="error").to_dict("records")
    assert row["check"] == "no_factor_model"
    assert "too few members with a price, a market cap and a sector on every date" in row["detail"]
    assert row["action"].startswith("Kept: published without factors")
    with pytest.raises(ArgumentError, match=r"has no factor model. The finding 'no_factor_model'"):
        _ = store.panel().factors
    store.close()


def test_prices_alone_are_published_and_the_missing_model_is_a_finding(settings, own_files):
    store = Store.open(settings)
    refresh(store, settings, source=str(own_files))
    found = store.findings().set_index("check")["detail"]
    assert found["no_factor_model"] == "There are no market caps."
    store.close()


def test_a_style_without_data_is_a_finding(settings, tmp_path):
    rng = np.random.default_rng(0)
    names = [f"T{i:02d}" for i in range(40)]
    days = pd.bdate_range("2018-01-01", periods=320)
    walk = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, (320, 40)), axis=0))
    prices = pd.DataFrame(walk, days, names).rename_axis("date").reset_index()
    folder = tmp_path / "priced"
    folder.mkdir()
    long = prices.melt("date", var_name="ticker", value_name="close").assign(volume=1e6)
    long.to_parquet(folder / "prices.parquet")
    listed = [d for d in days if d.is_month_end or d == days[0]]
    figures = pd.concat(
        pd.DataFrame({"date": d, "symbol": names, "price": walk[days.get_loc(d)]}) for d in listed
    )
    figures.assign(market_cap=figures["price"] * 1e8).to_parquet(folder / "key_figures.parquet")
    sectors = pd.DataFrame({"ticker": names, "sector": ["Energy", "Utilities"] * 20})
    sectors.to_parquet(folder / "securities.parquet")
    store = Store.open(settings)
    assert refresh(store, settings, source=str(folder)).snapshot.has_factors
    assert store.panel().factors.style_names == [
        "Beta", "Size", "Mid Cap", "Momentum", "Reversal", "Volatility", "Liquidity",
    ]  # fmt: skip
    found = store.findings()
    told = found[found["check"] == "style_left_out"]["detail"].tolist()
    assert sorted(told) == [
        "Dividend Yield: no data for it (dividend_yield).",
        "Earnings Yield: no data for it (earnings_to_price).",
        "Growth: no data for it (retained_to_book, sales_growth).",
        "Investment: no data for it (asset_growth, investment_rate).",
        "Leverage: no data for it (debt_to_price, debt_to_assets, debt_to_equity).",
        "Quality: no data for it (earnings_to_book, gross_profitability, accruals).",
        "Value: no data for it (book_to_price).",
    ]
    store.close()


def test_a_changed_file_makes_a_new_snapshot_and_the_old_content_the_old_one(settings, own_files):
    store = Store.open(settings)
    path = own_files / "prices.csv"
    text = path.read_text()
    first = refresh(store, settings, source=str(own_files)).snapshot
    path.write_text(text.replace(",14,", ",15,"))
    second = refresh(store, settings, source=str(own_files)).snapshot
    assert second.id != first.id
    path.write_text(text)
    third = refresh(store, settings, source=str(own_files)).snapshot
    assert third.id == first.id
    assert store.snapshot().id == first.id
    store.close()


def test_a_refresh_mends_a_damaged_snapshot(settings, own_files):
    store = Store.open(settings)
    made = refresh(store, settings, source=str(own_files)).snapshot
    path = settings.data_path / "snapshots" / made.id / "panel.parquet"
    path.write_bytes(b"")
    again = refresh(store, settings, source=str(own_files)).snapshot
    assert again.id == made.id
    assert store.holds(made.id)
    store.close()


def test_a_portfolio_the_user_has_changed_outlives_a_refresh(store, sample_settings, tmp_path):
    shutil.copytree(sample_settings.data_path, tmp_path / "copy", dirs_exist_ok=True)
    settings = Settings(data_url=str(tmp_path / "copy"))
    own = Store.open(settings)
    own.save_portfolio("Sample", pd.Series({"AAPL": 1.0}), "mine")
    refresh(own, settings)
    assert own.portfolio("SAMPLE").to_dict() == {"AAPL": 1.0}
    assert own.portfolios()["name"].tolist() == ["Sample"]
    assert own.snapshot() == store.snapshot()
    own.close()


def test_the_id_of_a_snapshot_depends_on_every_value(settings, own_files):
    source = find_source(str(own_files), settings)
    before = snapshot_id(source.fetch())
    assert snapshot_id(source.fetch()) == before
    path = own_files / "prices.csv"
    path.write_text(path.read_text().replace(",1000", ",1001", 1))
    assert snapshot_id(source.fetch()) != before


def test_a_folder_inside_the_data_folder_is_found_by_its_name(settings, own_files):
    inside = settings.data_path / "inside_the_store"
    inside.mkdir(parents=True)
    own_files.joinpath("prices.csv").rename(inside / "prices.csv")
    assert find_source("inside_the_store", settings).name == "files:inside_the_store"


def test_an_unknown_source_is_refused_with_what_there_is(settings):
    with pytest.raises(UnknownNameError, match=r"Unknown source 'sampel'. Did you mean 'sample'?"):
        find_source("sampel", settings)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "prices.csv",
            "date,ticker,close,volume\n2020-01-01,A,ten,1\n",
            "prices.csv row 2, column 'close'",
        ),
        ("prices.csv", "", "prices.csv is empty"),
        ("prices.parquet", "PAR1", "prices.parquet is no readable Parquet file"),
        ("securities.csv", "ticker,name\nA,Acme\n", "There are no prices"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path, settings, name, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=said):
        find_source(str(tmp_path), settings).fetch()


def test_the_same_table_in_two_files_is_refused(own_files, settings):
    (own_files / "prices.parquet").write_bytes(b"")
    with pytest.raises(DataError, match=r"prices.csv and prices.parquet are both there"):
        find_source(str(own_files), settings).fetch()
