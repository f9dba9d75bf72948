"""From JSON to a configuration, and from pydantic's words to ours."""

from collections.abc import Mapping
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tilt.configuration.settings import Configuration
from tilt.errors import ArgumentError, cut, did_you_mean

MOST_TOLD = 5


def read_configuration(given: Mapping[str, object] | str | bytes) -> Configuration:
    """Return the configuration that a mapping or a JSON text describes.

    Raises
    ------
    ArgumentError
        If it is no JSON, a key is not known, or a value is not what its key takes; the message
        names each place, and the nearest name where one is misspelt.
    """
    try:
        if isinstance(given, str | bytes):
            return Configuration.model_validate_json(given)
        return Configuration.model_validate(given)
    except ValidationError as error:
        told = [_told(e) for e in error.errors(include_url=False)]
        more = f" And {len(told) - MOST_TOLD} more." if len(told) > MOST_TOLD else ""
        raise ArgumentError(" ".join(told[:MOST_TOLD]) + more) from None


def _told(error: ErrorDetails) -> str:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "json_invalid":
        return f"The configuration is no JSON: {error['msg'].removeprefix('Invalid JSON: ')}."
    if error["type"] == "extra_forbidden":
        *path, key = error["loc"]
        known = _keys(tuple(path))
        where = f" of {'.'.join(str(p) for p in path)}" if path else ""
        return (
            f"'{cut(str(key))}' is no key{where}.{did_you_mean(str(key), known)} "
            f"There is {', '.join(known)}."
        )
    said = error["msg"].removeprefix("Value error, ")
    end = "" if said[-1:] in (".", "?") else "."
    return f"{place or 'configuration'}: {said}{end}"


def _keys(path: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the part at a place."""
    part: type[BaseModel] = Configuration
    for name in path:
        if isinstance(name, str) and name in part.model_fields:
            found = part.model_fields[name].annotation
            inner = [a for a in (found, *get_args(found)) if _is_part(a)]
            part = inner[0] if inner else part
    return list(part.model_fields)


def _is_part(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
