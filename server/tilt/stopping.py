"""Work that can be told to end: whoever computes for long looks now and then.

A thread cannot be stopped from outside. What computes on one calls ``look`` between its steps; if
nobody waits for the result any more, the call does not return.
"""

import threading
from contextvars import ContextVar


class AbandonedError(BaseException):
    """Nobody waits for what is being computed; no ``except Exception`` swallows it."""


class Stop:
    """Whether one piece of work is to end."""

    def __init__(self) -> None:
        self._told = threading.Event()

    def tell(self) -> None:
        """Have the work end at its next look."""
        self._told.set()

    @property
    def told(self) -> bool:
        """Whether it is to end."""
        return self._told.is_set()


STOP: ContextVar[Stop | None] = ContextVar("stop", default=None)


def look() -> None:
    """Return at once, or raise if nobody waits for the caller's work any more.

    Raises
    ------
    AbandonedError
        It is for the one who waits on the thread, who passes it on to nobody.
    """
    stop = STOP.get()
    if stop is not None and stop.told:
        raise AbandonedError
