"""
Reviews: somebody without an account looks at one edition by a secret link, and says that it is right or what to change.

Takes what an officer asks and what readers answer; yields how each review stands. A link bears a signed token for a
random name (see `subscribers.tokens`); it is over after its term, once it is withdrawn, and with the issue. Promises
that looking changes nothing, that an answer names the bytes that its reader saw, and that what a reader found right is
called right only as long as the edition has those bytes.
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.assembly import store as issues
from newsletter.assembly.edition import Edition
from newsletter.assembly.facts import IssueState
from newsletter.compilation.artifact import Artifact
from newsletter.database import reading
from newsletter.errors import InvalidInput, NewsletterError, NotFound, WrongState
from newsletter.pipeline.looks import Look
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.previewing import Previewing
from newsletter.preflight import review_store as store
from newsletter.preflight.passages import passage_at
from newsletter.preflight.review_models import LONGEST_WORDS, AnswerRow, ReviewRow
from subscribers.errors import TokenRefused
from subscribers.tokens import sign, verify

PURPOSE: Final = "review"
"""Of the tokens of links."""

LONGEST_TERM: Final = 60
"""Days for which a link may hold: an issue is written in weeks."""

MOST_REVIEWS: Final = 60
"""Links of one issue: several readers in each of twenty languages."""

MOST_ANSWERS: Final = 300
"""Answers by one link: whoever got hold of it cannot fill the database."""

LONGEST_NAME: Final = 120
"""Characters of a reader's name."""

_PASSAGE: Final = 500
_OPEN: Final = frozenset({IssueState.DRAFT, IssueState.APPROVED})


class Opinion(StrEnum):
    """What the reader of an edition thinks of it, as far as is known."""

    #: Nothing was answered yet.
    WAITING = "waiting"
    #: The edition is right as it is now.
    RIGHT = "right"
    #: Something is to be changed, and nobody has settled it.
    CHANGES = "changes"
    #: Everything that was asked for is settled: the reader may look again.
    SETTLED = "settled"
    #: It was right, and has been changed since.
    EARLIER = "earlier"


