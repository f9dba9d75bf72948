"""A million rows, a hundred thousand mistakes, and anything at all: always an answer for people."""

import json
import random

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tilt.portfolio.identifiers import Tickers
from tilt.portfolio.spelling import edits
from tilt.portfolio.weighing import MOST_SUGGESTIONS

CALL = "/xlwings/custom-functions-call"
BATCH = "/xlwings/custom-functions-batch"
ROWS = 1_048_576  # of a sheet
GOOD = [["AAPL", 0.4], ["XOM", 0.35], ["JPM", 0.25]]


# -- large ranges ---------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", ["", None, 0])
def test_a_whole_column_is_what_stands_in_it(sheet, blank):
    body = {
        "func_name": "risk",
        "args": [[*GOOD, *[[blank, blank]] * (ROWS - 3)], "volatility"],
        "runtime": "1.4",
    }
    answer = sheet.raw(CALL, json.dumps(body))
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"] == sheet("risk", GOOD, "volatility")


def test_a_whole_column_of_names_or_returns_is_what_stands_in_it(sheet):
    blank = [[""]] * (ROWS - 2)
    both = sheet("security", [["AAPL"], ["XOM"]], "close")
    body = {"func_name": "security", "args": [[["AAPL"], ["XOM"], *blank], "close"]}
    assert sheet.raw(CALL, json.dumps(body)).json()["result"] == both
    body = {"func_name": "stats", "args": [[[0.01], [-0.02], *blank]], "runtime": "1.4"}
    found = sheet.raw(CALL, json.dumps(body)).json()["result"]
    assert found == sheet("stats", [[0.01], [-0.02]])


def test_more_filled_cells_than_a_request_may_hold_are_refused(sheet):
    full = [["AAPL", 1e-6]] * ROWS
    answer = sheet.raw(CALL, json.dumps({"func_name": "risk", "args": [full]}))
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("2,097,152 cells in one request; the most is")


def test_a_blank_cell_in_the_middle_of_a_long_range_keeps_its_row(sheet):
    rows = [*GOOD, *[["", ""]] * 5000, ["MSFT", "#N/A"], *[["", ""]] * 5000]
    assert sheet.error("risk", rows).text.startswith("holdings row 5004: weight is #N/A.")


def test_a_hundred_thousand_rows_are_one_portfolio(sheet, panel):
    names = [str(t) for t in panel.cap_weights(panel.as_of).index[:200]]
    rows = [[names[i % 200], 1e-5] for i in range(100_000)]
    assert sheet("risk", rows, "names") == [[200.0]]
    found = sheet("check", rows)[1:]
    assert len(found) == 200  # a line for each name, not for each row
    assert found[0][2:] == [f"{names[0]} is in 500 rows, 1 to 99801", "Summed to 0.5 %."]


def test_notes_of_many_problems_are_few_and_fit_a_cell(sheet):
    rows = [[f"Q{i}X", 0.001] for i in range(150)] + [["AAPL", 0.85]]
    notes = [row[-1] for row in sheet("exposures", rows)[1:]]
    assert max(map(len, notes)) < 2100
    assert "130 more notes: see CHECK." in " ".join(notes)


def test_suggestions_are_looked_for_only_where_they_are_shown(sheet, monkeypatch):
    asked = []
    real = Tickers.suggest

    def counted(self, text):
        asked.append(text)
        return real(self, text)

    monkeypatch.setattr(Tickers, "suggest", counted)
    rows = [[f"QQ{i}", 2e-5] for i in range(20_000)] + [["AAPL", 0.6]]
    text = sheet.error("risk", rows, "names").text
    assert text.startswith("Unknown ticker 'QQ0' (holdings row 1).")
    assert "(19999 more problems: see CHECK.)" in text
    calls = 2  # one by each route
    assert len(asked) <= calls * MOST_SUGGESTIONS


def test_tickers_are_arranged_once_for_a_panel(panel, monkeypatch):
    first = Tickers(panel, panel.as_of)
    assert first.find("aapl us equity").ticker == "AAPL"
    made = []
    monkeypatch.setattr("tilt.portfolio.identifiers._Names", lambda p: made.append(p))
    for date in panel.dates[-3:]:
        assert Tickers(panel, date).find("brk/b").ticker == "BRK.B"
    assert made == []


def test_suggestions_are_those_of_a_search_through_all_tickers(panel):
    """The index of shortened words finds what a comparison with every ticker finds."""
    known = Tickers(panel, panel.as_of)
    tickers = [str(t) for t in panel.assets]
    draw = random.Random(7)  # noqa: S311
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ."
    for _ in range(300):
        word = list(draw.choice(tickers))
        for _ in range(draw.randint(0, 3)):
            at = draw.randrange(len(word) + 1)
            word[at : at + draw.randint(0, 1)] = draw.choice(["", draw.choice(letters)])
        text = "".join(word)
        for most in (1, 2):
            reach = min(most, 1) if len(text) <= 3 else most
            near = [d for t in tickers if (d := edits(text, t)) <= min(reach, len(text) - 1)]
            hint = known.nearest(text, most=most)
            assert bool(hint) == bool(near), text
            if hint:
                assert edits(text, hint.split("'")[1]) == min(near)


