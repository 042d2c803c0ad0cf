"""
The fixed words of editions, single messages and public pages; those of the desk stand in domains of their own.

Takes a language as a BCP 47 tag and an English message; yields it in that language, from the gettext catalogues under
`locales/`, read at run time as they are (`.po`, nothing to compile). Promises an answer for every language: it falls
back along the tag's parents to English, and the catalogue says which language its words are really in. Dates and lists
are `times`'.

To add a language, copy `locales/en` and translate each message; a test compares every catalogue with the English one.
A domain (gettext's word for a file of messages) is a part of the words: readers see those of `newsletter`, in every
language of the program; officers see others, such as `preflight`, which may be in fewer.
"""

import gettext
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from io import BytesIO

from babel.messages.pofile import read_po
from babel.numbers import format_decimal

ENGLISH = "en"
"""The language in which messages are named, and the last that is tried."""

READERS = "newsletter"
"""The domain of what readers see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The words of one language."""

    language: str
    """The language the words are in; it may differ from the one that was asked for."""
    messages: Mapping[tuple[str, str], tuple[str, ...]]
    """(context, English) to the translation, or to one translation for each plural form."""
    plural: Callable[[int], int]
    """Which form goes with a number."""

    def say(self, msgid: str, /, *, context: str = "", **values: object) -> str:
        """
        Give a message with its {placeholders} filled; one that no catalogue knows stays English.

        `context` tells apart two meanings of the same English words (gettext's msgctxt). Raises KeyError for a
        placeholder without value.
        """
        return self.messages.get((context, msgid), (msgid,))[0].format(**values)

    def say_n(self, singular: str, plural: str, n: int, /, *, context: str = "", **values: object) -> str:
        """Give the message in the form that goes with `n`, which fills {n} as the language writes numbers."""
        english = (singular, plural)
        forms = self.messages.get((context, singular), english)
        form = self.plural(n) if forms is not english else int(n != 1)
        return forms[form].format(n=format_decimal(n, locale=self.language.replace("-", "_")), **values)

    def knows(self, msgid: str, /, *, context: str = "") -> bool:
        """Tell whether the message is in the catalogue, so that a theme can be checked for words that are not."""
        return (context, msgid) in self.messages


@cache
def languages(domain: str = READERS) -> tuple[str, ...]:
    """Give the languages that have a catalogue of the domain, in alphabetical order."""
    return tuple(sorted(folder.name for folder in _folder().iterdir() if _file(folder.name, domain).is_file()))


@cache
def catalogue(language: str, domain: str = READERS) -> Catalogue:
    """Read the catalogue of a language, of its nearest parent that has one (fr-BE: fr), or the English one."""
    known = {tag.lower(): tag for tag in languages(domain)}
    subtags = language.lower().replace("_", "-").split("-")
    parents = ("-".join(subtags[:length]) for length in range(len(subtags), 0, -1))
    tag = next((known[parent] for parent in parents if parent in known), ENGLISH)
    return read(_file(tag, domain).read_bytes(), language=tag)


def read(content: bytes, *, language: str) -> Catalogue:
    """Read the bytes of a `.po` file; a message without a translation, or marked fuzzy, is left out."""
    found = read_po(BytesIO(content), locale=language.replace("-", "_"), ignore_obsolete=True, abort_invalid=True)
    messages = {}
    for message in found:
        ids, forms = _forms(message.id), _forms(message.string)
        if ids[0] and all(forms) and not message.fuzzy:
            messages[message.context or "", ids[0]] = forms
    return Catalogue(language=language, messages=messages, plural=gettext.c2py(found.plural_expr))


def _forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, tuple | list) else (text or "",)


def _folder() -> Traversable:
    return resources.files("newsletter").joinpath("locales")


def _file(language: str, domain: str) -> Traversable:
    return _folder().joinpath(language, "LC_MESSAGES", f"{domain}.po")
