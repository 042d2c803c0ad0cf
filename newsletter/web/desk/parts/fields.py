"""
Fields of a form that come in numbers and in languages.

Takes a form; yields words by language and problems by field. A field that is the same in every language bears `EVERY`
in place of a tag, and only where something that is stored has such words.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from newsletter.content.localised import EVERY

Problems = Mapping[str, str]
"""What is wrong, by the name of its field, as messages for `say`."""


class Fields(Protocol):
    """A form that was sent, or what autosaving kept of it."""

    def __contains__(self, name: object) -> bool:
        """Whether the form has the field."""
        ...

    def get(self, name: str, default: str = "", /) -> str:
        """The last value of a field."""
        ...

    def all(self, name: str, /) -> Sequence[str]:
        """Every value of a field."""
        ...


def words_in(form: Fields, name: str, languages: Iterable[str]) -> dict[str, str]:
    """The words of the fields `name-TAG`, those that are empty left out."""
    found = ((tag, form.get(f"{name}-{tag}").strip()) for tag in languages)
    return {tag: words for tag, words in found if words}


def count_in(form: Fields, name: str, *, most: int) -> int:
    """How many rows a form says it has, at most `most`; none where it says nothing readable."""
    said = form.get(name)
    return min(int(said), most) if said.isascii() and said.isdigit() and len(said) < 10 else 0  # noqa: PLR2004  nobody writes more digits


def languages_of(offered: Sequence[str], words: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """The languages that fields are shown for: those `offered`, others that words are in, `EVERY` where it is used."""
    used = dict.fromkeys(tag for each in words for tag in each)
    others = (tag for tag in used if tag not in offered and tag != EVERY)
    return (*([EVERY] if EVERY in used else []), *offered, *others)
