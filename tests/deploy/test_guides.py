"""Every guide is served, leads nowhere that is not there, and names only what exists."""

import json
import pkgutil
import re
from functools import cache
from html.parser import HTMLParser

import pytest
import typer.main

import tilt
from tilt.api.guides import SETTINGS_HERE, Guide, address, guide_body, guides, settings_table
from tilt.cli import app
from tilt.settings import Settings, addin_path

GUIDES = [path.stem for path in sorted((addin_path() / "help").glob("*.md"))]
TEXTS = {path.stem: path.read_text() for path in (addin_path() / "help").glob("*.md")}


class Links(HTMLParser):
    """Targets and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.targets |= {given[name] for name in ("href", "src") if given.get(name)}
        self.anchors |= {given["id"]} if "id" in given else set()


def test_the_help_lists_every_guide_and_every_function(fetch):
    links = Links(fetch("/help").text).targets
    assert {f"/help/{name}" for name in GUIDES} <= links
    assert "/help/risk" in links
    assert len(GUIDES) >= 8


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_is_a_page_with_a_way_to_all_others(fetch, name):
    page = fetch(f"/help/{name}")
    assert page.status == 200
    assert page.text.count('aria-current="page"') == 1
    assert {f"/help/{other}" for other in GUIDES} <= Links(page.text).targets


@pytest.fixture(scope="module")
def linked(fetch):
    """Return a function from an address to status and links of its page, each asked for once."""

    @cache
    def read(path: str) -> tuple[int, Links]:
        page = fetch(path)
        return page.status, Links(page.text)

    return read


@pytest.mark.parametrize("name", GUIDES)
def test_every_link_of_a_guide_leads_to_a_page_and_to_a_part_of_it(linked, name):
    _, links = linked(f"/help/{name}")
    assert not [t for t in links.targets if t.startswith("http:")]
    for target in links.targets:
        if target.startswith("https://"):
            continue
        path, _, part = target.partition("#")
        status, there = linked(path or f"/help/{name}")
        assert status == 200, target
        if part:
            assert part in there.anchors, target


def test_the_page_of_settings_has_every_setting_with_its_meaning_and_default(fetch):
    page = fetch("/help/settings").text
    rows = re.findall(r"<tr>\n<td><code>(\w+)</code></td>\n<td>(.*?)</td>\n<td>(.*?)</td>", page)
    shown = {name: (default, meaning) for name, default, meaning in rows}
    assert set(shown) == {f"TILT_{name.upper()}" for name in Settings.model_fields}
    assert all(default and meaning for default, meaning in shown.values())
    assert shown["TILT_PORT"] == ("<code>8000</code>", "Port the server listens on.")
    assert shown["TILT_SECRET_KEY"][0] == "empty"
    assert SETTINGS_HERE in TEXTS["settings"]


def test_the_page_of_settings_shows_no_value_in_use(monkeypatch):
    monkeypatch.setenv("TILT_SECRET_KEY", "s" * 40)
    monkeypatch.setenv("TILT_XLWINGS_LICENSE_KEY", "license-of-the-firm")
    assert "s" * 40 not in settings_table()
    assert "license-of-the-firm" not in settings_table()


def test_looking_for_names_every_module_of_the_engine_and_only_those():
    named = set(re.findall(r"\| `(\w+)` \|$", TEXTS["looking-for"], re.MULTILINE))
    assert named == {module.name for module in pkgutil.iter_modules(tilt.__path__)}


def test_looking_for_names_folders_of_the_add_in_that_are_there():
    named = re.findall(r"`addin/([\w/.]+)`", TEXTS["looking-for"])
    assert named
    assert [path for path in named if not (addin_path() / path).exists()] == []


@pytest.mark.parametrize("name", GUIDES)
def test_guides_name_functions_that_exist(fetch, name):
    known = set(re.findall(r'href="/help/([a-z_]+)">TILT\.', fetch("/help").text))
    assert "risk" in known
    named = {n.lower() for n in re.findall(r"\bTILT(?:_DEV)?\.([A-Z_]+)", TEXTS[name])}
    made = set(re.findall(r"^def (\w+)\(", TEXTS[name], re.MULTILINE))  # by the guide itself
    assert named - made <= known


@pytest.mark.parametrize("name", GUIDES)
def test_guides_name_commands_and_options_that_exist(name):
    root = typer.main.get_command(app)
    for line in re.findall(r"`(tilt [^`]+)`|^(tilt [^\n]+)$", TEXTS[name], re.MULTILINE):
        words = "".join(line).split("#")[0].split()[1:]
        command = root.commands.get(words[0])
        assert command is not None, line
        if hasattr(command, "commands"):
            command = command.commands.get(words[1])
            assert command is not None, line
        options = {option for parameter in command.params for option in parameter.opts}
        options |= {option for parameter in command.params for option in parameter.secondary_opts}
        assert {w for w in words if w.startswith("-")} <= options, line


@pytest.mark.parametrize("name", GUIDES)
def test_guides_name_settings_that_exist(name):
    named = set(re.findall(r"\bTILT_(?!DEV\b)([A-Z_]+)\b", TEXTS[name]))
    assert named <= {field.upper() for field in Settings.model_fields}


def test_the_addresses_for_it_are_there_without_a_key_as_said(fetch):
    for path in ("/taskpane.html", "/static/js/main.js", "/manifest.xml", "/health", "/health/live",
                 "/xlwings/custom-functions-meta.json", "/xlwings/custom-functions-code.js",
                 "/help", "/docs"):  # fmt: skip
        assert fetch(path).status == 200, path


def test_html_in_a_guide_is_shown_and_not_obeyed():
    page = guide_body(Guide("x", "X", "", "# X\n\n<script>alert(1)</script> [a](javascript:b)"))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<a href" not in page


def test_headings_of_the_same_name_have_anchors_of_their_own():
    page = guide_body(Guide("x", "X", "", "# A b\n\n## A b\n\n## C, d?"))
    assert Links(page).anchors == {"a-b", "a-b-1", "c-d"}


def test_every_part_of_every_guide_can_be_searched_and_has_its_anchor(fetch):
    parts = json.loads(fetch("/help/index.json").text)
    assert {p["url"].partition("#")[0].removeprefix("/help/") for p in parts} == set(guides())
    words = {p["url"]: p["text"] for p in parts}
    assert "Copy details" in words["/help/pane#when-something-goes-wrong"]
    for name in guides():
        page = fetch(f"/help/{name}").text
        own = [url.partition("#")[2] for url in words if url.startswith(f"/help/{name}#")]
        assert set(own) <= Links(page).anchors


def test_links_between_guides_work_in_a_folder_and_on_the_server():
    assert address("faq.md#a") == "/help/faq#a"
    assert address("pictures/report.png") == "/help/pictures/report.png"
    assert [address(t) for t in ("/docs", "#part", "https://x.example")] == [
        "/docs",
        "#part",
        "https://x.example",
    ]


def test_a_page_or_picture_that_is_not_there_is_no_page(fetch):
    assert fetch("/help/nothing").status == 404
    assert fetch("/help/pictures/nothing.png").status == 404
    assert fetch("/help/pictures/..%2Ffaq.md").status == 404


def test_no_guide_hides_the_page_of_a_function(fetch):
    functions = set(re.findall(r'href="/help/([a-z_]+)">TILT\.', fetch("/help").text))
    assert functions.isdisjoint(guides())
