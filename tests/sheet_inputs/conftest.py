"""What a sheet sends, asked over both routes of a server of this process."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from serving import PATIENCE, listening

from tilt.api.app import create_app
from tilt.data.store import Store
from tilt.settings import Settings

CALL = "/xlwings/custom-functions-call"
BATCH = "/xlwings/custom-functions-batch"
JSON = {"Content-Type": "application/json"}
BUSY, MOST_ASKED = 503, 30
LONGEST = 600  # characters of a message


@dataclass(frozen=True)
class Shown:
    """What a cell shows: rows of cells, or an Excel error with its text."""

    rows: list[list[Any]] | None
    cell: str = ""
    text: str = ""

    @property
    def lead(self) -> str:
        """The part of the message that stands alone."""
        return self.text[:120]


@dataclass(frozen=True)
class Sheet:
    """Asks as Excel does; both routes must agree."""

    http: httpx.Client

    def raw(self, path: str, body: str) -> httpx.Response:
        return self.http.post(path, content=body, headers=JSON)

    def done(self, path: str, body: str) -> httpx.Response:
        """Return the answer, asked for again while a job behind it runs, as the add-in does."""
        for _ in range(MOST_ASKED):
            answer = self.raw(path, body)
            many = answer.json().get("results", [{}])
            if answer.status_code != BUSY and many[0].get("status") != BUSY:
                return answer
        raise AssertionError(f"still not done: {answer.text}")

    def ask(self, name: str, *arguments: object, culture: str | None = "en-US") -> Shown:
        call: dict[str, object] = {"func_name": name, "args": list(arguments), "runtime": "1.4"}
        if culture is not None:
            call["culture_info_name"] = culture
        one = self.done(CALL, json.dumps(call))
        many = self.done(BATCH, json.dumps({"calls": [call]}))
        assert many.status_code == 200, many.text
        (batched,) = many.json()["results"]
        assert one.status_code < 500, one.text
        if one.status_code == 200:
            assert batched["result"] == one.json()["result"]
            return Shown(one.json()["result"])
        problem = one.json()
        assert (batched["error"], batched["status"]) == (problem["detail"], one.status_code)
        assert batched["cell"] == problem["cell"]
        assert_readable(problem["detail"])
        return Shown(None, problem["cell"], problem["detail"])

    def __call__(self, name: str, *arguments: object, culture: str | None = "en-US") -> Any:
        """Return the rows of a result."""
        shown = self.ask(name, *arguments, culture=culture)
        assert shown.rows is not None, shown.text
        return shown.rows

    def error(self, name: str, *arguments: object, culture: str | None = "en-US") -> Shown:
        shown = self.ask(name, *arguments, culture=culture)
        assert shown.rows is None, shown.rows
        return shown


def assert_readable(text: str) -> None:
    """Assert that a message is one for people: short, printable, without the program's inside."""
    assert text
    assert len(text) <= LONGEST, text
    assert text.isprintable(), ascii(text)
    assert "Traceback" not in text
    assert "failed inside" not in text


@pytest.fixture(scope="package")
def sheet_address(store: Store, sample_settings: Settings) -> Iterator[str]:
    assert store.snapshot()
    with listening(create_app(sample_settings)) as address:
        yield address


@pytest.fixture(scope="package")
def sheet(sheet_address: str) -> Iterator[Sheet]:
    headers = {"X-Tilt-Client": "tests"}
    with httpx.Client(base_url=sheet_address, headers=headers, timeout=PATIENCE) as http:
        yield Sheet(http)
