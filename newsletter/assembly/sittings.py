"""
Sittings of an edition: as a block shows them, and as its calendar bears them.

Takes an entry in an edition's words; yields a view of each sitting and one calendar event for each. Promises that both
have the same UID and SEQUENCE and that nothing of one reader stands in a calendar: slots give their default words.
"""

import re

from newsletter.assembly.days import span_of
from newsletter.assembly.edition import Anchor, CalendarEvent, Phrase, PlaceView, SittingView
from newsletter.assembly.facts import IssueFacts
from newsletter.assembly.wording import Rendition, Wording
from newsletter.content.entry import Sitting
from newsletter.content.markdown import to_text
from newsletter.content.newsletter import Newsletter
from newsletter.links import Links
from newsletter.times import span_words

_SLOT = re.compile(r"\[\[\s*[A-Za-z][A-Za-z0-9_-]*\s*(?:\|([^\[\]\r\n]*))?\]\]")
# A calendar wraps its own lines.
_UNWRAPPED = 100_000


def uid_of(settings: Newsletter, entry: str, sitting: str) -> str:
    """
    The UID of a sitting's calendar entry (RFC 5545 §3.8.4.7): the same in every issue, edition and language.

    Two hyphens never stand in a key, so that no two sittings share a UID. The domain is that of the List-ID, which is
    meant to last (RFC 2919 §2), or the sender's where the List-ID has none.
    """
    domain = settings.list_id.partition(".")[2]
    if "." not in domain:
        domain = settings.sender.address.rpartition("@")[2]
    return f"{settings.slug}--{entry}--{sitting}@{domain}"


def sitting_view(
    rendition: Rendition, sitting: Sitting, *, wording: Wording, issue: IssueFacts, links: Links
) -> SittingView:
    """A sitting as a block shows it; title, text and place only where they are its own."""
    entry, settings = rendition.entry, issue.settings
    span = span_of(sitting, settings.timezone)
    return SittingView(
        key=sitting.key,
        uid=uid_of(settings, entry.key, sitting.key),
        sequence=rendition.stored.sequences.get(sitting.key, 0),
        span=span,
        when=span_words(span, locale=wording.locale, style="block"),
        languages=wording.languages(sitting),
        title=wording.phrase(sitting.title, entry.source),
        body=wording.phrase(sitting.body, entry.source),
        place=wording.place(sitting.place, entry.source) if sitting.place else None,
        links=wording.links_of(rendition, sitting),
        status=sitting.status,
        calendar=links.sitting_calendar(
            settings.slug, issue.plan.slug, wording.language, entry=entry.key, sitting=sitting.key
        ),
    )


def calendar_event(rendition: Rendition, sitting: Sitting, *, wording: Wording) -> CalendarEvent:
    """A sitting as the calendar bears it, in plain words; its links and place are the entry's where it has none."""
    settings = wording.settings
    anchors = wording.links_of(rendition, sitting) or rendition.links
    place = wording.place_of(rendition, sitting)
    online = place.online if place else None
    return CalendarEvent(
        uid=uid_of(settings, rendition.entry.key, sitting.key),
        sequence=rendition.stored.sequences.get(sitting.key, 0),
        span=span_of(sitting, settings.timezone),
        title=_title(rendition, sitting, wording=wording),
        description=_description(rendition, sitting, wording=wording, anchors=anchors, place=place),
        location=(place.words.text or online or "") if place else "",
        url=next((anchor.url for anchor in anchors if anchor.url.startswith("http")), online),
        status=sitting.status,
    )


def _title(rendition: Rendition, sitting: Sitting, *, wording: Wording) -> str:
    title = wording.title_of(rendition, sitting).text
    return _plain(f"{rendition.topic.text} — {title}" if rendition.topic else title)


def _description(
    rendition: Rendition, sitting: Sitting, *, wording: Wording, anchors: tuple[Anchor, ...], place: PlaceView | None
) -> str:
    own = wording.phrase(sitting.body, rendition.entry.source) or Phrase(text=rendition.body, lang=rendition.tag)
    body = to_text(_plain(own.text), width=_UNWRAPPED, lang=own.lang or wording.language).strip()
    languages = wording.languages(sitting)
    spoken = wording.catalogue.say("in {languages}", languages=languages) if languages else ""
    lines = [_line(anchor, wording) for anchor in anchors]
    if place and place.online and place.words.text:
        lines.append(place.online)
    return "\n\n".join(filter(None, (spoken[:1].upper() + spoken[1:], body, "\n".join(lines))))


def _line(anchor: Anchor, wording: Wording) -> str:
    say = wording.catalogue.say
    # The catalogues name an action by its English words: "read_more" is "Read more".
    action = say(anchor.action.replace("_", " ").capitalize()) if anchor.action else ""
    label = anchor.label.text if anchor.label else action
    return say("{action}: {title}", action=_plain(label), title=anchor.url)


def _plain(text: str) -> str:
    return _SLOT.sub(lambda slot: (slot[1] or "").strip(), text)
