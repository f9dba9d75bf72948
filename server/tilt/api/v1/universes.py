"""Universes: those with data, and those that a rule makes out of another one."""

from typing import Annotated

import pandas as pd
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from tilt.api import lookup
from tilt.api.frames import split
from tilt.api.running import Running
from tilt.api.state import State
from tilt.api.v1.asking import Body, StrictRoute, in_pool
from tilt.data.derive import derive
from tilt.data.rules import LONGEST_NAME, Universe, read_rule
from tilt.errors import ArgumentError
from tilt.frames import Panel

router = APIRouter(tags=["universes"], route_class=StrictRoute)

Name = Annotated[str, Path(max_length=LONGEST_NAME)]
SHOWN = 500  # members of a preview


class UniverseBody(Body):
    """Out of which universe, and by what rule."""

    parent: str | None = Field(
        default=None,
        max_length=LONGEST_NAME,
        description="A universe; the default one if left out.",
    )
    description: str = Field(default="", max_length=1000)
    rule: dict[str, object] = Field(
        default={},
        description="tickers, exclude, sector, industry, country (lists); min_price, min_adv, "
        "adv_days, min_history, top, buffer, rebalance (M, Q, Y), weighting (cap, float, equal), "
        "cap. What is left out does not count.",
    )


@router.get("/universes")
async def universes(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> dict[str, object]:
    """List the universes: columns as in TILT.UNIVERSES, and kind: base, rule or list."""

    def work(tilt: Running) -> dict[str, object]:
        store = tilt.state.store
        table = store.universes()
        kinds = [_kind(store.rule_of(str(name))) for name in table["name"]]
        page = table.assign(kind=kinds).iloc[offset : offset + limit]
        return {"total": len(table), "universes": split(page)}

    return await in_pool(request, work)


@router.get("/universes/{name}")
async def universe(name: Name, request: Request) -> dict[str, object]:
    """Describe one universe: how it is made, who is in it now, how biased its past is."""

    def work(tilt: Running) -> dict[str, object]:
        store = tilt.state.store
        panel = store.panel(name)
        return {**_described(panel, store.rule_of(name)), "source": store.snapshot(name).source}

    return await in_pool(request, work)


@router.post("/universes/preview")
async def preview(body: UniverseBody, request: Request) -> dict[str, object]:
    """Say who would be in a universe made by a rule, now and at each review; nothing is saved."""

    def work(tilt: Running) -> dict[str, object]:
        made = _universe(tilt.state, "preview", body)
        parent = tilt.state.panel(made.parent)
        panel = derive(parent, made)
        of = int(parent.member.iloc[-1].sum())
        return {**_described(panel, made), "of": of, "reviews": split(_reviews(panel))}

    return await in_pool(request, work)


@router.put("/universes/{name}")
async def save_universe(name: Name, body: UniverseBody, request: Request) -> dict[str, object]:
    """Save a universe made by a rule, in place of the one that has the name."""

    def work(tilt: Running) -> dict[str, object]:
        state = tilt.state
        kept = name.strip()
        if lookup.tickers(state, state.panel(None)).find(kept) is not None:
            raise ArgumentError(
                f"'{kept}' is a ticker; a formula would read it so. Choose another."
            )
        made = _universe(state, kept, body)
        return _described(state.store.save_universe(made), made)

    return await in_pool(request, work)


@router.delete("/universes/{name}", status_code=204)
async def delete_universe(name: Name, request: Request) -> Response:
    """Delete a universe made by a rule; the data it is made out of stays."""
    await in_pool(request, lambda tilt: tilt.state.store.delete_universe(name))
    return Response(status_code=204)


def _universe(state: State, name: str, body: UniverseBody) -> Universe:
    parent = state.panel(body.parent)
    rule = read_rule(body.rule)
    known = lookup.tickers(state, parent)

    def spelled(given: tuple[str, ...]) -> tuple[str, ...]:
        found = {text: known.find(text) for text in given}
        return tuple(dict.fromkeys(m.ticker if m else text for text, m in found.items()))

    return Universe(
        name=name,
        parent=parent.universe,
        description=body.description.strip(),
        rule=rule.model_copy(
            update={"tickers": spelled(rule.tickers), "exclude": spelled(rule.exclude)}
        ),
    )


def _kind(made: Universe | None) -> str:
    return "base" if made is None else made.kind


def _described(panel: Panel, made: Universe | None) -> dict[str, object]:
    inside = panel.member.iloc[-1]
    members = (
        lookup.members(panel, panel.as_of)
        if panel.weighted_by.iloc[-1].where(inside).notna().any()
        else pd.DataFrame({"ticker": [str(t) for t in inside.index[inside]]})
    )
    return {
        "name": panel.universe,
        "parent": "" if made is None else made.parent,
        "kind": _kind(made),
        "description": "" if made is None else made.description,
        "words": "" if made is None else made.rule.words(),
        "rule": None if made is None else made.rule.model_dump(mode="json"),
        "survivorship": panel.survivorship,
        "as_of": f"{panel.as_of:%Y-%m-%d}",
        "count": int(inside.sum()),
        "members": split(members.head(SHOWN)),
    }


def _reviews(panel: Panel) -> pd.DataFrame:
    """Return for each day the membership changed: how many are in, came in and went out."""
    inside = panel.member.to_numpy(dtype=bool)
    before = inside[:-1]
    came, went = (inside[1:] & ~before).sum(axis=1), (before & ~inside[1:]).sum(axis=1)
    moved = (came + went) > 0
    return pd.DataFrame(
        {
            "date": panel.dates[1:][moved],
            "members": inside[1:].sum(axis=1)[moved],
            "came": came[moved],
            "went": went[moved],
        }
    )
