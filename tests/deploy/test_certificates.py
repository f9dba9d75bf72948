"""The certificate is one that clients accept for this machine, and for nothing else."""

import datetime as dt
import http.client
import ipaddress
import os
import re
import ssl
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder
from cryptography.x509.verification import Store as Trusted
from serving import PATIENCE, START_SECONDS, free_port

from tilt.cli import certificates, main
from tilt.cli.certificates import Files, create, days_left, own_files, read, refusal, require
from tilt.errors import ArgumentError, DataError
from tilt.settings import Settings

NOW = dt.datetime.now(dt.UTC)
TILT = Path(sys.executable).with_name("tilt")


@pytest.fixture
def files(tmp_path, make_certificate):
    return make_certificate(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1")),
    ],
)
def test_a_second_verifier_accepts_it_for_every_loopback_name(files, name):
    leaf, authority = x509.load_pem_x509_certificates(files.cert.read_bytes())
    verifier = PolicyBuilder().store(Trusted([read(files.authority)])).build_server_verifier(name)
    assert verifier.verify(leaf, []) == [leaf, authority]


def test_it_lasts_at_most_825_days_and_began_yesterday(files):
    for cert in x509.load_pem_x509_certificates(files.cert.read_bytes()):
        assert cert.not_valid_after_utc - cert.not_valid_before_utc < dt.timedelta(days=825)
        assert cert.not_valid_before_utc < NOW - dt.timedelta(hours=23)
    assert days_left(read(files.cert), NOW) in (823, 824)


def test_only_the_key_of_the_server_is_kept_and_only_its_owner_reads_it(files):
    folder = files.cert.parent
    assert {p.name for p in folder.iterdir()} == {
        "authority.pem", "localhost.pem", "localhost-key.pem",
    }  # fmt: skip
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    key = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
    assert key.public_key() == read(files.cert).public_key()
    assert key.public_key() != read(files.authority).public_key()
    with_key = [p.name for p in folder.iterdir() if b"PRIVATE" in p.read_bytes()]
    assert with_key == ["localhost-key.pem"]


def test_its_authority_cannot_vouch_for_another_site(tmp_path, trusting):
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = certificates._authority(authority_key, NOW)
    forged = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - dt.timedelta(days=1))
        .not_valid_after(NOW + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("bank.example")]), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    files = Files(tmp_path / "a.pem", tmp_path / "c.pem", tmp_path / "k.pem")
    pem = serialization.Encoding.PEM
    files.authority.write_bytes(authority.public_bytes(pem))
    files.cert.write_bytes(forged.public_bytes(pem))
    files.key.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    assert refusal(files, "bank.example", trusting(files)) == "permitted subtree violation"


def test_a_client_accepts_it_only_when_it_trusts_the_authority(files, trusting, monkeypatch):
    assert refusal(files, "localhost", trusting(files)) == ""
    assert refusal(files, "127.0.0.1", trusting(files)) == ""
    assert "self-signed certificate" in refusal(files, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))  # what OpenSSL's machine trusts
    assert refusal(files, "localhost") == ""


def test_a_client_refuses_it_for_another_name(files, trusting):
    assert "Hostname mismatch" in refusal(files, "tilt.example", trusting(files))


def test_a_client_refuses_it_after_its_end(tmp_path, make_certificate, trusting):
    old = make_certificate(tmp_path, now=NOW - dt.timedelta(days=900))
    assert days_left(read(old.cert), NOW) < 0
    assert refusal(old, "localhost", trusting(old)) == "certificate has expired"


def test_a_second_one_needs_to_be_asked_for(files):
    before = files.cert.read_bytes()
    with pytest.raises(ArgumentError, match=r"There is a certificate already: .*--replace"):
        create(files, now=NOW)
    assert files.cert.read_bytes() == before
    create(files, now=NOW, replace=True)
    assert files.cert.read_bytes() != before
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match=r"cannot be written to .*Set TILT_DATA_URL"):
        create(own_files(Settings(data_url=str(tmp_path / "file"))), now=NOW)


def test_a_key_of_another_certificate_is_said(tmp_path, files, make_certificate):
    other = make_certificate(tmp_path / "other")
    with pytest.raises(DataError, match="does not belong to the certificate"):
        certificates.server_context(Files(None, files.cert, other.key))


def test_a_file_without_a_certificate_is_said(tmp_path, files):
    (tmp_path / "no.pem").write_text("hello")
    with pytest.raises(DataError, match=r"no\.pem holds no certificate in PEM form"):
        certificates.server_context(Files(None, tmp_path / "no.pem", files.key))
    with pytest.raises(DataError, match="cannot be read: No such file"):
        certificates.server_context(Files(None, tmp_path / "gone.pem", files.key))
    with pytest.raises(DataError, match=r"The key .*gone\.pem cannot be read"):
        certificates.server_context(Files(None, files.cert, tmp_path / "gone.pem"))


def test_https_without_a_certificate_says_what_to_run(tmp_path):
    with pytest.raises(ArgumentError, match="Run 'tilt certificate create'"):
        require(Settings(data_url=str(tmp_path)))


def test_the_certificate_of_this_machine_is_not_served_to_others(tmp_path, files):
    open_to_all = Settings(
        data_url=str(tmp_path), host="10.0.0.5", auth="keys", secret_key="s" * 32
    )
    assert require(Settings(data_url=str(tmp_path))) == files
    with pytest.raises(ArgumentError, match=r"this machine alone, but TILT_HOST is 10\.0\.0\.5"):
        require(open_to_all)


def test_a_certificate_is_set_with_its_key_or_not_at_all(tmp_path):
    with pytest.raises(ValueError, match="TILT_TLS_CERT and TILT_TLS_KEY are set together"):
        Settings(tls_cert=tmp_path / "cert.pem")
    assert Settings(tls_cert="", tls_key="").scheme == "http"


def test_https_requests_are_answered_and_told_to_stay_https(fetch):
    page = fetch("/health")
    assert page.status == 200
    assert page.headers["strict-transport-security"] == "max-age=31536000"


def test_a_client_that_does_not_trust_it_gets_no_answer(served):
    connection = http.client.HTTPSConnection("localhost", served.port, timeout=PATIENCE)
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed certificate"):
        connection.request("GET", "/health")
    connection.close()


def test_the_commands_make_it_say_how_to_trust_it_and_serve_with_it(
    tmp_path, monkeypatch, capsys, trusting
):
    port = free_port()
    monkeypatch.setenv("TILT_DATA_URL", str(tmp_path / "data"))
    monkeypatch.setenv("TILT_PORT", str(port))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["certificate", "create"])
    assert not ended.value.code
    printed = capsys.readouterr().out
    files = own_files(Settings())
    assert str(files.authority) in printed
    for command in ("certutil -user -addstore Root", "security add-trusted-cert",
                    "update-ca-certificates"):  # fmt: skip
        assert command in printed
    assert re.search(r"^Trusted +no: ", printed, re.MULTILINE)
    server = subprocess.Popen([TILT, "serve", "--tls"], cwd=tmp_path, env=dict(os.environ))
    try:
        assert _live(port, trusting(files), server) == 200
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE)


def _live(port: int, context: ssl.SSLContext, server: subprocess.Popen) -> int:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended"
        connection = http.client.HTTPSConnection(
            "localhost", port, timeout=PATIENCE, context=context
        )
        try:
            connection.request("GET", "/health/live")
            return connection.getresponse().status
        except ConnectionError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise AssertionError("the server does not answer")
