"""
The scenes of the bundled sample's pictures: towns where night trains stop.

Each takes a canvas and a source of chance and fills the canvas from the back to the front; the same seed gives the same
picture. Measures as in `newsletter.cli.shapes`.
"""

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from newsletter.cli.shapes import (
    AMBER,
    APRICOT,
    BRICK,
    CREAM,
    DUSK,
    GLOW,
    HEIGHT,
    INDIGO,
    INK,
    MOSS,
    NIGHT,
    PINE,
    PLUM,
    ROSE,
    STEEL,
    TEAL,
    WIDTH,
    Canvas,
    Point,
    bicycle,
    car,
    clock,
    engine,
    fir,
    hills,
    light,
    lighthouse,
    person,
    ripples,
    row,
    stars,
    suitcase,
    town,
    tree,
    viaduct,
)

WHOLE: Final = (0, 0, WIDTH, HEIGHT)


def _bay_viaduct(canvas: Canvas, chance: Random) -> None:
    """The night train over the bay, under the moon."""
    canvas.gradient(WHOLE, [(0, INK), (0.26, INDIGO), (0.42, DUSK), (0.52, PLUM), (0.6, APRICOT), (1, APRICOT)])
    stars(canvas, chance, count=130, below=230)
    light(canvas, (880, 105, 30), colour=CREAM, halo=54)
    hills(canvas, chance, layers=[(338, 30, "#6b5590"), (358, 24, "#4a437f"), (378, 14, "#2f3366")])
    canvas.gradient((0, 398, WIDTH, 202), [(0, "#5a4f8a"), (0.3, INDIGO), (1, INK)])
    town(canvas, chance, left=30, ground=400, count=15)
    for number in range(26):
        ripples(canvas, chance, x=40 + number * 17, spread=18, top=406, colour=AMBER + "30")
    canvas.shape([(940, 402), (1040, 378), (1120, 364), (1200, 340), (1200, 402)], NIGHT)
    lighthouse(canvas, (1095, 372))
    ripples(canvas, chance, x=880, spread=80, top=404, colour=CREAM + "80")
    viaduct(canvas, deck=470, bay=150, colour="#171c3c")
    for left in (-130, 100.5, 331, 561.5):
        car(canvas, left=left, rail=468, size=(226, 50), body="#27306a")
        lit = [chance.choice((GLOW, GLOW, AMBER, DUSK)) for _ in range(11)]
        row(canvas, (left + 14, 429, 11, 13), pitch=18.6, colours=lit)
    engine(canvas, left=792, rail=468, size=(210, 50), body=BRICK)


def _quiet_station(canvas: Canvas, chance: Random) -> None:
    """A train that arrived in a whisper, at sunrise; most blinds are still down."""
    canvas.gradient(WHOLE, [(0, DUSK), (0.25, PLUM), (0.45, ROSE), (0.6, APRICOT), (0.68, GLOW), (1, GLOW)])
    light(canvas, (985, 352, 46), colour=CREAM, halo=120)
    hills(canvas, chance, layers=[(352, 34, "#b9708c"), (378, 26, PLUM), (398, 12, "#564a82")])
    town(canvas, chance, left=850, ground=424, count=12)
    canvas.box((0, 420, WIDTH, 90), INDIGO)
    for left in (-392, 222):
        car(canvas, left=left, rail=498, size=(600, 186), body="#27306a")
        blinds = [GLOW if chance.random() < 0.3 else "#6a67a3" for _ in range(9)]  # noqa: PLR2004  three in ten are up
        row(canvas, (left + 30, 352, 42, 52), pitch=62, colours=blinds)
    canvas.gradient((0, 494, WIDTH, 106), [(0, "#6d5f92"), (1, "#3f3a6b")])
    canvas.box((0, 494, WIDTH, 6), CREAM)
    for x in range(10, WIDTH, 26):
        canvas.box((x, 508, 16, 4), GLOW + "90", radius=2)
    _canopy(canvas)
    person(canvas, (640, 578), height=150, coat=BRICK)
    suitcase(canvas, (672, 578), colour=AMBER)
    person(canvas, (1010, 570), height=128, coat=TEAL)
    person(canvas, (1050, 570), height=82, coat=ROSE)


