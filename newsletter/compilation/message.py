"""
The MIME message: a skeleton that is built once an edition, and a message for each reader in microseconds.

Takes the finished subject, text and HTML cut at their slots, yields a `Skeleton`; takes a skeleton and one reader's
`Values`, yields the message as bytes. Promises CRLF and seven bits only, lines as short as the standards ask, no line
that begins with a dot (SMTP has nothing to stuff), a fixed order of headers, and the same bytes for the same values: no
clock, no randomness. Pure.

The order of the headers: From, To, Subject, Date, Message-ID, Reply-To, List-ID, List-Unsubscribe,
List-Unsubscribe-Post (RFC 8058: exactly one pair, and only where the reader can leave with one click), Feedback-ID,
Precedence or Auto-Submitted, MIME-Version, Content-Language (RFC 3282), Content-Type.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from html import escape
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self

from newsletter.compilation import headers
from newsletter.compilation.encoding import Body, Encoding, Piece, QuotedBody, encoded, shorter
from newsletter.compilation.slots import Field, Slot, System, one_line

FORMAT: Final = 1
"""Of the stored skeleton; another number means another version of this module wrote it."""

ONE_CLICK: Final = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
"""RFC 8058 §3.1."""

# Names of slots as plain text, looked up once: they are asked for with every message.
_EMAIL: Final = Field.EMAIL.value
_RECIPIENT: Final = System.RECIPIENT.value
_UNSUBSCRIBE: Final = System.UNSUBSCRIBE.value
_PREFERENCES: Final = System.PREFERENCES.value
_CLICK: Final = System.CLICK.value
_OPEN: Final = System.OPEN.value
_CONFIRMATION: Final = System.CONFIRMATION.value

_DELIMITERS: Final = re.compile("[ <>,]")

Parts = Sequence[str | Slot]
"""A text cut at its slots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """
    What stands in the headers of every message of an edition.

    `bulk` is False for single messages (a confirmation, a notice), which answer something the reader did: they say
    `Auto-Submitted` (RFC 3834) instead of `Precedence`.
    """

    sender_name: str
    sender_address: str
    language: str
    reply_to: str | None = None
    list_id: str | None = None
    feedback_id: str | None = None
    bulk: bool = True


