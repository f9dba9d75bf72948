"""The doctor is content with what works, and names each planted problem with its cure."""

import datetime as dt
import json
import shutil
import sqlite3
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pyarrow.fs import FileSelector
from serving import free_port
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

import tilt
from tilt import audit, sealing, security
from tilt.cli import connection, doctor, main
from tilt.cli.findings import OK, PROBLEM, WARNING
from tilt.data import chain, encryption
from tilt.data.catalog import HEAD
from tilt.data.sources import bloomberg
from tilt.data.store import Store
from tilt.settings import Settings

NOW = dt.datetime.now(dt.UTC)
SECRET = "a secret of more than thirty-two characters"
ID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def examine(tmp_path, monkeypatch):
    """Examine an installation of its own; returns the findings by check."""

    def examine(**given: object) -> dict[str, list[connection.Finding]]:
        monkeypatch.chdir(tmp_path)
        settings = {"data_url": tmp_path / "data", "port": free_port()} | given
        for name, value in settings.items():
            monkeypatch.setenv(f"TILT_{name.upper()}", str(value))
        found: dict[str, list[connection.Finding]] = {}
        for finding in doctor.examine(NOW):
            found.setdefault(finding.check, []).append(finding)
        return found

    return examine


@pytest.fixture
def one(examine):
    """Examine, and return the only finding of a check."""

    def one(check: str, **given: object) -> connection.Finding:
        (finding,) = examine(**given)[check]
        return finding

    return one


@pytest.fixture
def own_store(tmp_path, store, sample_settings):
    """A copy of the sample's store, to be damaged."""
    assert store.snapshot()
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copytree(sample_settings.data_path / "snapshots", folder / "snapshots")
    with (
        closing(sqlite3.connect(sample_settings.data_path / "catalog.sqlite")) as live,
        closing(sqlite3.connect(folder / "catalog.sqlite")) as copy,
    ):
        live.backup(copy)
        kept = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        triggers = copy.execute(kept).fetchall()
        for name, _ in triggers:
            copy.execute(f"DROP TRIGGER {name}")
        for table in ("api_keys", "people", "audit_log", "audit_runs"):  # other tests made some
            copy.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are above
        for _, sql in triggers:
            copy.execute(sql)
        copy.commit()
    return folder


def test_it_has_nothing_against_an_installation_that_works(
    own_store, make_certificate, monkeypatch, examine
):
    files = make_certificate(own_store)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))
    found = examine()
    stands = {check: {f.status for f in findings} for check, findings in found.items()}
    assert stands.pop("xlwings license") == {WARNING}
    assert set().union(*stands.values()) == {OK}
    looked_at = {"Python", "packages", "settings", "add-in", "data folder", "catalog", "snapshot"}
    looked_at |= {
        "encryption",
        "audit",
        "workbench",
        "sources",
        "access",
        "certificate",
        "certificate trust",
        "manifest",
        "port",
    }
    assert looked_at <= set(stands)
    assert "checksums intact" in found["snapshot"][0].detail
    assert "is free" in found["port"][0].detail


def test_a_license_for_noncommercial_use_is_said_plainly(one):
    said = one("xlwings license")
    assert said.detail.startswith("noncommercial: ")
    assert "not at a firm" in said.detail
    assert "TILT_XLWINGS_LICENSE_KEY" in said.cure
    assert one("xlwings license", xlwings_license_key="paid").status == OK


def test_settings_that_cannot_be_are_named_and_the_rest_is_still_checked(examine):
    found = examine(port="many")
    assert found["settings"][0].status == PROBLEM
    assert found["settings"][0].detail.startswith("Settings are wrong: port: ")
    assert "/help/settings" in found["settings"][0].cure
    assert found["Python"][0].status == OK


def test_an_empty_installation_is_told_to_load_data(one, tmp_path):
    said = one("snapshot")
    assert (said.status, said.detail) == (PROBLEM, "There is no data yet.")
    assert "tilt demo" in said.cure
    assert not (tmp_path / "data").exists(), "the doctor makes no folder"


def test_a_data_folder_that_cannot_be_is_said(one, tmp_path):
    (tmp_path / "file").write_text("no folder")
    said = one("data folder", data_url=tmp_path / "file")
    assert said.status == PROBLEM
    assert "Not a directory" in said.detail
    assert said.cure == "Set TILT_DATA_URL to a folder you may write to."


