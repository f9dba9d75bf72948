"""Live prices over HTTP: one request for all the live cells of a client."""

import math
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints

from tilt.api import lookup
from tilt.api.running import Running
from tilt.api.v1.asking import Body, StrictRoute, in_pool
from tilt.api.values import Scalar
from tilt.data.live import Shown
from tilt.errors import one_of

router = APIRouter(tags=["data"], route_class=StrictRoute)

FIELDS = ("price", "time", "age", "change", "currency")
MOST_TICKERS = 2000
LEAST_SECONDS = 2.0  # between two requests of a client

Ticker = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class LiveBody(Body):
    """What live cells want to see."""

    tickers: list[Ticker] = Field(max_length=MOST_TICKERS)


@router.post("/api/v1/live")
async def live(body: LiveBody, request: Request) -> dict[str, object]:
    """Return the last price of each ticker, its change on the day, its time and its age in seconds.

    ``again`` is how many seconds to wait before asking again.
    """

    def work(tilt: Running) -> dict[str, object]:
        state = tilt.state
        known = lookup.tickers(state, state.panel(None))
        found = {given: known.find(given.strip()) for given in body.tickers}
        shown = state.live.last(match.ticker for match in found.values() if match)
        quotes: dict[str, object] = {}
        for given, match in found.items():
            if match is None:
                quotes[given] = {"error": f"Unknown ticker '{given}'.{known.suggest(given)}"}
            elif match.ticker in shown:
                quotes[given] = _quote(shown[match.ticker])
            else:
                quotes[given] = {"error": f"There is no live price of {match.ticker}."}
        return {"quotes": quotes, "again": max(LEAST_SECONDS, state.live.due())}

    return await in_pool(request, work)


def field_of(shown: Shown, field: str) -> Scalar:
    """Return one field of a quote by its name; None where the source does not give it."""
    return _fields(shown)[one_of("field", field, FIELDS)]


def _fields(shown: Shown) -> dict[str, Scalar]:
    quote = shown.quote
    return {
        "price": quote.price,
        "time": quote.time,
        "age": round(shown.age, 3),
        "change": None if math.isnan(quote.change) else quote.change,
        "currency": quote.currency or None,
    }


def _quote(shown: Shown) -> dict[str, object]:
    return {**_fields(shown), "time": shown.quote.time.isoformat()}
