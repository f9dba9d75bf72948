"""Which sign stands before decimals in the reader's Excel, from the name of its language."""

from functools import lru_cache

# Languages that write 0,05; then the regions of theirs that write 0.05.
_COMMA = (
    " af az be bg bs ca cs da de el es et eu fi fo fr gl hr hu hy id is it ka kk lt lv mk nb nl nn "
    "no pl pt ro ru sk sl sq sr sv tr uk vi "
)
_POINT = " de-CH de-LI it-CH es-DO es-GT es-HN es-MX es-NI es-PA es-PE es-PR es-SV es-US "
_COMMA_TOO = "en-ZA"


@lru_cache(256)
def decimal_sign(culture: str) -> str:
    """Return ``.`` or ``,`` for a culture such as ``de-DE``; empty if it says nothing.

    A user may choose other signs in the system's settings; Excel does not tell a function so.
    """
    parts = culture.replace("_", "-").split("-")
    language = parts[0].lower()
    if not (language.isascii() and language.isalpha() and len(language) in (2, 3)):
        return ""
    region = f"{language}-{parts[-1].upper()}"
    if f" {language} " in _COMMA:
        return "." if f" {region} " in _POINT else ","
    return "," if region == _COMMA_TOO else "."
