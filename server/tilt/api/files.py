"""Files made for one user, kept for a day on the disk that all servers of the store share."""

import hashlib
import re
import secrets
import time
from pathlib import Path

from tilt.api import permission
from tilt.api.state import current
from tilt.data.encryption import REPORTS, keep_report, read_report
from tilt.errors import UnknownNameError
from tilt.sealing import seal_of
from tilt.security.deciding import Thing

FOLDER = REPORTS
KINDS = ("xlsx", "pdf", "html")
KEPT_SECONDS = 24 * 3600.0
_ID = re.compile(r"[0-9a-f]{32}")


def keep(data: Path, owner: str, content: bytes, kind: str = "xlsx") -> str:
    """Keep a file for its owner; return the id under which the owner alone can fetch it.

    Parameters
    ----------
    data : folder of the installation's data
    kind : one of ``KINDS``
    """
    if kind not in KINDS:
        raise ValueError(f"no kind of file '{kind}'")
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    _forget(folder)
    file = secrets.token_hex(16)
    path = _path(data, owner, file, kind)
    catalog = current().store.catalog
    permission.remember(catalog, Thing("file", file, owner))
    keep_report(path, content, seal_of(catalog))
    return file


def fetch(data: Path, owner: str, file: str) -> bytes:
    """Return what a file holds that was kept for its owner.

    Raises
    ------
    UnknownNameError
        If there is none: it is somebody else's, too old, or never was.
    """
    return read_report(find(data, owner, file), seal_of(current().store.catalog))


def find(data: Path, owner: str, file: str) -> Path:
    """Return the place of a file that was kept for its owner; its ending tells the kind.

    It may be encrypted there: ``fetch`` reads it.

    Raises
    ------
    UnknownNameError
        If there is none: it is somebody else's, too old, or never was.
    """
    if _ID.fullmatch(file):
        for kind in KINDS:
            path = _path(data, owner, file, kind)
            if path.is_file():
                what = Thing("file", file, owner)
                permission.require_rests(current().store.catalog, what, _unknown)
                return path
    raise _unknown()


def _unknown() -> UnknownNameError:
    return UnknownNameError(
        "There is no such file for you. Files are kept for a day: make it again."
    )


def _path(data: Path, owner: str, file: str, kind: str) -> Path:
    mine = hashlib.sha256(owner.encode()).hexdigest()[:16]
    return data / FOLDER / f"{file}-{mine}.{kind}"


def _forget(folder: Path) -> None:
    """Delete what is older than a day."""
    for path in folder.iterdir():
        try:
            old = time.time() - path.stat().st_mtime > KEPT_SECONDS
        except FileNotFoundError:  # another server deleted it meanwhile
            continue
        if old:
            path.unlink(missing_ok=True)
