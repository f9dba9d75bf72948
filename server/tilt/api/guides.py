"""The guides of ``addin/help``: every Markdown file there is a page under ``/help``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from tilt.settings import Settings, addin_path

ORDER = (  # as one reads them; a guide that is not named here comes after
    "tour",
    "tasks",
    "getting-started",
    "install-excel",
    "pane",
    "looking-for",
    "functions",
    "conventions",
    "inputs",
    "optimization",
    "objectives",
    "constraints-cookbook",
    "sums-costs-and-counts",
    "data-sources",
    "universes-and-securities",
    "your-data",
    "refresh",
    "data-quality",
    "reports",
    "faq",
    "http",
    "extend",
    "for-it",
    "deployment",
    "reliability",
    "scale",
    "audit-and-encryption",
    "speed",
    "settings",
    "upgrade",
)
PICTURE = re.compile(r"[a-z0-9][a-z0-9_-]*\.(?:png|svg)")
SETTINGS_HERE = "<!-- the table of settings stands here when served -->"
_EXTERNAL = re.compile(r"[a-z]+:|/|#")


@dataclass(frozen=True)
class Guide:
    """One page: its name in the address, its title, its first sentence, its text in Markdown."""

    name: str
    title: str
    lead: str
    text: str


def folder() -> Path:
    """Return where the guides lie."""
    return addin_path() / "help"


def guides() -> dict[str, Guide]:
    """Return all guides by name, in the order one reads them."""
    names = {path.stem: path for path in folder().glob("*.md")}
    ordered = [n for n in ORDER if n in names] + sorted(set(names) - set(ORDER))
    return {n: _read(n, names[n].read_text(encoding="utf-8")) for n in ordered}


def guide_body(guide: Guide) -> str:
    """Return a guide as HTML; what HTML it holds itself is shown, not obeyed."""
    text = guide.text.replace(SETTINGS_HERE, settings_table())
    parser = _parser()
    tokens = parser.parse(text)
    _set_anchors(tokens)
    for token in _all(tokens):
        for attribute in ("href", "src"):
            target = token.attrGet(attribute)
            if isinstance(target, str):
                token.attrSet(attribute, address(target))
    html: str = parser.renderer.render(tokens, parser.options, {})
    return html


def sections(guide: Guide) -> list[dict[str, str]]:
    """Return the parts of a guide to search: guide, heading, url, text."""
    tokens = _parser().parse(guide.text.replace(SETTINGS_HERE, settings_table()))
    _set_anchors(tokens)
    found = [{"guide": guide.title, "heading": guide.title, "url": f"/help/{guide.name}"}]
    words: list[list[str]] = [[]]
    for i, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag != "h1":
            heading, url = _plain(tokens[i + 1]), f"/help/{guide.name}#{token.attrGet('id')}"
            found.append({"guide": guide.title, "heading": heading, "url": url})
            words.append([])
        elif token.type == "inline":
            words[-1].append(_plain(token))
        elif token.type == "fence":
            words[-1].append(token.content)
    return [{**one, "text": " ".join(w)} for one, w in zip(found, words, strict=True)]


def section_about(guide: Guide, function: str) -> str:
    """Return the section whose line "Functions:" names a function, as HTML; empty if none does."""
    for part in re.split(r"^## .*$", guide.text, flags=re.MULTILINE)[1:]:
        named = re.search(r"^Functions: (.*)$", part, re.MULTILINE)
        if named and f"`{function}`" in named[1]:
            text = part.replace(named[0], "")
            return guide_body(Guide(guide.name, guide.title, "", text))
    return ""


def _set_anchors(tokens: list[Token]) -> None:
    used: dict[str, int] = {}
    for heading, inline in _headings(tokens):
        slug = slug_of(inline.content)
        count = used.get(slug, 0)
        used[slug] = count + 1
        heading.attrSet("id", f"{slug}-{count}" if count else slug)


def address(target: str) -> str:
    """Return where a link of a guide leads when served: ``faq.md#keys`` to ``/help/faq#keys``."""
    if _EXTERNAL.match(target):
        return target
    page, mark, part = target.partition("#")
    return f"/help/{page.removesuffix('.md')}{mark}{part}"


def slug_of(heading: str) -> str:
    """Return the anchor of a heading, the one GitHub gives it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def settings_table() -> str:
    """Return the settings as a Markdown table: variable, default, meaning."""
    rows = [
        f"| `TILT_{name.upper()}` | {_default(name)} | {_cell(field.description or '')} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | left out | meaning |", "|---|---|---|", *rows])


def _default(name: str) -> str:
    field = Settings.model_fields[name]
    default = field.default
    if default is PydanticUndefined:
        return "a folder of your user account"  # of this machine; the doctor names it
    if isinstance(default, SecretStr):  # that of the code, never the one in use
        default = default.get_secret_value()
    if default is None or default in ("", ()):
        return "empty"
    return f"`{default}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _read(name: str, text: str) -> Guide:
    tokens = _parser().parse(text)
    title = next((inline.content for _, inline in _headings(tokens)), name)
    paragraphs = (
        tokens[i + 1]
        for i, token in enumerate(tokens)
        if token.type == "paragraph_open" and token.level == 0
    )
    lead = next((_plain(p) for p in paragraphs), "")
    return Guide(name, title, re.split(r"(?<=\.)\s", lead, maxsplit=1)[0], text)


def _plain(inline: Token) -> str:
    return "".join(
        " " if t.type == "softbreak" else t.content
        for t in inline.children or []
        if t.type != "image"
    ).strip()


def _headings(tokens: list[Token]) -> Iterator[tuple[Token, Token]]:
    for i, token in enumerate(tokens):
        if token.type == "heading_open":
            yield token, tokens[i + 1]


def _all(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or []


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")
