"""Every user x role x object x verb, over every entrance: nothing that one may not see is there."""

import json
import re

import pandas as pd
import pytest
from cell_tables import RANGE
from granted import granted

from tilt.api import entrances
from tilt.api.seen import SeenStore
from tilt.api.seen_jobs import SeenJobs
from tilt.data.rules import Rule, Universe
from tilt.data.store import Store
from tilt.jobs import Jobs
from tilt.security import people
from tilt.security.deciding import CEILINGS, GRANTED, ROLES, Thing, Who, decide, grants_of

DATA = "US_LARGE_CAP"
OPEN, CLOSED, ABSENT = "Orchard", "Zirconia", "Wolframs"  # as names of portfolios
OPEN_CAP, CLOSED_CAP, ABSENT_CAP = "ORCHARD_CAP", "ZIRCONIA_CAP", "WOLFRAMS_CAP"  # of universes
HELD = {OPEN: "AAPL", CLOSED: "XOM"}
USERS = (None, "nobody", *ROLES)  # who has not signed in, who has no role, and one of each role
SIGNED_IN = USERS[1:]
OUTSIDERS = ("nobody", "viewer", "analyst", "trader")  # who may not see what is closed
BOOK = {
    "client": "Office.js",
    "version": "0.37.8",
    "book": {"name": "Book1.xlsx", "active_sheet_index": 0, "selection": "A1"},
    "names": [],
    "sheets": [{"name": "Sheet1", "values": [[""]], "pictures": [], "tables": []}],
}
# arguments of cells: what stands where nothing is named, so that a call gets as far as it can
ARGUMENTS = {
    "holdings": RANGE, "a": RANGE, "b": RANGE, "who": RANGE, "strategy": RANGE, "trades": RANGE,
    "tickers": "AAPL", "ticker": "AAPL", "factor": "Momentum", "ids": "AAPL", "value": 1e6,
    "objective": "min_risk", "shocks": [["Momentum", 0.01]], "name": OPEN, "rows": "max_weight=0.2",
    "columns": "turnover=0.1",
}  # fmt: skip
NAMING = ("holdings", "benchmark", "universe", "a", "b", "who", "strategy", "series", "name")
JOBS = frozenset({"backtest", "sweep", "frontier", "factor_shape", "regimes", "attribution"})


@pytest.fixture(scope="module")
def served(store, sample_settings, tmp_path_factory):
    """A copy of the sample with something open and something closed, of each kind."""
    assert store.snapshot()
    folder = tmp_path_factory.mktemp("matrix") / "data"
    with granted(sample_settings.data_url, folder, SIGNED_IN) as made:
        save(made, OPEN, OPEN_CAP)
        for user in OUTSIDERS:
            made.grant(user, "universe", DATA, GRANTED)
            made.grant(user, "universe", OPEN_CAP, GRANTED)
            made.grant(user, "portfolio", OPEN, GRANTED)
            made.grant(user, "configuration", OPEN, GRANTED)
        yield made


def save(served, name, universe):
    """Save something of each kind, as the administrator does."""
    weights = pd.Series({HELD[name]: 1.0})
    served.store.save_portfolio(name, weights, "of a test")
    rule = Rule(tickers=("AAPL", "XOM", "JPM"))
    served.store.save_universe(Universe(name=universe, parent=DATA, rule=rule))
    body = {"model": {"params": {"universe": DATA}}}
    answer = served.ask("administrator", "PUT", f"/api/v1/configurations/{name}", json=body)
    assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def lists_before(served):
    """What the lists show before there is anything closed."""
    return {user: lists(served, user) for user in OUTSIDERS}


@pytest.fixture(scope="module")
def closed(served, lists_before):
    """Things that the administrator alone may see, made after the lists were read."""
    assert lists_before
    save(served, CLOSED, CLOSED_CAP)
    return served


LISTS = """
    universes portfolios configurations choices data sources snapshots me jobs runs reports packs
    members?universe=ORCHARD_CAP grants securities?q=A factors quality status
""".split()  # noqa: SIM905 - a list of fifteen words
MOVING = frozenset({"durations", "pending jobs", "cache", "process"})  # of STATUS
ID = re.compile(r'"(id|submitted)": ?"[^"]*"')  # of a job


def lists(served, user):
    """Return what each list shows somebody, without what moves by itself."""
    shown = {path: served.ask(user, "GET", f"/api/v1/{path}").json() for path in LISTS}
    own = shown["jobs"].get("jobs", [])  # another test asks for reviews of what is not there
    shown["jobs"] = {"jobs": [j for j in own if not j["title"].startswith("Portfolio review")]}
    return {
        path: {key: value for key, value in body.items() if key not in MOVING}
        for path, body in shown.items()
    }


