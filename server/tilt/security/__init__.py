"""Who is it, and what may they: API keys, tokens of Microsoft Entra ID, roles and grants."""

from tilt.security import people, rests
from tilt.security.deciding import decide
from tilt.security.keys import (
    NOT_SIGNED_IN,
    OVERLAP_DAYS,
    NewKey,
    create_key,
    list_keys,
    revoke_key,
    rotate_key,
    verify,
)
from tilt.security.tables import METADATA

__all__ = [
    "METADATA",
    "NOT_SIGNED_IN",
    "OVERLAP_DAYS",
    "NewKey",
    "create_key",
    "decide",
    "list_keys",
    "people",
    "rests",
    "revoke_key",
    "rotate_key",
    "verify",
]
