"""Curves of a history as SVG, which a notebook shows beside the table: hover tells the values."""

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT = 270, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 12, 26, 34
_LOOKS = (("#0072B2", ""), ("#D55E00", ' stroke-dasharray="5 3"'))  # training, validation
_MOST_PANELS = 4
_MOST_DOTS = 100  # epochs, beyond which a line has no dots


def drawing_of(epochs: Sequence[int], figures: Mapping[str, Sequence[float]]) -> str:
    """Return each figure and its validation's as a panel by epoch; empty for a single epoch."""
    if len(epochs) < 2:
        return ""
    names = [n for n in figures if not n.startswith("val_") or n[4:] not in figures]
    panels = [
        _panel(epochs, {n: figures[n] for n in (name, f"val_{name}") if n in figures})
        for name in names[:_MOST_PANELS]
    ]
    return f'<div style="display:flex;flex-wrap:wrap">{"".join(panels)}</div>'


def _panel(epochs: Sequence[int], lines: Mapping[str, Sequence[float]]) -> str:
    finite = [v for values in lines.values() for v in values if math.isfinite(v)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    if low == high:
        low, high = low - 0.5, high + 0.5
    across = (_WIDTH - _LEFT - _RIGHT) / (len(epochs) - 1)
    up = (_HEIGHT - _TOP - _BOTTOM) / (high - low)
    bottom = _HEIGHT - _BOTTOM

    def place(index: int, value: float) -> tuple[float, float]:
        return _LEFT + index * across, bottom - (value - low) * up

    parts = []
    for level in (low, (low + high) / 2, high):
        y = place(0, level)[1]
        parts.append(
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="currentColor" opacity=".2"/>'
            f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{level:.3g}</text>'
        )
    for index, anchor in ((0, "middle"), (len(epochs) - 1, "end")):
        x, label = place(index, low)[0], epochs[index] + 1
        parts.append(f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="{anchor}">{label}</text>')
    parts.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 6}" text-anchor="middle">epoch</text>')
    start = _LEFT
    for (name, values), (colour, dash) in zip(lines.items(), _LOOKS, strict=False):
        points = [
            (epoch, value, *place(index, value)) if math.isfinite(value) else None
            for index, (epoch, value) in enumerate(zip(epochs, values, strict=True))
        ]
        parts.append(_line(name, points, colour, dash))
        parts.append(f'<text x="{start}" y="14" fill="{colour}">{escape(name)}</text>')
        start += 8 * len(name) + 12
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" font-size="11" fill="currentColor" role="img" '
        f'aria-label="{escape(", ".join(lines), quote=True)} by epoch">{"".join(parts)}</svg>'
    )


_Point = tuple[int, float, float, float] | None


def _line(name: str, points: Sequence[_Point], colour: str, dash: str) -> str:
    """Return a line with a gap where a value is not finite, and a dot for each epoch."""
    path, drawn = "", False
    for point in points:
        if point is not None:
            path += f"{'L' if drawn else 'M'}{point[2]:.1f} {point[3]:.1f}"
        drawn = point is not None
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}">'
        f"<title>epoch {epoch + 1}: {escape(name)} {value:.5g}</title></circle>"
        for epoch, value, x, y in filter(None, points)
    )
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.8"{dash}/>'
        f"{dots if len(points) <= _MOST_DOTS else ''}"
    )
