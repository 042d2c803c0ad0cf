"""
Links that count: the last thing that happens to an edition whose newsletter has clicks counted.

Takes finished HTML and text, yields what is sent in their place: each link that leads to somebody else goes by an
address of ours, numbered in the order of the HTML, with a slot where the token will stand; and where opened messages
are counted, a picture of one dot at the end. Promises that the reader's own addresses, the pages under our own root,
`mailto:` and everything else that is not http or https stay as they are, and that nothing at all is changed where
nothing is counted. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape
from typing import Final

from newsletter.assembly.edition import Edition
from newsletter.compilation.slots import ORIGIN, Slot, Slots, System
from newsletter.errors import CompilationFailed
from newsletter.links import Links

_HREF: Final = re.compile(
    r"""(<(?:a|area|v:[a-z]+)\b[^<>]*?\shref=)(?:"(https?://[^"<>]*)"|'(https?://[^'<>]*)')""", re.IGNORECASE
)
"""Links, those in comments for Outlook and its vector shapes among them."""

_ENDS: Final = r"(?![\w/?&#=%+~:@$*-]|[.,;!'()]\w)"
"""What follows an address in the text part and is not part of it."""

_DOT: Final = '<img src="{address}" alt="" width="1" height="1" style="display:block;width:1px;height:1px;border:0">'


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What is sent instead of the HTML and the text; `targets` are where the counted links lead, from number 1 on."""

    html: str
    text: str
    targets: tuple[str, ...] = ()


def with_tracking(html: str, text: str, *, edition: Edition, links: Links, slots: Slots) -> Sent:
    """
    Have the links of an edition count, as far as its newsletter wants that.

    Raises CompilationFailed for HTML without an end of its body where the dot would stand.
    """
    if edition.counting is None:
        return Sent(html=html, text=text)
    found = (unescape(match[2] or match[3]) for match in _HREF.finditer(html))
    targets = tuple(dict.fromkeys(url for url in found if _leads_away(url, links)))
    token = slots.token(Slot(System.CLICK)) if targets else ""
    addresses = {url: links.click(f"{token}.{number}") for number, url in enumerate(targets, start=1)}
    page = _HREF.sub(lambda match: _redirected(match, addresses), html)
    if edition.counting.opens:
        page = _with_dot(page, links.opened(slots.token(Slot(System.OPEN))))
    return Sent(html=page, text=_in_text(text, targets, addresses), targets=targets)


def undone(part: str, targets: Sequence[str], *, token: str, markup: bool) -> str:
    """
    A part of a sent message with its links as they were, for comparing it with what it was made of.

    `token` is what stands in the slots. The quoting of links in markup is made the same wherever they come from, so
    what it is compared with has to go through here as well.
    """
    numbered = re.compile(rf"https?://[^\s\"'<>]+/r/{re.escape(token)}\.([0-9]+)")
    dot = re.compile(rf'<img src="[^"<>]+/o/{re.escape(token)}\.gif"[^<>]*>')
    if not markup:
        return numbered.sub(lambda match: _target(match, targets), part)

    def written(match: re.Match[str]) -> str:
        url = unescape(match[2] or match[3])
        return f'{match[1]}"{escape(numbered.sub(lambda found: _target(found, targets), url))}"'

    return dot.sub("", _HREF.sub(written, part))


def _target(match: re.Match[str], targets: Sequence[str]) -> str:
    number = int(match[1])
    return targets[number - 1] if 0 < number <= len(targets) else match[0]


def _leads_away(url: str, links: Links) -> bool:
    roots = (links.root, *([links.media] if links.media else []))
    return not url.startswith((ORIGIN, *(f"{root.rstrip('/')}/" for root in roots))) and url not in roots


def _redirected(match: re.Match[str], addresses: dict[str, str]) -> str:
    url = unescape(match[2] or match[3])
    return f'{match[1]}"{escape(addresses[url])}"' if url in addresses else match[0]


def _with_dot(html: str, address: str) -> str:
    before, end, after = html.rpartition("</body>")
    if not end:
        raise CompilationFailed("the HTML has no end of its body: the theme's layout is broken")
    return f"{before}{_DOT.format(address=escape(address))}{end}{after}"


def _in_text(text: str, targets: Sequence[str], addresses: dict[str, str]) -> str:
    """The text with whole addresses replaced: the longest first, for one may begin like another."""
    if not targets:
        return text
    known = "|".join(re.escape(url) for url in sorted(targets, key=len, reverse=True))
    return re.sub(f"(?:{known}){_ENDS}", lambda match: addresses[match[0]], text)
