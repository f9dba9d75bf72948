"""What tells a client how long it may keep an answer."""

import pytest

from tilt.data.store import Store
from tilt.settings import Settings

BATCH = "/xlwings/custom-functions-batch"


@pytest.fixture
def ask(http):
    def batch(*calls):
        body = {"calls": [{"func_name": name, "args": list(args)} for name, *args in calls]}
        return http.post(BATCH, json=body).json()

    return batch


def test_the_same_data_are_the_same_edition(ask, http):
    first = ask(("asof",))["edition"]
    assert ask(("version",))["edition"] == first
    assert http.get("/xlwings/edition").json() == {"edition": first}


def test_a_saved_or_deleted_portfolio_makes_another_edition(ask, copied):
    own = Store.open(Settings(data_url=str(copied)))
    seen = [ask(("asof",))["edition"]]
    own.save_portfolio("BRIEF", own.portfolio("SAMPLE"), "test")
    seen.append(ask(("asof",))["edition"])
    own.save_portfolio("BRIEF", own.portfolio("SAMPLE"), "test")
    seen.append(ask(("asof",))["edition"])
    own.delete_portfolio("BRIEF")
    seen.append(ask(("asof",))["edition"])
    own.close()
    assert len(set(seen)) == 4


def test_what_changes_by_the_hour_is_marked(ask):
    status, live, asof = ask(("status",), ("live", [["AAPL"]]), ("asof",))["results"]
    assert status["cacheable"] is False
    assert live["cacheable"] is False
    assert "cacheable" not in asof


def test_an_error_that_lies_in_the_call_may_be_kept(ask):
    unknown, none = ask(("security", [["APPL"]], [["close"]]), ("nothing",))["results"]
    assert unknown["status"] == 404
    assert "cacheable" not in unknown
    assert none["status"] == 404
