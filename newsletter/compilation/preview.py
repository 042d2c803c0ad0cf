"""
A finished message opened again, so that officers look at what is sent and at nothing else.

Takes the bytes of a message, yields its parts; takes a page, yields it with one passage marked. Promises that `html` is
what a mail program gets after decoding, octet for octet; a marked page is a copy for looking at. Pure.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import SMTP
from html import escape, unescape
from typing import Final, Literal
from urllib.parse import urlsplit

from newsletter.compilation.neutral import TOKEN

Scheme = Literal["light", "dark"]

CLIPPED: Final = 102_000
"""Octets of HTML after which Gmail cuts a message off, about; it then says "[Message clipped]"."""

MARK: Final = "passage"
"""The id of the marked passage, for an address to lead there."""

_STYLE: Final = "background:#ffe27a;color:#1d1d1b;outline:3px solid #ffe27a;scroll-margin:40px"
_UNSEEN: Final = re.compile(r"<(title|style|script)\b.*?</\1>|<!--.*?-->", re.DOTALL)
_SOURCE: Final = re.compile(r"""<img\b[^<>]*?\ssrc=(?:"([^"]*)"|'([^']*)')|url\(\s*['"]?([^'")]+)""")
_MARKUP: Final = re.compile(r"[*_`#>\[\]\\]|\]\([^)]*\)|\n")
_PREFERS: Final = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_HOLDS, _FAILS = "(min-width:0)", "(max-width:0)"
_SCHEMES: Final = re.compile(r"(?<![\w-])(color-scheme\s*:\s*)(?:light\s+dark|dark\s+light)")
_META: Final = re.compile(r'<meta name="(?:supported-)?color-schemes?" content="([^"]*)"[^<>]*>')
_FEWEST: Final = 3
"""Characters: shorter words stand everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """
    A message as its reader gets it.

    `html` and `text` are the parts after decoding, with CRLF; `fields` the headers, unfolded, in their order; `source`
    the whole as it is sent.
    """

    html: bytes
    text: str
    fields: tuple[tuple[str, str], ...]
    source: bytes

    @property
    def subject(self) -> str:
        """The subject as a mail program shows it."""
        return dict(self.fields).get("Subject", "")


def opened(message: bytes) -> Opened:
    """Read a message that this program made."""
    read = message_from_bytes(message, policy=SMTP)
    parts = {part.get_content_type(): part.get_payload(decode=True) for part in read.walk() if not part.is_multipart()}
    return Opened(
        html=bytes(parts["text/html"]),
        text=bytes(parts["text/plain"]).decode(),
        fields=tuple((name, str(value)) for name, value in read.items()),
        source=message,
    )


def marked(page: str, passage: str) -> str:
    """
    The page with the first place marked that shows the passage, or what stands before its first markup.

    A page that does not show it comes back as it is.
    """
    for words in _tries(passage):
        pieces = TOKEN.split(_hidden(page))
        for index, piece in enumerate(pieces):
            at = _found(piece, words) if index % 2 == 0 else None
            if at is not None:
                begin = sum(map(len, pieces[:index])) + at[0]
                end = begin + at[1] - at[0]
                inside = page[begin:end]
                return f'{page[:begin]}<mark id="{MARK}" style="{_STYLE}">{inside}</mark>{page[end:]}'
    return page


def in_scheme(page: str, scheme: Scheme) -> str:
    """
    The page as a light or a dark device shows it, whatever the one is that it is looked at on.

    A frame cannot be told (browsers ask the system), so the copy says it: each condition on `prefers-color-scheme` is
    put as one that holds or does not, and the page names that scheme alone.
    """
    page = _PREFERS.sub(lambda match: _HOLDS if match[1].lower() == scheme else _FAILS, page)
    page = _SCHEMES.sub(lambda match: f"{match[1]}{scheme}", page)
    return _META.sub(lambda match: match[0].replace(match[1], scheme), page)


def pictures_elsewhere(page: str, ours: Iterable[str]) -> tuple[str, ...]:
    """The addresses of pictures that are not under one of our own roots, in their order."""
    homes = {_home(root) for root in ours}
    found = (next(filter(None, match.groups()), "") for match in _SOURCE.finditer(page))
    return tuple(dict.fromkeys(url for url in map(unescape, found) if _home(url) and _home(url) not in homes))


def _tries(passage: str) -> Iterator[str]:
    whole = " ".join(passage.split())
    first = next((part.strip() for part in _MARKUP.split(passage) if len(part.strip()) >= _FEWEST), "")
    yield from dict.fromkeys(words for words in (whole, " ".join(first.split())) if len(words) >= _FEWEST)


def _hidden(page: str) -> str:
    """The page with what nobody sees blanked, so that places stay the same."""
    return _UNSEEN.sub(lambda match: " " * len(match[0]), page)


def _found(piece: str, words: str) -> tuple[int, int] | None:
    pattern = r"\s+".join(re.escape(escape(word, quote=False)) for word in words.split())
    match = re.search(pattern, piece) or re.search(r"\s+".join(map(re.escape, words.split())), piece)
    return match.span() if match else None


def _home(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""
