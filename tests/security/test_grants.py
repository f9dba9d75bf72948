"""What was granted ends with what it was granted on, whoever deletes that and in whatever way."""

import pandas as pd
import pytest

from tilt.configuration import Configuration, saved
from tilt.data import portfolios, universes
from tilt.data.catalog import open_catalog
from tilt.data.rules import Universe, read_rule
from tilt.errors import UnknownNameError
from tilt.sealing import new_key, read_seal
from tilt.security import people
from tilt.security.people import Grant

NAME = "Ten Largest"


@pytest.fixture(params=["plain", "encrypted"])
def catalog(request, tmp_path):
    seal = read_seal(new_key(), [], on=request.param == "encrypted")
    engine = open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}", seal=seal)
    portfolios.save(engine, NAME, pd.Series({"A": 1.0}), "tests")
    rule = Universe(name=NAME, parent="ALL", description="", rule=read_rule({"top": "10"}))
    universes.save(engine, rule, [])
    saved.save(engine, NAME, Configuration())
    for kind in DELETE:
        people.grant(engine, Grant.of("user", "anna", kind, NAME, ["read"]), by="tests")
        people.grant(engine, Grant.of("role", "viewer", kind, "*", ["read"]), by="tests")
    yield engine
    engine.dispose()


DELETE = {
    "portfolio": portfolios.delete_saved,
    "universe": universes.delete_saved,
    "configuration": saved.delete_saved,
}


@pytest.mark.parametrize("kind", DELETE)
def test_who_could_use_what_is_deleted_cannot_use_the_next_of_its_name(catalog, kind):
    with pytest.raises(UnknownNameError):
        DELETE[kind](catalog, "another")
    assert len(people.list_grants(catalog)) == 6, "what is not there takes nothing away"
    DELETE[kind](catalog, NAME.upper())
    left = people.list_grants(catalog)
    assert left.loc[left["who"] == "anna", "kind"].tolist() == sorted(set(DELETE) - {kind})
    assert (left["name"] == "*").sum() == 3, "what holds for every one of a kind stays"
