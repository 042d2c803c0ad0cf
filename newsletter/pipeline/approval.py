"""
From an assembled issue to an approved one: compile, check, waive, approve.

What is approved are bytes: the digests of every edition are pinned to the issue, and what is sent are those.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.assembly import store as issues
from newsletter.assembly.composition import build_edition, variants
from newsletter.assembly.edition import Edition
from newsletter.assembly.facts import IssueFacts, IssueState
from newsletter.compilation import approvals
from newsletter.compilation import store as artifacts
from newsletter.compilation.artifact import Artifact
from newsletter.compilation.said import changed
from newsletter.content import store as content
from newsletter.database import reading
from newsletter.errors import ApprovalVoid, FindingsOpen, NotFound, WrongState
from newsletter.logs import logger
from newsletter.pipeline.entries import back_to_draft
from newsletter.pipeline.expected import counted
from newsletter.pipeline.eyes import Eyes, ensure_other_eyes, eyes_on
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.senders import domains_of, signing_domains
from newsletter.preflight import store as waivers
from newsletter.preflight.baseline import theme_baseline
from newsletter.preflight.client_facts import ClientFacts
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.entries import check_entries
from newsletter.preflight.finding import Finding, Waiver
from newsletter.preflight.outside import Outside, look_outside
from newsletter.preflight.reach import Progress, quietly
from newsletter.preflight.report import PreflightInput, Report, run
from newsletter.preflight.sender import check_sender
from newsletter.preflight.wording import report_lines, verdict_words
from newsletter.words import ENGLISH, catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """
    The compiled editions of an issue, one per language and variant, with its calendar file and build.json.

    `pinned` is True where these are the bytes of an approval that holds.
    """

    artifacts: tuple[Artifact, ...]
    editions: tuple[Edition, ...]
    calendar: bytes
    manifest: bytes
    pinned: bool

    def edition(self, language: str | None) -> Artifact:
        """The edition in a language, or the first one. Raises NotFound with the languages there are."""
        for artifact in self.artifacts:
            if language is None or artifact.language.lower() == language.lower():
                return artifact
        raise NotFound("edition", language or "", near=sorted({artifact.language for artifact in self.artifacts}))

    def write(self, folder: Path) -> None:
        """
        Write LANG.html, LANG.txt, LANG.eml and LANG.mjml for each edition, issue.ics and build.json.

        The slots are filled for a neutral sample reader.
        """
        from newsletter.compilation.compiler import sample_message, sample_values

        folder.mkdir(parents=True, exist_ok=True)
        for artifact in self.artifacts:
            values = sample_values(artifact)
            for ending, data in (
                ("html", artifact.html_for(values).encode()),
                ("txt", artifact.text_for(values).encode()),
                ("eml", sample_message(artifact)),
                ("mjml", artifact.mjml.encode()),
            ):
                (folder / f"{artifact.name}.{ending}").write_bytes(data)
        (folder / "issue.ics").write_bytes(self.calendar)
        (folder / "build.json").write_bytes(self.manifest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was checked, the report, and the waivers by the fingerprints of what they accept."""

    built: Built
    report: Report
    waivers: Mapping[str, Waiver]

    @property
    def exit_code(self) -> int:
        """0 may be approved, 3 errors, 4 warnings not yet decided."""
        return int(self.report.verdict(self.waivers))

    @property
    def words(self) -> str:
        """One line: what stands in the way, or that nothing does."""
        return verdict_words(self.report, self.waivers)

    def lines(self, language: str = ENGLISH) -> Iterator[str]:
        """The report in words, for a terminal."""
        return report_lines(self.report, self.waivers, language=language)

    def to_json(self, language: str = ENGLISH) -> dict[str, Any]:
        """The report as plain data."""
        return self.report.to_json(self.waivers, language=language)


