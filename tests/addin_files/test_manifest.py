"""The manifest says nothing Excel would refuse, and names nothing that is not there."""

import re
import struct
import tomllib
import uuid
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

ROOT = Path(__file__).parents[2]
ADDIN = ROOT / "addin"
BASE = "https://tilt.example:8000"
ENVIRONMENTS = ("prod", "dev", "qa", "uat", "staging")
OFFICE = "{http://schemas.microsoft.com/office/appforoffice/1.1}"
OVERRIDES = "{http://schemas.microsoft.com/office/taskpaneappversionoverrides}"
TYPES = "{http://schemas.microsoft.com/office/officeappbasictypes/1.0}"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
ICON_SIZES = {"16", "32", "80"}


def render(environment: str) -> ET.Element:
    templates = Environment(
        loader=FileSystemLoader(ADDIN / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    text = templates.get_template("manifest.xml").render(
        settings=SimpleNamespace(environment=environment, static_url_path="/static"),
        base_url=BASE,
        base_url_with_app_path=BASE,
        manifest_id="6f0c2a52-8f0e-4b39-9d43-3f7f5a1c7e21",
    )
    assert text.startswith("<?xml"), "Excel wants the declaration first"
    return ET.fromstring(text)  # noqa: S314 - our own template


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def manifest(request):
    return render(request.param)


@pytest.fixture(scope="module")
def production():
    return render("prod")


def resources(manifest: ET.Element, kind: str) -> dict[str, str]:
    found = (e for e in manifest.iter(TYPES + kind) if e.get("id"))
    return {e.get("id"): e.get("DefaultValue") for e in found}


def all_resources(manifest):
    return {
        k: v for kind in ("Image", "Url", "String") for k, v in resources(manifest, kind).items()
    }


def buttons(manifest):
    return [c for c in manifest.iter(OVERRIDES + "Control") if c.get(XSI_TYPE) == "Button"]


def test_every_resource_that_is_named_exists_and_every_one_that_exists_is_named(manifest):
    named = [e.get("resid") for e in manifest.iter() if e.get("resid")]
    ids = [e.get("id") for e in manifest.iter() if e.tag in (TYPES + "Url", TYPES + "String")]
    ids += [e.get("id") for e in manifest.iter(TYPES + "Image") if e.get("id")]
    assert len(ids) == len(set(ids))
    assert set(named) == set(ids)


def test_resource_ids_fit_the_32_characters_excel_allows(manifest):
    assert [key for key in all_resources(manifest) if len(key) > 32] == []


def test_labels_and_tips_fit_and_say_something(manifest):
    resource_list = manifest.find(f".//{OVERRIDES}Resources")
    short = resource_list.find(TYPES + "ShortStrings")
    long = resource_list.find(TYPES + "LongStrings")
    assert all(0 < len(e.get("DefaultValue")) <= 125 for e in short)
    assert all(0 < len(e.get("DefaultValue")) <= 250 for e in long)
    titles = {e.get("resid") for e in manifest.iter(OVERRIDES + "Title")}
    tips = {e.get("resid") for e in manifest.iter(OVERRIDES + "Description")}
    assert titles <= {e.get("id") for e in short}
    assert tips <= {e.get("id") for e in long}
    assert all(e.get("DefaultValue").endswith(".") for e in long)


def test_a_tab_has_at_most_six_groups_and_a_group_at_most_seven_commands(manifest):
    tabs = list(manifest.iter(OVERRIDES + "CustomTab"))
    assert len(tabs) == 1
    groups = tabs[0].findall(OVERRIDES + "Group")
    assert 1 <= len(groups) <= 6
    assert all(1 <= len(g.findall(OVERRIDES + "Control")) <= 7 for g in groups)


def test_ids_of_tab_groups_and_buttons_are_unique(manifest):
    tags = {OVERRIDES + name for name in ("CustomTab", "Group", "Control")}
    ids = [e.get("id") for e in manifest.iter() if e.tag in tags]
    assert len(ids) == len(set(ids))


def test_every_button_has_a_label_a_supertip_and_three_icons_of_its_own(manifest):
    seen = []
    for button in buttons(manifest):
        assert button.find(OVERRIDES + "Label") is not None
        assert button.find(OVERRIDES + "Supertip") is not None
        icons = button.find(OVERRIDES + "Icon").findall(TYPES + "Image")
        assert {icon.get("size") for icon in icons} == ICON_SIZES
        seen += [icon.get("resid") for icon in icons]
    assert len(seen) == len(set(seen))


def test_every_icon_is_a_png_of_the_size_its_name_says(manifest):
    urls = list(resources(manifest, "Image").values())
    urls += [
        manifest.find(OFFICE + tag).get("DefaultValue")
        for tag in ("IconUrl", "HighResolutionIconUrl")
    ]
    assert len(urls) >= 14
    for url in urls:
        assert url.startswith(f"{BASE}/static/")
        data = (ADDIN / "static" / url.removeprefix(f"{BASE}/static/")).read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        size = int(re.search(r"-(\d+)\.png$", url)[1])
        assert struct.unpack(">II", data[16:24]) == (size, size)


def test_every_function_of_a_button_is_associated_by_the_ribbon_script(manifest):
    script = (ADDIN / "static" / "js" / "ribbon.js").read_text()
    tables = "".join(
        re.findall(r"export const (?:SCRIPTS|TABS|JOBS) = \{(.*?)\n\};", script, re.DOTALL)
    )
    associated = set(re.findall(r"^  (\w+): \{", tables, re.MULTILINE))
    named = {e.text for e in manifest.iter(OVERRIDES + "FunctionName")}
    assert named == associated


def test_urls_are_absolute_and_of_one_server(manifest):
    assert all(url.startswith(f"{BASE}/") for url in resources(manifest, "Url").values())


def test_each_environment_has_its_own_id_name_and_namespace():
    manifests = [render(environment) for environment in ENVIRONMENTS]
    ids = [m.find(OFFICE + "Id").text for m in manifests]
    assert all(str(uuid.UUID(i)) == i for i in ids)
    namespaces = [resources(m, "String")["Functions.Namespace"] for m in manifests]
    names = [m.find(OFFICE + "DisplayName").get("DefaultValue") for m in manifests]
    assert len(set(ids)) == len(set(namespaces)) == len(set(names)) == len(ENVIRONMENTS)
    assert namespaces[0] == "TILT"
    assert names[0] == "Tilt"


def test_its_version_is_that_of_the_package(production):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert production.find(OFFICE + "Version").text == f"{project['version']}.0"


def test_the_groups_stand_in_the_order_of_the_ribbon(production):
    strings = resources(production, "String")
    groups = production.iter(OVERRIDES + "Group")
    labels = [strings[g.find(OVERRIDES + "Label").get("resid")] for g in groups]
    assert labels == ["Data", "Portfolio", "Analyze", "Build", "Report", "Help"]


def test_a_label_is_short_enough_for_a_button_and_no_two_are_alike(production):
    strings = resources(production, "String")
    labels = [strings[b.find(OVERRIDES + "Label").get("resid")] for b in buttons(production)]
    assert len(set(labels)) == len(labels)
    assert all(len(word) <= 13 for label in labels for word in label.split())
    assert all(len(label.split()) <= 3 for label in labels)


def test_every_script_of_a_button_is_one_that_the_server_runs():
    script = (ADDIN / "static" / "js" / "ribbon.js").read_text()
    table = re.search(r"export const SCRIPTS = \{(.*?)\n\};", script, re.DOTALL)[1]
    listed = (ADDIN / "custom_scripts" / "__init__.py").read_text()
    registered = set(re.findall(r'^    "(\w+)",', listed, re.MULTILINE))
    assert set(re.findall(r"^  (\w+): \{", table, re.MULTILINE)) == registered
