import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tilt.errors import ArgumentError, TiltError, UnknownNameError
from tilt.factors.expression import FUNCTIONS, evaluate, is_expression, spelled

RNG = np.random.default_rng(2)
T, N = 30, 12
FIELDS = {
    "return_on_equity": RNG.standard_normal((T, N)),
    "Leverage": RNG.standard_normal((T, N)),
    "Earnings Yield": RNG.standard_normal((T, N)),
    "close": np.exp(RNG.standard_normal((T, N))),
}
FIELDS["Leverage"][3, 2] = np.nan
NAMES = spelled(list(FIELDS))


def value(text, fields=FIELDS):
    return evaluate(text, NAMES, lambda name: fields[name])


def test_difference_of_ranks_is_what_it_says():
    got = value("rank(roe) - rank(leverage)")
    for t in (0, 7):
        expected = [
            (stats.rankdata(FIELDS[f][t]) - 0.5) / N for f in ("return_on_equity", "Leverage")
        ]
        np.testing.assert_allclose(got[t], expected[0] - expected[1])
    assert np.isnan(got[3, 2])


def test_names_may_be_typed_in_any_case_and_with_an_underscore_for_a_space():
    np.testing.assert_array_equal(value("EARNINGS_yield * 1"), FIELDS["Earnings Yield"])
    np.testing.assert_array_equal(value("roe + 0"), FIELDS["return_on_equity"])


def test_arithmetic_keeps_its_precedence():
    c, x = FIELDS["close"], FIELDS["return_on_equity"]
    np.testing.assert_allclose(value("-close^2 + 2 * roe / 4"), -(c**2) + x / 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lag(close, 5)", lambda c: np.vstack([np.full((5, N), np.nan), c[:-5]])),
        ("delta(close, 5)", lambda c: np.vstack([np.full((5, N), np.nan), c[5:] - c[:-5]])),
        ("sum(close, 3)", lambda c: np.vstack([np.full((2, N), np.nan), c[2:] + c[1:-1] + c[:-2]])),
        ("log(close)", np.log),
        ("sqrt(close)", np.sqrt),
        ("abs(-close)", lambda c: c),
        ("sign(-close)", lambda c: -np.ones_like(c)),
        ("max(close, 2 * close)", lambda c: 2 * c),
        ("min(close, 2 * close)", lambda c: c),
    ],
)
def test_functions_have_their_textbook_values(text, expected):
    np.testing.assert_allclose(value(text), expected(FIELDS["close"]), rtol=1e-12)


def test_mean_and_deviation_are_of_the_last_days():
    c = FIELDS["close"]
    np.testing.assert_allclose(value("mean(close, 4)")[10], c[7:11].mean(axis=0))
    np.testing.assert_allclose(value("std(close, 4)")[10], c[7:11].std(axis=0), rtol=1e-6)


def test_zscore_has_mean_zero_and_deviation_one_on_each_date():
    z = value("zscore(close)")
    np.testing.assert_allclose(z.mean(axis=1), 0, atol=1e-14)
    np.testing.assert_allclose(z.std(axis=1, ddof=1), 1)


def test_winsorized_values_stay_within_three_deviations():
    wild = {**FIELDS, "close": FIELDS["close"].copy()}
    wild["close"][0, 0] = 1e6
    assert value("winsorize(close)", wild)[0, 0] < 1e6


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_sees_the_future(name):
    text = {"min": "min(close, roe)", "max": "max(close, roe)"}.get(
        name, f"{name}(close, 5)" if name in ("lag", "delta", "sum", "mean", "std") else
        f"{name}(close)"
    )  # fmt: skip
    cut = {k: v[:20] for k, v in FIELDS.items()}
    np.testing.assert_array_equal(value(text, cut), value(text)[:20])


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("rank(levrage)", UnknownNameError, "Unknown name 'levrage' in the expression. Did you"),
        ("rnk(roe)", ArgumentError, "There is no function 'rnk'. Did you mean 'rank'?"),
        ("lag(close, -5)", ArgumentError, "The days of lag are '-5'; they must be a whole number"),
        ("lag(close, 2.5)", ArgumentError, "look back only"),
        ("lag(close)", ArgumentError, r"lag takes 2 arguments: lag\(x, 21\)"),
        ("rank(roe, 3)", ArgumentError, r"rank takes 1 arguments: rank\(x\)"),
        ("rank(roe", ArgumentError, "is not an expression"),
        ("roe +", ArgumentError, "is not an expression"),
        ("roe / 0", ArgumentError, "'roe / 0' divides by zero"),
        ("roe % 2", ArgumentError, "is not one of"),
        ("roe ^ close", ArgumentError, "the power must be a number up to 10"),
        ("1 + 2", ArgumentError, "is a number. Name a field or a factor"),
        ("rank(3)", ArgumentError, "'3' is a number; a field is needed here"),
        ("1" * 501, ArgumentError, "has 501 characters; 500 are the most"),
        ("+" * 45 + "roe", ArgumentError, "nested more than 40 deep"),
        ("roe * 9" + "0" * 400, ArgumentError, "a number that is too large"),
    ],
)
def test_what_is_wrong_is_named(text, error, message):
    with pytest.raises(error, match=message):
        value(text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "close.__class__",
        "[c for c in close]",
        "(lambda: close)()",
        "close if close else roe",
        "'text'",
        "True",
        "open('x')",
        "close[0]",
        "rank(x=close)",
        "rank(*close)",
        "f'{close}'",
        "close := 3",
        "roe; close",
        "",
    ],
)
def test_nothing_but_the_listed_is_obeyed(text):
    with pytest.raises(ArgumentError):
        value(text)


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_an_error_of_ours(text):
    try:
        shape = value(text).shape
    except TiltError:
        shape = (T, N)
    assert shape == (T, N)


def test_plain_names_are_no_expressions():
    assert not is_expression("Earnings Yield")
    assert not is_expression("momentum_12_1")
    assert is_expression("rank(roe)")
    assert is_expression("a - b")
    assert is_expression("-roe")
