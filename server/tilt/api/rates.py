"""How many requests each user made within a minute, counted here or for all servers in Redis."""

import logging
import math
import time
from importlib.util import find_spec

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from tilt.errors import ArgumentError
from tilt.settings import Settings

log = logging.getLogger(__name__)

_PATIENCE = 0.5  # seconds that Redis has for one answer
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
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        self._again = -math.inf  # when Redis is asked again
        if self.on and settings.redis.get_secret_value():
            self._shared = MovingWindowRateLimiter(_storage(settings))

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
        return await self._hit(self._here, user)

    async def _hit(self, limiter: MovingWindowRateLimiter, user: str) -> int:
        if await limiter.hit(self.limit, user):
            return 0
        self.refused += 1
        left = (await limiter.get_window_stats(self.limit, user)).reset_time - time.time()
        return min(60, max(1, math.ceil(left)))


def _storage(settings: Settings) -> Storage:
    if find_spec("redis") is None:
        raise ArgumentError(
            "TILT_REDIS needs the package 'redis'. Install Tilt with its extra 'redis', or leave "
            "TILT_REDIS out."
        )
    return RedisStorage(
        f"async+{settings.redis.get_secret_value()}",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="tilt",
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
    )
