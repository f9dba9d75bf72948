"""The doctor: looks at every part of an installation and says what to do about what is wrong."""

import datetime as dt
import platform
import re
import shutil
import sys
import tempfile
import uuid
from importlib import metadata
from pathlib import Path

import pandas as pd

import tilt
from tilt import security
from tilt.cli import connection, kept
from tilt.cli.findings import OK, PROBLEM, WARNING, Finding
from tilt.data import catalog
from tilt.data.bucket import open_bucket
from tilt.data.sources import registry
from tilt.data.store import Store
from tilt.errors import ArgumentError, TiltError
from tilt.jobs import where
from tilt.settings import Settings, addin_path, read_settings

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(==|>=)\s*([0-9.]+)")
_PARTS = (
    "templates/manifest.xml",
    "templates/taskpane.html",
    "static/js/main.js",
    "custom_functions/__init__.py",
    "custom_scripts/__init__.py",
)
_NO_DATA = Finding(
    "snapshot",
    PROBLEM,
    "There is no data yet.",
    "Run 'tilt demo' for the embedded sample, or 'tilt refresh'.",
)
SOON = dt.timedelta(days=14)
REINSTALL = "Install again: pip install --require-hashes -r requirements.lock, then Tilt itself."


def examine(now: dt.datetime) -> list[Finding]:
    """Return a finding per check, of the installation the environment describes."""
    found = [_python(), packages(metadata.requires("tilt") or [])]
    found += [addin(addin_path()), workbench(addin_path())]
    try:
        settings = read_settings()
    except ArgumentError as error:
        cure = "Mend it in tilt.toml of this folder or in the environment; see the page of settings"
        return [*found, Finding("settings", PROBLEM, str(error), f"{cure} (/help/settings).")]
    return [
        *found,
        Finding("settings", OK, f"valid, {_sources()}"),
        _license(settings),
        *_data(settings),
        sources(settings),
        cluster(settings),
        *connection.examine(settings, now),
        _development(),
    ]


def cluster(settings: Settings) -> Finding:
    """Say where jobs run, and whether the cluster that is to run them is there."""
    if settings.cluster == "local":
        return Finding("cluster", OK, "jobs run in processes of the server")
    try:
        threads = where.threads(settings)
    except TiltError as error:
        return Finding("cluster", PROBLEM, str(error), "Jobs cannot run until it answers.")
    if not threads:
        cure = "Run 'tilt worker' on each machine that computes."
        return Finding("cluster", PROBLEM, f"{settings.cluster} has no workers", cure)
    return Finding("cluster", OK, f"{settings.cluster}, {threads} jobs at once")


def packages(required: list[str]) -> Finding:
    """Say whether the packages Tilt needs are there, in versions it knows."""
    missing, others = [], []
    for line in required:
        wanted = _REQUIREMENT.match(line)
        if "extra ==" in line or wanted is None:
            continue
        name, relation, version = wanted.groups()
        try:
            there = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        fits = there == version if relation == "==" else _numbers(there) >= _numbers(version)
        if not fits:
            others.append(f"{name} {there}, not {relation}{version}")
    if missing:
        return Finding("packages", PROBLEM, f"missing: {', '.join(missing)}", REINSTALL)
    if others:
        return Finding("packages", PROBLEM, "; ".join(others), REINSTALL)
    shown = ", ".join(f"{n} {metadata.version(n)}" for n in ("xlwings", "pandas", "cvxpy"))
    return Finding("packages", OK, f"tilt {tilt.__version__} with {shown}")


def addin(folder: Path) -> Finding:
    """Say whether the folder of the add-in is there with all that is served from it."""
    absent = [p for p in _PARTS if not (folder / p).is_file()]
    if absent:
        return Finding(
            "add-in", PROBLEM, f"{folder} lacks {', '.join(absent)}", "Install Tilt again."
        )
    return Finding("add-in", OK, str(folder))


def workbench(folder: Path) -> Finding:
    """Say whether the workbench's scripts are built; all else works without them."""
    if (folder / "static/workbench/dist/main.js").is_file():
        return Finding("workbench", OK, "built; it opens at /workbench")
    return Finding("workbench", OK, "not built: npm ci and npm run build, where it is wanted")


def sources(settings: Settings) -> Finding:
    """Say which sources can be used here, and why the others cannot; no network is asked."""
    table = registry.listed(settings)
    there = ", ".join(table.loc[table["available"], "name"])
    absent = [f"{s.name} not: {s.reason}" for s in table[~table["available"]].itertuples()]
    return Finding("sources", OK, "; ".join([there, *absent]))


def bucket(settings: Settings) -> Finding:
    """Say whether the store's bucket can be reached, written and read, by a test object."""
    key = f".tilt-doctor-{uuid.uuid4().hex[:8]}"
    cure = "Let these keys read, write, list and delete objects under the prefix."
    try:
        opened = open_bucket(settings)
    except TiltError as error:
        return Finding("bucket", PROBLEM, str(error), "Check TILT_DATA_URL and TILT_S3_ENDPOINT.")
    try:
        opened.write(key, b"tilt")
        opened.read(key)
        opened.remove(key)
    except OSError as error:
        return Finding("bucket", PROBLEM, f"{opened.url}: {error}", cure)
    return Finding("bucket", OK, f"{opened.url}, written and read")


