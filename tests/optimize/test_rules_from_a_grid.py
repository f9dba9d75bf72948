import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, DataError
from tilt.optimize.constraints import RULES, Rule, amount, parse_rules

SECURITIES = pd.DataFrame(
    {
        "name": ["Apple", "Exxon", "Hitachi"],
        "sector": ["Technology", "Energy", "Industrials"],
        "industry": ["Hardware", "Oil", "Machinery"],
        "country": ["US", "US", "Japan"],
        "desk": ["a", "b", "a"],
    },
    index=["AAPL", "XOM", "6501"],
)
FACTORS = ["Market", "Momentum", "Value"]


def parse(grid, **options):
    return parse_rules(grid, securities=SECURITIES, factors=FACTORS, **options)


def test_a_grid_without_header_reads_in_the_contracts_order():
    rules = parse([["weight", "*", None, 0.02], ["turnover", "", "", 0.05, "", ""]])
    assert rules == (Rule("weight", "*", None, 0.02), Rule("turnover", "", None, 0.05))


def test_a_header_decides_the_order_of_the_columns_and_case_does_not_matter():
    grid = [["Max", "Rule", "WHO"], [0.1, "Sector", "energy"], [0.3, "factor", "momentum"]]
    assert parse(grid) == (
        Rule("sector", "Energy", None, 0.1),
        Rule("factor", "Momentum", None, 0.3),
    )


def test_rows_count_from_the_top_of_the_range_with_header_and_blank_rows():
    grid = [["rule", "who", "min", "max"], ["", None, "", None], ["beta", "", 0.9, 1.1]]
    assert parse(grid)[0].row == 3


@pytest.mark.parametrize("yes", ["yes", "Y", True, "TRUE", 1, 1.0])
def test_relative_says_yes_in_the_ways_people_type_it(yes):
    assert parse([["sector", "*", -0.02, 0.02, yes]])[0].relative


@pytest.mark.parametrize("blank", [None, "", "no", False, 0, "hard"])
def test_relative_and_priority_are_off_when_blank(blank):
    relative = None if blank == "hard" else blank
    priority = None if blank in ("no", False, 0) else blank
    rule = parse([["sector", "*", -0.02, 0.02, relative, priority]])[0]
    assert (rule.relative, rule.priority) == (False, None)


def test_a_number_as_priority_makes_the_rule_soft():
    rule = parse([["sector", "Energy", None, 0.02, None, 0.5]])[0]
    assert (rule.priority, rule.hard) == (0.5, False)


def test_who_of_a_weight_is_a_ticker_a_sector_or_everyone():
    rules = parse([["weight", who, None, 0.02] for who in ("*", "xom", "technology", 6501.0)])
    assert [r.who for r in rules] == ["*", "XOM", "Technology", "6501"]


def test_a_blank_who_means_each():
    assert parse([["factor", None, -0.1, 0.1, "yes"]])[0].who == "*"


def test_groups_name_their_column_whatever_its_case():
    rules = parse([["Group: DESK", "A", None, 0.6], ["country", "japan", 0.1, None, "yes"]])
    assert rules == (
        Rule("group:desk", "a", None, 0.6),
        Rule("country", "Japan", 0.1, None, relative=True),
    )


def test_counts_least_sizes_volume_cost_and_lots_are_read():
    rules = parse(
        [
            ["names", "", 10, 40],
            ["holding", "", 0.005],
            ["trade", "", 0.001],
            ["adv", "*", None, 0.2],
            ["cost", "", None, 0.002],
            ["risk_share", "momentum", None, 0.1],
            ["lot", "*", 100],
        ]
    )
    assert [rule.words() for rule in rules] == [
        "names between 10 and 40",
        "each held name at least 0.5 %",
        "each trade made at least 0.1 %",
        "each trade at most 20 % of ADV",
        "cost at most 0.2 %",
        "risk share of Momentum at most 10 %",
        "each lot at least 100 shares",
    ]


