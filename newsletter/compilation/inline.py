"""
premailer: style sheets marked for it are written into `style` attributes.

Takes HTML whose sheets to inline begin with `INLINE_MARK`, yields HTML without them. Everything else stays as it is:
the other sheets, conditional comments, duplicate declarations kept as fallbacks, attributes and what is escaped in
them. Promises no network and no file access (premailer alone would fetch `@import` even where told not to), no log
lines, and safety across threads.
"""

import logging
import re
from itertools import count
from threading import Lock
from typing import Any, Final

import cssutils
from premailer import Premailer

from newsletter.compilation.mjml import INLINE_MARK

_PARTS: Final = re.compile(r"(<!--.*?-->)", re.DOTALL)
_STYLE: Final = re.compile(r"<style\b(?P<attributes>[^>]*)>(?P<mark>/\*inline\*/)?")
_DOCTYPE: Final = re.compile(r"<!doctype html>", re.IGNORECASE)
_STYLE_ATTRIBUTE: Final = re.compile(r'(?<= style=")[^"]*(?=")')
_INLINE_SHEET: Final = re.compile(r"(?<=/\*inline\*/).*?(?=</style>)", re.DOTALL)
_BLOCK: Final = re.compile(r"(?<=\{)[^{}]*(?=\})")
_DECLARATION: Final = re.compile(r"(?:[^;&(]|\([^)]*\)|&[#\w]+;|&)+")
_IGNORED: Final = re.compile(r'(<style\b[^>]*?) data-premailer="ignore"')

_SIGNS: Final = {"&lt;": "lt-", "&gt;": "gt-"}
"""
What premailer would write as `<` and `>` into attributes.

HTML allows it, but Outlook looks for its conditional comments there too.
"""

_LOCK: Final = Lock()
"""cssutils keeps its parser's state and its log in module globals."""


class _Offline(Premailer):  # type: ignore[misc]  # premailer has no types
    """premailer that can reach nothing outside the text it was given."""

    def _parse_css_string(self, css_body: str, validate: bool = False) -> Any:  # noqa: FBT001, FBT002  premailer's signature
        del validate
        parser = cssutils.CSSParser(fetcher=lambda _url: None, validate=False, loglevel=logging.CRITICAL)
        return parser.parseString(css_body, validate=False)

    def _load_external(self, url: str) -> str:
        raise AssertionError(f"premailer tried to load {url}")


def inlined(html: str) -> str:
    """The HTML with its marked style sheets inlined."""
    mask = _mask_absent_from(html)
    with _LOCK:
        cssutils.log.setLevel(logging.CRITICAL)
        done = _Offline(
            _prepared(html, mask),
            keep_style_tags=False,
            strip_important=False,
            include_star_selectors=False,
            align_floating_images=False,
            remove_unset_properties=False,
            disable_basic_attributes=["width", "height", "align", "valign", "bgcolor"],
            disable_validation=True,
            disable_leftover_css=True,
            cache_css_parsing=False,
            allow_network=False,
            allow_loading_external_files=False,
        ).transform(pretty_print=False)
    done = re.sub(rf"{mask}\d+-", "", _IGNORED.sub(r"\1", str(done))).strip() + "\n"
    for reference, name in _SIGNS.items():
        done = done.replace(mask + name, reference)
    return done


def _mask_absent_from(html: str) -> str:
    return next(mask for number in count() if (mask := f"x{number}-kept-") not in html)


def _prepared(html: str, mask: str) -> str:
    # premailer drops a doctype in small letters, and a browser without one is in quirks mode.
    html = _DOCTYPE.sub("<!DOCTYPE html>", html, count=1)
    parts = _PARTS.split(html)
    return "".join(part if part.startswith("<!--") else _marked(part, mask) for part in parts)


def _marked(part: str, mask: str) -> str:
    def masked(found: re.Match[str]) -> str:
        return _with_fallbacks(found[0], mask)

    for reference, name in _SIGNS.items():
        part = part.replace(reference, mask + name)
    part = _STYLE_ATTRIBUTE.sub(masked, part)
    part = _INLINE_SHEET.sub(lambda sheet: _BLOCK.sub(masked, sheet[0]), part)
    return _STYLE.sub(_ignored_unless_marked, part)


def _ignored_unless_marked(found: re.Match[str]) -> str:
    if found["mark"]:
        return f"<style{found['attributes']}>{INLINE_MARK}"
    return f'<style{found["attributes"]} data-premailer="ignore">'


def _with_fallbacks(style: str, mask: str) -> str:
    """
    Put `mask` and a number before all but the last declaration of a property.

    cssutils keeps only the last of several, but `background:#fff;background:linear-gradient(…)` means both: the first
    is for mail programs that cannot read the second. The masks are taken away again afterwards.
    """
    declarations = [part for part in _DECLARATION.findall(style) if part.strip()]
    names = [part.partition(":")[0].strip().lower() for part in declarations]
    if len(set(names)) == len(names):
        return style
    numbers = count()
    kept = [
        f"{mask}{next(numbers)}-{part.strip()}" if name in names[index + 1 :] else part
        for index, (name, part) in enumerate(zip(names, declarations, strict=True))
    ]
    return ";".join(kept)
