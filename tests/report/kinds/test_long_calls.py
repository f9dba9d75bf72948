"""A formula that Excel would refuse is not written: it would not open the file as it is."""

from dataclasses import replace

import pytest
from report_kinds import RULES

from tilt.report.live_calls import LENGTHY, Calls, _block
from tilt.report.record import Record
from tilt.report.typed import LONGEST_FORMULA, LONGEST_TEXT, is_too_long, typed_text

IDEA = "rank(book_to_price)"
MANY = "+".join([IDEA] * 20)
WIDE = [["weight", f"N{n:04d}", 0.0, 0.05] for n in range(400)]


@pytest.fixture(scope="module")
def optimized(chapters):
    """The table that OPTIMIZE gives, as it is before anybody looked which cell does."""
    sections = chapters["optimization"].sections
    blocks = (block for s in sections for sheet in s.sheets for block in sheet.blocks())
    block = next(b for b in blocks if b.live and b.live[0].call.startswith("TILT.OPTIMIZE("))
    return replace(block, live=(), not_live="")


@pytest.mark.parametrize(
    ("alpha", "rules", "why_not"),
    [(IDEA, RULES, ""), (MANY, RULES, LENGTHY), (IDEA, WIDE, LENGTHY)],
)
def test_a_call_too_long_to_be_typed_is_not_offered(panel, optimized, alpha, rules, why_not):
    calls = Calls("Fund", panel, rules, {"alpha": alpha}, Record(), is_default=True)
    found = _block(optimized, calls)
    assert (bool(found.live), found.not_live) == (not why_not, why_not)


def test_a_text_counts_as_it_is_read_and_a_formula_as_it_is_typed():
    quotes = typed_text('"' * LONGEST_TEXT)
    assert len(quotes) == 2 * LONGEST_TEXT + 2
    assert not is_too_long(f"TILT.RISK({quotes})")
    assert is_too_long(f"TILT.RISK({typed_text('x' * (LONGEST_TEXT + 1))})")
    assert is_too_long("1+" * (LONGEST_FORMULA // 2))
