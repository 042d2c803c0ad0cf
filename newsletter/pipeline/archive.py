"""
The archive: the files that the static export would write, for issues that were sent, served from the database.

Takes the path of a public address, yields its bytes or None. Promises that nothing of an issue is to be had before its
first message went out, that the bytes are those of `newsletter issue export`, and that no question costs more with more
subscribers. What was made is kept in memory until the issue changes, and for `STALE` at most: calendar files follow
their sittings.
"""

import datetime as dt
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sqlmodel import Session

from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.compilation import store as artifacts
from newsletter.content import store as content
from newsletter.database import session_factory
from newsletter.errors import NotFound
from newsletter.pipeline.approval import Approval
from newsletter.pipeline.export import FEED_ISSUES, PAGE, Export, Listed
from newsletter.pipeline.mailings import mailing_of
from newsletter.pipeline.parts import Parts
from newsletter.planning.models import RunState
from newsletter.planning.store import runs_of, was_got

STALE: Final = dt.timedelta(minutes=1)
"""After that a file is made anew: an entry's sitting may have been moved, which no issue knows of."""

MOST_ISSUES: Final = 64
"""Issues whose files are kept, at some hundred kilobytes each."""

_UNSENT: Final = frozenset({IssueState.DRAFT, IssueState.APPROVED})
_SENT: Final = frozenset({IssueState.SENDING, IssueState.SENT})
_BEGUN: Final = frozenset({RunState.RUNNING, RunState.PAUSED, RunState.FINISHED})

_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "ics": "text/calendar; charset=utf-8",
    "xml": "application/rss+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}

State = tuple[object, ...]
"""What tells that something was made of other rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """
    A file of the archive.

    `etag` is that of its bytes (RFC 9110 §8.8.3, with its quotes); `modified` is since when they are known to be these.
    """

    data: bytes
    media_type: str
    etag: str
    modified: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """Files as they were made of a state."""

    state: State
    made: dt.datetime
    files: Mapping[str, Published]


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What is kept, by name; the lock lets one request make what many ask for."""

    most: int
    kept: OrderedDict[object, _Kept] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, name: object, *, state: State, now: dt.datetime, make: Callable[[_Kept | None], _Kept]) -> _Kept:
        with self.lock:
            known = self.kept.get(name)
            if known is None or known.state != state or now - known.made > STALE:
                known = self.kept[name] = make(known)
            self.kept.move_to_end(name)
            while len(self.kept) > self.most:
                self.kept.popitem(last=False)
            return known