def test_leverage_may_exceed_one_hundred_per_cent():
    assert parse([["gross", "", None, 1.6], ["sector", "Energy", None, 1.3]], long_short=True)


ERRORS = [
    (
        [["wieght", "*", None, 0.02]],
        "constraints row 1: 'wieght' is no rule. Did you mean 'weight'",
    ),
    ([["name", "", None, 40]], "'name' is no rule. Did you mean 'names'"),
    ([["capacity", "", None, 40]], f"'capacity' is no rule. The rules are {', '.join(RULES)}."),
    ([["names", "", None, 0.2]], "row 1: max of 'names' is a count; got 0.2."),
    ([["names", "", -3, 20]], "a number of names cannot be negative."),
    ([["names", "", 30, 20]], "min 30 of 'names' is above max 20."),
    ([["holding", "", None, 0.02]], "'holding' takes a min only, the smallest weight of a name"),
    ([["holding", "", 2]], "min 2 means 200 %. Type 2 % as 0.02, or format the cell in per cent."),
    ([["trade", "", 0]], "min of 'trade' must be above zero."),
    ([["trade", "", 0.01, None, "", 5]], "'trade' cannot be soft: a name is held or not."),
    ([["adv", "", None, 20]], "max 20 means 2000 %. Type 20 % as 0.2"),
    ([["adv", "AAPL", None, 0.1]], "'adv' is about the whole portfolio; leave who blank, not"),
    ([["cost", "", 0.001, 0.01]], "'cost' takes a max only; a min of 0.1 % would leave a hole"),
    ([["cost", "", None, 10]], "max 10 means 1000 %. Type 10 % as 0.1"),
    ([["risk_share", "", None, 0.2]], "'risk_share' needs who: a ticker, a sector or a factor."),
    (
        [["risk_share", "Enrgy", None, 0.2]],
        "'Enrgy' is no ticker, sector or factor of this universe. Did you mean 'Energy'?",
    ),
    ([["lot", "", 100.5]], "min of 'lot' is a count; got 100.5."),
    ([["country", "Japn", None, 0.2]], "'Japn' is no country of this universe. Did you mean"),
    ([["group", "US", None, 0.2]], "'group' names no column. Type group:sector."),
    (
        [["group:desks", "a", None, 0.2]],
        "the securities have no column 'desks' to group by. Did you mean 'desk'?",
    ),
    ([["group:desk", "c", None, 0.2]], "'c' is no desk of this universe."),
    (
        [["group:desk", "a", None, 0.2], ["group:desk", "a", 0.1, None]],
        "row 2: 'desk a' is given twice, first in row 1.",
    ),
    ([[None, "*", None, 0.02]], "constraints row 1: rule is blank."),
    (
        [["sector", "Enrgy", None, 0.1]],
        "row 1: 'Enrgy' is no sector of this universe. Did you mean 'Energy'?",
    ),
    (
        [["weight", "APPL", None, 0.1]],
        "'APPL' is no ticker or sector of this universe. Did you mean 'AAPL'?",
    ),
    (
        [["factor", "Momentm", None, 0.1]],
        "'Momentm' is no factor of this universe. Did you mean 'Momentum'?",
    ),
    (
        [["industry", "Oyl", None, 0.1]],
        "'Oyl' is no industry of this universe. Did you mean 'Oil'?",
    ),
    (
        [["turnover", "AAPL", None, 0.1]],
        "'turnover' is about the whole portfolio; leave who blank, not 'AAPL'.",
    ),
    ([["weight", "*", 0.03, 0.02]], "row 1: min 3 % of 'each weight' is above max 2 %."),
    ([["beta", "", 1.2, 0.9]], "min 1.2 of 'beta' is above max 0.9."),
    (
        [["weight", "*", None, 0.02], ["weight", "*", 0.01, None]],
        "row 2: 'each weight' is given twice, first in row 1.",
    ),
    (
        [["weight", "*", None, 20]],
        "row 1: max 20 means 2000 %. Type 20 % as 0.2, or format the cell in per cent.",
    ),
    ([["turnover", "", None, 5]], "max 5 means 500 %. Type 5 % as 0.05"),
    ([["gross", "", None, 130]], "max 130 means 13000 %. Type 130 % as 1.3"),
    ([["factor", "Value", None, 1000]], "max 1000 is beyond any factor."),
    ([["weight", "*", None, None]], "row 1: 'each weight' has neither min nor max."),
    ([["turnover", "", 0.01, 0.2]], "'turnover' takes a max only; a min of 1 % would leave a hole"),
    ([["volatility", "", None, -0.1]], "'volatility' needs a max of zero or more."),
    ([["turnover", "", None, 0.2, "yes"]], "'turnover' cannot be relative to the benchmark."),
    ([["sector", "*", None, 0.2, "maybe"]], "relative must be yes or no; got 'maybe'."),
    ([["sector", "*", None, 0.2, "", "soft"]], "priority must be 'hard' or a number; got 'soft'."),
    ([["sector", "*", None, 0.2, "", 0]], "priority must be above zero; got 0."),
    (
        [["rule", "who", "maxx"], ["beta", "", 1]],
        "priority. Did you mean 'max'?",
    ),
    ([["who", "min", "max"], ["*", 0, 1]], "the header has no column 'rule'."),
    ([["rule", "who", "max", "max"], ["beta", "", 1, 1]], "the header 'max' is there twice."),
    (
        [["rule", "who", "max"], ["beta", "", 1, 0.5]],
        "row 2: column 4 holds '0.5' but has no header.",
    ),
]


