"""
The verbs about files of people that are uploaded at the desk: look at one, count what it would do, import it.

Takes the octets of a file and an officer's word about its columns; yields how it is written, and what becomes of its
rows. Counting and importing run in a thread of their own, chunk by chunk, and the row of the upload says how far they
are; whoever looks at it may be in another process. Promises that an upload which was broken off can be taken up again
and ends as if it had run through, that only one works on it at a time, and that its file is gone when it is done.
"""

import datetime as dt
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.database import reading
from newsletter.errors import InvalidInput, NotFound, WrongState
from newsletter.pipeline import upload_files as files
from newsletter.pipeline.imports import Imports
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.person import Person, people_of
from newsletter.pipeline.signup import Signup
from newsletter.pipeline.upload_work import Plan, Work
from subscribers import store
from subscribers.address import masked
from subscribers.importing import UPLOAD_OCTETS
from subscribers.importing.beginning import Beginning, look_at
from subscribers.models import ImportRun, Subscriber, UploadState

BROKEN_AFTER: Final = dt.timedelta(minutes=2)
"""An upload that is under way and has not been touched for so long was broken off: a chunk takes a second."""

AT_WORK: Final = (UploadState.CHECKING, UploadState.RUNNING)
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


class Uploads:
    """The verbs about uploads."""

    def __init__(self, parts: Parts, *, imports: Imports, signup: Signup) -> None:
        self._parts = parts
        self._imports = imports
        self._signup = signup

    def stage(self, content: bytes, *, name: str, list_name: str) -> str:
        """
        Keep a file until it is imported; returns its key.

        Raises InvalidInput for one that is empty or too large, UnknownList.
        """
        if not content:
            raise InvalidInput("the file is empty")
        if len(content) > UPLOAD_OCTETS:
            raise InvalidInput(f"the file is larger than {UPLOAD_OCTETS // 1_000_000} MB")
        files.sweep(self._parts)
        now, called = self._parts.now(), masked(name)[-200:] or "file"
        with self._parts.sessions() as session:
            store.get_list(session, list_name)
            upload = store.add_upload(
                session,
                ImportRun(name=called, list_name=list_name, operator=self._parts.operator, created=now, changed=now),
            )
            self._note(session, Deed.UPLOADED, f"{called} → {list_name}")
            files.put(self._parts, upload.key, content)
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
        found = self.get(key)
        self._ensure_file(found)
        plan = found.plan
        return look_at(files.file_of(self._parts, key), name=found.name, sheet=plan.sheet, mapping=plan.mapping)

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

    def check(self, key: str) -> threading.Thread:
        """Count what an upload would do, beside the caller; raises WrongState where somebody else works on it."""
        return self._start(key, UploadState.CHECKING, expected=(*OPEN,))

    def run(self, key: str, *, removals: int = 0) -> threading.Thread:
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
        found = self.get(key)
        if found.is_busy:
            raise WrongState("this file is being worked on: stop that first")
        with self._parts.sessions() as session:
            store.delete_upload(session, key)
            if found.state is not UploadState.FINISHED:
                self._note(session, Deed.UPLOAD_DISCARDED, f"{found.name} → {found.list_name}")
            session.commit()
        files.drop(self._parts, key)

    def refused(self, key: str) -> bytes:
        """The rows that were not taken, or not as they stand, as CSV; raises NotFound where that is gone."""
        self.get(key)
        try:
            return files.refused_of(self._parts, key).read_bytes()
        except FileNotFoundError as error:
            raise NotFound("file of refused rows", key) from error

    def leaving(self, ids: Sequence[int]) -> list[Person]:
        """The people of some ids, for those whom a sync would take off."""
        with reading(self._parts.engine) as session:
            found = [person for each in ids if (person := session.get(Subscriber, each)) is not None]
            return people_of(session, found)

    def _start(self, key: str, state: UploadState, *, expected: Sequence[UploadState]) -> threading.Thread:
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
        work = Work(parts=self._parts, imports=self._imports, signup=self._signup, key=key, state=state)
        thread = threading.Thread(target=work.run, name=f"import-{key}", daemon=True)
        thread.start()
        return thread

    def _ensure_file(self, found: UploadFacts) -> None:
        if not found.has_file:
            raise WrongState("the file is not kept any more: upload it again")

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
            has_file=files.file_of(self._parts, row.key).exists(),
            has_refused=files.refused_of(self._parts, row.key).exists(),
        )

    def _note(self, session: Session, deed: Deed, about: str) -> None:
        note_deed(session, deed, operator=self._parts.operator, at=self._parts.now(), about=about)


def _known(session: Session, key: str) -> ImportRun:
    found = store.find_upload(session, key)
    if found is None:
        raise NotFound("import", key)
    return found
