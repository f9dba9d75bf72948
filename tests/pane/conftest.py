"""A server of its own over a copy of the sample, as the pane saves portfolios and runs jobs."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from serving import PATIENCE, ended, listening, run_node

from tilt.api.app import create_app
from tilt.data.store import Store
from tilt.settings import Settings

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLIENT = {"X-Tilt-Client": "tests"}


@pytest.fixture(scope="package")
def pane_settings(store: Store, sample_settings: Settings, tmp_path_factory) -> Settings:
    """Settings of a copy of the sample's store, which the pane may change."""
    assert store.snapshot()
    folder = tmp_path_factory.mktemp("pane") / "data"
    shutil.copytree(sample_settings.data_url, folder)
    return Settings(data_url=str(folder))


@pytest.fixture(scope="package")
def pane_address(pane_settings: Settings) -> Iterator[str]:
    """Address of a server of this process over the copy."""
    with listening(create_app(pane_settings)) as address:
        yield address


@pytest.fixture(scope="package")
def pane_store(pane_settings: Settings, pane_address: str) -> Iterator[Store]:
    """The copy itself, to see what the pane left there."""
    assert pane_address
    opened = Store.open(pane_settings)
    yield opened
    opened.close()


@dataclass(frozen=True)
class Api:
    """The interface under /api/v1, asked as a program asks it."""

    http: httpx.Client

    def __call__(self, method: str, path: str, body: object = None, **more: Any) -> httpx.Response:
        if body is not None:
            more["json"] = body
        return self.http.request(method, f"/api/v1/{path}", **more)

    def ok(self, method: str, path: str, body: object = None) -> Any:
        answer = self(method, path, body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, body: object = None, **more: Any) -> tuple[int, str]:
        """Return status and words of a refusal, which must be a problem document of the client."""
        answer = self(method, path, body, **more)
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(answer.headers["x-request-id"]) >= 8
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["title"]
        return answer.status_code, problem["detail"]

    def ended(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return a job once it has ended."""
        return ended(self.http, job["id"])


@pytest.fixture(scope="package")
def api(pane_address: str) -> Iterator[Api]:
    with httpx.Client(base_url=pane_address, headers=CLIENT, timeout=PATIENCE) as http:
        yield Api(http)


@pytest.fixture(scope="package")
def records() -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    """Return a function from a table in JSON to its rows by the names of its columns."""
    return lambda table: [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]


@pytest.fixture(scope="package")
def workbook_of_holdings(tmp_path_factory) -> Path:
    """An Excel file as a custodian sends it: title, blank row, header, holdings, total."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ["Holdings of account 4711"],
        [],
        ["Security", "Ticker", "Market Value"],
        ["Apple", "AAPL", 600_000],
        ["Exxon Mobil", "XOM", 300_000],
        ["Cash", "CASH", 100_000],
        ["Total", "Total", 1_000_000],
    ):
        sheet.append(row)
    path = tmp_path_factory.mktemp("files") / "account 4711.xlsx"
    book.save(path)
    return path


@pytest.fixture(scope="package")
def session(pane_address: str, workbook_of_holdings: Path) -> dict[str, Any]:
    """What somebody saw who worked the whole pane by keyboard, in light."""
    return run_node(HERE / "by_keyboard.mjs", pane_address, str(workbook_of_holdings))


@pytest.fixture(scope="package")
def looks(pane_address: str) -> dict[str, Any]:
    """What an accessibility scan and a ruler find on every tab, in light and dark."""
    return run_node(HERE / "looks.mjs", pane_address)
