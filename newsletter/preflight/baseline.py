"""
The baseline of a theme: the features that it uses by itself, whatever an issue holds.

Takes the editions of an issue, for their theme and directions; compiles a specimen in their dress, with every kind of
entry and all that Markdown can write, and yields the signs of its features. What an edition uses beyond that is its
officers'. Touches the theme's files and no database; takes as long as compiling one edition for each direction.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from newsletter.assembly.edition import (
    Anchor,
    Block,
    Direction,
    Edition,
    FooterView,
    Line,
    LinePart,
    LogoView,
    Phrase,
    Picture,
    PlaceView,
    SectionView,
    SittingView,
    SocialView,
)
from newsletter.content.entry import Action, Kind, SittingStatus
from newsletter.content.newsletter import Show
from newsletter.links import Links
from newsletter.preflight.document import document_of
from newsletter.preflight.features import signs_in
from newsletter.times import Span

_SITE: Final = "https://www.specimen.example"
_DAY: Final = dt.date(2026, 12, 1)
_FRAME: Final = "<mjml><mj-head></mj-head><mj-body></mj-body></mjml>"

_BODY: Final = f"""\
One *two* **three** [four]({_SITE}/four), `five`, <{_SITE}/six> and <mailto:seven@specimen.example>\\
eight [[first_name|nine]].

> Ten.

- eleven
- twelve

1. thirteen

---

## Fourteen

```
fifteen
```
"""


def theme_baseline(editions: Iterable[Edition], *, links: Links, templates_dir: Path | None = None) -> frozenset[str]:
    """
    The signs of what the theme of an issue's editions uses by itself, in the directions that they are written in.

    Raises what compiling an edition raises.
    """
    from newsletter.compilation.compiler import compile_edition

    dressed = {(edition.theme.name, edition.dir): specimen(edition) for edition in editions}
    made = [compile_edition(edition, links=links, templates_dir=templates_dir) for edition in dressed.values()]
    return frozenset(sign for artifact in made for sign in signs_in(document_of(artifact.html)))


def frame_baseline() -> frozenset[str]:
    """The signs of what MJML brings into every message: what is left are the features that a theme's author chose."""
    from newsletter.compilation.mjml import html_from

    return signs_in(document_of(html_from(_FRAME)))


def specimen(edition: Edition) -> Edition:
    """An edition in the dress of `edition` that has one of everything, and nothing of its words."""
    other: tuple[str, Direction] = ("en", "ltr") if edition.dir == "rtl" else ("ar", "rtl")
    news, plain = _block("news", Kind.NEWS, picture=_picture()), _block("plain", Kind.NEWS)
    note, sheet = _block("note", Kind.NOTE), _block("sheet", Kind.PUBLICATION)
    cover = _block("cover", Kind.PUBLICATION, picture=_picture())
    single = _block("single", Kind.AGENDA, sittings=(_sitting("single", SittingStatus.CONFIRMED, own=False),))
    event = _block("event", Kind.AGENDA, sittings=tuple(_sitting(status.value, status) for status in SittingStatus))
    turned = [replace(block, body=_BODY, lang=other[0], dir=other[1]) for block in (news, cover, sheet)]
    return replace(
        edition,
        number=1,
        preheader=Phrase(text="A specimen"),
        intro=Phrase(text=_BODY),
        website=f"{_SITE}/",
        logo=_logo(),
        sections=(
            _section("lead", news, title=None),
            _section("two", news, plain, single, columns=2),
            _section("one", cover, sheet, event, note, *turned),
            _section("notes", note, marker="arrow"),
            _section("agenda", lines=(_line("one", parts=1), _line("several", parts=3))),
        ),
        footer=FooterView(
            address=Phrase(text="1 Quay"),
            phone="+32 4 000 00 00",
            email="office@specimen.example",
            text=Phrase(text="A specimen.", lang=other[0], dir=other[1]),
            social=(SocialView(network="mastodon", url=f"{_SITE}/@specimen"),),
            logos=(_logo(),),
            credits=(Phrase(text="A credit."),),
        ),
    )


def _section(
    key: str,
    *blocks: Block,
    title: str | None = "A section",
    columns: int = 1,
    marker: str | None = None,
    lines: tuple[Line, ...] = (),
) -> SectionView:
    return SectionView(
        key=key,
        title=Phrase(text=title) if title else None,
        show=Show.LINES if lines else Show.BLOCKS,
        columns=columns,
        marker=marker,
        blocks=blocks,
        lines=lines,
    )


def _block(key: str, kind: Kind, *, picture: Picture | None = None, sittings: tuple[SittingView, ...] = ()) -> Block:
    return Block(
        key=key,
        kind=kind,
        topic=Phrase(text="A topic"),
        topic_url=f"{_SITE}/topic",
        lang=None,
        dir=None,
        title=f"The {key}",
        body="A text.",
        links=(_anchor("first"), _anchor("second", label=True)),
        picture=picture,
        place=_place(),
        sittings=sittings,
        segment=None,
    )


def _sitting(key: str, status: SittingStatus, *, own: bool = True) -> SittingView:
    return SittingView(
        key=key,
        uid=f"{key}@specimen.example",
        sequence=0,
        span=Span(start=_DAY),
        when="1 December 2026",
        languages="English",
        title=Phrase(text=f"Sitting {key}") if own else None,
        body=Phrase(text="A text.") if own else None,
        place=_place(),
        links=(_anchor(key),),
        status=status,
        calendar=f"{_SITE}/{key}.ics",
    )


def _line(key: str, *, parts: int) -> Line:
    told = [
        LinePart(title=Phrase(text=f"Part {status}"), languages="English", links=(_anchor(status),), status=status)
        for status in SittingStatus
    ]
    return Line(
        key=key,
        when="1 December 2026",
        first_day=_DAY,
        topic=Phrase(text="A topic"),
        parts=tuple(told[:parts]),
        place=_place(),
        segment=None,
    )


def _anchor(path: str, *, label: bool = False) -> Anchor:
    context = Phrase(text="A specimen")
    url = f"{_SITE}/{path}"
    if label:
        return Anchor(url=url, action=None, label=Phrase(text=f"To {path}"), context=context)
    return Anchor(url=url, action=Action.READ_MORE, label=None, context=context)


def _place() -> PlaceView:
    return PlaceView(words=Phrase(text="A hall (BE)"), online=f"{_SITE}/online")


def _picture() -> Picture:
    alt, credit = Phrase(text="A picture"), Phrase(text="Somebody")
    return Picture(url=f"{_SITE}/picture.jpg", alt=alt, credit=credit, link=f"{_SITE}/p", width=1200, height=700)


def _logo() -> LogoView:
    return LogoView(url=f"{_SITE}/logo.png", alt=Phrase(text="A logo"), link=f"{_SITE}/logo")
