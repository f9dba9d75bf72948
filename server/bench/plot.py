"""How times grow, drawn: a panel for each axis, in logarithms, with the slopes beside."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

WIDTH, HEIGHT, MARGIN, RIGHT = 340, 240, 46, 150
COLORS = ("#1b4d89", "#b5541c", "#3f7d3a", "#7a3f87", "#8a6d00")
TICKS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
WORDS = ("10 µs", "0.1 ms", "1 ms", "10 ms", "0.1 s", "1 s", "10 s")


def slope(points: Sequence[Mapping[str, Any]]) -> float:
    """Return the slope of the upper half of some points in logarithms, where overhead fades."""
    last = sorted(points, key=lambda p: p["size"])[-3:]
    x, y = np.log([p["size"] for p in last]), np.log([p["seconds"] for p in last])
    return float(np.polyfit(x, y, 1)[0])


def drawn(points: Sequence[Mapping[str, Any]]) -> str:
    """Return the picture as SVG."""
    axes = list(dict.fromkeys(p["axis"] for p in points))
    low = min(p["seconds"] for p in points)
    high = max(p["seconds"] for p in points)
    shown = [i for i, t in enumerate(TICKS) if low / 10 <= t <= high * 10]
    bottom, top = np.log(TICKS[shown[0]]), np.log(TICKS[shown[-1]])
    panels = []
    for number, axis in enumerate(axes):
        x0, y0 = number % 2 * (WIDTH + RIGHT), number // 2 * (HEIGHT + 30)
        here = [p for p in points if p["axis"] == axis]
        panels.append(f'<g transform="translate({x0},{y0})">')
        panels += _panel(here, axis, shown, (bottom, top))
        panels.append("</g>")
    width, height = 2 * (WIDTH + RIGHT), -(-len(axes) // 2) * (HEIGHT + 30)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11">'
    )
    return "\n".join([head, *panels, "</svg>"]) + "\n"


def _panel(
    points: Sequence[Mapping[str, Any]],
    axis: str,
    ticks: Sequence[int],
    ends: tuple[float, float],
) -> list[str]:
    sizes = sorted({p["size"] for p in points})
    left, right = np.log(sizes[0]), np.log(sizes[-1])

    def across(size: float) -> float:
        return MARGIN + (np.log(size) - left) / (right - left) * (WIDTH - MARGIN - 10)

    def down(seconds: float) -> float:
        return HEIGHT - 30 - (np.log(seconds) - ends[0]) / (ends[1] - ends[0]) * (HEIGHT - 50)

    lines = [f'<text x="{MARGIN}" y="12" font-weight="bold">{escape(axis)}</text>']
    for tick in ticks:
        y = down(TICKS[tick])
        lines.append(f'<path d="M{MARGIN} {y:.1f}H{WIDTH - 10}" stroke="#ddd"/>')
        lines.append(f'<text x="2" y="{y + 4:.1f}">{WORDS[tick]}</text>')
    for size in sizes:
        at = f'x="{across(size):.1f}" y="{HEIGHT - 12}" text-anchor="middle"'
        lines.append(f"<text {at}>{size:,}</text>")
    works = list(dict.fromkeys(p["work"] for p in points))
    for number, work in enumerate(works):
        color = COLORS[number % len(COLORS)]
        here = sorted((p for p in points if p["work"] == work), key=lambda p: p["size"])
        at = [(across(p["size"]), down(p["seconds"])) for p in here]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in at)
        lines.append(f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="1.5"/>')
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{color}"/>' for x, y in at]
        told = f"{escape(work)}: {slope(here):.1f}"
        y = 24 + 16 * number
        lines.append(f'<text x="{WIDTH}" y="{y}" fill="{color}">{told}</text>')
    return lines
