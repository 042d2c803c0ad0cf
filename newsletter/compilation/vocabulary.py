"""
What a template can say: the functions and values described in `templates.py`.

Takes a theme, an edition and its slots, yields the names for the MJML and for the text template. In MJML everything
that officers wrote comes out escaped; in text it comes out plain. Both have the same tokens for the same slots.
"""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, Protocol

from markupsafe import Markup, escape

from newsletter.assembly.edition import Anchor, Direction, Phrase
from newsletter.compilation.slots import Slots
from newsletter.compilation.theme import ThemeFolder, palette
from newsletter.content.entry import Action
from newsletter.content.markdown import to_html, to_inline_html, to_text
from newsletter.content.newsletter import Theme
from newsletter.words import Catalogue, catalogue

FILTERS: Final = ("phrase", "plain", "mark", "md", "md_inline", "text", "wrap", "rule")
"""The functions that may also be written as filters."""

WIDTH: Final = 72
"""Characters in a line of the text part: leaves room for a reply's quotation marks below 78 (RFC 5322 §2.1.1)."""

ACTIONS: Final[Mapping[Action, str]] = {
    Action.REGISTER: "Register",
    Action.READ_MORE: "Read more",
    Action.INFORMATION: "Information",
    Action.DOWNLOAD: "Download",
    Action.PROGRAMME: "Programme",
    Action.WATCH: "Watch",
}
"""The theme's words for each action, before translation."""

_PROPER: Final = {
    "linkedin": "LinkedIn",
    "youtube": "YouTube",
    "peertube": "PeerTube",
    "tiktok": "TikTok",
    "whatsapp": "WhatsApp",
    "github": "GitHub",
    "rss": "RSS",
}
"""Names whose capitals are not simply the first letter."""


class Dressed(Protocol):
    """What is dressed by a theme: an edition, or a letter (see `single`)."""

    @property
    def language(self) -> str:
        """The language of its words."""
        ...

    @property
    def dir(self) -> Direction:
        """How its script runs."""
        ...

    @property
    def theme(self) -> Theme:
        """Which theme, in which colour."""
        ...


def names_for_mjml(theme: ThemeFolder, edition: Dressed, *, slots: Slots) -> dict[str, object]:
    """The names of a `.mjml.j2` template."""
    return {**_values(theme, edition, slots=slots), **_Markup(slots, catalogue(edition.language)).names()}


def names_for_text(theme: ThemeFolder, edition: Dressed, *, slots: Slots) -> dict[str, object]:
    """The names of a `.txt.j2` template."""
    return {**_values(theme, edition, slots=slots), **_Plain(slots, catalogue(edition.language)).names()}


def _values(theme: ThemeFolder, edition: Dressed, *, slots: Slots) -> dict[str, object]:
    colours = palette(theme.manifest, edition.theme.accent)
    schemes = {"light": SimpleNamespace(**colours.light), "dark": SimpleNamespace(**colours.dark)}
    words = catalogue(edition.language)
    start, end = ("right", "left") if edition.dir == "rtl" else ("left", "right")
    return {
        "edition": edition,
        "words_language": None if _same(words.language, edition.language) else words.language,
        "url": slots.url,
        "slot": slots.text,
        "proper_name": proper_name,
        "colours": SimpleNamespace(brand=colours.brand, **schemes),
        "fonts": SimpleNamespace(**_known(theme.manifest.fonts, _families(edition.theme))),
        "options": SimpleNamespace(**_known(theme.manifest.options, edition.theme.options)),
        "start": start,
        "end": end,
    }


def _families(theme: Theme) -> dict[str, str]:
    return {name: face.family for name, face in theme.fonts.items()}


