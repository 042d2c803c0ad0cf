"""
An edition: an issue in one language, ready to be dressed by a theme.

Everything a template says stands here as words in the edition's language: dates are in words, fallbacks are chosen and
marked, links have labels. What fell back to another language carries its tag in `lang` and its direction in `dir`;
where both are None the words are in the edition's own language (or belong to every language).

Bodies (`Block.body`, `SittingView.body`, `Edition.intro`) are CommonMark sources; `Block.title` and all other phrases
are plain text. Both may hold slots in the officers' notation, `[[first_name|dear reader]]`.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Final, Literal

from newsletter.content.entry import Action, Kind, SittingStatus
from newsletter.content.newsletter import Show, Theme, Tracking
from newsletter.times import Span

Direction = Literal["ltr", "rtl"]

_COMMAS: Final = dict.fromkeys(("ar", "ckb", "fa", "ps", "ur"), "، ") | dict.fromkeys(("ja", "zh"), "、")
"""Where the comma between two things that are side by side is not the Latin one (CLDR's list patterns say "and")."""


def comma(tag: str) -> str:
    """The comma of a language with the space that follows it, if one does."""
    return _COMMAS.get(tag.partition("-")[0].lower(), ", ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Plain words; `lang` and `dir` are set where they are not in the edition's language."""

    text: str
    lang: str | None = None
    dir: Direction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """
    A link: an action has the theme's words, a label the officer's; `context` is the title of what it belongs to.

    `when` is set where only the hour or the language of a session tells it from its neighbours: "Tuesday 1 December
    2026, 14:00–15:00 CET, in French".
    """

    url: str
    action: Action | None
    label: Phrase | None
    context: Phrase
    when: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture at an absolute address; `width` and `height` in pixels where they are known."""

    url: str
    alt: Phrase
    credit: Phrase | None
    link: str | None
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceView:
    """
    Where something takes place, in words.

    `words` is "City Hall, Szeged (HU)", or the name of the place alone, or empty for a purely online event; `lang` and
    `dir` as in `Phrase`. `online` is the address to take part at.
    """

    words: Phrase
    online: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SittingView:
    """
    One sitting as an edition shows it.

    `when` is in words, zone included ("Tuesday 1 December 2026, 14:00-15:00 CET"). `languages` is the names of the
    languages of the session in words ("French", "English and French"), None where it is not said. `uid` and `sequence`
    are those of its calendar entry (RFC 5545 §3.8.4.7, §3.8.7.4); `calendar` is the address of its calendar file.
    """

    key: str
    uid: str
    sequence: int
    span: Span
    when: str
    languages: str | None
    title: Phrase | None
    body: Phrase | None
    place: PlaceView | None
    links: tuple[Anchor, ...]
    status: SittingStatus
    calendar: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """
    An entry with its text.

    `lang` and `dir` speak of title, body and the links' labels together: the text of an entry falls back as a whole.
    """

    key: str
    kind: Kind
    topic: Phrase | None
    topic_url: str | None
    lang: str | None
    dir: Direction | None
    title: str
    body: str
    links: tuple[Anchor, ...]
    picture: Picture | None
    place: PlaceView | None
    sittings: tuple[SittingView, ...]
    segment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePart:
    """What a line says of one of its sittings: own title, languages of the session in words, link, status."""

    title: Phrase
    languages: str | None
    links: tuple[Anchor, ...]
    status: SittingStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the agenda: date, topic, what, where, link. Most lines have one part."""

    key: str
    when: str
    first_day: dt.date
    topic: Phrase | None
    parts: tuple[LinePart, ...]
    place: PlaceView | None
    segment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """A section of an edition, with blocks or with lines; sections without either do not occur."""

    key: str
    title: Phrase | None
    show: Show
    columns: int
    marker: str | None
    blocks: tuple[Block, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SocialView:
    """A page of the sender's on a social network."""

    network: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoView:
    """A logo with its alternative text."""

    url: str
    alt: Phrase
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FooterView:
    """What stands under an edition; `credits` are the lines that funders of its topics ask for."""

    address: Phrase | None
    phone: str | None
    email: str | None
    text: Phrase | None
    social: tuple[SocialView, ...]
    logos: tuple[LogoView, ...]
    credits: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternate:
    """The same issue in another language: its tag, its name in itself ("Français"), its web address."""

    language: str
    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEvent:
    """One sitting for the calendar file: plain words in the edition's language, times as they are stored."""

    uid: str
    sequence: int
    span: Span
    title: str
    description: str
    location: str
    url: str | None
    status: SittingStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """
    What of its readers' doings an edition has counted: whose clicks, and whether opened messages too.

    `words` tells it to them, in the edition's language.
    """

    tracking: Tracking
    opens: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """
    An issue in one language (and, where items are limited to segments, one variant).

    `variant` is "" for the plain edition, else the names of the segments it is for, joined by "+". `fallbacks` maps the
    keys of entries shown in another language to that language; `missing` lists entries left out for want of a text;
    `blocked` lists entries that must be translated before the issue can be approved. `counting` is None where nothing
    that its readers do is counted.
    """

    newsletter: str
    issue: str
    number: int | None
    date: dt.date
    date_words: str
    language: str
    locale: str
    dir: Direction
    variant: str
    name: Phrase
    title: Phrase
    subject: str
    preheader: Phrase
    intro: Phrase
    sender_name: str
    sender_address: str
    reply_to: str | None
    list_id: str
    website: str | None
    theme: Theme
    logo: LogoView | None
    web_view: str
    calendar: str
    alternates: tuple[Alternate, ...]
    sections: tuple[SectionView, ...]
    footer: FooterView
    events: tuple[CalendarEvent, ...]
    fallbacks: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    blocked: tuple[str, ...]
    # Not shown: the tokens of an edition are made of what is, and those of approved ones must stay.
    counting: Counting | None = field(default=None, repr=False)

    @property
    def comma(self) -> str:
        """The comma of its language, with the space after it."""
        return comma(self.language)
