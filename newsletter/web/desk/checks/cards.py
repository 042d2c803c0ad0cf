"""
Findings as officers read them: one card for each kind, with what to do and where.

Takes judged findings and a look at the issue, yields cards in the operator's language. Pure.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from newsletter.content.entry import Entry
from newsletter.content.versions import text_digest
from newsletter.pipeline.looks import Judged, Look
from newsletter.preflight.finding import Finding, Waiver, edition_words
from newsletter.preflight.passages import passage_at

WORDING: Final = {"subject": "subject", "preheader": "preheader", "intro": "intro", "title": "title"}
"""Places whose words are the issue's own, and the fields they are written in."""

SETTINGS: Final = frozenset({"footer", "masthead", "sender"})
"""Places whose words are the newsletter's."""

STALE: Final = frozenset({"language-stale"})
"""Codes of translations that are older than their original: they can be compared with it."""

_PARTS: Final = (("picture", "picture"), ("alt", "picture"), ("date", "sittings"))
"""How the code of a finding begins, and the part of the entry's page that it is about; others are about its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """
    One finding of a card.

    `edition` is named in words where the issue has several, else ""; `entry` is the title of what it is about; `href`
    leads to where it is mended, `show` to the passage in the preview, each "" where there is none. `still` is the
    digest of the original that a stale translation may be called right for, at `href`.
    """

    fingerprint: str
    message: str
    edition: str
    entry: str
    href: str
    show: str
    still: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Findings of one kind. `waiver` is set where they were accepted; `stale` where they can be compared."""

    code: str
    hint: str
    spots: tuple[Spot, ...]
    waiver: Waiver | None
    stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The cards of an issue."""

    errors: tuple[Card, ...]
    undecided: tuple[Card, ...]
    accepted: tuple[Card, ...]
    notices: tuple[Card, ...]
    passed: int
    is_clear: bool


def board_of(judged: Judged, look: Look, *, language: str, show: Callable[[str, str], str]) -> Board:
    """The cards of all findings; `show` gives the address of a preview with a passage of an edition marked."""

    def made(findings: Iterable[Finding], waivers: Mapping[str, Waiver] | None = None) -> tuple[Card, ...]:
        kinds: dict[tuple[str, Waiver | None], list[Finding]] = {}
        for finding in findings:
            kinds.setdefault((finding.code, (waivers or {}).get(finding.fingerprint)), []).append(finding)
        return tuple(
            Card(
                code=code,
                hint=found[0].hint(language),
                spots=tuple(_spot(each, look, language=language, show=show) for each in found),
                waiver=waiver,
                stale=code in STALE,
            )
            for (code, waiver), found in kinds.items()
        )

    return Board(
        errors=made(judged.errors),
        undecided=made(judged.undecided),
        accepted=made(judged.accepted, judged.waivers),
        notices=made(judged.notices),
        passed=judged.passed,
        is_clear=judged.is_clear,
    )


def _spot(finding: Finding, look: Look, *, language: str, show: Callable[[str, str], str]) -> Spot:
    names = [artifact.name for artifact in look.built.artifacts]
    name = finding.edition if finding.edition in names else names[0]
    passage = passage_at(look.edition(name), finding.place) if finding.place else None
    entry = finding.place.partition(": ")[0]
    is_entry = entry in look.facts.entries
    return Spot(
        fingerprint=finding.fingerprint,
        message=finding.message(language),
        edition=edition_words(finding.edition, language) if finding.edition and len(names) > 1 else "",
        entry=passage.words if passage and is_entry else "",
        href=_where(finding, look, entry if is_entry else "", name.partition(".")[0]),
        still=_original(look, entry) if is_entry and finding.code in STALE else "",
        show=show(name, finding.place.partition(": ")[0]) if passage else "",
    )


def _where(finding: Finding, look: Look, entry: str, language: str) -> str:
    """Where a finding is mended."""
    root = f"/desk/n/{quote(look.facts.settings.slug)}"
    if entry:
        return f"{root}/entries/{quote(entry)}{_part_of(finding, look.facts.entries[entry].entry, language)}"
    if finding.place in WORDING:
        query = urlencode({"language": language})
        return f"{root}/issues/{quote(look.facts.plan.slug)}/wording?{query}#{WORDING[finding.place]}"
    return f"{root}/settings" if finding.place in SETTINGS else ""


def _part_of(finding: Finding, entry: Entry, language: str) -> str:
    """What follows the address of an entry: its comparison, or the part of its page."""
    if finding.code in STALE:
        return f"/compare/{quote(language)}"
    written = language if language in entry.texts else entry.source
    part = next((name for begin, name in _PARTS if finding.code.startswith(begin)), f"body-{written}")
    return f"?{urlencode({'language': written})}#{part}"


def _original(look: Look, key: str) -> str:
    entry = look.facts.entries[key].entry
    return text_digest(entry.texts[entry.source])
