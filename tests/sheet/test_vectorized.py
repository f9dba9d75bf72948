"""What is evaluated for a whole batch at once is what each call gives alone."""

import httpx
import numpy as np
import pytest
from serving import PATIENCE

CALL = "/xlwings/custom-functions-call"
BATCH = "/xlwings/custom-functions-batch"


@pytest.fixture(scope="module")
def ask(served):
    headers = {"X-Tilt-Client": "tests"}
    with httpx.Client(base_url=served.address, headers=headers, timeout=PATIENCE) as http:

        def both(calls, **batch):
            answer = http.post(BATCH, json={"calls": calls, **batch})
            assert answer.status_code == 200, answer.text
            alone = [http.post(CALL, json=call) for call in calls]
            return answer.json()["results"], alone

        yield both


def same(batched, alone):
    """Whether an entry of a batch says what the single answer says."""
    if alone.status_code != 200:
        said = alone.json()
        own = {k: v for k, v in batched.items() if k != "cacheable"}
        return own == {"error": said["detail"], "status": said["status"], "cell": said["cell"]}
    ours, theirs = batched.get("result"), alone.json()["result"]
    return ours is not None and [len(r) for r in ours] == [len(r) for r in theirs] and all(
        a == pytest.approx(b, rel=1e-12, abs=1e-15) if isinstance(b, float) else a == b
        for ra, rb in zip(ours, theirs, strict=True)
        for a, b in zip(ra, rb, strict=True)
    )  # fmt: skip


def differing(batched, alone):
    pairs = zip(batched, alone, strict=True)
    return [(b, a.text) for b, a in pairs if not same(b, a)]


def calls_of(name, rows):
    cells = [[a if isinstance(a, list) or a is None else [[a]] for a in row] for row in rows]
    return [{"func_name": name, "args": row, "runtime": "1.4"} for row in cells]


class Chance:
    """Seeded choices among things that numpy would turn into arrays."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def choice(self, options):
        return options[int(self.rng.integers(len(options)))]

    def sample(self, options, count):
        return [options[int(i)] for i in self.rng.permutation(len(options))[:count]]


DATES = [None, "2017-05-31", "2016-07-01", 42900, "2011-01-05", "31/04/2017", 0]


def test_exposures(ask, panel, store):
    chance = Chance(7)
    book = [[t, float(w)] for t, w in store.portfolio("SAMPLE").items()]
    who = [*chance.sample(list(panel.assets), 12), "APPL", "sample", "US_LARGE_CAP", book, " msft "]
    factors = ["Value", "Market", "Energy", "momentum", "Valu", [["Size", "Beta"]], "Size,Quality"]
    rows = [[chance.choice(who), chance.choice(factors), chance.choice(DATES)] for _ in range(150)]
    assert differing(*ask(calls_of("exposure", rows))) == []


def test_fields_of_securities(ask, panel):
    chance = Chance(8)
    tickers = [*chance.sample(list(panel.assets), 12), "APPL", "brk.b", [["AAPL"], ["MSFT"]]]
    known = ["name", "sector", "close", "return", "Value", "Technology", "market_cap", "volum"]
    fields = [*known, "adj_close,volume", [["name", "Beta"]]]
    rows = [
        [chance.choice(tickers), chance.choice(fields), chance.choice(DATES)] for _ in range(150)
    ]
    assert differing(*ask(calls_of("security", rows))) == []


def test_columns_of_numbers_alone(ask, panel):
    who = [str(ticker) for ticker in panel.assets[:6]]
    dates = ["2017-05-31", "2016-07-01"]
    exposed = [[one, factor, d] for one in who for factor in ("Value", "Size") for d in dates]
    assert differing(*ask(calls_of("exposure", exposed))) == []
    closes = [[one, field, d] for one in who for field in ("close", "Beta") for d in dates]
    assert differing(*ask(calls_of("security", closes))) == []


def test_cells_that_look_alike_and_are_not_the_same(ask):
    dates = [42900, 42900.0, "42900", True, False, "", " ", 0, 0.0, -0.0, None, [[None]], -1, 1e9]
    rows = [[who, "close", date] for date in dates for who in ("AAPL", " aapl ", "AAPL,", "#REF!")]
    rows += [["AAPL", field, 42900] for field in (None, "", 0, True, 1.5, "close,", "clos")]
    rows += [["AAPL"], ["AAPL", "close"], ["AAPL", "close", None, None], [], [None, "close"]]
    assert differing(*ask(calls_of("security", rows))) == []
    exposed = [[who, "Value", date] for date in dates for who in ("AAPL", 1, 1.0, True, "")]
    assert differing(*ask(calls_of("exposure", exposed))) == []


def test_risk_of_portfolios(ask, store):
    chance = Chance(9)
    weights = store.portfolio("SAMPLE")

    def jiggled():
        own = [[t, float(w)] for t, w in weights.items()]
        i, step = int(chance.rng.integers(len(own) - 1)), float(chance.rng.random()) / 1000
        own[i][1] -= step
        own[i + 1][1] += step
        return own

    wrong = [["AAPL", 0.5], ["MSFT", "#REF!"]]
    books = [*[jiggled() for _ in range(6)], "SAMPLE", "NOPE", wrong]
    measures = ["volatility", "tracking_error", "volx", [["beta", "var95"]], None]
    marks = [None, "NONE", "SAMPLE"]
    rows = [
        [chance.choice(books), chance.choice(measures), None, chance.choice(marks)]
        for _ in range(80)
    ]
    assert differing(*ask(calls_of("risk", rows))) == []


def test_a_shared_range_is_the_range(ask, store):
    book = [[t, float(w)] for t, w in store.portfolio("SAMPLE").items()]
    other = [["AAPL", 0.6], ["MSFT", 0.4]]
    measures = ["volatility", "beta", "volx", "var95"]
    alone = calls_of("risk", [[g, m] for g in (book, other) for m in measures])
    named = calls_of("risk", [[None, m] for _ in range(2) for m in measures])
    for i, call in enumerate(named):
        call["args"][0] = {"$ref": i // len(measures)}
    named += calls_of("check", [[None]])
    named[-1]["args"][0] = {"$ref": 0}
    alone += calls_of("check", [[book]])
    whole, singles = ask(alone)
    assert differing(whole, singles) == []
    shared, _ = ask(named, shared=[book, other])
    assert shared == whole


@pytest.mark.parametrize("place", [2, -1, "0", True, None, 0.0])
def test_a_shared_range_that_is_not_there_is_refused_for_its_call_alone(served, place):
    calls = [
        {"func_name": "risk", "args": [{"$ref": place}]},
        {"func_name": "version", "args": []},
    ]
    body = {"calls": calls, "shared": [[["AAPL", 1.0]], [["MSFT", 1.0]]]}
    answer = httpx.post(
        served.address + BATCH, json=body, headers={"X-Tilt-Client": "tests"}, timeout=PATIENCE
    )
    first, second = answer.json()["results"]
    assert first["error"] == "$ref must be the place of one of 2 shared ranges."
    assert "result" in second


def test_shared_ranges_that_are_none_are_refused(served):
    for shared in ({}, "AAPL", [1], [{"a": 1}]):
        answer = httpx.post(
            served.address + BATCH,
            json={"calls": [], "shared": shared},
            headers={"X-Tilt-Client": "tests"},
            timeout=PATIENCE,
        )
        assert answer.status_code == 400
        assert answer.json()["detail"] == "shared must be a list of ranges, each a list of rows."
