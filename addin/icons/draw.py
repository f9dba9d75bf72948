"""Draw the icons of the ribbon: ``python addin/icons/draw.py``.

Each glyph is a handful of strokes and filled shapes on a square of 32 units, drawn at every size
Excel asks for from the distance of a pixel to the shape, so that edges are smooth without any
library. The PNG files stand in the repository beside the add-in's other images.
"""

import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SIZES = (16, 32, 80)
APP_SIZES = (16, 32, 64, 80, 128)  # the add-in itself also shows in the store's list
GRID = 32.0

Point = tuple[float, float]
Color = tuple[int, int, int]

# Middle tones: the ribbon is white, grey or black, by the user's theme.
TEAL: Color = (18, 139, 120)
SLATE: Color = (104, 116, 128)
AMBER: Color = (217, 130, 20)
WHITE: Color = (255, 255, 255)


@dataclass(frozen=True)
class Stroke:
    """A line through points, with round ends.

    Upright and level lines of width 2 at odd units fall on whole pixels at 16 and at 32.
    """

    points: tuple[Point, ...]
    color: Color = SLATE
    width: float = 2.0

    def distance(self, x: float, y: float) -> float:
        ends = zip(self.points, self.points[1:], strict=False)
        return min(_to_segment(x, y, a, b) for a, b in ends) - self.width / 2


@dataclass(frozen=True)
class Disc:
    """A filled circle."""

    center: Point
    radius: float
    color: Color = TEAL

    def distance(self, x: float, y: float) -> float:
        return math.hypot(x - self.center[0], y - self.center[1]) - self.radius


@dataclass(frozen=True)
class Fill:
    """A filled polygon, its corners rounded by ``round_by`` units."""

    points: tuple[Point, ...]
    color: Color = TEAL
    round_by: float = 0.0

    def distance(self, x: float, y: float) -> float:
        edges = list(zip(self.points, self.points[1:] + self.points[:1], strict=True))
        to_edge = min(_to_segment(x, y, a, b) for a, b in edges)
        inside = sum(_crosses(x, y, a, b) for a, b in edges) % 2 == 1
        return (-to_edge if inside else to_edge) - self.round_by


Shape = Stroke | Disc | Fill


def _to_segment(x: float, y: float, a: Point, b: Point) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    along = ((x - a[0]) * dx + (y - a[1]) * dy) / length if length else 0.0
    along = max(0.0, min(1.0, along))
    return math.hypot(x - a[0] - along * dx, y - a[1] - along * dy)


def _crosses(x: float, y: float, a: Point, b: Point) -> bool:
    """Whether the ray from (x, y) to the right crosses the edge from a to b."""
    return (a[1] > y) != (b[1] > y) and x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])


def arc(
    center: Point, radius: float, start: float, end: float, steps: int = 24
) -> tuple[Point, ...]:
    """Return the points of a circle's arc, angles in degrees, clockwise from the right."""
    angles = (math.radians(start + (end - start) * i / steps) for i in range(steps + 1))
    return tuple(
        (center[0] + radius * math.cos(angle), center[1] + radius * math.sin(angle))
        for angle in angles
    )


def curve(points: Sequence[Point], steps: int = 16) -> tuple[Point, ...]:
    """Return points of the quadratic Bézier curve through three control points."""
    a, b, c = points
    return tuple(
        tuple(
            (1 - t) ** 2 * p + 2 * t * (1 - t) * q + t**2 * r
            for p, q, r in zip(a, b, c, strict=True)
        )  # type: ignore[misc]
        for t in (i / steps for i in range(steps + 1))
    )


SQUARE = ((5.0, 5.0), (27.0, 5.0), (27.0, 27.0), (5.0, 27.0))


def box(left: float, top: float, right: float, bottom: float) -> tuple[Point, ...]:
    """Return the corners of an upright rectangle."""
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def outline(points: Sequence[Point], color: Color = SLATE, width: float = 2.0) -> Stroke:
    """Return the line around a polygon."""
    return Stroke((*points, points[0]), color, width)


def sheet(left: float = 5.0, right: float = 23.0) -> tuple[Shape, ...]:
    """Return a sheet of paper with its corner folded."""
    fold = right - 7.0
    edge = ((fold, 3.0), (left, 3.0), (left, 29.0), (right, 29.0), (right, 10.0), (fold, 3.0))
    return (Stroke(edge), Stroke(((fold, 3.5), (fold, 10.0), (right - 0.5, 10.0))))


