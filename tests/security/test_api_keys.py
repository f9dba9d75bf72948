"""API keys: random, kept as a keyed hash, compared without a hint, revoked at once."""

import datetime as dt
import re

import pytest
from alembic import command
from sqlalchemy import create_engine, text

from tilt import audit
from tilt.data import migrations
from tilt.data.catalog import open_catalog, writing
from tilt.errors import AccessError, ArgumentError, BusyError, UnknownNameError
from tilt.security import create_key, list_keys, people, revoke_key, rotate_key, verify
from tilt.security import keys as security

SECRET = "s" * 32
NOON = dt.datetime(2026, 3, 2, 12, 0)  # noqa: DTZ001 - in UTC, as the catalog keeps it


class Clock:
    def __init__(self, monkeypatch, module=security):
        self.now = NOON
        monkeypatch.setattr(module, "now", lambda: self.now)

    def goes(self, **more):
        self.now += dt.timedelta(**more)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def catalog(tmp_path):
    engine = open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    yield engine
    engine.dispose()


def test_a_key_signs_its_owner_in(catalog):
    made = create_key(catalog, "Ada", secret=SECRET)
    assert verify(catalog, f"Bearer {made.key}", secret=SECRET) == "Ada"
    assert verify(catalog, f"bearer  {made.key} ", secret=SECRET) == "Ada"


def test_a_key_holds_256_random_bits_and_is_not_stored(catalog):
    keys = [create_key(catalog, "Ada", secret=SECRET) for _ in range(5)]
    assert len({k.key for k in keys}) == 5
    with catalog.connect() as connection:
        stored = str(connection.execute(text("select * from api_keys")).all())
    for made in keys:
        prefix, identity, secret_part = made.key.split("_", 2)
        assert (prefix, identity) == ("tilt", made.prefix)
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", secret_part)  # 32 bytes in base64
        assert secret_part not in stored


def test_two_keys_of_one_secret_part_would_still_hash_apart(catalog):
    made = create_key(catalog, "Ada", secret=SECRET)
    other = "t" * 32
    with pytest.raises(AccessError):
        verify(catalog, f"Bearer {made.key}", secret=other)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic QWRhOng=",
        "Bearer tilt_",
        "Bearer tilt__",
        "Bearer tilt_000000000000_x",
        "Bearer " + "x" * 10_000,
        "Bearer tilt_' or 1=1 --_x",
        "Bearer \u0000",
    ],
)
def test_what_is_no_key_is_refused_without_saying_why(catalog, header):
    create_key(catalog, "Ada", secret=SECRET)
    with pytest.raises(AccessError, match=r"^Not signed in: open the Tilt pane\.$"):
        verify(catalog, header, secret=SECRET)


def test_every_part_of_a_key_counts(catalog):
    made = create_key(catalog, "Ada", secret=SECRET)
    for at in (5, 20, len(made.key) - 2):
        wrong = made.key[:at] + ("A" if made.key[at] != "A" else "B") + made.key[at + 1 :]
        with pytest.raises(AccessError):
            verify(catalog, f"Bearer {wrong}", secret=SECRET)


def test_a_revoked_key_is_refused_and_stays_in_the_list(catalog):
    made, kept = (create_key(catalog, n, secret=SECRET) for n in ("Ada", "Bob"))
    revoke_key(catalog, made.prefix)
    with pytest.raises(AccessError):
        verify(catalog, f"Bearer {made.key}", secret=SECRET)
    assert verify(catalog, f"Bearer {kept.key}", secret=SECRET) == "Bob"
    listed = list_keys(catalog).set_index("prefix")
    assert listed["name"].to_dict() == {made.prefix: "Ada", kept.prefix: "Bob"}
    assert listed["revoked"].notna().to_dict() == {made.prefix: True, kept.prefix: False}


