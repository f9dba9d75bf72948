"""An argument of one cell is read as the same cell of a range is."""

import pytest

from tilt.api.values import read_grid
from tilt.errors import ArgumentError

ERROR = {"type": "Error", "errorType": "NotAvailable", "basicValue": "#N/A"}
DATE = {"type": "FormattedNumber", "basicValue": 42735.0, "numberFormat": "yyyy-mm-dd"}


@pytest.mark.parametrize(
    "value",
    [
        "AAPL",
        "BRK.B",
        "two words",
        "a\u200bb",
        "Nestl\u00e9",
        "\tA",
        1,
        2.5,
        True,
        False,
        ERROR,
        DATE,
    ],
)
def test_one_cell_is_read_as_in_a_range(value):
    alone, beside = read_grid([[value]], "x"), read_grid([[value, value]], "x")
    assert alone is not None
    assert beside is not None
    assert alone == [beside[0][:1]]
    assert type(alone[0][0]) is type(beside[0][0])


@pytest.mark.parametrize("blank", ["", None, "\u200b"])
def test_one_blank_cell_is_an_argument_left_out(blank):
    assert read_grid([[blank]], "x") is None


def test_one_cell_that_is_neither_number_nor_text_is_refused():
    with pytest.raises(ArgumentError, match="neither number nor text"):
        read_grid([[["deep"]]], "x")