# -- what JSON can carry --------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity", "1e999", '"\\ud800"', "0x1"])
def test_tokens_that_are_no_json_are_refused_as_such(sheet, token):
    for path, body in (
        (CALL, f'{{"func_name": "risk", "args": [[["AAPL", {token}]]]}}'),
        (BATCH, f'{{"calls": [{{"func_name": "risk", "args": [[["AAPL", {token}]]]}}]}}'),
    ):
        answer = sheet.raw(path, body)
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("The body is not JSON: ")


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64, 10**30, -(10**300)])
def test_a_number_of_any_size_is_answered(sheet, number):
    for call in (
        ("risk", [["AAPL", number], ["XOM", 1]]),
        ("risk", [[number, 1.0]]),
        ("security", number, "close"),
        ("security", "AAPL", "close", number),
        ("members", None, None, [["top", number]]),
        ("stats", [[number], [0.01]]),
        ("optimize", "min_te", GOOD, [["weight", "*", 0, number]]),
        ("optimize", "max_utility", GOOD, None, None, [["AAPL", number]]),
    ):
        assert sheet.ask(*call)


@pytest.mark.parametrize("depth", [3, 4, 50, 500])
def test_nested_ranges_are_refused(sheet, depth):
    deep = "[" * depth + '"AAPL"' + "]" * depth
    answer = sheet.raw(CALL, f'{{"func_name": "risk", "args": [{deep}]}}')
    assert answer.status_code == 400
    assert answer.json()["detail"]


# -- anything -------------------------------------------------------------------------------------

WORDS = [
    "AAPL", "XOM", "brk/b", "APPL", "Ticker", "Weight", "Shares", "Market value", "Date", "Total",
    "CASH", "NONE", "SAMPLE", "US_LARGE_CAP", "Value", "Momentum", "Energy", "volatility", "beta",
    "min_te", "equal_weight", "quantile:Value:5:1", "pure:Value", "weight",
    "sector", "turnover", "rule", "who", "max",
    "top=2", "headers=off;na=zero", "long_short=yes", "lag=0", "drift:0.05", "M", "D", "stats",
    "trades", "explain", "2016-01-04", "20160104", "01/02/2016", "-1M", "YTD", "1-Mar",
    "0,05", "1.234,5", "1,234", "5 %", "(5)", "25 bp", "'0.4", "#N/A", "#REF!", "#SPILL!", "#", "*",
    "", " ", "\u00a0", "\u200b", "=1+1", "=cmd|' /c calc'!A0", "\x00", "\u202eX", "🍎", "x" * 5000,
]  # fmt: skip
cells = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from([None, True, False, 0, 1, -1, 0.5, 0.05, 50, 42373, 20160104, 1e300, 2**64]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**20), 10**20),
    st.text(max_size=8),
    st.sampled_from(["Ref", "Spill", "Div0", "Odd"]).map(
        lambda k: {"type": "Error", "errorType": k}
    ),
    st.sampled_from([42373, "AAPL", ""]).map(
        lambda v: {"type": "FormattedNumber", "basicValue": v}
    ),
)


def grids(width):
    return st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=5)


near_good = st.lists(
    st.one_of(
        st.sampled_from(GOOD),
        st.tuples(st.sampled_from(WORDS), st.floats(-2, 2)).map(list),
        st.tuples(st.sampled_from(["AAPL", "MSFT", "GE"]), cells).map(list),
    ),
    min_size=1,
    max_size=6,
)
arguments = st.one_of(
    st.none(), cells, cells.map(lambda c: [[c]]), near_good, *[grids(w) for w in range(1, 7)]
)
FUNCTIONS = [
    "asof", "attribution", "backtest", "check", "compare", "covariance", "drawdowns",
    "exposure", "exposures", "factor_correlation", "factor_ic", "factor_quantiles",
    "factor_returns", "factor_shape", "factor_stats", "factors", "frontier", "help", "history",
    "liquidity", "match", "members", "optimize", "portfolio", "pure_factor", "quality",
    "regime_risk", "regimes", "regress", "risk", "risk_table", "scenarios", "security",
    "stat", "stats", "stress", "summary", "sweep", "trace", "universes", "var", "version", "whatif",
]  # fmt: skip


def test_every_function_that_takes_a_range_is_tried(sheet):
    listed = {row[0].lower() for row in sheet("help")[1:]}
    assert set(FUNCTIONS) <= listed
    taking = {r[0].lower() for r in sheet("help")[1:] if "(" in r[1] and not r[1].endswith("()")}
    assert taking - {"live"} <= set(FUNCTIONS)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(name=st.sampled_from(FUNCTIONS), given_=st.lists(arguments, max_size=8))
