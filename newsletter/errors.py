"""
What can go wrong and what a caller can do about it.

NewsletterError                 the root: one line that says where and what to do
├── NotFound                    a name that does not exist (with the nearest that does)
│   └── Ambiguous               a name that exists in more than one newsletter
├── InvalidInput                something from outside that cannot be taken
│   ├── InvalidPack             a content pack: problems with file, line, column and path
│   ├── PictureRefused          a picture that cannot be taken, and why (in `content.images`)
│   ├── NothingChosen           a form without any list
│   └── FormStale               a form that was not sent as it was shown: show it again
├── WrongState                  the thing exists, but not in a state that allows this
│   ├── ApprovalVoid            what was approved is no longer what would be sent
│   ├── FindingsOpen            preflight findings stand in the way
│   ├── OwnWork                 who wrote last may not approve
│   ├── TooMany                 a limit against abuse is reached, for a time
│   ├── TooSlow                 a question that takes longer than somebody waits for its answer
│   └── DispatcherRunning       another dispatcher holds this database
├── CompilationFailed           an edition could not be compiled
│   ├── TemplateFault           a template is wrong: file and line
│   ├── MjmlFault               the MJML is wrong: line and column
│   ├── SlotsLost               a step of the chain dropped or invented a slot
│   └── HeaderRefused           a header cannot be written (in `compilation.headers`)
├── MailboxFault                the mailbox for what comes back cannot be read
├── DatabaseFault               the database is missing, old, or not ours
│   └── DatabaseAway            a server cannot be reached now: try again later
└── ConfigurationFault          a setting is wrong

`subscribers.errors` has a root of its own. The command line prints `str(error)` and exits with `exit_code`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class NewsletterError(Exception):
    """The newsletter could not do that."""

    exit_code = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or " ".join((self.__doc__ or "").split()))


class NotFound(NewsletterError):  # noqa: N818  reads as what happened
    """There is no such thing."""

    def __init__(self, what: str, name: str, *, near: Sequence[str] = ()) -> None:
        self.what, self.name, self.near = what, name, tuple(near)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        super().__init__(f"there is no {what} {name!r}{hint}")


class Ambiguous(NotFound):
    """The name exists in more than one newsletter."""

    def __init__(self, what: str, name: str, *, newsletters: Sequence[str]) -> None:
        super().__init__(what, name)
        self.newsletters = tuple(newsletters)
        self.args = (f"{what} {name!r} exists in {', '.join(newsletters)}: say which with --newsletter",)


class InvalidInput(NewsletterError):  # noqa: N818
    """That input cannot be taken."""

    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with a file: where (line and column from 1, path of keys) and what."""

    message: str
    path: str = ""
    line: int | None = None
    column: int | None = None

    def at(self, file: str | Path) -> str:
        """The problem in one line, in the notation that editors jump to."""
        place = ":".join(str(part) for part in (file, self.line, self.column) if part is not None)
        return f"{place}: {self.path + ': ' if self.path else ''}{self.message}"


class InvalidPack(InvalidInput):
    """The content pack cannot be taken."""

    def __init__(self, file: str | Path, problems: Sequence[Problem]) -> None:
        self.file, self.problems = str(file), tuple(problems)
        more = f"\n(and {len(problems) - 20} more)" if len(problems) > 20 else ""  # noqa: PLR2004  a screenful
        lines = "\n".join(problem.at(file) for problem in problems[:20])
        super().__init__(f"{lines}{more}\nnothing was imported")


class NothingChosen(InvalidInput):
    """Choose at least one list."""


class FormStale(InvalidInput):
    """The form has to be sent once more."""

    def __init__(self, stamp: str = "") -> None:
        #: The stamp to show it with: its own where that is only too young, else "", for a new one.
        self.stamp = stamp
        super().__init__()


class WrongState(NewsletterError):  # noqa: N818
    """That is not possible in the present state."""


class ApprovalVoid(WrongState):
    """What was approved is no longer what would be sent: compile, look and approve again."""


class FindingsOpen(WrongState):
    """Preflight findings stand in the way: see `newsletter issue preflight`."""

    exit_code = 3


class OwnWork(WrongState):
    """Somebody else has to approve it."""

    def __init__(self, issue: str, operator: str) -> None:
        self.issue, self.operator = issue, operator
        super().__init__(
            f"issue {issue} was last changed by {operator}, and its newsletter wants four eyes: somebody else has to "
            "approve it (--as NAME says who acts)"
        )


class TooMany(WrongState):
    """Too many people have signed up from here just now: try again later."""

    def __init__(self, retry_after: int) -> None:
        #: Seconds after which it may be tried again.
        self.retry_after = retry_after
        super().__init__()


class TooSlow(WrongState):
    """That takes longer than a page may: ask for less."""


class DispatcherRunning(WrongState):
    """Another dispatcher holds this database: only one may run on SQLite."""


class CompilationFailed(NewsletterError):  # noqa: N818
    """The edition could not be compiled."""


class TemplateFault(CompilationFailed):
    """A template of the theme is wrong."""

    def __init__(self, template: str, line: int | None, message: str) -> None:
        self.template, self.line = template, line
        super().__init__(f"{template}{f':{line}' if line else ''}: {message}")


class MjmlFault(CompilationFailed):
    """The MJML that the theme made is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.at("MJML") for problem in problems[:5]))


class SlotsLost(CompilationFailed):
    """A step of the chain dropped or invented a slot."""

    def __init__(self, step: str, *, lost: Sequence[str] = (), invented: Sequence[str] = ()) -> None:
        self.step, self.lost, self.invented = step, tuple(lost), tuple(invented)
        parts = [f"lost {', '.join(lost)}"] * bool(lost) + [f"invented {', '.join(invented)}"] * bool(invented)
        super().__init__(f"the step {step!r} {' and '.join(parts)}")


class MailboxFault(NewsletterError):  # noqa: N818
    """The mailbox for what comes back cannot be read: see NEWSLETTER_BOUNCE__IMAP."""


class DatabaseFault(NewsletterError):  # noqa: N818
    """The database is missing, too old or not a newsletter's: run `newsletter init`."""


class DatabaseAway(DatabaseFault):
    """The database's server cannot be reached: try again (EX_TEMPFAIL of sysexits.h)."""

    exit_code = 75


class ConfigurationFault(NewsletterError):  # noqa: N818
    """A setting is wrong."""

    exit_code = 2
