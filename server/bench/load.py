"""What a portfolio manager's workbook and pane ask of a server, one request of each kind."""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

import httpx
import numpy as np

BATCH = "/xlwings/custom-functions-batch"
IN_ONE = 1000  # calls in a batch: what the add-in sends at once
PATIENCE = 170.0  # seconds a request or a job may take
FACTORS = ("Size", "Value", "Momentum", "Volatility", "Beta")
MOST_FAILED = 20


class Asking:
    """One user's requests; each method returns when the answer is there.

    failed : what the server answered that was neither an answer nor "again, later"
    later  : how often it said so
    """

    def __init__(self, address: str, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._seed = seed
        self._http = httpx.Client(
            base_url=address, headers={"X-Tilt-Client": "load"}, timeout=PATIENCE
        )
        self._tickers: list[str] = []
        self.failed: list[str] = []
        self.later = 0

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def health(self) -> None:
        """Ask whether the server is ready."""
        self._get("/health/ready")

    def cells(self, count: int = 100) -> None:
        """Ask for exposures of random names, as so many cells."""
        names, factors = self._names(count), self._rng.choice(FACTORS, count)
        calls = [
            {"func_name": "exposure", "args": [[[name]], [[str(factor)]]]}
            for name, factor in zip(names, factors, strict=True)
        ]
        base = {
            "client": "Office.js", "caller_address": "[Load]Sheet1!A1", "version": "0.37.8",
            "runtime": "1.4", "date_format": "m/d/yyyy", "culture_info_name": "en-US",
        }  # fmt: skip
        for first in range(0, count, IN_ONE):
            self._post(BATCH, {"base": base, "calls": calls[first : first + IN_ONE]})

    def risk(self) -> None:
        """Ask for the risk of a portfolio that nobody has asked for."""
        self._post("/api/v1/risk", {"holdings": self._holdings()})

    def live(self) -> None:
        """Ask for last prices."""
        self._post("/api/v1/live", {"tickers": self._names(50)})

    def save(self) -> None:
        """Save one of a user's twenty portfolios, as a write that may be sent again."""
        name = f"Load {self._seed} {self._rng.integers(20)}"
        headers = {"Idempotency-Key": f"{self._seed}-{self._rng.integers(2**62)}"}
        self._send(
            "PUT", f"/api/v1/portfolios/{name}", {"holdings": self._holdings()}, headers=headers
        )

    def optimization(self) -> None:
        """Ask for better weights of a new portfolio, and wait for them."""
        limits = [["weight", "*", 0, 0.05], ["turnover", "", None, 0.2]]
        body = {"holdings": self._holdings(), "objective": "min_te", "constraints": limits}
        self._job("/api/v1/optimize", body)

    def report(self) -> None:
        """Ask for a report of a new portfolio, and fetch it."""
        book = {"name": f"Load {self._seed}", "holdings": self._holdings()}
        body = {"portfolios": [book], "sections": ["holdings", "exposures"], "format": "html"}
        job = self._job("/api/v1/reports", body)
        for file in (job.get("result") or {}).get("files", []):
            self._get(f"/api/v1/reports/{file['file']}")

    def backtest(self) -> None:
        """Ask for a backtest that nobody has asked for, and wait for it."""
        start = f"2014-{self._rng.integers(1, 13):02d}-{self._rng.integers(1, 29):02d}"
        strategy = f"quantile:{self._rng.choice(FACTORS)}:5:{self._rng.integers(1, 6)}"
        self._job("/api/v1/backtest", {"strategy": strategy, "start": start})

    def _holdings(self) -> list[list[object]]:
        names = sorted(set(self._names(30)))
        weights = self._rng.dirichlet(np.ones(len(names))).round(6)
        return [
            ["ticker", "weight"],
            *([n, float(w)] for n, w in zip(names, weights, strict=True)),
        ]

    def _names(self, count: int) -> list[str]:
        if not self._tickers:
            answer = self._get("/api/v1/members")
            members = answer.json()["members"]
            self._tickers = [str(row[0]) for row in members["data"]]
        return [str(name) for name in self._rng.choice(self._tickers, count)]

    def _job(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        """Submit a job, and return it when it has ended."""
        answer = self._post(path, body)
        if answer.status_code != httpx.codes.ACCEPTED:
            return {}
        job: dict[str, object] = answer.json()
        end = time.monotonic() + PATIENCE
        while job["state"] in {"queued", "running"} and time.monotonic() < end:
            time.sleep(0.05)
            answer = self._get(f"/api/v1/jobs/{job['id']}")
            if answer.status_code == httpx.codes.OK:
                job = answer.json()
        if job["state"] != "done":
            self._note(f"{path}: the job is {job['state']}: {job['error']}")
        return job

    def _get(self, path: str) -> httpx.Response:
        return self._send("GET", path, None)

    def _post(self, path: str, body: Mapping[str, object]) -> httpx.Response:
        return self._send("POST", path, body)

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        answer = self._http.request(method, path, json=body, headers=dict(headers or {}))
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self.later += 1
        elif answer.is_error:
            self._note(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer

    def _note(self, words: str) -> None:
        if len(self.failed) < MOST_FAILED:
            self.failed.append(words)


KINDS: Mapping[str, Callable[[Asking], None]] = MappingProxyType(
    {
        "health": Asking.health,
        "1 cell": lambda asking: asking.cells(1),
        "100 cells": lambda asking: asking.cells(100),
        "10,000 cells": lambda asking: asking.cells(10_000),
        "risk": Asking.risk,
        "live": Asking.live,
        "saving": Asking.save,
        "optimization": Asking.optimization,
        "report": Asking.report,
        "backtest": Asking.backtest,
    }
)
