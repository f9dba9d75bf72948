"""Secrets and encrypted portfolios that are planted: whatever is done, they are found nowhere.

Every entrance is driven, also so that it fails, against a server of its own that encrypts. Then all
that it answered, wrote into its log and left on the disk is searched.
"""

import base64
import json
import os
import shutil
import struct
import subprocess
import sys

import httpx
import pandas as pd
import pytest
from serving import PATIENCE, ended, serving

from tilt import sealing, security
from tilt.data import credentials
from tilt.data.store import Store
from tilt.security import people
from tilt.settings import Settings

FUND, TICKER, WEIGHT = "Cnryfund Growth", "CNRYTICK", 0.31415926535897
SECRETS = {
    "secret key": "cnrysecretkey-0123456789abcdef-0123",
    "audit key": "cnryauditkey-0123456789abcdef-01234",
    "database password": "cnrydatabasepassword",
    "bucket's secret": "cnrybucketsecret",
    "credential": "cnrycredential",
    "license": "cnrylicense",
}
SQL = """
url = "postgresql+psycopg://reader@127.0.0.1:9/research"
password_credential = "research"
[tables]
prices = "select 1"
"""


def traces(value):
    """Return what a value looks like in files: as text, and in base64 at each of three places."""
    raw = value.encode()
    shifted = [base64.b64encode(b"\0" * n + raw)[4:-4] for n in range(3)]
    return [raw, *(s for s in shifted if len(s) > 10)]


def found(named, content):
    """Return the names of the values of which there is a trace."""
    return {name for name, values in named.items() if any(v in content for v in values)}


@pytest.fixture(scope="module")
def planted(store, sample_settings, tmp_path_factory):
    """A store, a server's environment, and the traces of what is planted in them."""
    assert store.snapshot()
    folder = tmp_path_factory.mktemp("canaries")
    data = folder / "data"
    shutil.copytree(sample_settings.data_url, data)
    key = sealing.new_key()
    environment = {
        "TILT_DATA_URL": str(data),
        "TILT_AUTH": "keys",
        "TILT_SECRET_KEY": SECRETS["secret key"],
        "TILT_AUDIT_KEY": SECRETS["audit key"],
        "TILT_DATA_KEY": key,
        "TILT_ENCRYPT": "portfolios",
        "TILT_REQUESTS_PER_MINUTE": "0",
        "AWS_ACCESS_KEY_ID": "cnry",
        "AWS_SECRET_ACCESS_KEY": SECRETS["bucket's secret"],
    }
    settings = Settings(
        data_url=str(data),
        data_key=key,
        encrypt="portfolios",
        secret_key=SECRETS["secret key"],
        audit_key=SECRETS["audit key"],
    )
    opened = Store.open(settings)
    held = pd.Series({TICKER: WEIGHT, "AAPL": 1 - WEIGHT})
    opened.save_portfolio(FUND, held, "cnryfund.csv", as_of=pd.Timestamp("2016-01-04"))
    credentials.save(opened.catalog, "research", SECRETS["credential"])
    people.assign_roles(opened.catalog, "Ada", ["administrator"])
    api_key = security.create_key(opened.catalog, "Ada", secret=SECRETS["secret key"]).key
    opened.close()
    secret = {name: traces(value) for name, value in SECRETS.items()}
    secret["API key"] = traces(api_key.split("_", 2)[2])
    secret["data key"] = [*traces(key), base64.b64decode(key)]
    holdings = {
        "name": [*traces(FUND), FUND.casefold().encode(), FUND.replace(" ", "%20").encode()],
        "file": traces("cnryfund.csv"),
        "ticker": traces(TICKER),
        "weight": [str(WEIGHT).encode(), struct.pack("<d", WEIGHT), struct.pack(">d", WEIGHT)],
    }
    return folder, data, environment, api_key, secret, holdings


