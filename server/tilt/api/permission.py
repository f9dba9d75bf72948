"""The one place that every entrance asks whether who asks now may do this to that.

What is asked of the pure decision (``tilt.security.deciding``) is known here: who asks, what the
entrance does to the objects it names, and what has been looked at so far.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from tilt.errors import NotAllowedError, TiltError, cut
from tilt.security import rests
from tilt.security.deciding import LOCAL, NOBODY, Decision, Kind, Thing, Verb, Who, decide

Heard = Callable[[Who, Verb, Thing, Decision], None]

HEARD: list[Heard] = []  # told of every decision that lets somebody do something or refuses it
_WHO: ContextVar[Who] = ContextVar("who", default=NOBODY)
_VERB: ContextVar[Verb] = ContextVar("verb", default="read")
_TOUCHED: ContextVar[set[Thing] | None] = ContextVar("touched", default=None)

_DOES = {
    "read": "read",
    "write": "change",
    "trade": "optimize or trade",
    "share": "share",
    "administer": "administer",
}


def who() -> Who:
    """Return who asks; nobody if nobody has signed in."""
    return _WHO.get()


def let_in(somebody: Who, touched: set[Thing] | None = None) -> None:
    """Answer for ``somebody`` from now on in this context, who has looked at nothing so far.

    Parameters
    ----------
    touched : is filled with what they look at
    """
    _WHO.set(somebody)
    _VERB.set("read")
    _TOUCHED.set(set() if touched is None else touched)


def enter_entrance(verb: Verb, name: str) -> None:
    """Let the caller through an entrance, which does ``verb`` to what it names.

    What it only reads on the way, as a universe whose names are saved in a portfolio, needs the
    right to read; what it writes is asked for where it is written.

    Raises
    ------
    NotAllowedError
        If no role of theirs lets them.
    """
    thing = Thing("entrance", name)
    decision = decide(who(), verb, thing)
    _tell(verb, thing, decision)
    if not decision.allowed:
        raise _not_allowed(verb, thing)
    _VERB.set("trade" if verb == "trade" else "read")


@contextmanager
def only_looking() -> Iterator[None]:
    """Let what is named in the block be looked at only, as a benchmark is, whatever is done."""
    before = _VERB.set("read")
    try:
        yield
    finally:
        _VERB.reset(before)


def verb_now() -> Verb:
    """Return what the entrance does to the portfolios and universes it works with: read, trade."""
    return _VERB.get()


def sees(thing: Thing) -> bool:
    """Return whether a thing is there for the caller: for lists and for the names in messages."""
    return decide(who(), "read", thing).allowed


def seen_rows(table: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """Return the rows of a table whose ``name`` is an object that is there for the caller."""
    names = [str(name) for name in table["name"]]
    there = np.array([sees(Thing(kind, name)) for name in names], dtype=bool)
    found = table[there].reset_index(drop=True)
    touch(Thing(kind, str(name)) for name in found["name"])
    return found


def may(verb: Verb, thing: Thing) -> bool:
    """Return whether the caller may; nobody is told that it was asked."""
    return decide(who(), verb, thing).allowed


def require(verb: Verb, thing: Thing, unseen: Callable[[], TiltError]) -> None:
    """Let the caller do ``verb`` to a thing, and note that they looked at it.

    Raises
    ------
    TiltError
        What ``unseen`` returns, if they may not even know of it: as if it were not there.
    NotAllowedError
        If they may do less with it.
    """
    decision = decide(who(), verb, thing)
    _tell(verb, thing, decision)
    if not decision.seen:
        raise unseen()
    if not decision.allowed:
        raise _not_allowed(verb, thing)
    touch([thing])


def touch(things: Iterable[Thing]) -> None:
    """Note that the caller's answer rests on things."""
    touched = _TOUCHED.get()
    if touched is not None:
        touched.update(things)


def touched() -> frozenset[Thing]:
    """Return what the caller's answer rests on so far."""
    return frozenset(_TOUCHED.get() or ())


@contextmanager
def apart() -> Iterator[set[Thing]]:
    """Collect what is looked at in the block; it counts for what is around the block too."""
    around = _TOUCHED.get()
    mine: set[Thing] = set()
    before = _TOUCHED.set(mine)
    try:
        yield mine
    finally:
        _TOUCHED.reset(before)
        if around is not None:
            around.update(mine)


def remember(catalog: Engine, what: Thing) -> None:
    """Write down what a job, run or file of the caller rests on."""
    if who() != LOCAL and (things := touched()):
        rests.remember(catalog, what, things)


def still_seen(catalog: Engine, whats: Iterable[Thing]) -> set[Thing]:
    """Return those whose owner is the caller and of which they see all that they rest on."""
    if who() == LOCAL:
        return set(whats)
    mine = [what for what in whats if sees(what)]
    on = rests.recall(catalog, mine)
    return {what for what in mine if all(sees(thing) for thing in on.get(what, ()))}


def require_rests(catalog: Engine, what: Thing, unseen: Callable[[], TiltError]) -> None:
    """Let the caller see a job, run or file of theirs.

    Raises
    ------
    TiltError
        What ``unseen`` returns, if it is not theirs, or they may no longer see all it rests on.
    """
    if who() == LOCAL:
        return
    on = rests.recall(catalog, [what]).get(what, ())
    refused = next((thing for thing in on if not sees(thing)), None)
    if refused is not None:
        _tell("read", what, Decision(allowed=False, reason="rests on what is unseen", seen=False))
        raise unseen()
    require("read", what, unseen)
    touch(on)


def _tell(verb: Verb, thing: Thing, decision: Decision) -> None:
    for heard in HEARD:
        heard(who(), verb, thing, decision)


def _not_allowed(verb: Verb, thing: Thing) -> NotAllowedError:
    roles = ", ".join(sorted(who().roles)) or "no role"
    if thing.kind == "entrance":
        return NotAllowedError(
            f"Your role may not do this: {cut(thing.name)} is for who may {_DOES[verb]}, and you "
            f"are {roles}. An administrator can give you another role."
        )
    return NotAllowedError(
        f"You may see {thing.kind} '{cut(thing.name)}' but not {_DOES[verb]} it ({roles}). An "
        f"administrator can grant you to {verb} it."
    )