@pytest.mark.parametrize(("grid", "message"), ERRORS, ids=[m[:40] for _, m in ERRORS])
def test_a_wrong_rule_is_an_error_that_says_what_to_do(grid, message):
    with pytest.raises(ArgumentError) as error:
        parse(grid)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("#REF!", "constraints row 2: max is #REF!."),
        ("0.05", "constraints row 2: max is the text '0.05'. Type it as a number."),
        ("5%", "constraints row 2: max is the text '5%'. Type it as a number."),
        (True, "constraints row 2: max is TRUE, not a number."),
        (float("nan"), "constraints row 2: max is not a number. Clear the cell for no bound."),
    ],
)
def test_a_cell_that_is_no_number_is_named_by_its_row(cell, message):
    with pytest.raises(DataError) as error:
        parse([["rule", "who", "min", "max"], ["weight", "*", None, cell]])
    assert str(error.value) == message


def test_the_name_of_the_range_is_the_callers():
    with pytest.raises(ArgumentError, match=r"^rules row 1: 'x' is no rule"):
        parse([["x"]], argument="rules")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule("weight", "*", None, 0.02), "each weight at most 2 %"),
        (Rule("weight", "AAPL", 0.01), "weight AAPL at least 1 %"),
        (
            Rule("sector", "Energy", -0.02, 0.02, relative=True),
            "sector Energy between -2 % and 2 % against the benchmark",
        ),
        (Rule("factor", "*", None, 0.25), "each factor exposure at most 0.25"),
        (Rule("tracking_error", "", None, 0.035), "tracking error at most 3.5 %"),
        (Rule("net", "", 1.0, 1.0), "net exactly 100 %"),
    ],
)
def test_a_rule_reads_as_a_person_would_say_it(rule, words):
    assert rule.words() == words


@pytest.mark.parametrize(
    ("value", "text"), [(0.0164, "1.64 %"), (1.0, "100 %"), (0.07, "7 %"), (-1e-12, "0 %")]
)
def test_an_amount_shows_four_digits_at_most(value, text):
    assert amount(value) == text


def test_numpy_numbers_are_numbers():
    assert parse([["beta", None, np.float64(0.9), np.int64(1)]])[0] == Rule("beta", "", 0.9, 1.0)
