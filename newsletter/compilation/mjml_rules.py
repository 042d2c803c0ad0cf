"""
Our MJML rules: what a theme's MJML must keep, checked before any library sees it.

Takes MJML, yields problems with line and column. mjml-python says nothing about unknown tags and attributes, wrong
values, wrong nesting, bare text or markup left open in `mj-raw`: it renders them as something else. It reports other
mistakes by byte offset only, and very deep markup kills the process. So all of it is looked for here. Pure.
"""

import re
from html.parser import HTMLParser
from typing import Final

from newsletter.compilation.mjml_table import (
    ATTRIBUTES,
    BLOCKS,
    CHILDREN,
    HEAD_HTML,
    HTML,
    MARKUP,
    REFUSED,
    VALUES,
    VOID,
    WORDS,
)
from newsletter.errors import Problem

DEEPEST: Final = 200
"""Levels of markup: libxml2 drops text below 256, mjml-python dies some way above 7,000."""

LONGEST: Final = 2_000_000
"""Characters of MJML: twenty times what Gmail shows of a mail."""

MOST_PROBLEMS: Final = 50
"""Problems reported at once: one mistake near the top can make hundreds."""

_QUOTED: Final = re.compile(r"""<[^\s/>]+(?:\s+[^\s=/>"']+="[^"<]*")*\s*/?>""", re.DOTALL)
_INLINE_ONLY: Final = re.compile(r"@|!important|(?<!\w)\*|\w:[a-z-]+[^{};]*\{")
_IMPORT: Final = re.compile(r"@import|@font-face", re.IGNORECASE)


def check_mjml(source: str) -> tuple[Problem, ...]:
    """The problems of a MJML document, in order; none means that mjml-python may have it."""
    if len(source) > LONGEST:
        return (Problem(message=f"the MJML has {len(source):,} characters, more than {LONGEST:,}"),)
    rules = _Rules()
    try:
        rules.feed(source)
        rules.close()
        rules.finish()
    except _TooDeep:
        pass
    return tuple(rules.problems[:MOST_PROBLEMS])


class _TooDeep(Exception):  # noqa: N818  ends the walk: what follows would take quadratic time to read
    pass


