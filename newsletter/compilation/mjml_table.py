"""
The part of MJML that themes may use: tags, attributes, values and what may stand in what.

Facts from the MJML documentation (documentation.mjml.io, version 4), as a table of our own. Left out on purpose:
components whose icons are fetched from other hosts or that mjml-python renders differently from the documentation
(`REFUSED` says why).
"""

import re
from collections.abc import Mapping
from typing import Final

_PADDING: Final = ("padding", "padding-top", "padding-right", "padding-bottom", "padding-left")
_BORDER: Final = ("border", "border-top", "border-right", "border-bottom", "border-left", "border-radius")
_BACKGROUND: Final = (
    "background-color",
    "background-url",
    "background-repeat",
    "background-size",
    "background-position",
    "background-position-x",
    "background-position-y",
)
_FONT: Final = ("color", "font-family", "font-size", "font-style", "font-weight", "line-height", "text-decoration")
_LINK: Final = ("href", "rel", "target", "title", "name")
_BOX: Final = (*_PADDING, "align", "container-background-color")
_ICON: Final = ("icon-size", "icon-height", "icon-padding", "text-padding", "border-radius")

ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = {
    "mjml": frozenset({"lang", "dir"}),
    "mj-head": frozenset(),
    "mj-title": frozenset(),
    "mj-preview": frozenset(),
    "mj-attributes": frozenset(),
    "mj-all": frozenset(),
    "mj-class": frozenset({"name"}),
    "mj-breakpoint": frozenset({"width"}),
    "mj-style": frozenset({"inline"}),
    "mj-raw": frozenset(),
    "mj-body": frozenset({"background-color", "width"}),
    "mj-wrapper": frozenset({*_BACKGROUND, *_BORDER, *_PADDING, "direction", "full-width", "text-align"}),
    "mj-section": frozenset({*_BACKGROUND, *_BORDER, *_PADDING, "direction", "full-width", "text-align"}),
    "mj-group": frozenset({"background-color", "direction", "vertical-align", "width"}),
    "mj-column": frozenset(
        {
            *_BORDER,
            *_PADDING,
            *(f"inner-{name}" for name in _BORDER),
            "background-color",
            "direction",
            "inner-background-color",
            "vertical-align",
            "width",
        }
    ),
    "mj-hero": frozenset(
        {
            *_BACKGROUND,
            *_PADDING,
            "background-height",
            "background-width",
            "border-radius",
            "height",
            "mode",
            "vertical-align",
            "width",
        }
    ),
    "mj-text": frozenset({*_BOX, *_FONT, "height", "letter-spacing", "text-transform"}),
    "mj-button": frozenset(
        {
            *_BOX,
            *_BORDER,
            *_FONT,
            *_LINK,
            "background-color",
            "height",
            "inner-padding",
            "letter-spacing",
            "text-align",
            "text-transform",
            "vertical-align",
            "width",
        }
    ),
    "mj-image": frozenset(
        {
            *_BOX,
            *_BORDER,
            *_LINK,
            "alt",
            "fluid-on-mobile",
            "font-size",
            "height",
            "max-height",
            "sizes",
            "src",
            "srcset",
            "width",
        }
    ),
    "mj-divider": frozenset({*_BOX, "border-color", "border-style", "border-width", "width"}),
    "mj-spacer": frozenset({*_PADDING, "container-background-color", "height"}),
    "mj-table": frozenset({*_BOX, *_FONT, "border", "cellpadding", "cellspacing", "table-layout", "width"}),
    "mj-social": frozenset({*_BOX, *_FONT, *_ICON, "inner-padding", "mode", "table-layout"}),
    "mj-social-element": frozenset(
        {*_PADDING, *_FONT, *_ICON, *_LINK, "align", "alt", "background-color", "src", "vertical-align"}
    ),
}
"""The attributes of each tag, beside `css-class` and `mj-class`, which every tag of the body has."""

_CONTENT: Final = frozenset(
    {"mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer", "mj-table", "mj-social", "mj-raw"}
)