class Approval:
    """The verbs between assembly and queue."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._log = logger("preflight")

    def compile(self, slug: str, *, newsletter: str | None) -> Built:
        """
        Compile every edition of an issue.

        An issue that is approved and unchanged, queued, sent or being sent gives the very bytes that were approved.
        """
        with self._parts.sessions() as session:
            facts = issues.load_issue(session, slug, newsletter)
            kept = artifacts.get_build(session, facts.id)
            pinned = _pinned(session, facts)
        editions = self._editions(facts)
        if kept and facts.state not in {IssueState.DRAFT, IssueState.APPROVED}:
            return Built(artifacts=pinned, editions=editions, calendar=kept[0], manifest=kept[1], pinned=True)
        built = _build(facts, editions, self._compiled(editions))
        return replace(built, pinned=(built.calendar, built.manifest) == kept)

    def _editions(self, facts: IssueFacts) -> tuple[Edition, ...]:
        return tuple(
            build_edition(
                facts, language=language, segments=segments, links=self._parts.links, catalogue=catalogue(language)
            )
            for language in facts.settings.languages
            for segments in variants(facts.items)
        )

    def _compiled(self, editions: Sequence[Edition]) -> tuple[Artifact, ...]:
        from newsletter.compilation.compiler import compile_issue

        return tuple(compile_issue(editions, links=self._parts.links))

    def approve(self, slug: str, *, newsletter: str | None, seen: Collection[str] | None = None) -> Built:
        """
        Pin the present bytes of every edition to the issue: what is approved is what is sent.

        `seen` has the digests of what the operator has looked at; ApprovalVoid is raised where it would be others.

        Raises FindingsOpen where preflight has errors, or warnings that nobody has waived; OwnWork where the newsletter
        wants four eyes and the operator wrote last; WrongState for an issue that is queued or sent already.
        """
        checked = self.preflight(slug, newsletter=newsletter, segment=None)
        if checked.exit_code:
            raise FindingsOpen(
                f"issue {slug} cannot be approved: {checked.words}; see `newsletter issue preflight {slug}`"
            )
        built = checked.built
        if seen is not None and set(seen) != {artifact.digest for artifact in built.artifacts}:
            raise ApprovalVoid(f"issue {slug} was changed since you looked at it: look again, then approve it")
        now = self._parts.now()
        with self._parts.sessions() as session:
            row = issues.get_issue(session, slug, newsletter)
            ensure_other_eyes(session, row, operator=self._parts.operator)
            expected = (IssueState.DRAFT, IssueState.APPROVED)
            if not issues.set_state(session, row.id or 0, expected=expected, state=IssueState.APPROVED, now=now):
                raise WrongState(f"issue {slug} is {row.state.value}: it was approved already")
            for artifact in built.artifacts:
                artifacts.put(session, artifact, now=now)
            artifacts.pin(session, row.id or 0, built.artifacts)
            artifacts.put_build(session, row.id or 0, calendar=built.calendar, manifest=built.manifest)
            approvals.note(session, row.id or 0, operator=self._parts.operator, at=now)
            named = ", ".join(f"{artifact.name} {artifact.digest[:12]}" for artifact in built.artifacts)
            self._note(session, Deed.ISSUE_APPROVED, f"issue {slug}: {named}")
            session.commit()
        return built

    def ensure_approved(self, slug: str, *, newsletter: str | None) -> None:
        """
        Raise ApprovalVoid unless what would be compiled now is what was approved; the issue is then a draft again.

        An issue that was queued before keeps its pinned bytes, whatever has changed since. Raises FindingsOpen where
        the same bytes must not go out any more: an entry was withdrawn, or its sender has no key.
        """
        facts = self._facts(slug, newsletter)
        if facts.state is not IssueState.APPROVED:
            return
        built = self.compile(slug, newsletter=newsletter)
        if built.pinned:
            self._ensure_sendable(facts)
            return
        self._void(facts, reason="; ".join(self._changes(facts, built)))
        raise ApprovalVoid(f"issue {slug} was changed after its approval: compile it, look at it and approve it again")

    def _ensure_sendable(self, facts: IssueFacts) -> None:
        """Look for the errors that come about without a change of any byte."""
        slug = facts.plan.slug
        for finding in check_entries(facts):
            self._void(facts, reason=finding.message())
            raise FindingsOpen(f"issue {slug} is a draft again: {finding.message()} {finding.hint()}")
        for finding in check_sender(facts, signing=signing_domains(self._parts.settings.dkim)):
            raise FindingsOpen(f"issue {slug} cannot be queued: {finding.message()} {finding.hint()}")

    def _void(self, facts: IssueFacts, *, reason: str) -> None:
        with self._parts.sessions() as session:
            back_to_draft(session, facts.id, now=self._parts.now(), reason=reason)
            session.commit()

    def _changes(self, facts: IssueFacts, built: Built) -> tuple[str, ...]:
        """The titles of what says something else than what was approved."""
        with self._parts.sessions() as session:
            return changed_since(_pinned(session, facts), built.artifacts)

    def take_back(self, slug: str, *, newsletter: str | None, reason: str = "") -> None:
        """End an approval by hand: the issue is a draft again. Raises WrongState for one that is not approved."""
        with self._parts.sessions() as session:
            row = issues.get_issue(session, slug, newsletter)
            if row.state is not IssueState.APPROVED:
                raise WrongState(f"issue {slug} is {row.state.value}: there is no approval to take back")
            back_to_draft(session, row.id or 0, now=self._parts.now(), reason=reason)
            session.commit()

    def log(self, slug: str, *, newsletter: str | None) -> tuple[approvals.Line, ...]:
        """Who approved an issue and how that ended, the newest line first."""
        with reading(self._parts.engine) as session:
            row = issues.get_issue(session, slug, newsletter)
            return approvals.lines_of(session, row.id or 0)

    def eyes(self, slug: str, *, newsletter: str | None) -> Eyes:
        """Whether an issue wants four eyes, who wrote last, and whether the operator may approve it."""
        with reading(self._parts.engine) as session:
            return eyes_on(session, issues.get_issue(session, slug, newsletter), operator=self._parts.operator)

    def approved(self, slug: str, *, newsletter: str | None) -> tuple[Artifact, ...]:
        """The artifacts that an issue's approval holds, in the order of its languages; none where there is none."""
        with self._parts.sessions() as session:
            return _pinned(session, issues.load_issue(session, slug, newsletter))

    def _note(self, session: Session, deed: Deed, about: str, *, reason: str = "") -> None:
        note_deed(session, deed, operator=self._parts.operator, at=self._parts.now(), about=about, reason=reason)

    def preflight(
        self,
        slug: str,
        *,
        newsletter: str | None,
        segment: str | None,
        client_facts: ClientFacts | None = None,
        outside: Outside | None = None,
        progress: Progress = quietly,
    ) -> Checked:
        """
        Check an issue as it would be sent; with `segment` its audience as well.

        Mail programs are judged by `client_facts` in place of our own table. With `outside` its pages, the DNS and a
        spam filter are asked too, and `progress` hears how far that has come.
        """
        built = self.compile(slug, newsletter=newsletter)
        return self.examine(
            built,
            slug,
            newsletter=newsletter,
            segment=segment,
            client_facts=client_facts,
            outside=outside,
            progress=progress,
        )

    def examine(
        self,
        built: Built,
        slug: str,
        *,
        newsletter: str | None,
        segment: str | None = None,
        client_facts: ClientFacts | None = None,
        outside: Outside | None = None,
        progress: Progress = quietly,
    ) -> Checked:
        """Check an issue whose editions are compiled; the rest is as in `preflight`."""
        baseline = theme_baseline(built.editions, links=self._parts.links)
        with self._parts.sessions() as session:
            facts = issues.load_issue(session, slug, newsletter)
            counts = counted(session, facts, segment, now=self._parts.now()).counts if segment else None
            accepted = {row.fingerprint: row.waiver for row in waivers.waivers(session, facts.id)}
            sizes = content.picture_octets(session, facts.pictures)
        compiled = tuple(
            CompiledEdition(edition=edition, artifact=artifact)
            for edition, artifact in zip(built.editions, built.artifacts, strict=True)
        )
        given = PreflightInput(
            issue=facts,
            editions=compiled,
            audience=counts,
            baseline=baseline,
            client_facts=client_facts,
            picture_sizes=sizes,
            signing=signing_domains(self._parts.settings.dkim),
        )
        found: tuple[Finding, ...] = ()
        if outside:
            domains = domains_of(facts.settings.sender.address, self._parts.settings)
            found = look_outside(given, outside, domains=domains, progress=progress)
        return Checked(built=built, report=run(given, outside=found), waivers=accepted)

    def waive(
        self,
        slug: str,
        code: str,
        *,
        reason: str,
        newsletter: str | None,
        segment: str | None = None,
        only: Collection[str] | None = None,
    ) -> int:
        """
        Accept the present warnings of a code, with `segment` those about its audience too; returns how many.

        With `only` those among them that have one of these fingerprints. Raises as `preflight.store.waive`.
        """
        checked = self.preflight(slug, newsletter=newsletter, segment=segment)
        found = [each for each in checked.report.findings if only is None or each.fingerprint in only]
        with self._parts.sessions() as session:
            row = issues.get_issue(session, slug, newsletter)
            accepted = waivers.waive(
                session,
                row.id or 0,
                findings=found,
                code=code,
                reason=reason,
                operator=self._parts.operator,
                now=self._parts.now(),
            )
            self._note(session, Deed.FINDING_ACCEPTED, f"issue {slug}: {code} ({len(accepted)})", reason=reason)
            session.commit()
        self._log.info("waived", issue=slug, code=code, findings=len(accepted), operator=self._parts.operator)
        return len(accepted)

    def _facts(self, slug: str, newsletter: str | None) -> IssueFacts:
        with self._parts.sessions() as session:
            return issues.load_issue(session, slug, newsletter)


