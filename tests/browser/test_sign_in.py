"""Signing in with an API key, from the pane, at a server that asks for one."""

import pytest

pytestmark = pytest.mark.browser


def test_without_a_key_the_cell_says_to_open_the_pane(signing_in):
    before = signing_in["before"]
    assert before["cell"]["value"] == "#N/A"
    assert before["cell"]["message"].startswith("Not signed in: open the Tilt pane")
    assert before["connection"] == "Not signed in"
    assert before["form"]


def test_an_accessibility_scan_of_the_form_finds_nothing(signing_in):
    assert signing_in["before"]["scan"] == []


def test_a_wrong_key_is_refused_in_words_and_the_form_stays(signing_in):
    wrong = signing_in["wrong"]
    assert wrong["error"] == "The server does not know this key."
    assert wrong["form"]
    assert wrong["cell"]["value"] == "#N/A"


def test_the_right_key_connects_and_the_cells_recover_by_themselves(signing_in):
    right = signing_in["right"]
    assert right["connection"] == "Connected"
    assert not right["form"]
    assert isinstance(right["cell"]["value"], int | float)


def test_a_key_that_is_not_to_be_remembered_is_not_stored(signing_in, locked):
    assert locked[1] not in signing_in["stored"]


def test_signing_out_asks_again_and_keeps_the_value_in_the_cell(signing_in):
    after = signing_in["after"]
    assert after["form"]
    assert after["cell"]["value"] == signing_in["right"]["cell"]["value"]
