"""The routes that read, save, list and delete portfolios."""

import base64
import io
import zipfile

import pytest

from tilt.api.v1.uploads import MOST_UNPACKED


def upload(api, records, text, **more):
    seen = api.ok("POST", "uploads", {"text": text, **more})
    rows = records(seen["holdings"]) if seen["usable"] else []
    return seen, {row["ticker"]: row["weight"] for row in rows}


PLAIN = {"AAPL": 0.6, "MSFT": 0.4}
FORMS = {
    "tabs": "AAPL\t0.6\nMSFT\t0.4",
    "per cent": "AAPL\t60%\nMSFT\t40 %",
    "whole per cent": "ticker,weight\nAAPL,60\nMSFT,40",
    "commas": "Symbol,Weight\nAAPL,0.6\nMSFT,0.4",
    "semicolons, decimal commas": "Ticker;Weight\nAAPL;0,6\nMSFT;0,4",
    "bars": "AAPL|0.6\nMSFT|0.4",
    "spaces": "AAPL   0.6\nMSFT   0.4",
    "one space": "AAPL 60%\nMSFT 40%",
    "windows lines": "AAPL\t0.6\r\nMSFT\t0.4\r\n",
    "quotes": '"AAPL","0.6"\n"MSFT","0.4"',
    "market values": 'Name,Ticker,Market Value\nApple,AAPL,"$6,000.00"\nMicrosoft,MSFT,"$4,000.00"',
    "title above": "Account 4711\nAs of today\n\nSymbol\tWeight\nAAPL\t60%\nMSFT\t40%",
    "total below": "Symbol\tWeight\nAAPL\t60%\nMSFT\t40%\nTotal\t100%",
    "bloomberg": "AAPL US Equity\t0.6\nMSFT US Equity\t0.4",
    "byte order mark": "\ufeffAAPL\t0.6\nMSFT\t0.4",
}


@pytest.mark.parametrize("form", FORMS)
def test_holdings_are_read_in_every_form_people_paste(api, records, form):
    seen, weights = upload(api, records, FORMS[form])
    assert seen["usable"], seen
    assert weights == pytest.approx(PLAIN)
    assert seen["cash"] == pytest.approx(0)


def test_rows_keep_their_numbers_under_a_title(api, records):
    seen, _ = upload(api, records, "Account 4711\n\nSymbol\tWeight\nAAPL\t90%\nMSTF\t10%")
    (finding,) = records(seen["findings"])
    assert finding["row"] == 5
    assert finding["severity"] == "warning"
    assert "Did you mean 'MSFT'?" in finding["fix"]


def test_what_cannot_be_used_is_listed_row_by_row(api, records):
    seen, _ = upload(api, records, "AAPL\t50%\nMSFT\t#REF!\n\tx\t30%")
    assert not seen["usable"]
    assert seen["holdings"] is None
    assert seen["error"]
    assert {f["row"] for f in records(seen["findings"]) if f["severity"] == "error"} >= {2}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_csv_file_is_read_in_the_encodings_excel_writes(api, records, encoding):
    content = "Société,Ticker,Weight\nApple,AAPL,0.6\nMicrosoft,MSFT,0.4".encode(encoding)
    body = {"file": base64.b64encode(content).decode(), "name": "a.csv"}
    seen = api.ok("POST", "uploads", body)
    weights = {row["ticker"]: row["weight"] for row in records(seen["holdings"])}
    assert weights == pytest.approx(PLAIN)


def test_an_excel_workbook_is_read(api, records, workbook_of_holdings):
    content = base64.b64encode(workbook_of_holdings.read_bytes()).decode()
    seen = api.ok("POST", "uploads", {"file": content, "name": workbook_of_holdings.name})
    weights = {row["ticker"]: row["weight"] for row in records(seen["holdings"])}
    assert weights == pytest.approx({"AAPL": 0.6, "XOM": 0.3})
    assert seen["cash"] == pytest.approx(0.1)


