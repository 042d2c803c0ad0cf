"""The command that corrects the pages of an issue after it was sent."""

from typing import Any

import typer

from newsletter.cli.output import JsonOption, note, print_json, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE, NewsletterOption
from newsletter.compilation.correction import Correction
from newsletter.errors import InvalidInput
from newsletter.pipeline.correction import Corrected, Revision
from newsletter.times import rfc3339


def correct(
    slug: str,
    reason: str = typer.Option(..., help="What readers are told, in the newsletter's first language."),
    translation: list[str] = typer.Option(
        [], help="The reason in another language, like 'fr=Une date était fausse.'; repeat for more."
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Only show what would change."),
    newsletter: str = NewsletterOption,
    json: bool = JsonOption,
) -> None:
    """Correct the pages of a sent issue from its present texts; what was sent stays in the record."""
    corrected = STATE.pipeline().corrections.correct(
        slug, newsletter=newsletter, reason=reason, translations=_translations(translation), dry_run=dry_run
    )
    if json:
        print_json({"issue": slug, **_corrected_json(corrected)})
        return
    for revision in corrected.revisions:
        _show(revision)
    if corrected.unchanged:
        say(f"unchanged: {', '.join(corrected.unchanged)}")
    count = counted(len(corrected.revisions), "edition", "editions")
    if not corrected.stored:
        say(f"{count} would be corrected; nothing was stored")
        return
    say(f"correction {corrected.correction.number} of issue {slug}: {count}; run `newsletter issue export {slug} DIR`")
    if corrected.sending:
        note("what has not gone out yet still goes out as it was approved: only the pages are corrected")


def correction_json(correction: Correction) -> dict[str, Any]:
    """A correction as plain data: who, when, why, and what each edition says anew."""
    return {
        "number": correction.number,
        "at": correction.at,
        "by": correction.operator,
        "reasons": dict(correction.reasons),
        "editions": {
            language: {"digest": edition.digest, "changed": edition.changed}
            for language, edition in correction.editions.items()
        },
    }


def correction_words(correction: Correction) -> str:
    """A correction in one line."""
    reason = next(iter(correction.reasons.values()))
    editions = ", ".join(sorted(correction.editions))
    return f"correction {correction.number}, {rfc3339(correction.at)}, {correction.operator}: {reason} ({editions})"


def _corrected_json(corrected: Corrected) -> dict[str, Any]:
    return {
        "correction": correction_json(corrected.correction),
        "stored": corrected.stored,
        "unchanged": corrected.unchanged,
        "revisions": [
            {
                "language": revision.language,
                "before": revision.before,
                "after": revision.after,
                "changed": revision.changed,
                "passages": [{"before": passage.before, "after": passage.after} for passage in revision.passages],
            }
            for revision in corrected.revisions
        ],
    }


def _show(revision: Revision) -> None:
    titles = ", ".join(f"“{title}”" for title in revision.changed)
    say(f"{revision.language}: {titles or 'the text'}")
    for passage in revision.passages:
        if passage.before:
            say(f"  - {passage.before}")
        if passage.after:
            say(f"  + {passage.after}")
    if not revision.passages:
        say("  the words are the same: a picture, an address or a mark-up of the page is different")


def _translations(given: list[str]) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in given]
    for (tag, sign, _), pair in zip(pairs, given, strict=True):
        if not (tag.strip() and sign):
            raise InvalidInput(f"--translation {pair!r} names no language; write it like 'fr=Une date était fausse.'")
    return {tag.strip(): words for tag, _, words in pairs}
