"""Commands that put Tilt into Excel: doctor, certificate, manifest."""

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tilt.api import manifest as manifests
from tilt.cli import certificates
from tilt.cli.doctor import examine
from tilt.cli.findings import PROBLEM, print_findings
from tilt.cli.printing import AsJson, print_items
from tilt.errors import DataError
from tilt.settings import LOOPBACK, read_settings

app = typer.Typer()
certificates_app = typer.Typer(
    help="The certificate for https on this machine, which Excel asks for.", no_args_is_help=True
)


@app.command()
def doctor(*, as_json: AsJson = False) -> None:
    """Check the installation and say how to cure what is wrong; exit 1 if something is."""
    found = examine(dt.datetime.now(dt.UTC))
    if as_json:
        typer.echo(json.dumps([asdict(f) for f in found]))
    else:
        print_findings(found)
    if any(f.status == PROBLEM for f in found):
        raise typer.Exit(1)


@app.command()
def manifest(
    *,
    environment: Annotated[
        str, typer.Option(help="production, or development to stand beside it in Excel.")
    ] = "production",
    url: Annotated[str, typer.Option(help="Where Excel finds the server: https://name:port.")] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write instead of printing.")
    ] = None,
) -> None:
    """Write the manifest that puts Tilt into Excel."""
    settings = read_settings()
    base = manifests.require_address(url) if url else manifests.address(settings)
    text = manifests.render(base, environment)
    wrong = manifests.problems(text, base)
    if wrong:
        raise DataError(f"Excel would refuse the manifest: {' '.join(wrong)}")
    if output is None:
        typer.echo(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{output} cannot be written: {error.strerror}.") from None
    typer.echo(f"{output} is the {environment} manifest for {base}.")
    if not url and certificates.used_files(settings) is None:
        typer.echo(
            "Excel asks for https there: run 'tilt certificate create', then 'tilt serve --tls'.",
            err=True,
        )


@certificates_app.command("create")
def create_certificate(
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Make a new one, to be trusted anew.")
    ] = False,
) -> None:
    """Make a certificate for localhost, and say how this machine comes to trust it."""
    settings = read_settings()
    files = certificates.own_files(settings)
    certificates.create(files, now=dt.datetime.now(dt.UTC), replace=replace)
    _print_certificate(files, "localhost")
    if files.authority is not None:
        _print_trust(files.authority)


@certificates_app.command("show")
def show_certificate(*, as_json: AsJson = False) -> None:
    """Show which certificate is served, how long it lasts, and whether this machine trusts it."""
    settings = read_settings()
    files = certificates.used_files(settings)
    if files is None:
        raise DataError("There is no certificate. Run 'tilt certificate create'.")
    host = "localhost" if settings.host in LOOPBACK else settings.host
    _print_certificate(files, host, as_json=as_json)
    if files.authority is not None and not as_json:
        _print_trust(files.authority)


def _print_certificate(files: certificates.Files, host: str, *, as_json: bool = False) -> None:
    cert = certificates.read(files.cert)
    refused = certificates.refusal(files, host)
    items = {
        "Certificate": str(files.cert),
        "Key": str(files.key),
        "Valid until": f"{cert.not_valid_after_utc:%Y-%m-%d}",
        "Trusted": f"no: {refused}" if refused else "yes",
    }
    if files.authority is not None:
        items["Authority"] = str(files.authority)
    print_items(items, as_json=as_json)


def _print_trust(authority: Path) -> None:
    typer.echo(
        "\nThis command changes no trust store. To trust the authority, run for your system:"
    )
    for system, command in certificates.how_to_trust(authority).items():
        typer.echo(f"\n  {system}\n    {command}")
    typer.echo("\nThen restart Excel and the browser, and serve with 'tilt serve --tls'.")
