"""Encryption of what is kept: AES-256-GCM, each ciphertext bound to the place it stands in.

A sealed content begins with five bytes that say so, then four that name its key, then a nonce of
twelve random bytes; what follows is the ciphertext with its tag. The tag also covers this head and
the name of the place (table and key of the row, or the file), so that a row that is changed, cut or
put in another one's place is refused and never read as something else.

References
----------
NIST SP 800-38D (2007), sections 5.2.1 and 8.2.2: associated data, and random nonces of 96 bits for
at most 2^32 contents of a key.
"""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Engine

from tilt.errors import ArgumentError, DataError

KEY_BYTES = 32
KEYRING = "keyring:"  # a key that is named so lies in the keyring of the system
SERVICE = "tilt"  # its name there
_MAGIC = b"TILT\x01"
_NAMED = len(_MAGIC) + 4
_HEAD = _NAMED + 12
_TEXT = base64.b64encode(_MAGIC).decode()[:6]  # what every sealed text begins with
_OPTION = "tilt_seal"


class SealedError(DataError):
    """Something is encrypted with a key that is not here."""


class BrokenSealError(DataError):
    """Something that is encrypted is not what was written, or not where it was written."""


@dataclass(frozen=True)
class Seal:
    """The data keys of an installation.

    keys : 32 bytes each; the first one encrypts, every one decrypts
    on   : whether portfolios, and what holds them, are to be encrypted
    """

    keys: tuple[bytes, ...] = field(default=(), repr=False)
    on: bool = False

    @property
    def id(self) -> str:
        """The id of the key that encrypts; empty if there is none."""
        return key_id(self.keys[0]) if self.keys else ""

    def close(self, content: bytes, about: str) -> bytes:
        """Return a content encrypted.

        Parameters
        ----------
        about : the place it is for; it can be read from no other

        Raises
        ------
        ArgumentError
            If there is no data key.
        """
        if not self.keys:
            raise ArgumentError(
                "There is no data key to encrypt with. Make one with 'tilt encrypt key' and set "
                "TILT_DATA_KEY."
            )
        head = _MAGIC + bytes.fromhex(self.id) + secrets.token_bytes(_HEAD - _NAMED)
        cipher = _cipher(self.keys[0])
        return head + cipher.encrypt(head[_NAMED:], content, head + about.encode())

    def keep(self, content: bytes, about: str) -> bytes:
        """Return a content as portfolios are kept here: encrypted, or as it is."""
        return self.close(content, about) if self.on else content

    def open(self, content: bytes, about: str) -> bytes:
        """Return a content as it was before it was encrypted; one that was not, as it is.

        Raises
        ------
        SealedError
            If its key is not here; the message names the key's id.
        BrokenSealError
            If it was changed, or stood in another place.
        """
        used = sealed_with(content)
        if not used:
            return content
        key = next((key for key in self.keys if key_id(key) == used), None)
        if key is None:
            here = ", ".join(key_id(key) for key in self.keys) or "none"
            raise SealedError(
                f"{_shown(about)} is encrypted with the data key {used}, which is not here (here: "
                f"{here}). Set TILT_DATA_KEY, or add that key to TILT_DATA_KEYS_OLD."
            )
        head = bytes(content[:_HEAD])
        try:
            return _cipher(key).decrypt(head[_NAMED:], content[_HEAD:], head + about.encode())
        except InvalidTag:
            raise BrokenSealError(
                f"{_shown(about)} is not what was encrypted, or was encrypted for another place: "
                "it is damaged or somebody has changed it. Restore it from a backup."
            ) from None

    def again(self, content: bytes, about: str) -> bytes | None:
        """Return a content as it is kept now, with the key of now; None if it is kept so already.

        Raises
        ------
        SealedError, BrokenSealError
            As for ``open``.
        """
        if sealed_with(content) == (self.id if self.on else ""):
            return None
        return self.keep(self.open(content, about), about)

    def keep_text(self, text: str, about: str, *, most: int | None = None) -> str:
        """Return a text as portfolios are kept here; one that is encrypted is of ASCII letters.

        Parameters
        ----------
        most : characters of the column; a text that is too long for it when encrypted is cut
        """
        if not self.on:  # a user's own words that look encrypted would be taken for damage
            return f" {text}"[:most] if text_sealed_with(text) else text
        content = text.encode()
        if most is not None:
            room = most // 4 * 3 - _HEAD - 16
            content = content[:room].decode(errors="ignore").encode()
        return base64.b64encode(self.close(content, about)).decode()

    def open_text(self, text: str, about: str) -> str:
        """Return a text as it was; raises what ``open`` raises."""
        return self.open(_bytes(text), about).decode() if text_sealed_with(text) else text

    def again_text(self, text: str, about: str, *, most: int | None = None) -> str | None:
        """Return a text as it is kept now; None if it is kept so already."""
        if text_sealed_with(text) == (self.id if self.on else ""):
            return None
        return self.keep_text(self.open_text(text, about), about, most=most)


