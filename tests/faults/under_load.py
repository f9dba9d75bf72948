"""Server processes killed, and the database stopped and started, under live load over HTTP.

Run by hand from the folder ``tests``: ``python -m faults.under_load --what process --rounds 10`` or
``--what database``. A server of two processes over PostgreSQL answers clients that save portfolios,
read them back and calculate cells, and connect and send again when a connection breaks or they are
told to come later. Every write that was acknowledged must be read back, at once and in the
end; no answer may be a 5xx but 503 with ``Retry-After``; nothing is started again by hand.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]  # also as a script

from data.conftest import Make
from real_parts import Postgres, postgres
from serving import PATIENCE, serving, until

from tilt.data.store import Store
from tilt.errors import TiltError
from tilt.settings import Settings

CLIENT = {"X-Tilt-Client": "load"}
UNIVERSE = "TEST"
CELL = {"func_name": "history", "args": [[["N0"]], [["close"]]]}
AGAIN = 0.1  # seconds until a client sends again
AWAY = 3.0  # seconds that the database is away
BETWEEN = 3.0  # seconds of load between two faults
PROCESSES = 2
DONE = "done"


@dataclass
class Seen:
    """What the clients saw.

    statuses : how many answers of each status; 0 is a connection that broke
    acknowledged : by portfolio, the weight of its first name that was acknowledged
    wrong : in words
    answered : when the last answer below 500 came
    silence : the longest time without one, of all clients together
    back : by fault, the seconds until a write was acknowledged again
    whole : by fault, the seconds until all processes served again
    """

    statuses: Counter = field(default_factory=Counter)
    acknowledged: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    answered: float = field(default_factory=time.monotonic)
    silence: float = 0.0
    back: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, answer: httpx.Response | None) -> None:
        """Count an answer, or a connection that broke; a 5xx that none may have is wrong."""
        status = 0 if answer is None else answer.status_code
        with self.lock:
            self.statuses[status] += 1
            if answer is None:
                return
            if status >= 500 and not (status == 503 and "retry-after" in answer.headers):
                self.wrong.append(f"{answer.request.method} {answer.request.url.path}: {status}")
            if status < 500:
                now = time.monotonic()
                self.silence, self.answered = max(self.silence, now - self.answered), now


@dataclass
class Client:
    """One client: it sends a request until it has an answer that is none of being busy.

    over : whether it should end
    """

    http: httpx.Client
    name: str
    seen: Seen
    over: Callable[[], bool]

    def run(self) -> None:
        """Save a portfolio, read it back, calculate; and again."""
        number = 0
        while not self.over():
            number += 1
            self.save(f"Load {self.name} {number}", (1 + number % 1000) / 2000)
            self.ask("POST", "/xlwings/custom-functions-call", json=CELL)

    def save(self, portfolio: str, weight: float) -> None:
        """Save a portfolio, sent again as it is: what is acknowledged any process gives back."""
        path = f"/api/v1/portfolios/{portfolio}"
        body = {"holdings": [["ticker", "weight"], ["N0", weight], ["N1", 1 - weight]]}
        answer = self.ask("PUT", path, json=body)
        if answer is None or answer.status_code >= 300:
            return
        with self.seen.lock:
            self.seen.acknowledged[portfolio] = weight
        there = self.ask("GET", path)
        if there is not None and there.status_code != 200:
            self.seen.wrong.append(f"{portfolio} was acknowledged and is answered {there.text}")

    def ask(self, method: str, path: str, **given: object) -> httpx.Response | None:
        """Return the answer to a request, sent again as long as needed; None if it is over."""
        while not self.over():
            try:
                answer = self.http.request(method, path, **given)
            except httpx.TransportError:
                self.seen.note(None)
                time.sleep(AGAIN)
                continue
            self.seen.note(answer)
            if answer.status_code != 503:
                if answer.status_code >= 400:
                    self.seen.wrong.append(f"{method} {path}: {answer.status_code} {answer.text}")
                return answer
            time.sleep(AGAIN)
        return None


def kill_a_process(address: str, seen: Seen) -> None:
    """Kill the process that answers first, and wait until as many serve as before."""
    with httpx.Client(base_url=address, headers=CLIENT, timeout=PATIENCE) as http:
        victim = int(str(http.get("/api/v1/status").json()["process"]).split()[0])
    os.kill(victim, signal.SIGKILL)
    begun = time.monotonic()
    until(lambda: _processes(address) < PROCESSES)
    _acknowledged_again(seen, begun)
    until(lambda: _processes(address) == PROCESSES)
    seen.whole.append(time.monotonic() - begun)


def stop_the_database(server: Postgres, seen: Seen) -> None:
    """Stop the database for a while; wait until a write is acknowledged after it is back."""
    server.stop()
    time.sleep(AWAY)
    server.start()
    _acknowledged_again(seen, time.monotonic())


def _acknowledged_again(seen: Seen, begun: float) -> None:
    before = len(seen.acknowledged)
    until(lambda: len(seen.acknowledged) > before + 2 or seen.wrong)  # two were under way
    seen.back.append(time.monotonic() - begun)


def _processes(address: str) -> int:
    """Return how many processes serve; 0 if none could be asked."""
    try:
        told = httpx.get(f"{address}/metrics", headers=CLIENT, timeout=PATIENCE).text
    except httpx.TransportError:
        return 0
    found = re.search(r"^tilt_processes (\d+)", told, re.MULTILINE)
    return int(found[1]) if found else 0


def check(store: Store, seen: Seen) -> None:
    """Hold what was acknowledged against what is kept."""
    for portfolio, weight in seen.acknowledged.items():
        try:
            kept = float(store.portfolio(portfolio)["N0"])
        except TiltError as error:
            seen.wrong.append(f"{portfolio} was acknowledged and is lost: {error}")
            continue
        if abs(kept - weight) > 1e-9:
            seen.wrong.append(f"{portfolio} was acknowledged with {weight} and is {kept}")


def run(what: str, rounds: int, clients: int, folder: Path) -> Seen:
    """Load a server, break it so many times, and look at what is kept."""
    seen, over = Seen(), threading.Event()
    with ExitStack() as stack:
        server = stack.enter_context(postgres())
        url = server.new_database()
        settings = Settings(
            data_url=str(folder / "data"), database_url=url, default_universe=UNIVERSE
        )
        store = stack.enter_context(closing(Store.open(settings)))
        Make.publish(store, Make().small(UNIVERSE), "made-up")
        own = {
            "TILT_DATABASE_URL": url,
            "TILT_WORKERS": str(PROCESSES),
            "TILT_DEFAULT_UNIVERSE": UNIVERSE,
        }
        address = stack.enter_context(serving(folder / "data", folder / "log", **own))
        until(lambda: _processes(address) == PROCESSES)
        threads = []
        for number in range(clients):
            http = stack.enter_context(
                httpx.Client(base_url=address, headers=CLIENT, timeout=PATIENCE)
            )
            client = Client(http, str(number), seen, over.is_set)
            threads.append(threading.Thread(target=client.run))
        seen.answered = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            for number in range(rounds):
                time.sleep(BETWEEN)
                if what == "process":
                    kill_a_process(address, seen)
                else:
                    stop_the_database(server, seen)
                print(number + 1, dict(seen.statuses), "wrong:", len(seen.wrong), flush=True)
            time.sleep(BETWEEN)
        finally:
            over.set()
            for thread in threads:
                thread.join(PATIENCE)
        check(store, seen)
    return seen


def main() -> None:
    """Break a server as often as asked for; exit 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--what", choices=("process", "database"), default="process")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = run(given.what, given.rounds, given.clients, Path(folder))
    print(f"answers by status (0: a connection broke): {dict(sorted(seen.statuses.items()))}")
    print(f"writes acknowledged: {len(seen.acknowledged)}, all read back unless said below")
    print(f"longest time without an answer: {seen.silence:.1f} s")
    for name, times in (("a write was acknowledged", seen.back), ("all served", seen.whole)):
        if times:
            print(f"{name} again after {min(times):.1f} to {max(times):.1f} s")
    for words in seen.wrong[:20]:
        print("WRONG:", words)
    if seen.wrong or not seen.acknowledged:
        sys.exit(1)


if __name__ == "__main__":
    main()
