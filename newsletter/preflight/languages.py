"""
Languages: what an edition lacks in its own language, what it shows instead, and what has gone stale.

Takes a compiled edition and the facts of its issue, yields findings. That an entry is shown in another language, or
left out, is what the newsletter's settings say, so it is no more than a notice.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from newsletter.assembly.edition import Edition
from newsletter.assembly.facts import IssueFacts
from newsletter.content.entry import Entry
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Rule, Severity, Tongue
from newsletter.preflight.places import entries_in
from newsletter.words import catalogue
from subscribers.language import fallback_chain, lookup

MISSING: Final = Rule(
    code="language-missing",
    severity=Severity.NOTICE,
    message="The {edition} edition leaves out 1 entry that is not in its language: {titles}.",
    several="The {edition} edition leaves out {n} entries that are not in its language: {titles}.",
    hint="Translate them if these readers should see them; the newsletter's setting says to leave out what is not "
    "translated.",
)
SHOWN: Final = Rule(
    code="fallback-shown",
    severity=Severity.NOTICE,
    message="The {edition} edition shows 1 entry in another language: {titles}.",
    several="The {edition} edition shows {n} entries in another language: {titles}.",
    hint="Translate them if you can; the newsletter's setting says to show what there is.",
)
BLOCKED: Final = Rule(
    code="fallback-blocked",
    severity=Severity.ERROR,
    message="The {edition} edition has 1 entry that is not in its language: {titles}.",
    several="The {edition} edition has {n} entries that are not in its language: {titles}.",
    hint="Translate them or take them out: the newsletter's setting allows no other language.",
)
STALE: Final = Rule(
    code="language-stale",
    severity=Severity.WARNING,
    message="The {language} text of “{title}” was made from an older {source} text, which has changed since.",
    hint="Compare the two, then change the translation or say that it is still right.",
    shared=True,
)
WORDS: Final = Rule(
    code="words-other-language",
    severity=Severity.NOTICE,
    message="The fixed words of the {edition} edition (“Unsubscribe”, “View in browser” and so on) are in {language}.",
    hint="Ask for a catalogue of the program's words in this language.",
)
RULES: Final = (MISSING, SHOWN, BLOCKED, STALE, WORDS)


def check(given: CompiledEdition, issue: IssueFacts) -> Iterator[Finding]:
    """Look at the languages of an edition."""
    edition, name = given.edition, given.name
    fallbacks = [key for key, _ in edition.fallbacks if key not in edition.blocked]
    for rule, keys in ((MISSING, edition.missing), (SHOWN, fallbacks), (BLOCKED, edition.blocked)):
        if keys:
            yield rule.found(edition=name, n=len(keys), titles=_titles(keys, issue))
    yield from _stale(edition, issue, name)
    known = catalogue(edition.language).language
    if not lookup(known, (edition.language,), ""):
        yield WORDS.found(edition=name, language=Tongue(known))


def _titles(keys: Iterable[str], issue: IssueFacts) -> tuple[str, ...]:
    entries = (issue.entries[key].entry for key in keys)
    return tuple(entry.texts[entry.source].title for entry in entries)


def _stale(edition: Edition, issue: IssueFacts, name: str) -> Iterator[Finding]:
    for key in entries_in(edition):
        stored = issue.entries[key]
        entry = stored.entry
        tag = _shown(entry, edition.language, default=issue.settings.default_language)
        if tag in stored.stale:
            yield STALE.found(
                edition=name,
                place=key,
                language=Tongue(tag),
                source=Tongue(entry.source),
                title=entry.texts[tag].title,
            )


def _shown(entry: Entry, language: str, *, default: str) -> str:
    """The language of the text that an edition in `language` shows."""
    chain = fallback_chain(language, source=entry.source, default=default)
    return next(tag for tag in chain if tag in entry.texts)
