"""The events that the program logs, as they stand in its source."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

ONCE = {"_say": "info"}
"""What logs an event once until another one comes (`pipeline.election`), and at which level."""

LEVELS = frozenset({"debug", "info", "warning", "error"})


def sources() -> Iterator[Path]:
    """Every module of the program."""
    for folder in ("newsletter", "subscribers"):
        yield from sorted((ROOT / folder).rglob("*.py"))
    yield ROOT / "scheduler.py"


def events() -> dict[str, set[str]]:
    """The levels at which each event is logged."""
    found: dict[str, set[str]] = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                for level, words in _said(node, node.func):
                    found.setdefault(words, set()).add(level)
    return found


def _is_log(value: ast.expr) -> bool:
    """Whether something is called as our loggers are: `self._log`, `log`, or `logger("stage")`; or says as they do."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "logger"
    name = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
    return name.strip("_") in {"log", "logger"}


def _said(call: ast.Call, function: ast.Attribute) -> Iterator[tuple[str, str]]:
    is_event = function.attr in LEVELS and _is_log(function.value)
    level = function.attr if is_event else ONCE.get(function.attr, "")
    if level and call.args:
        for part in ast.walk(call.args[0]):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield level, part.value
