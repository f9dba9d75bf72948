"""The same write sent several times at once to two servers, and how often it is done.

Run by hand from the folder ``tests``: ``python -m faults.replays --writes 1000``. Each write has an
``Idempotency-Key`` of its own and goes to both servers, several times each, at the same moment.
Whoever is told that it is being carried out, or gets no answer, sends it again, as a client does.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import select

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]  # also as a script

from serving import PATIENCE, serving

from tilt.data.portfolios import CHANGES
from tilt.data.store import Store
from tilt.data.tables import changes
from tilt.refresh import refresh
from tilt.settings import Settings

COPIES = 3  # of a write to each server
AT_ONCE = 8  # writes under way
LOST = 0  # for a status: the connection ended without an answer
AGAIN = 0.02  # seconds until a write that is being carried out is sent again
Send = Callable[[int, str], Awaitable[httpx.Response]]  # number and key of a write


@dataclass(frozen=True)
class Replayed:
    """What became of the writes: how many, how often they were done, answers of each status.

    different : writes whose copies had different answers
    """

    writes: int
    effects: int
    statuses: Counter
    different: tuple[int, ...]


async def replay(servers: Sequence[Send], writes: int, effects: Callable[[], int]) -> Replayed:
    """Send each write to every server several times at once."""
    before = effects()
    statuses: Counter = Counter()
    different = []
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with gate:
            copies = [send for send in servers for _ in range(COPIES)]
            answers = await asyncio.gather(*(_answered(s, number, statuses) for s in copies))
        if len({(a.status_code, a.content) for a in answers}) != 1:
            different.append(number)

    await asyncio.gather(*(one(number) for number in range(writes)))
    return Replayed(writes, effects() - before, statuses, tuple(different))


async def _answered(send: Send, number: int, statuses: Counter) -> httpx.Response:
    """Return the answer to a write, sent again while it is being carried out or if none came."""
    while True:
        try:
            answer = await send(number, f"write-{number}")
        except httpx.TransportError:
            statuses[LOST] += 1
            continue
        statuses[answer.status_code] += 1
        if answer.status_code not in {409, 503}:
            return answer
        await asyncio.sleep(AGAIN)


def saving(http: httpx.AsyncClient) -> Send:
    """Return what saves a portfolio on a server."""

    async def send(number: int, key: str) -> httpx.Response:
        body = {"holdings": [["ticker", "weight"], ["AAPL", 0.6], ["MSFT", 0.4]]}
        path = f"/api/v1/portfolios/Replayed {number}"
        return await http.put(path, json=body, headers={"Idempotency-Key": key})

    return send


async def _both(addresses: Sequence[str], writes: int, effects: Callable[[], int]) -> Replayed:
    headers = {"X-Tilt-Client": "replays"}
    clients = [httpx.AsyncClient(base_url=a, headers=headers, timeout=PATIENCE) for a in addresses]
    try:
        return await replay([saving(http) for http in clients], writes, effects)
    finally:
        for http in clients:
            await http.aclose()


def main() -> None:
    """Replay the writes asked for on two servers; exit 1 if one was done twice or not at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=1000)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        data = folder / "data"
        store = stack.enter_context(closing(Store.open(Settings(data_url=str(data)))))
        refresh(store, Settings(data_url=str(data)))
        addresses = [stack.enter_context(serving(data, folder / f"log{n}")) for n in range(2)]
        count = select(changes.c.count).where(changes.c.what == CHANGES)

        def effects() -> int:
            with store.catalog.connect() as connection:
                return int(connection.execute(count).scalar() or 0)

        replayed = asyncio.run(_both(addresses, given.writes, effects))
    print(replayed)
    if replayed.effects != replayed.writes or replayed.different:
        sys.exit(1)


if __name__ == "__main__":
    main()
