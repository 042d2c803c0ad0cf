"""
Mutants: a module with one thing changed that a test should notice.

Takes source text, yields one changed text per mutant, with words for it. Changes what decides: comparisons, boolean
operators, numbers, members of enums, arithmetic, statements that are left out, and in SQL the guards, the states and
the values that are set. Leaves alone what only describes: docstrings, annotations, imports, protocols, `__all__`; and
what is a matter of taste: the size of a limit, and what stands for a number that is never missing (`id or 0`).
"""

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass

_OTHER = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}
_MEMBERS = {
    "DeliveryState": {"PLANNED": "DEFERRED", "CLAIMED": "SENDING", "SENDING": "CLAIMED", "UNCERTAIN": "PLANNED"},
    "RunState": {"RUNNING": "PAUSED", "PAUSED": "RUNNING", "FINISHED": "CANCELLED", "CANCELLED": "FINISHED"},
    "Uncertain": {"REPEAT": "SKIP", "SKIP": "ASK", "ASK": "REPEAT"},
    "Verdict": {"ACCEPTED": "DEFERRED", "NOT_SENT": "REFUSED", "UNCERTAIN": "NOT_SENT", "REFUSED": "DEFERRED"},
    "IssueState": {"SENDING": "QUEUED", "PAUSED": "SENDING", "SENT": "SENDING"},
}
_SQL = re.compile(r"\b(UPDATE|SELECT|WHERE|SET|RETURNING)\b")
_GUARD = re.compile(
    r"\bAND ((?:\w+\.)?(?:epoch|worker|state|run_id|next_at) (?:=|<=|IN|IS) ?(\(.*?'\)\)?|%\(\w+\)s|\?|[^\s)]+))"
)
_STATE = re.compile(r"'(claimed|sending|planned|cancelled|finished|running|deferred)'")
_SET = re.compile(r"(?<=, )(?:worker = NULL|seal = \S+|reason = \S+|attempts = \S+|next_at = \S+)(?=[, ])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One changed module: which line, what was done, in which of its parts, and the text."""

    line: int
    words: str
    part: str
    source: str

    def __str__(self) -> str:
        return f"line {self.line} ({self.part}): {self.words}"


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    for part in tree.body:
        if _is_description(part):
            continue
        for node in _deciding(part):
            for words, change in _changes(node):
                yield _mutant(tree, part, node, words=words, change=change)


def _is_description(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.ClassDef):
        return any(
            isinstance(base, ast.Name) and base.id in {"Protocol", "StrEnum", "NamedTuple"} for base in node.bases
        )
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"


def _deciding(part: ast.AST) -> Iterator[ast.AST]:
    """The nodes below `part`, without annotations, decorators and docstrings."""
    yield part
    for name, value in ast.iter_fields(part):
        if name in {"annotation", "returns", "decorator_list", "args"} and not isinstance(part, ast.Call):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.keyword) and child.arg == "strict":
                continue
            if (
                isinstance(child, ast.Constant)
                and isinstance(part, ast.BoolOp | ast.AnnAssign)
                and not _has_text(child)
            ):
                continue
            if isinstance(child, ast.AST) and not _is_docstring(child):
                yield from _deciding(child)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What can be done to a node: words, and the node to put in its place."""
    if isinstance(node, ast.Compare | ast.BoolOp | ast.BinOp):
        yield from _operators(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not left out", node.operand
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if other := _MEMBERS.get(node.value.id, {}).get(node.attr):
            yield f"{node.value.id}.{node.attr} is {other}", _with(node, attr=other)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield f"left out: {ast.unparse(node)[:70]}", ast.Pass()
    elif isinstance(node, ast.If | ast.IfExp) and isinstance(node.test, ast.Name | ast.Call | ast.Attribute):
        yield f"unless {ast.unparse(node.test)}", _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Constant):
        yield from _constants(node)


def _operators(node: ast.Compare | ast.BoolOp | ast.BinOp) -> Iterator[tuple[str, ast.AST]]:
    op = node.ops[0] if isinstance(node, ast.Compare) else node.op
    if isinstance(node, ast.BinOp) and _is_text(node):
        return
    if other := _OTHER.get(type(op)):
        changed = (
            _with(node, ops=[other(), *node.ops[1:]]) if isinstance(node, ast.Compare) else _with(node, op=other())
        )
        yield f"{type(op).__name__} is {other.__name__}: {ast.unparse(node)[:60]}", changed


def _has_text(node: ast.Constant) -> bool:
    return isinstance(node.value, str)


def _is_text(node: ast.BinOp) -> bool:
    """Whether an operand is text, or a constant of the module that is: texts cannot be subtracted."""
    sides = (node.left, node.right)
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        or (isinstance(side, ast.Name) and side.id.isupper() and side.id.startswith("_"))
        or (isinstance(side, ast.BinOp) and _is_text(side))
        or isinstance(side, ast.IfExp)
        for side in sides
    )


def _constants(node: ast.Constant) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node.value, bool):
        yield f"{node.value} is {not node.value}", ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield f"{node.value} is {node.value + 1}", ast.Constant(node.value + 1)
    elif isinstance(node.value, str):
        yield from _statements(node.value)


def _statements(sql: str) -> Iterator[tuple[str, ast.AST]]:
    """A guard that is missing, another state, a value that is not set; in text that is SQL, or a piece of it."""
    if not (_SQL.search(sql) or _GUARD.search(sql)):
        return
    for found in _GUARD.finditer(sql):
        always = f"{found[2]} IS NOT NULL" if found[2] in {"?", "%(worker)s"} else "1 = 1"  # each value keeps its place
        yield f"no guard {found[1]}", ast.Constant(sql[: found.start(1)] + always + sql[found.end(1) :])
    for found in _STATE.finditer(sql):
        yield f"{found[0]} is 'expired'", ast.Constant(sql[: found.start()] + "'expired'" + sql[found.end() :])
    for found in _SET.finditer(sql):
        name = found[0].partition(" ")[0]
        if "?" not in found[0]:
            yield f"not set: {found[0]}", ast.Constant(f"{sql[: found.start()]}{name} = {name}{sql[found.end() :]}")


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _mutant(tree: ast.Module, part: ast.stmt, node: ast.AST, *, words: str, change: ast.AST) -> Mutant:
    replaced = _Replace(node, change).visit(tree)
    try:
        source = ast.unparse(ast.fix_missing_locations(replaced))
    finally:
        _Replace(change, node).visit(tree)
    name = getattr(part, "name", None) or ast.unparse(getattr(part, "target", part)).partition("\n")[0][:40]
    return Mutant(line=getattr(node, "lineno", 0), words=words, part=name, source=source)


class _Replace(ast.NodeTransformer):
    """Puts one node in the place of another, and nothing else."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else self.generic_visit(node)