class _Rules(HTMLParser):
    """Walks the document; `_open` is the tags that are open, innermost last."""

    CDATA_CONTENT_ELEMENTS = ()  # type: ignore[misc]  # final for typeshed, an attribute of the class in the library

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.problems: list[Problem] = []
        self._open: list[tuple[str, int, int]] = []
        self._body_seen = False

    def finish(self) -> None:
        for tag, line, column in reversed(self._open):
            self._problem(f"<{tag}> is never closed", at=(line, column))
        if not self._body_seen and not self.problems:
            self._problem("there is no <mj-body>")
        self.problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look(tag, attrs)
        if tag not in VOID:
            line, offset = self.getpos()
            self._open.append((tag, line, offset + 1))
            if len(self._open) == DEEPEST + 1:
                self._problem(f"markup is nested more than {DEEPEST} deep")
                raise _TooDeep

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look(tag, attrs)
        if not tag.startswith("mj") and tag not in VOID:
            self._problem(f"<{tag}/> does not close itself in HTML")

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            self._open.pop()
        elif tag in VOID:
            self._problem(f"</{tag}>: this tag has no end")
        elif tag in (name for name, _, _ in self._open):
            self._close_to(tag)
        else:
            self._problem(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        place = self._component()
        if "<" in data:
            self._problem("a bare < : write &lt;", skip=data[: data.index("<")])
        if place in MARKUP:
            return self._check_raw(data)
        if place == "mj-style":
            return self._check_style(data)
        if place not in WORDS and data.strip():
            self._problem(f"words stand directly in {_named(place)}", skip=data[: _indent(data)])
        return None

    def handle_entityref(self, name: str) -> None:
        self._words(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._words(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self._problem(f"<!{decl}> cannot stand in MJML")

    def unknown_decl(self, data: str) -> None:
        self._problem(f"<![{data[:20]}]> cannot stand in MJML")

    def handle_pi(self, data: str) -> None:
        self._problem(f"<?{data[:20]}> cannot stand in MJML")

    def _words(self, words: str) -> None:
        place = self._component()
        if place not in MARKUP and place not in WORDS:
            self._problem(f"words stand directly in {_named(place)}: {words}")

    def _look(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raw = self.get_starttag_text() or ""
        if not _QUOTED.fullmatch(raw):
            self._problem(f"<{tag}>: every attribute needs a value in double quotes, without <")
        if raw[1 : len(tag) + 1] != tag:
            self._problem(f"<{raw[1 : len(tag) + 1]}>: write tags in lower case")
        names = [name for name, _ in attrs]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._problem(f"<{tag}> has {name} twice")
        if tag == "mjml" or tag.startswith("mj-"):
            self._look_at_component(tag, attrs)
        else:
            self._look_at_html(tag, attrs)

    def _look_at_component(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        parent = self._open[-1][0] if self._open else ""
        if tag in REFUSED:
            return self._problem(f"<{tag}> may not be used: {REFUSED[tag]}")
        if tag not in ATTRIBUTES:
            return self._problem(f"there is no tag <{tag}>")
        if tag not in CHILDREN.get(parent, frozenset()):
            self._problem(f"<{tag}> cannot stand in {_named(parent)}")
        self._body_seen = self._body_seen or tag == "mj-body"
        for name, value in attrs:
            self._check_attribute(tag, name, value or "")
        if tag in {"mj-image", "mj-social-element"} and parent != "mj-attributes":
            self._check_picture(tag, {name for name, _ in attrs})
        return None

    def _check_attribute(self, tag: str, name: str, value: str) -> None:
        if name in {"css-class", "mj-class"} and tag not in {"mjml", "mj-head"}:
            return
        defaults = tag in {"mj-all", "mj-class"} and any(name in known for known in ATTRIBUTES.values())
        if name not in ATTRIBUTES[tag] and not defaults:
            self._problem(f"<{tag}> has no attribute {name}")
        elif name in VALUES and not VALUES[name].fullmatch(value.strip()):
            self._problem(f'<{tag}>: {name}="{value}" is not a value it can have')

    def _check_picture(self, tag: str, names: set[str]) -> None:
        for name in sorted({"alt", "src"} - names):
            self._problem(f"<{tag}> needs {name}")

    def _look_at_html(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        place = self._component()
        in_head = any(name == "mj-head" for name, _, _ in self._open)
        if place not in MARKUP:
            self._problem(f"<{tag}> cannot stand in {_named(place)}")
        elif tag not in (HEAD_HTML if in_head else HTML):
            self._problem(f"<{tag}> may not be used in a mail")
        if tag in BLOCKS and any(name == "a" for name, _, _ in self._open):
            self._problem(f"<{tag}> inside a link: the link would be lost")
        if tag == "img" and "alt" not in {name for name, _ in attrs}:
            self._problem("<img> needs alt")
        for name, _ in attrs:
            if name.startswith("on"):
                self._problem(f"<{tag}> may not have {name}")
        if place == "mj-raw" and not in_head and self._open[-1][0] == "mj-raw":
            self._check_row(tag)

    def _check_row(self, tag: str) -> None:
        holder = self._open[-2][0] if len(self._open) > 1 else ""
        if holder in {"mj-column", "mj-hero"} and tag != "tr":
            self._problem(f"<{tag}> in <mj-raw> stands between table rows: wrap it in <tr><td>")

    def _check_raw(self, data: str) -> None:
        if self._open[-1][0] == "mj-raw" and data.strip():
            self._problem("words stand directly in <mj-raw>", skip=data[: _indent(data)])
        if self._open[-1][0] == "style":
            self._check_style(data)

    def _check_style(self, data: str) -> None:
        if found := _IMPORT.search(data):
            self._problem(f"{found[0]} fetches from another host", skip=data[: found.start()])
        if self._inline_sheet() and (found := _INLINE_ONLY.search(_without_comments(data))):
            what = found[0].split("{")[0].strip()
            self._problem(f"{what!r} cannot be inlined: put the rule into an mj-style without inline")

    def _inline_sheet(self) -> bool:
        return self._open[-1][0] == "mj-style" and "inline=" in self._style_tag

    @property
    def _style_tag(self) -> str:
        return self.get_starttag_text() or ""

    def _component(self) -> str:
        """The innermost MJML tag that is open, or nothing."""
        return next((tag for tag, _, _ in reversed(self._open) if tag.startswith("mj")), "")

    def _close_to(self, tag: str) -> None:
        while (last := self._open.pop())[0] != tag:
            name, line, column = last
            self._problem(f"<{name}> is not closed before </{tag}>", at=(line, column))

    def _problem(self, message: str, *, at: tuple[int, int] | None = None, skip: str = "") -> None:
        line, offset = self.getpos()
        line, column = at or (line, offset + 1)
        if skip:
            column = len(skip) - skip.rfind("\n") if "\n" in skip else column + len(skip)
            line += skip.count("\n")
        self.problems.append(Problem(message=message, line=line, column=column))


def _named(tag: str) -> str:
    return f"<{tag}>" if tag else "the document"


def _indent(data: str) -> int:
    return len(data) - len(data.lstrip())


def _without_comments(css: str) -> str:
    return re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
