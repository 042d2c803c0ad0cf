"""
What the pages of entries call things: kinds, states, fields, and what is wrong with them.

Takes values of the program; yields messages for `say`, each of which stands in `desk-entries.po`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from newsletter.content.entry import Kind, Status
from newsletter.content.localised import EVERY, chosen
from newsletter.content.matrix import Completeness
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.content.revisions import STATUS
from newsletter.content.traps import Trap, TrapKind
from newsletter.pipeline.writing import Saved
from newsletter.times import own_name
from newsletter.web.desk.words import desk_words

Say = Callable[..., str]
"""`words.Catalogue.say`."""

KINDS: Final[Mapping[Kind, str]] = {
    Kind.NEWS: "News",
    Kind.AGENDA: "Agenda",
    Kind.PUBLICATION: "Publication",
    Kind.NOTE: "Did you know",
}
"""What an entry is; said with the context `kind`."""

STATUSES: Final[Mapping[Status, tuple[str, str]]] = {
    Status.DRAFT: ("Draft", ""),
    Status.PUBLISHED: ("Published", "ok"),
    Status.WITHDRAWN: ("Withdrawn", "quiet"),
}
"""Where it stands, with the tone of its pill; said with the context `entry`."""

STATES: Final[Mapping[Completeness, str]] = {
    Completeness.MISSING: "Not translated",
    Completeness.STALE: "Older than the original",
    Completeness.PRESENT: "Complete",
}
"""What the table is filtered by; said with the context `texts`."""

FIELDS: Final[Mapping[str, str]] = {
    "kind": "Kind",
    "section": "Section",
    "topic": "Topic",
    "tags": "Tags",
    "published": "From",
    "priority": "Priority",
    "source": "Original",
    "languages": "Editions",
    "repeat": "Repeated",
    "place": "Place",
    "image": "Picture",
    "sittings": "Sittings",
    "title": "Title",
    "body": "Text",
    "links": "Links",
    STATUS: "State",
}
"""The fields of a sheet; said with the context `field`."""

TRAPS: Final[Mapping[TrapKind, str]] = {
    TrapKind.DATE: "Line {line}: “{text}” stays a date and is not made a numbered list.",
    TrapKind.ARROW: "Line {line}: “{text}” stays as it is typed and is not made a quotation.",
    TrapKind.UNDERLINE: "Line {line}: “{text}” makes no heading. Begin the line of a heading with #.",
    TrapKind.INDENT: "Line {line}: “{text}” stays a paragraph and is not made program code.",
    TrapKind.FENCE: "Line {line}: “{text}” stays as it is typed and is not made program code.",
    TrapKind.LINK: "Line {line}: “{text}” leads nowhere in a mail. Begin the address with https://.",
}
"""What is made of a place that plain Markdown reads otherwise."""


@dataclass(frozen=True, slots=True)
class Labels:
    """
    The words of one page: `say` in its language, sections and languages of one newsletter.

    `called` is what to call operators, by their names.
    """

    say: Say
    language: str
    newsletter: Newsletter
    called: Mapping[str, str]

    def kind(self, kind: Kind | str) -> str:
        """What an entry is."""
        return self.say(KINDS[Kind(kind)], context="kind")

    def status(self, status: Status | str) -> tuple[str, str]:
        """Where it stands, with a tone."""
        words, tone = STATUSES[Status(status)]
        return self.say(words, context="entry"), tone

    def state(self, state: Completeness) -> str:
        """How a text stands."""
        return self.say(STATES[state], context="texts")

    def field(self, name: str) -> str:
        """A field of a sheet: « Titre (fr) »."""
        part, _, language = name.partition(".")
        words = self.say(FIELDS[part], context="field") if part in FIELDS else part
        return f"{words} ({language})" if language else words

    def fields(self, names: Sequence[str]) -> str:
        """Several of them."""
        return ", ".join(map(self.field, names))

    def problem(self, words: str) -> str:
        """What is wrong with a field; words that are no message of ours stay as the rule said them."""
        return self.say(words) if desk_words(self.language).knows(words) else words

    def traps(self, found: Sequence[Trap]) -> list[str]:
        """What is made of places that plain Markdown reads otherwise."""
        return [self.say(TRAPS[trap.kind], line=trap.line, text=trap.text) for trap in found]

    def section(self, key: str) -> str:
        """A section of the newsletter by its title, else by its key."""
        found = next((section for section in self.newsletter.sections if section.key == key), None)
        words = chosen(found.title, (self.language, *self.newsletter.languages)) if found and found.title else None
        return words[0] if words else key

    def person(self, name: str) -> str:
        """Who wrote something; "" is somebody whom nobody knows any more."""
        return self.called.get(name, name) or self.say("Somebody", context="entry")

    def topic(self, key: str, topics: Mapping[str, Topic]) -> str:
        """What a topic is called; a word that is no key is its name."""
        words = chosen(topics[key].name, (self.language, *self.newsletter.languages)) if key in topics else None
        return words[0] if words else key

    def tongue(self, tag: str) -> str:
        """A language in itself; `EVERY` as what it stands for."""
        return self.say("In every language", context="entry") if tag == EVERY else own_name(tag)


def sentences(labels: Labels, saved: Saved) -> list[str]:
    """What saving did."""
    sentences = [labels.say("Saved.", context="entry") if saved.changes else labels.say("Nothing was different.")]
    if saved.merged:
        words = "What somebody else had changed meanwhile was taken over: {fields}."
        sentences.append(labels.say(words, fields=labels.fields(saved.merged)))
    if saved.touched.voided:
        words = "These issues have to be approved again: {issues}."
        sentences.append(labels.say(words, issues=", ".join(saved.touched.voided)))
    if saved.touched.pinned:
        words = "These issues go out as they were approved: {issues}."
        sentences.append(labels.say(words, issues=", ".join(saved.touched.pinned)))
    return sentences
