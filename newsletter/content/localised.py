"""
Texts that depend on the language, and the base of every value that comes from outside.

A localised text is a mapping of BCP 47 tags to words; a plain string stands for every language and is kept under
`EVERY`. Which of the words an edition shows is decided in `assembly.edition`, by `chosen`'s rule alone.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator

from subscribers.errors import InvalidLanguage
from subscribers.language import normalise_tag

EVERY: Final = "*"
"""The tag under which a text stands that is the same in every language."""


_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")
"""What XML 1.0 §2.2 and PostgreSQL refuse and nobody sees; pasted from other programs, it stands for a break."""


class Value(BaseModel):
    """
    A frozen value that accepts no unknown key.

    A known key without a value counts as absent: people leave `body:` open for later.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _tidy(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: _printable(value) for key, value in data.items() if value is not None or key not in known}


def filled(data: Any) -> Any:
    """
    A mapping of languages without those that have no value, anything else as it is.

    Raises ValueError where two spellings of one language stand side by side, since one of the texts would be lost.
    """
    if not isinstance(data, Mapping):
        return data
    seen: set[str] = set()
    for tag in data:
        spelled = str(tag).replace("_", "-").lower()
        if spelled in seen:
            raise ValueError(f"the language {spelled} stands here twice, in two spellings")
        seen.add(spelled)
    return {tag: value for tag, value in data.items() if value is not None}


def _printable(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _CONTROLS.sub(" ", value.replace("\r\n", "\n").replace("\r", "\n"))


def _tag(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a language is a BCP 47 tag such as en or fr-BE")  # noqa: TRY004  Pydantic reports ValueError only
    try:
        return normalise_tag(value)
    except InvalidLanguage as error:
        raise ValueError(str(error)) from error


def _words(value: Any) -> Any:
    if isinstance(value, str):
        return {EVERY: _printable(value)} if value.strip() else {}
    if isinstance(value, Mapping):
        return {EVERY if tag == EVERY else _tag(tag): _printable(words) for tag, words in filled(value).items()}
    raise ValueError("give one text, or a mapping of languages to texts")


def _plain(value: dict[str, str]) -> str | dict[str, str]:
    return value[EVERY] if set(value) == {EVERY} else value


Tag = Annotated[str, BeforeValidator(_tag)]
"""A BCP 47 language tag in its canonical form."""

Localised = Annotated[dict[str, str], BeforeValidator(_words), PlainSerializer(_plain)]
"""Words per language tag; a plain string stands for every language."""


def chosen(words: Mapping[str, str], chain: Iterable[str]) -> tuple[str, str | None] | None:
    """
    Pick the words for the first language of `chain` that has any.

    Returns the words and the tag they are written in (None where they stand for every language), or None where there
    are no words at all. A text in none of the chain's languages is shown in the first one it has: a reader who sees
    foreign words knows more than one who sees none.
    """
    for tag in chain:
        if words.get(tag):
            return words[tag], tag
    if words.get(EVERY):
        return words[EVERY], None
    for tag, text in words.items():
        if text:
            return text, tag
    return None
