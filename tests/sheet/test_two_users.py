"""Two users of one server see nothing of each other."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def seen(locked, talk):
    server, keys = locked
    return talk("two_users.mjs", server.address, *keys)


def test_each_is_known_by_their_own_key_alone(seen):
    assert seen["users"] == ["anna", "ben"]
    assert seen["own"] == [True, True]


def test_who_has_no_key_is_not_shown_what_the_last_user_saw(seen):
    assert isinstance(seen["before"], float)
    assert seen["nobody"]["value"] == "#N/A"
    assert seen["nobody"]["message"].startswith("Not signed in")


def test_the_next_user_is_asked_for_anew_and_nothing_is_kept_of_the_last(seen):
    assert seen["asked"] == 1
    assert seen["kept"] == 1
    assert seen["then"] == pytest.approx(seen["before"])
