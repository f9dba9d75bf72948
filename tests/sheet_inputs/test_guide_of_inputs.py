"""The examples of the guide to ranges, evaluated as the sheet would."""

import re

import pytest

from tilt.settings import addin_path

TEXT = (addin_path() / "help" / "inputs.md").read_text(encoding="utf-8")
SAME = re.findall(r"^- `=TILT\.(.+?)` is the same as `=TILT\.(.+?)`$", TEXT, re.MULTILINE)
SAID = re.findall(r"^- `=TILT\.(.+?)` says: (.+)$", TEXT, re.MULTILINE)
TOKEN = re.compile(r'"[^"]*"|#[A-Z/0-9]+[!?]?|[{}();,]|[^{}();,"#]+')
WORDS = {"TRUE": True, "FALSE": False}


def value(token):
    if token.startswith('"'):
        return token[1:-1]
    if token in WORDS or token.startswith("#"):
        return WORDS.get(token, token)
    return float(token)


def call(formula):
    """Return name and arguments of a formula; ``{1,2;3,4}`` is a range."""
    name, _, rest = formula.partition("(")
    arguments: list[object] = [None]
    rows = None
    for token in TOKEN.findall(rest[:-1]):
        if token == "{":
            rows = [[]]
        elif token == "}":
            arguments[-1], rows = rows, None
        elif rows is not None and token == ";":
            rows.append([])
        elif rows is not None and token != ",":
            rows[-1].append(value(token))
        elif rows is None and token == ",":
            arguments.append(None)
        elif rows is None:
            arguments[-1] = value(token)
    return [name.lower(), *arguments]


def test_formulas_are_read_as_excel_reads_them():
    assert call('RISK({"A",0.5;"",#REF!},,TRUE)') == [
        "risk",
        [["A", 0.5], ["", "#REF!"]],
        None,
        True,
    ]


def test_the_guide_has_examples_of_both_kinds():
    lines = [line for line in TEXT.splitlines() if line.startswith("- ")]
    assert len(SAME) + len(SAID) == len(lines)
    assert min(len(SAME), len(SAID)) >= 8


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_the_guide_calls_the_same_is(sheet, one, other):
    found, expected = sheet(*call(one)), sheet(*call(other))
    assert len(found) == len(expected)
    for row, wanted in zip(found, expected, strict=True):
        assert row == pytest.approx(wanted) if isinstance(row[0], float) else row == wanted


@pytest.mark.parametrize(("formula", "text"), SAID)
def test_what_the_guide_says_a_cell_says_it_says(sheet, formula, text):
    assert sheet.error(*call(formula)).text == text


def test_the_header_names_of_the_guide_are_known(sheet):
    (line,) = re.findall(r"^The names it knows: (.+?)\. Capitals", TEXT, re.MULTILINE | re.DOTALL)
    tickers, *amounts = re.findall(r"\*(.+?)\*", line.replace("\n", " "))
    plain = sheet("risk", [["AAPL", 60], ["XOM", 40]], "names")
    for ticker in tickers.split(", "):
        for amount in ", ".join(amounts).split(", "):
            header = [ticker.upper(), "Name", amount.title()]
            found = sheet("risk", [header, ["AAPL", "x", 60], ["XOM", "y", 40]], "names")
            assert found == plain


def test_the_table_of_holdings_is_read(sheet):
    (table,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    rows = [[cell.strip() for cell in line.split("|")] for line in table.splitlines()]
    grid = [[float(c) if c.isdigit() else c for c in row] for row in rows]
    assert sheet("risk", grid, "names") == [[2.0]]
    assert len(sheet("check", grid)) == 1


def test_the_guide_is_served(sheet):
    page = sheet.http.get("/help/inputs")
    assert page.status_code == 200
    assert '<h1 id="what-you-may-put-in-a-range">' in page.text
