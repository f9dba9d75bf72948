"""A server that is told to end: it says so, answers what it has, and hands on its jobs."""

import asyncio
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger(__name__)

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)
)


class Leaving:
    """Whether a server was told to end.

    seconds : from being told to letting nobody in any more; a load balancer asks meanwhile whether
        the server is ready, and hears that it is not
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self._told = threading.Event()

    @property
    def told(self) -> bool:
        """Whether the server was told to end."""
        return self._told.is_set()

    def tell(self) -> None:
        """Say that the server is to end."""
        self._told.set()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear the signals to end before whoever hears them now, and pass each on when it is time.

        A second signal is passed on at once. Signals reach the main thread only; elsewhere, as in a
        test, there is nothing to hear.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in SIGNALS}

        def hear(number: int, frame: FrameType | None) -> None:
            pass_on = before[number]
            wait = 0.0 if self.told else self.seconds
            self.tell()
            if not callable(pass_on):
                return
            if wait <= 0:
                pass_on(number, frame)
            else:
                loop.call_soon_threadsafe(loop.call_later, wait, pass_on, number, None)

        for number in SIGNALS:
            signal.signal(number, hear)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
