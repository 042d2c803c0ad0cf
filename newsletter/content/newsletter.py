"""
A newsletter's settings and topics: what stays the same from issue to issue.

Takes plain data and yields frozen values; an issue keeps a snapshot of the `Newsletter` it was made with.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from newsletter.content.cron import Cron
from newsletter.content.fields import DUPLICATE, Key, Url, WebUrl, Zone
from newsletter.content.localised import Localised, Tag, Value
from subscribers.address import parse_address
from subscribers.errors import InvalidAddress


class Fallback(StrEnum):
    """What happens to an entry without a text in an edition's language."""

    #: It is shown in the language it has, marked as such.
    SHOW = "show"
    #: It is left out of that edition.
    OMIT = "omit"
    #: The issue cannot be approved until it is translated.
    BLOCK = "block"


class Show(StrEnum):
    """How a section shows its entries."""

    #: Each with title, text and links.
    BLOCKS = "blocks"
    #: Every sitting of the agenda window, one line an entry and day.
    LINES = "lines"


class Face(StrEnum):
    """A typeface that mail programs have; the next one in its row stands in where one lacks it."""

    #: With serifs, made for screens.
    GEORGIA = "georgia"
    #: With serifs, narrow, as in print.
    TIMES = "times"
    #: With serifs, wide, as in books.
    PALATINO = "palatino"
    #: Without serifs, neutral.
    HELVETICA = "helvetica"
    #: Without serifs, wide: small sizes stay readable.
    VERDANA = "verdana"
    #: Without serifs, lively.
    TREBUCHET = "trebuchet"

    @property
    def family(self) -> str:
        """The CSS font-family."""
        return _FAMILIES[self]


_FAMILIES: Final = {
    Face.GEORGIA: "Georgia,serif",
    Face.TIMES: "Times New Roman,Times,serif",
    Face.PALATINO: "Palatino,Palatino Linotype,Book Antiqua,serif",
    Face.HELVETICA: "Helvetica,Arial,sans-serif",
    Face.VERDANA: "Verdana,Geneva,sans-serif",
    Face.TREBUCHET: "Trebuchet MS,Helvetica,sans-serif",
}


class Tracking(StrEnum):
    """Whether what readers do with a message is counted."""

    #: It is not, and no link is changed.
    OFF = "off"
    #: Clicks are counted by link, without anybody knowing whose they are.
    TOTALS = "totals"
    #: It is known who has clicked in an issue, so that segments can ask for it.
    PEOPLE = "people"


def _address(value: str) -> str:
    try:
        return parse_address(value).text
    except InvalidAddress as error:
        raise ValueError(str(error)) from error


def _cron(value: str) -> str:
    Cron.parse(value)
    return value


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class Sender(Value):
    """Who the mail comes from (RFC 5322 §3.6.2)."""

    name: Localised
    address: str
    reply_to: str | None = None

    _addresses = field_validator("address", "reply_to")(lambda value: None if value is None else _address(value))


class Logo(Value):
    """A picture that stands for somebody."""

    url: WebUrl
    alt: Localised = {}
    link: WebUrl | None = None


class Theme(Value):
    """
    Which theme dresses the editions, in which colour and typefaces, and what of it is shown.

    `fonts` and `options` go by the names that the theme's manifest gives them; a name that it lacks is passed over, so
    that another theme can be tried. What they leave out is as the theme has it.
    """

    name: Key = "network"
    accent: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] | None = None
    logo: Logo | None = None
    fonts: dict[Key, Face] = {}
    options: dict[Key, bool] = {}

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Leave out what is not set: the slots of a message follow from these words, and its bytes must stay."""
        return ((name, value) for name, value in super().__repr_args__() if value or name not in {"fonts", "options"})


class Social(Value):
    """A page of the sender's on a social network."""

    network: Annotated[str, Field(min_length=1, max_length=40)]
    url: WebUrl


class Footer(Value):
    """What stands under every edition."""

    address: Localised = {}
    phone: str | None = None
    email: str | None = None
    text: Localised = {}
    social: tuple[Social, ...] = ()
    logos: tuple[Logo, ...] = ()

    _email = field_validator("email")(lambda value: None if value is None else _address(value))


class Cadence(Value):
    """
    How often an issue is due, and how far its agenda looks ahead.

    `cron` is by the clock on the newsletter's wall (see `cron.Cron`); a draft is made then.
    """

    cron: Annotated[str, Field(max_length=200), AfterValidator(_cron)] | None = None
    agenda_days: Annotated[int, Field(ge=1, le=1000)] = 60


class Section(Value):
    """A part of an issue, in its place."""

    key: Key
    title: Localised | None = None
    show: Show = Show.BLOCKS
    columns: Annotated[Literal[1, 2], BeforeValidator(_number)] = 1
    marker: Literal["arrow"] | None = None


def _with_own_keys(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    keys = [section.key for section in sections]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise PydanticCustomError(DUPLICATE, f"two sections have the key {key!r}")
    return sections


Sections = Annotated[tuple[Section, ...], Field(min_length=1), AfterValidator(_with_own_keys)]
"""The parts of an issue, in order; at least one."""


class Topic(Value):
    """A kicker above entries, often a project's name; written as it is."""

    key: Key
    name: Localised
    url: Url | None = None
    logo: Logo | None = None
    credit: Localised = {}


class Newsletter(Value):
    """
    The series: name, languages (the first is the default), time zone, sender, sections, theme.

    `opens` says whether opened messages are counted like clicks, where `tracking` counts anything.
    `consent` is what people agree to who sign up, where the program's own words will not do. With `four_eyes` an issue
    is approved by another person than those who made it.
    """

    slug: Key
    name: Localised
    languages: Annotated[tuple[Tag, ...], Field(min_length=1)]
    locales: dict[Tag, str] = {}
    timezone: Zone
    sender: Sender
    list_id: Annotated[str, Field(max_length=255, pattern=r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9-]+)+$")]
    website: WebUrl | None = None
    cadence: Cadence = Cadence()
    fallback: Fallback = Fallback.SHOW
    theme: Theme = Theme()
    footer: Footer = Footer()
    tracking: Tracking = Tracking.OFF
    opens: bool = False
    consent: Localised = {}
    four_eyes: bool = False
    sections: Sections

    @field_validator("locales")
    @classmethod
    def _locales_are_known(cls, value: dict[str, str]) -> dict[str, str]:
        from babel import Locale, UnknownLocaleError

        for locale in value.values():
            try:
                Locale.parse(locale, sep="-")
            except (UnknownLocaleError, ValueError) as error:
                raise ValueError(f"{locale!r} is no locale; write for example en-GB") from error
        return value

    @field_validator("languages")
    @classmethod
    def _languages_differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("a language is named twice")
        return value

    @property
    def default_language(self) -> str:
        """The language of those whose own is not offered."""
        return self.languages[0]

    def locale(self, language: str) -> str:
        """The CLDR locale in which an edition writes dates and numbers."""
        return self.locales.get(language, language)