AXES = Stroke(((5.0, 4.0), (5.0, 27.0), (28.0, 27.0)))
TICK = ((17.5, 23.0), (21.5, 27.0), (29.0, 17.5))

GLYPHS: dict[str, tuple[Shape, ...]] = {
    # A balance beam that leans: the add-in's own mark.
    "tilt": (
        Fill(SQUARE, TEAL, round_by=4.0),
        Fill(((16.0, 17.0), (20.5, 25.0), (11.5, 25.0)), WHITE, round_by=0.8),
        Stroke(((6.5, 18.5), (25.5, 11.5)), WHITE, width=2.8),
        Disc((9.0, 13.4), 2.6, WHITE),
        Disc((22.6, 8.4), 2.6, WHITE),
    ),
    # Two arrows in a circle.
    "refresh": (
        Stroke(arc((16.0, 16.0), 10.5, 190, 325), TEAL, width=3.2),
        Fill(((28.6, 4.6), (28.6, 14.2), (19.4, 12.2)), TEAL, round_by=0.4),
        Stroke(arc((16.0, 16.0), 10.5, 10, 145), SLATE, width=3.2),
        Fill(((3.4, 27.4), (3.4, 17.8), (12.6, 19.8)), SLATE, round_by=0.4),
    ),
    # A calendar with one day marked.
    "as_of": (
        outline(box(5.0, 7.0, 27.0, 27.0)),
        Fill(box(5.0, 7.0, 27.0, 11.4), SLATE, round_by=0.6),
        Stroke(((11.0, 3.5), (11.0, 8.0))),
        Stroke(((21.0, 3.5), (21.0, 8.0))),
        Fill(box(18.4, 18.4, 23.6, 23.6), AMBER, round_by=0.4),
    ),
    # Rows of data under a magnifying glass.
    "quality": (
        Stroke(((3.5, 7.0), (24.0, 7.0))),
        Stroke(((3.5, 15.0), (9.0, 15.0))),
        Stroke(((3.5, 23.0), (10.5, 23.0))),
        Stroke(arc((18.5, 17.0), 6.8, 0, 360, 48), TEAL, width=3.0),
        Stroke(((23.6, 22.2), (28.4, 27.4)), TEAL, width=3.8),
    ),
    # A folder whose content comes in.
    "load_holdings": (
        Stroke(
            (
                (27.0, 15.0),
                (27.0, 27.0),
                (3.0, 27.0),
                (3.0, 7.0),
                (10.5, 7.0),
                (13.0, 11.0),
                (15.5, 11.0),
            )
        ),
        Stroke(((22.0, 3.5), (22.0, 18.5)), TEAL, width=3.2),
        Fill(((16.0, 15.0), (28.0, 15.0), (22.0, 22.4)), TEAL, round_by=0.4),
    ),
    # A list and a tick.
    "check": (
        Stroke(((3.5, 7.0), (24.0, 7.0))),
        Stroke(((3.5, 15.0), (20.0, 15.0))),
        Stroke(((3.5, 23.0), (11.5, 23.0))),
        Stroke(TICK, TEAL, width=3.6),
    ),
    # A diskette.
    # Two columns of bars that differ.
    "compare": (
        Fill(box(4.0, 14.0, 8.6, 27.0), SLATE, round_by=0.4),
        Fill(box(10.4, 7.0, 15.0, 27.0), TEAL, round_by=0.4),
        Fill(box(18.0, 5.0, 22.6, 27.0), SLATE, round_by=0.4),
        Fill(box(24.4, 18.0, 29.0, 27.0), TEAL, round_by=0.4),
    ),
    "save": (
        outline(((5.0, 5.0), (22.5, 5.0), (27.0, 9.5), (27.0, 27.0), (5.0, 27.0))),
        Fill(box(10.4, 18.4, 21.6, 26.0), TEAL, round_by=0.4),
        Fill(box(10.4, 5.4, 19.6, 11.6), SLATE, round_by=0.4),
    ),
    # Bars to both sides of a line: active exposures.
    "factor_analysis": (
        Stroke(((15.0, 3.5), (15.0, 28.5))),
        Fill(box(16.6, 6.6, 27.4, 9.4), TEAL, round_by=0.7),
        Fill(box(6.6, 14.6, 13.4, 17.4), AMBER, round_by=0.7),
        Fill(box(16.6, 22.6, 23.4, 25.4), TEAL, round_by=0.7),
    ),
    # The spread of what may come, and its loss tail.
    "risk": (
        Fill(
            ((4.0, 26.5), (7.0, 25.4), (10.0, 22.0), (11.0, 20.0), (11.0, 26.5)),
            AMBER,
            round_by=0.6,
        ),
        Stroke(
            (
                *curve(((3.5, 26.0), (10.0, 25.0), (12.0, 14.0))),
                *curve(((12.0, 14.0), (16.0, -4.5), (20.0, 14.0))),
                *curve(((20.0, 14.0), (22.0, 25.0), (28.5, 26.0))),
            ),
            TEAL,
            width=2.8,
        ),
        Stroke(((3.5, 29.0), (28.5, 29.0))),
    ),
    # Steps up and down from one level to another: what made the difference.
    "attribution": (
        Fill(box(4.0, 17.0, 8.6, 27.0), SLATE, round_by=0.4),
        Fill(box(10.4, 7.0, 15.0, 16.0), TEAL, round_by=0.4),
        Fill(box(17.0, 7.0, 21.6, 12.0), AMBER, round_by=0.4),
        Stroke(((8.6, 16.6), (10.4, 16.6)), SLATE, width=1.6),
        Stroke(((15.0, 7.0), (17.0, 7.0)), SLATE, width=1.6),
        Fill(box(23.4, 12.0, 28.0, 27.0), SLATE, round_by=0.4),
    ),
    # The efficient frontier and the portfolio chosen on it.
    "optimize": (
        AXES,
        Stroke(curve(((9.0, 24.0), (8.5, 9.0), (27.5, 7.0))), TEAL, width=2.8),
        Disc((14.2, 12.2), 4.2, AMBER),
    ),
    # A target and what comes close to it.
    "tracking_error": (
        Stroke(arc((15.0, 17.0), 11.0, 0, 360, 60), SLATE, width=2.6),
        Stroke(arc((15.0, 17.0), 5.4, 0, 360, 48), TEAL, width=2.8),
        Stroke(((15.0, 17.0), (28.0, 4.0)), AMBER, width=2.8),
        Disc((15.0, 17.0), 2.6, AMBER),
    ),
    # One bar of many, taken out.
    "pure_factor": (
        Fill(box(4.0, 18.0, 8.6, 27.0), SLATE, round_by=0.4),
        Fill(box(11.0, 22.0, 15.6, 27.0), SLATE, round_by=0.4),
        Fill(box(18.0, 4.0, 22.6, 27.0), TEAL, round_by=0.4),
        Fill(box(25.0, 20.0, 29.0, 27.0), SLATE, round_by=0.4),
    ),
    # A way that forks.
    "what_if": (
        Stroke(((16.0, 29.0), (16.0, 18.0)), SLATE, width=3.0),
        Stroke(((16.0, 18.5), (8.0, 9.5)), SLATE, width=3.0),
        Stroke(((16.0, 18.5), (23.0, 10.5)), TEAL, width=3.2),
        Fill(((20.4, 6.0), (28.4, 4.6), (26.6, 13.0)), TEAL, round_by=0.4),
        Disc((7.4, 8.6), 2.6, SLATE),
    ),
    # Wealth through time against the benchmark's.
    "backtest": (
        AXES,
        Stroke(((8.0, 23.5), (14.0, 20.0), (19.5, 21.0), (27.5, 15.5)), SLATE, width=2.2),
        Stroke(((8.0, 20.0), (13.5, 12.5), (18.5, 15.5), (27.5, 5.0)), TEAL, width=3.0),
    ),
    # A sheet with a chart on it.
    "export_report": (
        *sheet(),
        Fill(box(8.3, 20.3, 9.7, 25.7), TEAL, round_by=0.3),
        Fill(box(12.3, 14.3, 13.7, 25.7), TEAL, round_by=0.3),
        Fill(box(16.3, 18.3, 17.7, 25.7), AMBER, round_by=0.3),
    ),
    # A table that leaves its frame.
    "share_as_values": (
        Stroke(((16.0, 7.0), (3.0, 7.0), (3.0, 27.0), (25.0, 27.0), (25.0, 19.5))),
        Stroke(((3.0, 17.0), (11.0, 17.0))),
        Stroke(((11.0, 7.0), (11.0, 27.0))),
        Stroke(curve(((15.5, 20.5), (15.5, 9.5), (24.0, 9.0))), TEAL, width=3.2),
        Fill(((22.6, 3.0), (29.6, 9.0), (22.6, 15.0)), TEAL, round_by=0.4),
    ),
    # An open book.
    "documentation": (
        Stroke(((16.0, 8.0), (16.0, 28.0)), TEAL),
        Stroke(
            ((16.0, 8.0), (11.0, 5.0), (3.0, 5.0), (3.0, 25.0), (11.0, 25.0), (16.0, 28.0)), SLATE
        ),
        Stroke(
            ((16.0, 8.0), (21.0, 5.0), (29.0, 5.0), (29.0, 25.0), (21.0, 25.0), (16.0, 28.0)), SLATE
        ),
        Stroke(((7.5, 11.0), (12.0, 11.0)), TEAL, width=2.0),
        Stroke(((7.5, 17.0), (12.0, 17.0)), TEAL, width=2.0),
        Stroke(((20.0, 11.0), (24.5, 11.0)), TEAL, width=2.0),
        Stroke(((20.0, 17.0), (24.5, 17.0)), TEAL, width=2.0),
    ),
    # A new sheet with a table.
    "starter_workbook": (
        *sheet(),
        Stroke(((9.0, 15.0), (15.0, 15.0))),
        Stroke(((9.0, 21.0), (13.5, 21.0))),
        Disc((23.0, 22.5), 6.6, TEAL),
        Stroke(((23.0, 19.2), (23.0, 25.8)), WHITE, width=2.2),
        Stroke(((19.7, 22.5), (26.3, 22.5)), WHITE, width=2.2),
    ),
    # A gauge and its needle.
    "status": (
        Stroke(arc((16.0, 19.0), 12.0, 160, 290), TEAL, width=3.4),
        Stroke(arc((16.0, 19.0), 12.0, 310, 380), AMBER, width=3.4),
        Stroke(((16.0, 19.0), (21.0, 12.0)), SLATE, width=2.6),
        Disc((16.0, 19.0), 3.0, SLATE),
    ),
}


