"""Compare every locked package with the published advisories: ``make audit``.

pip-audit and npm end well when they could compare nothing: a package that they cannot look up is
skipped, and a list without packages has no vulnerable one. So what they say is judged here by the
lock files: each locked package must have been compared, by name and version, or the audit fails.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)[^\\\n]*((?:\\\n[^\\\n]*)*)", re.MULTILINE)
_ADDRESS = re.compile(r"\w+://\S+")
_SHOWN = 10
_SILENT = "printed no result: it is not installed, or the advisories cannot be reached."


@dataclass(frozen=True)
class Locked:
    """A package that the lock file names; ``hashes`` as it lists them."""

    name: str
    version: str
    hashes: str


@dataclass(frozen=True)
class Verdict:
    """How many packages were compared, and what speaks against passing."""

    what: str
    compared: int
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether something was compared, and nothing speaks against it."""
        return self.compared > 0 and not self.problems

    def words(self) -> str:
        """Return the verdict for people; no address of a registry is in it."""
        if self.passed:
            return f"{self.what}: {self.compared} packages compared, no advisory."
        found = self.problems or ("There was nothing to compare.",)
        more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        lines = [f"  {_ADDRESS.sub('(the registry)', words)}" for words in found[:_SHOWN]]
        head = f"{self.what}: NOT PASSED, {self.compared} packages compared."
        return "\n".join([head, *lines, *(f"  {m}" for m in more)])


def locked_packages(text: str) -> list[Locked]:
    """Return what a lock file with hashes names, for every system and every Python."""
    return [Locked(_plain(m[1]), m[2], m[3]) for m in _LOCKED.finditer(text)]


def batches(packages: Sequence[Locked]) -> list[list[Locked]]:
    """Return lists without a name twice: pip-audit takes one version of each."""
    made: list[dict[str, Locked]] = []
    for package in packages:
        room = next((b for b in made if package.name not in b), None)
        if room is None:
            room = {}
            made.append(room)
        room[package.name] = package
    return [list(batch.values()) for batch in made]


def judge_python(packages: Sequence[Locked], answers: Sequence[str]) -> Verdict:
    """Judge what pip-audit printed as JSON by the packages that are locked."""
    compared: set[tuple[str, str]] = set()
    problems: list[str] = []
    for text in answers:
        found = _parsed(text, "dependencies")
        if found is None:
            problems.append(f"pip-audit {_SILENT}")
            continue
        for package in found["dependencies"]:
            name = _plain(package["name"])
            if "skip_reason" in package:
                problems.append(f"{name} was skipped: {package['skip_reason']}")
                continue
            compared.add((name, package["version"]))
            problems += [
                f"{name} {package['version']}: {v['id']}, mended in "
                f"{', '.join(v['fix_versions']) or 'no version yet'}"
                for v in package["vulns"]
            ]
    told = {words.split(" ", 1)[0] for words in problems}
    problems += [
        f"{p.name} {p.version} was not compared"
        for p in packages
        if (p.name, p.version) not in compared and p.name not in told
    ]
    if not packages:
        problems.append("The lock file names no package with its hashes.")
    return Verdict("Python", len(compared), tuple(problems))


def judge_npm(lock: str, answer: str) -> Verdict:
    """Judge what ``npm audit --json`` printed by the packages that are locked."""
    wanted = sum(1 for name in json.loads(lock).get("packages", {}) if name)
    found = _parsed(answer, "metadata")
    if found is None:
        return Verdict("npm", 0, (f"npm {_SILENT}",))
    compared = int(found["metadata"].get("dependencies", {}).get("total", 0))
    problems = [
        f"{name}: {about.get('severity', 'unknown')}, versions {about.get('range', '')}"
        for name, about in found.get("vulnerabilities", {}).items()
    ]
    if compared < wanted:
        problems.append(f"{wanted - compared} of {wanted} packages were not compared.")
    if not wanted:
        problems.append("The lock file names no package.")
    return Verdict("npm", compared, tuple(problems))


def _parsed(text: str, key: str) -> dict[str, Any] | None:
    """Return a JSON object that has a key; None if it is none, as an error message is."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and key in found else None


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def ask_pip_audit(packages: Sequence[Locked]) -> str:
    """Return what pip-audit says of packages, as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text("\n".join(f"{p.name}=={p.version} {p.hashes}" for p in packages))
        options = ["--require-hashes", "--disable-pip", "--format", "json"]
        return _said(
            [sys.executable, "-m", "pip_audit", "--requirement", str(file), *options],
            folder,
        )


def ask_npm(folder: Path) -> str:
    """Return what npm says of a folder's lock file, as JSON."""
    return _said(["npm", "audit", "--json", "--package-lock-only"], str(folder))


def _said(command: list[str], folder: str) -> str:
    """Return what a program prints; nothing if it is not installed."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    except FileNotFoundError:
        return ""
    return done.stdout


def main() -> None:
    """Audit both lock files; exit 1 unless every package was compared and none has an advisory."""
    python = locked_packages((ROOT / "requirements.lock").read_text())
    verdicts = (
        judge_python(python, [ask_pip_audit(batch) for batch in batches(python)]),
        judge_npm((ROOT / "package-lock.json").read_text(), ask_npm(ROOT)),
    )
    for verdict in verdicts:
        sys.stdout.write(f"{verdict.words()}\n")
    sys.exit(0 if all(verdict.passed for verdict in verdicts) else 1)


if __name__ == "__main__":
    main()
