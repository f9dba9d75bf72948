"""A server of this process over the sample, asked through real HTTP."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from cell_tables import RANGE
from fastapi import FastAPI
from serving import PATIENCE, listening

from tilt.api.app import create_app
from tilt.api.cells import Cell
from tilt.api.state import State, enter
from tilt.data.store import Store
from tilt.frames import Panel, Weights
from tilt.portfolio.holdings import parse_holdings
from tilt.settings import Settings

CALL = "/xlwings/custom-functions-call"
BATCH = "/xlwings/custom-functions-batch"
CLIENT = {"X-Tilt-Client": "tests"}


@dataclass(frozen=True)
class Excel:
    """Calls cells as the add-in does, by both routes."""

    http: httpx.Client

    def body(self, name: str, *arguments: object, runtime: str = "1.4") -> dict[str, Any]:
        return {
            "client": "Office.js",
            "func_name": name,
            "args": [_cells(a) for a in arguments],
            "caller_address": "[Book1]Sheet1!A1",
            "version": "0.37.8",
            "runtime": runtime,
            "date_format": "m/d/yyyy",
            "culture_info_name": "en-US",
        }

    def post(self, path: str, body: object) -> httpx.Response:
        return self.http.post(path, json=body)

    def single(self, name: str, *arguments: object) -> httpx.Response:
        return self.post(CALL, self.body(name, *arguments))

    def batch(self, *calls: tuple[object, ...]) -> list[dict[str, Any]]:
        bodies = [self.body(str(name), *arguments) for name, *arguments in calls]
        answer = self.post(BATCH, {"calls": bodies})
        assert answer.status_code == 200, answer.text
        return answer.json()["results"]

    def __call__(self, name: str, *arguments: object) -> list[list[Any]]:
        """Return a result, which must be the same by both routes."""
        answer = self.single(name, *arguments)
        assert answer.status_code == 200, answer.text
        (batched,) = self.batch((name, *arguments))
        assert batched == answer.json()
        return answer.json()["result"]

    def done(
        self, name: str, *arguments: object, book: str = "Book1", runtime: str = "1.4"
    ) -> list[list[Any]]:
        """Return a result, asked for until the job behind it is done; each answer waits for it."""
        body = self.body(name, *arguments, runtime=runtime)
        body["caller_address"] = f"[{book}]Sheet1!A1"
        for _ in range(100):
            answer = self.post(CALL, body)
            if answer.status_code != 503:
                break
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def error(self, name: str, *arguments: object) -> tuple[str, str]:
        """Return the Excel error and its message, which must be the same by both routes."""
        answer = self.single(name, *arguments)
        problem = answer.json()
        assert 400 <= answer.status_code < 500, answer.text
        (batched,) = self.batch((name, *arguments))
        assert batched == {
            "error": problem["detail"],
            "status": answer.status_code,
            "cell": problem["cell"],
        }
        return problem["cell"], problem["detail"]


def _cells(argument: object) -> object:
    """Return an argument as Excel sends it: a range for all but what is left out."""
    if argument is None or isinstance(argument, list):
        return argument
    return [[argument]]


@pytest.fixture(scope="package")
def addin(store: Store, sample_settings: Settings) -> FastAPI:
    """The application over the sample, which others must not change."""
    assert store.snapshot()
    return create_app(sample_settings)


@pytest.fixture(scope="package")
def address(addin: FastAPI) -> Iterator[str]:
    with listening(addin) as url:
        yield url


@pytest.fixture(scope="package")
def excel(address: str) -> Iterator[Excel]:
    with httpx.Client(base_url=address, headers=CLIENT, timeout=PATIENCE) as http:
        yield Excel(http)


@pytest.fixture
def state(addin: FastAPI) -> State:
    """The state of the server, as an unnamed user of this machine sees it."""
    found = addin.state.tilt.state
    enter(found, "")
    return found


@pytest.fixture(scope="package")
def held(panel: Panel, store: Store) -> Weights:
    """The weights that ``RANGE`` means."""
    return parse_holdings(RANGE, panel, panel.as_of, saved=store.portfolio).weights


@pytest.fixture
def serve_cells(store: Store, sample_settings: Settings) -> Iterator[Callable[..., str]]:
    """Return a function that serves given cells and settings and tells the address."""
    assert store.snapshot()
    with _Stack() as stack:

        def serve(cells: Mapping[str, Cell] | None = None, **settings: object) -> str:
            app = create_app(sample_settings.model_copy(update=settings))
            running = app.state.tilt
            every = {**running.state.cells, **(cells or {})}
            app.state.tilt = replace(running, state=replace(running.state, cells=every))
            return stack.enter(app)

        yield serve


class _Stack:
    """Servers that end with the test."""

    def __init__(self) -> None:
        self.open: list[Any] = []

    def __enter__(self) -> "_Stack":
        return self

    def enter(self, app: FastAPI) -> str:
        server = listening(app)
        self.open.append(server)
        return server.__enter__()

    def __exit__(self, *_: object) -> None:
        for server in self.open:
            server.__exit__(None, None, None)