def _canopy(canvas: Canvas) -> None:
    """Draw the platform's roof on its posts, with two lamps and a clock."""
    canvas.shape([(0, 84), (880, 84), (950, 126), (0, 126)], NIGHT)
    canvas.shape([(0, 126), (950, 126), (938, 136), (0, 136)], INK)
    for x in (130, 470, 810):
        canvas.box((x - 8, 130, 16, 420), NIGHT)
        canvas.shape([(x - 60, 134), (x + 60, 134), (x + 8, 186), (x - 8, 186)], NIGHT)
        canvas.box((x - 16, 536, 32, 16), INK, radius=3)
    for x in (300, 640):
        canvas.box((x - 1.5, 134, 3, 34), INK)
        light(canvas, (x, 178, 11), halo=56)
    canvas.box((716, 134, 4, 30), INK)
    clock(canvas, (718, 196, 36))


def _station_buffet(canvas: Canvas, chance: Random) -> None:
    """The buffet that opens before the first train, in the blue hour after a fall of snow."""
    canvas.gradient(WHOLE, [(0, INK), (0.3, INDIGO), (0.52, "#6a6fa8"), (0.68, "#d0aebd"), (1, "#d0aebd")])
    stars(canvas, chance, count=60, below=170)
    for x, width, height in ((60, 460, 250), (330, 520, 300), (1010, 560, 290), (760, 420, 220)):
        _peak(canvas, (x, 500 - height), width=width, height=height)
    hills(canvas, chance, layers=[(430, 22, "#4c5f8c")])
    for x, height in ((40, 190), (108, 250), (180, 170), (1030, 180), (1098, 260), (1172, 200)):
        fir(canvas, (x, 520), height=height, colour=PINE)
    canvas.gradient((0, 512, WIDTH, 88), [(0, "#b9c3dd"), (1, "#8c97bd")])
    _buffet(canvas)
    for left in (300, 700):
        canvas.shape([(left + 6, 516), (left + 194, 516), (left + 232, 600), (left - 32, 600)], GLOW + "66")
    canvas.shape([(558, 516), (642, 516), (668, 600), (532, 600)], GLOW + "80")
    person(canvas, (520, 582), height=132, coat=BRICK)
    suitcase(canvas, (472, 582), colour=TEAL)
    for _ in range(110):
        canvas.disc((chance.uniform(0, WIDTH), chance.uniform(0, HEIGHT), chance.choice((1.4, 2, 2.6))), CREAM + "c0")


def _peak(canvas: Canvas, top: Point, *, width: float, height: float) -> None:
    """Draw a mountain with a lit and a shaded side, and snow on top."""
    (x, y), half = top, width / 2
    canvas.shape([top, (x - half, y + height), (x + half, y + height)], "#56659a")
    canvas.shape([top, (x + half, y + height), (x + half * 0.1, y + height)], "#46548a")
    near = [(x - half * 0.34, y + height * 0.34), (x - half * 0.16, y + height * 0.27), (x, y + height * 0.4)]
    far = [(x + half * 0.15, y + height * 0.29), (x + half * 0.34, y + height * 0.34)]
    canvas.shape([top, *near, *far], "#dfe4f2")
    canvas.shape([top, (x + half * 0.04, y + height * 0.38), *far], "#b9c3dd")


def _buffet(canvas: Canvas) -> None:
    """Draw the house: walls, roof under snow, two lit windows under awnings, a door between them, and a clock."""
    canvas.box((270, 250, 660, 266), "#57406a")
    canvas.box((270, 496, 660, 20), "#3d2f56")
    for x in (350, 800):
        canvas.box((x, 130, 44, 80), "#3d2f56")
        canvas.box((x - 5, 124, 54, 12), CREAM, radius=5)
    canvas.shape([(240, 254), (330, 166), (870, 166), (960, 254)], "#2a2d55")
    canvas.shape(
        [(288, 207), (330, 166), (870, 166), (912, 207), (860, 192), (700, 202), (540, 190), (400, 203)], CREAM
    )
    _shop_window(canvas, left=300, people=((128, TEAL),))
    _shop_window(canvas, left=700, people=((62, ROSE), (150, BRICK)))
    for left in (300, 700):
        for stripe in range(10):
            colour = CREAM if stripe % 2 else BRICK
            canvas.box((left - 10 + stripe * 22, 288, 22, 42), colour)
            canvas.disc((left + 1 + stripe * 22, 330, 11), colour)
    canvas.box((556, 330, 88, 186), INK, radius=6)
    canvas.box((564, 338, 72, 178), GLOW, radius=4)
    canvas.box((564, 436, 72, 80), BRICK)
    canvas.disc((626, 432, 4), INK)
    clock(canvas, (600, 246, 34))


