"""
Dates: events that are over, sittings out of the agenda's sight or at one time, weekdays that contradict their date.

Takes the facts of an issue, and a compiled edition for its words; yields findings. Everything is judged from the
issue's own date, never from today's: an old issue keeps its findings. That a sitting has no zone, or ends before it
begins, cannot be: the newsletter has a zone, and content refuses the other.
"""

import datetime as dt
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from newsletter.assembly.days import Window, span_of
from newsletter.assembly.facts import IssueFacts, Placement
from newsletter.content.entry import Entry, SittingStatus
from newsletter.content.newsletter import Show
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Rule, Severity
from newsletter.preflight.places import texts_in
from newsletter.preflight.weekdays import slips_in

OVER: Final = Rule(
    code="date-over",
    severity=Severity.WARNING,
    message="“{title}” was over on {last}, before the date of the issue, {date}.",
    hint="Take the entry out of the issue, or correct its dates.",
)
OUTSIDE: Final = Rule(
    code="date-outside-window",
    severity=Severity.NOTICE,
    message="“{title}” begins on {first}, after the last day of this issue's agenda, {last}: it stands as a block, but "
    "has no line there.",
    hint="Give the issue a longer agenda (agenda_days) if the event should be listed.",
)
WEEKDAY: Final = Rule(
    code="date-weekday",
    severity=Severity.WARNING,
    message="“{words}” contradicts itself: that day is {day}.",
    hint="Correct the weekday or the date.",
    shared=True,
)
CLASH: Final = Rule(
    code="date-clash",
    severity=Severity.WARNING,
    message="“{title}” has two sittings at the same time, on {day}, for the same readers: {sittings}.",
    hint="Correct the date or time of one of them, say in which languages they are, or cancel one.",
)
RULES: Final = (OVER, OUTSIDE, WEEKDAY, CLASH)


def check(given: CompiledEdition, issue: IssueFacts) -> Iterator[Finding]:
    """Look for weekdays that contradict their date, in every text of an edition."""
    for text in texts_in(given.edition):
        for slip in slips_in(text.text, language=text.language, near=issue.plan.date):
            yield WEEKDAY.found(edition=given.name, place=text.place, words=slip.words, day=slip.day)


def check_issue(issue: IssueFacts) -> Iterator[Finding]:
    """Look at the sittings of every agenda entry of an issue."""
    window = Window.of(issue.plan, issue.settings)
    blocks = {item.key for item in issue.items if item.placement is Placement.BLOCK}
    lists = any(section.show is Show.LINES for section in issue.settings.sections)
    for key in dict.fromkeys(item.key for item in issue.items):
        entry = issue.entries[key].entry
        if not entry.sittings:
            continue
        yield from _clashes(entry, window.zone)
        if not window.open(entry.sittings):
            yield OVER.found(place=key, title=_title(entry), last=_last_day(entry, window), date=window.first)
        elif lists and key in blocks and not window.within(entry.sittings):
            yield OUTSIDE.found(place=key, title=_title(entry), first=_first_day(entry, window), last=window.last)


def _clashes(entry: Entry, zone: str) -> Iterator[Finding]:
    held = [sitting for sitting in entry.sittings if sitting.status is not SittingStatus.CANCELLED]
    for one, other in combinations(held, 2):
        # Sittings in different places may well be held at one time, each for those who live there.
        apart = one.place and other.place and one.place != other.place
        same_readers = set(one.languages) & set(other.languages) or not (one.languages or other.languages)
        start = span_of(one, zone).start
        if start == span_of(other, zone).start and same_readers and not apart:
            day, keys = span_of(one, zone).first_day, (one.key, other.key)
            yield CLASH.found(place=entry.key, title=_title(entry), day=day, sittings=keys)


def _title(entry: Entry) -> str:
    return entry.texts[entry.source].title


def _last_day(entry: Entry, window: Window) -> dt.date:
    return max(span_of(sitting, window.zone).last_day for sitting in entry.sittings)


def _first_day(entry: Entry, window: Window) -> dt.date:
    return min(span_of(sitting, window.zone).first_day for sitting in window.open(entry.sittings))
