"""
An edition as nobody in particular reads it, for everything that stands beside the mail.

Takes an artifact and its edition, yields the mail's own head and body with every slot at its default words and without
what only its reader, or only a mail program, can use: the reader's own links with the sentence around them, the words
that say why the mail came, the link to the page that this already is, the line for the inbox, the comments for Outlook.
Promises that no value of a reader is even asked for. Pure.

Works on the tags of finished HTML: the inliner has written `<` and `>` in words and attributes as entities, attributes
in quotes (single ones where the words have double ones), and every element that is not void with its end tag, unless it
is one that needs none (`li`, `p`) and has nothing in it.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from html import escape, unescape
from typing import Final

from newsletter.assembly.edition import Edition
from newsletter.compilation.artifact import SAMPLE, Artifact
from newsletter.compilation.message import Values
from newsletter.compilation.slots import Slots, System, unslotted
from newsletter.words import catalogue

TOKEN: Final = re.compile(r"(<[^<>]+>)")
"""Cuts finished HTML into tags and what stands between them."""

VOID: Final = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
"""Elements without an end tag (HTML Living Standard, §13.1.2)."""

_COMMENTS: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_NAME: Final = re.compile(r"</?([a-zA-Z][\w-]*)")
_ATTRIBUTE: Final = re.compile(r"""(\s)([\w:-]+)=(?:"([^"]*)"|'([^']*)')""")
_WORDS: Final = re.compile(r"\w+")

_FRAMES: Final = frozenset({"p", "li", "ul", "ol", "div", "span", "b", "strong", "i", "em"})
"""Elements that go with the last thing they held; cells stay, because their row counts them."""

_SHORT: Final = 16
"""Tags and words of an element that may be a single sentence: longer ones need not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeutralPage:
    """What stands between the tags of `head`, and the body with its own tags."""

    head: str
    body: str


def neutral_page(artifact: Artifact, edition: Edition) -> NeutralPage:
    """The finished HTML of an edition for nobody in particular."""
    slots = Slots.known(artifact.nonce, artifact.slots)
    unsubscribe, preferences = slots.url(System.UNSUBSCRIBE), slots.url(System.PREFERENCES)
    # The reader's own addresses stay tokens until their links are found; all other values are empty.
    nobody = Values(
        address="", message_id="", date=SAMPLE.date, unsubscribe_url=unsubscribe, preferences_url=preferences
    )
    html = _COMMENTS.sub("", artifact.html_for(nobody))
    head, rest = html.partition("<body")[::2]
    body = f"<body{rest.partition('</body>')[0]}</body>"
    useless = {unsubscribe, preferences, edition.web_view}
    body = _pruned(body, useless=useless, sentences=_spoken_to_readers(edition))
    body = body.replace(f'href="{escape(edition.web_view)}#', 'href="#')
    for token in (unsubscribe, preferences):
        body = body.replace(token, "")
    return NeutralPage(head=head.partition("<head>")[2].partition("</head>")[0], body=body)


def attributes(tag: str) -> dict[str, str]:
    """The attributes of a tag, as plain text."""
    return {name: unescape(double or single) for _, name, double, single in _ATTRIBUTE.findall(tag)}


def name_of(token: str) -> str:
    """The name of a tag's element in small letters; of anything else nothing."""
    found = _NAME.match(token)
    return found[1].lower() if found else ""


def with_addresses(html: str, change: Callable[[str], str]) -> str:
    """The HTML with every `href` and `src` as `change` gives it."""

    def changed(found: re.Match[str]) -> str:
        space, name, double, single = found.groups(default="")
        if name not in {"href", "src"}:
            return found[0]
        return f'{space}{name}="{escape(change(unescape(double or single)))}"'

    def tag(found: re.Match[str]) -> str:
        return _ATTRIBUTE.sub(changed, found[0])

    return TOKEN.sub(tag, html)


def _spoken_to_readers(edition: Edition) -> frozenset[tuple[str, ...]]:
    """The theme's sentences that are true for subscribers alone, word by word."""
    say = catalogue(edition.language).say
    name = unslotted(edition.name.text)
    sentences = (
        say("You receive this because you subscribed to {newsletter}.", newsletter=name),
        say("Sent to {email}", email=""),
        *([edition.counting.words] if edition.counting else []),
    )
    return frozenset(_words(sentence) for sentence in sentences)


def _pruned(body: str, *, useless: Collection[str], sentences: Collection[tuple[str, ...]]) -> str:
    tree = _Tree(TOKEN.split(body))
    for element in tree.elements:
        tag = attributes(tree.tokens[element.start])
        if "display:none" in tag.get("style", "").replace(" ", "") or tag.get("href") in useless:
            tree.drop(element)
    # Only now, for the links may have stood beside the sentence.
    for element in tree.elements:
        if tree.words_of(element) in sentences:
            tree.drop(element)
    return "".join(tree.kept())


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORDS.findall(text))


@dataclass(frozen=True, slots=True)
class _Element:
    """From the token of its start tag to that of its end tag, both included; the body is its own parent."""

    start: int
    end: int
    parent: int


class _Tree:
    """The elements of a body, in the order of their start tags, and which of its tokens are gone."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tokens
        self.elements = _elements(tokens)
        self._gone = bytearray(len(tokens))

    def kept(self) -> Iterator[str]:
        """What is left."""
        return (token for token, gone in zip(self.tokens, self._gone, strict=True) if not gone)

    def words_of(self, element: _Element) -> tuple[str, ...]:
        """What is left of the words of a short element without a picture; of any other nothing."""
        inside = range(element.start, min(element.end, element.start + _SHORT + 1))
        left = [self.tokens[index] for index in inside if not self._gone[index]]
        if len(inside) > _SHORT or any(name_of(token) == "img" for token in left):
            return ()
        return _words(unescape("".join(token for token in left if not token.startswith("<"))))

    def drop(self, element: _Element) -> None:
        """Take away an element, and each element around it that then says and shows nothing."""
        self._gone[element.start : element.end + 1] = b"\1" * (element.end + 1 - element.start)
        around = self.elements[element.parent]
        if name_of(self.tokens[around.start]) in _FRAMES and not self._holds(around):
            self.drop(around)

    def _holds(self, element: _Element) -> bool:
        inside = range(element.start + 1, element.end)
        return any(_is_content(self.tokens[index]) for index in inside if not self._gone[index])


def _is_content(token: str) -> bool:
    return name_of(token) == "img" if token.startswith("<") else bool(_WORDS.search(unescape(token)))


def _elements(tokens: Sequence[str]) -> list[_Element]:
    found: list[_Element] = []
    open_: list[int] = []
    for index, token in enumerate(tokens):
        if token.startswith("</"):
            while name_of(tokens[found[open_[-1]].start]) != name_of(token):
                last = open_.pop()  # an item of a list with nothing in it
                found[last] = _Element(found[last].start, found[last].start, found[last].parent)
            last = open_.pop()
            found[last] = _Element(found[last].start, index, found[last].parent)
        elif (name := name_of(token)) and name not in VOID:
            open_.append(len(found))
            found.append(_Element(index, index, open_[-2] if len(open_) > 1 else 0))
    return found