_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class Values(NamedTuple):
    """
    One reader's values, given by name; a named tuple, since one is made for every message.

    `address` is ASCII (domains as A-labels); `message_id` without angle brackets; `date` is the run's, not now. Without
    `unsubscribe_url`, or where `one_click` says so, the message has no header to leave by. `click` and `open` are the
    tokens under which this reader's doings are counted, where they are. `slots` holds officers' slots by name.
    """

    address: str
    message_id: str
    date: datetime
    name: str = ""
    unsubscribe_url: str = ""
    one_click: bool = True
    unsubscribe_mailto: str = ""
    preferences_url: str = ""
    click: str = ""
    open: str = ""
    confirmation_url: str = ""
    slots: Mapping[str, str] = _NONE

    def by_name(self) -> dict[str, str]:
        """Every value under the name of its slot."""
        return {
            **self.slots,
            _EMAIL: self.address,
            _RECIPIENT: self.address,
            _UNSUBSCRIBE: self.unsubscribe_url,
            _PREFERENCES: self.preferences_url,
            _CLICK: self.click,
            _OPEN: self.open,
            _CONFIRMATION: self.confirmation_url,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """
    A message with holes.

    `opening` is From; `replies` what stands between Message-ID and List-Unsubscribe; `closing` what follows, to the
    empty line; `subject` the whole field where it is the same for all, else its parts.
    """

    slots: tuple[Slot, ...]
    opening: bytes
    subject: bytes | tuple[str | int, ...]
    replies: bytes
    closing: bytes
    boundary: bytes
    text: Body
    html: Body
    source: bytes

    def to_bytes(self) -> bytes:
        """The skeleton for storage; `from_bytes` gives an equal one."""
        return self.source

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a stored skeleton. Raises ValueError where another version of the program wrote it."""
        stored = json.loads(data)
        if stored["format"] != FORMAT:
            raise ValueError(f"the stored message has format {stored['format']}, this program reads {FORMAT}")
        subject = stored["subject"]
        return cls(
            slots=tuple(Slot(name, default) for name, default in stored["slots"]),
            opening=stored["opening"].encode("ascii"),
            subject=subject.encode("ascii") if isinstance(subject, str) else tuple(subject),
            replies=stored["replies"].encode("ascii"),
            closing=stored["closing"].encode("ascii"),
            boundary=stored["boundary"].encode("ascii"),
            text=_body(stored["text"]),
            html=_body(stored["html"]),
            source=data,
        )


def build_skeleton(head: Head, *, subject: Parts, text: Parts, html: Parts) -> Skeleton:
    """
    Build the message of an edition.

    `text` and `html` have LF line ends. Raises HeaderRefused for a header that cannot be written.
    """
    slots = tuple(dict.fromkeys(part for parts in (subject, text, html) for part in parts if isinstance(part, Slot)))
    pieces = {name: _pieces(parts, slots) for name, parts in (("text", text), ("html", html))}
    boundary = "=_" + sha256(repr((head, subject, text, html)).encode("utf-8", "surrogatepass")).hexdigest()[:24]
    constant = "".join(part for part in subject if isinstance(part, str))
    fixed_subject = headers.unstructured("Subject", constant).decode("ascii")
    stored = {
        "format": FORMAT,
        "slots": [[slot.name, slot.default] for slot in slots],
        "opening": headers.mailbox("From", head.sender_address, display=head.sender_name).decode("ascii"),
        "subject": fixed_subject if all(isinstance(part, str) for part in subject) else _pieces(subject, slots),
        "replies": _replies(head).decode("ascii"),
        "closing": _closing(head, boundary).decode("ascii"),
        "boundary": boundary,
        **{name: _stored_body(parts) for name, parts in pieces.items()},
    }
    data = json.dumps(stored, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return Skeleton.from_bytes(data)


def render(skeleton: Skeleton, values: Values) -> bytes:
    """The message for one reader, see `written`."""
    return b"".join(written(skeleton, values))


def written(skeleton: Skeleton, values: Values) -> list[bytes]:
    """
    The message for one reader, in pieces; most of them are the skeleton's own.

    Raises HeaderRefused where the address or an own address of the reader's cannot stand in a header; names and slot
    values are made fit to.
    """
    by_name = values.by_name()
    words = [slot.resolve(by_name) for slot in skeleton.slots]
    name = one_line(values.name)
    return [
        skeleton.opening,
        headers.mailbox("To", values.address, display=name),
        skeleton.subject if isinstance(skeleton.subject, bytes) else _subject(skeleton.subject, words),
        headers.date(values.date),
        headers.structured("Message-ID", f"<{values.message_id}>"),
        skeleton.replies,
        _unsubscribe(values),
        skeleton.closing,
        _part_head(skeleton.boundary, b"plain", skeleton.text.encoding),
        *skeleton.text.write(words),
        b"\r\n",
        _part_head(skeleton.boundary, b"html", skeleton.html.encoding),
        *skeleton.html.write([escape(word) for word in words]),
        b"\r\n--",
        skeleton.boundary,
        b"--\r\n",
    ]


def _subject(parts: tuple[str | int, ...], words: Sequence[str]) -> bytes:
    return _subject_field("".join([part if isinstance(part, str) else words[part] for part in parts]))


@lru_cache(maxsize=1024)
def _subject_field(text: str) -> bytes:
    """The field; what varies in a subject is a given name as a rule, and many readers share theirs."""
    return headers.unstructured("Subject", " ".join(text.split()))


def _unsubscribe(values: Values) -> bytes:
    if not (values.unsubscribe_url and values.one_click):
        return b""
    web, mail = values.unsubscribe_url, values.unsubscribe_mailto
    if _DELIMITERS.search(web) or (mail and _DELIMITERS.search(mail)):
        raise headers.HeaderRefused("List-Unsubscribe", "needs addresses that are percent-encoded")
    if not mail:
        return headers.structured("List-Unsubscribe", f"<{web}>") + ONE_CLICK
    # Looking for where to fold takes as long as all other headers, and here it is known: each on a line of its own.
    first = headers.structured("List-Unsubscribe", f"<{web}>,")
    return first + headers.continued("List-Unsubscribe", f"<{mail}>") + ONE_CLICK


def _replies(head: Head) -> bytes:
    reply_to = headers.mailbox("Reply-To", head.reply_to) if head.reply_to else b""
    return reply_to + (headers.structured("List-ID", f"<{head.list_id}>") if head.list_id else b"")


def _closing(head: Head, boundary: str) -> bytes:
    fields = [("Feedback-ID", head.feedback_id)] if head.feedback_id else []
    fields += [("Precedence", "bulk")] if head.bulk else [("Auto-Submitted", "auto-generated")]
    fields += [("MIME-Version", "1.0"), ("Content-Language", head.language)]
    kind = f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'.encode("ascii")
    return b"".join(headers.structured(name, value) for name, value in fields) + kind


@lru_cache(maxsize=256)
def _part_head(boundary: bytes, subtype: bytes, encoding: Encoding) -> bytes:
    return b"--%b\r\nContent-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n" % (
        boundary,
        subtype,
        encoding.encode("ascii"),
    )


def _pieces(parts: Parts, slots: tuple[Slot, ...]) -> list[Piece]:
    numbers = {slot: number for number, slot in enumerate(slots)}
    return [numbers[part] if isinstance(part, Slot) else part for part in parts]


def _stored_body(pieces: Sequence[Piece]) -> dict[str, Any]:
    lines = [piece if isinstance(piece, int) else piece.replace("\n", "\r\n") for piece in pieces]
    encoding = shorter(lines)
    body = encoded(encoding, lines)
    if isinstance(body, QuotedBody):
        # Encoded already, so that a stored message keeps its bytes whatever becomes of the encoder.
        kept = [piece if isinstance(piece, int) else piece.decode("ascii") for piece in body.pieces]
        return {"encoding": encoding.value, "pieces": kept}
    return {"encoding": encoding.value, "pieces": lines}


def _body(stored: dict[str, Any]) -> Body:
    if stored["encoding"] == Encoding.QUOTED_PRINTABLE:
        return QuotedBody(
            tuple(piece if isinstance(piece, int) else piece.encode("ascii") for piece in stored["pieces"])
        )
    return encoded(Encoding.BASE64, stored["pieces"])