def _known(lent: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest names, as the newsletter has it where it says so."""
    return {name: own.get(name, value) for name, value in lent.items()}


def _same(language: str, other: str) -> bool:
    return language.partition("-")[0].lower() == other.partition("-")[0].lower()


def proper_name(network: str) -> str:
    """A social network's name as it writes itself."""
    return _PROPER.get(network.lower(), network[:1].upper() + network[1:])


def wrap(text: str, width: int = WIDTH, indent: str = "", first: str | None = None) -> str:
    """One paragraph in lines of at most `width` characters; only a longer word (an address) makes a longer line."""
    start = indent if first is None else first
    return textwrap.fill(
        text,
        width,
        initial_indent=start,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def rule(text: str, char: str = "-") -> str:
    """The text with a line under it, as long as its longest line."""
    return f"{text}\n{char * max((len(line) for line in text.splitlines()), default=0)}"


@dataclass(frozen=True, slots=True)
class _Plain:
    """The vocabulary of the text part."""

    slots: Slots
    words: Catalogue

    def names(self) -> dict[str, object]:
        own: tuple[Callable[..., str], ...] = (
            self.say,
            self.say_n,
            self.action_words,
            self.spoken,
            self.text,
            self.mark,
        )
        shared = {"phrase": self.plain, "plain": self.plain, "wrap": wrap, "rule": rule}
        return {**{function.__name__: function for function in own}, **shared}

    def say(self, msgid: str, /, *, context: str = "", **values: object) -> str:
        return self.words.say(msgid, context=context, **values)

    def say_n(self, singular: str, plural: str, n: int, /, *, context: str = "", **values: object) -> str:
        return self.words.say_n(singular, plural, n, context=context, **values)

    def plain(self, phrase: Phrase | str | None) -> str:
        return self.mark(_text_of(phrase))

    def mark(self, text: str) -> str:
        return self.slots.mark(text)

    def action_words(self, anchor: Anchor) -> str:
        return self.plain(anchor.label) if anchor.action is None else self.say(ACTIONS[anchor.action])

    def spoken(self, anchor: Anchor) -> str:
        words = self.action_words(anchor)
        if anchor.action is None or not anchor.context.text:
            return words
        return self.say("{action}: {title}", action=words, title=self.plain(anchor.context))

    def text(self, source: str, width: int = WIDTH) -> str:
        return to_text(self.slots.mark(source), width=width)


@dataclass(frozen=True, slots=True)
class _Markup:
    """The vocabulary of MJML: whatever it returns is safe to stand in markup, in text and in a quoted attribute."""

    slots: Slots
    words: Catalogue

    def names(self) -> dict[str, object]:
        own: tuple[Callable[..., Markup], ...] = (
            self.say,
            self.say_n,
            self.action_words,
            self.spoken,
            self.phrase,
            self.plain,
            self.mark,
            self.md,
            self.md_inline,
        )
        return {function.__name__: function for function in own}

    def say(self, msgid: str, /, *, context: str = "", **values: object) -> Markup:
        words = self.words.say(msgid, context=context, **_placeholders(values))
        return escape(words).format(**values)

    def say_n(self, singular: str, plural: str, n: int, /, *, context: str = "", **values: object) -> Markup:
        words = self.words.say_n(singular, plural, n, context=context, **_placeholders(values))
        return escape(words).format(**values)

    def phrase(self, phrase: Phrase | str | None) -> Markup:
        words = self.plain(phrase)
        if not isinstance(phrase, Phrase) or phrase.lang is None:
            return words
        return Markup('<span lang="{}" dir="{}">{}</span>').format(phrase.lang, phrase.dir or "auto", words)

    def plain(self, phrase: Phrase | str | None) -> Markup:
        return self.mark(_text_of(phrase))

    def mark(self, text: str) -> Markup:
        return escape(self.slots.mark(text))

    def action_words(self, anchor: Anchor) -> Markup:
        return self.phrase(anchor.label) if anchor.action is None else self.say(ACTIONS[anchor.action])

    def spoken(self, anchor: Anchor) -> Markup:
        if anchor.action is None:
            return self.plain(anchor.label)
        words = self.say(ACTIONS[anchor.action])
        if not anchor.context.text:
            return words
        return self.say("{action}: {title}", action=words, title=self.plain(anchor.context))

    def md(self, source: str, lang: str | None = None) -> Markup:
        return Markup(to_html(self.slots.mark(source), lang=lang))  # noqa: S704  escaped by the Markdown renderer

    def md_inline(self, source: str, lang: str | None = None) -> Markup:
        return Markup(to_inline_html(self.slots.mark(source), lang=lang))  # noqa: S704  likewise


def _placeholders(values: Mapping[str, object]) -> dict[str, object]:
    # The catalogue's words are escaped first and the values, which may be markup already, put in afterwards.
    return {name: f"{{{name}}}" for name in values}


def _text_of(phrase: Phrase | str | None) -> str:
    return phrase.text if isinstance(phrase, Phrase) else phrase or ""