def routes(app):
    """Return method and path of every route of ours."""
    return {
        (method, context.path)
        for router in app.routes
        if hasattr(router, "effective_route_contexts")
        for context in router.effective_route_contexts()
        for method in context.methods or ()
    }


# --- nothing is left out


def test_every_route_cell_and_button_says_what_it_does(served):
    state = served.app.state.tilt.state
    assert routes(served.app) == set(entrances.ROUTES)
    assert set(state.cells) == set(entrances.CELLS)
    assert served.app.state.tilt.scripts == set(entrances.BUTTONS)


def test_a_route_that_says_nothing_lets_nobody_in(served, monkeypatch):
    left = {k: v for k, v in entrances.ROUTES.items() if k != ("GET", "/api/v1/universes")}
    monkeypatch.setattr(entrances, "ROUTES", left)
    answer = served.ask("administrator", "GET", "/api/v1/universes")
    assert answer.status_code == 403
    assert "does not say what it does" in answer.json()["detail"]


@pytest.mark.parametrize(("seen", "whole"), [(SeenStore, Store), (SeenJobs, Jobs)])
def test_whatever_the_store_and_the_jobs_can_is_asked_for(seen, whole):
    public = {n for n in vars(whole) if not n.startswith("_")} - {"open"}
    assert public <= set(vars(seen))


# --- who gets through which entrance


def expected(user, access):
    """Return the status that refuses somebody at an entrance; 0 where they get through."""
    if access == entrances.OPEN:
        return 0
    if user is None:
        return 401
    may = access == entrances.SIGNED_IN or access in CEILINGS.get(user, ())
    return 0 if may else 403


def refused(answer):
    """Return the status of a refusal at an entrance; 0 for any other answer, error or not."""
    words = answer.json()["detail"] if answer.status_code in (401, 403) else ""
    return answer.status_code if words.startswith(("Your role may not", "Not signed in")) else 0


def test_each_role_gets_through_the_routes_of_its_verbs_and_no_other(closed):
    for (method, path), access in entrances.ROUTES.items():
        for user in USERS:
            tried = user == "viewer" and "starter" not in path and "custom-functions" not in path
            if expected(user, access) == 0 and not tried:
                continue  # what gets through is tried below, with what it works on
            sent = {} if method in ("GET", "DELETE") else {"json": {}}
            where = re.sub(r"\{\w+\}", "nowhere", path)
            answer = closed.ask(user, method, where, **sent)
            assert refused(answer) == expected(user, access), (user, method, path, answer.text)


def test_each_role_gets_answers_of_the_cells_of_its_verbs_and_no_other(closed):
    for user in SIGNED_IN:
        some = ["asof", "frontier", "optimize", "status"]
        names = sorted(entrances.CELLS) if user == "nobody" else some
        for name, got in zip(names, closed.cells(user, [(n, []) for n in names]), strict=True):
            denied = got.get("status") == 403 and got["error"].startswith("Your role may not")
            assert denied == (expected(user, entrances.CELLS[name]) == 403), (user, name, got)
    calls = {"calls": []}
    assert (
        closed.ask(None, "POST", "/xlwings/custom-functions-batch", json=calls).status_code == 401
    )


def test_each_role_presses_the_buttons_of_its_verbs_and_no_other(closed):
    for name, access in entrances.BUTTONS.items():
        for user in USERS:
            if expected(user, access) == 0:
                continue
            answer = closed.ask(user, "POST", f"/xlwings/custom-scripts-call/{name}", json=BOOK)
            assert answer.status_code == expected(user, access), (user, name, answer.text)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("given", [(), ("read",), ("write",), ("trade",), ("share",), GRANTED])
def test_a_decision_is_the_roles_verbs_and_the_grants(role, given):
    grants = grants_of([("portfolio", OPEN, given)] if given else [])
    who = Who("somebody", roles=frozenset({role}), grants=grants)
    for verb in GRANTED:
        granted = verb in given or (bool(given) and verb == "read")
        may = role == "administrator" or (granted and verb in CEILINGS[role])
        assert decide(who, verb, Thing("portfolio", f" {OPEN.upper()} ")).allowed == may
        assert decide(who, verb, Thing("universe", OPEN)).allowed == (role == "administrator")
        assert not decide(who, verb, Thing("run", "a", "somebody else")).seen