def _shop_window(canvas: Canvas, *, left: float, people: Sequence[tuple[float, str]]) -> None:
    """Draw what is seen from outside: lamps, a shelf of cups, a counter, and people behind it by place and coat."""
    canvas.box((left - 6, 306, 212, 180), INK, radius=4)
    canvas.gradient((left, 312, 200, 168), [(0, AMBER), (0.5, GLOW), (1, CREAM)])
    canvas.box((left, 376, 200, 4), "#b5794e")
    for number in range(8):
        x, colour = left + 10 + number * 24, (BRICK, TEAL, CREAM)[number % 3]
        canvas.box((x, 362, 12, 14), colour, radius=3)
        canvas.ring((x + 12, 368, 5), colour, width=2)
    for place, coat in people:
        person(canvas, (left + place, 480), height=100, coat=coat)
    canvas.box((left, 430, 200, 50), "#8a5648")
    canvas.box((left, 424, 200, 8), "#5d3a44")
    canvas.box((left + 8, 396, 34, 28), STEEL, radius=4)
    canvas.box((left + 14, 403, 22, 5), INK, radius=2)
    canvas.box((left + 97, 312, 6, 168), INK)


def _library_car(canvas: Canvas, chance: Random) -> None:
    """A sleeping car at rest in an orchard, full of books."""
    canvas.gradient(WHOLE, [(0, "#22396a"), (0.22, "#4a6f96"), (0.4, "#a9a3ad"), (0.56, APRICOT), (1, APRICOT)])
    stars(canvas, chance, count=45, below=130)
    light(canvas, (560, 110, 26), colour=CREAM, halo=44)
    hills(canvas, chance, layers=[(352, 40, "#7d8f8c"), (395, 30, "#5a7d7a"), (440, 16, MOSS)])
    for x, height, colour in ((60, 270, PINE), (1060, 230, "#2f5a55"), (1165, 290, PINE)):
        _apple_tree(canvas, chance, foot=(x, 506), height=height, colour=colour)
    canvas.gradient((0, 492, WIDTH, 108), [(0, "#3f6b58"), (1, "#1f3d3f")])
    for x in range(150, 1060, 36):
        canvas.box((x, 528, 22, 8), "#2a2f3f", radius=2)
    canvas.box((130, 522, 950, 6), STEEL)
    car(canvas, left=210, rail=522, size=(760, 226), body=BRICK)
    for number in range(7):
        _bookcase(canvas, chance, left=246 + number * 88, top=342)
    canvas.box((868, 336, 66, 150), INK, radius=5)
    canvas.box((874, 342, 54, 144), GLOW, radius=3)
    for step in range(3):
        canvas.box((868 - step * 6, 490 + step * 14, 66 + step * 12, 6), STEEL, radius=2)
    person(canvas, (901, 486), height=118, coat=TEAL)
    _apple_tree(canvas, chance, foot=(168, 540), height=300, colour="#2f5a55")
    for ends in ([(20, 330), (225, 292)], [(955, 292), (1140, 270)]):
        _lamps(canvas, ends)
    person(canvas, (1020, 584), height=112, coat=INDIGO)
    person(canvas, (1062, 584), height=74, coat=AMBER)


def _apple_tree(canvas: Canvas, chance: Random, *, foot: Point, height: float, colour: str) -> None:
    x, ground = foot
    tree(canvas, foot, height=height, colour=colour)
    for _ in range(11):
        right, up = chance.uniform(-0.22, 0.22) * height, chance.uniform(0.48, 0.86) * height
        canvas.disc((x + right, ground - up, 4.2), ROSE)


