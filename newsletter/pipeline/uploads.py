"""
The verbs about files of people that are uploaded at the desk: look at one, count what it would do, import it.

Takes the octets of a file and an officer's word about its columns; yields how it is written, and what becomes of its
rows. Counting and importing are left to a worker where one lives, else to a thread of their own, chunk by chunk, and
the row of the upload says how far they are; whoever looks at it may be in another process. Promises that an upload
which was broken off can be taken up again and ends as if it had run through, that only one works on it at a time, and
that its file is gone when it is done.
"""

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.database import reading
from newsletter.errors import InvalidInput, NotFound, WrongState
from newsletter.pipeline.chores import Chore, Stopping, never
from newsletter.pipeline.imports import Imports
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.person import Person, people_of
from newsletter.pipeline.signup import Signup
from newsletter.pipeline.upload_files import kept_files
from newsletter.pipeline.upload_work import Plan, Work
from subscribers import store
from subscribers.address import masked
from subscribers.importing import UPLOAD_OCTETS
from subscribers.importing.beginning import Beginning, look_at
from subscribers.models import ImportRun, Subscriber, UploadState

BROKEN_AFTER: Final = dt.timedelta(minutes=2)
"""An upload that is under way and has not been touched for so long was broken off: a chunk takes a second."""

LOOKED_SECONDS: Final = 0.05
"""How often is looked whether a worker is done, while an answer waits for it."""

AT_WORK: Final = (UploadState.CHECKING, UploadState.RUNNING)
GONE: Final = "the file is not kept any more: upload it again"

OPEN: Final = (UploadState.STAGED, UploadState.CHECKED, UploadState.FAILED, UploadState.STOPPED)
"""States in which nobody works on an upload that may still be imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFacts:
    """
    An upload: how far it is, and what became of its rows or would; `report` as `upload_work` writes it.

    `broken_off` says that whoever worked on it is gone; `has_file`, that it can still be imported; `has_refused`, that
    the rows which were not taken can be fetched.
    """

    key: str
    id: int
    name: str
    list_name: str
    state: UploadState
    plan: Plan
    report: Mapping[str, Any]
    done: int
    total: int
    problem: str
    operator: str
    created: dt.datetime
    changed: dt.datetime
    broken_off: bool
    has_file: bool
    has_refused: bool

    @property
    def is_busy(self) -> bool:
        """Whether somebody works on it at this moment."""
        return self.state in AT_WORK and not self.broken_off


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """Work on an upload that has begun, in a thread of this process or in a worker's."""

    is_busy: Callable[[], bool]
    thread: threading.Thread | None = None

    def join(self, seconds: float) -> None:
        """Wait until it has ended, but no longer than that."""
        if self.thread is not None:
            self.thread.join(seconds)
            return
        end = time.monotonic() + seconds
        while self.is_busy() and time.monotonic() < end:
            time.sleep(LOOKED_SECONDS)