CHILDREN: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"mjml"}),
    "mjml": frozenset({"mj-head", "mj-body"}),
    "mj-head": frozenset({"mj-title", "mj-preview", "mj-attributes", "mj-breakpoint", "mj-style", "mj-raw"}),
    "mj-attributes": frozenset({"mj-all", "mj-class", *_CONTENT, "mj-body", "mj-wrapper", "mj-section", "mj-group"})
    | {"mj-column", "mj-hero", "mj-social-element"},
    "mj-body": frozenset({"mj-wrapper", "mj-section", "mj-hero", "mj-raw"}),
    "mj-wrapper": frozenset({"mj-section", "mj-hero", "mj-raw"}),
    "mj-section": frozenset({"mj-column", "mj-group", "mj-raw"}),
    "mj-group": frozenset({"mj-column", "mj-raw"}),
    "mj-column": _CONTENT,
    "mj-hero": _CONTENT,
    "mj-social": frozenset({"mj-social-element"}),
}
"""What may stand directly in what; tags that are no key here hold HTML or words."""

WORDS: Final = frozenset({"mj-title", "mj-preview", "mj-style"})
"""Tags that hold words only."""

MARKUP: Final = frozenset({"mj-text", "mj-button", "mj-table", "mj-raw", "mj-social-element"})
"""Tags that hold HTML."""

REFUSED: Final[Mapping[str, str]] = {
    "mj-include": "an included section loses its width: use Jinja2's include",
    "mj-font": "a font from another host tells it who reads: name fonts the reader has",
    "mj-html-attributes": "mjml-python does not know it",
    "mj-accordion": "its icons are fetched from another host",
    "mj-carousel": "its icons are fetched from another host",
    "mj-navbar": "its menu needs a checkbox, which most mail programs drop",
}
"""Tags of MJML that a theme may not use, and why."""

HTML: Final = frozenset(
    {
        *("a", "abbr", "b", "bdi", "bdo", "br", "cite", "code", "del", "dfn", "em", "i", "img", "ins", "kbd", "mark"),
        *("q", "s", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr"),
        *("address", "blockquote", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p"),
        *("pre", "ul", "table", "tbody", "td", "tfoot", "th", "thead", "tr"),
    }
)
"""HTML that may stand in a mail: what is missing here, mail programs remove or run."""

HEAD_HTML: Final = frozenset({"meta", "style"})
"""HTML that may stand in `mj-raw` inside `mj-head`."""

VOID: Final = frozenset({"br", "hr", "img", "wbr", "meta"})
"""HTML without an end tag."""

BLOCKS: Final = frozenset({"table", "tbody", "thead", "tfoot", "tr", "td", "th"})
"""HTML that the inliner's parser would pull out of a link."""

_COLOUR: Final = r"#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?|transparent|none|inherit|rgba?\([0-9., %]+\)|[a-z]{3,20}"
_LENGTH: Final = r"-?\d+(?:\.\d+)?(?:px|%|em)|0"
_LENGTHS: Final = rf"(?:{_LENGTH})(?: (?:{_LENGTH})){{0,3}}"

_BY_VALUE: Final[Mapping[str, tuple[str, ...]]] = {
    _COLOUR: ("color", "background-color", "inner-background-color", "container-background-color", "border-color"),
    _LENGTHS: (*_PADDING, "inner-padding", "icon-padding", "text-padding", "border-radius", "inner-border-radius"),
    rf"{_LENGTH}|auto": ("width", "height", "max-height", "icon-size", "icon-height", "background-width"),
    rf"{_LENGTH}": ("font-size", "border-width", "background-height"),
    rf"{_LENGTH}|normal": ("letter-spacing",),
    rf"{_LENGTH}|\d+(?:\.\d+)?|normal": ("line-height",),
    r"left|right|center|justify": ("align", "text-align"),
    r"top|middle|bottom": ("vertical-align",),
    r"ltr|rtl": ("direction", "dir"),
    r"[1-9]00|normal|bold|bolder|lighter": ("font-weight",),
    r"normal|italic|oblique": ("font-style",),
    r"none|capitalize|uppercase|lowercase": ("text-transform",),
    r"none|underline|overline|line-through": ("text-decoration",),
    r"solid|dashed|dotted|double|none": ("border-style",),
    r"full-width|false": ("full-width",),
    r"inline": ("inline",),
    r"horizontal|vertical|fluid-height|fixed-height": ("mode",),
    r"auto|fixed|initial|inherit": ("table-layout",),
    r"true": ("fluid-on-mobile",),
    r"\d+": ("cellpadding", "cellspacing"),
    r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*": ("lang",),
    r"(?:https?://|mailto:|tel:|#).+": ("href",),
    r"https?://.+": ("src", "background-url"),
}

VALUES: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern) for pattern, names in _BY_VALUE.items() for name in names
}
"""How the value of an attribute must look; other attributes take any value."""