def test_what_cannot_be_revoked_is_named(catalog):
    made = create_key(catalog, "Ada", secret=SECRET)
    revoke_key(catalog, made.prefix)
    for prefix in (made.prefix, "nope"):
        with pytest.raises(UnknownNameError, match=f"No valid API key begins with '{prefix}'"):
            revoke_key(catalog, prefix)


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "two\nlines"])
def test_a_key_needs_a_printable_name(catalog, name):
    with pytest.raises(ArgumentError, match="1 to 80 printable characters"):
        create_key(catalog, name, secret=SECRET)


def test_no_key_is_made_without_a_secret_to_hash_it_with(catalog):
    with pytest.raises(ArgumentError, match="TILT_SECRET_KEY must have at least 32 characters"):
        create_key(catalog, "Ada", secret="short")
    assert list_keys(catalog).empty


def test_a_key_ends_by_itself(catalog, clock):
    made = create_key(catalog, "Ada", secret=SECRET, days=30)
    assert made.expires == NOON + dt.timedelta(days=30)
    clock.goes(days=30, seconds=-1)
    assert verify(catalog, f"Bearer {made.key}", secret=SECRET) == "Ada"
    clock.goes(seconds=1)
    with pytest.raises(AccessError, match=r"^Not signed in: open the Tilt pane\.$"):
        verify(catalog, f"Bearer {made.key}", secret=SECRET)
    assert list_keys(catalog)["state"].tolist() == ["expired"]


def test_both_keys_of_a_rotation_are_good_until_the_old_one_ends(catalog, clock):
    old = create_key(catalog, "Ada", secret=SECRET)
    new = rotate_key(catalog, old.prefix, secret=SECRET, overlap=7)
    assert new.name == "Ada"
    clock.goes(days=6)
    for key in (old, new):
        assert verify(catalog, f"Bearer {key.key}", secret=SECRET) == "Ada"
    clock.goes(days=1)
    with pytest.raises(AccessError):
        verify(catalog, f"Bearer {old.key}", secret=SECRET)
    assert verify(catalog, f"Bearer {new.key}", secret=SECRET) == "Ada"


def test_a_rotation_never_lengthens_the_life_of_the_old_key(catalog, clock):
    old = create_key(catalog, "Ada", secret=SECRET, days=2)
    rotate_key(catalog, old.prefix, secret=SECRET, overlap=30)
    clock.goes(days=2)
    with pytest.raises(AccessError):
        verify(catalog, f"Bearer {old.key}", secret=SECRET)


@pytest.mark.parametrize("end", ["revoked", "expired", "never there"])
def test_only_a_valid_key_can_be_rotated(catalog, clock, end):
    old = create_key(catalog, "Ada", secret=SECRET, days=1)
    if end == "revoked":
        revoke_key(catalog, old.prefix)
    clock.goes(days=1 if end == "expired" else 0)
    prefix = "nope" if end == "never there" else old.prefix
    with pytest.raises(UnknownNameError, match=f"No valid API key begins with '{prefix}'"):
        rotate_key(catalog, prefix, secret=SECRET)
    assert len(list_keys(catalog)) == 1, "no key was made"


def test_a_key_and_the_roles_it_is_made_with_are_there_or_neither(catalog):
    with pytest.raises(ArgumentError, match="Did you mean 'viewer'"):
        create_key(catalog, "Ada", secret=SECRET, roles=["trader", "vewer"])
    assert list_keys(catalog).empty
    assert people.list_people(catalog).empty
    create_key(catalog, " Ada ", secret=SECRET, roles=["trader"])
    assert people.who_is(catalog, "Ada").roles == {"trader"}
    create_key(catalog, "Ada", secret=SECRET)
    assert people.who_is(catalog, "Ada").roles == {"trader"}, "a second key changes no role"


