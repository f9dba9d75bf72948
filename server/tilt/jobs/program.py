"""Which program computes: results that another one kept are not its own."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import tilt

_NUMERIC = ("clarabel", "cvxpy", "numpy", "pandas", "piqp", "scipy")


@cache
def program_id(*folders: Path) -> str:
    """Return an id of the code of this package, of more folders, and of what it computes with.

    It is another one after an upgrade, of Tilt or of a solver, also where the version stayed the
    same: a number that the old program computed may be wrong.
    """
    digest = hashlib.sha256()
    for name in _NUMERIC:
        digest.update(f"{name} {version(name)}\n".encode())
    for folder in (Path(tilt.__file__).parent, *folders):
        for module in sorted(folder.rglob("*.py")):
            digest.update(module.relative_to(folder).as_posix().encode() + b"\x00")
            digest.update(module.read_bytes())
    return digest.hexdigest()[:12]
