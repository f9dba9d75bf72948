"""People, their roles and what they were granted, in the catalog."""

import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    and_,
    delete,
    insert,
    or_,
    select,
    update,
)

from tilt import audit, sealing
from tilt.errors import ArgumentError, UnknownNameError, cut, did_you_mean, name_taken, one_of
from tilt.security.deciding import GRANTED, OBJECTS, ROLES, Kind, Verb, Who, grants_of
from tilt.security.tables import (
    GRANTS,
    LONGEST_ID,
    NOTED,
    PEOPLE,
    note_if_it_can,
    now,
    writing,
)

_MAKER: ContextVar[str] = ContextVar("maker", default="")
GRANTEES = ("user", "role", "group")


@dataclass(frozen=True)
class Grant:
    """Verbs on an object, for a person, a role or a group.

    to_kind : user, role or group
    to      : the person's id, the role, or the group's id
    name    : of the object, or ``*`` for every one
    """

    to_kind: str
    to: str
    kind: Kind
    name: str
    verbs: frozenset[Verb]

    @classmethod
    def of(cls, to_kind: str, to: str, kind: str, name: str, verbs: Iterable[str]) -> "Grant":
        """Return a grant out of words.

        Raises
        ------
        ArgumentError
            If one means nothing; the message names the nearest that does.
        """
        wanted = {one_of("verb", verb, GRANTED) for verb in verbs}
        kinds: dict[str, Kind] = {kind: kind for kind in OBJECTS}
        given = frozenset(verb for verb in GRANTED if verb in wanted)
        found = kinds[one_of("kind", kind, OBJECTS)]
        return cls(one_of("to", to_kind, GRANTEES), to, found, name, given)


def who_is(engine: Engine, person: str) -> Who:
    """Return somebody as the catalog knows them; who is not known has no role."""
    with engine.connect() as connection:
        row = connection.execute(select(PEOPLE).where(PEOPLE.c.id == person)).first()
        if row is None:
            return Who(person, person)
        claimed = json.loads(row.claimed)
        roles = frozenset((*json.loads(row.roles), *claimed.get("roles", ())))
        groups = frozenset(claimed.get("groups", ()))
        rows = connection.execute(select(GRANTS).where(_meant(person, roles, groups))).all()
        seal = sealing.seal_of(connection)
        given = [(r.kind, _opened(seal, r), _verbs(r.verbs)) for r in rows]
    return Who(person, row.name, roles & frozenset(ROLES), groups, grants_of(given))


def note_sign_in(
    engine: Engine, person: str, name: str, roles: Iterable[str], groups: Iterable[str]
) -> None:
    """Keep what a token says of somebody, so that their jobs may what they may.

    Raises
    ------
    BusyError, DataError
        If it says something new and the catalog cannot be written: what was known before may be
        more than they may now.
    """
    claimed = json.dumps({"roles": sorted(roles), "groups": sorted(groups)})
    moment = now()
    mine = PEOPLE.c.id == person
    with engine.connect() as connection:
        row = connection.execute(select(PEOPLE).where(mine)).first()
    new = {"name": name[:LONGEST_ID], "claimed": claimed}
    same = row is not None and (row.name, row.claimed) == tuple(new.values())
    if row is not None and same:
        if row.seen is None or row.seen <= moment - NOTED:
            note_if_it_can(
                engine, update(PEOPLE).where(mine).values(seen=moment), "A person's last sign-in"
            )
        return
    with writing(engine) as connection:
        _let_be_there(connection, person, name)
        connection.execute(update(PEOPLE).where(mine).values(**new, seen=moment))


def assign_roles(engine: Engine, person: str, roles: Iterable[str]) -> None:
    """Give somebody these roles in place of those given before; none takes them all away.

    Raises
    ------
    ArgumentError
        If a role is none, or the person's name cannot be one.
    """
    with writing(engine) as connection:
        give_roles(connection, person, roles)


def give_roles(connection: Connection, person: str, roles: Iterable[str]) -> None:
    """Do what ``assign_roles`` does, in a transaction that writes."""
    given = sorted({one_of("role", role, ROLES) for role in roles})
    _let_be_there(connection, person, person)
    chosen = update(PEOPLE).where(PEOPLE.c.id == person)
    connection.execute(chosen.values(roles=json.dumps(given)))
    audit.note(connection, "granted", f"user {person}", {"roles": given})