def test_a_catalog_that_is_no_database_is_said(one, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "catalog.sqlite").write_text("hello " * 1000)
    said = one("catalog")
    assert said.status == PROBLEM
    assert "file is not a database" in said.detail
    assert "TILT_DATABASE_URL" in said.cure


def test_a_database_without_a_driver_is_said_without_its_password(one):
    said = one("catalog", database_url="nosuch://user:hunter2@host/db")
    assert said.status == PROBLEM
    assert said.detail.startswith("TILT_DATABASE_URL cannot be used: ")
    assert "hunter2" not in said.detail


def test_a_damaged_snapshot_is_said(one, own_store):
    file = max(own_store.glob("snapshots/*/*.parquet"), key=lambda p: p.stat().st_size)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    said = one("snapshot")
    assert said.status == PROBLEM
    assert "is missing or is not what was written" in said.detail
    assert said.cure == "Run 'tilt refresh' to write it again."


def test_encryption_is_said_with_the_id_of_its_key_and_a_key_that_is_missing(own_store, one):
    assert one("encryption").detail.startswith("off; portfolios are kept plain")
    key, other = sealing.new_key(), sealing.new_key()
    on = {"encrypt": "portfolios", "data_key": key}
    said = one("encryption", **on)
    assert said.status == WARNING
    assert "contents are not encrypted" in said.detail
    assert said.cure == "Run 'tilt encrypt apply'."

    store = Store.open(Settings(data_url=str(own_store), **on))
    encryption.apply(store.catalog, own_store)
    store.close()
    own = sealing.read_seal(key, [], on=True).id
    assert one("encryption", **on).detail == f"portfolios, with the key {own}"
    off = one("encryption", encrypt="", data_key=key)
    assert (off.status, off.cure) == (WARNING, "Run 'tilt encrypt apply'.")
    assert f"encrypted with {own}" in off.detail

    lost = one("encryption", encrypt="portfolios", data_key=other)
    assert lost.status == PROBLEM
    assert f"the data key {own}, which is not here" in lost.detail
    assert key not in lost.detail
    assert other not in lost.detail


def test_the_audit_is_said_with_its_last_anchor_and_what_was_done_to_it(own_store, one, tmp_path):
    anchors = tmp_path / "anchors"
    store = Store.open(Settings(data_url=str(own_store)))
    audit.append(store.catalog, "saved", "portfolio x")
    last = chain.note_anchor(store.catalog, anchors)
    store.close()
    said = one("audit", audit_anchor=anchors)
    assert said.status == OK
    assert (
        said.detail == f"intact, {last.number:,} entries, the last anchor is entry {last.number:,}"
    )
    no_key = one("audit", audit_anchor=anchors, auth="entra", entra_tenant=ID, entra_client=ID)
    assert (no_key.status, no_key.cure) == (WARNING, "Set TILT_AUDIT_KEY.")

    with closing(sqlite3.connect(own_store / "catalog.sqlite")) as opened:
        opened.execute("DROP TRIGGER audit_log_no_delete")
        opened.execute("DELETE FROM audit_log WHERE number = ?", [last.number])
        opened.commit()
    cut = one("audit", audit_anchor=anchors, auth="off")
    assert cut.status == PROBLEM
    assert "the end of the log was cut off" in cut.detail
    assert "tilt audit verify" in cut.cure


def test_an_add_in_with_a_part_lost_is_said(tmp_path):
    for part in doctor._PARTS[1:]:
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / part).write_text("")
    said = doctor.addin(tmp_path)
    assert said.status == PROBLEM
    assert said.detail == f"{tmp_path} lacks templates/manifest.xml"


@pytest.mark.parametrize(
    ("required", "sentence"),
    [
        (["no-such-package>=1"], "missing: no-such-package"),
        (["pandas>=99.1"], "not >=99.1"),
        (["xlwings==0.1.0"], "not ==0.1.0"),
    ],
)
def test_a_package_that_is_missing_or_another_is_said(required, sentence):
    said = doctor.packages(required)
    assert said.status == PROBLEM
    assert sentence in said.detail
    assert said.cure.startswith("Install again")


def test_packages_for_development_are_not_asked_for():
    assert doctor.packages(["no-such-package>=1; extra == 'dev'"]).status == OK


def test_without_a_certificate_it_says_why_excel_needs_one(one):
    said = one("certificate")
    assert said.status == WARNING
    assert "https only" in said.detail
    assert "tilt certificate create" in said.cure


def test_a_certificate_nobody_trusts_is_said(one, tmp_path, make_certificate):
    make_certificate(tmp_path / "data")
    said = one("certificate trust")
    assert said.status == WARNING
    assert "refused here for localhost: self-signed certificate" in said.detail
    assert "tilt certificate show" in said.cure


