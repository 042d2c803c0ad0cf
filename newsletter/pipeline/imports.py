"""
The verbs that bring many people in from a file, and keep a list as a membership system has it.

Takes a file and a list, yields a report; commits in chunks, each whole or not at all. Whoever is taken off, or left
or must not be written to where the file comes from, has what was planned for them stopped in the same transaction.
"""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from sqlalchemy.orm import Session as AnySession
from sqlmodel import Session

from newsletter.database import reading
from newsletter.errors import InvalidInput
from newsletter.logs import logger
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.stopping import stop_departed
from newsletter.planning.models import RunState
from newsletter.planning.store import runs
from subscribers import store
from subscribers.errors import UnknownList
from subscribers.importing import ImportReport, Listeners, Manner, import_subscribers
from subscribers.importing.sync import Bound, SyncReport, sync_subscribers
from subscribers.models import MailingList


class Imports:
    """The verbs about files of people."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._log = logger("people")

    def take(
        self, path: Path, *, list_name: str, manner: Manner | None = None, listeners: Listeners | None = None
    ) -> ImportReport:
        """
        Import a file into a list, as confirmed members by an administrator's word.

        Broken off and started again it ends as if it had run through. Raises InvalidInput for an unknown list,
        ImportRefused for a file that cannot be taken.
        """
        manner = manner or Manner()
        with reading(self._parts.engine) as session:
            list_for(session, list_name)
        report = import_subscribers(
            self._parts.sessions,
            path,
            list_name=list_name,
            keys=self._parts.keys,
            operator=self._parts.operator,
            now=self._parts.now(),
            manner=manner,
            listeners=self._listening(listeners),
        )
        self._log.info("people imported", list=list_name, dry_run=manner.dry_run, **report.counts())
        return report

    def sync(
        self,
        path: Path,
        *,
        list_name: str,
        bound: Bound,
        manner: Manner | None = None,
        listeners: Listeners | None = None,
    ) -> SyncReport:
        """
        Import a file into a list and take those off who are not in it.

        Raises TooManyRemovals, before anything is written, where more would go than the bound allows; InvalidInput
        for an unknown list, ImportRefused for a file that cannot be taken.
        """
        manner = manner or Manner()
        with reading(self._parts.engine) as session:
            list_for(session, list_name)
        report = sync_subscribers(
            self._parts.sessions,
            path,
            list_name=list_name,
            keys=self._parts.keys,
            operator=self._parts.operator,
            now=self._parts.now(),
            bound=bound,
            manner=manner,
            listeners=self._listening(listeners),
        )
        counts = report.imported.counts()
        self._log.info("list synced", list=list_name, dry_run=manner.dry_run, removed=report.removed, **counts)
        return report

    def _listening(self, listeners: Listeners | None) -> Listeners:
        return replace(listeners or Listeners(), departures=self._stopping(), crowded=self._is_sending)

    def _is_sending(self) -> bool:
        with reading(self._parts.engine) as session:
            return bool(runs(session, states=(RunState.PLANNING, RunState.RUNNING)))

    def _stopping(self) -> Callable[[AnySession, Sequence[str]], None]:
        def stop(session: AnySession, digests: Sequence[str]) -> None:
            # Those that `Parts.sessions` opens; subscribers know only what they derive from.
            stop_departed(cast("Session", session), digests, now=self._parts.now())

        return stop


def list_for(session: Session, name: str) -> MailingList:
    """Return the list that people are to be put on; raises InvalidInput that says how to make it."""
    try:
        return store.get_list(session, name)
    except UnknownList as error:
        raise InvalidInput(f"{error} Create it with `newsletter lists create {shlex.quote(name)}`.") from error