def bomb() -> bytes:
    made = io.BytesIO()
    with (
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as parts,
        parts.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(MOST_UNPACKED // 2**20 + 1):
            part.write(b" " * 2**20)
    return made.getvalue()


FILES = {
    "no workbook": (b"PK\x03\x04 nothing", "cannot be read as an Excel workbook"),
    "old excel": (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old or encrypted"),
    "empty": (b"", "Nothing was pasted"),
    "blank lines": (b"\n \n\t\n", "Nothing was pasted"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_none_is_refused(api, case):
    content, words = FILES[case]
    body = {"file": base64.b64encode(content).decode(), "name": "a.xlsx"}
    status, detail = api.refused("POST", "uploads", body)
    assert status == 400
    assert words in detail


def test_a_workbook_that_unpacks_without_end_is_refused(api):
    body = {"file": base64.b64encode(bomb()).decode(), "name": "a.xlsx"}
    assert "too large" in api.refused("POST", "uploads", body)[1]


BODIES = [
    {},
    {"text": "AAPL 1", "cells": [["AAPL", 1]]},
    {"text": 7},
    {"cells": "AAPL"},
    {"cells": []},
    {"cells": [[None]]},
    {"cells": [["AAPL", {"a": 1}]]},
    {"file": "not base64 !"},
    {"text": "AAPL 1", "universe": "MARS"},
    {"text": "AAPL 1", "date": "01/02/2016"},
    {"text": "AAPL 1", "date": "1950-01-01"},
    {"text": "AAPL 1", "other": 1},
]


@pytest.mark.parametrize("body", BODIES, ids=str)
def test_a_bad_upload_is_refused(api, body):
    api.refused("POST", "uploads", body)


# --- saved portfolios -----------------------------------------------------------------------------


def test_a_portfolio_is_saved_read_listed_replaced_and_deleted(api, records):
    path = "portfolios/Growth%20%26%20more"
    saved = api.ok("PUT", path, {"holdings": [["AAPL", 60], ["MSFT", 30]]})
    assert saved["name"] == "Growth & more"
    assert saved["cash"] == pytest.approx(0.1)
    assert any("per cent" in note for note in saved["notes"])
    read = api.ok("GET", path)
    assert {r["ticker"]: r["weight"] for r in records(read["holdings"])} == {
        "AAPL": 0.6,
        "MSFT": 0.3,
    }
    assert read["cash"] == pytest.approx(0.1)
    listed = {
        row["name"]: row["names"] for row in records(api.ok("GET", "portfolios")["portfolios"])
    }
    assert listed["Growth & more"] == 2
    api.ok("PUT", path, {"holdings": [["XOM", 1]]})
    assert [r["ticker"] for r in records(api.ok("GET", path)["holdings"])] == ["XOM"]
    assert api("DELETE", path).status_code == 204
    assert api.refused("GET", path)[0] == 404
    assert api.refused("DELETE", path)[0] == 404


def test_a_portfolio_may_copy_another_one(api, records, store):
    api.ok("PUT", "portfolios/copy", {"holdings": "SAMPLE"})
    rows = records(api.ok("GET", "portfolios/copy")["holdings"])
    assert {r["ticker"]: r["weight"] for r in rows} == pytest.approx(
        store.portfolio("SAMPLE").to_dict()
    )
    api.ok("DELETE", "portfolios/copy")


@pytest.mark.parametrize(
    "name", ["CASH", "none", "us_large_cap", "AAPL", "%20", "a%0Ab", "x" * 201]
)
def test_a_name_that_a_formula_could_not_find_is_refused(api, name):
    api.refused("PUT", f"portfolios/{name}", {"holdings": [["AAPL", 1]]})


BAD = [
    {},
    {"holdings": []},
    {"holdings": ""},
    {"holdings": "nobody"},
    {"holdings": [["AAPL", 7]]},
    {"holdings": [["QQQQ", 1]]},
    {"holdings": [["CASH", 1]]},
    {"holdings": "CASH"},
    {"holdings": [["AAPL", 1]], "source": "x"},
]


@pytest.mark.parametrize("body", BAD, ids=str)
def test_holdings_that_cannot_be_used_are_not_saved(api, body):
    api.refused("PUT", "portfolios/bad", body)
    assert api.refused("GET", "portfolios/bad")[0] == 404


def test_pages_of_portfolios_are_checked(api):
    assert api.refused("GET", "portfolios?limit=0")[0] == 422
    assert api.ok("GET", "portfolios?offset=1000")["portfolios"]["data"] == []
