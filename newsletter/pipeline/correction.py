"""
Correction after sending: the page of an issue says something else than the mail did, and says so.

Takes a sent issue whose entries were edited since and a reason, yields a correction: for every edition that says
something else now the artifact that its page shows from then on. Promises that what was sent stays as it was (its
artifacts are pinned, a correction adds others beside them) and that each correction is kept with who, when and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.compilation import store as artifacts
from newsletter.compilation.artifact import SAMPLE, Artifact
from newsletter.compilation.comparison import Passage, compared
from newsletter.compilation.correction import CorrectedEdition, Correction
from newsletter.compilation.said import changed
from newsletter.content.newsletter import Newsletter
from newsletter.errors import InvalidInput, NotFound, WrongState
from newsletter.logs import logger
from newsletter.pipeline.approval import Approval
from newsletter.pipeline.mailings import mailing_of_issue
from newsletter.pipeline.parts import Parts
from newsletter.planning.models import DeliveryState
from newsletter.planning.store import states_of

LONGEST_REASON: Final = 1000
"""Characters: readers are told in a sentence or two."""

_INSTEAD: Final = {
    IssueState.DRAFT: "change its entries and compile it again",
    IssueState.APPROVED: "change its entries, then compile and approve it again",
    IssueState.QUEUED: "cancel its run (`newsletter issue cancel {slug}`) and send a changed copy",
    IssueState.PAUSED: "cancel its run (`newsletter issue cancel {slug}`) and send a changed copy",
    IssueState.CANCELLED: "send a changed copy of it (`newsletter issue copy {slug} NEW`)",
}
"""What to do with an issue that has not gone out yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What a correction changes in one edition: digests, the titles of the entries, the passages of the text part."""

    language: str
    before: str
    after: str
    changed: tuple[str, ...]
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """
    A correction with what it changes; `stored` is False for a trial.

    `sending` says that the run goes on, with the bytes that were approved. `unchanged` has the editions whose page
    stays as it is.
    """

    correction: Correction
    revisions: tuple[Revision, ...]
    unchanged: tuple[str, ...]
    sending: bool
    stored: bool


class Corrections:
    """The verb that corrects what was sent, and the record of what was."""

    def __init__(self, parts: Parts, *, approval: Approval) -> None:
        self._parts = parts
        self._approval = approval
        self._log = logger("compilation")

    def correct(
        self,
        slug: str,
        *,
        newsletter: str | None,
        reason: str,
        translations: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> Corrected:
        """
        Compile a sent issue anew from the present texts, and let its pages show that; with `dry_run` only compare.

        The items, their order and the settings are those that were sent. `reason` is in the newsletter's first
        language, `translations` has it in others. Raises WrongState, saying what to do instead, for an issue that
        nobody has got, and where nothing public is different; InvalidInput for a reason that is empty or too long.
        """
        with self._parts.sessions() as session:
            row = issues.get_issue(session, slug, newsletter)
            self._ensure_sent(session, row)
            settings = Newsletter.model_validate(row.settings)
            standing = standing_artifacts(session, row.id or 0)
            number = len(artifacts.corrections(session, row.id or 0)) + 1
        reasons = _reasons(reason, translations or {}, settings)
        made = self._compiled(slug, newsletter=settings.slug)
        revisions = [_revision(standing[name], artifact) for name, artifact in made.items() if name in standing]
        different = tuple(revision for revision in revisions if revision.changed or revision.passages)
        if not different:
            raise WrongState(
                f"nothing that the pages of issue {slug} say is different: edit the entry first (import its content "
                "pack, or change it in the desk), then correct the issue"
            )
        correction = Correction(
            number=number,
            at=self._parts.now(),
            operator=self._parts.operator,
            reasons=reasons,
            editions={each.language: CorrectedEdition(digest=each.after, changed=each.changed) for each in different},
        )
        if not dry_run:
            self._store(row, correction, [made[each.language] for each in different])
        return Corrected(
            correction=correction,
            revisions=different,
            unchanged=tuple(revision.language for revision in revisions if revision not in different),
            sending=row.state is not IssueState.SENT,
            stored=not dry_run,
        )

    def corrections(self, slug: str, *, newsletter: str | None) -> tuple[Correction, ...]:
        """The corrections of an issue, the first one first."""
        with self._parts.sessions() as session:
            return artifacts.corrections(session, issues.get_issue(session, slug, newsletter).id or 0)

    def _ensure_sent(self, session: Session, row: IssueRow) -> None:
        if row.state in {IssueState.SENT, IssueState.SENDING}:
            return
        counts = states_of(session, mailing_of_issue(session, row))
        if counts[DeliveryState.ACCEPTED] or counts[DeliveryState.UNCERTAIN]:
            return
        instead = _INSTEAD[row.state].format(slug=row.slug)
        raise WrongState(f"issue {row.slug} is {row.state.value}, so nobody has got it: {instead}")

    def _compiled(self, slug: str, *, newsletter: str) -> dict[str, Artifact]:
        """The editions for everybody, by language, as they would be compiled now."""
        from newsletter.compilation.compiler import compile_issue

        built = self._approval.compile(slug, newsletter=newsletter)
        plain = [edition for edition in built.editions if not edition.variant]
        return {artifact.language: artifact for artifact in compile_issue(plain, links=self._parts.links)}

    def _store(self, row: IssueRow, correction: Correction, made: list[Artifact]) -> None:
        with self._parts.sessions() as session:
            for artifact in made:
                artifacts.put(session, artifact, now=correction.at)
            artifacts.add_correction(session, row.id or 0, correction)
            session.commit()
        self._log.info(
            "issue corrected",
            issue=row.slug,
            number=correction.number,
            operator=correction.operator,
            editions=sorted(correction.editions),
        )


def standing_artifacts(session: Session, issue_id: int) -> dict[str, Artifact]:
    """What the pages of an approved issue show, by language: the newest correction of each, or what was approved."""
    digests = {
        language: digest for (language, variant), digest in artifacts.pins(session, issue_id).items() if not variant
    }
    for correction in artifacts.corrections(session, issue_id):
        digests |= {language: edition.digest for language, edition in correction.editions.items()}
    found = artifacts.get_many(session, digests.values())
    return {language: found[digest] for language, digest in digests.items()}


def _revision(before: Artifact, after: Artifact) -> Revision:
    passages = compared(before.text_for(SAMPLE), after.text_for(SAMPLE))
    # An artifact of an earlier version has no record of what its entries say: then the text alone tells.
    titles = changed(before.said, after.said) if before.said else ()
    return Revision(
        language=after.language, before=before.digest, after=after.digest, changed=titles, passages=passages
    )


def _reasons(reason: str, translations: Mapping[str, str], settings: Newsletter) -> dict[str, str]:
    """The reason by language, the newsletter's first one first."""
    by_case = {tag.lower(): tag for tag in settings.languages}
    reasons = {settings.default_language: _reason(reason)}
    for tag, words in translations.items():
        if tag.lower() not in by_case:
            raise NotFound("language of the newsletter", tag, near=settings.languages)
        reasons[by_case[tag.lower()]] = _reason(words)
    return reasons


def _reason(reason: str) -> str:
    words = " ".join(reason.split())
    if not words:
        raise InvalidInput("say why the issue is corrected: readers see the reason on its page")
    if len(words) > LONGEST_REASON:
        raise InvalidInput(f"a reason has at most {LONGEST_REASON} characters; this one has {len(words)}")
    return words
