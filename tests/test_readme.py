"""The README keeps its promises: the map is whole, the commands and links exist."""

import re
from pathlib import Path

import pytest

from tilt.backtest.result import STATS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAP = README.split("## Looking for")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    "module",
    sorted(
        p.stem
        for p in (ROOT / "server" / "tilt").iterdir()
        if (p.is_dir() and (p / "__init__.py").exists()) or p.suffix == ".py"
        if p.stem not in {"__init__", "__pycache__"}
    ),
)
def test_the_map_names_each_part_of_the_engine(module):
    assert re.search(rf"[`/]{module}[`/]", MAP), f"README's map does not say where {module} is"


def test_every_place_on_the_map_exists():
    places = re.findall(r"`((?:addin|server)/[^`]+)`", MAP)
    assert places
    assert [p for p in places if not (ROOT / p).exists()] == []


def test_every_link_of_the_readme_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [x for x in links if not (ROOT / x).exists()] == []


def test_the_commands_of_the_readme_are_targets():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    asked = re.findall(r"^make ([a-z]+)", README, re.M)
    assert asked
    assert set(asked) <= set(targets)


def test_the_formulas_of_the_readme_name_functions_that_exist():
    names = set(re.findall(r"=TILT\.([A-Z_]+)\(", README))
    assert names
    functions = (ROOT / "addin" / "help" / "functions.md").read_text(encoding="utf-8")
    assert names <= set(re.findall(r"^\| `([A-Z_]+)\(", functions, re.M))


def test_the_readme_counts_the_statistics_of_a_backtest():
    assert f"| {len(STATS)} statistics, " in README


def test_the_locks_hold_hashes_and_no_download_address():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^[A-Za-z0-9_.-]+==", lock, re.M)
    assert len(pinned) > 50
    assert lock.count("--hash=sha256:") > len(pinned)
    assert "://" not in lock
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text(encoding="utf-8")
