"""The guides to optimization: an example row of every rule, and an answer quoted as it is."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from tilt.optimize.constraints import KINDS, parse_rules
from tilt.optimize.solve import Problem, solve
from tilt.risk.model import estimate_model
from tilt.settings import addin_path

TABLE = re.compile(r"^\| rule \| who .*\n\|[-|]+\n((?:\|.*\n)+)", re.MULTILINE)
HEADER = ["rule", "who", "min", "max", "relative", "priority"]
QUOTE = re.compile(r"^> (.*)$", re.MULTILINE)
SECURITIES = pd.DataFrame(
    {
        "sector": ["Information Technology", "Energy", "Financials"],
        "industry": ["Hardware", "Oil", "Banks"],
        "country": ["US", "US", "DE"],
        "currency": ["USD", "USD", "EUR"],
    },
    index=["AAPL", "XOM", "DBK"],
)
FACTORS = ["Market", "Beta", "Momentum", "Information Technology", "Energy", "Financials"]


def read(name):
    return (addin_path() / "help" / name).read_text(encoding="utf-8")


def cell(text):
    """Return what a cell holds: a number, a word, or nothing."""
    try:
        return float(text) if text else None
    except ValueError:
        return text


def grids(text):
    """Return each table of rules of a page as a range of cells."""
    for body in TABLE.findall(text):
        lines = [
            [cell(part.strip()) for part in line.split("|")[1:-1]] for line in body.split("\n")
        ]
        yield [HEADER, *(line for line in lines if line)]


COOKBOOK = list(grids(read("constraints-cookbook.md")))


@pytest.mark.parametrize("grid", COOKBOOK, ids=lambda grid: f"{grid[1][0]} {grid[1][1] or ''}")
def test_every_table_of_the_cookbook_is_read_as_it_stands(grid):
    rules = parse_rules(grid, securities=SECURITIES, factors=FACTORS, long_short=True)
    assert [rule.rule for rule in rules] == [row[0] for row in grid[1:]]
    assert [rule.row for rule in rules] == list(range(2, len(grid) + 1))


def test_the_cookbook_has_a_row_for_every_rule():
    shown = {str(row[0]).split(":")[0] for grid in COOKBOOK for row in grid[1:]}
    assert shown == set(KINDS)


@pytest.fixture(scope="module")
def impossible(panel, store):
    """The problem of the guide, over the sample."""
    model = estimate_model(panel.factors, panel.as_of)
    caps = panel.cap_weights(panel.as_of)
    known = caps[caps.index.isin(model.assets)]
    (grid,) = grids(read("optimization.md"))
    rules = parse_rules(grid, securities=panel.securities, factors=model.factor_cov.index)
    held = store.portfolio("SAMPLE")
    return Problem("min_te", model, panel.securities, held, known / known.sum(), rules=rules)


def test_the_quoted_explanation_is_what_the_engine_says(impossible):
    said = list(solve(impossible).view("explain")["explanation"])
    quoted = QUOTE.findall(read("optimization.md"))
    assert len(quoted) == 4
    assert [line for line in said if line in quoted] == quoted


@pytest.mark.parametrize(("rule", "to"), [("weight", 0.0388), ("turnover", 0.2201)])
def test_the_accepted_repairs_lead_to_the_quoted_figures(impossible, rule, to):
    rules = tuple(replace(r, high=to) if r.rule == rule else r for r in impossible.rules)
    solution = solve(replace(impossible, rules=rules)).require()
    figures = solution.view("summary").set_index("measure")
    quoted = next(
        line
        for line in read("optimization.md").split("\n")
        if line.startswith(f"| {rule} at most ")
    )
    bound, before, after, turnover, active = re.findall(r"([\d.]+) %", quoted)
    assert float(bound) == pytest.approx(100 * to)
    assert float(before) == pytest.approx(100 * figures.loc["tracking_error", "before"], abs=0.06)
    assert float(after) == pytest.approx(100 * figures.loc["tracking_error", "after"], abs=0.06)
    assert float(turnover) == pytest.approx(100 * figures.loc["turnover", "after"], abs=0.06)
    assert float(active) == pytest.approx(100 * figures.loc["active_share", "after"], abs=0.6)
