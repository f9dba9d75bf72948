"""Every tab as an accessibility scan and a ruler see it, in light and dark."""

import pytest

pytestmark = pytest.mark.browser


def test_an_accessibility_scan_of_every_tab_finds_nothing(looks):
    assert len(looks) == 16
    assert {name: seen["scan"] for name, seen in looks.items() if seen["scan"]} == {}


def test_every_tab_fits_320_pixels(looks):
    assert {seen["width"] for seen in looks.values()} == {320}
