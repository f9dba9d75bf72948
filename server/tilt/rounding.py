"""One order of summation, so that the same inputs give the same number to its last bit."""

import os
from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController, threadpool_limits

LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def sum_in_one_order() -> None:
    """Let linear algebra use one thread in this process and its children.

    How a library splits a sum among its threads depends on how busy they are, and rounding with
    it. A server and its workers run several calls at once anyway: more threads for each would only
    fight each other.
    """
    for name in LIBRARIES:
        os.environ[name] = "1"  # for what is loaded from here on
    threadpool_limits(limits=1)  # for what is loaded already


def one_thread() -> AbstractContextManager[object]:
    """Return a block in which linear algebra uses one thread, as cheap to enter as a small product.

    Libraries that are loaded after the first such block keep their threads.
    """
    limited: AbstractContextManager[object] = _libraries().limit(limits=1)
    return limited


@cache
def _libraries() -> ThreadpoolController:
    """Return the libraries of this process; to look for them takes as long as half a risk model."""
    return ThreadpoolController()
