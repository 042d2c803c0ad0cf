"""
Looking at an issue before it is sent: its editions as messages, its checks, and whom it would reach.

Takes the slugs of an issue and its newsletter; yields a `Look`, which is made once and kept in memory until anything
that it was made of changes. Promises that no issue is compiled twice at a time, that looking changes nothing and keeps
no writer waiting, and that a message is composed by the very code that composes those of a run, with tokens that act on
nobody.
"""

import datetime as dt
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueFacts, IssueState
from newsletter.compilation import store as artifacts
from newsletter.compilation.artifact import Artifact
from newsletter.compilation.compiler import sample_message
from newsletter.compilation.preview import Opened, opened
from newsletter.content import store as content
from newsletter.content.matrix import matrix
from newsletter.database import session_factory
from newsletter.dispatch.composer import Draft, MessageComposer, Sealing, form_of
from newsletter.dispatch.entries import Claim
from newsletter.paths import templates
from newsletter.pipeline.approval import Approval, Built, Checked, changed_since
from newsletter.pipeline.expected import Counts, Expected, counted
from newsletter.pipeline.heads import Head, head_of
from newsletter.pipeline.looks import Judged, Look, SampleReader
from newsletter.pipeline.parts import Parts
from newsletter.planning.counts import last_segment
from newsletter.preflight.store import waivers
from subscribers.address import parse_address
from subscribers.errors import UnknownSubscriber
from subscribers.store import all_segments, find_by_uid, find_subscriber, slot_values

_DRAFT: Final = IssueState.DRAFT

KEPT: Final = 24
"""Issues whose editions are kept in memory, at some hundred kilobytes each."""

PATIENCE: Final = 0.2
"""Seconds for which a page waits until an audience is counted."""


@dataclass(frozen=True, slots=True)
class _State:
    """What tells that a look is of these rows: `content` of what is compiled, `held` of what an approval holds."""

    content: str
    held: tuple[object, ...]


@dataclass(slots=True)
class _Shelf:
    """What is kept, and a lock for each issue, so that one request makes what many ask for."""

    kept: OrderedDict[tuple[str, str], tuple[_State, Look]] = field(default_factory=OrderedDict)
    locks: dict[tuple[str, str], threading.Lock] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def lock(self, name: tuple[str, str]) -> threading.Lock:
        with self.guard:
            return self.locks.setdefault(name, threading.Lock())

    def get(self, name: tuple[str, str]) -> tuple[_State | None, Look | None]:
        with self.guard:
            if name not in self.kept:
                return None, None
            self.kept.move_to_end(name)
            return self.kept[name]

    def put(self, name: tuple[str, str], state: _State, look: Look) -> None:
        with self.guard:
            self.kept[name] = (state, look)
            while len(self.kept) > KEPT:
                self.kept.popitem(last=False)


