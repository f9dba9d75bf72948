"""The ledger of trials: which backtests a workbook ran, and what that leaves of the best one."""

import numpy as np
import pandas as pd
import pytest
from alembic import command
from cell_tables import frame
from serving import ended
from sqlalchemy import create_engine, inspect, select

from tilt.data import catalog
from tilt.data.migrations import configured
from tilt.data.tables import trials as table
from tilt.portfolio.honesty import overfitting_probability

START, END = "2016-01-04", "2016-12-30"


@pytest.fixture
def ask(excel):
    """Ask one view of a backtest from a cell of a workbook, until its job is done."""

    def asked(strategy, view, *, book="Ideas.xlsx", options="", benchmark="NONE"):
        given = strategy, START, END, "M", None, benchmark, view, options or None
        return frame(excel.done("backtest", *given, book=book))

    return asked


def values(shown):
    return shown.set_index("measure")["value"].astype(float)


def test_a_workbook_counts_each_strategy_once_whatever_the_view(ask):
    book = "Counted.xlsx"
    first = values(ask("equal_weight", "overfitting", book=book))
    assert first["trials"] == 1
    assert first["deflated_sharpe"] == pytest.approx(first["psr"])
    ask("quantile:Value:5:5", "stats", book=book)
    ask("quantile:Value:5:5", "monthly", book=book)
    ask("quantile:Value:5:5", "stats", book=book, benchmark="universe")
    ask("quantile:Momentum:5:5", "stats", book=book)
    listed = ask("equal_weight", "trials", book=book)
    assert listed["strategy"].tolist() == [
        "equal_weight", "quantile:Value:5:5", "quantile:Momentum:5:5",
    ]  # fmt: skip
    again = values(ask("equal_weight", "overfitting", book=book))
    assert again["trials"] == 3
    assert again["deflated_sharpe"] < again["psr"]
    sharpes = listed["sharpe"].astype(float)
    assert again["trial_sharpe_sd"] == pytest.approx(np.std(sharpes, ddof=1))
    assert 0 <= again["pbo"] <= 1


def test_another_workbook_has_a_ledger_of_its_own(ask):
    ask("quantile:Size:5:5", "stats", book="One.xlsx")
    assert values(ask("equal_weight", "overfitting", book="Two.xlsx"))["trials"] == 1


def test_the_option_says_how_many_were_tried_elsewhere(ask, excel):
    shown = values(ask("equal_weight", "overfitting", book="Three.xlsx", options="trials=500"))
    assert shown["trials"] == 500
    assert shown["deflated_sharpe"] < shown["psr"]
    cell, text = excel.error(
        "backtest", "equal_weight", START, END, "M", None, "NONE", "overfitting", "trials=0.5"
    )
    assert (cell, text) == (
        "#VALUE!",
        "option trials must be a whole number from 1 to 1,000,000; got 0.5.",
    )


def test_the_ledger_keeps_the_returns_of_the_trials(ask, store):
    book = "Kept.xlsx"
    series = ask("quantile:Quality:5:5", "series", book=book)
    ask("quantile:Growth:5:5", "stats", book=book)
    shown = values(ask("quantile:Quality:5:5", "overfitting", book=book))
    with catalog.reading(store.catalog) as connection:
        rows = connection.execute(select(table.c.returns).where(table.c.workbook == book)).all()
    assert len(rows) == 2
    kept = np.column_stack([np.frombuffer(r.returns, dtype="<f8") for r in rows])
    nav = series["nav"].astype(float).to_numpy()
    own = np.column_stack([np.prod(1 + kept, axis=0)])[:, 0]
    assert np.isclose(own, nav[-1], atol=1e-12).any()
    expected = overfitting_probability(pd.DataFrame(kept)).probability
    assert shown["pbo"] == pytest.approx(expected)


def test_the_attribution_of_a_backtest_is_one_of_its_views(ask):
    shown = ask("quantile:Value:5:5", "attribution", benchmark="universe").set_index("group")
    totals = shown["total"].astype(float)
    assert totals["Trading and costs"] < 0
    assert totals.drop(["Residual", "Total"]).sum() == pytest.approx(totals["Total"], abs=1e-12)


def test_an_older_catalog_gets_its_ledger(tmp_path):
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(configured(connection), "0002")
        assert not inspect(connection).has_table("trials")
    engine.dispose()
    again = catalog.open_catalog(url)
    with catalog.reading(again) as connection:
        assert connection.execute(select(table)).all() == []
    again.dispose()


def over_http(excel, strategy, **more):
    """Return the views of a backtest that a program, or the pane, runs."""
    asked = {"strategy": strategy, "start": START, "end": END, "benchmark": "NONE", **more}
    job = ended(excel.http, excel.http.post("/api/v1/backtest", json=asked).json()["id"])
    assert job["state"] == "done", job["error"]
    views = job["result"]["views"]
    return {
        name: pd.DataFrame(views[name]["data"], columns=views[name]["columns"])
        for name in ("overfitting", "trials", "monte_carlo", "horizons")
    }


def test_backtests_over_http_count_one_by_one_with_those_of_their_workbook(excel, ask):
    book = "Pane.xlsx"
    ask("equal_weight", "stats", book=book)
    options = {"draws": 100}
    views = over_http(excel, "quantile:Value:4:4", workbook=book, options=options)
    assert values(views["overfitting"])["trials"] == 2
    assert views["trials"]["strategy"].tolist() == ["equal_weight", "quantile:Value:4:4"]
    more = over_http(excel, "quantile:Value:4:1", workbook=book, options=options)
    assert values(more["overfitting"])["trials"] == 3
    judged = over_http(excel, "quantile:Value:4:4", workbook=book, options=options)
    assert values(judged["overfitting"])["trials"] == 3  # the same again is no new trial
    assert (
        values(judged["overfitting"])["deflated_sharpe"]
        < values(views["overfitting"])["deflated_sharpe"]
    )
    assert values(ask("equal_weight", "overfitting", book=book))["trials"] == 3
    assert judged["monte_carlo"]["note"].iloc[0].startswith("100 draws")
    assert judged["horizons"]["loss"].between(0, 1).all()