def test_a_rotation_that_fails_at_its_end_leaves_no_key_that_nobody_has_seen(catalog, monkeypatch):
    old = create_key(catalog, "Ada", secret=SECRET)
    note = audit.note

    def fails(connection, action, *told):
        if action == "replaced":
            raise OSError("disk full")
        note(connection, action, *told)

    monkeypatch.setattr(audit, "note", fails)
    with pytest.raises(OSError, match="disk full"):
        rotate_key(catalog, old.prefix, secret=SECRET)
    assert list_keys(catalog)["prefix"].tolist() == [old.prefix]


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_days_that_make_no_sense_are_refused(catalog, days):
    with pytest.raises(ArgumentError, match=f"1 to 3650, not {days}"):
        create_key(catalog, "Ada", secret=SECRET, days=days)
    assert list_keys(catalog).empty


def test_the_last_use_is_noted_true_to_the_hour(catalog, clock):
    made = create_key(catalog, "Ada", secret=SECRET)
    assert list_keys(catalog)["used"].isna().all()
    seen = []
    for minutes in (0, 30, 31):
        clock.goes(minutes=minutes)
        verify(catalog, f"Bearer {made.key}", secret=SECRET)
        seen.append(list_keys(catalog)["used"].iloc[0])
    assert seen == [NOON, NOON, NOON + dt.timedelta(minutes=61)]


def test_a_wrong_key_is_no_use_of_the_right_one(catalog):
    made = create_key(catalog, "Ada", secret=SECRET)
    with pytest.raises(AccessError):
        verify(catalog, f"Bearer {made.key[:-1]}!", secret=SECRET)
    assert list_keys(catalog)["used"].isna().all()


def test_in_a_catalog_of_before_roles_who_has_a_valid_key_becomes_administrator(tmp_path):
    url = f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    made, past = "2020-01-01 00:00:00.000000", "2020-02-01 00:00:00.000000"
    later = "2999-01-01 00:00:00.000000"
    old = create_engine(url)
    with old.begin() as connection:
        command.upgrade(migrations.configured(connection), "0007")
        row = text("INSERT INTO api_keys VALUES (:n, :n, 'x', :made, :revoked, :expires, NULL)")
        for name, revoked, expires in (
            ("lasting", None, None), ("ending", None, later), ("ended", None, past),
            ("revoked", past, None), ("revoked later", past, later),
        ):  # fmt: skip
            told = {"n": name, "made": made, "revoked": revoked, "expires": expires}
            connection.execute(row, told)
    old.dispose()
    opened = open_catalog(url)
    assert people.list_people(opened)["id"].tolist() == ["ending", "lasting"]
    assert people.who_is(opened, "lasting").roles == {"administrator"}
    opened.dispose()


def test_a_catalog_that_somebody_else_is_writing_refuses_nobody(tmp_path, caplog):
    url = f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    catalog, other = open_catalog(url, busy_seconds=0.05), open_catalog(url)
    made = create_key(catalog, "Ada", secret=SECRET)
    with writing(other):
        assert verify(catalog, f"Bearer {made.key}", secret=SECRET) == "Ada"
    assert f"The last use of key {made.prefix} cannot be noted" in caplog.text
    assert list_keys(catalog)["used"].isna().all()
    catalog.dispose()
    other.dispose()


def test_a_sign_in_that_says_nothing_new_needs_no_writing_and_a_new_one_does(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    catalog, other = open_catalog(url, busy_seconds=0.05), open_catalog(url)
    clock = Clock(monkeypatch, people)
    people.note_sign_in(catalog, "a-1", "anna", ["trader"], [])
    clock.goes(minutes=59)
    people.note_sign_in(catalog, "a-1", "anna", ["trader"], [])
    assert people.list_people(catalog)["seen"].tolist() == [NOON], "not at every request"
    clock.goes(hours=2)
    with writing(other):
        people.note_sign_in(catalog, "a-1", "anna", ["trader"], [])
        with pytest.raises(BusyError):
            people.note_sign_in(catalog, "a-1", "anna", [], [])
    assert people.list_people(catalog)["seen"].tolist() == [NOON]
    people.note_sign_in(catalog, "a-1", "anna", ["trader"], [])
    assert people.list_people(catalog)["seen"].tolist() == [NOON + dt.timedelta(minutes=179)]
    catalog.dispose()
    other.dispose()
