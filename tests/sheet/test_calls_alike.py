"""What calls of a batch have in common is read once, and not by who would read it otherwise."""

import pytest

from tilt.api.alike import Asked, part
from tilt.api.batches import read_batch
from tilt.api.calls import _together
from tilt.api.cells import Argument, Cell
from tilt.errors import ArgumentError
from tilt.portfolio.cells import DECIMAL_SIGN


def cell_of(read):
    """Return a function of one argument, and the calls of a batch that ask it."""
    argument = Argument("it", "", lambda grid, _: read(grid[0][0]))
    cell = Cell("ask", "", "", "", "", (argument,), lambda it: it, lambda rows: rows, {})

    def rows(*texts, culture="en-US"):
        bodies = [{"func_name": "ask", "args": [[[text]]]} for text in texts]
        (alike,), others = part({"ask": cell}, bodies, {"culture_info_name": culture})
        assert others == []
        token = DECIMAL_SIGN.set(alike.decimal)
        try:
            asked = Asked(alike)
            return asked.each(asked.read())
        finally:
            DECIMAL_SIGN.reset(token)

    return rows


def test_a_text_is_read_once_for_all_batches_and_a_number_for_each():
    seen = []
    rows = cell_of(lambda value: seen.append(value) or value)
    assert rows("AAPL", "MSFT", "AAPL") == rows("AAPL", "MSFT", "AAPL")
    assert rows(1, 1.0) == [(1,), (1.0,)]
    assert rows(1) == [(1,)]
    assert seen == ["AAPL", "MSFT", 1, 1.0, 1]


def test_a_long_text_is_not_kept():
    seen = []
    rows = cell_of(lambda value: seen.append(value) or value)
    assert rows("x" * 1000) == rows("x" * 1000)
    assert len(seen) == 2


def test_a_text_is_read_by_the_decimal_sign_of_each_reader():
    rows = cell_of(lambda value: float(value.replace(DECIMAL_SIGN.get(), ".")))
    assert rows("1,5", culture="de-DE") == [(1.5,)]
    with pytest.raises(ValueError, match="could not convert"):
        rows("1,5", culture="en-US")


def test_a_text_that_cannot_be_read_is_read_anew():
    wrong = [ArgumentError("not yet")]

    def read(value):
        if wrong:
            raise wrong.pop()
        return value

    rows = cell_of(read)
    (error,) = rows("AAPL")
    assert str(error) == "not yet"
    assert rows("AAPL") == [("AAPL",)]


@pytest.mark.parametrize(
    "odd", [[], [[]], [[1, 2]], [[1], [2]], [1], "A", ["A"], {"A": 1}, [{"A": 1}], [["A"], "B"]]
)
def test_only_calls_of_single_cells_are_alike(odd):
    cell = Cell("ask", "", "", "", "", (Argument("it", "", lambda g, _: g),), len, len, {})
    bodies = [{"func_name": "ask", "args": [given]} for given in ([["A"]], odd, [["B"]])]
    (alike,), others = part({"ask": cell}, bodies, {})
    assert (list(alike.places), alike.columns, others) == ([0, 2], [["A", "B"]], [1])


def test_the_audit_is_told_how_many_calls_of_each_function_were_read():
    cell = Cell("ask", "", "", "", "", (Argument("it", "", lambda g, _: g),), len, len, {})
    alone = Cell("alone", "", "", "", "", (), len, None, {})
    names = ["ask", "alone", "ask", "none", "alone", "ask"]
    calls = [{"func_name": name, "args": [[["A"]]]} for name in names]
    batch = read_batch({"ask": cell, "alone": alone}, {"calls": calls}, ())
    assert batch.counts == {"ask": 3, "alone": 2}


@pytest.mark.parametrize("last", [2.5, float("nan"), True, 3, "text", None, ArgumentError("no")])
def test_numbers_are_written_alike_whatever_stands_beside_them(last):
    results = [[[0.5]], [[1.5]], last if isinstance(last, ArgumentError) else [[last]]]
    together = _together(lambda _: results, [()] * 3, rich=False)
    singly = [_together(lambda _, one=one: [one], [()], rich=False)[0] for one in results]
    assert together == singly
    assert together[:2] == [[[0.5]], [[1.5]]]
