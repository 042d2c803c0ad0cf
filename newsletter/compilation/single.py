"""
Single messages: what asks for a confirmation, or tells one person something.

Takes a `Letter`, yields its artifact, by the chain that editions go through and in the colours of the newsletter's
theme; the templates are those of `templates/email/single`, the same for every theme. Promises that nothing stands in
it that the person who asked could choose, since that may be somebody else: no name, no address but the reader's own.
There is no header to leave by (RFC 8058 is for what comes again), and `Auto-Submitted` keeps machines from answering.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol

from newsletter.assembly.edition import Direction, Phrase
from newsletter.compilation.artifact import Artifact, digest_of
from newsletter.compilation.compiler import largest_values, page_from
from newsletter.compilation.message import Head, build_skeleton, render
from newsletter.compilation.mjml import directed
from newsletter.compilation.plaintext import links_missing, normalised
from newsletter.compilation.slots import Slots
from newsletter.compilation.structure import check_shape
from newsletter.compilation.templates import render as render_template
from newsletter.compilation.theme import read_theme
from newsletter.compilation.vocabulary import Dressed, names_for_mjml, names_for_text
from newsletter.content.newsletter import Theme
from newsletter.links import Links
from newsletter.paths import templates
from newsletter.words import catalogue
from subscribers.address import parse_address

FOLDER: Final = "single"
"""Of the templates, beside the themes; it is none, since it has no manifest."""

UNDATED: Final = dt.date(2000, 1, 1)
"""A letter bears no date: the same words are the same artifact for years."""

KEPT: Final = 64
"""Letters held in memory: every kind in ten languages."""


class LetterKind(StrEnum):
    """What a letter is for."""

    #: Asks whether the person wants what was asked for in a form.
    CONFIRM = "confirm"
    #: Asks whether the person wants what the sender was asked to send them.
    INVITE = "invite"
    #: Says that they receive it already.
    ALREADY = "already"
    #: Says that they receive it from now on.
    WELCOME = "welcome"
    #: Asks, at a new address, whether it is theirs.
    ADDRESS = "address"
    #: Says, at the present address, that another one was given.
    MOVING = "moving"


SUBJECTS: Final = {
    LetterKind.CONFIRM: "Please confirm your subscription",
    LetterKind.INVITE: "Please confirm your subscription",
    LetterKind.ALREADY: "You are already subscribed",
    LetterKind.WELCOME: "You are subscribed",
    LetterKind.ADDRESS: "Please confirm your new address",
    LetterKind.MOVING: "Your address is about to change",
}
"""The subject of each, before translation; the newsletter's name follows."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """
    A single message before it is compiled.

    `language` is one that has a catalogue; `name`, `theme_name` and `accent` are the newsletter's; `lists` are their
    titles where there is more than one to choose from, `postal` is the sender's postal address, and `days` how long the
    link is valid.
    """

    kind: LetterKind
    newsletter: str
    language: str
    dir: Direction
    name: Phrase
    theme_name: str
    accent: str | None
    sender_name: str
    sender_address: str
    reply_to: str | None
    postal: Phrase | None
    lists: tuple[Phrase, ...]
    days: int

    @property
    def theme(self) -> Theme:
        """Whose colours and fonts it is dressed in."""
        return Theme(name=self.theme_name, accent=self.accent)

    @property
    def label(self) -> str:
        """What it is for, in one word."""
        return self.kind.value

    @property
    def subject(self) -> str:
        """What it is about, and which newsletter."""
        words = catalogue(self.language)
        return words.say("{action}: {title}", action=words.say(SUBJECTS[self.kind]), title=self.name.text)


class Single(Dressed, Protocol):
    """A single message before it is compiled: a letter, or a notice (see `notice`)."""

    @property
    def label(self) -> str:
        """What it is for, in one word."""
        ...

    @property
    def newsletter(self) -> str:
        """The slug of the newsletter that it is of."""
        ...

    @property
    def subject(self) -> str:
        """Its subject."""
        ...

    @property
    def sender_name(self) -> str:
        """Who it comes from."""
        ...

    @property
    def sender_address(self) -> str:
        """Where it comes from."""
        ...

    @property
    def reply_to(self) -> str | None:
        """Where answers go, if not to the sender."""
        ...


@lru_cache(maxsize=KEPT)
def compile_letter(letter: Letter, links: Links) -> Artifact:
    """
    Compile a letter; what this process has compiled before costs nothing.

    Raises as `compile_edition` does.
    """
    slots = Slots.of(repr(letter))
    own = {"letter": letter, "subject": SUBJECTS[letter.kind], "confirmation_url": slots.confirmation_url}
    return compile_single(letter, "letter", links=links, slots=slots, own=own)


def compile_single(letter: Single, template: str, *, links: Links, slots: Slots, own: Mapping[str, object]) -> Artifact:
    """
    Compile a single message by the templates of that name; `own` are their names beside those of every template.

    Raises as `compile_edition` does.
    """
    theme = read_theme(letter.theme.name)
    for_mjml = {**names_for_mjml(theme, letter, slots=slots), **own}
    mjml = directed(_rendered(f"{template}.mjml.j2", for_mjml), letter.dir)
    html = page_from(mjml, letter, slots=slots)
    text = normalised(_rendered(f"{template}.txt.j2", {**names_for_text(theme, letter, slots=slots), **own}))
    head = _head(letter)
    skeleton = build_skeleton(head, subject=(letter.subject,), text=slots.split(text), html=slots.split(html))
    targets = check_shape("compile", html).links
    return Artifact(
        newsletter=letter.newsletter,
        issue=letter.label,
        date=UNDATED,
        language=letter.language,
        dir=letter.dir,
        variant="",
        sender_address=head.sender_address,
        subject=letter.subject,
        preheader="",
        mjml=mjml,
        html=html,
        text=text,
        skeleton=skeleton.to_bytes(),
        nonce=slots.nonce,
        slots=slots.used,
        unknown=slots.unknown,
        links=targets,
        text_lacks=links_missing(text, targets),
        size=len(render(skeleton, largest_values(skeleton, links))),
        digest=digest_of(letter.language, "", skeleton=skeleton.to_bytes()),
    )


def _rendered(template: str, names: dict[str, object]) -> str:
    return render_template(templates() / "email" / FOLDER, template, names=names)


def _head(letter: Single) -> Head:
    return Head(
        sender_name=letter.sender_name,
        sender_address=parse_address(letter.sender_address).ascii_form,
        language=letter.language,
        reply_to=parse_address(letter.reply_to).ascii_form if letter.reply_to else None,
        bulk=False,
    )
