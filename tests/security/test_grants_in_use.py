"""What a grant lets somebody do, whatever else is in the request, and what is gone with it."""

import datetime as dt
from contextvars import copy_context
from types import SimpleNamespace

import pandas as pd
import pytest
from cell_tables import RANGE
from granted import granted

from tilt.api import permission
from tilt.api.report_record import RunRecord
from tilt.api.state import USER
from tilt.data.packs import Pack, Whose
from tilt.security import people
from tilt.security.deciding import Thing

DATA = "US_LARGE_CAP"
LENT = "Zirconia"


@pytest.fixture(scope="module")
def served(store, sample_settings, tmp_path_factory):
    """A server whose analyst and trader may read the universe, and no more."""
    assert store.snapshot()
    folder = tmp_path_factory.mktemp("grants") / "data"
    users = ("analyst", "trader", "administrator")
    with granted(sample_settings.data_url, folder, users) as made:
        made.store.save_portfolio(LENT, pd.Series({"AAPL": 1.0}), "of a test")
        for user in ("analyst", "trader"):
            made.grant(user, "universe", DATA, ["read"])
        yield made


@pytest.fixture
def lent(served):
    """A portfolio that the trader may read for the time of a test."""
    served.grant("trader", "portfolio", LENT, ["read"])
    yield served
    served.grant("trader", "portfolio", LENT, [])


def test_who_may_read_a_universe_saves_portfolios_of_its_names(served):
    saved = served.ask("analyst", "PUT", "/api/v1/portfolios/Own", json={"holdings": RANGE})
    assert saved.status_code == 200, saved.text
    rule = {"parent": DATA, "rule": {"tickers": ["AAPL", "XOM"]}}
    made = served.ask("analyst", "PUT", "/api/v1/universes/OWN_CAP", json=rule)
    assert made.status_code == 200, made.text
    refreshed = served.ask("analyst", "POST", "/api/v1/data/refresh", json={"universe": DATA})
    assert refreshed.status_code == 403


def test_what_may_be_read_may_be_copied_under_a_name_of_ones_own(lent):
    body = {"holdings": LENT}
    copied = lent.ask("trader", "PUT", "/api/v1/portfolios/Copy", json=body)
    assert copied.status_code == 200, copied.text
    assert lent.ask("trader", "PUT", f"/api/v1/portfolios/{LENT}", json=body).status_code == 403


@pytest.fixture
def all_lent(served):
    """Every portfolio, that the analyst may read for the time of a test."""
    served.grant("analyst", "portfolio", "*", ["read"])
    yield served
    served.grant("analyst", "portfolio", "*", [])


def test_who_may_read_every_portfolio_has_every_right_to_what_they_save(all_lent):
    address = "/api/v1/portfolios/Sequoia"
    for _ in range(2):  # the second time in its place
        assert all_lent.ask("analyst", "PUT", address, json={"holdings": RANGE}).status_code == 200
    given = {"who": "trader", "kind": "portfolio", "name": "Sequoia", "verbs": ["read"]}
    assert all_lent.ask("analyst", "PUT", "/api/v1/grants", json=given).status_code == 200
    assert all_lent.ask("analyst", "DELETE", address).status_code == 204


def test_optimizing_needs_the_right_to_trade_whatever_else_a_batch_reads(served):
    optimize = ("optimize", ["min_risk", RANGE])
    reading = [("members", [None, f"-{n}M"]) for n in range(1, 25)]  # more than are threads
    for batch in ([optimize], [*reading, optimize]):
        *_, best = served.cells("trader", batch)
        assert best.get("status") == 403, best
        assert f"You may see universe '{DATA}' but not optimize or trade it" in best["error"]


def test_what_a_report_held_is_gone_with_the_right_to_its_portfolio(lent):
    made = dt.datetime(2016, 2, 1, tzinfo=dt.UTC)
    whose = Whose("trader", LENT, saved=True)
    pack = Pack(whose, "portfolio", DATA, pd.Timestamp("2016-01-29"), "0", made, {"names": 1})

    def noted():
        USER.set("trader")
        permission.let_in(people.who_is(lent.store.catalog, "trader"))
        permission.touch([Thing("portfolio", LENT)])
        return RunRecord(SimpleNamespace(store=lent.store), panel=None).made(pack)

    assert copy_context().run(noted) in lent.ask("trader", "GET", "/api/v1/packs").text
    lent.grant("trader", "portfolio", LENT, [])
    assert lent.ask("trader", "GET", "/api/v1/packs").json()["packs"]["data"] == []


def test_who_am_i_names_objects_of_each_kind(served):
    body = {"model": {"params": {"universe": DATA}}}
    saved = served.ask("analyst", "PUT", "/api/v1/configurations/House", json=body)
    assert saved.status_code == 200, saved.text
    objects = served.ask("analyst", "GET", "/api/v1/me").json()["objects"]
    assert {"kind": "universe", "name": DATA, "verbs": ["read"]} in objects
    every = ["read", "write", "share"]
    assert {"kind": "configuration", "name": "House", "verbs": every} in objects


def test_a_job_is_gone_with_the_right_to_any_portfolio_that_it_is_about(lent):
    bodies = {
        "compare": {"books": [DATA, LENT]},
        "reports": {"kind": "portfolio", "portfolios": [LENT], "format": "html"},
        "sweep": {"strategy": "{book}", "rows": f"book={DATA},{LENT}"},
        "backtest": {"strategy": LENT},
    }
    jobs = {}
    for path, body in bodies.items():
        started = lent.ask("trader", "POST", f"/api/v1/{path}", json=body)
        assert started.status_code == 202, (path, started.text)
        jobs[path] = f"/api/v1/jobs/{started.json()['id']}"
        assert lent.ask("trader", "GET", jobs[path]).status_code == 200
    lent.grant("trader", "portfolio", LENT, [])
    found = {path: lent.ask("trader", "GET", job).status_code for path, job in jobs.items()}
    assert found == dict.fromkeys(bodies, 404)
    assert LENT not in lent.ask("trader", "GET", "/api/v1/jobs").text
