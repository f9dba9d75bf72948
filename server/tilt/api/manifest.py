"""The manifest: what Excel is told of the add-in, written from the template and checked."""

import re
import struct
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from fastapi import APIRouter, Query, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import tilt
from tilt.api.bridge import MANIFEST_ID
from tilt.errors import ArgumentError, one_of
from tilt.settings import LOOPBACK, Settings, addin_path

ENVIRONMENTS = {"production": "prod", "development": "dev"}

_OFFICE = "{http://schemas.microsoft.com/office/appforoffice/1.1}"
_OVERRIDES = "{http://schemas.microsoft.com/office/taskpaneappversionoverrides}"
_TYPES = "{http://schemas.microsoft.com/office/officeappbasictypes/1.0}"
_PNG = b"\x89PNG\r\n\x1a\n"
_LONGEST = {"ShortStrings": 125, "LongStrings": 250}
_ID_LENGTH = 32
_MOST_GROUPS = 6
_MOST_COMMANDS = 7

router = APIRouter(include_in_schema=False)
Wanted = Annotated[str, Query(description="production or development")]


def render(base_url: str, environment: str = "production") -> str:
    """Return the manifest of a server.

    Parameters
    ----------
    base_url : where Excel finds the server, without a path
    environment : production, or development with an id, a name and a namespace of its own, so that
        both can be installed at once

    Raises
    ------
    ArgumentError
        If there is no such environment.
    """
    chosen = ENVIRONMENTS[one_of("environment", environment, ENVIRONMENTS)]
    templates = Environment(
        loader=FileSystemLoader(addin_path() / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    base = base_url.rstrip("/")
    return templates.get_template("manifest.xml").render(
        settings=SimpleNamespace(environment=chosen, static_url_path="/static"),
        base_url=base,
        base_url_with_app_path=base,
        manifest_id=MANIFEST_ID,
    )


def address(settings: Settings) -> str:
    """Return where Excel finds the server of these settings; always https, as Excel demands.

    Raises
    ------
    ArgumentError
        If the server listens everywhere and no setting says under which name.
    """
    host = settings.host
    if host in LOOPBACK:
        host = "localhost"
    elif host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not listened on
        if not settings.allowed_hosts:
            raise ArgumentError(
                f"TILT_HOST={host} is no name Excel can go to. Give the address with --url, "
                "or name the server in TILT_ALLOWED_HOSTS."
            )
        host = settings.allowed_hosts[0]
    shown = f"[{host}]" if ":" in host else host
    return f"https://{shown}" if settings.port == 443 else f"https://{shown}:{settings.port}"


def require_address(url: str) -> str:
    """Return an address Excel takes, without its path.

    Raises
    ------
    ArgumentError
        If it is not https, or has a path, a query or a password.
    """
    parts = urlsplit(url)
    plain = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise ArgumentError(f"Excel loads add-ins over https only; got '{url}'.")
    if url.rstrip("/") != plain:
        raise ArgumentError(f"The address has no path: '{plain}', not '{url}'.")
    return plain


def problems(text: str, base_url: str) -> list[str]:
    """Return what Excel would refuse in a manifest, a sentence each.

    Parameters
    ----------
    text : the manifest
    base_url : the server that all its addresses must be of
    """
    try:
        root = ET.fromstring(text)  # noqa: S314 - written here or by the server asked
    except ET.ParseError as error:
        return [f"It is no XML: {error}."]
    if root.tag != f"{_OFFICE}OfficeApp":
        return ["It is no manifest of an Office add-in."]
    return [
        *_wrong_identity(root),
        *_wrong_resources(root),
        *_wrong_addresses(root, base_url),
        *_wrong_ribbon(root),
    ]


@router.get("/manifest")
@router.get("/manifest.xml")
async def manifest(request: Request, environment: Wanted = "production") -> Response:
    """Show the manifest of this server."""
    return Response(render(str(request.base_url), environment), media_type="application/xml")


@router.get("/manifest/download")
async def download(request: Request, environment: Wanted = "production") -> Response:
    """Offer the manifest of this server as a file."""
    name = f"tilt-{ENVIRONMENTS[one_of('environment', environment, ENVIRONMENTS)]}.xml"
    return Response(
        render(str(request.base_url), environment),
        media_type="application/xml",
        headers={"Content-Disposition": f"attachment; filename={name}"},
    )


def _wrong_identity(root: ET.Element) -> list[str]:
    found = []
    identity = root.findtext(f"{_OFFICE}Id", "")
    try:
        uuid.UUID(identity)
    except ValueError:
        found.append(f"Its id '{identity}' is no UUID.")
    version = root.findtext(f"{_OFFICE}Version", "")
    if version != f"{tilt.__version__}.0":
        found.append(
            f"Its version is {version}, that of the package {tilt.__version__}: "
            "Excel would keep an old ribbon."
        )
    return found


def _wrong_resources(root: ET.Element) -> list[str]:
    kinds = ("Image", "Url", "String")
    ids = [e.get("id", "") for k in kinds for e in root.iter(_TYPES + k) if e.get("id")]
    named = {e.get("resid", "") for e in root.iter() if e.get("resid")}
    found = [f"The resource '{i}' is named but not there." for i in sorted(named - set(ids))]
    found += [f"The resource '{i}' is there twice." for i in sorted(set(ids)) if ids.count(i) > 1]
    found += [f"The id '{i}' is longer than {_ID_LENGTH}." for i in ids if len(i) > _ID_LENGTH]
    for kind, longest in _LONGEST.items():
        for text in root.iterfind(f".//{_TYPES}{kind}/{_TYPES}String"):
            if not 0 < len(text.get("DefaultValue", "")) <= longest:
                found.append(f"The text '{text.get('id')}' is empty or longer than {longest}.")
    return found


def _wrong_addresses(root: ET.Element, base_url: str) -> list[str]:
    base = base_url.rstrip("/")
    found = [] if base.startswith("https://") else [f"{base} is not https, which Excel demands."]
    tags = [_OFFICE + t for t in ("IconUrl", "HighResolutionIconUrl", "SupportUrl")]
    urls = [e.get("DefaultValue", "") for t in tags for e in root.iter(t)]
    urls += [e.get("DefaultValue", "") for e in root.iter(f"{_OFFICE}SourceLocation")]
    urls += [e.get("DefaultValue", "") for e in root.iter(f"{_TYPES}Url")]
    images = [e.get("DefaultValue", "") for e in root.iter(f"{_TYPES}Image") if e.get("id")]
    domains = [e.text or "" for e in root.iter(f"{_OFFICE}AppDomain")]
    found += [
        f"The address {url} is not of {base}."
        for url in [*urls, *images]
        if not url.startswith(f"{base}/")
    ]
    found += [f"The domain {d} is not {base}." for d in domains if d != base]
    found += [f"There is no icon {u}." for u in images if not _is_icon(urlsplit(u).path)]
    return found


def _is_icon(path: str) -> bool:
    """Return whether a PNG is there with the size its name says."""
    size = re.search(r"-(\d+)\.png$", path)
    file = addin_path() / Path(path.lstrip("/"))
    if size is None or not file.is_file():
        return False
    head = file.read_bytes()[:24]
    return head[:8] == _PNG and struct.unpack(">II", head[16:24]) == (int(size[1]),) * 2


def _wrong_ribbon(root: ET.Element) -> list[str]:
    found = []
    for tab in root.iter(f"{_OVERRIDES}CustomTab"):
        groups = tab.findall(f"{_OVERRIDES}Group")
        if not 1 <= len(groups) <= _MOST_GROUPS:
            found.append(f"The tab has {len(groups)} groups; {_MOST_GROUPS} fit.")
        for group in groups:
            commands = len(group.findall(f"{_OVERRIDES}Control"))
            if not 1 <= commands <= _MOST_COMMANDS:
                found.append(
                    f"The group {group.get('id')} has {commands} buttons; {_MOST_COMMANDS} fit."
                )
    return found