def draw(shapes: Iterable[Shape], size: int) -> list[bytearray]:
    """Return rows of RGBA bytes: the shapes one over the other on nothing."""
    scale = GRID / size
    painted = tuple(shapes)
    rows = []
    for j in range(size):
        row = bytearray()
        for i in range(size):
            row += _pixel(painted, (i + 0.5) * scale, (j + 0.5) * scale, scale)
        rows.append(row)
    return rows


def _pixel(shapes: Sequence[Shape], x: float, y: float, scale: float) -> bytes:
    red = green = blue = alpha = 0.0
    for shape in shapes:
        cover = max(0.0, min(1.0, 0.5 - shape.distance(x, y) / scale))
        below = alpha * (1 - cover)
        alpha = cover + below
        if alpha:
            red, green, blue = (
                (new * cover + old * below) / alpha
                for new, old in zip(shape.color, (red, green, blue), strict=True)
            )
    return bytes((round(red), round(green), round(blue), round(alpha * 255)))


def png(rows: Sequence[bytes | bytearray]) -> bytes:
    """Return the file: eight bits, red, green, blue, alpha."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    size = struct.pack(">IIBBBBB", len(rows[0]) // 4, len(rows), 8, 6, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows), 9)
    head = b"\x89PNG\r\n\x1a\n"
    return head + chunk(b"IHDR", size) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def main() -> None:
    """Write every glyph at every size."""
    images = Path(__file__).parents[1] / "static" / "images"
    for name, shapes in GLYPHS.items():
        for size in APP_SIZES if name == "tilt" else SIZES:
            (images / "icons" / f"{name}-{size}.png").write_bytes(png(draw(shapes, size)))
    (images / "favicon.png").write_bytes(png(draw(GLYPHS["tilt"], 32)))


if __name__ == "__main__":
    main()
