"""
The message as it travels: written for the sample reader, and read back.

Takes a compiled edition, yields findings. What a relay, a provider and a mail program need of a newsletter: lines they
can take (RFC 5322 §2.1.1: 998 octets), headers that can be read back, one way to leave with one click (RFC 8058 §3.1,
RFC 2369 §3.2), the list's name (RFC 2919 §2), and a sender that belongs to the list. That the sender's domain really
lets the relay sign and send (SPF, DKIM, DMARC) is asked of DNS by `newsletter doctor`. Pure.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Final
from urllib.parse import urlsplit

from newsletter.assembly.facts import IssueFacts
from newsletter.compilation.artifact import SAMPLE, Artifact
from newsletter.compilation.message import render
from newsletter.compilation.slots import one_line
from newsletter.compilation.tracking import undone
from newsletter.content.newsletter import Tracking
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Rule, Severity

LONGEST_LINE: Final = 998
"""Octets without the line's end: RFC 5322 §2.1.1."""

LONGEST_LIST_ID: Final = 255
"""Octets: RFC 2919 §3."""

_PROGRAM: Final = "This is a fault of the program or of the theme: ask whoever looks after them."

UNREADABLE: Final = Rule(
    code="message-unreadable",
    severity=Severity.ERROR,
    message="The message of the {edition} edition cannot be read back as it was written: {part}.",
    hint=_PROGRAM,
)
LINE: Final = Rule(
    code="message-line",
    severity=Severity.ERROR,
    message="Line {line} of the message of the {edition} edition is too long or holds a character that mail cannot "
    "carry.",
    hint=_PROGRAM,
)
HEADER: Final = Rule(
    code="header-encoded",
    severity=Severity.ERROR,
    message="The header {header} of the {edition} edition is encoded as if it were words: programs cannot read it.",
    hint=_PROGRAM,
)
ONE_CLICK: Final = Rule(
    code="unsubscribe-header",
    severity=Severity.ERROR,
    message="The message of the {edition} edition has no complete pair of headers to leave with one click.",
    hint="Gmail and Yahoo ask for it. See that the program has a public address that begins with https.",
)
LIST_ID: Final = Rule(
    code="list-id-malformed",
    severity=Severity.WARNING,
    message="The newsletter's List-ID “{list_id}” is none: it is made of words with dots between, as a domain is.",
    hint="Give the newsletter a list_id such as news.city.example, and never change it: readers sort by it.",
    shared=True,
)
FOREIGN_LIST_ID: Final = Rule(
    code="list-id-foreign",
    severity=Severity.NOTICE,
    message="The List-ID “{list_id}” is not under the sender's domain, {domain}.",
    hint="A List-ID is best under a domain of your own; change it only before the first issue.",
    shared=True,
)
FOREIGN_SENDER: Final = Rule(
    code="sender-foreign",
    severity=Severity.WARNING,
    message="The sender writes from {domain}, where neither the newsletter's website ({website}) nor its List-ID is.",
    hint="Write from a domain of your own, the one that readers know: they and mail programs take another for a trick.",
    shared=True,
)
PUBLIC_SENDER: Final = Rule(
    code="sender-public",
    severity=Severity.WARNING,
    message="The sender writes from a free mailbox at {domain}: providers refuse such mail from another's relay.",
    hint="Write from a domain of your own (DMARC: only the mailbox's provider may send for its domain).",
    shared=True,
)
RULES: Final = (UNREADABLE, LINE, HEADER, ONE_CLICK, LIST_ID, FOREIGN_LIST_ID, FOREIGN_SENDER, PUBLIC_SENDER)

_STRUCTURED: Final = (
    "From", "To", "Date", "Message-ID", "Reply-To", "List-ID", "List-Unsubscribe", "List-Unsubscribe-Post",
    "Feedback-ID", "MIME-Version", "Content-Type", "Content-Language",
)  # fmt: skip
_DISPLAYED: Final = frozenset({"From", "To", "Reply-To"})
"""Headers with a name before the address, which may be encoded."""

_BARE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n|[\x80-\xff]|\x00")
_UNSUBSCRIBE: Final = re.compile(r"<https://[^<>\s]+>(?:,\s*<mailto:[^<>\s]+>)?")
_LIST_ID: Final = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")

