"""The one decision: may somebody do something to a thing? Pure: it knows no web and no catalog."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Literal

Verb = Literal["read", "write", "trade", "share", "administer"]
Kind = Literal[
    "portfolio", "universe", "configuration", "server", "entrance", "job", "run", "file", "answer"
]

VERBS: tuple[Verb, ...] = ("read", "write", "trade", "share", "administer")
GRANTED: tuple[Verb, ...] = ("read", "write", "trade", "share")  # what a grant may give
OBJECTS: tuple[Kind, ...] = ("portfolio", "universe", "configuration", "server")
EVERY = "*"  # as the name of a grant: every object of its kind

VIEWER, ANALYST, TRADER, ADMINISTRATOR = "viewer", "analyst", "trader", "administrator"
CEILINGS: Mapping[str, frozenset[Verb]] = MappingProxyType(
    {
        VIEWER: frozenset({"read"}),
        ANALYST: frozenset({"read", "write", "share"}),
        TRADER: frozenset({"read", "write", "share", "trade"}),
        ADMINISTRATOR: frozenset(VERBS),
    }
)
ROLES = tuple(CEILINGS)
_OWNED = frozenset({"job", "run", "file", "answer"})  # its owner's alone, not an administrator's
_NONE: Mapping[tuple[str, str], frozenset[Verb]] = MappingProxyType({})


@dataclass(frozen=True)
class Who:
    """Somebody who asks, with all that a decision about them rests on.

    id     : what owns their jobs, runs and files; never shown to others, never taken anew
    name   : as people know them; it decides nothing
    roles  : of ``ROLES``; without one they may nothing
    groups : ids of the groups that their token names
    grants : verbs by kind and name (its case folded, or ``EVERY``)
    """

    id: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    grants: Mapping[tuple[str, str], frozenset[Verb]] = field(
        default_factory=lambda: _NONE, hash=False
    )

    @property
    def ceiling(self) -> frozenset[Verb]:
        """The verbs that their roles let them use at all."""
        return frozenset(verb for role in self.roles for verb in CEILINGS.get(role, ()))

    @cached_property
    def sight(self) -> str:
        """An id of what they may: equal for people who may the same, whoever they are."""
        if ADMINISTRATOR in self.roles:
            return ADMINISTRATOR
        given = sorted((*key, *sorted(verbs)) for key, verbs in self.grants.items())
        return hashlib.sha256(repr((sorted(self.ceiling), given)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Thing:
    """What something is done to.

    name  : of an object, or of the entrance; the id of a job, run or file
    owner : of a job, run or file: the id of the one it was made for
    """

    kind: Kind
    name: str
    owner: str = ""


@dataclass(frozen=True)
class Decision:
    """Whether it is allowed and why; ``seen`` is false for what must look as if it were not there.

    reason : for the log and the audit; it is shown to nobody who may not see the thing
    """

    allowed: bool
    reason: str
    seen: bool = True


LOCAL = Who("local", "local", frozenset({ADMINISTRATOR}))  # with authentication off, on loopback
NOBODY = Who("")  # who has not signed in


def decide(who: Who, verb: Verb, thing: Thing) -> Decision:
    """Decide whether ``who`` may do ``verb`` to ``thing``; what no rule allows is denied."""
    if thing.kind in _OWNED:
        mine = bool(who.roles) and bool(who.id) and thing.owner == who.id
        return Decision(mine, "its owner" if mine else "another's, or no role", seen=mine)
    if not who.roles:
        return Decision(allowed=False, reason="no role", seen=thing.kind == "entrance")
    if ADMINISTRATOR in who.roles:
        return Decision(allowed=True, reason=ADMINISTRATOR)
    roles = ", ".join(sorted(who.roles))
    within = verb in who.ceiling
    if thing.kind == "entrance":
        return Decision(within, f"role {roles}")
    given = verbs_of(who, thing)
    if not given:
        return Decision(allowed=False, reason="no grant", seen=False)
    if not within:
        return Decision(allowed=False, reason=f"role {roles} may not {verb}")
    if verb not in given:
        return Decision(allowed=False, reason=f"granted {', '.join(sorted(given))} only")
    return Decision(allowed=True, reason=f"role {roles} and a grant")


def verbs_of(who: Who, thing: Thing) -> frozenset[Verb]:
    """Return what the grants of somebody give on an object; whatever is granted, reading is too."""
    given = who.grants.get((thing.kind, thing.name.strip().casefold()), frozenset())
    given |= who.grants.get((thing.kind, EVERY), frozenset())
    return given | {"read"} if given else given


def grants_of(
    rows: Iterable[tuple[str, str, Iterable[Verb]]],
) -> Mapping[tuple[str, str], frozenset[Verb]]:
    """Return grants as ``Who`` has them, out of kind, name and verbs of each."""
    found: dict[tuple[str, str], frozenset[Verb]] = {}
    for kind, name, verbs in rows:
        key = (kind, name.strip().casefold())
        found[key] = found.get(key, frozenset()) | frozenset(verbs)
    return MappingProxyType(found)
