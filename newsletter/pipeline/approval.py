"""
From an assembled issue to an approved one: compile, check, waive, approve.

What is approved are bytes: the digests of every edition are pinned to the issue, and what is sent are those.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlmodel import Session

from newsletter.assembly import store as issues
from newsletter.assembly.composition import build_edition, variants
from newsletter.assembly.edition import Edition
from newsletter.assembly.facts import IssueFacts, IssueState
from newsletter.compilation import store as artifacts
from newsletter.compilation.artifact import Artifact
from newsletter.content import store as content
from newsletter.errors import ApprovalVoid, FindingsOpen, NotFound, WrongState
from newsletter.logs import logger
from newsletter.pipeline.entries import back_to_draft
from newsletter.pipeline.meaning import condition_of_text
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.senders import domains_of, signing_domains
from newsletter.planning.audience import shares
from newsletter.planning.counts import addresses_for_tests, last_audience
from newsletter.planning.store import suppressed_in
from newsletter.preflight import store as waivers
from newsletter.preflight.audience import AudienceCounts
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
from subscribers.store import audience_languages, get_segment


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

    def approve(self, slug: str, *, newsletter: str | None) -> Built:
        """
        Pin the present bytes of every edition to the issue: what is approved is what is sent.

        Raises FindingsOpen where preflight has errors, or warnings that nobody has waived; WrongState for an issue that
        is queued or sent already.
        """
        checked = self.preflight(slug, newsletter=newsletter, segment=None)
        if checked.exit_code:
            raise FindingsOpen(
                f"issue {slug} cannot be approved: {checked.words}; see `newsletter issue preflight {slug}`"
            )
        built = checked.built
        now = self._parts.now()
        with self._parts.sessions() as session:
            row = issues.get_issue(session, slug, newsletter)
            expected = (IssueState.DRAFT, IssueState.APPROVED)
            if not issues.set_state(session, row.id or 0, expected=expected, state=IssueState.APPROVED, now=now):
                raise WrongState(f"issue {slug} is {row.state.value}: it was approved already")
            for artifact in built.artifacts:
                artifacts.put(session, artifact, now=now)
            artifacts.pin(session, row.id or 0, built.artifacts)
            artifacts.put_build(session, row.id or 0, calendar=built.calendar, manifest=built.manifest)
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
        if self.compile(slug, newsletter=newsletter).pinned:
            self._ensure_sendable(facts)
            return
        self._void(facts)
        raise ApprovalVoid(f"issue {slug} was changed after its approval: compile it, look at it and approve it again")

    def _ensure_sendable(self, facts: IssueFacts) -> None:
        """Look for the errors that come about without a change of any byte."""
        slug = facts.plan.slug
        for finding in check_entries(facts):
            self._void(facts)
            raise FindingsOpen(f"issue {slug} is a draft again: {finding.message()} {finding.hint()}")
        for finding in check_sender(facts, signing=signing_domains(self._parts.settings.dkim)):
            raise FindingsOpen(f"issue {slug} cannot be queued: {finding.message()} {finding.hint()}")

    def _void(self, facts: IssueFacts) -> None:
        with self._parts.sessions() as session:
            back_to_draft(session, facts.id, now=self._parts.now())
            session.commit()

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
        baseline = theme_baseline(built.editions, links=self._parts.links)
        with self._parts.sessions() as session:
            facts = issues.load_issue(session, slug, newsletter)
            counts = self._counts(session, facts, segment) if segment else None
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

    def _counts(self, session: Session, facts: IssueFacts, segment: str) -> AudienceCounts:
        condition = condition_of_text(session, get_segment(session, segment).expression, now=self._parts.now())
        settings = facts.settings
        wanted = audience_languages(session, condition, newsletter=settings.slug)
        people: dict[str, int] = {}
        for share in shares(wanted, offered=settings.languages, default=settings.default_language):
            people[share.language] = people.get(share.language, 0) + share.people
        return AudienceCounts(
            segment=segment,
            people=people,
            suppressed=suppressed_in(session, condition),
            previous=last_audience(session, facts.id),
            test_addresses=addresses_for_tests(session, condition, newsletter=settings.slug),
        )

    def waive(self, slug: str, code: str, *, reason: str, newsletter: str | None, segment: str | None = None) -> int:
        """Accept the present warnings of a code, with `segment` those about its audience too; returns how many."""
        checked = self.preflight(slug, newsletter=newsletter, segment=segment)
        with self._parts.sessions() as session:
            row = issues.get_issue(session, slug, newsletter)
            accepted = waivers.waive(
                session,
                row.id or 0,
                findings=checked.report.findings,
                code=code,
                reason=reason,
                operator=self._parts.operator,
                now=self._parts.now(),
            )
            session.commit()
        self._log.info("waived", issue=slug, code=code, findings=len(accepted), operator=self._parts.operator)
        return len(accepted)

    def _facts(self, slug: str, newsletter: str | None) -> IssueFacts:
        with self._parts.sessions() as session:
            return issues.load_issue(session, slug, newsletter)


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