_PUBLIC: Final = {
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.fr", "live.com", "msn.com", "yahoo.com",
    "yahoo.fr", "ymail.com", "aol.com", "icloud.com", "me.com", "gmx.de", "gmx.net", "web.de", "t-online.de",
    "orange.fr", "wanadoo.fr", "free.fr", "sfr.fr", "laposte.net", "libero.it", "mail.ru", "proton.me",
    "protonmail.com",
}  # fmt: skip
"""Providers of free mailboxes that are often seen as senders of newsletters."""

_SECOND_LEVEL: Final = 3
"""Characters: under a country, so short a label is a branch (co.uk, gov.pl), not somebody's name."""

_COUNTRY: Final = 2


def check(given: CompiledEdition, issue: IssueFacts) -> Iterator[Finding]:
    """Write the sample message of an edition, and read it back."""
    sent = render(given.artifact.message, SAMPLE)
    yield from _lines(sent, given.name)
    yield from _read_back(sent, given.artifact)
    yield from _sender(given, issue.settings.website)


def _lines(sent: bytes, edition: str) -> Iterator[Finding]:
    for number, line in enumerate(sent.split(b"\r\n"), start=1):
        if len(line) > LONGEST_LINE or _BARE.search(line):
            yield LINE.found(edition=edition, line=number)
            return


def _read_back(sent: bytes, artifact: Artifact) -> Iterator[Finding]:
    message = message_from_bytes(sent, policy=default)
    for part in _unequal(message, artifact):
        yield UNREADABLE.found(edition=artifact.name, part=part)
    raw = message_from_bytes(sent)
    for header in _STRUCTURED:
        written = str(raw.get(header, ""))
        if "=?" in (written.rpartition("<")[2] if header in _DISPLAYED else written):
            yield HEADER.found(edition=artifact.name, header=header)
    pair = raw.get_all("List-Unsubscribe", []), raw.get_all("List-Unsubscribe-Post", [])
    ways = [" ".join(str(way).split()) for way in pair[0]]
    if len(ways) != 1 or not _UNSUBSCRIBE.fullmatch(ways[0]) or pair[1] != ["List-Unsubscribe=One-Click"]:
        yield ONE_CLICK.found(edition=artifact.name)


def _unequal(message: EmailMessage, artifact: Artifact) -> Iterator[str]:
    if str(message["Subject"]) != one_line(artifact.subject_for(SAMPLE)):
        yield "Subject"
    for subtype, expected in (("plain", artifact.text_for(SAMPLE)), ("html", artifact.html_for(SAMPLE))):
        part = message.get_body(preferencelist=(subtype,))
        content = "" if part is None else str(part.get_content())
        both = (content.replace("\r\n", "\n").strip(), expected.strip())
        if artifact.tracking is not Tracking.OFF:  # what is sent has links that lead by us
            both = (_undone(both[0], artifact, subtype), _undone(both[1], artifact, subtype))
        if both[0] != both[1]:
            yield f"text/{subtype}"
    if any(part.defects for part in message.walk()):
        yield "MIME"


def _undone(part: str, artifact: Artifact, subtype: str) -> str:
    return undone(part, artifact.tracked, token=SAMPLE.click, markup=subtype == "html")


def _sender(given: CompiledEdition, website: str | None) -> Iterator[Finding]:
    edition, name = given.edition, given.name
    domain = given.artifact.sender_address.rpartition("@")[2].lower()
    list_id = edition.list_id
    if not _LIST_ID.fullmatch(list_id) or len(list_id) > LONGEST_LIST_ID:
        yield LIST_ID.found(edition=name, list_id=list_id)
    elif _owner(list_id.lower()) != _owner(domain):
        yield FOREIGN_LIST_ID.found(edition=name, list_id=list_id, domain=domain)
    host = urlsplit(website or "").hostname or ""
    if domain in _PUBLIC:
        yield PUBLIC_SENDER.found(edition=name, domain=domain)
    elif host and _owner(domain) not in {_owner(host), _owner(list_id.lower())}:
        yield FOREIGN_SENDER.found(edition=name, domain=domain, website=host)


def _owner(host: str) -> str:
    """The part of a host that somebody owns, about: its last two labels, or three under a country's branches."""
    labels = host.rstrip(".").split(".")
    branch = len(labels) > _COUNTRY and len(labels[-1]) == _COUNTRY and len(labels[-2]) <= _SECOND_LEVEL
    return ".".join(labels[-3 if branch else -2 :])
