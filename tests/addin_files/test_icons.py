"""The icons in the repository are those that the drawing gives, and can be told apart."""

import importlib.util
import itertools
from pathlib import Path

import pytest

ADDIN = Path(__file__).parents[2] / "addin"
ICONS = ADDIN / "static" / "images" / "icons"
spec = importlib.util.spec_from_file_location("draw_icons", ADDIN / "icons" / "draw.py")
draw = importlib.util.module_from_spec(spec)
spec.loader.exec_module(draw)


@pytest.mark.parametrize("name", sorted(draw.GLYPHS))
def test_an_icon_is_the_one_drawn(name):
    for size in (16, 32):
        drawn = draw.png(draw.draw(draw.GLYPHS[name], size))
        assert (ICONS / f"{name}-{size}.png").read_bytes() == drawn


def test_there_is_no_icon_that_nobody_draws():
    files = {path.stem.rpartition("-")[0] for path in ICONS.glob("*.png")}
    assert files == set(draw.GLYPHS)


def test_no_two_icons_look_alike_at_sixteen_pixels():
    covers = {
        name: [row[i] for row in draw.draw(shapes, 16) for i in range(3, 64, 4)]
        for name, shapes in draw.GLYPHS.items()
    }
    for (one, a), (other, b) in itertools.combinations(covers.items(), 2):
        differ = sum(abs(x - y) for x, y in zip(a, b, strict=True)) / 255
        assert differ > 25, f"{one} and {other} cover the same pixels but {differ:.0f}"


@pytest.mark.parametrize("name", sorted(draw.GLYPHS))
def test_an_icon_fills_its_square_without_touching_the_edge(name):
    rows = draw.draw(draw.GLYPHS[name], 80)
    alpha = [[row[i] for i in range(3, 320, 4)] for row in rows]
    edge = [*alpha[0], *alpha[-1], *(r[0] for r in alpha), *(r[-1] for r in alpha)]
    assert max(edge) == 0 or name == "tilt"
    used = [i for i, row in enumerate(alpha) if max(row) > 128]
    assert used[-1] - used[0] > 44
