"""Where data can come from, where it came from, and which source a request may name."""

import re
from typing import Annotated

import pandas as pd
from fastapi import APIRouter, Query, Request

from tilt.api.frames import split
from tilt.api.running import Running
from tilt.api.v1.asking import StrictRoute, in_pool
from tilt.data.sources import registry
from tilt.data.sources.names import LISTS
from tilt.data.store import Store
from tilt.errors import ArgumentError

router = APIRouter(tags=["data"], route_class=StrictRoute)

USE_COLUMNS = ["universe", "source", "as_of", "last_refresh", "snapshot", "securities"]
FILES = frozenset({"files", "sql", "s3"})  # named by a path: only what is in use already
_FOLDER = re.compile(r"[\w-][\w .-]{0,99}")
_ASKED = re.compile(r"([a-z][\w-]{0,39}):([\w .,;=^@-]{0,4000})", re.IGNORECASE)


@router.get("/sources")
async def sources(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> dict[str, object]:
    """List the sources: whether each can be used here or why not and the cure; and those in use.

    No vendor is asked over the network.
    """

    def work(tilt: Running) -> dict[str, object]:
        known = registry.listed(tilt.state.settings)
        return {
            "total": len(known),
            "sources": split(known.iloc[offset : offset + limit].reset_index(drop=True)),
            "in_use": split(in_use(tilt.state.store)),
        }

    return await in_pool(request, work)


def in_use(store: Store) -> pd.DataFrame:
    """Return universe, source, as_of, last_refresh, snapshot, securities of each universe's data.

    A universe that is chosen from another one has that one's data, and is left out.
    """
    newest = {s.universe: s for s in reversed(store.snapshots())}
    rows = [
        (s.universe, s.source, s.as_of.isoformat(), s.published.isoformat(), s.id, s.securities)
        for s in newest.values()
    ]
    return pd.DataFrame(rows, columns=USE_COLUMNS).sort_values("universe", ignore_index=True)


def allowed(store: Store, source: str) -> str:
    """Return the name of a source that a request may ask for.

    A request names the sample, a folder in the data folder, a vendor with names to ask it for, or
    what a universe came from already; never a path, so that nobody reads the server's other files.

    Raises
    ------
    ArgumentError
        If it is none of them.
    """
    given = source.strip()
    if given in {s.source for s in store.snapshots()}:
        return given
    asked = _ASKED.fullmatch(given)
    names_file = any(suffix in given.casefold() for suffix in LISTS)
    of_vendor = asked and asked[1].casefold() not in FILES and not names_file
    if _FOLDER.fullmatch(given) or of_vendor:
        return given
    raise ArgumentError(
        f"source must be 'sample', the name of a folder in the data folder, or a vendor and what "
        f"to ask it for, such as yahoo:AAPL,MSFT; got '{source}'."
    )
