"""
Chores: what is to be done now and then, and takes too long for those who notice it.

Takes the name of a chore; has it done by a worker where one lives, else here. Promises nothing about when: the rows are
the truth, and whoever looks at the clock asks again. So a chore may be lost, and done twice, without harm.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Protocol


class Chore(StrEnum):
    """What can be left to a worker."""

    #: Look for what programs are to be told, and call them.
    WEBHOOKS = "webhooks"
    #: Look for what operators are to be told, and write the notices.
    NOTICES = "notices"
    #: Make the drafts that newsletters' cadences have come to: assemble, compile and check them.
    DRAFTS = "drafts"
    #: Count the figures of runs that have ended.
    REPORTS = "reports"
    #: Count what an uploaded file would do, or import it.
    IMPORT = "import"


Stopping = Callable[[], bool]
"""Says whether whoever does a chore has to end soon, and may leave the rest to another one."""

Verb = Callable[[Mapping[str, str], Stopping], bool]
"""Does a chore: with the words that say which, and the question whether to stop; False where it is left unfinished."""


class Leaving(Protocol):
    """Leaves chores to workers."""

    def leave(self, chore: Chore, words: Mapping[str, str]) -> bool:
        """Leave a chore to a worker; False where none will do it soon. One that waits already is not left twice."""
        ...


class NobodyElse:
    """For a database without workers."""

    def leave(self, chore: Chore, words: Mapping[str, str]) -> bool:  # noqa: ARG002  the port's signature
        """Leave nothing to anybody."""
        return False


def never() -> bool:
    """Stop for nobody."""
    return False


class Chores:
    """Every chore, and who does it."""

    def __init__(self, leaving: Leaving, verbs: Mapping[Chore, Verb]) -> None:
        self._leaving = leaving
        self._verbs = verbs

    def do(self, chore: Chore, **words: str) -> bool:
        """Have a chore done; returns whether it was left to a worker, else it is done now."""
        if self._leaving.leave(chore, words):
            return True
        self.here(chore, words)
        return False

    def here(self, chore: Chore, words: Mapping[str, str], *, stopping: Stopping = never) -> bool:
        """Do a chore in this very process; returns False where it had to stop, and another one has to go on."""
        return self._verbs[chore](words, stopping)


def round_of(work: Callable[[], object]) -> Verb:
    """The verb of a chore that needs no words, and is short enough not to be asked to stop."""

    def verb(_words: Mapping[str, str], _stopping: Stopping) -> bool:
        work()
        return True

    return verb
