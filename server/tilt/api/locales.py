"""What the reader's Excel can show, and which sign stands before its decimals."""

from functools import lru_cache

from tilt.api.problems import RefusedError

RICH_RUNTIME = (1, 4)  # the first CustomFunctionsRuntime with error and formatted-number values

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


def read_dialect(runtime: object, culture: object) -> tuple[bool, str]:
    """Return whether a client shows rich values, and its sign before decimals, empty if unknown.

    Raises
    ------
    RefusedError
        If the runtime is no version.
    """
    rich = runtime is None or _is_rich(str(runtime))
    known = isinstance(culture, str) and len(culture) < 40
    return rich, decimal_sign(str(culture)) if known else ""


@lru_cache(16)
def _is_rich(runtime: str) -> bool:
    parts = runtime.split(".")
    if len(parts) != 2 or not all(p.isascii() and p.isdigit() and len(p) < 6 for p in parts):
        raise RefusedError("runtime must be a version such as '1.4'.")
    return (int(parts[0]), int(parts[1])) >= RICH_RUNTIME