# --- what may not be seen looks as if it were not there


def as_absent(text):
    """Return an answer about what is closed as it would be about what is not there."""
    for ours, theirs in ((CLOSED, ABSENT), (CLOSED_CAP, ABSENT_CAP)):
        for old, new in ((ours, theirs), (ours.lower(), theirs.lower())):
            text = text.replace(old, new)
    return ID.sub("", text)


def call_of(cell, argument, value):
    """Return a call of a cell with one argument given, the others as far as they are needed."""
    given = [ARGUMENTS.get(a.name) if not a.optional else None for a in cell.arguments]
    place = [a.name for a in cell.arguments].index(argument)
    return cell.name, [*given[:place], value, *given[place + 1 :]]


def naming_calls(served, portfolio, universe):
    """Return a call of every cell for each argument that can name something."""
    for cell in served.app.state.tilt.state.cells.values():
        for argument in cell.arguments:
            if argument.name in NAMING:
                yield call_of(cell, argument.name, universe)
                if argument.name != "universe":
                    yield call_of(cell, argument.name, portfolio)


def test_no_cell_tells_what_is_closed_from_what_is_not_there(closed):
    on_closed = list(naming_calls(closed, CLOSED, CLOSED_CAP))
    on_absent = list(naming_calls(closed, ABSENT, ABSENT_CAP))
    assert len(on_closed) > 80
    for user in OUTSIDERS:
        told = closed.cells(user, on_closed)
        for call, one, two in zip(on_closed, told, closed.cells(user, on_absent), strict=True):
            assert as_absent(json.dumps(one)) == as_absent(json.dumps(two)), (user, call)
    quick = [pair for pair in zip(on_closed, on_absent, strict=True) if pair[0][0] not in JOBS]
    theirs = closed.cells("administrator", [first for first, _ in quick])
    absent = closed.cells("administrator", [second for _, second in quick])
    shown = [as_absent(json.dumps(a)) != json.dumps(b) for a, b in zip(theirs, absent, strict=True)]
    assert sum(shown) > 40  # the calls do reach what is closed, for who may


def naming_requests(portfolio, universe):
    """Return requests of every route that can name something."""
    book = {"holdings": portfolio, "benchmark": portfolio}
    yield from (("GET", f"/api/v1/{kind}/{portfolio}", None)
                for kind in ("portfolios", "configurations", "universes"))  # fmt: skip
    yield from (("DELETE", f"/api/v1/{kind}/{portfolio}", None)
                for kind in ("portfolios", "configurations"))  # fmt: skip
    yield "GET", f"/api/v1/universes/{universe}", None
    yield "DELETE", f"/api/v1/universes/{universe}", None
    yield "GET", f"/api/v1/portfolios/{OPEN}?universe={universe}", None
    for path in ("choices", "data", "members", "factors", "factor-returns", "factor-statistics",
                 "quality", "securities", "snapshots"):  # fmt: skip
        yield "GET", f"/api/v1/{path}?universe={universe}", None
    named = ("attribution", "backtest", "compare", "exposures", "frontier", "optimize",
             "optimize/check", "optimize/through-time", "risk", "tracking-error", "match",
             "pure-factor", "reports", "uploads", "universes/preview", "sweep", "data/refresh",
             "risk/liquidity", "risk/regime", "risk/scenarios", "risk/stress", "risk/tail",
             "risk/what-if")  # fmt: skip
    for path in named:
        yield "POST", f"/api/v1/{path}", book
        yield "POST", f"/api/v1/{path}", {"holdings": RANGE, "benchmark": universe}
        yield "POST", f"/api/v1/{path}", {"holdings": RANGE, "universe": universe}
        yield "POST", f"/api/v1/{path}", {"universe": universe}
        yield "POST", f"/api/v1/{path}", {"strategy": portfolio}
        yield "POST", f"/api/v1/{path}", {"portfolios": [portfolio]}
        yield "POST", f"/api/v1/{path}", {"parent": universe, "rule": {"tickers": ["AAPL"]}}
    put = {"to": "user", "who": "viewer", "kind": "portfolio", "name": portfolio, "verbs": ["read"]}
    yield "PUT", "/api/v1/grants", put
    yield "PUT", "/api/v1/grants", {**put, "kind": "universe", "name": universe}


