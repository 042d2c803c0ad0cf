"""
Feeds: the issues of a newsletter in one language, as RSS 2.0 and as JSON Feed 1.1.

Takes the artifacts and editions that the caller lets the public see, yields bytes. An item has the issue's own address,
title, date, preheader and what the page says, in plain elements without the mail's tables and styles. Promises no
clock (a feed is as new as its newest issue), nothing of a reader, and the same bytes for the same issues.

Sources: the RSS 2.0 specification of the RSS Advisory Board with its modules content and atom; JSON Feed 1.1
(jsonfeed.org/version/1.1).
"""

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from html import escape
from typing import Final

from newsletter.assembly.edition import Edition
from newsletter.compilation.artifact import Artifact
from newsletter.compilation.jsonld import leading_picture
from newsletter.compilation.neutral import TOKEN, attributes, name_of, neutral_page
from newsletter.compilation.slots import unslotted
from newsletter.compilation.templates import render
from newsletter.links import Links
from newsletter.paths import templates
from newsletter.times import rfc3339

_BLOCKS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "blockquote", "pre", "hr"})
_INLINE: Final = frozenset({"a", "b", "strong", "em", "i", "code", "br", "img", "span"})
_KEPT: Final = ("href", "hreflang", "src", "alt", "width", "height", "lang", "dir", "start")
"""Attributes that carry meaning; what is for the eye alone is left to the program that shows the feed."""

_EMPTY: Final = re.compile(r"<(p|span|a)(?: [^<>]*)?>\s*</\1>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A newsletter in one language; `home`, `rss` and `json` are addresses."""

    language: str
    title: str
    home: str
    rss: str
    json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An issue in a feed; `content` is HTML, `image` an address; `modified` says when it was corrected, if it was."""

    url: str
    title: str
    summary: str
    date: dt.date
    content: str
    image: str | None
    modified: dt.datetime | None = None

    @property
    def instant(self) -> dt.datetime:
        """Nine in the morning, UTC: the hour of samples, and the same calendar day nearly everywhere."""
        return dt.datetime.combine(self.date, dt.time(9), dt.UTC)

    @property
    def newest(self) -> dt.datetime:
        """When something of it was new last."""
        return max(self.instant, self.modified or self.instant)

    @property
    def rfc822(self) -> str:
        """Its date as RSS writes it (RFC 822, with four digits of the year)."""
        return format_datetime(self.instant)

    @property
    def updated(self) -> str:
        """When it was corrected, as Atom writes it (RFC 3339); nothing where it was not."""
        return rfc3339(self.modified.replace(microsecond=0)) if self.modified else ""


def channel_of(edition: Edition, *, links: Links) -> Channel:
    """The channel that an edition belongs to."""
    return Channel(
        language=edition.language,
        title=unslotted(edition.name.text),
        home=links.archive(edition.newsletter),
        rss=links.rss(edition.newsletter, edition.language),
        json=links.json_feed(edition.newsletter, edition.language),
    )


def item_of(artifact: Artifact, edition: Edition, *, modified: dt.datetime | None = None) -> Item:
    """An edition as an item of its feed; `modified` says when it was corrected last, if it was."""
    picture = leading_picture(edition)
    words = readable(neutral_page(artifact, edition).body)
    return Item(
        url=edition.web_view,
        title=unslotted(edition.title.text),
        summary=unslotted(edition.preheader.text),
        date=edition.date,
        content=f'<div lang="{edition.language}" dir="{edition.dir}">{words}</div>',
        image=picture.url if picture else None,
        modified=modified,
    )


def rss(channel: Channel, items: Iterable[Item]) -> bytes:
    """The feed as RSS 2.0, the newest issue first."""
    ordered = _newest_first(items)
    built = format_datetime(max(item.newest for item in ordered)) if ordered else ""
    names = {"channel": channel, "items": ordered, "built": built}
    return render(templates() / "web" / "public", "feed.xml.j2", names=names).encode()


def json_feed(channel: Channel, items: Iterable[Item]) -> bytes:
    """The feed as JSON Feed 1.1, the newest issue first."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": channel.title,
        "home_page_url": channel.home,
        "feed_url": channel.json,
        "language": channel.language,
        "items": [_json_item(item, channel.language) for item in _newest_first(items)],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode() + b"\n"


def _json_item(item: Item, language: str) -> dict[str, str]:
    known = {
        "id": item.url,
        "url": item.url,
        "title": item.title,
        "summary": item.summary,
        "content_html": item.content,
        "image": item.image or "",
        "date_published": rfc3339(item.instant),
        "date_modified": item.updated,
        "language": language,
    }
    return {name: value for name, value in known.items() if value}


def _newest_first(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: (item.date, item.url), reverse=True)


def readable(body: str) -> str:
    """
    What a page says, in headings, paragraphs, lists, links and pictures alone.

    Words that stand in a table's cell or a box become a paragraph. Links that only serve the page itself (to its other
    languages, to a place on it) are left out.
    """
    html, before = "".join(_Reader().read(body)), ""
    while html != before:
        html, before = _EMPTY.sub("", html), html
    return html


class _Reader:
    """Reads the tokens of a body once."""

    def __init__(self) -> None:
        self._depth = 0
        self._loose = False
        self._left_out = False

    def read(self, body: str) -> Iterator[str]:
        for token in TOKEN.split(body.partition(">")[2]):
            if not token.startswith("<"):
                yield from self._words(token)
            elif token.startswith("</"):
                yield from self._end(name_of(token))
            else:
                yield from self._start(name_of(token), attributes(token))
        yield from self._closed()

    def _words(self, words: str) -> Iterator[str]:
        if not self._left_out and (words.strip() or self._loose or self._depth):
            yield from self._opened()
            yield words

    def _start(self, name: str, given: dict[str, str]) -> Iterator[str]:
        if self._left_out:
            return
        if name == "a" and ("hreflang" in given or given.get("href", "#").startswith("#")):
            self._left_out = True
        elif name in _BLOCKS:
            yield from self._closed()
            self._depth += name != "hr"
            yield _tag(name, given)
        elif name in _INLINE:
            yield from self._opened()
            yield _tag(name, given)
        else:
            yield from self._closed()

    def _end(self, name: str) -> Iterator[str]:
        if self._left_out:
            self._left_out = name != "a"
        elif name in _BLOCKS:
            self._depth -= 1
            yield f"</{name}>"
        elif name in _INLINE:
            yield f"</{name}>"
        else:
            yield from self._closed()

    def _opened(self) -> Iterator[str]:
        if not self._depth and not self._loose:
            self._loose = True
            yield "<p>"

    def _closed(self) -> Iterator[str]:
        if self._loose:
            self._loose = False
            yield "</p>"


def _tag(name: str, given: dict[str, str]) -> str:
    kept = "".join(f' {key}="{escape(given[key])}"' for key in _KEPT if key in given)
    return f"<{name}{kept}>"
