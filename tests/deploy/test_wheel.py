"""A wheel holds the whole product, the workbench included, or is not built."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUNDLE = ("main.js", "main.css", "office.js", "entra.js")
SECONDS = 400


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """What a wheel is built from, with a bundle of three small files."""
    folder = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    skipped = shutil.ignore_patterns("__pycache__", "dist", "sample")
    for name in ("server", "addin"):
        shutil.copytree(ROOT / name, folder / name, ignore=skipped)
    shutil.copy(ROOT / ".gitignore", folder / ".gitignore")
    return folder


def build(source: Path, out: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    return subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=SECONDS)


def test_a_wheel_without_the_workbench_is_not_built_and_says_how_to_make_it(source, tmp_path):
    done = build(source, tmp_path)
    assert done.returncode != 0
    assert "The workbench is not built" in done.stderr
    assert "make workbench" in done.stderr
    assert list(tmp_path.glob("*.whl")) == []


def test_a_wheel_holds_engine_addin_guides_and_workbench(source, tmp_path):
    bundle = source / "addin/static/workbench/dist"
    bundle.mkdir(parents=True)
    for name in BUNDLE:
        (bundle / name).write_text("built")
    done = build(source, tmp_path)
    shutil.rmtree(bundle)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    for name in BUNDLE:
        assert f"tilt/_addin/static/workbench/dist/{name}" in held
    for path in ("templates/manifest.xml", "help/getting-started.md", "workbench/index.html"):
        assert f"tilt/_addin/{path}" in held
    assert "tilt/api/app.py" in held
    assert not [name for name in held if "node_modules" in name or "__pycache__" in name]