class Archive:
    """The verbs of the public archive; they only read."""

    def __init__(self, parts: Parts) -> None:
        engine = parts.engine.execution_options(sqlite_begin="DEFERRED")  # readers of pages keep no writer waiting
        self._parts = replace(parts, engine=engine, sessions=session_factory(engine))
        self._export = Export(self._parts, approval=Approval(self._parts))
        self._issues = _Shelf(MOST_ISSUES)
        self._lists = _Shelf(MOST_ISSUES)
        self._got: dict[issues.IssueMark, bool] = {}
        self._shown: dict[tuple[str, str], tuple[State, tuple[Listed, ...]]] = {}

    def file(self, path: str) -> Published | None:
        """
        The file at a path such as `archive/rivers/2026-12/en/issue.ics`, as `links` and the export have them.

        The page of a folder is at `…/index.html`. None for what does not exist or was not sent.
        """
        home, _, rest = path.removeprefix("archive/").partition("/")
        issue, slash, _ = rest.partition("/")
        with self._parts.sessions() as session:
            try:
                newsletter_id, _ = content.get_newsletter(session, home)
            except NotFound:
                return None
            marks = issues.issue_marks(session, newsletter_id, slug=issue if slash else None)
            corrected = artifacts.count_corrections(session)
            sent = {
                mark.slug: (mark, corrected.get(mark.id, 0))
                for mark in marks
                if self._was_sent(session, mark, newsletter=home)
            }
        if not sent:
            return None
        kept = self._issue(home, issue, sent[issue]) if slash else self._list(home, sent)
        return kept.files.get(path)

    def has_issues(self, newsletter: str) -> bool:
        """Whether an issue of a newsletter was sent, so that a link to its archive leads somewhere; makes no file."""
        with self._parts.sessions() as session:
            try:
                newsletter_id, _ = content.get_newsletter(session, newsletter)
            except NotFound:
                return False
            marks = issues.issue_marks(session, newsletter_id)
            return any(self._was_sent(session, mark, newsletter=newsletter) for mark in marks)

    def picture(self, name: str) -> Published | None:
        """A stored picture; its name is the digest of its bytes, so that they never change."""
        with self._parts.sessions() as session:
            try:
                found = content.get_picture(session, name)
            except NotFound:
                return None
        return _published(found.data, found.media_type, now=self._parts.now())

    def _was_sent(self, session: Session, mark: issues.IssueMark, *, newsletter: str) -> bool:
        """Whether somebody has the issue, or is about to get it."""
        if mark.state in _UNSENT | _SENT:
            return mark.state in _SENT
        begun = [run for run in runs_of(session, mark.id) if run.started]
        if any(run.state in _BEGUN for run in begun):
            return True
        # Every run was cancelled; nobody gets anything after that, so the deliveries are looked through once.
        if mark not in self._got:
            self._got[mark] = bool(begun) and was_got(session, mailing_of(newsletter, mark.slug))
        return self._got[mark]

    def _issue(self, newsletter: str, slug: str, state: State) -> _Kept:
        now = self._parts.now()

        def make(before: _Kept | None) -> _Kept:
            made = self._export.issue_files(slug, newsletter=newsletter)
            files = _all_published({**made.calendars, **made.pages}, before=before, now=now)
            return _Kept(state=state, made=now, files=files)

        return self._issues.get((newsletter, slug), state=state, now=now, make=make)

    def _list(self, newsletter: str, sent: Mapping[str, State]) -> _Kept:
        state, now = tuple(sent.items()), self._parts.now()

        def make(before: _Kept | None) -> _Kept:
            listed = [
                self._listed(newsletter, slug, each, in_feeds=place < FEED_ISSUES)
                for place, (slug, each) in enumerate(sent.items())
            ]
            files = _all_published(self._export.list_files(listed), before=before, now=now)
            return _Kept(state=state, made=now, files=files)

        return self._lists.get(newsletter, state=state, now=now, make=make)

    def _listed(self, newsletter: str, slug: str, state: State, *, in_feeds: bool) -> tuple[Listed, ...]:
        """How an issue stands in lists: made once, for it says nothing that changes without the issue."""
        known = self._shown.get((newsletter, slug))
        if known is None or known[0] != (state, in_feeds):
            made = self._export.listed(slug, newsletter=newsletter, in_feeds=in_feeds)
            known = self._shown[newsletter, slug] = ((state, in_feeds), made)
        return known[1]


def _all_published(files: Mapping[str, bytes], *, before: _Kept | None, now: dt.datetime) -> Mapping[str, Published]:
    """Files with their validators: what is the same as before keeps its time."""
    known = before.files if before else {}
    made = {}
    for path, data in files.items():
        fresh = _published(data, _type_of(path), now=now)
        made[path] = known[path] if path in known and known[path].etag == fresh.etag else fresh
    return made


def _published(data: bytes, media_type: str, *, now: dt.datetime) -> Published:
    digest = hashlib.sha256(data).hexdigest()[:32]
    return Published(data=data, media_type=media_type, etag=f'"{digest}"', modified=now.replace(microsecond=0))


def _type_of(path: str) -> str:
    return _TYPES.get(path.rpartition(".")[2], "application/octet-stream")


def page_at(path: str) -> str:
    """The path of the page of a folder."""
    return f"{path.rstrip('/')}/{PAGE}"
