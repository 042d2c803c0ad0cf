"""
What the pictures of the bundled sample are made of: hills, houses, trains, people, in one palette.

Each function takes a canvas, a place and a size, and draws one thing. Every measure is in pixels of the finished
picture, counted from its upper left corner; things that stand are placed by the ground under them. What looks
accidental comes from `chance`, so that the same seed gives the same picture. Knows nothing of the library behind the
canvas.
"""

import math
from collections.abc import Iterable, Sequence
from random import Random
from typing import Final, Protocol

WIDTH: Final = 1200
HEIGHT: Final = 600

Point = tuple[float, float]
"""Right of the left edge, below the upper one."""

Box = tuple[float, float, float, float]
"""Left, top, width, height."""

Circle = tuple[float, float, float]
"""Centre and radius."""

Stop = tuple[float, str]
"""A place of a gradient between 0 and 1, and its colour there."""

INK, NIGHT, INDIGO, DUSK, PLUM = "#11152f", "#1b2247", "#2c3669", "#4b4a86", "#7d5a8c"
ROSE, APRICOT, AMBER, GLOW, CREAM = "#c9788a", "#f0a868", "#f8c471", "#ffe3a3", "#fdf3df"
TEAL, PINE, MOSS, BRICK, STEEL = "#2d6a78", "#1f3d4d", "#4d6f62", "#a3504a", "#8fa3bd"


class Canvas(Protocol):
    """What a scene is drawn on; colours are #rrggbb, or #rrggbbaa to lay a veil over what is there."""

    def gradient(self, box: Box, stops: Sequence[Stop]) -> None:
        """Fill a box from top to bottom."""

    def shape(self, points: Iterable[Point], colour: str) -> None:
        """Fill a polygon."""

    def box(self, box: Box, colour: str, *, radius: float = 0) -> None:
        """Fill a rectangle, its corners rounded."""

    def disc(self, circle: Circle, colour: str) -> None:
        """Fill a circle."""

    def ring(self, circle: Circle, colour: str, *, width: float) -> None:
        """Draw a circle's line."""

    def stroke(self, points: Iterable[Point], colour: str, *, width: float) -> None:
        """Draw a line through points."""


def stars(canvas: Canvas, chance: Random, *, count: int, below: float) -> None:
    """Draw a sky of stars, denser towards its top."""
    for _ in range(count):
        x, y = chance.uniform(0, WIDTH), below * chance.random() ** 1.4
        canvas.disc((x, y, chance.choice((0.7, 0.9, 1.1, 1.6))), CREAM + chance.choice(("70", "a0", "e0")))


def light(canvas: Canvas, circle: Circle, *, colour: str = GLOW, halo: float) -> None:
    """Draw something that shines, in three rings of haze."""
    x, y, radius = circle
    for step, veil in ((1.0, "14"), (0.66, "1c"), (0.36, "26")):
        canvas.disc((x, y, radius + halo * step), colour + veil)
    canvas.disc(circle, colour)


def hills(canvas: Canvas, chance: Random, *, layers: Iterable[tuple[float, float, str]]) -> None:
    """Draw ridges behind each other, each from its height and swing down to the lower edge."""
    for top, swing, colour in layers:
        waves = [(chance.uniform(0, math.tau), length, share) for length, share in ((900, 0.6), (410, 0.3), (170, 0.1))]
        ridge = [
            (x, top + swing * sum(share * math.sin(x / length * math.tau + turn) for turn, length, share in waves))
            for x in range(0, WIDTH + 8, 8)
        ]
        canvas.shape([(0, HEIGHT), *ridge, (WIDTH, HEIGHT)], colour)


def ripples(canvas: Canvas, chance: Random, *, x: float, spread: float, top: float, colour: str) -> None:
    """Draw light on water: dashes that grow longer and rarer towards the viewer."""
    y = top
    while y < HEIGHT:
        near = (y - top) / (HEIGHT - top)
        length = chance.uniform(0.3, 1) * spread * (0.25 + near)
        canvas.box((x - length / 2 + chance.uniform(-9, 9), y, length, 2), colour, radius=1)
        y += 5 + 7 * near


