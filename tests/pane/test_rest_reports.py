"""Reports over HTTP: a job whose files only its owner fetches."""

import base64
import io
import re

import openpyxl
import pytest

from tilt.report.kinds import KINDS

pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
HALF_UNKNOWN = {"name": "Half", "holdings": [["ticker", "weight"], ["AAPL", 0.5], ["NOPE1", 0.5]]}


@pytest.fixture(scope="module")
def made(api):
    """A report of a saved portfolio and of one that cannot be used, a file each."""
    body = {
        "portfolios": ["SAMPLE", HALF_UNKNOWN],
        "sections": ["risk", "holdings"],
        "format": "html",
        "separate": True,
    }
    return api.ended(api.ok("POST", "reports", body))["result"]


def test_kinds_sections_formats_and_modes_are_listed(api):
    listed = api.ok("GET", "reports")
    assert [kind["name"] for kind in listed["kinds"]] == list(KINDS)
    for kind in listed["kinds"]:
        assert [s["key"] for s in kind["sections"]] == list(KINDS[kind["name"]].sections)
    assert {"xlsx", "html"} <= {f["name"] for f in listed["formats"]}
    assert [m["name"] for m in listed["modes"]] == ["formulas", "frozen", "live"]


def test_each_portfolio_has_its_file_with_the_chosen_sections(api, made):
    assert made["sections"] == ["holdings", "risk"]
    names = [file["name"] for file in made["files"]]
    day = made["as_of"]
    assert names == [f"{n} portfolio report {day}.html" for n in ("SAMPLE", "Half")]
    answer = api("GET", f"reports/{made['files'][0]['file']}")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "Where the tracking error comes from" in answer.text
    assert "Trades of the rebalance" not in answer.text


def test_a_portfolio_half_unmatched_gives_a_report_that_says_so(api, made):
    page = api("GET", f"reports/{made['files'][1]['file']}").text
    assert "Incomplete: Holdings" in page
    assert "NOPE1" in page


def test_a_template_is_filled_by_the_job(api):
    book = openpyxl.Workbook()
    name = openpyxl.workbook.defined_name.DefinedName
    book.defined_names["tilt_portfolio"] = name("tilt_portfolio", attr_text="Sheet!$B$2")
    file = io.BytesIO()
    book.save(file)
    template = base64.b64encode(file.getvalue()).decode()
    body = {"portfolios": ["SAMPLE"], "sections": ["holdings"], "template": template}
    result = api.ended(api.ok("POST", "reports", body))["result"]
    content = api("GET", f"reports/{result['files'][0]['file']}").content
    assert openpyxl.load_workbook(io.BytesIO(content))["Sheet"]["B2"].value == "SAMPLE"


def runs_of(api, body):
    """Return the run ids that a report shows, each with what TRACE has on record of it."""
    result = api.ended(api.ok("POST", "reports", body))["result"]
    content = api("GET", f"reports/{result['files'][0]['file']}").content
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    cells = [str(cell.value) for row in book["Lineage"].iter_rows() for cell in row]
    ids = {text for text in cells if re.fullmatch(r"[0-9a-f]{12}", text)} - {result["snapshot"]}
    return {run: api.ok("GET", f"runs/{run}") for run in ids}


def equal_again(api, run):
    return api.ended(api.ok("POST", f"runs/{run}/verify"))["result"]["equal"]


def test_every_run_of_a_pack_is_on_record_and_gives_the_same_numbers_again(api):
    found = runs_of(api, {
        "kind": "month_end",
        "portfolios": ["SAMPLE"],
        "sections": ["attribution_groups", "attribution_factors", "attribution_positions",
                     "optimization_rules", "backtest_tear_sheet"],
        "options": {"strategy": "quantile:Momentum:5:5", "start": "-6M"},
    })  # fmt: skip
    functions = sorted(run["function"] for run in found.values())
    assert functions == ["ATTRIBUTION"] * 3 + ["BACKTEST", "OPTIMIZE"]
    assert all(equal_again(api, run) for run in found)


def test_a_backtest_report_explains_a_run_that_is_on_record(api):
    found = runs_of(api, {
        "kind": "backtest",
        "sections": ["tear_sheet", "groups", "factors"],
        "options": {"strategy": "min_te", "start": "2016-01-04", "rebalance": "Q"},
    })  # fmt: skip
    (tested,) = (run for run, told in found.items() if told["function"] == "BACKTEST")
    explained = [told for told in found.values() if told["function"] == "ATTRIBUTION"]
    assert [told["question"]["holdings"] for told in explained] == [[[tested]]] * 2
    assert all(equal_again(api, run) for run in found)


def test_a_pack_is_compared_with_the_last_one_until_that_is_forgotten(api, records):
    holdings = [["ticker", "weight"], ["AAPL", 0.5], ["XOM", 0.5]]

    def page(held):
        body = {"kind": "month_end", "sections": ["changes"], "format": "html",
                "options": {"since": "0D"},
                "portfolios": [{"name": "Tracked", "holdings": held}]}  # fmt: skip
        result = api.ended(api.ok("POST", "reports", body))["result"]
        return api("GET", f"reports/{result['files'][0]['file']}").text

    assert "is on record: compared with the model on" in page(holdings)
    (kept,) = (p for p in records(api.ok("GET", "packs")["packs"]) if p["portfolio"] == "Tracked")
    moved = page([holdings[0], ["AAPL", 0.3], ["XOM", 0.7]])
    assert f"(report {kept['pack']})" in moved
    assert "AAPL went from 50.00% to 30.00%." in moved
    for one in records(api.ok("GET", "packs")["packs"]):
        if one["portfolio"] == "Tracked":
            assert api("DELETE", f"packs/{one['pack']}").status_code == 204
    assert api.refused("DELETE", f"packs/{kept['pack']}")[0] == 404
    assert "is on record: compared with the model on" in page(holdings)


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"sections": ["hodlings"]}, 400, "Did you mean 'holdings'"),
        ({"kind": "portfoilo"}, 400, "Did you mean 'portfolio'"),
        ({"portfolios": []}, 400, "is of portfolios"),
        ({"template": "!"}, 400, "did not arrive whole"),
    ],
)
def test_what_is_wrong_is_said_at_once(api, changed, status, said):
    refused = api.refused("POST", "reports", {"portfolios": ["SAMPLE"], **changed})
    assert refused[0] == status
    assert said in refused[1]


def test_a_job_of_an_unknown_portfolio_fails_with_its_name(api):
    job = api.ended(api.ok("POST", "reports", {"portfolios": ["SAMPEL"]}))
    assert job["state"] == "failed"
    assert "SAMPEL" in job["error"]
