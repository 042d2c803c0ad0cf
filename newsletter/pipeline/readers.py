"""
Whom a run is for: a saved segment, or for an erratum the readers of an issue.

Takes an issue that is to be queued and what the officer said, yields what the run keeps of it; takes a run, yields the
condition by which its audience is frozen: of a run for those who missed the issue, only them. The readers of an issue
are those whose delivery the relay accepted, with those whose delivery is uncertain or on the wire, for they may have
got it.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.errors import InvalidInput, NotFound, WrongState
from newsletter.pipeline.mailings import OPEN_RUNS, UNSENT, mailing_of, mailing_of_issue
from newsletter.pipeline.meaning import condition_of_text
from newsletter.planning import store
from newsletter.planning.audience import Readers
from newsletter.planning.forgetting import forgotten_since
from newsletter.planning.models import DeliveryState, RunRow
from subscribers.segments import Condition
from subscribers.store import get_segment

_SEGMENT: Final = 80
_EXPRESSION: Final = 4000
# As long as the columns of a run are; only the longest slugs and expressions reach them.


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """
    Whom a run is for, as its row keeps it; `remarks` is what the officer should know of it, in words.

    `expression` is the segment's, or that of the segment to which the issue went: it names the lists that somebody
    leaves with this mail.
    """

    segment: str
    expression: str
    readers_of: str | None = None
    edition: str | None = None
    remarks: tuple[str, ...] = ()


def meant_by(session: Session, issue: IssueRow, to: str | Readers, *, newsletter: str) -> Meant:
    """
    Whom the officer means.

    Raises UnknownSegment; for readers NotFound where there is no such issue or edition, WrongState where nobody has got
    it, InvalidInput for the issue itself.
    """
    if isinstance(to, str):
        return Meant(segment=to, expression=get_segment(session, to).expression)
    other = issues.get_issue(session, to.issue, newsletter)
    if other.id == issue.id:
        raise InvalidInput(f"issue {issue.slug} cannot go to its own readers: name the issue that they got")
    mailing = mailing_of(newsletter, other.slug)
    ensure_known(session, mailing, other.slug)
    readers = Readers(issue=other.slug, language=_edition(session, mailing, to))
    got = store.count_readers(session, mailing, readers.language)
    if not sum(got.values()):
        raise WrongState(f"nobody has got {readers.what}: see `newsletter issue status {other.slug}`")
    return Meant(
        segment=readers.words[:_SEGMENT],
        expression=_expression(session, other),
        readers_of=mailing,
        edition=readers.language,
        remarks=tuple(_remarks(session, mailing, readers, uncertain=got[DeliveryState.UNCERTAIN])),
    )


def audience_of(session: Session, run: RunRow, *, now: dt.datetime) -> Condition:
    """Who belongs to the audience of a run, before those are taken out who must not be written to."""
    if run.readers_of is not None:
        everybody = store.has_got(run.readers_of, run.edition)
    else:
        everybody = condition_of_text(session, run.expression, now=now)
    return everybody & store.has_missed(run.mailing, doubtful=run.doubtful) if run.missed else everybody


def ensure_missable(session: Session, issue: IssueRow) -> None:
    """Raise WrongState, saying what to do instead, for an issue that nobody can have missed: it never went out."""
    if issue.state is IssueState.SENT:
        return
    counts = store.states_of(session, mailing_of_issue(session, issue))
    if any(counts[state] for state in store.GOT_STATES):
        return
    instead = "queue it without --missed"
    if issue.state is IssueState.DRAFT:
        instead = f"run `newsletter issue approve {issue.slug}`, then {instead}"
    raise WrongState(f"issue {issue.slug} was never sent, so nobody has missed it: {instead}")


def ensure_known(session: Session, mailing: str, slug: str) -> None:
    """Raise WrongState where retention has cut the ties of an issue's deliveries: nobody knows who has got it."""
    since = forgotten_since(session, mailing)
    if since is not None:
        raise WrongState(
            f"who got issue {slug} is not known any more: its deliveries lost their ties to people on {since:%Y-%m-%d};"
            f" `newsletter issue copy {slug} NEW` makes a new issue of it"
        )


def _edition(session: Session, mailing: str, to: Readers) -> str | None:
    if to.language is None:
        return None
    editions = {language.lower(): language for language in store.languages_of(session, mailing)}
    if to.language.lower() not in editions:
        raise NotFound(f"edition of {to.issue} that anybody got", to.language, near=sorted(editions.values()))
    return editions[to.language.lower()]


def _expression(session: Session, issue: IssueRow) -> str:
    """The segments that an issue went to, as one expression."""
    known = dict.fromkeys(run.expression for run in store.runs_of(session, issue.id or 0))
    joined = " or ".join(f"({expression})" for expression in known)
    return joined if len(known) > 1 and len(joined) <= _EXPRESSION else list(known)[-1]


def _remarks(session: Session, mailing: str, readers: Readers, *, uncertain: int) -> list[str]:
    remarks = []
    if uncertain:
        remarks.append(
            f"{uncertain:,} of them may not have got {readers.what} (uncertain); they are written to as well"
        )
    runs = [run for run in store.runs(session, states=OPEN_RUNS) if run.mailing == mailing]
    waiting = sum(store.states_of(session, mailing)[state] for state in UNSENT)
    if runs and waiting:
        remarks.append(
            f"{waiting:,} deliveries of {readers.issue} have not gone out yet: who has not got it when this run starts "
            "is left out"
        )
    return remarks
