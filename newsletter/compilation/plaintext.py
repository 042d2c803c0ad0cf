"""
The text part, put in order.

Takes what the theme's text template gave, yields lines that can be read aloud one after the other: at most 78 columns
unless an address is longer (RFC 5322 §2.1.1), no blank at a line's end, never two empty lines together, one line end at
the end. Pure.
"""

import re
import textwrap
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

LONGEST_LINE: Final = 78
"""Columns of a line (RFC 5322 §2.1.1)."""

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def normalised(text: str) -> str:
    """The text with its lines in order."""
    plain = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = [line for raw in re.split(r"[\n\u2028\u2029]", plain) for line in _folded(raw.rstrip())]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _folded(line: str) -> list[str]:
    if len(line) <= LONGEST_LINE:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    words = line.expandtabs(4).strip()
    return textwrap.wrap(
        words,
        LONGEST_LINE,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def links_missing(text: str, links: Iterable[str]) -> tuple[str, ...]:
    """
    Which of the links of the HTML the text does not show.

    Addresses are compared after percent-decoding and without fragment; `mailto:` and `tel:` may stand without their
    scheme. Links inside the document do not count.
    """
    shown = unquote(text)
    return tuple(link for link in links if not link.startswith("#") and _bare(link) not in shown)


def _bare(link: str) -> str:
    scheme, _, rest = link.partition(":")
    return unquote(rest.partition("?")[0] if scheme.lower() in {"mailto", "tel"} else link.partition("#")[0])
