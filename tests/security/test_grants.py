"""What was granted begins and ends with what it was granted on, however that is saved or gone."""

import pandas as pd
import pytest

from tilt.configuration import Configuration, saved
from tilt.data import portfolios, universes
from tilt.data.catalog import open_catalog
from tilt.data.rules import Universe, read_rule
from tilt.errors import ArgumentError, UnknownNameError
from tilt.sealing import new_key, read_seal
from tilt.security import people
from tilt.security.people import Grant

NAME = "Ten Largest"
HELD = pd.Series({"A": 1.0})


@pytest.fixture(params=["plain", "encrypted"])
def catalog(request, tmp_path):
    seal = read_seal(new_key(), [], on=request.param == "encrypted")
    engine = open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}", seal=seal)
    for kind, save in SAVE.items():
        save(engine, NAME)
        people.grant(engine, Grant.of("user", "anna", kind, NAME, ["read"]), by="tests")
        people.grant(engine, Grant.of("role", "viewer", kind, "*", ["read"]), by="tests")
    yield engine
    engine.dispose()


def made_by_a_rule(name):
    return Universe(name=name, parent="ALL", description="", rule=read_rule({"top": "10"}))


SAVE = {
    "portfolio": lambda engine, name: portfolios.save(engine, name, HELD, "tests"),
    "universe": lambda engine, name: universes.save(engine, made_by_a_rule(name), []),
    "configuration": lambda engine, name: saved.save(engine, name, Configuration()),
}
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


@pytest.mark.parametrize("kind", SAVE)
def test_of_two_who_make_the_same_new_thing_at_once_one_has_it(catalog, kind):
    with people.making("anna"):
        SAVE[kind](catalog, "Pearl")
    with people.making("ben"), pytest.raises(ArgumentError, match="'PEARL' means something else"):
        SAVE[kind](catalog, "PEARL")  # who saw no Pearl a moment ago
    left = people.list_grants(catalog)
    mine = left[left["name"] == "pearl"]
    assert list(zip(mine["who"], mine["kind"], strict=True)) == [("anna", kind)]
    SAVE[kind](catalog, "PEARL")  # in its place, by who may change it
    assert len(people.list_grants(catalog)) == len(left)


@pytest.mark.parametrize("kind", SAVE)
def test_what_cannot_be_saved_leaves_no_right(catalog, kind, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("tilt.data.catalog.count_change", full)
    with people.making("anna"), pytest.raises(OSError, match="No space"):
        SAVE[kind](catalog, "Pearl")
    assert "pearl" not in set(people.list_grants(catalog)["name"])