def list_people(engine: Engine) -> pd.DataFrame:
    """Return id, name, roles, from_token, groups, seen (UTC) of everybody who is known, by name."""
    with engine.connect() as connection:
        rows = connection.execute(select(PEOPLE).order_by(PEOPLE.c.name)).all()
    found = []
    for row in rows:
        claimed = json.loads(row.claimed)
        shown = (json.loads(row.roles), claimed.get("roles", ()), claimed.get("groups", ()))
        found.append((row.id, row.name, *(", ".join(s) for s in shown), row.seen))
    columns = ["id", "name", "roles", "from_token", "groups", "seen"]
    return pd.DataFrame(found, columns=columns)


def find_person(engine: Engine, given: str) -> str:
    """Return the id of somebody, given their id or their name.

    Raises
    ------
    UnknownNameError
        If nobody has it.
    ArgumentError
        If several have the name.
    """
    people = list_people(engine)
    wanted = given.strip()
    if wanted in set(people["id"]):
        return wanted
    named = people.loc[people["name"].str.casefold() == wanted.casefold(), "id"]
    if len(named) > 1:
        raise ArgumentError(
            f"{len(named)} people are called '{cut(wanted)}': give one's id: {', '.join(named)}."
        )
    if named.empty:
        raise UnknownNameError(
            f"Nobody is called '{cut(wanted)}'.{did_you_mean(wanted, people['name'])} 'tilt user "
            "list' shows who has a role or has signed in; 'tilt user role' makes somebody known."
        )
    return str(named.iloc[0])


def forget_person(engine: Engine, person: str) -> None:
    """Take everything from somebody: roles and grants. Their keys are revoked apart.

    Roles that come by tokens are there again with the next one.
    """
    with writing(engine) as connection:
        mine = and_(GRANTS.c.to_kind == "user", GRANTS.c.to_id == person)
        connection.execute(delete(GRANTS).where(mine))
        connection.execute(delete(PEOPLE).where(PEOPLE.c.id == person))
        audit.note(connection, "taken away", f"user {person}", {"what": "roles and grants"})


def grant(engine: Engine, given: Grant, *, by: str) -> None:
    """Give verbs on an object in place of those given before; no verbs take the grant away.

    Raises
    ------
    ArgumentError
        If it is for nobody, for no object, or for a verb that cannot be granted.
    """
    _check(given)
    with writing(engine) as connection:
        _put(connection, given, by)
        _note(connection, given)


@contextmanager
def making(person: str) -> Iterator[None]:
    """Let what is saved in the block be somebody's, and be new; of nobody where the id is empty."""
    before = _MAKER.set(person)
    try:
        yield
    finally:
        _MAKER.reset(before)


def give_to_maker(connection: Connection, kind: Kind, name: str, *, new: bool) -> None:
    """Give who makes an object every right to it, in the transaction that saves it.

    Parameters
    ----------
    new : whether it was not there before

    Raises
    ------
    ArgumentError
        If it is there although it was to be new: somebody else saved it a moment before.
    """
    maker = _MAKER.get()
    if not maker:
        return
    if not new:
        raise name_taken(name)
    given = Grant("user", maker, kind, name, frozenset(GRANTED))
    _check(given)
    _put(connection, given, maker)
    _note(connection, given)


def forget_grants(connection: Connection, kind: Kind, name: str) -> None:
    """Take away every grant on an object, in the transaction that deletes it.

    Otherwise whoever had one could use the next object of that name.
    """
    seal = sealing.seal_of(connection)
    rows = connection.execute(select(GRANTS).where(GRANTS.c.kind == kind)).all()
    gone = [r.id for r in rows if _opened(seal, r) == name.strip().casefold()]
    if gone:
        connection.execute(delete(GRANTS).where(GRANTS.c.id.in_(gone)))


