"""
What coverage watches: the code of the program, and as little as can be of everything else.

On Python 3.11 whatever runs while a tracer is set takes twice as long, other people's code as much as ours, and nine
tenths of the time of the tests is theirs. So the tracer rests

- in folders of tests that ask how the whole behaves, and in tests marked `unwatched`;
- after the first examples of a property, for the others go the same ways;
- while tests are collected, except in the modules themselves: what they call may be remembered and not called again;
- behind the `DOORS` of libraries, except in unit tests, which see what libraries call back.

Where nothing is measured, nothing here does anything.
"""

import contextlib
import dataclasses
import functools
import importlib
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook
from coverage import Coverage

UNWATCHED: Final = frozenset({"benchmarks", "browser", "faults", "fuzz"})
"""Folders of tests that ask how the whole behaves: what they run, others have gone through for coverage already."""

SUBPROCESSES: Final = "COVERAGE_PROCESS_CONFIG"
"""By this variable coverage watches the processes that tests start."""

WATCHED_EXAMPLES: Final = 20
"""Examples of a property that coverage watches: the others go the same ways, and watched take up to five times as long."""

DOORS: Final = (
    "alembic.command:upgrade",
    "cssutils:CSSParser.parseString",
    "fastapi.routing:APIRouter.add_api_route",
    "html.parser:HTMLParser.feed",
    "markdown_it:MarkdownIt.parse",
    "premailer:Premailer.transform",
    "sqlalchemy.engine.base:Connection.execute",
    "sqlalchemy.orm.session:Session._execute_internal",
    "sqlalchemy.orm.unitofwork:UOWTransaction.execute",
)
"""Where libraries begin to work for long."""

_HERE: Final = Path(__file__).parent

_ROOT: Final = f"{_HERE.parent}{os.sep}"
"""Where the program and its tests are; what is installed may lie below it, and is somebody else's."""


@dataclasses.dataclass
class _State:
    """How things stand in this process."""

    closed: bool = False
    """Whether the tracer rests behind the doors."""

    collecting: Any = None
    """The tracer that rests while tests are collected, if there is one."""


_STATE: Final = _State()


@contextlib.contextmanager
def collected_unwatched() -> Iterator[None]:
    """Around the collection: from now on modules of others are imported unwatched, and the doors hang."""
    tracer = sys.gettrace()
    if tracer is None:
        yield
        return
    sys.settrace(None)
    _import_others_unwatched()
    for door in DOORS:
        _hang(door)
    _STATE.collecting = tracer
    try:
        yield
    finally:
        _STATE.collecting = None
        sys.settrace(tracer)


def _import_others_unwatched() -> None:
    for loader in (SourceFileLoader, AssertionRewritingHook):
        loader.exec_module = _executing(loader.exec_module)  # type: ignore[method-assign, assignment]


def _executing(execute: Callable[[Any, ModuleType], None]) -> Callable[[Any, ModuleType], None]:
    def executed(loader: Any, module: ModuleType) -> None:
        before = sys.gettrace()
        file = str(module.__spec__ and module.__spec__.origin)
        is_ours = file.startswith(_ROOT) and not file.startswith(sys.prefix)
        sys.settrace((before or _STATE.collecting) if is_ours else None)
        try:
            execute(loader, module)
        finally:
            sys.settrace(before)

    return executed


def _hang(door: str) -> None:
    module, path = door.split(":")
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    setattr(owner, name, _resting(getattr(owner, name)))


def _resting(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def rested(*arguments: Any, **named: Any) -> Any:
        tracer = sys.gettrace() if _STATE.closed else None
        if tracer is None:
            return function(*arguments, **named)
        sys.settrace(None)
        try:
            return function(*arguments, **named)
        finally:
            sys.settrace(tracer)

    return rested


@contextlib.contextmanager
def watched_as_marked(item: pytest.Item) -> Iterator[None]:
    """Around all that is done for a test, with its fixtures and the processes that they start."""
    folder = item.path.relative_to(_HERE).parts[0]
    _STATE.closed = folder != "unit"
    watching = Coverage.current()
    if watching is None or not (folder in UNWATCHED or item.get_closest_marker("unwatched")):
        yield
        return
    watching.stop()
    try:
        with no_process_watched():
            yield
    finally:
        watching.start()


@contextlib.contextmanager
def no_process_watched() -> Iterator[None]:
    """Meanwhile the processes that are started are not watched."""
    told = os.environ.pop(SUBPROCESSES, None)
    try:
        yield
    finally:
        if told is not None:
            os.environ[SUBPROCESSES] = told


@contextlib.contextmanager
def first_examples_watched(function: pytest.Function) -> Iterator[None]:
    """Around the call of a test: of a property, the first examples are watched and none after them."""
    handle = getattr(function.obj, "hypothesis", None)
    tracer = sys.gettrace()
    if handle is None or tracer is None:
        yield
        return
    example = handle.inner_test
    number = itertools.count()

    @functools.wraps(example)
    def watched(*arguments: Any, **named: Any) -> None:
        if next(number) == WATCHED_EXAMPLES:
            sys.settrace(None)
        example(*arguments, **named)

    handle.inner_test = watched
    try:
        yield
    finally:
        handle.inner_test = example
        sys.settrace(tracer)