def drive(address, key):
    """Ask for everything, also wrongly; return all that was answered, by what was asked."""
    said = {}
    good = {"Authorization": f"Bearer {key}", "X-Tilt-Client": "canary"}
    wrong = {**good, "Authorization": f"Bearer {key[:-3]}xyz"}
    with httpx.Client(base_url=address, timeout=PATIENCE) as client:

        def ask(method, path, headers=good, **more):
            answer = client.request(method, path, headers=headers, **more)
            said[f"{method} {path} {len(said)}"] = answer.content + str(answer.headers).encode()
            return answer

        holdings = [["ticker", "weight"], ["AAPL", WEIGHT], ["MSFT", 1 - WEIGHT]]
        call = {"func_name": "risk", "args": [[[FUND]]]}
        broken = {"func_name": "risk", "args": [[["nonsense", WEIGHT]]]}
        for headers in (good, wrong, {"X-Tilt-Client": "canary"}, {}):
            ask("POST", "/xlwings/custom-functions-batch", headers, json={"calls": [call, broken]})
            ask("POST", "/xlwings/custom-functions-call", headers, json=broken)
            ask("POST", "/xlwings/custom-scripts-call/optimize", headers, json={"book": FUND})
            ask("GET", f"/api/v1/portfolios/{FUND}", headers)
            ask("GET", "/api/v1/audit", headers)
        again = {**good, "Idempotency-Key": "k1"}
        for _ in range(2):
            ask("PUT", f"/api/v1/portfolios/{FUND} Two", again, json={"holdings": holdings})
        ask("PUT", f"/api/v1/portfolios/{FUND}", json={"holdings": [["ticker"], [FUND]]})
        ask("POST", "/api/v1/risk", json={"holdings": holdings, "benchmark": FUND})
        ask("POST", "/api/v1/nothing", content=b"{" + FUND.encode())
        wanted = {"portfolios": [f"{FUND} Two"], "sections": ["holdings"], "format": "html"}
        made = ask("POST", "/api/v1/reports", json=wanted).json()
        with httpx.Client(base_url=address, headers=good, timeout=PATIENCE) as own:
            assert ended(own, made["id"])["state"] == "done"  # so that there is a file to search
        ask("GET", f"/api/v1/jobs/{made['id']}")
        for path in ("/api/v1/status", "/metrics", "/health", "/health/ready", "/openapi.json",
                     "/api/v1/portfolios", "/api/v1/runs", "/api/v1/jobs", "/help/settings",
                     "/api/v1/audit/verify", "/api/v1/people", "/api/v1/grants"):  # fmt: skip
            ask("GET", path)
        ask("DELETE", f"/api/v1/portfolios/{FUND} Two")
    return said


def command(environment, folder, *arguments, **more):
    """Run a command; return all that it printed."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("TILT_", "AWS_"))}
    done = subprocess.run(
        [sys.executable, "-c", "from tilt.cli import main; main()", *arguments],
        env={**own, **environment, **more}, cwd=folder, capture_output=True, timeout=PATIENCE,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def driven(planted):
    folder, data, environment, key, _, _ = planted
    (folder / "research.toml").write_text(SQL)
    given = {k: v for k, v in environment.items() if k != "TILT_DATA_URL"}
    with serving(data, folder / "log", **given) as address:
        answers = drive(address, key)
    password = f"postgresql://tilt:{SECRETS['database password']}@127.0.0.1:9/tilt"
    told = {
        "doctor": command(environment, folder, "doctor"),
        "doctor of a database": command(environment, folder, "doctor", TILT_DATABASE_URL=password),
        "bad settings": command(environment, folder, "doctor", TILT_PORT="x"),
        "refresh": command(environment, folder, "refresh", "--source", "sql:research.toml"),
        "wrong key": command(
            environment, folder, "portfolio", "list", TILT_DATA_KEY=sealing.new_key()
        ),
        "verify": command(environment, folder, "verify"),
        "backup": command(environment, folder, "backup", str(folder / "backup")),
    }
    return answers, told


def left_in(folder, named):
    """Return which values stand in which files."""
    files = [p for p in folder.rglob("*") if p.is_file() and "snapshots" not in p.parts]
    return {(p.name, name) for p in files for name in found(named, p.read_bytes())}


def test_the_search_finds_what_is_planted(planted, driven):
    """Else it would prove nothing: an answer to its owner, a plain file and a plain row have it."""
    folder, _, environment, key, secret, holdings = planted
    answers, _ = driven
    listed = b"".join(v for k, v in answers.items() if k.startswith("GET /api/v1/portfolios "))
    assert found(holdings, listed) >= {"name"}
    assert found(secret, json.dumps(environment).encode() + key.encode()) >= {
        "secret key", "audit key", "data key", "API key"
    }  # fmt: skip
    plain = Store.open(Settings(data_url=str(folder.parent / "plain_canaries")))
    plain.save_portfolio(FUND, pd.Series({TICKER: WEIGHT}), "cnryfund.csv")
    plain.close()
    assert {n for _, n in left_in(folder.parent / "plain_canaries", holdings)} == set(holdings)


def test_no_answer_and_no_command_shows_a_secret(planted, driven):
    _, _, _, _, secret, _ = planted
    answers, told = driven
    assert len(answers) > 30
    assert any(b'"status":200' in a or b"result" in a for a in answers.values())
    assert {(k, n) for k, v in {**answers, **told}.items() for n in found(secret, v)} == set()


def test_the_audit_metrics_and_commands_name_no_encrypted_portfolio(planted, driven):
    _, _, _, _, _, holdings = planted
    answers, told = driven
    general = {k: v for k, v in answers.items() if "audit" in k or "metrics" in k or "health" in k}
    assert len(general) >= 7
    shown = {**general, **told}
    assert {(k, n) for k, v in shown.items() for n in found(holdings, v)} == set()
    assert b"portfolio ~" in b"".join(general.values()), "by its id"


def test_no_file_of_store_log_or_backup_holds_a_secret_or_a_holding(planted, driven):
    folder, data, _, _, secret, holdings = planted
    assert driven
    assert (folder / "backup" / "catalog.sqlite").exists()
    assert (data / "audit.anchors").exists()
    assert left_in(folder, secret) == set()
    assert left_in(folder, holdings) == set()