class Uploads:
    """The verbs about uploads."""

    def __init__(self, parts: Parts, *, imports: Imports, signup: Signup) -> None:
        self._parts = parts
        self._imports = imports
        self._signup = signup
        self._files = kept_files(parts)

    def stage(self, content: bytes, *, name: str, list_name: str) -> str:
        """
        Keep a file until it is imported; returns its key.

        Raises InvalidInput for one that is empty or too large, UnknownList.
        """
        if not content:
            raise InvalidInput("the file is empty")
        if len(content) > UPLOAD_OCTETS:
            raise InvalidInput(f"the file is larger than {UPLOAD_OCTETS // 1_000_000} MB")
        self._files.sweep()
        now, called = self._parts.now(), masked(name)[-200:] or "file"
        with self._parts.sessions() as session:
            store.get_list(session, list_name)
            upload = store.add_upload(
                session,
                ImportRun(name=called, list_name=list_name, operator=self._parts.operator, created=now, changed=now),
            )
            self._note(session, Deed.UPLOADED, f"{called} → {list_name}")
            self._files.put(session, upload, content)
            session.commit()
        return upload.key

    def get(self, key: str) -> UploadFacts:
        """Return an upload; raises NotFound."""
        with reading(self._parts.engine) as session:
            return self._facts(_known(session, key))

    def page(self, *, limit: int, before: int | None = None) -> list[UploadFacts]:
        """The next uploads, the newest first."""
        with reading(self._parts.engine) as session:
            return [self._facts(each) for each in store.uploads(session, limit=limit, before=before)]

    def look(self, key: str) -> Beginning:
        """
        Look at the beginning of an upload: how it is written, its columns with samples, what each is taken for.

        Raises NotFound, WrongState where the file is gone, ImportRefused where it cannot be taken at all.
        """
        found = self._row(key)
        plan = Plan.of(found.plan)
        try:
            with self._files.opened(found) as path:
                return look_at(path, name=found.name, sheet=plan.sheet, mapping=plan.mapping)
        except FileNotFoundError as error:
            raise WrongState(GONE) from error

    def settle(self, key: str, plan: Plan, *, list_name: str) -> None:
        """
        Say how an upload is to be imported; what was counted before counts no more.

        Raises WrongState where somebody works on it, UnknownList.
        """
        with self._parts.sessions() as session:
            store.get_list(session, list_name)
            settled = store.change_upload(
                session,
                key,
                expected=OPEN,
                now=self._parts.now(),
                state=UploadState.STAGED,
                plan=plan.to_json(),
                list_name=list_name,
                report={},
                problem="",
            )
            self._ensure(changed=settled)
            session.commit()

    def check(self, key: str) -> Underway:
        """Count what an upload would do, beside the caller; raises WrongState where somebody else works on it."""
        return self._start(key, UploadState.CHECKING, expected=(*OPEN,))

    def run(self, key: str, *, removals: int = 0) -> Underway:
        """
        Import an upload that was counted, or go on with one that was broken off, beside the caller.

        `removals` is how many members a sync may take off: as many as were shown. Raises WrongState where it was not
        counted, or somebody else works on it.
        """
        found = self.get(key)
        if found.plan.sync:
            self._settle_removals(key, removals)
        return self._start(key, UploadState.RUNNING, expected=(UploadState.CHECKED, UploadState.STOPPED))

    def _settle_removals(self, key: str, removals: int) -> None:
        """Say how many members a sync may take off; raises WrongState."""
        found = self.get(key)
        plan = replace(found.plan, removals=max(0, removals))
        with self._parts.sessions() as session:
            expected = (UploadState.CHECKED, UploadState.STOPPED, UploadState.RUNNING)
            values: dict[str, Any] = {"plan": plan.to_json()}
            settled = store.change_upload(session, key, expected=expected, now=found.changed, **values)
            self._ensure(changed=settled)
            session.commit()

    def stop(self, key: str) -> bool:
        """End an import after the chunk it is at; what was stored stays. Returns whether it was under way."""
        with self._parts.sessions() as session:
            stopped = store.change_upload(
                session, key, expected=AT_WORK, now=self._parts.now(), state=UploadState.STOPPED
            )
            session.commit()
        return stopped

    def discard(self, key: str) -> None:
        """Throw an upload away with its file; raises NotFound, WrongState while somebody works on it."""
        row = self._row(key)
        found = self._facts(row)
        if found.is_busy:
            raise WrongState("this file is being worked on: stop that first")
        self._files.drop(row)
        with self._parts.sessions() as session:
            store.delete_upload(session, key)
            if found.state is not UploadState.FINISHED:
                self._note(session, Deed.UPLOAD_DISCARDED, f"{found.name} → {found.list_name}")
            session.commit()

    def refused(self, key: str) -> bytes:
        """The rows that were not taken, or not as they stand, as CSV; raises NotFound where that is gone."""
        try:
            return self._files.refused(self._row(key))
        except FileNotFoundError as error:
            raise NotFound("file of refused rows", key) from error

    def leaving(self, ids: Sequence[int]) -> list[Person]:
        """The people of some ids, for those whom a sync would take off."""
        with reading(self._parts.engine) as session:
            found = [person for each in ids if (person := session.get(Subscriber, each)) is not None]
            return people_of(session, found)

    def _start(self, key: str, state: UploadState, *, expected: Sequence[UploadState]) -> Underway:
        found = self.get(key)
        self._ensure_file(found)
        now = self._parts.now()
        with self._parts.sessions() as session:
            values: dict[str, Any] = {"state": state, "done": 0, "total": 0, "problem": ""}
            taken = store.change_upload(session, key, expected=expected, now=now, **values) or store.change_upload(
                session, key, expected=(state,), now=now, unchanged_since=now - BROKEN_AFTER, **values
            )
            self._ensure(changed=taken)
            session.commit()
        words = {"key": key, "operator": self._parts.operator}
        thread = None
        if not self._parts.leaving.leave(Chore.IMPORT, words):
            thread = threading.Thread(target=self.work, args=(key,), name=f"import-{key}", daemon=True)
            thread.start()
        return Underway(is_busy=lambda: self.get(key).is_busy, thread=thread)

    def work(self, key: str, *, stopping: Stopping = never) -> bool:
        """
        Do what an upload waits for, in this very thread; returns False where it is left to somebody else.

        Whoever worked on it before is taken over. Does nothing where nobody wants it done any more.
        """
        return Work(parts=self._parts, imports=self._imports, signup=self._signup, key=key, stopping=stopping).run()

    def left_behind(self) -> list[tuple[str, str]]:
        """Take the uploads that were broken off, each once; returns key and operator of those that are to go on."""
        now = self._parts.now()
        since, taken = now - BROKEN_AFTER, []
        with reading(self._parts.engine) as session:
            left = [(row.key, row.operator) for row in store.uploads_left(session, states=AT_WORK, before=since)]
        for key, operator in left:
            with self._parts.sessions() as session:
                if store.change_upload(session, key, expected=AT_WORK, now=now, unchanged_since=since):
                    taken.append((key, operator))
                session.commit()
        return taken

    def _row(self, key: str) -> ImportRun:
        with reading(self._parts.engine) as session:
            row = _known(session, key)
            session.expunge(row)
        return row

    def _ensure_file(self, found: UploadFacts) -> None:
        if not found.has_file:
            raise WrongState(GONE)

    def _ensure(self, *, changed: bool) -> None:
        if not changed:
            raise WrongState("somebody else works on this file, or it is not in a state that allows this: look again")

    def _facts(self, row: ImportRun) -> UploadFacts:
        now = self._parts.now()
        return UploadFacts(
            key=row.key,
            id=row.id or 0,
            name=row.name,
            list_name=row.list_name,
            state=row.state,
            plan=Plan.of(row.plan),
            report=row.report,
            done=row.done,
            total=row.total,
            problem=row.problem,
            operator=row.operator,
            created=row.created,
            changed=row.changed,
            broken_off=row.state in AT_WORK and row.changed < now - BROKEN_AFTER,
            has_file=self._files.has(row),
            has_refused=self._files.has_refused(row),
        )

    def _note(self, session: Session, deed: Deed, about: str) -> None:
        note_deed(session, deed, operator=self._parts.operator, at=self._parts.now(), about=about)


def _known(session: Session, key: str) -> ImportRun:
    found = store.find_upload(session, key)
    if found is None:
        raise NotFound("import", key)
    return found