def test_whatever_the_ranges_hold_each_function_answers_or_says_why_not(sheet, name, given_):
    shown = sheet.ask(name, *given_)  # asserts that both routes agree and a text is for people
    if shown.rows is None:
        assert shown.cell in {"#VALUE!", "#N/A", "#DIV/0!"}
    else:
        assert all(len(row) == len(shown.rows[0]) for row in shown.rows)
        assert not any(str(v)[:1] == "=" for row in shown.rows for v in row if name != "help")


DAY, LATER = "2016-01-04", "2016-02-29"
RETURNS = [[42373, 0.01], [42374, -0.02], [42375, 0.015], [42376, 0.0]]
RULES = [["rule", "who", "max"], ["weight", "*", 0.5], ["turnover", "", 0.3]]
DATED = [["Date", "Ticker", "Weight"], [42373, "AAPL", 1], [42400, "XOM", 1]]
GOOD_CALLS = [
    ["risk", GOOD, [["beta", "names"]], DAY, [["MSFT", 0.5], ["GE", 0.5]], "", [["long_short", 0]]],
    ["risk_table", GOOD, "sector", DAY, "NONE", "US_LARGE_CAP", "top=3;na=zero"],
    ["exposure", GOOD, [["Value"], ["Size"]], DAY, "US_LARGE_CAP"],
    ["exposures", GOOD, [["MSFT", 1]], DAY, "", [["headers", "off"], ["top", 2]]],
    ["check", [["Ticker", "Shares"], ["AAPL", 10], ["XOM", 20]], "US_LARGE_CAP", DAY],
    ["security", [["AAPL"], ["XOM"]], [["close", "Value"]], DAY],
    ["history", "AAPL,XOM", "return", DAY, LATER, "W", "fill=ffill"],
    ["members", "US_LARGE_CAP", DAY, "top=2;sort=weight"],
    ["stats", RETURNS, RETURNS, "D", 0.01, "mar=0,01;confidence=0.9"],
    ["optimize", "max_utility", GOOD, RULES, "NONE", [["AAPL", 0.1], ["XOM", 0.05]], DAY, "summary",
     [["risk_aversion", 3]]],
    ["frontier", "min_risk", GOOD, RULES, "NONE", [["AAPL", 0.1], ["XOM", 0.05]], 4,
     [["view", "corners"], ["risk_free", 0.01]]],
    ["attribution", GOOD, [["MSFT", 1]], DAY, LATER, "brinson", "industry", "", "link=grap"],
    ["attribution", DATED, "NONE", "2016-01-11", LATER, "factor", "group"],
    ["backtest", DATED, "2016-01-11", LATER, "M", None, "NONE", "stats", [["lag", 1], ["cash", 0]]],
    ["backtest", "inverse_vol", DAY, LATER, "drift:0.2", "", "universe", "weights", "lookback=100"],
]  # fmt: skip


@st.composite
def calls_with_one_wrong_cell(draw):
    call = json.loads(json.dumps(draw(st.sampled_from(GOOD_CALLS))))
    at = draw(st.integers(1, len(call) - 1))
    if isinstance(call[at], list) and draw(st.integers(0, 4)):
        row = draw(st.sampled_from(call[at]))
        row[draw(st.integers(0, len(row) - 1))] = draw(cells)
    else:
        call[at] = draw(arguments)
    return call


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(call=calls_with_one_wrong_cell())
def test_one_wrong_cell_in_a_good_call_is_answered_or_said(sheet, call):
    shown = sheet.ask(*call)
    assert shown.rows is not None or shown.cell in {"#VALUE!", "#N/A", "#DIV/0!"}


@pytest.mark.parametrize("call", GOOD_CALLS, ids=lambda c: c[0])
def test_the_calls_that_are_made_wrong_are_good(sheet, call):
    assert sheet(*call)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(grid=near_good, culture=st.sampled_from(["en-US", "de-DE", None]))
def test_what_check_calls_an_error_is_what_risk_raises(sheet, grid, culture):
    table = sheet.ask("check", grid, culture=culture)
    shown = sheet.ask("risk", grid, "gross", None, "NONE", culture=culture)
    if table.rows is None:
        assert shown.rows is None
        return
    errors = [row for row in table.rows[1:] if row[1] == "error"]
    assert (shown.rows is None) or not errors


def test_a_refused_call_leaves_its_neighbors_in_the_batch_alone(sheet):
    calls = [
        {"func_name": "risk", "args": [GOOD, "names"]},
        {"func_name": "risk", "args": [[["AAPL", "#REF!"]], "names"]},
        {"func_name": "risk", "args": [GOOD, "names"]},
    ]
    answer: httpx.Response = sheet.raw(BATCH, json.dumps({"calls": calls}))
    first, refused, last = answer.json()["results"]
    assert first["result"] == last["result"] == [[3.0]]
    assert refused["error"].startswith("holdings row 1: weight is #REF!.")