def test_no_route_tells_what_is_closed_from_what_is_not_there(closed):
    pairs = zip(
        naming_requests(CLOSED, CLOSED_CAP), naming_requests(ABSENT, ABSENT_CAP), strict=True
    )
    for (method, path, body), (_, other, same) in pairs:
        for user in ("viewer", "trader"):
            one = closed.ask(user, method, path, json=body)
            two = closed.ask(user, method, other, json=same)
            assert one.status_code == two.status_code, (user, method, path, body, one.text)
            assert as_absent(one.text) == as_absent(two.text), (user, method, path)
    assert closed.store.portfolio(CLOSED).tolist() == [1.0]
    assert closed.store.is_universe(CLOSED_CAP)


def test_lists_and_counts_are_the_same_as_before_there_was_anything_closed(closed, lists_before):
    for user in OUTSIDERS:
        now = lists(closed, user)
        for path, before in lists_before[user].items():
            assert now[path] == before, (user, path)
    assert CLOSED in closed.ask("administrator", "GET", "/api/v1/portfolios").text


def test_a_name_that_is_taken_by_what_is_closed_cannot_be_had_and_no_reason_is_told(closed):
    body = {"holdings": RANGE}
    taken = closed.ask("trader", "PUT", f"/api/v1/portfolios/{CLOSED}", json=body)
    universe = closed.ask("trader", "PUT", f"/api/v1/portfolios/{CLOSED_CAP}", json=body)
    reserved = closed.ask("trader", "PUT", "/api/v1/portfolios/CASH", json=body)
    words = "means something else in formulas. Choose another name."
    assert {a.status_code for a in (taken, universe, reserved)} == {400}
    assert all(words in a.json()["detail"] for a in (taken, universe, reserved))
    assert closed.store.portfolio(CLOSED).index.tolist() == [HELD[CLOSED]]


def test_figures_for_monitoring_are_for_who_was_granted_them(closed):
    for user in OUTSIDERS:
        answer = closed.ask(user, "GET", "/metrics")
        assert answer.status_code == 403
        assert DATA not in answer.text
    closed.grant("viewer", "server", "metrics", ["read"])
    assert DATA in closed.ask("viewer", "GET", "/metrics").text
    closed.grant("viewer", "server", "metrics", [])
    assert closed.ask("viewer", "GET", "/metrics").status_code == 403


# --- what was computed for one is nothing to another, and goes with the right


def test_an_answer_that_is_kept_for_one_is_given_to_nobody_who_may_not(closed):
    calls = [("risk", [CLOSED, "volatility"]), ("summary", [CLOSED])]
    first = closed.cells("administrator", calls)
    assert all("result" in one for one in first)
    for user in OUTSIDERS:
        assert all("result" not in one for one in closed.cells(user, calls))


@pytest.fixture
def lent(closed):
    """Something closed that the trader may use for the time of a test."""
    closed.grant("trader", "portfolio", CLOSED, GRANTED)
    yield closed
    closed.grant("trader", "portfolio", CLOSED, [])


def test_jobs_runs_files_and_repeated_answers_are_gone_with_the_right_to_what_they_rest_on(lent):
    body = {"holdings": CLOSED, "objective": "min_te"}
    key = {"Idempotency-Key": "once"}
    started = lent.ask("trader", "POST", "/api/v1/optimize", json=body, headers=key)
    assert started.status_code == 202, started.text
    job = f"/api/v1/jobs/{started.json()['id']}"
    (run,) = lent.cells("trader", [("attribution", attribution_of(CLOSED))])
    assert "result" in run or run["status"] == 503, run
    paths = [job, *runs_of(lent)]
    for path in paths:
        assert lent.ask("trader", "GET", path).status_code == 200
        for other in ("viewer", "analyst", "administrator"):
            theirs = lent.ask(other, "GET", path)
            nowhere = lent.ask(other, "GET", path.rpartition("/")[0] + "/nowhere")
            assert theirs.status_code == 404
            assert theirs.text.replace(path.rpartition("/")[2], "nowhere") == nowhere.text
    again = lent.ask("trader", "POST", "/api/v1/optimize", json=body, headers=key)
    assert (again.status_code, again.text) == (202, started.text)
    lent.grant("trader", "portfolio", CLOSED, [])
    assert [lent.ask("trader", "GET", path).status_code for path in paths] == [404] * len(paths)
    assert lent.ask("trader", "DELETE", job).status_code == 404
    assert started.json()["id"] not in lent.ask("trader", "GET", "/api/v1/jobs").text
    again = lent.ask("trader", "POST", "/api/v1/optimize", json=body, headers=key)
    assert again.status_code == 404
    lent.ask("administrator", "DELETE", job)


def attribution_of(portfolio):
    return [portfolio, None, "-1M", None, "factor", None, None, "run=yes"]


