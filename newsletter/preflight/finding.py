"""
A finding: what a check has to say of an issue, and the rule it follows from.

Takes nothing; yields `Rule`, the frozen `Finding`, and the `Waiver` that somebody gave one. A finding holds facts, not
sentences: it is said in the language of whoever reads it, and its fingerprint is the same in all of them. Pure.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Final

from babel.numbers import format_decimal

from newsletter.times import day_words
from newsletter.words import ENGLISH, catalogue
from subscribers.language import display_name

DOMAIN: Final = "preflight"
"""The catalogues of what findings say; a test compares them with the rules."""

FINGERPRINT_LENGTH: Final = 32
"""Hexadecimal digits: 128 bits."""

_MOST_NAMED: Final = 6
"""Entries named in one sentence: a longer list is not read."""


class Severity(StrEnum):
    """What a finding means for approval."""

    #: Stands in the way until it is fixed.
    ERROR = "error"
    #: Stands in the way until it is fixed, or waived with a reason.
    WARNING = "warning"
    #: Good to know.
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language as a fact: its BCP 47 tag, which is said by name."""

    tag: str


@dataclass(frozen=True, slots=True)
class Names:
    """Names as a fact, all of them said, without quotation marks."""

    names: tuple[str, ...]


Fact = str | int | float | dt.date | Tongue | Names | tuple[str, ...]
"""What a sentence may hold: words, a number, a day, a language, names, titles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    What a check looks for, under its stable code.

    `message` is said of one thing, `several` of the number {n} where the two differ; {edition} is the finding's edition
    by name, all other names are facts. `shared` is True where equal findings of several editions are about the same
    words or the same setting, so that they are one finding. `outside` is True where it was found outside the program:
    the answer is another one tomorrow, so it never stands in the way of approval. `hint` says what to do.
    """

    code: str
    severity: Severity
    message: str
    several: str = ""
    hint: str
    shared: bool = False
    outside: bool = False

    def found(self, *, edition: str = "", place: str = "", **facts: Fact) -> "Finding":
        """A finding that follows from this rule."""
        return Finding(rule=self, edition=edition, place=place, facts=tuple(sorted(facts.items())))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """
    One thing that a check found.

    `edition` is "" for the whole issue, else `LANG` or `LANG.VARIANT`; `place` is an entry's key, with what stands
    inside it after a colon ("web-sessions: quay-panel"), a part of the issue ("subject", "intro", "footer"), a segment,
    or "".
    """

    rule: Rule
    edition: str
    place: str
    facts: tuple[tuple[str, Fact], ...]

    @property
    def code(self) -> str:
        """The rule's stable code."""
        return self.rule.code

    @property
    def severity(self) -> Severity:
        """What the finding means for approval."""
        return self.rule.severity

    @cached_property
    def fingerprint(self) -> str:
        """What a waiver holds on to: it changes with code, edition, place or any fact, and with nothing else."""
        known = [self.code, self.edition, self.place, [[name, _plain(fact)] for name, fact in self.facts]]
        written = json.dumps(known, ensure_ascii=False, separators=(",", ":"))
        return sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:FINGERPRINT_LENGTH]

    def message(self, language: str = ENGLISH) -> str:
        """What was found, in words; those that no catalogue has in `language` are English."""
        words = catalogue(language, DOMAIN)
        facts = dict(self.facts)
        number = facts.pop("n", 1)
        values = _values(self.edition, facts, words.language)
        if self.rule.several and isinstance(number, int):
            return words.say_n(self.rule.message, self.rule.several, number, **values)
        return words.say(self.rule.message, n=_said(number, words.language), **values)

    def hint(self, language: str = ENGLISH) -> str:
        """What to do, in words."""
        return catalogue(language, DOMAIN).say(self.rule.hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A warning that `operator` accepted at `at`, and why."""

    operator: str
    at: dt.datetime
    reason: str


def edition_words(name: str, language: str = ENGLISH) -> str:
    """The name of an edition in words: `fr.members+press` in English is "French (members, press)"."""
    tag, _, variant = name.partition(".")
    words = display_name(tag, language)
    return f"{words} ({variant.replace('+', ', ')})" if variant else words


def _values(edition: str, facts: Mapping[str, Fact], language: str) -> dict[str, str]:
    said = {name: _said(fact, language) for name, fact in facts.items()}
    return {"edition": edition_words(edition, language), **said} if edition else said


def _said(fact: Fact, language: str) -> str:
    # The program's own English is not that of CLDR's bare `en`, which writes as in the United States.
    locale = "en-GB" if language == ENGLISH else language
    if isinstance(fact, Tongue):
        return display_name(fact.tag, language)
    if isinstance(fact, dt.date):
        return day_words(fact, locale=locale, weekday=True)
    if isinstance(fact, int | float):
        return str(format_decimal(fact, locale=locale.replace("-", "_")))
    if isinstance(fact, Names):
        return ", ".join(fact.names)
    if isinstance(fact, tuple):
        return ", ".join([f"“{title}”" for title in fact[:_MOST_NAMED]] + ["…"] * (len(fact) > _MOST_NAMED))
    return fact


def _plain(fact: Fact) -> str | float | list[str]:
    if isinstance(fact, Tongue):
        return fact.tag
    if isinstance(fact, Names):
        return list(fact.names)
    if isinstance(fact, dt.date):
        return fact.isoformat()
    return list(fact) if isinstance(fact, tuple) else fact