class Previewing:
    """The verbs of looking; they only read."""

    def __init__(self, parts: Parts) -> None:
        engine = parts.engine.execution_options(sqlite_begin="DEFERRED")  # who looks keeps no writer waiting
        self._parts = replace(parts, engine=engine, sessions=session_factory(engine))
        self._approval = Approval(self._parts)
        self._composer = MessageComposer(self._parts.sessions, self._sealing)
        self._shelf = _Shelf()
        self._counts = Counts()

    @property
    def _sealing(self) -> Sealing:
        # Nothing is signed and nothing comes back: nobody gets what is looked at.
        return Sealing(keys=self._parts.keys, links=self._parts.links, bounce_domain=None)

    def head(self, slug: str, *, newsletter: str) -> Head:
        """The issue at a glance, which needs no compiling. Raises NotFound."""
        with self._parts.sessions() as session:
            return head_of(session, slug, newsletter=newsletter)

    def is_ready(self, slug: str, *, newsletter: str) -> bool:
        """Whether a look needs no compiling; raises as `look`."""
        state, facts = self._state(slug, newsletter)
        known, look = self._shelf.get((newsletter, slug))
        return known == state or _is_near(known, look, state, facts)

    def look(self, slug: str, *, newsletter: str) -> Look:
        """
        Compile and check an issue, where anything has changed since that was last done.

        Raises NotFound; WrongState for an issue that was never assembled; CompilationFailed where a theme is wrong.
        """
        name = (newsletter, slug)
        with self._shelf.lock(name):
            state, facts = self._state(slug, newsletter)
            known, look = self._shelf.get(name)
            if look is None or known != state:
                is_near = look is not None and _is_near(known, look, state, facts)
                look = self._held(look, facts) if look and is_near else self._made(facts)
                self._shelf.put(name, state, look)
            return look

    def judged(self, look: Look) -> Judged:
        """The findings of a look with the waivers of this moment."""
        with self._parts.sessions() as session:
            accepted = {row.fingerprint: row.waiver for row in waivers(session, look.facts.id)}
        return Judged(report=look.report, waivers=accepted)

    def message(self, artifact: Artifact, *, reader: str | None = None) -> Opened:
        """
        The message of an edition: for the neutral sample reader, or for the subscriber with a public id.

        Whatever it leads to acts on nobody, as in a test message. Raises UnknownSubscriber.
        """
        if reader is None:
            return opened(sample_message(artifact))
        with self._parts.sessions() as session:
            person = find_by_uid(session, reader)
            values = slot_values(session, [person.id or 0]) if person else {}
        if person is None or not values:
            raise UnknownSubscriber("Nobody has this public id any more.")
        known = values[person.id or 0]._replace(uid="")
        draft = Draft(_claim(artifact, self._parts.now()), known, form_of(artifact, self._sealing))
        return opened(self._composer.compose(draft).data)

    def reader(self, uid: str) -> SampleReader | None:
        """A subscriber by public id."""
        with self._parts.sessions() as session:
            person = find_by_uid(session, uid)
        if person is None:
            return None
        return SampleReader(
            uid=person.uid, name=f"{person.first_name} {person.last_name}".strip(), address=person.address
        )

    def find_reader(self, address: str) -> SampleReader:
        """A subscriber by address. Raises InvalidAddress and UnknownSubscriber."""
        with self._parts.sessions() as session:
            person = find_subscriber(session, parse_address(address))
        if person is None:
            raise UnknownSubscriber("No subscriber has this address.")
        return SampleReader(
            uid=person.uid, name=f"{person.first_name} {person.last_name}".strip(), address=person.address
        )

    def segments(self, newsletter: str) -> tuple[Sequence[str], str | None]:
        """The saved segments by name, and the one that the newsletter last went to, if any."""
        with self._parts.sessions() as session:
            names = [segment.name for segment in all_segments(session)]
            newsletter_id, _ = content.get_newsletter(session, newsletter)
            last = last_segment(session, newsletter_id)
        return names, last if last in names else next(iter(names), None)

    def expected(self, slug: str, *, newsletter: str, segment: str, patience: float = PATIENCE) -> Expected | None:
        """
        Whom an issue would reach in a segment, as of a minute ago at most; None while that is being counted.

        Raises UnknownSegment.
        """
        now = self._parts.now()

        def count() -> Expected:
            with self._parts.sessions() as session:
                return counted(session, issues.load_issue(session, slug, newsletter), segment, now=now)

        return self._counts.get((newsletter, slug, segment), count, now=now, patience=patience)

    def _state(self, slug: str, newsletter: str) -> tuple[_State, IssueFacts]:
        with self._parts.sessions() as session:
            facts = issues.load_issue(session, slug, newsletter)
            pins = sorted(artifacts.pins(session, facts.id).items())
            sizes = sorted(content.picture_octets(session, facts.pictures).items())
        themes = (templates() / "email").rglob("*")
        stamps = sorted((str(path), path.stat().st_mtime_ns) for path in themes if path.is_file())
        told = repr((replace(facts, state=_DRAFT), sizes, stamps, self._parts.links, self._parts.settings.dkim))
        digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
        return _State(digest, (facts.state, *pins)), facts

    def _held(self, look: Look, facts: IssueFacts) -> Look:
        """The same look after an approval was given or taken back: nothing has to be compiled for that."""
        with self._parts.sessions() as session:
            kept = artifacts.get_build(session, facts.id)
        built = replace(look.built, pinned=(look.built.calendar, look.built.manifest) == kept)
        return replace(look, facts=facts, built=built, overtaken=self._overtaken(facts, built))

    def _overtaken(self, facts: IssueFacts, built: Built) -> tuple[str, ...] | None:
        held = self._approval.approved(facts.plan.slug, newsletter=facts.settings.slug)
        return changed_since(held, built.artifacts) if held else None

    def _made(self, facts: IssueFacts) -> Look:
        slug, settings = facts.plan.slug, facts.settings
        built = self._approval.compile(slug, newsletter=settings.slug)
        checked: Checked = self._approval.examine(built, slug, newsletter=settings.slug)
        entries = [facts.entries[key] for key in dict.fromkeys(item.key for item in facts.items)]
        rows = matrix(entries, settings.languages, default=settings.default_language, fallback=settings.fallback)
        overtaken = self._overtaken(facts, built)
        return Look(facts=facts, built=built, report=checked.report, matrix=rows, overtaken=overtaken)


def _is_near(known: _State | None, look: Look | None, state: _State, facts: IssueFacts) -> bool:
    """Whether a look is of the same words, and of an issue that is compiled from them rather than read as approved."""
    if known is None or look is None or known.content != state.content:
        return False
    return {look.facts.state, facts.state} <= {_DRAFT, IssueState.APPROVED}


def _claim(artifact: Artifact, now: dt.datetime) -> Claim:
    """A delivery that exists nowhere, as that of a test."""
    return Claim(
        delivery_id=0,
        epoch=0,
        number=1,
        mailing=f"test:{artifact.newsletter}/{artifact.issue}",
        run_id=None,
        subscriber_id=None,
        address=None,
        digest="",
        language=artifact.language,
        artifact=artifact.digest,
        repeats=0,
        since=now,
        dated=now,
    )