def changed_since(before: Iterable[Artifact], after: Iterable[Artifact]) -> tuple[str, ...]:
    """The titles of the entries that editions say otherwise than they did; a change of dress alone has no title."""
    known = {artifact.name: artifact for artifact in before}
    pairs = ((known[artifact.name], artifact) for artifact in after if artifact.name in known)
    return tuple(dict.fromkeys(title for old, new in pairs for title in changed(old.said, new.said)))


def _build(facts: IssueFacts, editions: tuple[Edition, ...], made: tuple[Artifact, ...]) -> Built:
    """The artifacts with one calendar file for all editions, and what names them all by digest."""
    from newsletter.compilation.calendar_file import issue_file
    from newsletter.compilation.compiler import build_json

    events = {event.uid: event for edition in reversed(editions) for event in edition.events}
    calendar = issue_file(replace(editions[0], events=tuple(events.values())))
    manifest = build_json(facts.plan.slug, made, calendar=hashlib.sha256(calendar).hexdigest())
    return Built(artifacts=made, editions=editions, calendar=calendar, manifest=manifest, pinned=False)


def _pinned(session: Session, facts: IssueFacts) -> tuple[Artifact, ...]:
    """The approved artifacts of an issue, in the order of its languages."""
    pins = artifacts.pins(session, facts.id)
    found = artifacts.get_many(session, pins.values())
    order = {language: place for place, language in enumerate(facts.settings.languages)}
    names = sorted(pins, key=lambda pin: (order.get(pin[0], len(order)), pin[1].count("+"), pin[1]))
    return tuple(found[pins[name]] for name in names)
