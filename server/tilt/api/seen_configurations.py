"""Saved configurations as one user sees them."""

import pandas as pd

from tilt.api import permission
from tilt.api.seen import saving
from tilt.api.state import State
from tilt.configuration import saved
from tilt.configuration.settings import Configuration
from tilt.errors import UnknownNameError
from tilt.security.deciding import Thing, Verb


def listed(state: State) -> pd.DataFrame:
    """Return name, id and saved (UTC) of every configuration that the caller sees, by name."""
    return permission.seen_rows(saved.listed(state.store.catalog), "configuration")


def read(state: State, name: str) -> Configuration:
    """Return a configuration; raises what ``saved.read`` raises."""
    _require(state, "read", name)
    return saved.read(state.store.catalog, name)


def save(state: State, name: str, configuration: Configuration) -> str:
    """Save a configuration under a name that the caller may take; return its id."""
    catalog = state.store.catalog
    with saving("configuration", name, map(str, saved.listed(catalog)["name"])):
        return saved.save(catalog, name, configuration)


def delete(state: State, name: str) -> None:
    """Delete a configuration, and the grants on it."""
    _require(state, "write", name)
    saved.delete_saved(state.store.catalog, name)


def _require(state: State, verb: Verb, name: str) -> None:
    """Refuse what the caller may not use; what they may not see is as if it were not there."""
    known = [str(n) for n in listed(state)["name"]]

    def unseen() -> UnknownNameError:
        return saved.unknown_configuration(name, known)

    if name.strip().casefold() not in {n.casefold() for n in known}:
        raise unseen()
    permission.require(verb, _thing(name), unseen)


def _thing(name: str) -> Thing:
    return Thing("configuration", name.strip())
