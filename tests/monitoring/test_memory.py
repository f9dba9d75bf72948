"""What a server let go of is given back to the system while it serves."""

import asyncio
import gc
import weakref

import numpy as np
import psutil
import pytest

from tilt.api import memory


class Circle:
    """Refers to itself, so that only the collector can tell that nothing else does."""

    def __init__(self) -> None:
        self.own = self


def test_what_refers_to_itself_alone_is_let_go_of():
    gc.disable()
    try:
        seen = weakref.ref(Circle())
        assert seen() is not None
        memory.give_back()
        assert seen() is None
    finally:
        gc.enable()


@pytest.mark.skipif(not psutil.LINUX, reason="other systems' C libraries cannot be told to")
def test_freed_arrays_leave_the_process():
    # of 64 kB each, too small to be mapped one by one
    kept = [[np.ones(8_000), np.ones(8)] for _ in range(2_000)]
    small = [pair[1] for pair in kept]  # lie between what is freed
    before = psutil.Process().memory_info().rss
    del kept
    memory.give_back()
    assert psutil.Process().memory_info().rss < before - 60 * 2**20
    assert len(small) == 2_000


def test_a_server_goes_on_giving_back_until_it_ends(monkeypatch):
    given = []

    async def watched() -> None:
        heard = asyncio.Event()
        loop = asyncio.get_running_loop()

        def once() -> None:
            given.append(1)
            if len(given) == 3:
                loop.call_soon_threadsafe(heard.set)

        monkeypatch.setattr(memory, "give_back", once)
        keeping = asyncio.create_task(memory.keep_given_back(every=0.0))
        await asyncio.wait_for(heard.wait(), 60)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        assert keeping.cancelled()

    asyncio.run(watched())
    assert len(given) >= 3
