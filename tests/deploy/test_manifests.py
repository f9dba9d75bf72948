"""The manifest of either environment is what Excel takes, and what is wrong in one is said."""

import uuid
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest

import tilt
from tilt.api.manifest import address, problems, render, require_address
from tilt.cli import main
from tilt.errors import ArgumentError
from tilt.settings import Settings, addin_path

BASE = "https://tilt.example:8443"
SECRET = "a secret of more than thirty-two characters"
OFFICE = "{http://schemas.microsoft.com/office/appforoffice/1.1}"
TYPES = "{http://schemas.microsoft.com/office/officeappbasictypes/1.0}"
ENVIRONMENTS = ("production", "development")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TILT_DATA_URL", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["manifest", *arguments])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def parse(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - what we wrote ourselves


def text_of(root: ET.Element, resource: str) -> str:
    return next(
        e.get("DefaultValue") for e in root.iter(f"{TYPES}String") if e.get("id") == resource
    )


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_command_writes_one_that_a_second_lint_accepts(run, tmp_path, environment):
    given = ("--environment", environment, "--url", BASE, "--output", "tilt.xml")
    code, out, _ = run(*given)
    assert code == 0
    assert out == f"tilt.xml is the {environment} manifest for {BASE}.\n"
    root = parse((tmp_path / "tilt.xml").read_text())
    urls = [v for e in root.iter() for v in e.attrib.values() if v.startswith("http")]
    addresses = [u for u in urls if "schemas.microsoft.com" not in u]
    assert len(addresses) > 10
    assert all(u.startswith(f"{BASE}/") for u in addresses)
    images = [urlsplit(u).path for u in addresses if u.endswith(".png")]
    assert all((addin_path() / path.lstrip("/")).is_file() for path in images)
    named = {e.get("resid") for e in root.iter() if e.get("resid")}
    ids = [e.get("id") for k in ("Image", "Url", "String") for e in root.iter(TYPES + k)]
    assert named == {i for i in ids if i}
    assert root.findtext(f"{OFFICE}Version") == f"{tilt.__version__}.0"


def test_production_and_development_stand_beside_each_other():
    production, development = (parse(render(BASE, e)) for e in ENVIRONMENTS)
    ids = [root.findtext(f"{OFFICE}Id") for root in (production, development)]
    assert ids == [
        "6f0c2a52-8f0e-4b39-9d43-3f7f5a1c7e21",  # for ever: Excel knows the add-in by them
        "90ef91ca-a20f-4033-9989-623c8bee4620",
    ]
    assert all(uuid.UUID(i) for i in ids)
    assert text_of(production, "Functions.Namespace") == "TILT"
    assert text_of(development, "Functions.Namespace") == "TILT_DEV"
    assert text_of(production, "Tab.Label") != text_of(development, "Tab.Label")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_is_wrong_with_what_is_written(environment):
    assert problems(render(BASE, environment), BASE) == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_server_serves_the_one_the_command_writes(fetch, served, environment):
    page = fetch(f"/manifest.xml?environment={environment}")
    assert page.status == 200
    assert page.headers["content-type"].startswith("application/xml")
    assert page.text == render(f"https://localhost:{served.port}", environment)
    download = fetch(f"/manifest/download?environment={environment}")
    short = {"production": "prod", "development": "dev"}[environment]
    assert download.headers["content-disposition"] == f"attachment; filename=tilt-{short}.xml"
    assert download.text == page.text


def test_the_server_knows_two_environments(fetch):
    page = fetch("/manifest.xml?environment=prodcution")
    assert page.status == 400
    assert "environment must be one of production, development" in page.text