@pytest.mark.parametrize(
    ("age", "status", "sentence"),
    [(800, WARNING, "ends in 24 days"), (900, PROBLEM, "ended 76 days ago")],
)
def test_a_certificate_at_its_end_is_said(age, status, sentence, one, tmp_path, make_certificate):
    made = NOW - dt.timedelta(days=age) + dt.timedelta(seconds=2)
    make_certificate(tmp_path / "data", now=made)
    said = one("certificate")
    assert said.status == status
    assert sentence in said.detail
    assert "--replace" in said.cure


def test_a_key_others_may_read_is_said(one, tmp_path, make_certificate):
    files = make_certificate(tmp_path / "data")
    files.key.chmod(0o644)
    said = one("certificate key")
    assert said.status == WARNING
    assert said.cure == f"chmod 600 {files.key}"


def test_a_certificate_whose_key_is_another_is_said(one, tmp_path, make_certificate):
    mine, other = make_certificate(tmp_path / "mine"), make_certificate(tmp_path / "other")
    said = one("certificate", tls_cert=mine.cert, tls_key=other.key)
    assert said.status == PROBLEM
    assert "does not belong to the certificate" in said.detail
    assert "TILT_TLS_CERT" in said.cure


def test_a_server_for_all_needs_an_address_in_the_manifest(one):
    said = one("manifest", host="::", auth="keys", secret_key=SECRET)
    assert said.status == WARNING
    assert "is no name Excel can go to" in said.detail
    assert "--url" in said.cure


def test_access_by_keys_without_a_key_is_said(one, own_store):
    given = {"auth": "keys", "secret_key": SECRET}
    mine = Store.open(Settings(data_url=str(own_store)))
    said = one("access", **given)
    assert (said.status, "nobody has a role" in said.detail) == (WARNING, True)
    assert "tilt user role" in said.cure
    security.people.assign_roles(mine.catalog, "Ann", ["administrator"])
    said = one("access", **given)
    assert said.status == WARNING
    assert "tilt key create" in said.cure
    key = security.create_key(mine.catalog, "Ann", secret=SECRET)
    assert one("access", **given).detail == "API keys, 1 valid"
    ending = security.create_key(mine.catalog, "Bob", secret=SECRET, days=13)
    said = one("access", **given)
    assert said.status == WARNING
    assert "2 valid; 1 end within 14 days, the first that of Bob on " in said.detail
    assert f"tilt key rotate {ending.prefix}" in said.cure
    security.revoke_key(mine.catalog, key.prefix)
    security.revoke_key(mine.catalog, ending.prefix)
    mine.close()
    assert one("access", **given).status == WARNING


def test_a_port_of_another_program_is_said(one):
    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        thread = threading.Thread(target=other.serve_forever, daemon=True)
        thread.start()
        said = one("port", port=other.server_port)
        other.shutdown()
    assert said.status == PROBLEM
    assert said.detail.endswith("is in use by another program")
    assert "TILT_PORT" in said.cure


def test_a_running_server_of_ours_is_found_and_its_doors_tried(served):
    found = {f.check: f for f in connection.examine(served, NOW)}
    said = {c: found[c].detail for c in ("port", "Host check", "Origin check", "CORS")}
    assert said == {
        "port": f"Tilt {tilt.__version__} answers at https://localhost:{served.port}",
        "Host check": "a request to a foreign host name is refused (421)",
        "Origin check": "a call from a foreign page is refused (403)",
        "CORS": "no foreign page may read an answer",
    }
    assert "names this server" in found["served manifest"].detail
    assert {f.status for c, f in found.items() if c != "certificate trust"} == {OK}


def careless(version: str) -> Starlette:
    """A server that says it is Tilt, and lets everything in."""

    async def schema(_: Request) -> JSONResponse:
        return JSONResponse({"info": {"title": "Tilt", "version": version}})

    async def anything(_: Request) -> PlainTextResponse:
        return PlainTextResponse("<nothing/>", headers={"Access-Control-Allow-Origin": "*"})

    methods = ["GET", "POST", "OPTIONS"]
    return Starlette(
        routes=[
            Route("/openapi.json", schema),
            Route("/{path:path}", anything, methods=methods),
        ]
    )