def folder(path: Path) -> Finding:
    """Say whether the data folder can be written; it is not made if it is not there."""
    there = path if path.exists() else next(p for p in path.parents if p.exists())
    cure = "Set TILT_DATA_URL to a folder you may write to."
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".tilt-doctor-"):
            pass
    except OSError as error:
        return Finding("data folder", PROBLEM, f"{path}: {error.strerror}", cure)
    free = shutil.disk_usage(there).free / 1e9
    if free < 1:
        return Finding("data folder", WARNING, f"{path}: {free:.1f} GB free", "Make room.")
    made = "" if path.exists() else ", made when it is first needed"
    return Finding("data folder", OK, f"{path}{made}, {free:.0f} GB free")


def _python() -> Finding:
    version = platform.python_version()
    if not (3, 11) <= sys.version_info[:2] < (3, 15):
        return Finding("Python", PROBLEM, version, "Install with Python 3.11 to 3.14.")
    return Finding("Python", OK, f"{version} on {platform.system()} {platform.machine()}")


def _sources() -> str:
    file = Path("tilt.toml")
    return f"from the environment and {file.absolute()}" if file.exists() else "no tilt.toml here"


def _license(settings: Settings) -> Finding:
    if settings.xlwings_license_key.get_secret_value() == "noncommercial":
        return Finding(
            "xlwings license",
            WARNING,
            "noncommercial: for private, teaching and research use only, not at a firm",
            "A firm buys a key at xlwings.org and sets TILT_XLWINGS_LICENSE_KEY.",
        )
    return Finding("xlwings license", OK, "a key is set; xlwings checks it when the server starts")


def _data(settings: Settings) -> list[Finding]:
    found = [folder(settings.data_path)]
    if settings.bucket:
        found.append(bucket(settings))
    if PROBLEM in {f.status for f in found}:
        return found
    if not settings.database_url and not (settings.data_path / "catalog.sqlite").exists():
        return [*found, _NO_DATA]
    try:
        store = Store.open(settings)
    except TiltError as error:
        cure = "Check TILT_DATABASE_URL, and that the database runs and lets this user in."
        return [*found, Finding("catalog", PROBLEM, str(error), cure)]
    try:
        where = store.catalog.url.render_as_string(hide_password=True)
        revision = f"{where}, revision {catalog.HEAD}"
        found += [Finding("catalog", OK, revision), *_snapshots(store), _access(settings, store)]
        found += [kept.encryption(settings, store), kept.trail(settings, store)]
    except TiltError as error:
        found.append(Finding("catalog", PROBLEM, str(error), "Check TILT_DATABASE_URL."))
    finally:
        store.close()
    return found


def _snapshots(store: Store) -> list[Finding]:
    names = list(store.universes()["name"])
    if not names:
        return [_NO_DATA]
    found = []
    for universe in names:
        snapshot = store.snapshot(universe)
        shown = f"{universe} {snapshot.id}, as of {snapshot.as_of:%Y-%m-%d}"
        if store.holds(snapshot.id):
            found.append(Finding("snapshot", OK, f"{shown}, checksums intact"))
        else:
            lost = f"{shown}: a file is missing or is not what was written"
            found.append(
                Finding("snapshot", PROBLEM, lost, "Run 'tilt refresh' to write it again.")
            )
    return found


def _access(settings: Settings, store: Store) -> Finding:
    if settings.auth == "off":
        return Finding("access", OK, "without keys, and from this machine only")
    people = security.people.list_people(store.catalog)
    if (people["roles"] + people["from_token"]).eq("").all():
        said = f"TILT_AUTH={settings.auth}, but nobody has a role, so nobody may anything"
        return Finding("access", WARNING, said, "Give one: tilt user role NAME administrator.")
    if settings.auth == "entra":
        return Finding("access", OK, f"accounts of Entra ID, tenant {settings.entra_tenant}")
    keys = security.list_keys(store.catalog)
    valid = keys[keys["state"] == "valid"]
    if valid.empty:
        return Finding(
            "access", WARNING, "API keys, but none is valid", "Make one: tilt key create NAME."
        )
    soon = valid[valid["expires"] < pd.Timestamp.now("UTC").tz_localize(None) + SOON]
    if not soon.empty:
        first = soon.sort_values("expires").iloc[0]
        said = f"API keys, {len(valid)} valid; {len(soon)} end within {SOON.days} days, the first "
        said += f"that of {first['name']} on {first['expires']:%Y-%m-%d}"
        return Finding("access", WARNING, said, f"Renew it: tilt key rotate {first['prefix']}.")
    return Finding("access", OK, f"API keys, {len(valid)} valid")


def _development() -> Finding:
    tools = {name: shutil.which(name) for name in ("node", "chromium")}
    there = ", ".join(f"{name} {'found' if path else 'absent'}" for name, path in tools.items())
    return Finding("development", OK, f"{there}; only the browser tests need them")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version)[:3])
