"""
The verbs about clicks and opened messages: lead on, count, and show what was counted.

Leading on only reads, and counting comes after the answer: a reader never waits for a database that somebody else is
writing to.
"""

import threading
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import DBAPIError

from newsletter.assembly import store as issues
from newsletter.compilation import store as artifacts
from newsletter.content.newsletter import Newsletter, Tracking
from newsletter.database import reading
from newsletter.dispatch.marks import ANYBODY, TESTER, Mark, read_click, read_open
from newsletter.feedback.clicks import store
from newsletter.feedback.clicks.machines import AT_ONCE, Asked, Bursts, is_program
from newsletter.feedback.clicks.models import DOT, Engaged
from newsletter.logs import logger
from newsletter.pipeline.mailings import mailing_of, mailing_of_issue
from newsletter.pipeline.parts import Parts

KEPT: Final = 256
"""Artifacts whose links are held in memory: old issues are clicked, too, and they are small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A link of a message that exists: where it leads, and what is counted for whom."""

    mark: Mark
    marked: store.Marked
    url: str = ""

    @property
    def is_counted(self) -> bool:
        """Whether it is in a message of an issue, and no test."""
        return self.mark.reader != TESTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How often: by people, and by programs."""

    people: int = 0
    programs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFigures:
    """A link and how often it was followed."""

    url: str
    times: Times


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionFigures:
    """
    What was counted in one language, all its variants together.

    `accepted` is how many messages relays took. `readers` is how many people have clicked or opened: nobody where the
    newsletter does not want to know its readers.
    """

    language: str
    accepted: int
    opens: Times
    links: tuple[LinkFigures, ...]
    readers: dict[Engaged, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was counted of an issue."""

    newsletter: str
    issue: str
    tracking: Tracking
    opens: bool
    editions: tuple[EditionFigures, ...]


class Engagement:
    """The verbs about clicks; safe to use from any number of threads."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._bursts = Bursts()
        self._lock = threading.Lock()
        self._marked: dict[str, store.Marked] = {}
        self._log = logger("feedback")

    def link(self, text: str) -> Followed | None:
        """Find where a link leads by what stands in its address; None where we made no such link."""
        mark = read_click(self._parts.keys, text)
        found = self._named(mark) if mark else None
        if mark is None or found is None or mark.number > len(found.targets):
            return None
        return Followed(mark=mark, marked=found, url=found.targets[mark.number - 1])

    def dot(self, text: str) -> Followed | None:
        """Find the message that a dot stands in; None where we made no such dot."""
        mark = read_open(self._parts.keys, text)
        found = self._named(mark) if mark else None
        return Followed(mark=mark, marked=found) if mark and found else None

    def _named(self, mark: Mark) -> store.Marked | None:
        known = self._marked.get(mark.artifact)
        if known is None:
            with reading(self._parts.engine) as session:
                known = store.marked(session, mark.artifact)
            if known is None:
                return None
            with self._lock:
                if len(self._marked) >= KEPT:
                    self._marked.clear()
                self._marked[mark.artifact] = known
        return known

    def count(self, followed: Followed, asked: Asked) -> None:
        """
        Count that a link was followed, or a message opened, by a person or by a program.

        A newsletter that has stopped counting since the issue was sent is believed. A count that the database does not
        take is lost: the reader is where the link leads by then.
        """
        if not followed.is_counted:
            return
        try:
            self._count(followed, asked)
        except DBAPIError as error:
            self._log.warning("click not counted", reason=type(error).__name__)

    def _count(self, followed: Followed, asked: Asked) -> None:
        mailing = mailing_of(followed.marked.newsletter, followed.marked.issue)
        with reading(self._parts.engine) as session:
            tracking = store.tracking_now(session, followed.marked.newsletter)
            reader = followed.mark.reader
            sent = None if reader == ANYBODY else store.sent_to(session, reader, mailing)
        if tracking is Tracking.OFF:
            return
        is_early = sent is not None and sent.at is None
        by_program = is_early or is_program(asked, sent=sent.at if sent else None)
        mistaken: tuple[int, ...] = ()
        if followed.mark.number != DOT:
            with self._lock:
                caught = self._bursts.follow(
                    f"{followed.mark.reader}/{followed.mark.artifact}/{asked.who}",
                    followed.mark.number,
                    at=asked.at,
                    links=len(followed.marked.targets),
                    is_program=by_program,
                )
            by_program, mistaken = caught.is_program, caught.mistaken
        whose = sent if tracking is Tracking.PEOPLE else None
        self._write(followed, asked, mailing=mailing, sent=whose, by_program=by_program, mistaken=mistaken)

    def _write(
        self,
        followed: Followed,
        asked: Asked,
        *,
        mailing: str,
        sent: store.Sent | None,
        by_program: bool,
        mistaken: tuple[int, ...],
    ) -> None:
        artifact = followed.marked.digest
        with self._parts.sessions() as session:
            store.count(session, artifact, followed.mark.number, by_program=by_program)
            store.recount(session, artifact, mistaken)
            if sent and mistaken:
                store.forget_since(session, mailing, subscriber_id=sent.subscriber_id, since=asked.at - AT_ONCE)
            if sent and not by_program:
                kind = Engaged.OPENED if followed.mark.number == DOT else Engaged.CLICKED
                store.record(session, mailing, kind, subscriber_id=sent.subscriber_id, now=asked.at)
            session.commit()

    def figures(self, slug: str, *, newsletter: str | None) -> Figures:
        """What was counted of an issue, by language and link; raises NotFound, and Ambiguous without its newsletter."""
        with reading(self._parts.engine) as session:
            issue = issues.get_issue(session, slug, newsletter)
            mailing = mailing_of_issue(session, issue)
            pinned = artifacts.get_many(session, artifacts.pins(session, issue.id or 0).values())
            tallies = store.tallies(session, pinned)
            accepted, readers = store.accepted(session, mailing), store.readers(session, mailing)
            settings = Newsletter.model_validate(issue.settings) if issue.settings else None
        by_language: dict[str, list[tuple[tuple[str, ...], dict[int, tuple[int, int]]]]] = {}
        for digest, artifact in pinned.items():
            by_language.setdefault(artifact.language, []).append((artifact.tracked, tallies.get(digest, {})))
        return Figures(
            newsletter=mailing.removeprefix("issue:").partition("/")[0],
            issue=slug,
            tracking=settings.tracking if settings else Tracking.OFF,
            opens=settings.opens if settings else False,
            editions=tuple(
                _figures(language, counted, accepted=accepted.get(language, 0), readers=readers.get(language, {}))
                for language, counted in by_language.items()
            ),
        )


def _figures(
    language: str,
    counted: list[tuple[tuple[str, ...], dict[int, tuple[int, int]]]],
    *,
    accepted: int,
    readers: dict[Engaged, int],
) -> EditionFigures:
    """Add up the variants of a language: the same link may have another number in each."""
    links: dict[str, Times] = {}
    opens = Times()
    for targets, tally in counted:
        opens = _sum(opens, tally.get(DOT, (0, 0)))
        for number, url in enumerate(targets, start=1):
            links[url] = _sum(links.get(url, Times()), tally.get(number, (0, 0)))
    return EditionFigures(
        language=language,
        accepted=accepted,
        opens=opens,
        links=tuple(LinkFigures(url=url, times=times) for url, times in links.items()),
        readers={kind: readers.get(kind, 0) for kind in Engaged},
    )


def _sum(times: Times, more: tuple[int, int]) -> Times:
    return Times(people=times.people + more[0], programs=times.programs + more[1])