@pytest.mark.parametrize(
    ("found", "put", "sentence"),
    [
        ("<Id>6f0c2a52", "<Id>x", "is no UUID"),
        (f"{tilt.__version__}.0</Version>", "0.0.9.0</Version>", "Its version is 0.0.9.0"),
        ('resid="Tab.Label"', 'resid="Tab.Lable"', "'Tab.Lable' is named but not there"),
        ('id="Tab.Label"', 'id="Label.pane"', "'Label.pane' is there twice"),
        ('id="Tab.Label"', f'id="{"T" * 33}"', "is longer than 32"),
        (f"{BASE}/taskpane.html", "https://elsewhere.example/taskpane.html", "is not of"),
        ("tilt-80.png", "tilt-81.png", "There is no icon"),
        (f"<AppDomain>{BASE}", "<AppDomain>https://elsewhere.example", "The domain"),
        ('DefaultValue="Tilt"', 'DefaultValue=""', "'Tab.Label' is empty or longer than 125"),
        ("</OfficeApp>", "", "It is no XML"),
    ],
)
def test_what_excel_would_refuse_is_said(found, put, sentence):
    text = render(BASE)
    assert found in text
    said = problems(text.replace(found, put), BASE)
    assert any(sentence in s for s in said), said


def test_too_many_buttons_are_said():
    root = parse(render(BASE))
    group = next(e for e in root.iter() if e.tag.endswith("}Group"))
    button = next(e for e in group if e.tag.endswith("}Control"))
    group.extend([button] * 7)
    said = problems(ET.tostring(root, encoding="unicode"), BASE)
    assert any("buttons; 7 fit" in s for s in said), said


def test_another_document_and_plain_http_are_said():
    assert problems("<a/>", BASE) == ["It is no manifest of an Office add-in."]
    plain = "http://tilt.example"
    assert problems(render(plain), plain) == [f"{plain} is not https, which Excel demands."]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("http://tilt.example", "over https only; got 'http://tilt.example'"),
        ("https://ann:pw@tilt.example", "over https only"),
        ("tilt.example", "over https only"),
        ("https://tilt.example/a", "The address has no path: 'https://tilt.example'"),
        ("https://tilt.example?x=1", "The address has no path"),
    ],
)
def test_an_address_excel_does_not_take_is_refused(run, given, sentence):
    code, out, err = run("--url", given)
    assert (code, out) == (2, "")
    assert sentence in err


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "https://localhost:8000"),
        ({"host": "::1", "port": 443}, "https://localhost"),
        ({"host": "tilt.example", "auth": "keys"}, "https://tilt.example:8000"),
        ({"host": "2001:db8::1", "auth": "keys"}, "https://[2001:db8::1]:8000"),
        (
            {"host": "::", "auth": "keys", "allowed_hosts": ("a.example",)},
            "https://a.example:8000",
        ),
    ],
)
def test_the_address_follows_the_settings(settings, expected):
    assert address(Settings(secret_key=SECRET, **settings)) == expected
    assert require_address(expected) == expected


def test_a_server_for_all_names_no_address():
    with pytest.raises(ArgumentError, match="no name Excel can go to"):
        address(Settings(host="::", auth="keys", secret_key=SECRET))


def test_without_a_certificate_it_says_that_excel_asks_for_https(run, make_certificate):
    _, _, err = run("-o", "a.xml")
    assert "tilt certificate create" in err
    make_certificate(Path("data"))
    assert run("-o", "b.xml") == (
        0,
        "b.xml is the production manifest for https://localhost:8000.\n",
        "",
    )


def test_an_unknown_environment_and_a_folder_that_is_not_there_are_said(run):
    code, _, err = run("--environment", "developement")
    assert code == 2
    assert "Did you mean 'development'?" in err
    code, _, err = run("--output", "nowhere/tilt.xml")
    assert code == 2
    assert "nowhere/tilt.xml cannot be written: No such file or directory." in err


def test_office_s_own_library_is_served_by_the_server_itself(fetch):
    page = fetch("/taskpane.html")
    scripts = [p.split('"')[0] for p in page.text.split('src="')[1:]]
    (library,) = [s for s in scripts if s.endswith("/office.js")]
    assert library.startswith("/static/")
    assert all(s.startswith("/") for s in scripts), "a closed network reaches no other host"
    assert fetch(library).status == 200