def runs_of(served):
    table = served.ask("trader", "GET", "/api/v1/runs").json()["runs"]
    return [f"/api/v1/runs/{row[0]}" for row in table["data"]]


def test_a_right_that_is_lent_lets_read_and_no_more(closed):
    closed.grant("trader", "portfolio", CLOSED, ["read"])
    (risk, best) = closed.cells(
        "trader", [("risk", [CLOSED, "volatility"]), ("optimize", ["min_te", CLOSED])]
    )
    assert isinstance(risk["result"][0][0], float)
    assert best["status"] == 403
    assert f"You may see portfolio '{CLOSED}' but not optimize or trade it" in best["error"]
    (compared,) = closed.cells("trader", [("optimize", ["min_te", RANGE, None, CLOSED])])
    assert compared.get("status") != 403  # a benchmark is only looked at
    body = {"holdings": RANGE}
    assert closed.ask("trader", "PUT", f"/api/v1/portfolios/{CLOSED}", json=body).status_code == 403
    assert closed.ask("trader", "DELETE", f"/api/v1/portfolios/{CLOSED}").status_code == 403
    closed.grant("trader", "portfolio", CLOSED, [])


def test_who_saves_something_has_every_right_to_it_and_shares_what_they_have(closed):
    body = {"holdings": RANGE}
    assert closed.ask("analyst", "PUT", "/api/v1/portfolios/Mine", json=body).status_code == 200
    assert closed.ask("viewer", "GET", "/api/v1/portfolios/Mine").status_code == 404
    given = {"who": "viewer", "kind": "portfolio", "name": "Mine", "verbs": ["read"]}
    assert closed.ask("analyst", "PUT", "/api/v1/grants", json=given).status_code == 200
    assert closed.ask("viewer", "GET", "/api/v1/portfolios/mine").status_code == 200
    more = closed.ask("analyst", "PUT", "/api/v1/grants", json={**given, "verbs": ["trade"]})
    assert (more.status_code, more.json()["detail"]) == (403, "You may not trade 'Mine' yourself.")
    assert closed.ask("viewer", "PUT", "/api/v1/grants", json=given).status_code == 403
    for kind, name in (("server", "metrics"), ("portfolio", "*")):
        wide = {**given, "kind": kind, "name": name}
        assert closed.ask("analyst", "PUT", "/api/v1/grants", json=wide).status_code == 403
    assert closed.ask("analyst", "DELETE", "/api/v1/portfolios/Mine").status_code == 204
    assert (
        closed.ask("administrator", "PUT", "/api/v1/portfolios/Mine", json=body).status_code == 200
    )
    assert closed.ask("viewer", "GET", "/api/v1/portfolios/Mine").status_code == 404
    closed.ask("administrator", "DELETE", "/api/v1/portfolios/Mine")


def test_rights_come_by_role_and_by_group_too(closed):
    closed.grant("analyst", "portfolio", CLOSED, ["read"], to_kind="role")
    assert closed.ask("analyst", "GET", f"/api/v1/portfolios/{CLOSED}").status_code == 200
    assert closed.ask("viewer", "GET", f"/api/v1/portfolios/{CLOSED}").status_code == 404
    closed.grant("analyst", "portfolio", CLOSED, [], to_kind="role")
    people.note_sign_in(closed.store.catalog, "viewer", "viewer", [], ["desk"])
    closed.grant("desk", "portfolio", CLOSED, ["read"], to_kind="group")
    assert closed.ask("viewer", "GET", f"/api/v1/portfolios/{CLOSED}").status_code == 200
    closed.grant("desk", "portfolio", CLOSED, [], to_kind="group")
    assert closed.ask("viewer", "GET", f"/api/v1/portfolios/{CLOSED}").status_code == 404


def test_an_administrator_cannot_lock_everybody_out(closed):
    answer = closed.ask(
        "administrator", "PUT", "/api/v1/people/administrator", json={"roles": ["viewer"]}
    )
    assert answer.status_code == 400
    assert closed.ask("administrator", "DELETE", "/api/v1/people/administrator").status_code == 400


@pytest.mark.parametrize("name", ["an\nna", "anna\r\nX: y", "", " anna", "x" * 201, "\x00"])
def test_names_that_would_break_a_header_or_a_line_are_no_names(closed, name):
    grant = {"to": "group", "who": name, "kind": "portfolio", "name": OPEN, "verbs": ["read"]}
    answer = closed.ask("administrator", "PUT", "/api/v1/grants", json=grant)
    assert answer.status_code in (400, 422)
