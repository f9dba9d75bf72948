"""The peers, each in a process of its own, in an environment of theirs.

They share our pins where they can, but nobody who uses Tilt should have to install them: the group
``peers`` of pyproject.toml is installed by uv into build/peers when the bench is first run.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from bench.measuring import Peer

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "build" / "peers"
SCRIPTS = Path(__file__).with_name("peer")
LEFT_OUT = "TILT_BENCH_PEERS"  # of the environment: none, or names with spaces between
SECONDS = 180.0
TITLES = {
    "pyportfolioopt": "PyPortfolioOpt",
    "riskfolio": "Riskfolio-Lib",
    "alphalens": "alphalens-reloaded",
    "duckdb": "DuckDB",
    "lstsq": "numpy lstsq",
}


def beside(
    script: str, names: Sequence[str], inputs: Mapping[str, np.ndarray | float | str]
) -> tuple[Peer, ...]:
    """Run some peers of a script on the same inputs; one that fails says why."""
    wanted = [name for name in names if _wanted(name)]
    if not wanted:
        return ()
    python, why = environment()
    if python is None:
        return tuple(Peer(title(name), None, why=why) for name in wanted)
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "inputs.npz"
        np.savez(given, **{k: np.asarray(v) for k, v in inputs.items()})
        return tuple(_run(python, script, name, given) for name in wanted)


def title(name: str) -> str:
    """Return a peer's name as it is written."""
    return TITLES.get(name, name)


def _wanted(name: str) -> bool:
    asked = os.environ.get(LEFT_OUT, "all")
    return asked == "all" or name in asked.split()


def _run(python: Path, script: str, name: str, given: Path) -> Peer:
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    print(f"{'':14}beside {title(name)}", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(  # noqa: S603 - our own script
            [python, "-W", "ignore", SCRIPTS / f"{script}.py", name, given],
            env={**os.environ, **one},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Peer(title(name), None, why=f"more than {SECONDS:.0f} s")
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        return Peer(title(name), None, why=said[-1][:200])
    told = json.loads(done.stdout.splitlines()[-1])
    note = ", ".join(part for part in (told["version"], told["note"]) if part)
    return Peer(title(name), told["seconds"], told["megabytes"], note, answer=tuple(told["answer"]))


@cache
def environment() -> tuple[Path | None, str]:
    """Return the peers' Python, made where it is missing, or why there is none."""
    wanted = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = wanted.partition("[dependency-groups]")[2].partition("\n[")[0]
    python = PLACE / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = PLACE / "installed"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python, ""
    uv = Path(sys.executable).with_name("uv")
    tool = str(uv) if uv.exists() else shutil.which("uv")
    if tool is None:
        return None, "uv is not installed"
    print(f"Installing the peers into {PLACE}", file=sys.stderr, flush=True)
    steps = (
        [tool, "venv", "--quiet", "--clear", "--python", sys.executable, str(PLACE)],
        [tool, "pip", "install", "--quiet", "--python", str(python), "--group", "peers"],
    )
    for step in steps:
        done = subprocess.run(  # noqa: S603 - the arguments are ours
            step, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
            return None, f"the peers could not be installed: {said[-1][:200]}"
    stamp.write_text(wanted, encoding="utf-8")
    return python, ""