def house(canvas: Canvas, chance: Random, *, corner: Point, size: Point, walls: str, roof: str) -> None:
    """Draw a gabled house above its lower left corner."""
    (x, ground), (width, height) = corner, size
    canvas.box((x, ground - height, width, height + 4), walls)
    ridge = (x + width / 2, ground - height - width * 0.42)
    canvas.shape([(x - 3, ground - height), ridge, (x + width + 3, ground - height)], roof)
    for row in range(int(height // 20)):
        for column in range(int(width // 14)):
            if chance.random() < 0.6:  # noqa: PLR2004  somewhat more than half of the town is awake
                canvas.box((x + 4 + column * 14, ground - height + 6 + row * 20, 6, 9), GLOW, radius=1)


def town(canvas: Canvas, chance: Random, *, left: float, ground: float, count: int) -> None:
    """Draw houses side by side from `left`."""
    x = left
    for _ in range(count):
        size = (chance.choice((22, 30, 30, 38)), chance.choice((24, 34, 44, 56)))
        walls, roof = chance.choice(((NIGHT, "#5d4a80"), ("#232a57", "#6f4f7c"), ("#2b2f62", "#8a5a78")))
        house(canvas, chance, corner=(x, ground), size=size, walls=walls, roof=roof)
        x += size[0] + chance.choice((-6, 2, 6))


def lighthouse(canvas: Canvas, foot: Point) -> None:
    """Draw a lighthouse whose beam sweeps to the left."""
    x, ground = foot
    for reach in (95, 55):
        canvas.shape([(x, ground - 97), (0, ground - 140 - reach), (0, ground - 140 + reach)], GLOW + "12")
    canvas.shape([(x - 13, ground), (x - 9, ground - 86), (x + 9, ground - 86), (x + 13, ground)], CREAM)
    canvas.box((x - 11.5, ground - 58, 23, 18), BRICK)
    canvas.box((x - 13, ground - 90, 26, 5), INK)
    light(canvas, (x, ground - 98, 8), halo=30)
    canvas.shape([(x - 11, ground - 104), (x, ground - 118), (x + 11, ground - 104)], BRICK)


def viaduct(canvas: Canvas, *, deck: float, bay: int, colour: str) -> None:
    """Draw arches across the whole picture, under a deck."""
    pier, radius = bay * 0.09, bay * 0.41
    for left in range(-60, WIDTH, bay):
        middle, spring = left + bay / 2, deck + 22 + radius
        turns = [math.pi * step / 40 for step in range(41)]
        arch = [(middle + radius * math.cos(turn), spring - radius * math.sin(turn)) for turn in turns]
        outline = [(left, deck), (left + bay, deck), (left + bay, HEIGHT), (left + bay - pier, HEIGHT)]
        canvas.shape([*outline, *arch, (left + pier, HEIGHT), (left, HEIGHT)], colour)
    canvas.box((0, deck - 5, WIDTH, 9), DUSK)


def wheels(canvas: Canvas, *, left: float, rail: float, size: Point) -> None:
    """Draw the wheels under a car and what they hang on."""
    length, height = size
    canvas.box((left + height * 0.3, rail - height * 0.17, length - height * 0.6, height * 0.07), INK)
    for place in (0.45, 0.85, length / height - 0.85, length / height - 0.45):
        canvas.disc((left + place * height, rail - height * 0.1, height * 0.1), INK)


def car(canvas: Canvas, *, left: float, rail: float, size: Point, body: str) -> None:
    """Draw a sleeping car without its windows: gangway, roof, body with a stripe, wheels."""
    length, height = size
    canvas.box((left - height * 0.1, rail - height * 0.8, height * 0.12, height * 0.55), INK)
    canvas.box((left, rail - height, length, height * 0.84), STEEL, radius=height * 0.2)
    canvas.box((left, rail - height * 0.88, length, height * 0.72), body, radius=height * 0.07)
    canvas.box((left, rail - height * 0.36, length, height * 0.05), AMBER)
    wheels(canvas, left=left, rail=rail, size=size)


def engine(canvas: Canvas, *, left: float, rail: float, size: Point, body: str) -> None:
    """Draw the engine at the head of a train that runs to the right, with its beam."""
    length, height = size
    nose, top, sill = left + length, rail - height * 0.92, rail - height * 0.14
    canvas.box((left - height * 0.1, rail - height * 0.8, height * 0.2, height * 0.55), INK)
    canvas.shape(
        [(left, top), (nose - height * 0.55, top), (nose, rail - height * 0.42), (nose, sill), (left, sill)], body
    )
    canvas.box((left + height * 0.2, top - 4, length - height, 6), STEEL, radius=3)
    pane, belt = nose - height * 0.5, rail - height * 0.5
    canvas.shape([(pane, top + 6), (pane + 8, top + 6), (nose - 8, belt), (pane, belt)], GLOW)
    canvas.box((left, rail - height * 0.36, length, height * 0.05), AMBER)
    light(canvas, (nose - 4, rail - height * 0.26, 3), halo=16)
    canvas.shape([(nose, rail - height * 0.28), (WIDTH, rail - height), (WIDTH, rail)], GLOW + "20")
    wheels(canvas, left=left, rail=rail, size=size)


def row(canvas: Canvas, first: Box, *, pitch: float, colours: Iterable[str]) -> None:
    """Draw a row of windows of these colours, from the first to the right."""
    left, top, width, height = first
    for number, colour in enumerate(colours):
        canvas.box((left + number * pitch, top, width, height), colour, radius=width * 0.14)


def person(canvas: Canvas, foot: Point, *, height: float, coat: str) -> None:
    """Draw somebody in a coat with a scarf."""
    x, ground = foot
    half = height * 0.14
    for side in (-0.75, 0.07):
        canvas.box((x + side * half, ground - height * 0.4, half * 0.68, height * 0.4), INK, radius=2)
    canvas.box((x - half, ground - height * 0.78, half * 2, height * 0.52), coat, radius=half * 0.8)
    canvas.box((x - half * 0.62, ground - height * 0.8, half * 1.24, height * 0.07), CREAM, radius=height * 0.03)
    canvas.disc((x, ground - height * 0.9, height * 0.095), INK)


def suitcase(canvas: Canvas, foot: Point, *, colour: str) -> None:
    """Draw a suitcase from its lower left corner."""
    x, ground = foot
    canvas.ring((x + 13, ground - 30, 8), INK, width=2.5)
    canvas.box((x, ground - 30, 26, 30), colour, radius=4)
    canvas.box((x + 5, ground - 30, 3, 30), INK + "60")
    canvas.box((x + 18, ground - 30, 3, 30), INK + "60")


def clock(canvas: Canvas, circle: Circle) -> None:
    """Draw a station clock; it is twenty to six."""
    x, y, radius = circle
    canvas.disc(circle, INK)
    canvas.disc((x, y, radius * 0.86), CREAM)
    for hour in range(12):
        turn = math.tau * hour / 12
        canvas.disc((x + radius * 0.7 * math.cos(turn), y + radius * 0.7 * math.sin(turn), radius * 0.05), INK)
    for degrees, reach in ((80, 0.42), (150, 0.62)):
        turn = math.radians(degrees)
        tip = (x + radius * reach * math.cos(turn), y + radius * reach * math.sin(turn))
        canvas.stroke([(x, y), tip], INK, width=radius * 0.1)


def tree(canvas: Canvas, foot: Point, *, height: float, colour: str) -> None:
    """Draw a broad-leaved tree."""
    x, ground = foot
    canvas.box((x - height * 0.03, ground - height * 0.4, height * 0.06, height * 0.4), INK)
    for right, up, radius in ((-0.16, 0.55, 0.2), (0.17, 0.57, 0.19), (0.01, 0.75, 0.24), (0, 0.5, 0.2)):
        canvas.disc((x + right * height, ground - up * height, radius * height), colour)


def fir(canvas: Canvas, foot: Point, *, height: float, colour: str) -> None:
    """Draw a fir."""
    x, ground = foot
    canvas.box((x - height * 0.03, ground - height * 0.3, height * 0.06, height * 0.3), INK)
    for step in range(4):
        top, half = ground - height + step * height * 0.19, height * (0.11 + step * 0.045)
        canvas.shape([(x, top), (x - half, top + height * 0.34), (x + half, top + height * 0.34)], colour)


def bicycle(canvas: Canvas, foot: Point, *, wheel: float, colour: str) -> None:
    """Draw a bicycle that looks to the right, around the middle between its wheels."""
    x, ground = foot
    hub = ground - wheel
    for side in (-1.3, 1.3):
        canvas.ring((x + side * wheel, hub, wheel), INK, width=wheel * 0.13)
    back, front, pedal = (x - 1.3 * wheel, hub), (x + 1.3 * wheel, hub), (x - 0.15 * wheel, hub)
    seat, head = (x - 0.5 * wheel, hub - 1.35 * wheel), (x + 0.85 * wheel, hub - 1.3 * wheel)
    canvas.stroke([back, pedal, head, seat, pedal], colour, width=wheel * 0.15)
    canvas.stroke([back, (seat[0] + 0.06 * wheel, seat[1] + 0.2 * wheel)], colour, width=wheel * 0.11)
    canvas.stroke([front, (head[0] - 0.12 * wheel, head[1] - 0.4 * wheel)], colour, width=wheel * 0.13)
    canvas.box((head[0] - 0.5 * wheel, head[1] - 0.5 * wheel, 0.55 * wheel, 0.14 * wheel), INK, radius=wheel * 0.07)
    canvas.box((seat[0] - 0.4 * wheel, seat[1] - 0.12 * wheel, 0.7 * wheel, 0.18 * wheel), INK, radius=wheel * 0.09)
