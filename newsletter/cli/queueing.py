"""The command that queues an issue: whom it goes to, when, and in which manner."""

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer

from newsletter.cli.output import JsonOption, note, print_json, progress, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE, NewsletterOption
from newsletter.errors import InvalidInput
from newsletter.planning.audience import Readers, Share
from newsletter.planning.manner import Manner
from newsletter.planning.stage import hold_words, read_hold
from newsletter.times import Span, rfc3339, span_words

if TYPE_CHECKING:
    from newsletter.pipeline.sending import Queued


def queue(
    slug: str,
    segment: str = typer.Option(None, help="Who gets it: the name of a saved segment."),
    readers_of: str = typer.Option(None, help="Who gets it, for an erratum: those who got this issue."),
    language: str = typer.Option(None, help="With --readers-of: only those who got its edition in this language."),
    now: bool = typer.Option(False, "--now", help="Freeze the audience and start at once."),
    at: str = typer.Option(None, help="Wall-clock time, like '2026-12-01 09:00'."),
    timezone: str = typer.Option(None, help="Time zone of --at; default: the newsletter's."),
    recipient_local: bool = typer.Option(
        False, "--recipient-local", help="With --at: at that time where each reader is, by the subscriber's time zone."
    ),
    missed: bool = typer.Option(
        False, "--missed", help="Only who has not got it; never who got it, refused it, left, or may have got it."
    ),
    even_uncertain: bool = typer.Option(
        False, "--even-uncertain", help="With --missed: also who may have got it (uncertain), and may get it twice."
    ),
    first: int | None = typer.Option(None, metavar="N", help="With --hold: this many go first, chosen as if by lot."),
    hold: str | None = typer.Option(
        None,
        metavar="D",
        help="How long the others wait after the first, like 90s, 15m, 2h, 1d; then they go if all is well.",
    ),
    newsletter: str = NewsletterOption,
    json: bool = JsonOption,
) -> None:
    """
    Queue an approved issue for a segment, or an erratum for the readers of an issue, now or at a time.

    With --missed an issue that was sent goes, byte for byte, to those who have joined since or whose delivery failed.
    """
    to = _audience(segment, readers_of, language)
    if now == (at is not None):
        raise InvalidInput("say when: either --now or --at 'YYYY-MM-DD HH:MM'")
    manner = Manner(
        first=first,
        hold=None if hold is None else read_hold(hold),
        local=recipient_local,
        missed=missed,
        doubtful=even_uncertain,
    )
    pipeline = STATE.pipeline()
    queued = pipeline.sending.queue(slug, newsletter=newsletter, segment=to, at=at, zone=timezone, manner=manner)
    if not json:  # before the freeze, which takes its time
        say(f"{queued.segment}: {_audience_words(queued.shares)}{' who missed it' if missed else ''}")
        for remark in queued.remarks:
            note(remark)
    if now:
        with progress("freezing the audience") as bar:
            pipeline.sending.start_due(progress=bar)
    if json:
        print_json(_queued_json(slug, queued))
    else:
        zone = timezone or pipeline.editorial.zone_of(slug, newsletter=newsletter)
        say(_start_words(slug, queued, zone=None if now else zone))
        if manner.first is not None and manner.hold is not None:
            say(
                f"{counted(manner.first, 'person goes', 'people go')} first, the others {hold_words(manner.hold)} later"
            )


def _queued_json(slug: str, queued: "Queued") -> dict[str, Any]:
    return {
        "issue": slug,
        "due": queued.due,
        "last": queued.last,
        "segment": queued.segment,
        "remarks": queued.remarks,
        "audience": sum(share.people for share in queued.shares),
        "languages": [
            {"wanted": share.wanted, "edition": share.language, "people": share.people} for share in queued.shares
        ],
    }


def _start_words(slug: str, queued: "Queued", *, zone: str | None) -> str:
    """When the run starts, in words; `zone` is None where it has started."""
    if zone is None:
        return f"issue {slug} started; `newsletter dispatch` or `newsletter run` sends it"
    words = f"issue {slug} is due {_instant_words(queued.due, zone)} ({rfc3339(queued.due)})"
    if queued.last is not None:
        words += f", where it is that time first; last {_instant_words(queued.last, zone)} ({rfc3339(queued.last)})"
    return words


def _audience(segment: str | None, readers_of: str | None, language: str | None) -> str | Readers:
    if (segment is None) == (readers_of is None):
        raise InvalidInput("say who gets it: either --segment NAME, or --readers-of SLUG for an erratum")
    if segment is not None:
        if language is not None:
            raise InvalidInput("--language goes with --readers-of: a segment says itself which languages it is for")
        return segment
    return Readers(issue=readers_of or "", language=language)


def _audience_words(shares: tuple[Share, ...]) -> str:
    total = sum(share.people for share in shares)
    editions: dict[str, int] = {}
    for share in shares:
        editions[share.language] = editions.get(share.language, 0) + share.people
    parts = ", ".join(f"{people} get {language}" for language, people in editions.items())
    substitutes = [
        f"{share.people} asked for {share.wanted} and get {share.language}" for share in shares if share.substitute
    ]
    return f"{counted(total, 'person', 'people')}: {parts or 'nobody'}" + (
        f" ({'; '.join(substitutes)})" if substitutes else ""
    )


def _instant_words(instant: dt.datetime, zone: str) -> str:
    return span_words(Span(start=instant.astimezone(ZoneInfo(zone))), locale="en-GB", style="block")
