"""Several small files of one folder, written all or none.

They are laid beside the folder's own first; a list of them is what commits them; then each is put
in its place. Whoever dies in between leaves a list that is carried out by the next writer, and read
through by everybody until then, or no list and so nothing.
"""

import json
from collections.abc import Mapping
from contextlib import suppress

from tilt.data.named import Files

_NEXT = "next"
_LIST = "next.json"


def write_together(files: Files, folder: str, contents: Mapping[str, bytes]) -> None:
    """Write files of a folder, all or none; one writer of a folder at a time.

    Parameters
    ----------
    contents : by name within the folder

    Raises
    ------
    OSError
        If they cannot be written; nothing of them is there then.
    """
    _carry_out(files, folder)
    for name, content in contents.items():
        files.write(f"{folder}/{_NEXT}/{name}", content)
    files.write(f"{folder}/{_LIST}", json.dumps(sorted(contents)).encode())
    with suppress(OSError):  # they are there from now on; the next writer puts them in their places
        _carry_out(files, folder)


def read_together(files: Files, folder: str, name: str) -> bytes:
    """Return a file of a folder; ``FileNotFoundError`` if it is not there."""
    if name in _committed(files, folder):
        try:
            return files.read(f"{folder}/{_NEXT}/{name}")
        except FileNotFoundError:
            pass  # it was put in its place meanwhile
    return files.read(f"{folder}/{name}")


def names_together(files: Files, folder: str) -> set[str]:
    """Return the names of a folder's files."""
    own = {name.removeprefix(f"{folder}/") for name in files.listed(folder)}
    return {n for n in own if "/" not in n and n != _LIST} | _committed(files, folder)


def _committed(files: Files, folder: str) -> set[str]:
    try:
        return set(json.loads(files.read(f"{folder}/{_LIST}")))
    except FileNotFoundError:
        return set()


def _carry_out(files: Files, folder: str) -> None:
    """Put every committed file in its place, and clear away what was never committed."""
    committed = _committed(files, folder)
    for name in sorted(committed):
        files.write(f"{folder}/{name}", files.read(f"{folder}/{_NEXT}/{name}"))
    if committed:
        files.remove(f"{folder}/{_LIST}")
    for left in files.listed(f"{folder}/{_NEXT}"):
        files.remove(left)
