"""Workbooks made for one user, kept for a day on the disk that all servers of the store share."""

import hashlib
import re
import secrets
import time
from pathlib import Path

from tilt.errors import UnknownNameError

FOLDER = "reports"
KEPT_SECONDS = 24 * 3600.0
_ID = re.compile(r"[0-9a-f]{32}")


def keep(data: Path, owner: str, content: bytes) -> str:
    """Keep a file for its owner; return the id under which the owner alone can fetch it.

    Parameters
    ----------
    data : folder of the installation's data
    """
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    _forget(folder)
    file = secrets.token_hex(16)
    path = _path(data, owner, file)
    staged = path.with_suffix(".part")
    staged.write_bytes(content)
    staged.replace(path)  # whoever fetches it sees all of it or nothing
    return file


def fetch(data: Path, owner: str, file: str) -> bytes:
    """Return a file that was kept for its owner.

    Raises
    ------
    UnknownNameError
        If there is none: it is somebody else's, too old, or never was.
    """
    path = _path(data, owner, file) if _ID.fullmatch(file) else None
    if path is None or not path.is_file():
        raise UnknownNameError(
            "There is no such file for you. Files are kept for a day: make it again."
        )
    return path.read_bytes()


def _path(data: Path, owner: str, file: str) -> Path:
    mine = hashlib.sha256(owner.encode()).hexdigest()[:16]
    return data / FOLDER / f"{file}-{mine}.xlsx"


def _forget(folder: Path) -> None:
    """Delete what is older than a day."""
    for path in folder.iterdir():
        try:
            old = time.time() - path.stat().st_mtime > KEPT_SECONDS
        except FileNotFoundError:  # another server deleted it meanwhile
            continue
        if old:
            path.unlink(missing_ok=True)
