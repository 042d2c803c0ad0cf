"""
What an alert says, in the language of the operator who gets it.

Takes the kind of an alert, its facts and who reads it; yields the words of its notice, and the page of the desk that it
leads to. What the facts hold was cleared of addresses when they were stored. Pure.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal

from newsletter.accounts.alerts import AlertKind
from newsletter.times import Span, span_words
from newsletter.words import Catalogue

WORDS: Final = "desk-settings"
"""The domain of the words of newsletters' settings, of the page Today and of alerts."""

Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The words of an alert, and the parts of the path under `/desk` of the page that it is about."""

    heading: str
    lines: tuple[str, ...]
    button: str
    page: tuple[str, ...]


def said(kind: AlertKind, facts: Facts, words: Catalogue, *, newsletter: str, zone: str) -> Said:
    """Say an alert; `newsletter` is the slug it is about, `zone` the reader's time zone."""
    issue = ("n", newsletter, "issues", facts.get("issue", ""))
    values = {"issue": facts.get("title") or facts.get("issue", ""), "relay": facts.get("relay", "")}
    match kind:
        case AlertKind.DRAFT:
            return Said(
                heading=words.say("A draft is ready: {issue}", **values),
                lines=(
                    words.say_n("It has {n} entry so far.", "It has {n} entries so far.", int(facts.get("items", 0))),
                    *_standing(words, int(facts.get("checks", 0))),
                    words.say("Nothing is sent by itself: look at it, complete it, and have it approved."),
                ),
                button=words.say("Open the draft"),
                page=issue,
            )
        case AlertKind.APPROVAL:
            return Said(
                heading=words.say("Please approve {issue}", **values),
                lines=(words.say("{person} asks for it.", person=facts.get("person", "")),),
                button=words.say("Look at the issue"),
                page=(*issue, "approve"),
            )
        case AlertKind.PAUSED:
            return Said(
                heading=words.say("Stopped: {issue}", **values),
                lines=(
                    reason_words(facts.get("reason", ""), words),
                    words.say("What has not gone out waits until somebody resumes or cancels the run."),
                ),
                button=words.say("Open the run"),
                page=(*issue, "run"),
            )
        case AlertKind.FINISHED:
            return Said(
                heading=words.say("Sent: {issue}", **values),
                lines=(_figures(facts, words),),
                button=words.say("Read the report"),
                page=(*issue, "report"),
            )
        case _:
            return _of_installation(kind, facts, words, zone=zone)


def _of_installation(kind: AlertKind, facts: Facts, words: Catalogue, *, zone: str) -> Said:
    since = _since(facts.get("since", ""), words, zone)
    if kind is AlertKind.DISK:
        free = format_decimal(facts.get("free", "0"), locale=words.language.replace("-", "_"))
        return Said(
            heading=words.say("There is little room left on the disk"),
            lines=(
                words.say("{free} GB are free where the database lies.", free=free),
                words.say("Nothing is sent that cannot be recorded: without room a run stops."),
            ),
            button=words.say("Open the desk"),
            page=(),
        )
    if kind is AlertKind.RELAY:
        return Said(
            heading=words.say("{relay} takes no mail from us", relay=facts.get("relay", "")),
            lines=(
                words.say("Since {since} the mail server has let no connection or login through.", since=since),
                words.say("Messages wait and go out when it is back, or over another server if there is one."),
            ),
            button=words.say("Look at the mail servers"),
            page=("servers",),
        )
    return Said(
        heading=words.say("The mailbox for bounces cannot be read"),
        lines=(
            words.say("Since {since}: {reason}", since=since, reason=facts.get("reason", "")),
            words.say("Until it can be read, addresses that bounce go on being written to."),
        ),
        button=words.say("Look at the mail servers"),
        page=("servers",),
    )


def reason_words(held: str, words: Catalogue) -> str:
    """Why a run stands still, as its row has it, in words; what is no reason of the program's stays as it is."""
    for beginning, message in _REASONS.items():
        if held.startswith(beginning):
            return words.say(message, rest=held.removeprefix(beginning))
    return held


_REASONS: Final = {
    "paused by ": "{rest} has paused it.",
    "as in the backup of ": "It stands as in the backup of {rest}: what was sent since then is not known here.",
    "the relay refuses this mailing: ": "The mail server refuses these messages: {rest}",
    "missed by more than six hours": "It was missed by more than six hours, since nothing was running at its time.",
    "none of the first could be written to": "Nobody among the first could be written to: what would happen to the "
    "others is not known.",
}
"""How the reasons begin that `planning` and `dispatch` give in English, and what they say."""


def _standing(words: Catalogue, checks: int) -> tuple[str, ...]:
    one, many = "{n} check stands in the way of its approval.", "{n} checks stand in the way of its approval."
    return (words.say_n(one, many, checks),) if checks else ()


def _figures(facts: Facts, words: Catalogue) -> str:
    numbers = {
        name: format_decimal(facts.get(name, "0"), locale=words.language.replace("-", "_"))
        for name in ("accepted", "refused", "uncertain")
    }
    return words.say(
        "The last message has gone out: {accepted} accepted, {refused} refused, {uncertain} uncertain.", **numbers
    )


def _since(text: str, words: Catalogue, zone: str) -> str:
    if not text:
        return ""
    start = dt.datetime.fromisoformat(text).astimezone(ZoneInfo(zone))
    locale = "en-GB" if words.language == "en" else words.language
    return span_words(Span(start=start), locale=locale, style="block")
