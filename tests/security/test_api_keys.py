"""API keys: random, kept as a keyed hash, compared without a hint, revoked at once."""

import re

import pytest
from sqlalchemy import create_engine, text

from tilt.errors import AccessError, ArgumentError, UnknownNameError
from tilt.security import create_key, list_keys, revoke_key, verify

SECRET = "s" * 32


@pytest.fixture
def catalog(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
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