NONE = Seal()


def read_seal(key: str, old: Sequence[str], *, on: bool) -> Seal:
    """Return the data keys that the settings name.

    Parameters
    ----------
    key, old : each 32 bytes in base64, or ``keyring:NAME``; empty for none

    Raises
    ------
    ArgumentError
        If one is no key, or the keyring has none of the name; the message holds no key.
    """
    given = [("TILT_DATA_KEY", key), *(("TILT_DATA_KEYS_OLD", one) for one in old)]
    keys = [_read_key(setting, text.strip()) for setting, text in given if text.strip()]
    if on and not key.strip():
        raise ArgumentError(
            "TILT_ENCRYPT=portfolios needs TILT_DATA_KEY. Make a key with 'tilt encrypt key'."
        )
    if old and not key.strip():
        raise ArgumentError("TILT_DATA_KEYS_OLD needs TILT_DATA_KEY, the key of now.")
    return Seal(tuple(dict.fromkeys(keys)), on)


def new_key() -> str:
    """Return a new data key, in base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


@lru_cache(maxsize=16)
def key_id(key: bytes) -> str:
    """Return the id of a key, which tells nothing of it: 8 hexadecimal digits."""
    return hashlib.sha256(b"tilt data key\0" + key).hexdigest()[:8]


def sealed_with(content: bytes) -> str:
    """Return the id of the key that a content is encrypted with; empty if it is not encrypted."""
    head = bytes(content[:_NAMED])
    return head[len(_MAGIC) :].hex() if len(head) == _NAMED and head.startswith(_MAGIC) else ""


def text_sealed_with(text: str) -> str:
    """Return the id of the key that a text is encrypted with; empty if it is not encrypted."""
    return sealed_with(_bytes(text)) if text.startswith(_TEXT) else ""


def give_seal(engine: Engine, seal: Seal) -> None:
    """Let whoever has the engine, or a connection of it, encrypt with these keys."""
    engine.update_execution_options(**{_OPTION: seal})


def seal_of(place: Engine | Connection) -> Seal:
    """Return the data keys that an engine was given; none if it was given none."""
    seal = place.get_execution_options().get(_OPTION, NONE)
    if not isinstance(seal, Seal):
        raise TypeError(f"{seal!r} is no seal")
    return seal


def store_key(name: str, key: str) -> None:
    """Put a key into the keyring of the system.

    Raises
    ------
    ArgumentError
        If there is no keyring, or it does not take the key.
    """
    import keyring  # here, as it looks for the system's keyrings when it is loaded
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, name, key)
    except KeyringError as error:
        raise ArgumentError(_no_keyring(error)) from None


def _read_key(setting: str, text: str) -> bytes:
    found = _from_keyring(setting, text) if text.startswith(KEYRING) else text
    try:
        key = base64.b64decode(found, validate=True)
    except ValueError:  # letters that base64 has not
        key = b""
    if len(key) != KEY_BYTES:
        raise ArgumentError(
            f"{setting} is no data key: one is {KEY_BYTES} bytes in base64, as 'tilt encrypt key' "
            f"makes it, or {KEYRING}NAME."
        )
    return key


def _from_keyring(setting: str, text: str) -> str:
    import keyring  # here, as above
    from keyring.errors import KeyringError

    name = text.removeprefix(KEYRING)
    try:
        found = keyring.get_password(SERVICE, name)
    except KeyringError as error:
        raise ArgumentError(_no_keyring(error)) from None
    if found is None:
        raise ArgumentError(
            f"{setting} names {text}, which is not in this user's keyring. Put "
            f"it there with 'tilt encrypt key --keyring {name}'."
        )
    return found


def _no_keyring(error: Exception) -> str:
    return (
        f"The keyring of this system cannot be used ({error}). Set TILT_DATA_KEY to the key itself."
    )


@lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # letters that base64 has not
        return b""


def _shown(about: str) -> str:
    """Return the name of a place without what may be a user's own words."""
    return f"An entry of {about.partition('/')[0]}"
