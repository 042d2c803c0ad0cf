"""
The work on one uploaded file: counting what it would do, or importing it.

Takes the key of an upload that somebody has marked as being worked on; yields nothing, and writes into its row how far
it is and how it ended, also where that was an error. Runs in a thread: whatever goes wrong ends up in the row, in
words, and nobody waits for it in vain. Stops between two chunks when its row says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Final

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.database import reading
from newsletter.errors import NewsletterError
from newsletter.logs import logger
from newsletter.pipeline import upload_files as files
from newsletter.pipeline.imports import Imports
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.signup import Signup
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


@dataclass(slots=True, kw_only=True)
class Work:
    """Works on one upload, in the state that its row was brought to."""

    parts: Parts
    imports: Imports
    signup: Signup
    key: str
    state: UploadState
    _stopped: bool = field(default=False, init=False)

    def run(self) -> None:
        """Do the work, and say in the row how it ended."""
        try:
            report = self._work()
        except (SubscribersError, NewsletterError) as error:
            self._end(UploadState.FAILED, problem=str(error)[:1000])
        except Exception as error:  # noqa: BLE001 - whatever it is, the row says so
            # An officer waits before a bar: they are told, whatever it was.
            self._end(UploadState.FAILED, problem="")
            logger("people").error("import failed", error=type(error).__qualname__)
        else:
            self._end(UploadState.STOPPED if self._stopped else _DONE[self.state], report=report)

    def _work(self) -> dict[str, Any]:
        row = self._row()
        plan, dry_run = Plan.of(row.plan), self.state is UploadState.CHECKING
        manner = plan.manner(name=row.name, dry_run=dry_run)
        path = files.file_of(self.parts, self.key)
        with files.writing_refused(self.parts, self.key) as out:
            write = line_writer(out)

            def lines(told: Iterable[Line]) -> None:
                write(line for line in told if line.reason)

            listeners = Listeners(progress=self._tell, lines=lines, stopping=lambda: self._stopped)
            if plan.sync:
                bound = Bound(Fraction(1)) if dry_run else Bound(None, plan.removals)
                synced = self.imports.sync(
                    path, list_name=row.list_name, bound=bound, manner=manner, listeners=listeners
                )
                report = _synced(synced)
            else:
                report = _imported(self.imports.take(path, list_name=row.list_name, manner=manner, listeners=listeners))
        if plan.pending and not dry_run and not self._stopped:
            report["invited"] = self.signup.invite(
                row.list_name, newsletter=plan.newsletter or None, progress=self._tell
            )
        return report

    def _row(self) -> ImportRun:
        with reading(self.parts.engine) as session:
            row = store.find_upload(session, self.key)
            if row is None:
                raise NewsletterError("the upload was thrown away")
            session.expunge(row)
        return row

    def _tell(self, done: int, total: int) -> None:
        """Say how far the work is, and hear whether somebody wants it to end."""
        with self.parts.sessions() as session:
            goes_on = store.change_upload(
                session, self.key, expected=(self.state,), now=self.parts.now(), done=done, total=total
            )
            session.commit()
        self._stopped = self._stopped or not goes_on

    def _end(self, state: UploadState, *, report: Mapping[str, Any] | None = None, problem: str = "") -> None:
        """Write how the work ended; the file goes when it has been imported."""
        now = self.parts.now()
        values: dict[str, Any] = {"state": state, "problem": problem}
        if report is not None:
            values["report"] = report
        with self.parts.sessions() as session:
            expected = (self.state, UploadState.STOPPED) if self._stopped else (self.state,)
            if store.change_upload(session, self.key, expected=expected, now=now, **values):
                self._note(session, state, report or {})
            session.commit()
        if state is UploadState.FINISHED:
            files.file_of(self.parts, self.key).unlink(missing_ok=True)

    def _note(self, session: Any, state: UploadState, report: Mapping[str, Any]) -> None:
        row = store.find_upload(session, self.key)
        if row is None or self.state is not UploadState.RUNNING or state is UploadState.FAILED:
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
