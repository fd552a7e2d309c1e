"""Drawings of figures as SVG: no script, no font of their own, colours from the page's style sheet, and each with a title."""

from __future__ import annotations

from collections.abc import Sequence

from app.campaign.figures import EDGES
from app.campaign.report.markup import Markup, element

_FUNNEL = (180.0, 340.0, 640.0)
"""Where the funnel begins, how wide it is, and how wide the drawing."""
_STEP, _BAR = 58.0, 34.0
_SPREAD = (300.0, 112.0, 88.0)
"""How wide and high a spread is, and where its axis runs."""
_THOUSANDS = ((1_000_000, "M"), (1_000, "k"))


def bar(parts: Sequence[float], title: str) -> Markup:
    """A bar of several parts in a row, as long as its cell allows; 1 is the whole length."""
    drawn, at = [], 0.0
    for place, part in enumerate(parts):
        if part > 0:
            drawn.append(element("rect", x=100 * at, y=0, width=max(100 * part, 0.4), height=10, class_=f"part{place}"))
        at += part
    return element(
        "svg", element("title", title), *drawn, class_="bar", viewBox="0 0 100 10", preserveAspectRatio="none", role="img", aria_label=title
    )


def funnel(steps: Sequence[tuple[str, str, float]], title: str) -> Markup:
    """Steps below each other, each as wide as its share of the first.

    Args:
        steps: the name of each, its figure in words, and its share from 0 to 1.
        title: what the drawing shows.
    """
    left, wide, whole = _FUNNEL
    middle = left + wide / 2
    drawn: list[Markup] = []
    for place, (name, figure, part) in enumerate(steps):
        top, half = place * _STEP, max(wide * part / 2, 1)
        drawn.append(element("rect", x=middle - half, y=top, width=2 * half, height=_BAR, rx=3, class_="part0"))
        if place + 1 < len(steps):
            next_half, below = max(wide * steps[place + 1][2] / 2, 1), top + _STEP
            corners = ((middle - half, top + _BAR), (middle + half, top + _BAR), (middle + next_half, below), (middle - next_half, below))
            drawn.append(element("polygon", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in corners), class_="between"))
        drawn.append(element("text", name, x=left - 14, y=top + _BAR / 2 + 5, text_anchor="end"))
        drawn.append(element("text", figure, x=left + wide + 14, y=top + _BAR / 2 + 5, class_="figure"))
    high = _STEP * (len(steps) - 1) + _BAR
    return _drawing("funnel", title, whole, high, drawn)


def buckets_in_use(rows: Sequence[Sequence[float]]) -> tuple[int, int]:
    """The first bucket that any of several spreads uses, and the first after the last one: they are drawn over the same scores."""
    used = [place for row in rows for place, height in enumerate(row) if height]
    return (min(used), max(used) + 1) if used else (0, 1)


def spread(heights: Sequence[float], first: int, end: int, title: str) -> Markup:
    """How scores spread over the buckets from `first` to before `end`; a height of 1 is the highest column."""
    wide, high, axis = _SPREAD
    step = wide / (end - first)
    drawn = [element("line", x1=0, y1=axis, x2=wide, y2=axis, class_="axis")]
    for place in range(first, end):
        x = (place - first) * step
        if heights[place] > 0:
            tall = max(heights[place] * (axis - 6), 1.5)
            drawn.append(element("rect", x=x + step * 0.06, y=axis - tall, width=step * 0.88, height=tall, class_="part0"))
        if place > 0 and _is_power(EDGES[place - 1]):
            drawn.append(element("line", x1=x, y1=axis, x2=x, y2=axis + 4, class_="axis"))
            drawn.append(element("text", short(EDGES[place - 1]), x=x, y=high - 4, text_anchor="start" if x < step else "middle"))
    return _drawing("spread", title, wide, high, drawn)


def short(number: float) -> str:
    """A round number as an axis has it: `10k`."""
    for unit, sign in _THOUSANDS:
        if number >= unit:
            return f"{number / unit:g}{sign}"
    return f"{number:g}"


def _drawing(kind: str, title: str, wide: float, high: float, drawn: Sequence[Markup]) -> Markup:
    size = f"0 0 {wide:.0f} {high:.0f}"
    return element("svg", element("title", title), *drawn, class_=kind, viewBox=size, role="img", aria_label=title)


def _is_power(number: float) -> bool:
    return str(int(number)).rstrip("0") == "1"
