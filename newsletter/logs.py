"""
Logging: one wide event per stage run and per attempt, with ids, never with addresses or tokens.

JSON lines where standard error is a file or a pipe, plain words on a terminal.
"""

import logging
import sys
from typing import Any

import structlog


def configure(level: int = logging.WARNING) -> None:
    """
    Set up structlog once, at the edge of a process.

    A command that somebody waits for speaks for itself and logs warnings only; a process that runs for long logs
    everything from `logging.INFO`.
    """
    renderer: Any = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever it is by then
        cache_logger_on_first_use=False,
    )


def logger(stage: str) -> Any:
    """A logger that says which stage speaks."""
    return structlog.get_logger(stage=stage)
