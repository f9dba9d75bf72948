"""Places for work are bounded and shared fairly; work that nobody waits for ends."""

import asyncio
import threading
import time

import pytest

from tilt.api.pool import Pool
from tilt.api.problems import RefusedError
from tilt.api.state import USER, Memo
from tilt.errors import BusyError
from tilt.stopping import STOP, AbandonedError, Stop, look

HANG = 60.0


async def ask(pool, user, work, *args):
    USER.set(user)  # each task has a context of its own
    return await pool.run(work, *args)


async def settled():
    for _ in range(20):
        await asyncio.sleep(0)


def test_another_user_does_not_wait_behind_a_batch_of_one():
    done = []

    async def scene():
        pool, begin = Pool(threads=1, seconds=HANG), threading.Event()
        first = asyncio.create_task(ask(pool, "ann", begin.wait, HANG))
        await settled()
        batch = [asyncio.create_task(ask(pool, "ann", done.append, f"a{n}")) for n in range(50)]
        await settled()
        other = asyncio.create_task(ask(pool, "bob", done.append, "b"))
        await settled()
        begin.set()
        await asyncio.gather(first, other, *batch)
        pool.close()

    asyncio.run(scene())
    assert done.index("b") <= 1, "bob has none, ann had one: the next place is his"
    assert [name for name in done if name != "b"] == [f"a{n}" for n in range(50)]


def test_one_place_is_kept_from_a_user_who_has_all_the_others():
    async def scene():
        pool, begin = Pool(threads=3, seconds=HANG, spare=1), threading.Event()
        hers = [asyncio.create_task(ask(pool, "ann", begin.wait, HANG)) for _ in range(5)]
        await settled()
        assert (pool.running, pool.waiting) == (2, 3)
        assert await ask(pool, "bob", lambda: "at once") == "at once"
        begin.set()
        await asyncio.gather(*hers)
        pool.close()

    asyncio.run(scene())


def test_a_full_queue_refuses_and_leaves_room_for_other_users():
    async def scene():
        pool, begin = Pool(threads=1, seconds=HANG, most=4), threading.Event()
        tasks = [asyncio.create_task(ask(pool, "ann", begin.wait, HANG)) for _ in range(4)]
        await settled()
        with pytest.raises(BusyError, match="tried again by itself"):
            await ask(pool, "ann", begin.wait, HANG)
        tasks.append(asyncio.create_task(ask(pool, "bob", begin.wait, HANG)))
        await settled()
        assert pool.waiting == 4
        with pytest.raises(BusyError):
            await ask(pool, "cat", begin.wait, HANG)
        assert pool.refused == 2
        begin.set()
        await asyncio.gather(*tasks)
        assert (pool.running, pool.waiting) == (0, 0)
        pool.close()

    asyncio.run(scene())


def test_a_call_whose_client_leaves_while_it_waits_gives_its_turn_to_the_next():
    async def scene():
        pool, begin = Pool(threads=1, seconds=HANG), threading.Event()
        first = asyncio.create_task(ask(pool, "ann", begin.wait, HANG))
        await settled()
        gone = asyncio.create_task(ask(pool, "bob", lambda: "gone"))
        stays = asyncio.create_task(ask(pool, "bob", lambda: "stays"))
        await settled()
        gone.cancel()
        begin.set()
        assert await stays == "stays"
        await first
        pool.close()

    asyncio.run(scene())


def loop_until_told(begun, ended):
    begun.set()
    try:
        while True:
            look()
    finally:
        ended.append(time.thread_time())


@pytest.mark.parametrize("how", ["deadline", "client gone"])
def test_work_that_nobody_waits_for_ends_and_takes_no_more_of_the_processor(how):
    ended = []

    async def scene():
        begun = threading.Event()
        pool = Pool(threads=1, seconds=0.2 if how == "deadline" else HANG)
        work = asyncio.create_task(ask(pool, "ann", loop_until_told, begun, ended))
        if how == "deadline":
            with pytest.raises(RefusedError, match="No answer within"):
                await work
        else:
            await asyncio.to_thread(begun.wait, HANG)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
        while pool.left:
            await asyncio.sleep(0.001)
        assert await ask(pool, "ann", lambda: "next") == "next"
        pool.close()

    asyncio.run(scene())
    assert len(ended) == 1


def test_who_waits_for_the_result_of_one_who_left_computes_it_himself():
    memo, begun, hers = Memo(4), threading.Event(), Stop()

    def never():
        begun.set()
        while True:
            look()

    def ann():
        STOP.set(hers)
        with pytest.raises(AbandonedError):
            memo.get("model", never)

    first = threading.Thread(target=ann)
    first.start()
    assert begun.wait(HANG)
    found = []
    second = threading.Thread(target=lambda: found.append(memo.get("model", lambda: 42)))
    second.start()
    hers.tell()
    first.join(HANG)
    second.join(HANG)
    assert found == [42]
