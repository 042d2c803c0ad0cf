"""
Slots: the closed set of values that differ from reader to reader.

Takes the words of an edition, yields them with opaque tokens in the slots' places. A token is letters and digits only,
so that Markdown, Jinja2, MJML, premailer and the line wrapper carry it unchanged; which of them lost one is found by
comparing sets of tokens after every step. Its nonce is a digest of the edition, never random, so that the same edition
gives the same bytes, and it occurs nowhere in the edition's words, so that nobody can write a token.

Officers write `[[first_name]]` or `[[first_name|dear reader]]`; any other name stays as it is written, inert, and is
reported. The theme alone has the system's slots: the reader's own addresses for leaving and for preferences.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final, Self

from newsletter.errors import SlotsLost

ORIGIN: Final = "https://t.invalid/"
"""Stands before the token of an address, so that every step sees a whole URL; `.invalid` never resolves (RFC 2606)."""

_NOTATION: Final = re.compile(r"\[\[\s*([A-Za-z][A-Za-z0-9_-]*)\s*(?:\|([^\[\]\r\n]*))?\]\]")
_IN_ADDRESS: Final = re.compile(r"(?:https?://|mailto:|tel:)[^\s<>()]*$", re.IGNORECASE)
"""A value inside an address would tell another site who reads, so the notation has no effect there."""

_NONCE: Final = 10
"""Hexadecimal digits of the nonce: a token stays about as long as the name it stands for."""


class Field(StrEnum):
    """The slots that officers may write."""

    #: The reader's given name.
    FIRST_NAME = "first_name"
    #: The reader's family name.
    LAST_NAME = "last_name"
    #: The address written to.
    EMAIL = "email"
    #: Where the reader works.
    ORGANISATION = "organisation"
    #: The reader's city.
    CITY = "city"
    #: The reader's country, as it is stored.
    COUNTRY = "country"


class System(StrEnum):
    """The slots that themes may write."""

    #: The address written to.
    RECIPIENT = "recipient"
    #: Where one click leaves the newsletter: a whole address.
    UNSUBSCRIBE = "unsubscribe_url"
    #: Where the reader changes languages and lists: a whole address.
    PREFERENCES = "preferences_url"
    #: What stands in the addresses by which clicks are counted; no theme writes it.
    CLICK = "click"
    #: What stands in the address by which opened messages are counted; no theme writes it.
    OPEN = "open"
    #: Where the reader confirms what they asked for: a whole address, in single messages only.
    CONFIRMATION = "confirmation_url"


_OFFICERS: Final = frozenset(field.value for field in Field)
_THEMES_URLS: Final = frozenset({System.UNSUBSCRIBE.value, System.PREFERENCES.value})
_URLS: Final = _THEMES_URLS | {System.CONFIRMATION.value}
_TEXTS: Final = _OFFICERS | {System.RECIPIENT.value}


_JOINERS: Final = frozenset("\u200c\u200d")
"""Invisible, but part of words and names in Persian and Indic scripts, and of many emoji."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A name with the words that stand there where the reader has no such value."""

    name: str
    default: str = ""

    @property
    def is_url(self) -> bool:
        """Whether its value is a whole address."""
        return self.name in _URLS

    def resolve(self, values: Mapping[str, str]) -> str:
        """What this reader sees: the value, else the default, else nothing; always one line of printable text."""
        return one_line(values.get(self.name, "")) or self.default


def one_line(value: str) -> str:
    """A value without line breaks and other controls, runs of blanks made one: it came from outside."""
    if not value.isprintable():
        value = "".join(char if char.isprintable() or char in _JOINERS else " " for char in value)
    return " ".join(value.split())


