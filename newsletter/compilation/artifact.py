"""
An artifact: a compiled edition.

Holds subject, HTML and text with the tokens of their slots, the MIME skeleton that is spliced for each reader, and
what preflight needs to judge them. Named by the SHA-256 of everything that is sent: what was approved is what is sent
is what is archived. Pure.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from html import escape
from typing import Any, Final

from newsletter.assembly.edition import Direction
from newsletter.compilation.message import Skeleton, Values
from newsletter.compilation.said import Said
from newsletter.compilation.slots import Slot, Slots
from newsletter.content.newsletter import Tracking

SAMPLE: Final = Values(
    address="sample.reader@readers.example",
    name="Sample Reader",
    message_id="sample@news.example",
    date=dt.datetime(2000, 1, 1, 9, tzinfo=dt.UTC),
    unsubscribe_url="https://news.example/u/sample",
    preferences_url="https://news.example/p/sample",
    click="sample",
    open="sample",
    confirmation_url="https://news.example/c/sample",
)
"""The neutral reader of samples and archive: officers' slots show their defaults, and no link acts on anybody."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """
    A compiled edition.

    `variant` is as the edition's; `sender_address` is its sender's, in ASCII. `nonce` and `slots` tell the tokens in
    `subject`, `preheader`, `html` and `text`; `unknown` is what officers wrote in double brackets to no effect. `links`
    is the targets in the HTML, in order, and `text_lacks` those of them that the text does not show. `size` is the
    octets of the largest message it can become, about. `said` is what each of its entries says, by digest (empty where
    an earlier version compiled it). `tracking` says whose clicks are counted, `tracked` where the counted links lead,
    from number 1 on; they stand in what is sent alone, never in `html` and `text`. `mjml` is kept for those who look
    for the cause of something; it is not sent.
    """

    newsletter: str
    issue: str
    date: dt.date
    language: str
    dir: Direction
    variant: str
    sender_address: str
    subject: str
    preheader: str
    mjml: str
    html: str
    text: str
    skeleton: bytes
    nonce: str
    slots: tuple[Slot, ...]
    unknown: tuple[str, ...]
    links: tuple[str, ...]
    text_lacks: tuple[str, ...]
    size: int
    digest: str
    said: tuple[Said, ...] = ()
    tracking: Tracking = Tracking.OFF
    tracked: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`fr` or `fr.members+press`: its file name without an ending."""
        return f"{self.language}.{self.variant}" if self.variant else self.language

    @property
    def is_whole(self) -> bool:
        """Whether what would be sent is still what the digest names."""
        return digest_of(self.language, self.variant, skeleton=self.skeleton) == self.digest

    @cached_property
    def message(self) -> Skeleton:
        """The skeleton, ready to be spliced."""
        return Skeleton.from_bytes(self.skeleton)

    def html_for(self, values: Values) -> str:
        """The HTML as one reader sees it."""
        return self._tokens.fill(self.html, values.by_name(), escape=escape)

    def text_for(self, values: Values) -> str:
        """The text as one reader sees it."""
        return self._tokens.fill(self.text, values.by_name())

    def subject_for(self, values: Values) -> str:
        """The subject as one reader sees it."""
        return self._tokens.fill(self.subject, values.by_name())

    @cached_property
    def _tokens(self) -> Slots:
        return Slots.known(self.nonce, self.slots)

    def facts(self) -> dict[str, Any]:
        """What is neither sent nor a text of its own, for storage."""
        return {
            "newsletter": self.newsletter,
            "issue": self.issue,
            "date": self.date.isoformat(),
            "dir": self.dir,
            "sender_address": self.sender_address,
            "preheader": self.preheader,
            "nonce": self.nonce,
            "slots": [[slot.name, slot.default] for slot in self.slots],
            "unknown": list(self.unknown),
            "links": list(self.links),
            "text_lacks": list(self.text_lacks),
            "size": self.size,
            "said": [[each.key, each.title, each.digest] for each in self.said],
            "tracking": self.tracking.value,
            "tracked": list(self.tracked),
        }


def artifact_from(facts: Mapping[str, Any], **texts: Any) -> Artifact:
    """The artifact again from its `facts` and its other fields."""
    slots = tuple(Slot(name, default) for name, default in facts["slots"])
    told = tuple(Said(*each) for each in facts.get("said", ()))
    lists = {name: tuple(facts.get(name, ())) for name in ("unknown", "links", "text_lacks", "tracked")}
    plain = {"date": dt.date.fromisoformat(facts["date"]), "tracking": Tracking(facts.get("tracking", Tracking.OFF))}
    return Artifact(**{**facts, **lists, **plain, "slots": slots, "said": told}, **texts)


def digest_of(language: str, variant: str, *, skeleton: bytes) -> str:
    """
    SHA-256 over everything that is sent, in hexadecimal.

    The skeleton holds headers, subject, text and HTML; language and variant say to whom it goes.
    """
    digest = sha256()
    for part in (language.encode(), variant.encode(), skeleton):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
