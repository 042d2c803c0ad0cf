"""
Messages of every kind that the program can send, drawn by Hypothesis.

Yields `Drawn`: the bytes, and what a reader of them has to find. Words come from many scripts, from what looks like
parts of a header, and from any printable character; addresses are those that the program's own parser lets through.
"""

import datetime as dt
import re
from dataclasses import dataclass
from html import escape

from hypothesis import strategies as st

from newsletter.compilation.message import Head, Values, build_skeleton, render
from newsletter.compilation.slots import Slot, one_line
from subscribers.address import parse_address
from subscribers.errors import InvalidAddress

SCRIPTS = (
    "abcdefg hijk LMNOP 0189",
    "éàüçñßøœ «»’–… \u00a0\u202f",
    "Ελληνικά ώθηση",
    "Кириллица и буквы",
    "العربية مدن الأنهار",
    "עברית",
    "日本語の川端",
    "한국어 도시",
    "हिन्दी नगर",
    "👩\u200d🚀🏳️\u200d🌈🌊",
    "\"\\,;:<>@()[]=?_.'&%#",
    "e\u0301a\u0308\u200b\ufeff",
)
FRAGMENTS = ("=?utf-8?q?x?=", "=?", "?=", "\r\nBcc: x@y.example", "From ", ".", "..", "=20", "=\n", "--=_", "{{ 7*7 }}")

_anything = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
_runs = st.one_of(
    *(st.text(st.sampled_from(script), min_size=1, max_size=40) for script in SCRIPTS),
    st.text(_anything, min_size=1, max_size=12),
    st.sampled_from([fragment for fragment in FRAGMENTS if "\n" not in fragment]),
)
_words = st.lists(_runs, max_size=6).map("".join)
_long = st.tuples(_runs, st.integers(1, 200)).map(lambda drawn: (drawn[0] * drawn[1])[:200])
_line = st.one_of(_words, _long)
_values = st.one_of(_words, st.sampled_from((*FRAGMENTS, "", " \u3000 ", "a\x00b\u2028c\u202ed")))
_body = st.lists(st.one_of(_line, st.sampled_from(("\n", "\n.\n", "\nFrom here\n", "\t\n", " \n", "\n\n"))), max_size=8)
_url = st.text(
    st.sampled_from("ABCxyz0189-._~:/?#[]@!$&'()*+;=%"), min_size=1, max_size=900
)  # RFC 3986 §2, less the comma, which our addresses encode

_ATEXT = "abcXYZ019!#$%&'*+/=?^_`{|}~-"
_labels = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


def _address(parts):
    local, labels = parts
    try:
        return parse_address(f"{local}@{'.'.join(labels)}.example").ascii_form
    except InvalidAddress:
        return None


addresses = (
    st.tuples(
        st.lists(st.text(st.sampled_from(_ATEXT), min_size=1, max_size=20), min_size=1, max_size=3).map(".".join),
        st.lists(st.one_of(_labels, st.sampled_from(("köln", "δοκιμή", "川"))), max_size=4),
    )
    .map(_address)
    .filter(bool)
)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A message, and what it means: header fields in words, both bodies with LF line ends."""

    data: bytes
    subject: str
    sender: tuple[str, str]
    reader: tuple[str, str]
    reply_to: str
    uris: tuple[str, ...]
    list_id: str
    feedback_id: str
    message_id: str
    text: str
    html: str


@st.composite
def messages(draw):
    """A message to one reader with every field that a newsletter has."""
    name, city = Slot("first_name", one_line(draw(_words))), Slot("city")
    values = {"first_name": draw(_values), "city": draw(_values)}
    subject = [draw(_line), *draw(st.sampled_from([[], [name], [" ", city, "!"]]))]
    text = [*draw(_body), name, *draw(_body), city, *draw(_body)]
    html = [*draw(_body), city, "<p>", *draw(_body), name]
    sender, reader, reply_to = draw(addresses), draw(addresses), draw(addresses)
    sender_name, reader_name = one_line(draw(_words)), draw(_values)
    key = draw(st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,120}[a-z0-9])?", fullmatch=True))
    url, mailto = f"https://news.example/u/{draw(_url)}", f"mailto:leave+{draw(_url)[:200]}@news.example"
    uris = draw(st.sampled_from([(url,), (url, mailto)]))
    head = Head(
        sender_name=sender_name,
        sender_address=sender,
        language=draw(st.sampled_from(("en", "fr-BE", "el", "zh-Hant-HK"))),
        reply_to=reply_to,
        list_id=f"{key}.news.example",
        feedback_id=f"2026-12:en:{key}:newsexample",
    )
    one_reader = Values(
        address=reader,
        name=reader_name,
        message_id=f"{key}.0123456789abcdef@news.example",
        date=dt.datetime(2026, 12, 1, 8, tzinfo=dt.UTC),
        unsubscribe_url=uris[0],
        unsubscribe_mailto="".join(uris[1:]),
        slots=values,
    )
    return Drawn(
        data=render(build_skeleton(head, subject=subject, text=text, html=html), one_reader),
        subject=_subject(subject, values),
        sender=(sender_name, sender),
        reader=(one_line(reader_name), reader),
        reply_to=reply_to,
        uris=uris,
        list_id=head.list_id,
        feedback_id=head.feedback_id,
        message_id=one_reader.message_id,
        text=_filled(text, values),
        html=_filled(html, values, escape),
    )


def _filled(parts, values, write=str):
    return "".join(write(part.resolve(values)) if isinstance(part, Slot) else part for part in parts)


def _subject(parts, values):
    whole = _filled(parts, values)
    return whole if len(parts) == 1 else " ".join(whole.split())


def check_wire(data):
    """What RFC 5322 and RFC 2047 ask of the bytes of a message, and what SMTP must not have to change."""
    assert data.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", data)
    assert b"\r\nSubject:\r\n" not in data, "for some programs the first line is the whole subject"
    head, body = data.split(b"\r\n\r\n", 1)
    for line in head.split(b"\r\n"):
        breakable = b" " in (line.partition(b": ")[2] if line[:1] != b" " else line[1:])
        assert len(line) <= (76 if b"=?utf-8?" in line else 78 if breakable else 998), line
        assert line.strip(), "for some programs a line of blanks ends the header"
    for field in re.split(rb"\r\n(?! )", head):
        assert field.startswith((b"From:", b"To:", b"Subject:")) or b"=?utf-8?" not in field, field
    for line in body.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