def list_grants(engine: Engine) -> pd.DataFrame:
    """Return to, who, kind, name, verbs, by, at (UTC) of every grant, by object."""
    with engine.connect() as connection:
        seal = sealing.seal_of(connection)
        rows = connection.execute(select(GRANTS)).all()
        found = [
            (r.to_kind, r.to_id, r.kind, _opened(seal, r), ", ".join(_sorted(_verbs(r.verbs))),
             r.by_id, r.at)
            for r in rows
        ]  # fmt: skip
    table = pd.DataFrame(found, columns=["to", "who", "kind", "name", "verbs", "by", "at"])
    return table.sort_values(["kind", "name", "to", "who"], ignore_index=True)


def _check(given: Grant) -> None:
    one_of("to", given.to_kind, GRANTEES)
    if given.to_kind == "role":
        one_of("role", given.to, ROLES)
    _check_id(given.to)
    if given.kind not in OBJECTS:
        raise ArgumentError(f"Grants are on one of {', '.join(OBJECTS)}; got '{cut(given.kind)}'.")
    if not given.name.strip() or len(given.name) > LONGEST_ID or not given.name.isprintable():
        raise ArgumentError(
            f"'{cut(given.name)}' is no name of a {given.kind}. Give its name, or * for every one."
        )
    for verb in given.verbs:
        one_of("verb", verb, GRANTED)


def _put(connection: Connection, given: Grant, by: str) -> None:
    name = given.name.strip().casefold()
    seal = sealing.seal_of(connection)
    for row in connection.execute(select(GRANTS).where(*_same(given))).all():
        if _opened(seal, row) == name:
            connection.execute(delete(GRANTS).where(GRANTS.c.id == row.id))
    if not given.verbs:
        return
    new = secrets.token_hex(8)
    connection.execute(
        insert(GRANTS).values(
            id=new,
            to_kind=given.to_kind,
            to_id=given.to,
            kind=given.kind,
            name=seal.keep_text(name, about=f"grants/{new}"),
            verbs=",".join(_sorted(given.verbs)),
            by_id=by,
            at=now(),
        )
    )


def _note(connection: Connection, given: Grant) -> None:
    """Tell the audit, which names no encrypted portfolio: the list of grants shows which it is."""
    hidden = given.kind == "portfolio" and sealing.seal_of(connection).on
    subject = given.kind if hidden else f"{given.kind} {given.name.strip()}"
    told = {"to": f"{given.to_kind} {given.to}", "verbs": _sorted(given.verbs)}
    audit.note(connection, "granted" if given.verbs else "taken away", subject, told)


def _same(given: Grant) -> tuple[ColumnElement[bool], ...]:
    grants = GRANTS.c
    return grants.to_kind == given.to_kind, grants.to_id == given.to, grants.kind == given.kind


def _meant(person: str, roles: Iterable[str], groups: Iterable[str]) -> ColumnElement[bool]:
    """Return which grants are somebody's: theirs, their roles' and their groups'."""
    kind, to = GRANTS.c.to_kind, GRANTS.c.to_id
    return or_(
        and_(kind == "user", to == person),
        and_(kind == "role", to.in_(sorted(roles))),
        and_(kind == "group", to.in_(sorted(groups))),
    )


def _opened(seal: sealing.Seal, row: Row[tuple[object, ...]]) -> str:
    return seal.open_text(row.name, about=f"grants/{row.id}")


def _verbs(text: str) -> frozenset[Verb]:
    return frozenset(verb for verb in GRANTED if verb in text.split(","))


def _sorted(verbs: frozenset[Verb]) -> list[str]:
    return [verb for verb in GRANTED if verb in verbs]


def _let_be_there(connection: Connection, person: str, name: str) -> None:
    _check_id(person)
    mine = PEOPLE.c.id == person
    if connection.execute(select(PEOPLE.c.id).where(mine)).first() is None:
        new = {"id": person, "name": name[:LONGEST_ID], "roles": "[]", "claimed": "{}"}
        connection.execute(insert(PEOPLE).values(**new))


def _check_id(person: str) -> None:
    if not 0 < len(person) <= LONGEST_ID or not person.isprintable() or person != person.strip():
        raise ArgumentError(
            f"'{cut(person)}' is no id of a person or group: one has 1 to {LONGEST_ID} printable "
            "characters and no space around them."
        )
