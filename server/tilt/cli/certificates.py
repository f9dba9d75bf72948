"""Certificates for https on this machine: made, read, and tried as Excel would.

A local authority signs one certificate for loopback names, and its key is thrown away: who trusts
the authority trusts this one certificate and nothing else, for ever. It is also limited in writing
to loopback names. Nothing here touches a trust store; the owner of the machine does.
"""

import datetime as dt
import ipaddress
import os
import platform
import ssl
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tilt.errors import ArgumentError, DataError
from tilt.settings import LOOPBACK, Settings

VALID_DAYS = 825  # Apple refuses longer ones, also from an authority of one's own
SOON_DAYS = 30
_SKEW = dt.timedelta(days=1)  # clocks differ
_NAMES = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)


@dataclass(frozen=True)
class Files:
    """Where an installation keeps its certificate.

    authority : to be trusted by this machine; None for a certificate from elsewhere
    cert      : the certificate and its chain
    key       : its private key
    """

    authority: Path | None
    cert: Path
    key: Path


def own_files(settings: Settings) -> Files:
    """Return where ``tilt certificate create`` writes, whether or not it did."""
    folder = settings.data_path / "certificates"
    return Files(folder / "authority.pem", folder / "localhost.pem", folder / "localhost-key.pem")


def used_files(settings: Settings) -> Files | None:
    """Return the certificate of the settings, else our own if there is one, else None."""
    own = own_files(settings)
    if settings.tls_cert is not None and settings.tls_key is not None:
        ours = settings.tls_cert.absolute() == own.cert
        return Files(own.authority if ours else None, settings.tls_cert, settings.tls_key)
    return own if own.cert.exists() else None


def create(files: Files, *, now: dt.datetime, replace: bool = False) -> None:
    """Write a new authority, and a certificate of it for localhost, 127.0.0.1 and ::1.

    Raises
    ------
    ArgumentError
        If there is one already and it is not to be replaced.
    DataError
        If the folder cannot be written.
    """
    if files.cert.exists() and not replace:
        raise ArgumentError(
            f"There is a certificate already: {files.cert}. "
            "Look at it with 'tilt certificate show', or make a new one with --replace; "
            "the new one has to be trusted anew."
        )
    authority_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key, now)
    cert = _leaf(key.public_key(), authority, authority_key, now)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        files.cert.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(files.key, secret, mode=0o600)
        _write(files.cert, cert.public_bytes(pem) + authority.public_bytes(pem), mode=0o644)
        if files.authority is not None:
            _write(files.authority, authority.public_bytes(pem), mode=0o644)
    except OSError as error:
        raise DataError(
            f"The certificate cannot be written to {files.cert.parent} ({error.strerror}). "
            "Set TILT_DATA_URL to a folder you may write to."
        ) from None


def read(path: Path) -> x509.Certificate:
    """Return the first certificate of a file.

    Raises
    ------
    DataError
        If there is none in it.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except OSError as error:
        raise DataError(f"The certificate {path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise DataError(f"{path} holds no certificate in PEM form.") from None


def days_left(cert: x509.Certificate, now: dt.datetime) -> int:
    """Return whole days until a certificate ends; negative when it has ended."""
    return (cert.not_valid_after_utc - now).days


def server_context(files: Files) -> ssl.SSLContext:
    """Return what a server needs to present the certificate.

    Raises
    ------
    DataError
        If certificate and key cannot be read, or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    read(files.cert)
    try:
        context.load_cert_chain(files.cert, files.key, password="")  # never ask at the terminal
    except ssl.SSLError as error:
        raise DataError(
            f"The key {files.key} does not belong to the certificate {files.cert}, or is locked "
            f"by a password ({error.reason or 'no key in PEM form'})."
        ) from None
    except OSError as error:
        raise DataError(f"The key {files.key} cannot be read: {error.strerror}.") from None
    return context


def refusal(files: Files, host: str, client: ssl.SSLContext | None = None) -> str:
    """Return why a client of this machine would refuse the certificate; empty if it accepts.

    Parameters
    ----------
    host : the name in the address
    client : what the client trusts; None is what this machine trusts
    """
    if client is None and platform.system() == "Darwin":
        return _refusal_of_keychain(files, host)  # Python does not look into the keychain
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = client or ssl.create_default_context()
    asking = trusting.wrap_bio(to_client, to_server, server_hostname=host)
    answering = server_context(files).wrap_bio(to_server, to_client, server_side=True)
    try:
        for _ in range(4):  # a handshake takes two rounds
            for side in (asking, answering):
                with suppress(ssl.SSLWantReadError):
                    side.do_handshake()
    except ssl.SSLCertVerificationError as error:
        return str(error.verify_message)
    return ""


def loose_permissions(key: Path) -> bool:
    """Return whether others of this machine may read a key; Windows keeps that elsewhere."""
    return os.name == "posix" and bool(stat.S_IMODE(key.stat().st_mode) & 0o077)


def how_to_trust(authority: Path) -> dict[str, str]:
    """Return by system the command that makes it trust our authority."""
    return {
        "Windows": f'certutil -user -addstore Root "{authority}"',
        "Mac": "security add-trusted-cert -r trustRoot -p ssl "
        f'-k ~/Library/Keychains/login.keychain-db "{authority}"',
        "Linux": f'sudo cp "{authority}" /usr/local/share/ca-certificates/tilt.crt '
        "&& sudo update-ca-certificates",
        "Chromium on Linux": f'certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n Tilt -i "{authority}"',
    }


def require(settings: Settings) -> Files:
    """Return the certificate to serve with.

    Raises
    ------
    ArgumentError, DataError
        If there is none, it cannot be used, or ours is asked for on another address than loopback.
    """
    files = used_files(settings)
    if files is None:
        raise ArgumentError(
            "There is no certificate to serve https with. Run 'tilt certificate create', "
            "or set TILT_TLS_CERT and TILT_TLS_KEY to the files of your own."
        )
    if files == own_files(settings) and settings.host not in LOOPBACK:
        raise ArgumentError(
            f"The certificate {files.cert} is for this machine alone, but TILT_HOST is "
            f"{settings.host}. Set TILT_TLS_CERT and TILT_TLS_KEY to one for that name."
        )
    server_context(files)
    return files


def _refusal_of_keychain(files: Files, host: str) -> str:
    done = subprocess.run(  # noqa: S603 - no shell, and the words are ours
        ["/usr/bin/security", "verify-cert", "-c", files.cert, "-p", "ssl", "-n", host],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr.strip() or "not trusted by the keychain"


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _dated(builder: x509.CertificateBuilder, now: dt.datetime) -> x509.CertificateBuilder:
    start = now - _SKEW
    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=VALID_DAYS) - dt.timedelta(seconds=1))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(key: ec.EllipticCurvePrivateKey, now: dt.datetime) -> x509.Certificate:
    # the date in the name tells a new authority from the ones of before in a trust store
    name = _name(f"Tilt on this machine, {now:%Y-%m-%d %H:%M:%S}")
    permitted = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_network("127.0.0.1/32")),
        x509.IPAddress(ipaddress.ip_network("::1/128")),
    ]
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    return (
        _dated(builder, now)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    key: ec.EllipticCurvePublicKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(_name("localhost"))
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _dated(builder.issuer_name(authority.subject), now)
        .public_key(key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_NAMES), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(signer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file so that nobody sees half of it, nor a key before it is closed to others."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    draft.replace(path)
