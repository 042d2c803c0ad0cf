"""
Logging: one wide event per stage run and per attempt, with ids, never with addresses or tokens.

JSON lines where standard error is a file or a pipe, plain words on a terminal, unless the settings say otherwise. What
libraries log goes the same way. Nobody here logs an address; as the last line of defence everything that looks like an
address or a token of ours is masked before it is written, also in tracebacks.
"""

import logging
import re
import secrets
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

import structlog

from subscribers.address import masked

_TOKEN: Final = re.compile(r"\b[A-Za-z0-9]{1,16}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")
"""Key id, payload and code, see `subscribers.tokens.sign`."""


def configure(level: int = logging.WARNING, *, form: str = "auto", process: str = "") -> None:
    """
    Set up structlog once, at the edge of a process; `form` is what `LogSettings.format` says.

    Every line bears the name of the `process`, where it has one: that of a worker is its name in the ledger.

    A command that somebody waits for speaks for itself and logs warnings only; a process that runs for long logs
    everything from `logging.INFO`, unless its settings say otherwise. Of what libraries log only warnings are wanted.
    """
    is_plain = sys.stderr.isatty() if form == "auto" else form == "plain"
    renderer: Any = structlog.processors.JSONRenderer()
    if is_plain:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *([_naming(process)] if process else []),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever it is by then
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _FromLibraries)]:
        root.removeHandler(handler)
    root.addHandler(_FromLibraries(logging.WARNING))


def new_name() -> str:
    """A random name by which the lines of one request, or of one worker, are found: 12 letters and digits."""
    return secrets.token_hex(6)


def within(**facts: str) -> AbstractContextManager[None]:
    """Have all that is logged inside bear these facts: of a request, of a job."""
    return structlog.contextvars.bound_contextvars(**facts)


def logger(stage: str) -> Any:
    """A logger that says which stage speaks."""
    return structlog.get_logger(stage=stage)


def discreet(text: str) -> str:
    """Mask what looks like an address or a token of ours, wherever it stands in a text."""
    if "." not in text and "@" not in text:
        return text
    return _TOKEN.sub("…", masked(text) if "@" in text else text)


def _naming(process: str) -> Callable[[Any, str, Any], Any]:
    def name(_logger: Any, _name: str, event: Any) -> Any:
        return {"process": process, **event}

    return name


def mask_event(_logger: Any, _name: str, event: Any) -> Any:
    """Mask every text of an event, see `discreet`; a processor of structlog."""
    return _discreet_value(event)


def tell_accident(error: BaseException) -> None:
    """Print the traceback of what should not have happened, as discreetly as a log."""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    sys.stderr.write(discreet("".join(lines)))


def tell_accidents_of_threads() -> None:
    """Have what ends a thread of this process told by `tell_accident`."""

    def tell(accident: threading.ExceptHookArgs) -> None:
        if accident.exc_value is not None:
            tell_accident(accident.exc_value)

    threading.excepthook = tell


class _FromLibraries(logging.Handler):
    """Takes what libraries log the way of our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; what cannot be written must not stop what was being done."""
        try:
            told = {"exc_info": record.exc_info} if record.exc_info else {}
            logger(record.name).log(record.levelno, record.getMessage(), **told)
        except Exception:  # noqa: BLE001  as the handlers of the standard library do
            self.handleError(record)


def _discreet_value(value: Any) -> Any:
    if isinstance(value, str):
        return discreet(value)
    if isinstance(value, Mapping):
        return {_discreet_value(key): _discreet_value(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_discreet_value(each) for each in value]
    # What the renderer would write by its `repr` is masked as that.
    return value if value is None or isinstance(value, (bool, int, float)) else discreet(repr(value))
