"""How many requests each user made within a minute, counted here or for all servers in Redis."""

import importlib
import logging
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from tilt.errors import ArgumentError
from tilt.settings import Settings

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

log = logging.getLogger(__name__)

_PATIENCE = 0.5  # seconds that Redis has for one answer
_MINUTE = 60.0
_AWAY = 10.0  # seconds until Redis is asked again after it failed


class Rates:
    """The counts of one server; with ``TILT_REDIS`` they are those of all its servers.

    While Redis is away each server counts for itself: nobody is let in without a count, and nobody
    is kept out because of it.

    Raises
    ------
    ArgumentError
        If Redis is named and its package is not installed.
    """

    def __init__(self, settings: Settings) -> None:
        self.limit = RateLimitItemPerMinute(settings.requests_per_minute or 1)
        self.on = settings.auth != "off" and settings.requests_per_minute > 0
        self.refused = 0
        self.failures = 0  # times that Redis was asked in vain
        self._here = CountsHere(self.limit.amount)
        self._shared: MovingWindowRateLimiter | None = None
        self._connections: ConnectionPool | None = None
        self._again = -math.inf  # when Redis is asked again
        if self.on and settings.redis.get_secret_value():
            self._connections = _connections(settings.redis.get_secret_value())
            self._shared = MovingWindowRateLimiter(
                RedisStorage(
                    f"async+{settings.redis.get_secret_value()}",
                    wrap_exceptions=True,
                    implementation="redispy",
                    key_prefix="tilt",
                    connection_pool=self._connections,  # type: ignore[arg-type] # as its text says
                )
            )

    @property
    def away(self) -> bool:
        """Whether Redis is named and could not be asked the last time."""
        return self._shared is not None and time.monotonic() < self._again

    async def wait_for(self, user: str) -> int:
        """Count a request of a user; return 0, or the seconds after which one may come through."""
        if not self.on or not user:
            return 0
        if self._shared is not None and time.monotonic() >= self._again:
            try:
                return await self._hit(self._shared, user)
            except StorageError as error:
                self.failures += 1
                self._again = time.monotonic() + _AWAY
                log.warning(
                    "Redis does not answer; this server counts requests for itself for the next "
                    "%g seconds: %s",
                    _AWAY,
                    type(error.storage_error).__name__,
                )
        return self._count(self._here.wait_for(user))

    async def close(self) -> None:
        """Close the connections to Redis, if there are any."""
        if self._connections is not None:
            await self._connections.aclose()

    async def _hit(self, limiter: MovingWindowRateLimiter, user: str) -> int:
        if await limiter.hit(self.limit, user):
            return 0
        left = (await limiter.get_window_stats(self.limit, user)).reset_time - time.time()
        return self._count(min(60, max(1, math.ceil(left))))

    def _count(self, seconds: int) -> int:
        self.refused += seconds > 0
        return seconds


class CountsHere:
    """The last requests of each user, in this process.

    By a clock that only rises: with the machine's own, set back an hour, a minute would last one.

    Parameters
    ----------
    most : requests of a user in a minute
    now : seconds
    """

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._now = most, now
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()  # who asked last is last

    def wait_for(self, user: str) -> int:
        """Count a request of a user; return 0, or the seconds after which one may come through."""
        now = self._now()
        while self._asked and now - next(iter(self._asked.values()))[-1] >= _MINUTE:
            self._asked.popitem(last=False)
        asked = self._asked.setdefault(user, deque(maxlen=self._most))
        if len(asked) == self._most and now - asked[0] < _MINUTE:
            return max(1, math.ceil(asked[0] + _MINUTE - now))
        asked.append(now)
        self._asked.move_to_end(user)
        return 0


def _connections(url: str) -> "ConnectionPool":
    if find_spec("redis") is None:
        raise ArgumentError(
            "TILT_REDIS needs the package 'redis'. Install Tilt with its extra 'redis', or leave "
            "TILT_REDIS out."
        )
    client = importlib.import_module("redis.asyncio")
    pool: ConnectionPool = client.ConnectionPool.from_url(
        url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE
    )
    return pool
