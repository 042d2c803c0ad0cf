"""
JSON-LD: what an edition says, for machines (schema.org).

Takes an edition, yields one graph: a `NewsArticle` for the issue, one for each news item, a `CreativeWork` for each
publication and note, and an `Event` for every sitting of its calendar. Promises that an instant is the one in the mail
and in the calendar file, written with the offset that holds there and then, that no end is invented, and that nothing
of a reader is in it: slots are at their default words. Pure.
"""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from newsletter.assembly.edition import Block, CalendarEvent, Edition, Picture, PlaceView
from newsletter.compilation.correction import Note
from newsletter.compilation.slots import unslotted
from newsletter.content.entry import Kind, SittingStatus
from newsletter.times import rfc3339

Node = dict[str, object]
"""An object of the graph."""

STATUS: Final = {
    SittingStatus.CONFIRMED: "https://schema.org/EventScheduled",
    SittingStatus.MOVED: "https://schema.org/EventRescheduled",
    SittingStatus.CANCELLED: "https://schema.org/EventCancelled",
}
"""What schema.org calls the status of a sitting (EventStatusType)."""

_TYPES: Final = {Kind.NEWS: "NewsArticle", Kind.PUBLICATION: "CreativeWork", Kind.NOTE: "CreativeWork"}
"""What a block is; an agenda entry is told by its events alone."""

_ATTENDANCE: Final = {
    (True, False): "https://schema.org/OfflineEventAttendanceMode",
    (False, True): "https://schema.org/OnlineEventAttendanceMode",
    (True, True): "https://schema.org/MixedEventAttendanceMode",
}
"""By whether there is a place, and an address to take part at."""

_IN_A_SCRIPT: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
"""Signs that could end the script element or a line of it; JSON may write any sign so (RFC 8259 §7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the edition tells of a sitting beside its calendar event; `lang` is that of its words."""

    place: PlaceView | None
    languages: str | None
    lang: str


def structured_data(edition: Edition, *, notes: Sequence[Note] = ()) -> Node:
    """The graph of an edition; `notes` are its corrections, the newest first."""
    parts = [_item(block, edition) for section in edition.sections for block in section.blocks if block.kind in _TYPES]
    return {
        "@context": "https://schema.org",
        "@graph": [_issue(edition, notes), *parts, *(_event(event, edition) for event in edition.events)],
    }