class Slots:
    """The tokens of one edition, in the order they were first asked for."""

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self._tokens: dict[Slot, str] = {}
        self._unknown: dict[str, None] = {}
        self._pattern = re.compile(f"zq{nonce}[tu][0-9]+qz")

    @classmethod
    def of(cls, content: str) -> Self:
        """Slots whose tokens cannot be in `content`: everything the edition says."""
        return cls(_nonce(content))

    @classmethod
    def known(cls, nonce: str, slots: Iterable[Slot]) -> Self:
        """The slots of something compiled earlier, in their order."""
        again = cls(nonce)
        for slot in slots:
            again.token(slot)
        return again

    @property
    def nonce(self) -> str:
        """What all tokens of this edition have in common."""
        return self._nonce

    @property
    def used(self) -> tuple[Slot, ...]:
        """The slots that have a token."""
        return tuple(self._tokens)

    @property
    def unknown(self) -> tuple[str, ...]:
        """What officers wrote in double brackets to no effect: names that are no slots, and slots inside an address."""
        return tuple(self._unknown)

    @property
    def prefix(self) -> str:
        """How every token begins: a text without it has none."""
        return f"zq{self._nonce}"

    def mark(self, text: str) -> str:
        """The text with tokens in place of officers' slots."""
        return "".join(self.token(part) if isinstance(part, Slot) else part for part in self.parts(text))

    def parts(self, text: str) -> Iterator[str | Slot]:
        """The text cut at officers' slots."""
        end = 0
        for match in _NOTATION.finditer(text):
            if match[1] not in _OFFICERS or _IN_ADDRESS.search(text, 0, match.start()):
                self._unknown[match[1]] = None
                continue
            yield text[end : match.start()]
            yield Slot(match[1], one_line(match[2] or ""))
            end = match.end()
        yield text[end:]

    def text(self, name: str, default: str = "") -> str:
        """The token of a value that is words. Raises ValueError for a name that is no such slot."""
        if name not in _TEXTS:
            raise ValueError(f"there is no slot {name!r}; there are {', '.join(sorted(_TEXTS))}")
        return self.token(Slot(name, default))

    def url(self, name: str) -> str:
        """The token of a whole address. Raises ValueError for a name that is no such slot."""
        if name not in _THEMES_URLS:
            raise ValueError(f"there is no address {name!r}; there are {', '.join(sorted(_THEMES_URLS))}")
        return self.token(Slot(name))

    def confirmation_url(self) -> str:
        """The token of the address where a letter's reader confirms; an edition has none."""
        return self.token(Slot(System.CONFIRMATION))

    def token(self, slot: Slot) -> str:
        """The token of a slot, the same whenever it is asked for."""
        if slot not in self._tokens:
            kind = "u" if slot.is_url else "t"
            bare = f"zq{self._nonce}{kind}{len(self._tokens)}qz"
            self._tokens[slot] = f"{ORIGIN}{bare}" if slot.is_url else bare
        return self._tokens[slot]

    def tokens_in(self, text: str) -> frozenset[str]:
        """The tokens that occur in `text`, without the origin of addresses."""
        return frozenset(self._pattern.findall(text))

    def check(self, step: str, before: str, after: str) -> None:
        """Raise SlotsLost unless a step brought out the same set of tokens as went in."""
        old, new = self.tokens_in(before), self.tokens_in(after)
        if old != new:
            raise SlotsLost(step, lost=self._names(old - new), invented=self._names(new - old))

    def split(self, text: str) -> tuple[str | Slot, ...]:
        """
        Cut a finished text at its tokens.

        Raises SlotsLost where a token is damaged, or an address has lost its beginning or gained an end.
        """
        if not self._tokens:
            return (text,)
        by_token = {token: slot for slot, token in self._tokens.items()}
        pieces = re.split(f"({'|'.join(map(re.escape, by_token))})", text)
        for index, piece in enumerate(pieces):
            if piece not in by_token and self.prefix in piece:
                raise SlotsLost("fill", lost=self._names(self.tokens_in(piece)) or (self.prefix,))
            if (
                piece in by_token
                and by_token[piece].is_url
                and _CONTINUES.match("".join(pieces[index + 1 : index + 3]))
            ):
                raise SlotsLost("fill", lost=(f"the end of {by_token[piece].name}",))
        return tuple(by_token.get(piece, piece) for piece in pieces)

    def fill(self, text: str, values: Mapping[str, str], *, escape: Callable[[str], str] = str) -> str:
        """The finished text with one reader's values, each through `escape`."""
        return "".join(escape(part.resolve(values)) if isinstance(part, Slot) else part for part in self.split(text))

    def _names(self, tokens: frozenset[str]) -> tuple[str, ...]:
        by_bare = {token.removeprefix(ORIGIN): slot.name for slot, token in self._tokens.items()}
        return tuple(sorted({by_bare.get(token, token) for token in tokens}))


_CONTINUES: Final = re.compile(r"[\w/?&#=%+~:-]")
"""What would become part of an address if it followed one."""


def unslotted(text: str) -> str:
    """An officer's plain text or CommonMark with each slot at its default words."""
    return "".join(part.default if isinstance(part, Slot) else part for part in Slots("").parts(text))


def _nonce(content: str) -> str:
    digest = sha256(content.encode("utf-8", "surrogatepass"))
    while (nonce := digest.hexdigest()[:_NONCE]) in content:
        digest = sha256(digest.digest())
    return nonce
