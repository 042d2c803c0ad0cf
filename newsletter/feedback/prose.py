"""
Bounces that are letters: what servers wrote before there were reports, and what some write still.

Takes an opened message, yields what it says came back. Known forms: qmail (QSBMF), Exim, Sendmail, Postfix, Exchange in
many languages, and any letter of a mail system that quotes a reply of SMTP. Only what stands before the returned
message is read. Pure.
"""

import re
from collections.abc import Iterator
from html import unescape
from itertools import islice
from typing import Final

from newsletter.feedback.bounces import Returned
from newsletter.feedback.causes import Judgement, answer_in, judge
from newsletter.feedback.event import Cause, Kind
from newsletter.feedback.opened import Fields, Opened, fields_in
from newsletter.feedback.tongues import in_english

LONGEST_LETTER: Final = 16_384
"""Characters of a letter that are read: reasons stand at its beginning."""

_COPY: Final = re.compile(
    r"^[ \t>]*(-{2,} ?(below this line|this is a copy|original message|returned message|message (header|content)s?|"
    r"the (body|header|text) of|transcript of (the )?message|undelivered message|unsent message|returned (text"
    r"|content)|"
    r"ursprüngliche nachricht|message d['’]origine|mensaje original|messaggio originale|oorspronkelijk bericht)"
    r"|original message (headers?|follows)|diagnostic information for administrators: *\Z|received: from "
    r"|kopfzeilen der ursprünglichen nachricht|en-?têtes (du |de )?message d['’]origine|return-path: <)",
    re.IGNORECASE | re.MULTILINE,
)
"""Where a letter ends and the message begins that it returns."""

_LATER: Final = re.compile(
    r"transient non-?fatal|still trying|will (continue to )?(try|retry|be retried|keep trying)|no action is required"
    r"|you do not need to (resend|take any)|has been delayed|delivery (is |was )?delayed"
    r"|could not send message for past"
    r"|has not (yet )?been delivered|(this is a )?warning( message)? only|not yet been delivered"
    r"|noch nicht zugestellt"
    r"|zustellung .{0,30}verzögert|n['’]a pas encore|remise .{0,20}(retardée|différée)|entrega .{0,20}retrasad"
    r"|nog niet (is )?(be|af)geleverd|ritardo nella consegna",
    re.IGNORECASE,
)
_FINAL: Final = re.compile(
    r"permanent(ly)? (fatal )?(error|fail)|did not reach|(was|were) not delivered|delivery (has )?failed|giving up"
    r"|given up|could not be delivered|will not be retried"
    r"|not be delivered to|retry time(out)? exceeded|undeliverable",
    re.IGNORECASE,
)
_REPLY: Final = re.compile(
    r"(?<![\d.:/#=@-])[45][0-5]\d(?:[ -]+#?[245]\.\d{1,3}\.\d{1,3}\b|[ -](?=[^\W\d_]|<))"
    r"|(?<![\d.:/#])#?[45]\.[0-7]\.\d{1,3}(?![\d.])",
)
"""A reply of SMTP within a sentence; no date, number of lines or address of a network."""

_REASON: Final = 600
"""Characters of a reply and what follows it."""

_ADDRESS: Final = re.compile(
    r"[^\s<>()\[\]\",;:@'`]{1,64}@[A-Za-z0-9\u00a1-\uffff-]{1,63}(?:\.[A-Za-z0-9\u00a1-\uffff-]{1,63}){1,8}"
)
_MARKUP: Final = re.compile(
    r"<(?:style|script)\b.{0,4000}?</(?:style|script)>|<[a-zA-Z/!][^<>]{0,2000}>", re.DOTALL | re.IGNORECASE
)


def returned_in(message: Opened) -> Returned | None:
    """What a letter says came back; None where it says nothing that can be told from any other mail."""
    for letter in _letters(message):
        reason = _reason(letter)
        later = _LATER.search(f"{message.fields.first('subject')}\n{letter}") and not _FINAL.search(letter)
        if reason is None and not later and not _FINAL.search(letter):
            continue
        addresses = _addresses(message, letter)
        if later:
            return Returned(judgement=None, delayed=True, text=reason or "", addresses=addresses)
        text = reason or ""
        answer = answer_in(text)
        judgement = judge(answer) if text else Judgement(Kind.SOFT, Cause.OTHER)
        return Returned(judgement=judgement, status=answer.enhanced or "", text=text, addresses=addresses)
    return None


def quoted_heads(message: Opened) -> Iterator[Fields]:
    """The header fields of messages that a letter returns in its text."""
    for text in message.texts("text/plain"):
        yield from (
            fields_in(text[found.start() : found.start() + _HEAD]) for found in islice(_HEADS.finditer(text), 1)
        )


_HEAD: Final = 8_000
_HEADS: Final = re.compile(
    r"^(?:return-path|received|from|to|subject|date|message-id|list-id|mime-version):[ \t].*$\n"
    r"(?:(?:[A-Za-z][A-Za-z0-9-]{0,60}:|[ \t]).*$\n?){3,}",
    re.IGNORECASE | re.MULTILINE,
)
"""Four lines of header fields or more, one after another."""


def _letters(message: Opened) -> Iterator[str]:
    for text in (*message.texts("text/plain"), *map(_unmarked, message.texts("text/html"))):
        letter = text[:LONGEST_LETTER]
        copy = _COPY.search(letter, 1)
        yield letter[: copy.start()] if copy else letter


def _unmarked(html: str) -> str:
    return unescape(_MARKUP.sub(" ", html[: 2 * LONGEST_LETTER]))


def _reason(letter: str) -> str | None:
    """The first reply that is quoted, else the first sentence that means something."""
    replies = [" ".join(letter[found.start() : found.start() + _REASON].split()) for found in _REPLY.finditer(letter)]
    if replies:
        # The reply itself says more than the status that some put before it.
        return next((one for one in replies if one[0] in "45" and one[:3].isdigit()), replies[0])
    for line in letter.split("\n"):
        words = line.strip()
        if words and (in_english(words) != words or _MEANS.search(words)):
            return words[:_REASON]
    return None


_MEANS: Final = re.compile(
    r"(user|mailbox|recipient|account|address|host|domain)\b.{0,40}\b(unknown|not found|not exist|full|over quota"
    r"|disabled"
    r"|inactive|unavailable|not recogni[sz]ed|no longer)|unknown (user|host|domain|recipient|address|local.part)"
    r"|no such (user|mailbox|person|address)"
    r"|no mailbox here|over quota|quota exceeded|mailbox (is )?full|(does ?n.t|does not|did ?n.t) exist|not listed in"
    r"|couldn.t be found|wasn.t found|unrouteable address|retry time|timed out|connection refused|too large|rejected",
    re.IGNORECASE,
)


def _addresses(message: Opened, letter: str) -> frozenset[str]:
    """Addresses that a letter says it could not deliver to; its own are not among them."""
    failed = " ".join(message.fields.all("x-failed-recipients"))
    own = {address.lower() for name in ("from", "to", "return-path") for address in _found(message.fields.all(name))}
    return frozenset(address.lower() for address in _found((failed or letter,))) - own


def _found(texts: "Iterator[str] | tuple[str, ...]") -> Iterator[str]:
    for text in texts:
        for found in _ADDRESS.finditer(text):
            yield found[0].rstrip(".")
