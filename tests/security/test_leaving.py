"""A server that is told to end says so first, answers what it has, and then goes."""

import asyncio
import signal

from tilt.api.leaving import Leaving


def test_a_signal_is_passed_on_after_the_draining_and_a_second_one_at_once():
    passed = []

    async def scene(seconds, signals):
        leaving = Leaving(seconds)
        with leaving.heard():
            for _ in range(signals):
                signal.raise_signal(signal.SIGTERM)
                assert leaving.told
            told = list(passed)
            if not told:
                await asyncio.sleep(3 * seconds)
            return told

    before = signal.signal(signal.SIGTERM, lambda number, _: passed.append(number))
    try:
        assert asyncio.run(scene(0.01, 1)) == [], "first it drains"
        assert passed == [signal.SIGTERM]
        passed.clear()
        assert asyncio.run(scene(60.0, 2)) == [signal.SIGTERM]
        passed.clear()
        assert asyncio.run(scene(0.0, 1)) == [signal.SIGTERM]
        assert callable(signal.getsignal(signal.SIGTERM))
    finally:
        signal.signal(signal.SIGTERM, before)
