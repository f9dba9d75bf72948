"""A server of its own, as buttons save portfolios and files; and workbooks to press them on."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from serving import PATIENCE, ended, listening, run_node

from tilt.api.app import create_app
from tilt.data.store import Store
from tilt.settings import Settings

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HOLDINGS = [["ticker", "weight"], ["AAPL", 0.4], ["XOM", 0.35], ["JPM", 0.2]]
RULES = [
    ["rule", "who", "min", "max"],
    ["weight", "*", 0, 0.08],
    ["turnover", "", "", 0.9],
]


@pytest.fixture(scope="package")
def own_settings(store: Store, sample_settings: Settings, tmp_path_factory) -> Settings:
    """Settings of a copy of the sample's store, which the buttons may change."""
    assert store.snapshot()
    folder = tmp_path_factory.mktemp("ribbon") / "data"
    shutil.copytree(sample_settings.data_url, folder)
    return Settings(data_url=str(folder))


@pytest.fixture(scope="package")
def ribbon_address(own_settings: Settings) -> Iterator[str]:
    """Address of a server of this process over the copy."""
    with listening(create_app(own_settings)) as address:
        yield address


@pytest.fixture(scope="package")
def own_store(own_settings: Settings, ribbon_address: str) -> Iterator[Store]:
    """The copy itself, to see what a button left there."""
    assert ribbon_address
    opened = Store.open(own_settings)
    yield opened
    opened.close()


def column(number: int) -> str:
    """Return the letters of a column, from 1."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def sheet(name: str, values=None, *, tables=(), **more) -> dict[str, Any]:
    """Return a sheet as the add-in posts it; ``tables``: names of tables over all of it."""
    values = values or [[""]]
    width = max(map(len, values))
    values = [[*row, *[""] * (width - len(row))] for row in values]
    address = f"A1:{column(width)}{len(values)}"
    return {
        "name": name,
        "visibility": "Visible",
        "values": values,
        "charts": [],
        "tables": [
            {
                "name": table,
                "range_address": address,
                "row_count": len(values),
                "column_count": width,
                "columns": [str(c) for c in values[0]],
                "show_headers": True,
                "show_totals": False,
            }
            for table in tables
        ],
        **more,
    }


def held(cells=None) -> dict[str, Any]:
    return sheet("Book", cells or HOLDINGS, tables=["TiltHoldings"])


def ruled(cells=None) -> dict[str, Any]:
    return sheet("Rules", cells or RULES, tables=["TiltConstraints"])


def settings(**given) -> dict[str, Any]:
    return sheet("Set", [["key", "value"], *map(list, given.items())], tables=["TiltSettings"])


def workbook(*sheets: dict[str, Any]) -> dict[str, Any]:
    return {
        "client": "Office.js",
        "version": "0.37.8",
        "book": {"name": "My book.xlsx", "active_sheet_index": 0, "selection": "A1"},
        "names": [],
        "sheets": [sheet("Sheet1"), *json.loads(json.dumps(sheets))],
    }


@dataclass
class Written:
    """What the actions of a script would do to a workbook."""

    actions: list[dict[str, Any]]
    said: str = ""
    file: str = ""
    file_name: str = ""
    job: str = ""
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def sheets(self) -> list[str]:
        return [a["args"][1] for a in self.actions if a["func"] == "addSheet"]

    @property
    def charts(self) -> list[str]:
        return [a["args"][0] for a in self.actions if a["func"] == "addChart"]


@dataclass(frozen=True)
class Ribbon:
    """Presses buttons over HTTP as the add-in does; makes the sheets to press them on."""

    http: httpx.Client

    sheet = staticmethod(sheet)
    held = staticmethod(held)
    ruled = staticmethod(ruled)
    settings = staticmethod(settings)

    def post(self, name: str, *sheets: dict[str, Any], pane: object = None) -> httpx.Response:
        body = workbook(*sheets)
        if pane is not None:
            body["book"]["tilt"] = pane
        return self.http.post(f"/xlwings/custom-scripts-call/{name}", json=body)

    def press(self, name: str, *sheets: dict[str, Any]) -> Written:
        answer = self.post(name, *sheets)
        assert answer.status_code == 200, answer.text
        return read_actions(answer.json()["actions"])

    def refusal(self, name: str, *sheets: dict[str, Any]) -> str:
        answer = self.post(name, *sheets)
        assert 400 <= answer.status_code < 500, answer.text
        return answer.json()["detail"]

    def ended(self, job: str) -> dict[str, Any]:
        return ended(self.http, job)

    def fetch(self, file: str) -> bytes:
        answer = self.http.get(f"/api/v1/reports/{file}")
        assert answer.status_code == 200, answer.text
        return answer.content


@pytest.fixture(scope="package")
def holdings() -> list[list[object]]:
    """The cells of ``ribbon.held()``."""
    return HOLDINGS


@pytest.fixture(scope="package")
def rules() -> list[list[object]]:
    """The cells of ``ribbon.ruled()``."""
    return RULES


@pytest.fixture(scope="package")
def ribbon(ribbon_address: str) -> Iterator[Ribbon]:
    headers = {"X-Tilt-Client": "tests"}
    with httpx.Client(base_url=ribbon_address, headers=headers, timeout=PATIENCE) as http:
        yield Ribbon(http)


def read_actions(actions) -> Written:
    """Return what actions write, tables as frames by the names they are given."""
    written = Written(actions)
    for action in actions:
        if action["func"] == "runMacro" and action["args"][0] == "tiltSay":
            written.said = action["args"][1]
        if action["func"] == "runMacro" and action["args"][0] == "tiltOffer":
            _, written.file, written.file_name = action["args"]
        if action["func"] == "runMacro" and action["args"][0] == "tiltFollow":
            _, written.job, _ = action["args"]
    areas = {}
    for action in actions:
        if action["func"] == "setValues" and len(action["values"]) > 1:
            top = f"${column(action['start_column'] + 1)}${action['start_row'] + 1}:"
            areas[action["sheet_position"], top] = action["values"]
    for action in actions:
        if action["func"] == "addTable":
            address, _, _, name = action["args"]
            values = areas[action["sheet_position"], address.partition(":")[0] + ":"]
            written.tables[name] = pd.DataFrame(values[1:], columns=values[0])
    return written


@pytest.fixture(scope="package")
def pressed(ribbon_address: str) -> dict:
    """What a session in Chromium saw in which every button of the manifest was pressed twice."""
    return run_node(HERE / "press_all.mjs", ribbon_address)
