"""
What readers are told about a sitting, in every language of a newsletter, while it is being entered.

Takes a sitting; yields its words by language, by the one function that the mail, the web and the calendar use, and the
hour that is odd: one that the clocks skip, or one that comes twice. Pure.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from newsletter.assembly.days import span_of
from newsletter.content.entry import Sitting
from newsletter.content.newsletter import Newsletter
from newsletter.times import Span, language_words, local, own_name, span_words
from newsletter.words import catalogue
from subscribers.language import direction


class Oddity(StrEnum):
    """What is odd about an hour on the wall."""

    #: The clocks go forward over it.
    SKIPPED = "skipped"
    #: The clocks go back, and it comes a second time.
    TWICE = "twice"


@dataclass(frozen=True, slots=True, kw_only=True)
class OddHour:
    """An hour that is odd in its zone, as it was written, and the one that is meant."""

    oddity: Oddity
    written: dt.datetime
    meant: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidIn:
    """The words of a sitting in one language."""

    language: str
    name: str
    dir: str
    words: str


def said_of(sitting: Sitting, newsletter: Newsletter) -> tuple[SaidIn, ...]:
    """When a sitting takes place, in the words of each edition."""
    span = span_of(sitting, newsletter.timezone)
    return tuple(_said(sitting, span, language=language, newsletter=newsletter) for language in newsletter.languages)


def odd_hours(sitting: Sitting, newsletter: Newsletter) -> tuple[OddHour, ...]:
    """Which of the start and the end are odd hours."""
    zone = sitting.timezone or newsletter.timezone
    found = (_odd(moment, zone) for moment in (sitting.start, sitting.end) if moment is not None)
    return tuple(odd for odd in found if odd is not None)


def _said(sitting: Sitting, span: Span, *, language: str, newsletter: Newsletter) -> SaidIn:
    locale = newsletter.locale(language)
    words = span_words(span, locale=locale, style="block")
    if spoken := language_words(sitting.languages, locale=locale):
        words = f"{words} ({catalogue(language).say('in {languages}', languages=spoken)})"
    return SaidIn(language=language, name=own_name(language), dir=direction(language), words=words)


def _odd(moment: dt.datetime, zone: str) -> OddHour | None:
    place = ZoneInfo(zone)
    first, second = (moment.replace(tzinfo=place, fold=fold).utcoffset() or dt.timedelta() for fold in (0, 1))
    if first == second:
        return None
    # PEP 495: in a gap the offset of fold 0 is the smaller one, in a fold the larger one.
    oddity = Oddity.SKIPPED if first < second else Oddity.TWICE
    return OddHour(oddity=oddity, written=moment, meant=local(moment, zone))
