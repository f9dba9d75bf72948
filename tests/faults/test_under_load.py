"""The harness that breaks a server under load notices what it is there to notice."""

import itertools

import httpx
import pandas as pd
import pytest
from under_load import Client, Seen, check

from tilt.errors import UnknownNameError


def ask_once(answers):
    """Return what a client saw whose server gives these answers, one after the other."""
    left = iter(answers)

    def answer(_):
        return next(left)

    seen = Seen()
    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://tilt") as http:
        Client(http, "a", seen, lambda: False).save("Load", 0.25)
    return seen


class Kept:
    """A store that has these portfolios."""

    def __init__(self, **portfolios):
        self.portfolios = portfolios

    def portfolio(self, name):
        if name not in self.portfolios:
            raise UnknownNameError(name)
        return pd.Series({"N0": self.portfolios[name]})


def test_a_busy_server_is_asked_again_and_is_nothing_wrong():
    busy = httpx.Response(503, headers={"Retry-After": "1"})
    seen = ask_once([busy, httpx.Response(200), httpx.Response(200)])
    assert (seen.wrong, seen.acknowledged) == ([], {"Load": 0.25})
    check(Kept(Load=0.25), seen)
    assert not seen.wrong


@pytest.mark.parametrize(
    "answers",
    [
        [httpx.Response(500)],
        [httpx.Response(503), *itertools.repeat(httpx.Response(200), 2)],
        [httpx.Response(200), httpx.Response(404)],
    ],
    ids=["broken", "busy without saying when", "not there when read back"],
)
def test_an_answer_that_none_may_get_is_wrong(answers):
    assert ask_once(answers).wrong


@pytest.mark.parametrize("kept", [Kept(), Kept(Load=0.5)], ids=["lost", "another"])
def test_a_write_that_was_acknowledged_and_is_not_kept_is_wrong(kept):
    seen = ask_once([httpx.Response(200), httpx.Response(200)])
    assert not seen.wrong
    check(kept, seen)
    assert len(seen.wrong) == 1
