"""Memory that was let go of is given back to the system.

What a computation frees stays with the process, for the next one: after an hour of mixed work a
hundred megabytes and more that nothing uses. And what refers to itself, as the fits of regimes do,
is only let go of when the garbage collector comes by, which is seldom (``app.spare_collector``).
"""

import asyncio
import ctypes
import gc
import sys

import pyarrow as pa

EVERY = 10.0  # seconds
_YOUNG = 1  # generations: what came since the last time, not all there is, which takes long


def give_back() -> None:
    """Give free memory back to the system; where the C library cannot, only Arrow's."""
    gc.collect(_YOUNG)
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
        if trim is not None:
            trim(0)


async def keep_given_back(*, every: float = EVERY) -> None:
    """Give memory back again and again, until this is canceled."""
    while True:
        await asyncio.sleep(every)
        await asyncio.to_thread(give_back)
