"""
The message: that there is something to read, its slots, signs that would be read aloud, credits, and both its parts.

Takes a compiled edition and the facts of its issue, yields findings.
"""

import re
from collections.abc import Iterator
from typing import Final

from newsletter.assembly.facts import IssueFacts
from newsletter.compilation.artifact import Artifact
from newsletter.compilation.slots import Field, Slot, Slots, System
from newsletter.content.localised import chosen
from newsletter.content.newsletter import Topic
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Rule, Severity
from newsletter.preflight.outline import one_line
from newsletter.preflight.places import PlacedText, entries_in, texts_in
from subscribers.language import fallback_chain

EMPTY: Final = Rule(
    code="edition-empty",
    severity=Severity.ERROR,
    message="The {edition} edition has no entry at all.",
    hint="Add entries, or take the language out of the newsletter.",
)
UNKNOWN_SLOT: Final = Rule(
    code="slot-unknown",
    severity=Severity.WARNING,
    message="“[[{name}]]” is no slot here: readers will see it as it stands.",
    hint="Use first_name, last_name, email, organisation, city or country, never inside an address; or take the "
    "brackets away.",
    shared=True,
)
BARE_SLOT: Final = Rule(
    code="slot-without-default",
    severity=Severity.NOTICE,
    message="“[[{name}]]” stays empty for readers of whom that is not known.",
    hint="Say what should stand there then, behind a bar: [[first_name|dear reader]].",
    shared=True,
)
UNUSED_SLOT: Final = Rule(
    code="slot-unused",
    severity=Severity.NOTICE,
    message="“[[{name}]]” is written in the {edition} edition, but its {part} part does not show it.",
    hint="Nothing is lost if the words around it are not shown there either; else ask whoever looks after the theme.",
)
SIGNS: Final = Rule(
    code="decoration-signs",
    severity=Severity.WARNING,
    message="“{signs}” in “{text}” is decoration, which a screen reader speaks sign by sign.",
    hint="Take the signs out: the theme draws arrows and markers that are not spoken.",
    shared=True,
)
CREDIT: Final = Rule(
    code="credit-missing",
    severity=Severity.WARNING,
    message="The {edition} edition does not show the credit that “{topic}” asks for: “{credit}”.",
    hint="The theme has to show the credits of an edition in both its parts; ask whoever looks after it.",
)
NO_WAY_OUT: Final = Rule(
    code="unsubscribe-missing",
    severity=Severity.ERROR,
    message="The {edition} edition has no link to unsubscribe in its {part} part.",
    hint="The theme has to show the link in both parts; ask whoever looks after it.",
)
TEXT_LACKS: Final = Rule(
    code="text-lacks-link",
    severity=Severity.WARNING,
    message="The text part of the {edition} edition lacks a link of the HTML part: {url}",
    hint="The theme has to show the same links in both parts; ask whoever looks after it.",
)
RULES: Final = (EMPTY, UNKNOWN_SLOT, BARE_SLOT, UNUSED_SLOT, SIGNS, CREDIT, NO_WAY_OUT, TEXT_LACKS)

_ROWS: Final = re.compile(r"[>›]{2,}|[<‹]{2,}|([*_#|+•·!?])\1{3,}|([=~])\2{2,}|-{5,}|[►▶▸➜➔→]{2,}|[-=]{2,}>")
"""Signs in a row; `!!!` is no good style, but somebody's own."""

_POINTERS: Final = re.compile(r"^(?:[-=]*>|[→►▶▸➜➔»›])(?=\s)|(?<=\s)(?:[-=]*>|[→►▶▸➜➔])$")
"""A pointer at the beginning or end of a title or label."""

_MEANT: Final = re.compile(r"https?://\S+|^ {0,3}(?:[*_-][ \t]*){3,}$", re.MULTILINE)
"""Signs with a meaning: in an address, and a line drawn across (CommonMark §4.1)."""

_EXCERPT: Final = 60
"""Characters that show which text is meant."""


def check(given: CompiledEdition, issue: IssueFacts) -> Iterator[Finding]:
    """Look at the message of an edition."""
    if not given.edition.sections:
        yield EMPTY.found(edition=given.name)
    yield from _slots(given)
    for text in texts_in(given.edition):
        yield from _signs(text, given.name)
    yield from _credits(given, issue)
    yield from _parts(given)


def _slots(given: CompiledEdition) -> Iterator[Finding]:
    for name in given.artifact.unknown:
        yield UNKNOWN_SLOT.found(edition=given.name, name=name)
    known_of_all = {Field.EMAIL.value, *(system.value for system in System)}
    for slot in given.artifact.slots:
        if not slot.default and slot.name not in known_of_all:
            yield BARE_SLOT.found(edition=given.name, name=slot.name)
    yield from _unused(given.artifact, given.name)


def _unused(artifact: Artifact, edition: str) -> Iterator[Finding]:
    tokens = Slots.known(artifact.nonce, artifact.slots)
    for slot in artifact.slots:
        token = tokens.token(slot)
        # What stands in the subject or the preheader need not stand in a part as well.
        if slot.name not in set(Field) or token in artifact.subject or token in artifact.preheader:
            continue
        for part, content in (("HTML", artifact.html), ("text", artifact.text)):
            if token not in content:
                yield UNUSED_SLOT.found(edition=edition, name=slot.name, part=part)


def _signs(text: PlacedText, edition: str) -> Iterator[Finding]:
    plain = _MEANT.sub("", text.text).strip()
    found = _ROWS.search(plain) or (None if text.markdown else _POINTERS.search(plain))
    if found:
        line = plain[plain.rfind("\n", 0, found.start()) + 1 :].partition("\n")[0].strip()
        excerpt = line if len(line) <= _EXCERPT else f"{line[:_EXCERPT].rstrip()}…"
        yield SIGNS.found(edition=edition, place=text.place, signs=found[0], text=excerpt)


def _credits(given: CompiledEdition, issue: IssueFacts) -> Iterator[Finding]:
    standing = {issue.entries[key].entry.topic for key in entries_in(given.edition)}
    default = issue.settings.default_language
    chain = fallback_chain(given.edition.language, source=default, default=default)
    for topic in issue.topics:
        credit = chosen(topic.credit, chain) if topic.key in standing else None
        if credit and not _shows(given, credit[0]):
            yield CREDIT.found(edition=given.name, place="footer", topic=_name(topic, chain), credit=credit[0])


def _name(topic: Topic, chain: tuple[str, ...]) -> str:
    found = chosen(topic.name, chain)
    return found[0] if found else topic.key


def _shows(given: CompiledEdition, words: str) -> bool:
    """Whether both parts show these words, whatever stands in their slots and however their lines are broken."""
    artifact = given.artifact
    tokens = Slots.known(artifact.nonce, artifact.slots)
    pieces = [one_line(part) for part in tokens.parts(words) if isinstance(part, str)]
    parts = (given.outline.words, one_line(artifact.text))
    return all(piece in part for piece in pieces for part in parts)


def _parts(given: CompiledEdition) -> Iterator[Finding]:
    artifact = given.artifact
    tokens = Slots.known(artifact.nonce, artifact.slots)
    way_out = tokens.token(Slot(System.UNSUBSCRIBE))
    for part, content in (("HTML", artifact.html), ("text", artifact.text)):
        if way_out not in content:
            yield NO_WAY_OUT.found(edition=given.name, part=part)
    for url in artifact.text_lacks:
        if url != way_out:
            words = "".join(part.name if isinstance(part, Slot) else part for part in tokens.split(url))
            yield TEXT_LACKS.found(edition=given.name, url=words)