def for_script(data: Node) -> str:
    """The data as JSON that can stand inside a script element, whatever its words say."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_IN_A_SCRIPT)


def headline(edition: Edition) -> str:
    """The newsletter's name and the issue's title: a line that stands alone where the page is quoted."""
    return " · ".join(filter(None, (unslotted(edition.name.text), unslotted(edition.title.text))))


def leading_picture(edition: Edition) -> Picture | None:
    """The first picture that others can fetch."""
    blocks = (block for section in edition.sections for block in section.blocks)
    return next((block.picture for block in blocks if block.picture and block.picture.url.startswith("http")), None)


def _issue(edition: Edition, notes: Sequence[Note]) -> Node:
    picture = leading_picture(edition)
    return _said(
        {
            "@type": "NewsArticle",
            "@id": f"{edition.web_view}#issue",
            "url": edition.web_view,
            "mainEntityOfPage": edition.web_view,
            "headline": headline(edition),
            "description": unslotted(edition.preheader.text),
            "inLanguage": edition.language,
            "datePublished": edition.date.isoformat(),
            "dateModified": _instant(notes[0].at) if notes else None,
            "correction": [_correction(note, edition) for note in notes],
            "image": picture.url if picture else None,
            "author": {"@id": f"{edition.web_view}#publisher"},
            "publisher": _publisher(edition),
            "isPartOf": _series(edition),
            "workTranslation": [
                {"@type": "NewsArticle", "@id": f"{other.url}#issue", "url": other.url, "inLanguage": other.language}
                for other in edition.alternates
            ],
        }
    )


def _correction(note: Note, edition: Edition) -> Node:
    return {
        "@type": "CorrectionComment",
        "text": note.reason.text,
        "inLanguage": note.reason.lang or edition.language,
        "datePublished": _instant(note.at),
    }


def _instant(at: dt.datetime) -> str:
    return rfc3339(at.replace(microsecond=0))


def _publisher(edition: Edition) -> Node:
    logo = edition.logo.url if edition.logo else None
    return _said(
        {
            "@type": "Organization",
            "@id": f"{edition.web_view}#publisher",
            "name": edition.sender_name,
            "url": edition.website,
            "logo": logo,
        }
    )


def _series(edition: Edition) -> Node:
    series: Node = {"@type": "Periodical", "name": unslotted(edition.name.text)}
    if edition.number is None:
        return series
    return {"@type": "PublicationIssue", "issueNumber": str(edition.number), "isPartOf": series}


def _item(block: Block, edition: Edition) -> Node:
    return _said(
        {
            "@type": _TYPES[block.kind],
            "@id": f"{edition.web_view}#{block.key}",
            "headline": unslotted(block.title),
            "inLanguage": block.lang or edition.language,
            "datePublished": edition.date.isoformat(),
            "about": unslotted(block.topic.text) if block.topic else None,
            "url": next((anchor.url for anchor in block.links if anchor.url.startswith("http")), None),
            "image": block.picture.url if block.picture and block.picture.url.startswith("http") else None,
            "publisher": {"@id": f"{edition.web_view}#publisher"},
            "isPartOf": {"@id": f"{edition.web_view}#issue"},
        }
    )


def _event(event: CalendarEvent, edition: Edition) -> Node:
    told = next(_told(event, edition), None)
    place, online = _where(event, told)
    spots: list[Node] = [{"@type": "Place", "name": place, "address": place}] if place else []
    spots += [{"@type": "VirtualLocation", "url": online}] if online else []
    return _said(
        {
            "@type": "Event",
            "identifier": event.uid,
            "name": event.title,
            "description": event.description,
            "startDate": _moment(event.span.start),
            "endDate": _moment(event.span.end),
            "eventStatus": STATUS[event.status],
            "eventAttendanceMode": _ATTENDANCE.get((bool(place), bool(online))),
            "location": spots[0] if len(spots) == 1 else spots,
            "inLanguage": _languages(told, edition),
            "url": event.url or edition.web_view,
        }
    )


def _told(event: CalendarEvent, edition: Edition) -> Iterator[_Told]:
    """What a block says of the sitting, else what a line of the agenda says of it."""
    for section in edition.sections:
        for block in section.blocks:
            for sitting in block.sittings:
                if sitting.uid == event.uid:
                    lang = block.lang or edition.language
                    yield _Told(place=sitting.place or block.place, languages=sitting.languages, lang=lang)
    for section in edition.sections:
        for line in section.lines:
            # A UID has its keys between double hyphens, which stand in no key (see `assembly.sittings.uid_of`).
            if f"--{line.key}--" in event.uid and _is_at(line.place, event.location):
                for part in line.parts:
                    if event.title.endswith(unslotted(part.title.text)):
                        yield _Told(
                            place=line.place, languages=part.languages, lang=part.title.lang or edition.language
                        )


def _is_at(place: PlaceView | None, location: str) -> bool:
    return location in {place.words.text, place.online} if place else not location


def _where(event: CalendarEvent, told: _Told | None) -> tuple[str, str | None]:
    """The place in words and the address to take part at; from the calendar alone where the edition does not say."""
    if told is not None:
        return (unslotted(told.place.words.text), told.place.online) if told.place else ("", None)
    is_online = event.location.startswith(("https://", "http://"))
    return ("", event.location) if is_online else (event.location, None)


def _languages(told: _Told | None, edition: Edition) -> object:
    """The language of the session where it is named (in words alone), else that of what is said about it."""
    if told and told.languages:
        return {"@type": "Language", "name": told.languages}
    return told.lang if told else edition.language


def _moment(moment: dt.date | None) -> str | None:
    return moment.isoformat() if moment else None


def _said(node: Node) -> Node:
    """The node without what is not known."""
    return {name: value for name, value in node.items() if value not in (None, "", [])}
