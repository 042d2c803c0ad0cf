"""
The work on one uploaded file: counting what it would do, or importing it.

Takes the key of an upload that somebody has marked as being worked on; writes into its row how far it is and how it
ended, also where that was an error. Runs in a thread or in a worker: whatever goes wrong ends up in the row, in words,
and nobody waits for it in vain. Stops between two chunks when its row says so. Promises that of two who work on one
upload the first one stops at the next chunk and writes no more into the row: whoever was taken for dead, and is not.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Final

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.errors import NewsletterError
from newsletter.logs import logger
from newsletter.pipeline.chores import Stopping, never
from newsletter.pipeline.imports import Imports
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.signup import Signup
from newsletter.pipeline.upload_files import kept_files
from subscribers import store
from subscribers.errors import SubscribersError
from subscribers.importing import Elsewhere, ImportReport, Listeners, Manner
from subscribers.importing.report import Line, line_writer
from subscribers.importing.sync import Bound, SyncReport
from subscribers.models import ImportRun, UploadState

SHOWN: Final = 200
"""Problems that the row of an upload keeps: what somebody reads; the file of refused rows has all of them."""

_DONE: Final = {UploadState.CHECKING: UploadState.CHECKED, UploadState.RUNNING: UploadState.FINISHED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    How an upload is to be imported.

    `mapping` is target by heading where the officer says so; `people` an `Elsewhere` or ""; with `pending` new members
    confirm first, asked in the name of `newsletter`; with `sync` who is not in the file is taken off the list, at most
    `removals` of them.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    sheet: str | None = None
    people: str = ""
    proof: str = ""
    pending: bool = False
    newsletter: str = ""
    sync: bool = False
    removals: int = 0

    def to_json(self) -> dict[str, Any]:
        """The plan as plain data."""
        return {**asdict(self), "mapping": dict(self.mapping)}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Plan":
        """The plan of plain data."""
        return cls(**data)

    def manner(self, *, name: str, dry_run: bool) -> Manner:
        """The plan as an import takes it."""
        return Manner(
            dry_run=dry_run,
            pending=self.pending,
            mapping=self.mapping,
            people=Elsewhere(self.people) if self.people else None,
            proof=self.proof,
            sheet=self.sheet,
            name=name,
        )


class _TakenOver(Exception):  # noqa: N818  reads as what happened
    """Somebody else works on the upload now, or it was thrown away."""


@dataclass(slots=True, kw_only=True)
class Work:
    """Works on one upload, as its row says; asks after each chunk whether `stopping`, and leaves the rest then."""

    parts: Parts
    imports: Imports
    signup: Signup
    key: str
    stopping: Stopping = never
    _me: str = field(default_factory=lambda: uuid.uuid4().hex, init=False)
    _row: ImportRun = field(init=False)
    _stopped: bool = field(default=False, init=False)
    _left: bool = field(default=False, init=False)

    def run(self) -> bool:
        """Do the work, and say in the row how it ended; returns False where it is left to somebody else."""
        try:
            self._take()
            report = self._work()
        except _TakenOver:
            logger("people").warning("import left to somebody else", upload=self.key)
        except (SubscribersError, NewsletterError) as error:
            self._end(UploadState.FAILED, problem=str(error)[:1000])
        except Exception as error:  # noqa: BLE001 - whatever it is, the row says so
            # An officer waits before a bar: they are told, whatever it was.
            self._end(UploadState.FAILED, problem="")
            logger("people").error("import failed", error=type(error).__qualname__)
        else:
            if not self._left:
                self._end(UploadState.STOPPED if self._stopped else _DONE[self._row.state], report=report)
        return not self._left

    def _take(self) -> None:
        """Take the upload, also from somebody who has died over it; raises _TakenOver where nobody wants it done."""
        with self.parts.sessions() as session:
            taken = store.change_upload(
                session, self.key, expected=tuple(_DONE), now=self.parts.now(), taken_by=self._me, done=0, total=0
            )
            row = store.find_upload(session, self.key)
            session.commit()
        if not taken or row is None:
            raise _TakenOver
        self._row = row

    def _work(self) -> dict[str, Any]:
        row, files = self._row, kept_files(self.parts)
        plan, dry_run = Plan.of(row.plan), row.state is UploadState.CHECKING
        manner = plan.manner(name=row.name, dry_run=dry_run)
        with files.opened(row) as path, files.writing_refused(row) as out:
            write = line_writer(out)

            def lines(told: Iterable[Line]) -> None:
                write(line for line in told if line.reason)

            listeners = Listeners(progress=self._tell, lines=lines, stopping=self._has_to_stop)
            if plan.sync:
                bound = Bound(Fraction(1)) if dry_run else Bound(None, plan.removals)
                synced = self.imports.sync(
                    path, list_name=row.list_name, bound=bound, manner=manner, listeners=listeners
                )
                report = _synced(synced)
            else:
                report = _imported(self.imports.take(path, list_name=row.list_name, manner=manner, listeners=listeners))
        if plan.pending and not dry_run and not (self._stopped or self._left):
            report["invited"] = self.signup.invite(
                row.list_name, newsletter=plan.newsletter or None, progress=self._tell_or_leave
            )
        return report

    def _has_to_stop(self) -> bool:
        self._left = self._left or (not self._stopped and self.stopping())
        return self._stopped or self._left

    def _tell(self, done: int, total: int) -> None:
        """Say how far the work is, and hear whether somebody wants it to end; raises _TakenOver."""
        state, now = self._row.state, self.parts.now()
        with self.parts.sessions() as session:
            goes_on = store.change_upload(
                session, self.key, expected=(state,), now=now, worker=self._me, done=done, total=total
            )
            row = store.find_upload(session, self.key)
            session.commit()
        if row is None or row.taken_by != self._me:
            raise _TakenOver
        self._stopped = self._stopped or not goes_on

    def _tell_or_leave(self, done: int, total: int) -> None:
        """The same where nobody asks whether to stop: who was invited is not invited again."""
        self._tell(done, total)
        if self._has_to_stop() and self._left:
            raise _TakenOver

    def _end(self, state: UploadState, *, report: Mapping[str, Any] | None = None, problem: str = "") -> None:
        """Write how the work ended; the file goes when it has been imported."""
        now = self.parts.now()
        values: dict[str, Any] = {"state": state, "problem": problem}
        if report is not None:
            values["report"] = report
        with self.parts.sessions() as session:
            expected = (self._row.state, UploadState.STOPPED) if self._stopped else (self._row.state,)
            if store.change_upload(session, self.key, expected=expected, now=now, worker=self._me, **values):
                self._note(session, state, report or {})
            session.commit()
        if state is UploadState.FINISHED:
            kept_files(self.parts).drop(self._row, refused=False)

    def _note(self, session: Any, state: UploadState, report: Mapping[str, Any]) -> None:
        row = store.find_upload(session, self.key)
        if row is None or self._row.state is not UploadState.RUNNING or state is UploadState.FAILED:
            return
        counts = ", ".join(f"{count} {name}" for name, count in report.get("counts", {}).items())
        taken_off = f", {report['removed']} taken off" if "removed" in report else ""
        note_deed(
            session,
            Deed.IMPORTED,
            operator=self.parts.operator,
            at=self.parts.now(),
            about=f"{row.name} → {row.list_name}: {counts}{taken_off}",
        )


def _imported(report: ImportReport) -> dict[str, Any]:
    layout = report.layout
    return {
        "counts": report.counts(),
        "reasons": {reason.value: count for reason, count in sorted(report.reasons.items())},
        "returned": report.returned,
        "origin": report.origin,
        "doubts": list(report.doubts),
        "stopped": report.stopped,
        "layout": {"form": layout.form, "encoding": layout.encoding, "delimiter": layout.delimiter},
        "problems": [
            {"line": each.line, "column": each.column, "words": each.words, "reason": each.reason.value}
            for each in report.problems[:SHOWN]
        ],
    }


def _synced(report: SyncReport) -> dict[str, Any]:
    return _imported(report.imported) | {
        "members": report.members,
        "removed": report.removed,
        "leaving": list(report.leaving),
    }
