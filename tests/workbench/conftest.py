"""The workbench, built from its sources, served over the sample and used once in Chromium."""

import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from serving import run_node

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILT = ROOT / "addin/static/workbench/dist"
SECONDS = 450


@pytest.fixture(scope="session")
def built(tmp_path_factory, worker_id):
    """The bundle, made anew if a source is younger; one worker builds, the others wait."""
    npm = shutil.which("npm")
    assert npm, "npm is needed to build the workbench: install Node 20 or later."
    assert (ROOT / "node_modules" / "@univerjs").is_dir(), "Run 'npm ci' first."
    own = tmp_path_factory.getbasetemp()
    lock = sqlite3.connect(
        (own if worker_id == "master" else own.parent) / "build.lock",
        timeout=SECONDS,
        isolation_level=None,
    )
    lock.execute("BEGIN EXCLUSIVE")
    sources = [p for p in (ROOT / "addin/workbench").rglob("*") if p.is_file()]
    newest = max(p.stat().st_mtime for p in (*sources, ROOT / "package.json"))
    bundle = BUILT / "main.js"
    if not bundle.is_file() or bundle.stat().st_mtime < newest:
        done = subprocess.run(
            [npm, "run", "--silent", "build"], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    lock.close()
    return BUILT


@pytest.fixture(scope="session")
def used(built, store, served, tmp_path_factory):
    """What somebody saw who worked with the workbench; every test looks at its own part."""
    assert (built / "office.js").is_file()
    folder = tmp_path_factory.mktemp("used")
    given = folder / "given.json"
    given.write_text(json.dumps({"tickers": sorted(store.panel().close.columns)}))
    return run_node(HERE / "workbench.mjs", served, str(given), str(folder))


@pytest.fixture(scope="session")
def signed_in(built, locked):
    """What somebody saw who opened the workbench of a server that asks for an API key."""
    assert (built / "office.js").is_file()
    return run_node(HERE / "sign_in.mjs", *locked)
