"""Encrypted content: read with its key in its place, and refused in words otherwise."""

import base64

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend

from tilt import sealing
from tilt.errors import ArgumentError
from tilt.sealing import BrokenSealError, Seal, SealedError, read_seal

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))
ON = Seal((KEY,), on=True)


@given(st.binary(max_size=300), st.text(max_size=40))
def test_what_is_sealed_is_read_in_its_place_and_does_not_show(content, about):
    sealed = ON.keep(content, about)
    assert ON.open(sealed, about) == content
    assert sealing.sealed_with(sealed) == ON.id
    assert len(content) < 8 or content not in sealed


@given(st.binary(min_size=1, max_size=64), st.data())
def test_a_bit_that_is_changed_anywhere_is_noticed_and_never_read(content, data):
    sealed = bytearray(ON.keep(content, "runs/a"))
    at = data.draw(st.integers(5, len(sealed) - 1))  # before it stands what says that it is sealed
    sealed[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((BrokenSealError, SealedError)):
        ON.open(bytes(sealed), "runs/a")


def test_a_row_in_the_place_of_another_is_refused():
    sealed = ON.keep(b"0.5", "books/~a/2020-01-02")
    with pytest.raises(BrokenSealError, match="damaged or somebody has changed it"):
        ON.open(sealed, "books/~b/2020-01-02")


def test_a_key_that_is_missing_is_named_and_the_place_is_not():
    sealed = ON.keep(b"x", "books/Secret Fund/2020-01-02")
    with pytest.raises(SealedError) as raised:
        Seal((OTHER,)).open(sealed, "books/Secret Fund/2020-01-02")
    assert ON.id in str(raised.value)
    assert "TILT_DATA_KEYS_OLD" in str(raised.value)
    assert "Secret" not in str(raised.value)


def test_the_key_of_before_reads_and_the_key_of_now_writes():
    both = Seal((OTHER, KEY), on=True)
    sealed = ON.keep(b"x", "a")
    again = both.again(sealed, "a")
    assert both.open(sealed, "a") == b"x"
    assert sealing.sealed_with(again) == Seal((OTHER,)).id
    assert both.again(again, "a") is None, "it is kept so already"
    assert Seal((OTHER,)).again(again, "a") == b"x", "off decrypts"


def test_a_text_fits_its_column_and_one_that_was_never_sealed_is_read_as_it_is():
    sealed = ON.keep_text("Ä" * 200, "jobs/title", most=200)
    assert len(sealed) <= 200
    assert sealed.isascii()
    assert set(ON.open_text(sealed, "jobs/title")) == {"Ä"}
    assert ON.open_text("Report of Growth", "jobs/title") == "Report of Growth"


@given(st.binary(max_size=40))
def test_words_of_a_user_that_look_encrypted_are_read_as_words(content):
    words = base64.b64encode(b"TILT\x01" + content).decode()
    off = Seal((KEY,))
    assert (
        off.open_text(off.keep_text(words, "jobs/title", most=200), "jobs/title").strip() == words
    )
    assert ON.open_text(ON.keep_text(words, "jobs/title"), "jobs/title") == words
    assert len(off.keep_text(words, "jobs/title", most=20)) <= 20


@pytest.mark.parametrize("text", ["short", "é" * 44, "A" * 44, "kept" * 11])
def test_what_is_no_key_is_refused_without_being_shown(text):
    with pytest.raises(ArgumentError, match="is no data key") as raised:
        read_seal(text, [], on=True)
    assert text not in str(raised.value)


def test_keys_that_do_not_fit_together_are_refused():
    with pytest.raises(ArgumentError, match="needs TILT_DATA_KEY"):
        read_seal("", [sealing.new_key()], on=False)
    with pytest.raises(ArgumentError, match="TILT_ENCRYPT=portfolios needs TILT_DATA_KEY"):
        read_seal("", [], on=True)
    with pytest.raises(ArgumentError, match="no data key to encrypt with"):
        sealing.NONE.close(b"x", "credentials/a")


class Pocket(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self):
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password


def test_a_key_may_lie_in_the_keyring_of_the_system():
    before = keyring.get_keyring()
    keyring.set_keyring(Pocket())
    try:
        sealing.store_key("main", sealing.new_key())
        assert len(read_seal("keyring:main", [], on=True).keys) == 1
        with pytest.raises(ArgumentError, match="tilt encrypt key --keyring other"):
            read_seal("keyring:other", [], on=True)
    finally:
        keyring.set_keyring(before)


def test_a_seal_shows_no_key():
    assert KEY.hex() not in repr(ON)
    assert str(KEY) not in repr(ON)


def test_no_two_contents_of_a_key_have_the_same_nonce():
    """GCM would give away what two that share one hold, and how to forge others."""
    nonces = {ON.close(b"the same", "books/a")[9:21] for _ in range(50)}
    assert len(nonces) == 50
