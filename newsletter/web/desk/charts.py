"""
Charts as SVG, drawn on the server: bars that are cut into parts, and a curve over time.

Takes numbers and words; yields markup to put into a page. Promises that every chart has a name and says in a sentence
what it shows, that whatever words it is given stay words, and that its colours are classes (`s1` to `s5`, `ok`, `warn`,
`err`, `rest`) of the style sheet, so that they follow light and dark. Charts hold no visible text: they stretch to any
width, and a table beside them has the numbers.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from markupsafe import Markup

WIDTH: Final = 1000
"""Of every chart, in units of its own: pages stretch it to their width."""

_BAR: Final = 10
_CURVE: Final = 200
_GAP: Final = 2
_SMALLEST: Final = 3
"""Units: a part that is not nothing is seen, however small."""


class Slice(NamedTuple):
    """A part of a bar: how much, its colour, and its name."""

    value: float
    tone: str
    label: str


def stacked(slices: Sequence[Slice], *, name: str, title: str, text: str, full: float | None = None) -> Markup:
    """
    Draw one bar of several parts; `full` is what the whole width stands for, by default all parts together.

    `name` is the chart's own on its page: letters, digits and hyphens.
    """
    svg = _chart(name, title=title, text=text, height=_BAR, kind="stacked")
    there = [part for part in slices if part.value > 0]
    total = max(full or 0, sum(part.value for part in there))
    _rect(svg, x=0, width=WIDTH, tone="track")
    if total <= 0:
        return _markup(svg)
    left = 0.0
    for part in there:
        width = max(_SMALLEST, part.value / total * WIDTH)
        gap = _GAP if width > 2 * _GAP else 0
        rect = _rect(svg, x=left, width=min(width, WIDTH - left) - gap, tone=part.tone)
        if part.label:
            ET.SubElement(rect, "title").text = part.label
        left += width
    return _markup(svg)


def curve(values: Sequence[float], *, name: str, title: str, text: str) -> Markup:
    """Draw how a number goes over time, at even distances; the highest touches the upper edge."""
    svg = _chart(name, title=title, text=text, height=_CURVE, kind="curve")
    for share in (0.0, 0.5, 1.0):
        line = {"x1": "0", "x2": str(WIDTH), "y1": _number(share * _CURVE), "y2": _number(share * _CURVE)}
        ET.SubElement(svg, "line", {"class": "grid", "vector-effect": "non-scaling-stroke", **line})
    top = max(values, default=0)
    if top <= 0:
        return _markup(svg)
    # One value alone is a level, not a point.
    level = values if len(values) > 1 else [*values, *values]
    step = WIDTH / (len(level) - 1)
    points = [f"{_number(place * step)},{_number(_CURVE * (1 - value / top))}" for place, value in enumerate(level)]
    drawn = " L".join(points)
    ET.SubElement(svg, "path", {"class": "under", "d": f"M0,{_CURVE} L{drawn} L{WIDTH},{_CURVE} Z"})
    ET.SubElement(svg, "path", {"class": "line", "vector-effect": "non-scaling-stroke", "d": f"M{drawn}"})
    return _markup(svg)


def _chart(name: str, *, title: str, text: str, height: int, kind: str) -> ET.Element:
    svg = ET.Element(
        "svg",
        {
            "class": f"chart {kind}",
            "viewBox": f"0 0 {WIDTH} {height}",
            "preserveAspectRatio": "none",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-text",
        },
    )
    ET.SubElement(svg, "title", {"id": f"{name}-title"}).text = title
    ET.SubElement(svg, "desc", {"id": f"{name}-text"}).text = text
    return svg


def _rect(svg: ET.Element, *, x: float, width: float, tone: str) -> ET.Element:
    place = {"x": _number(x), "y": "0", "width": _number(max(0.0, width)), "height": str(_BAR)}
    return ET.SubElement(svg, "rect", {"class": tone, **place})


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _markup(svg: ET.Element) -> Markup:
    return Markup(ET.tostring(svg, encoding="unicode"))  # noqa: S704  the serialiser has escaped every word
