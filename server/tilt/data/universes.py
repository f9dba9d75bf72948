"""Universes that are made by a rule, kept in the catalog."""

import datetime as dt
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Engine, delete, insert, select

from tilt import audit
from tilt.data import catalog
from tilt.data.rules import LONGEST_NAME, Rule, Universe
from tilt.data.tables import universes
from tilt.errors import ArgumentError, UnknownNameError, cut, did_you_mean, name_taken
from tilt.security import people

CHANGES = "universes"  # the catalog counts every writing of them under this name
RESERVED = frozenset({"cash", "none"})


def saved(engine: Engine) -> list[Universe]:
    """Return the universes of the catalog, by name."""
    with catalog.reading(engine) as connection:
        return _all(connection)


def save(engine: Engine, universe: Universe, taken: Iterable[str]) -> None:
    """Save a universe, in place of the one that has its name.

    Parameters
    ----------
    taken : names that mean something else: universes with data, portfolios

    Raises
    ------
    ArgumentError
        If the name is taken or cannot be typed, also by one that was to be new and is not, or the
        universe would be made out of itself.
    """
    name = universe.name
    if not 0 < len(name) <= LONGEST_NAME:
        raise ArgumentError(
            f"A universe's name has 1 to {LONGEST_NAME} characters; got '{cut(name)}'."
        )
    if name != name.strip() or not name.isprintable() or name.casefold() in RESERVED:
        raise ArgumentError(f"'{cut(name)}' cannot be the name of a universe. Choose another.")
    if name.casefold() in {t.casefold() for t in taken}:
        raise name_taken(name)
    with catalog.writing(engine) as connection:
        before = {u.name.casefold(): u for u in _all(connection)}
        _refuse_circle(universe, before)
        old = before.get(name.casefold())
        people.give_to_maker(connection, "universe", name, new=old is None)
        if old is not None:
            connection.execute(delete(universes).where(universes.c.name == old.name))
        connection.execute(
            insert(universes).values(
                name=name,
                parent=universe.parent,
                description=universe.description,
                rule=universe.rule.model_dump_json(exclude_defaults=True),
                saved=dt.datetime.now(dt.UTC),
            )
        )
        catalog.count_change(connection, CHANGES)
        audit.note(connection, "saved", f"universe {name}")


def delete_saved(engine: Engine, name: str) -> None:
    """Delete a universe; its parent and its data stay.

    Raises
    ------
    UnknownNameError
        If there is none of the name.
    ArgumentError
        If another universe is made out of it.
    """
    wanted = name.strip().casefold()
    with catalog.writing(engine) as connection:
        every = _all(connection)
        found = next((u for u in every if u.name.casefold() == wanted), None)
        if found is None:
            names = [u.name for u in every]
            raise UnknownNameError(
                f"No universe made by a rule is named '{cut(name)}'.{did_you_mean(name, names)} "
                "Universes with data of their own go with their snapshots."
            )
        children = [u.name for u in every if u.parent.casefold() == wanted]
        if children:
            raise ArgumentError(
                f"'{found.name}' cannot be deleted: {', '.join(children)} "
                f"{'is' if len(children) == 1 else 'are'} made out of it. Delete those first."
            )
        connection.execute(delete(universes).where(universes.c.name == found.name))
        people.forget_grants(connection, "universe", found.name)
        catalog.count_change(connection, CHANGES)
        audit.note(connection, "deleted", f"universe {found.name}")


def _all(connection: Connection) -> list[Universe]:
    rows = connection.execute(select(universes).order_by(universes.c.name)).all()
    return [
        Universe(
            name=r.name,
            parent=r.parent,
            description=r.description,
            rule=Rule.model_validate_json(r.rule),
        )
        for r in rows
    ]


def _refuse_circle(universe: Universe, known: Mapping[str, Universe]) -> None:
    step, own = universe.parent.casefold(), universe.name.casefold()
    while step != own:
        above = known.get(step)
        if above is None:
            return
        step = above.parent.casefold()
    raise ArgumentError(f"'{universe.name}' cannot be made out of itself. Choose another parent.")