def test_a_server_that_lets_everything_in_is_said(examine, running):
    with running(careless(tilt.__version__)) as port:
        found = examine(port=port)
    assert found["Host check"][0].status == PROBLEM
    assert found["Host check"][0].detail.endswith("was answered with 200, not 421")
    assert found["Origin check"][0].status == PROBLEM
    assert "proxy" in found["Origin check"][0].cure
    assert found["CORS"][0].detail == "pages of * may read answers"
    assert found["served manifest"][0].detail == "It is no manifest of an Office add-in."
    assert found["port"][0].status == WARNING  # http, which Excel does not load
    assert "tilt serve --tls" in found["port"][0].cure


def test_a_server_of_before_is_told_to_restart(one, running):
    with running(careless("0.0.1")) as port:
        said = one("port", port=port)
    assert said.status == WARNING
    assert f"still runs Tilt 0.0.1, {tilt.__version__} is installed" in said.detail
    assert said.cure == "Restart the server."


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_the_command_exits_by_what_it_found_and_prints_no_secret(
    tmp_path, monkeypatch, capsys, own_store
):
    monkeypatch.chdir(tmp_path)
    secrets = {"TILT_SECRET_KEY": SECRET, "TILT_XLWINGS_LICENSE_KEY": "license-of-the-firm"}
    for name, value in {
        **secrets,
        "TILT_DATA_URL": str(own_store),
        "TILT_PORT": str(free_port()),
        "TILT_AUTH": "keys",
        "COLUMNS": "160",
    }.items():
        monkeypatch.setenv(name, value)
    assert run("doctor") == 0
    shown = capsys.readouterr().out
    assert "0 problems, " in shown
    monkeypatch.setenv("TILT_DATA_URL", str(tmp_path / "nothing"))
    assert run("doctor", "--json") == 1
    printed = capsys.readouterr().out
    rows = json.loads(printed)
    assert set(rows[0]) == {"check", "status", "detail", "cure"}
    assert [r["check"] for r in rows if r["status"] == PROBLEM] == ["snapshot"]
    assert not any(secret in shown + printed for secret in secrets.values())


def test_every_problem_and_warning_has_a_cure(examine):
    findings = [f for found in examine().values() for f in found]
    assert all(f.cure for f in findings if f.status != OK)
    assert not any(f.cure for f in findings if f.status == OK)


def test_a_bucket_is_tried_with_a_test_object_that_does_not_stay(one, s3_server):
    name = s3_server.new_bucket()
    given = {"data_url": f"s3://{name}/tilt", "s3_endpoint": s3_server.address}
    said = one("bucket", **given)
    assert (said.status, said.detail) == (OK, f"s3://{name}/tilt, written and read")
    chosen = FileSelector(name, recursive=True)
    assert [f for f in s3_server.client().get_file_info(chosen) if f.is_file] == []


def test_a_bucket_that_cannot_be_written_or_is_not_there_is_said(one, s3_server):
    name = s3_server.new_bucket()
    endpoint = s3_server.address
    s3_server.watch(refused=1)  # the first request looks for the bucket, the second one writes
    said = one("bucket", data_url=f"s3://{name}/tilt", s3_endpoint=endpoint)
    s3_server.watch()
    assert said.status == PROBLEM
    assert said.cure.startswith("Let these keys read, write")
    said = one("bucket", data_url="s3://no-such-bucket-here/tilt", s3_endpoint=endpoint)
    assert said.status == PROBLEM
    assert "there is no bucket 'no-such-bucket-here'" in said.detail


def test_the_revision_of_the_catalog_is_said_and_a_newer_one_refused(one, own_store):
    assert one("catalog").detail.endswith(f", revision {HEAD}")
    with closing(sqlite3.connect(own_store / "catalog.sqlite")) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
        newer.commit()
    said = one("catalog")
    assert said.status == PROBLEM
    assert "is of a newer Tilt (version 9999" in said.detail


def test_sources_are_listed_with_why_one_cannot_be_used(one, monkeypatch):
    monkeypatch.setattr(bloomberg, "find_spec", lambda _: None)
    said = one("sources").detail
    assert said.startswith("sample, ") or ", sample" in said.partition(";")[0]
    assert "bloomberg not: " in said


def test_a_workbench_that_is_not_built_is_no_problem(tmp_path):
    assert doctor.workbench(tmp_path).detail.startswith("not built: ")
    assert doctor.workbench(tmp_path).status == OK
    built = tmp_path / "static/workbench/dist"
    built.mkdir(parents=True)
    (built / "main.js").write_text("")
    assert doctor.workbench(tmp_path).detail == "built; it opens at /workbench"
