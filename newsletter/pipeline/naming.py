"""
What names a list, a tag or a saved segment: other segments, queued issues, items that are limited to a segment.

Takes a session and a name, yields the dependents in words. An expression that names what is gone would mean nobody, or
stop a run from starting, so a name that is in use is not given up silently.
"""

from collections.abc import Iterable, Iterator

from sqlmodel import Session

from newsletter.assembly.facts import IssueState
from newsletter.assembly.store import items, list_issues
from newsletter.errors import WrongState
from newsletter.pipeline.mailings import mailing_named
from newsletter.planning.models import RunState
from newsletter.planning.store import runs
from subscribers.errors import SubscribersError
from subscribers.segments import Expression, expand, named_lists, named_tags, parse
from subscribers.store import all_segments, resolver

_OVER = (IssueState.SENT, IssueState.CANCELLED)
"""Issues whose items nobody asks for any more."""


def naming_list(session: Session, name: str) -> list[str]:
    """Say which segments and queued issues name a list, also through other segments."""
    return [words for words, text in _expressions(session) if name in _names(session, text)[0]]


def naming_tag(session: Session, name: str) -> list[str]:
    """Say which segments and queued issues name a tag, also through other segments."""
    return [words for words, text in _expressions(session) if name.lower() in _tags(session, text)]


def naming_segment(session: Session, name: str) -> list[str]:
    """Say which other segments and which issues to come name a saved segment."""
    named = [words for words, text in _expressions(session) if name in _names(session, text)[1]]
    limited = [
        f"the items of issue {issue.slug}"
        for issue in list_issues(session)
        if issue.state not in _OVER and any(item.segment == name for item in items(session, issue.id or 0))
    ]
    return named + limited


def refuse_named(what: str, dependents: Iterable[str]) -> None:
    """Raise WrongState where something depends on what is to go."""
    if words := ", ".join(dependents):
        raise WrongState(f"the {what} is named by {words}: change that first")


def _expressions(session: Session) -> Iterator[tuple[str, str]]:
    for saved in all_segments(session):
        yield f"the segment “{saved.name}”", saved.expression
    for run in runs(session, states=(RunState.SCHEDULED, RunState.PLANNING, RunState.PAUSED)):
        yield f"the queued issue {mailing_named(run.mailing)[1]}", run.expression


def _tags(session: Session, text: str) -> frozenset[str]:
    try:
        # Letter case does not matter to tags.
        return frozenset(tag.lower() for tag in named_tags(expand(parse(text), resolver(session))))
    except SubscribersError:
        return frozenset()


def _names(session: Session, text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the lists and the saved segments that an expression names, also through other segments."""
    known, segments = resolver(session), set[str]()

    def resolve(name: str) -> Expression:
        segments.add(name)
        return known(name)

    try:
        lists = named_lists(expand(parse(text), resolve))
    except SubscribersError:
        lists = frozenset()
    return lists, frozenset(segments)
