"""
The inbox: what readers see before they open the message, its subject and its preheader.

Takes a compiled edition and the facts of its issue, yields findings.

The length of a subject is counted in columns, in every script alike: two for a wide character (Unicode Standard Annex
11), none for one that combines with the letter before it. 78 of them are what mail programs on a computer show, and
what one header line holds (RFC 5322 §2.1.1). A slot counts as a name, which most readers have: a polite salutation for
the others is long in some languages and is nobody's mistake.
Where nobody wrote a subject the program makes one of the newsletter's name and the issue's title, so that this is no
more than a notice.
"""

from collections.abc import Iterator
from typing import Final
from unicodedata import category, east_asian_width

from newsletter.assembly.facts import IssueFacts
from newsletter.compilation.artifact import SAMPLE, Artifact
from newsletter.compilation.slots import Slot, Slots
from newsletter.content.issue import IssueText
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Rule, Severity, Tongue
from subscribers.language import fallback_chain, parents

LONGEST_SUBJECT: Final = 78
"""Columns."""

NAME: Final = 12
"""Columns of the value of a slot."""

MISSING: Final = Rule(
    code="subject-missing",
    severity=Severity.NOTICE,
    message="Nobody wrote a subject for the {edition} edition: readers will see “{subject}”.",
    hint="Write a subject that says what is in this issue.",
)
OTHER: Final = Rule(
    code="subject-other-language",
    severity=Severity.WARNING,
    message="The {edition} edition has no subject, title and introduction of its own: it shows those in {language}.",
    hint="Write them in the edition's language.",
)
LONG: Final = Rule(
    code="subject-long",
    severity=Severity.WARNING,
    message="The subject of the {edition} edition takes {columns} columns: mail programs cut it after about 78, phones "
    "after 40.",
    hint="Shorten it, and put what matters first.",
)
NO_PREHEADER: Final = Rule(
    code="preheader-missing",
    severity=Severity.NOTICE,
    message="The {edition} edition has no preheader: after the subject, inboxes show the first words of the message.",
    hint="Write one sentence that goes on where the subject ends.",
)
RULES: Final = (MISSING, OTHER, LONG, NO_PREHEADER)


def check(given: CompiledEdition, issue: IssueFacts) -> Iterator[Finding]:
    """Look at what the inbox shows of an edition."""
    tag, text = _shown(issue, given.edition.language)
    if not text.subject:
        yield MISSING.found(edition=given.name, place="subject", subject=given.artifact.subject_for(SAMPLE))
    if tag is not None and tag not in (given.edition.language, *parents(given.edition.language)):
        yield OTHER.found(edition=given.name, place="subject", language=Tongue(tag))
    if (columns := _columns(given.artifact)) > LONGEST_SUBJECT:
        yield LONG.found(edition=given.name, place="subject", columns=columns)
    if not given.edition.preheader.text.strip():
        yield NO_PREHEADER.found(edition=given.name, place="preheader")


def _shown(issue: IssueFacts, language: str) -> tuple[str | None, IssueText]:
    """The issue's own words as an edition shows them, a whole in one language, and that language."""
    default = issue.settings.default_language
    written = {tag: text for tag, text in issue.plan.texts.items() if text != IssueText()}
    chain = (*fallback_chain(language, source=default, default=default), *written)
    return next(((tag, written[tag]) for tag in chain if tag in written), (None, IssueText()))


def _columns(artifact: Artifact) -> int:
    parts = Slots.known(artifact.nonce, artifact.slots).split(artifact.subject)
    return sum(NAME if isinstance(part, Slot) else sum(map(_width, part)) for part in parts)


def _width(char: str) -> int:
    # Vowel signs and accents stand on the letter before, and marks of direction nowhere.
    if category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if east_asian_width(char) in {"F", "W"} else 1
