"""
The pictures of the bundled sample, drawn where they are needed: the repository holds no generated files.

Takes a folder; yields one PNG a scene of `newsletter.cli.scenes`, `WIDTH` by `HEIGHT` pixels; promises the same bytes
every time with the same Pillow. Scenes are drawn `SCALE` times as large and reduced, which smooths their edges.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from PIL import Image, ImageDraw

from newsletter.cli.scenes import SCENES
from newsletter.cli.shapes import HEIGHT, WIDTH, Box, Circle, Point, Stop

SCALE: Final = 3
"""Nine drawn pixels make one: coarser steps are seen on wires and spokes, finer ones nowhere."""


def draw_pictures(folder: Path) -> list[Path]:
    """
    Draw every picture that the sample's pack names into `folder`, which is made if it does not exist.

    The pack names them as `images/NAME.png`, so `folder` is the folder `images` beside the pack. What is drawn is the
    same whatever the folder; files of these names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, scene in SCENES.items():
        path = folder / f"{name}.png"
        picture = Picture()
        scene(picture, Random(name))
        picture.save(path)
        paths.append(path)
    return paths


class Picture:
    """A picture in the making: the `Canvas` of the scenes, by Pillow."""

    def __init__(self) -> None:
        self._image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE))
        # In this mode a colour with a fourth part is laid over what is there instead of replacing it.
        self._pen = ImageDraw.Draw(self._image, "RGBA")

    def gradient(self, box: Box, stops: Sequence[Stop]) -> None:
        """Fill a box from top to bottom through stops between 0 and 1."""
        left, top, width, height = box
        rows = round(height * SCALE)
        for row in range(rows):
            ends = (left * SCALE, top * SCALE + row, (left + width) * SCALE, top * SCALE + row)
            self._pen.line(ends, fill=_mixed(stops, row / rows))

    def shape(self, points: Iterable[Point], colour: str) -> None:
        """Fill a polygon."""
        self._pen.polygon(_scaled(points), fill=colour)

    def box(self, box: Box, colour: str, *, radius: float = 0) -> None:
        """Fill a rectangle, its corners rounded."""
        left, top, width, height = box
        corners = (left * SCALE, top * SCALE, (left + width) * SCALE - 1, (top + height) * SCALE - 1)
        self._pen.rounded_rectangle(corners, radius * SCALE, fill=colour)

    def disc(self, circle: Circle, colour: str) -> None:
        """Fill a circle."""
        x, y, radius = circle
        self._pen.circle((x * SCALE, y * SCALE), radius * SCALE, fill=colour)

    def ring(self, circle: Circle, colour: str, *, width: float) -> None:
        """Draw a circle's line, inwards from its radius."""
        x, y, radius = circle
        self._pen.circle((x * SCALE, y * SCALE), radius * SCALE, outline=colour, width=round(width * SCALE))

    def stroke(self, points: Iterable[Point], colour: str, *, width: float) -> None:
        """Draw a line through points."""
        self._pen.line(_scaled(points), fill=colour, width=round(width * SCALE), joint="curve")

    def save(self, path: Path) -> None:
        """Write the picture in its final size."""
        self._image.reduce(SCALE).save(path, "PNG", optimize=True)


def _scaled(points: Iterable[Point]) -> list[Point]:
    return [(x * SCALE, y * SCALE) for x, y in points]


def _mixed(stops: Sequence[Stop], place: float) -> tuple[int, int, int]:
    """Return the colour at a place between 0 and 1."""
    below = max(number for number, stop in enumerate(stops[:-1]) if stop[0] <= place)
    (start, first), (end, last) = stops[below : below + 2]
    part = (place - start) / (end - start)
    pairs = [(int(first[digit : digit + 2], 16), int(last[digit : digit + 2], 16)) for digit in (1, 3, 5)]
    red, green, blue = (round(one + (other - one) * part) for one, other in pairs)
    return red, green, blue