class Ending(StrEnum):
    """Why a link leads no further."""

    #: Its term is over.
    EXPIRED = "expired"
    #: An officer withdrew it.
    WITHDRAWN = "withdrawn"
    #: The edition is not made any more.
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a reader said: that all is right (`place` is None), or what to change in a passage."""

    id: int
    at: dt.datetime
    artifact: str
    place: str | None
    passage: str
    words: str
    done: dt.datetime | None
    done_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """How a review stands; `link` is the secret address, `ending` why it leads no further, if so."""

    id: int
    edition: str
    reader: str
    operator: str
    created: dt.datetime
    expires: dt.datetime
    ending: Ending | None
    link: str
    answers: tuple[Answer, ...]
    opinion: Opinion

    @property
    def open_answers(self) -> tuple[Answer, ...]:
        """What is still to be changed."""
        return tuple(answer for answer in self.answers if answer.place is not None and answer.done is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """
    What a reader sees: their edition as it would be sent, and what they answered before.

    `takes_answers` is False once the issue is scheduled or sent.
    """

    reader: str
    newsletter: str
    artifact: Artifact
    edition: Edition
    expires: dt.datetime
    answers: tuple[Answer, ...]
    opinion: Opinion
    takes_answers: bool


class Overtaken(NewsletterError):  # noqa: N818  reads as what happened
    """The edition was changed while its reader looked at it."""


class Reviewing:
    """The verbs of reviews."""

    def __init__(self, parts: Parts, *, previewing: Previewing) -> None:
        self._parts = parts
        self._previewing = previewing

    def ask(self, slug: str, *, newsletter: str, edition: str, reader: str, days: int) -> Review:
        """
        Make a link for one reader of one edition, which holds for so many days.

        Raises NotFound for an edition that there is not, InvalidInput for a name or a term that cannot be, WrongState
        for an issue that is no draft any more or has too many links.
        """
        name, now = " ".join(reader.split()), self._parts.now()
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise InvalidInput(f"say who is to read it, in at most {LONGEST_NAME} characters")
        if not 1 <= days <= LONGEST_TERM:
            raise InvalidInput(f"a link holds for 1 to {LONGEST_TERM} days")
        artifact = self._previewing.look(slug, newsletter=newsletter).artifact(edition)
        with self._parts.sessions() as session:
            issue = issues.get_issue(session, slug, newsletter)
            if issue.state not in _OPEN:
                raise WrongState(f"issue {slug} is {issue.state.value}: what readers say could not change it any more")
            if store.count_reviews(session, issue.id or 0) >= MOST_REVIEWS:
                raise WrongState(f"issue {slug} has {MOST_REVIEWS} links already")
            row = ReviewRow(
                issue_id=issue.id or 0,
                uid=secrets.token_urlsafe(16),
                edition=artifact.name,
                reader=name,
                operator=self._parts.operator,
                created=now,
                expires=now + dt.timedelta(days=days),
            )
            store.add_review(session, row)
            self._note(session, Deed.REVIEW_ASKED, f"issue {slug}: {artifact.name}, {name}")
            session.commit()
        return self._review(row, (), {artifact.name: artifact.digest})

    def withdraw(self, slug: str, review_id: int, *, newsletter: str) -> None:
        """End a link at once; what its reader answered stays. Raises NotFound."""
        with self._parts.sessions() as session:
            issue = issues.get_issue(session, slug, newsletter)
            row = store.review_of(session, issue.id or 0, review_id)
            if store.revoke(session, review_id, now=self._parts.now()):
                self._note(session, Deed.REVIEW_WITHDRAWN, f"issue {slug}: {row.edition}, {row.reader}")
            session.commit()

    def settle(self, slug: str, answer_id: int, *, newsletter: str, done: bool) -> bool:
        """Mark what a reader asked for as done, or as open again; returns whether that is new."""
        with self._parts.sessions() as session:
            issue = issues.get_issue(session, slug, newsletter)
            at = self._parts.now() if done else None
            changed = store.settle(session, issue.id or 0, answer_id, operator=self._parts.operator, at=at)
            if changed:
                words = "done" if done else "open again"
                self._note(session, Deed.REVIEW_SETTLED, f"issue {slug}: answer {answer_id}, {words}")
            session.commit()
        return changed

    def reviews(self, slug: str, *, newsletter: str, look: Look | None = None) -> tuple[Review, ...]:
        """How the reviews of an issue stand, oldest first, as of its editions now."""
        look = look or self._previewing.look(slug, newsletter=newsletter)
        digests = {artifact.name: artifact.digest for artifact in look.built.artifacts}
        with reading(self._parts.engine) as session:
            rows = store.reviews_of(session, look.facts.id)
            answers = store.answers_of(session, look.facts.id)
            return tuple(
                self._review(row, [answer for answer in answers if answer.review_id == row.id], digests) for row in rows
            )

    def read(self, token: str) -> Reading | Ending:
        """What the holder of a token sees. Raises TokenRefused for what is no token of ours."""
        with reading(self._parts.engine) as session:
            row = self._row(session, token)
            ending = _ending(row, self._parts.now())
            if ending is not None:
                return ending
            issue = issues.issue_row(session, row.issue_id)
            slug, newsletter = issue.slug, issues.owner_of(session, issue)
            name, reader, expires = row.edition, row.reader, row.expires
            answers = tuple(map(_told, store.answers_to(session, row.id or 0)))
        look = self._previewing.look(slug, newsletter=newsletter)
        try:
            artifact, edition = look.artifact(name), look.edition(name)
        except NotFound:
            return Ending.GONE
        return Reading(
            reader=reader,
            newsletter=newsletter,
            artifact=artifact,
            edition=edition,
            expires=expires,
            answers=answers,
            opinion=opinion_of(answers, artifact.digest),
            takes_answers=look.facts.state in _OPEN,
        )

    def approve(self, token: str, *, artifact: str, words: str = "") -> None:
        """
        Take it that a reader finds the edition right; `artifact` is the digest of what they saw.

        Raises Overtaken where that is not the edition any more; else as `suggest`.
        """
        seen = self._answerable(token)
        if seen.artifact.digest != artifact:
            raise Overtaken
        self._answer(token, AnswerRow(review_id=0, at=self._parts.now(), artifact=artifact, words=_said(words)))

    def suggest(self, token: str, *, artifact: str, place: str, words: str) -> None:
        """
        Take what a reader wants changed, at the place of a passage or "" for the whole edition.

        Raises TokenRefused; WrongState where the link is over or the issue is scheduled; InvalidInput for no words, too
        many, or too many answers.
        """
        seen = self._answerable(token)
        said = _said(words)
        if not said:
            raise InvalidInput("say what is to be changed")
        passage = passage_at(seen.edition, place)
        row = AnswerRow(
            review_id=0,
            at=self._parts.now(),
            artifact=artifact if len(artifact) == len(seen.artifact.digest) else seen.artifact.digest,
            place=passage.place if passage else "",
            passage=passage.words[:_PASSAGE] if passage else "",
            words=said,
        )
        self._answer(token, row)

    def _answerable(self, token: str) -> Reading:
        seen = self.read(token)
        if isinstance(seen, Ending) or not seen.takes_answers:
            raise WrongState("this link takes no answers any more")
        return seen

    def _answer(self, token: str, answer: AnswerRow) -> None:
        with self._parts.sessions() as session:
            row = self._row(session, token)
            if store.count_answers(session, row.id or 0) >= MOST_ANSWERS:
                raise InvalidInput("there are too many answers by this link already: write to whoever sent it to you")
            answer.review_id = row.id or 0
            store.add_answer(session, answer)
            session.commit()

    def _row(self, session: Session, token: str) -> ReviewRow:
        uid = verify(self._parts.keys, PURPOSE, token).decode("ascii", "replace")
        row = store.review_named(session, uid)
        if row is None:
            raise TokenRefused
        return row

    def _review(self, row: ReviewRow, answers: Sequence[AnswerRow], digests: dict[str, str]) -> Review:
        told = tuple(_told(answer) for answer in answers)
        ending = _ending(row, self._parts.now()) or (None if row.edition in digests else Ending.GONE)
        return Review(
            id=row.id or 0,
            edition=row.edition,
            reader=row.reader,
            operator=row.operator,
            created=row.created,
            expires=row.expires,
            ending=ending,
            link=self._parts.links.review(sign(self._parts.keys, PURPOSE, row.uid)),
            answers=told,
            opinion=opinion_of(told, digests.get(row.edition, "")),
        )

    def _note(self, session: Session, deed: Deed, about: str) -> None:
        note_deed(session, deed, operator=self._parts.operator, at=self._parts.now(), about=about)


def opinion_of(answers: Sequence[Answer], digest: str) -> Opinion:
    """What a reader thinks of the edition that has this digest now."""
    if any(answer.place is not None and answer.done is None for answer in answers):
        return Opinion.CHANGES
    approvals = [answer for answer in answers if answer.place is None]
    if any(answer.artifact == digest for answer in approvals):
        return Opinion.RIGHT
    if not answers:
        return Opinion.WAITING
    return Opinion.EARLIER if answers[-1].place is None else Opinion.SETTLED


def _ending(row: ReviewRow, now: dt.datetime) -> Ending | None:
    if row.revoked is not None:
        return Ending.WITHDRAWN
    return Ending.EXPIRED if row.expires <= now else None


def _told(row: AnswerRow) -> Answer:
    return Answer(
        id=row.id or 0,
        at=row.at,
        artifact=row.artifact,
        place=row.place,
        passage=row.passage,
        words=row.words,
        done=row.done,
        done_by=row.done_by,
    )


def _said(words: str) -> str:
    said = "\n".join(" ".join(line.split()) for line in words.strip().splitlines())
    if len(said) > LONGEST_WORDS:
        raise InvalidInput(f"an answer has at most {LONGEST_WORDS} characters; this one has {len(said)}")
    return said
