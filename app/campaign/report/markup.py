"""HTML and SVG put together so that whatever is text stays text."""

from __future__ import annotations

from html import escape

_VOID = frozenset({"meta", "br", "rect", "line", "polygon"})


class Markup(str):
    """Text that is markup already, and goes into a page as it is."""

    __slots__ = ()


def element(name: str, *content: str | None, **attributes: str | float | None) -> Markup:
    """An element.

    Args:
        name: of the element.
        content: markup as it is, other text escaped; none is left out.
        attributes: by name, `_` standing for `-` and a last one for nothing (`class_`); none is left out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_written(value))}"' for key, value in attributes.items() if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{given}/>")
    return Markup(f"<{name}{given}>{joined(*content)}</{name}>")


def joined(*content: str | None) -> Markup:
    """Pieces one after the other: markup as it is, other text escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in content if part is not None))


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