def _bookcase(canvas: Canvas, chance: Random, *, left: float, top: float) -> None:
    """Draw a window with two shelves of books in it."""
    canvas.box((left - 5, top - 5, 78, 90), INK, radius=8)
    canvas.box((left, top, 68, 80), GLOW, radius=5)
    for shelf in (top + 38, top + 77):
        x = left + 5
        while x < left + 58:
            width, height = chance.choice((5, 6, 8)), chance.uniform(18, 29)
            canvas.box((x, shelf - height, width, height), chance.choice((BRICK, TEAL, DUSK, MOSS, APRICOT)), radius=1)
            x += width + chance.choice((1, 1, 1, 9))
        canvas.box((left, shelf, 68, 3), "#8a5648")


def _lamps(canvas: Canvas, ends: Sequence[Point]) -> None:
    """Draw a sagging string of lamps between two points."""
    (x, y), (far_x, far_y) = ends
    parts = [step / 16 for step in range(17)]
    line = [(x + (far_x - x) * part, y + (far_y - y) * part + 120 * part * (1 - part)) for part in parts]
    canvas.stroke(line, INK, width=2)
    for hook_x, hook_y in line[1:-1:2]:
        light(canvas, (hook_x, hook_y + 6, 4.5), halo=16)


def _dawn_bicycles(canvas: Canvas, chance: Random) -> None:
    """Bicycles that wait at the platform for those who live on the hill."""
    canvas.gradient(WHOLE, [(0, "#4f6f9f"), (0.28, "#a79bbd"), (0.46, "#e8b3a0"), (0.6, GLOW), (1, GLOW)])
    light(canvas, (330, 318, 52), colour=CREAM, halo=120)
    hills(canvas, chance, layers=[(322, 36, "#b79bb0"), (360, 30, "#8d86a6")])
    slope = [(x, 450 - 200 * math.exp(-(((x - 890) / 190) ** 2))) for x in range(380, WIDTH + 4, 4)]
    canvas.shape([(380, HEIGHT), *slope, (WIDTH, HEIGHT)], "#5b6f92")
    for terrace, (left, count) in enumerate(((860, 2), (815, 5), (780, 7), (750, 8))):
        town(canvas, chance, left=left, ground=272 + terrace * 38, count=count)
    canvas.box((884, 160, 24, 90), NIGHT)
    canvas.shape([(880, 162), (896, 122), (912, 162)], BRICK)
    canvas.disc((896, 184, 6), GLOW)
    hills(canvas, chance, layers=[(420, 16, "#3f6a78"), (456, 10, PINE)])
    _road(canvas)
    for x, height in ((70, 110), (128, 84), (560, 70), (1080, 96), (1142, 120)):
        tree(canvas, (x, 480), height=height, colour="#2b5560")
    canvas.gradient((0, 486, WIDTH, 114), [(0, "#cdb3bb"), (1, "#9786ab")])
    canvas.box((0, 486, WIDTH, 6), CREAM)
    for number, colour in enumerate((BRICK, TEAL, "#c98332", BRICK, TEAL)):
        bicycle(canvas, (140 + number * 160, 578), wheel=36, colour=colour)
    canvas.box((60, 556, 770, 5), INK, radius=2)
    person(canvas, (940, 584), height=136, coat=TEAL)
    suitcase(canvas, (972, 584), colour=BRICK)


def _road(canvas: Canvas) -> None:
    """Draw the road that winds from the platform up to the town."""
    left, right = [], []
    for step in range(41):
        part = step / 40
        middle, half = 690 + 180 * part + 90 * math.sin(part * math.tau) * (1 - part), 24 * (1 - part) + 4
        left.append((middle - half, 490 - 100 * part))
        right.append((middle + half, 490 - 100 * part))
    canvas.shape([*left, *reversed(right)], "#d9c3b0")


SCENES: Final[dict[str, Callable[[Canvas, Random], None]]] = {
    "bay-viaduct": _bay_viaduct,
    "quiet-station": _quiet_station,
    "station-buffet": _station_buffet,
    "library-car": _library_car,
    "dawn-bicycles": _dawn_bicycles,
}
"""The scenes by the names that the pack gives their pictures."""
