"""
No text that anybody writes into an entry, an issue or a newsletter changes what an edition is made of.

Every field of an edition that holds text is found by walking through it, so that a new one cannot be forgotten: it is
either words (drawn), an address (drawn), or a name that a validator of content keeps to letters and digits (named here).
"""

import json
import re
from dataclasses import fields, is_dataclass, replace
from email import message_from_bytes
from email.policy import default
from enum import Enum
from functools import cache
from html.parser import HTMLParser
from itertools import count
from typing import get_args, get_type_hints

import icalendar
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from lxml import etree
from lxml import html as lxml_html
from pydantic import TypeAdapter, ValidationError

from newsletter.assembly.composition import build_edition
from newsletter.assembly.edition import Edition, Phrase
from newsletter.compilation.artifact import SAMPLE
from newsletter.compilation.calendar_file import issue_file
from newsletter.compilation.compiler import compile_edition, sample_message
from newsletter.compilation.feeds import channel_of, item_of, json_feed, rss
from newsletter.compilation.structure import shape_of
from newsletter.compilation.theme import theme_names
from newsletter.compilation.webview import archive_page, web_view
from newsletter.content.fields import WebUrl
from newsletter.links import Links
from newsletter.pipeline.difficult import Case, difficult_issues
from newsletter.words import catalogue

LINKS = Links("https://news.example")

MARKDOWN = {"Block.body", "Edition.intro", "SittingView.body"}

ADDRESSES = {
    "Anchor.url",
    "Block.topic_url",
    "CalendarEvent.url",
    "Edition.website",
    "LogoView.link",
    "LogoView.url",
    "Picture.link",
    "Picture.url",
    "PlaceView.online",
    "SocialView.url",
}

NAMES = {
    "Alternate.language",
    "Alternate.url",
    "Block.key",
    "Block.lang",
    "Block.segment",
    "CalendarEvent.uid",
    "Counting.words",
    "Edition.blocked",
    "Edition.calendar",
    "Edition.dir",
    "Edition.fallbacks",
    "Edition.issue",
    "Edition.language",
    "Edition.list_id",
    "Edition.locale",
    "Edition.missing",
    "Edition.newsletter",
    "Edition.reply_to",
    "Edition.sender_address",
    "Edition.variant",
    "Edition.web_view",
    "FooterView.email",
    "Line.key",
    "Line.segment",
    "SectionView.key",
    "SectionView.marker",
    "SittingView.calendar",
    "SittingView.key",
    "SittingView.uid",
    "SocialView.network",
}
"""Keys, tags, addresses of people, and what the program makes of them: nobody's words."""

WORDS = {
    "Alternate.name",
    "Anchor.context",
    "Anchor.label",
    "Anchor.when",
    "Block.title",
    "Block.topic",
    "CalendarEvent.description",
    "CalendarEvent.location",
    "CalendarEvent.title",
    "Edition.date_words",
    "Edition.name",
    "Edition.preheader",
    "Edition.sender_name",
    "Edition.subject",
    "Edition.title",
    "FooterView.address",
    "FooterView.credits",
    "FooterView.phone",
    "FooterView.text",
    "Line.topic",
    "Line.when",
    "LinePart.languages",
    "LinePart.title",
    "LogoView.alt",
    "Picture.alt",
    "Picture.credit",
    "PlaceView.words",
    "SectionView.title",
    "SittingView.languages",
    "SittingView.title",
    "SittingView.when",
}

PROSE = {
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "em",
    "h3",
    "h4",
    "hr",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "ul",
}
"""What Markdown may become."""

PROSE_ATTRIBUTES = {
    "alt",
    "aria-hidden",
    "aria-label",
    "class",
    "dir",
    "href",
    "hreflang",
    "lang",
    "rel",
    "role",
    "start",
    "style",
    "target",
    "title",
}

WORDY = {"From", "Subject", "Message-ID", "Content-Type"}
"""Fields that hold words, or a digest of them."""

HOSTILE = (
    "</td></tr></table>",
    "</mj-text></mj-column>",
    "<script>alert(1)</script>",
    '" onload="x',
    "' onload='x",
    "<![endif]-->",
    "<!--[if mso]><table><![endif]-->",
    "]]>",
    "{{ 7*7 }}",
    "{% raw %}",
    "[[first_name|you]]",
    "[[unsubscribe_url]]",
    "zq0123456789u0qz",
    "https://t.invalid/zq0123456789u1qz",
    "&lt;b&gt;",
    "&#0;",
    "=?utf-8?q?x?=",
    "BEGIN:VEVENT",
    "\\n;,",
    "مدن",
    "🌊👩\u200d🚀",
    "\u202e",
    "</style>",
    "</title>",
    "</script>",
)

_pieces = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from("<>&\"'{}[]%|=-_`#*~@:/\\;,!?()^$ "), min_size=1, max_size=8),
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=12),
)
_hostile = st.lists(_pieces, max_size=4).map("".join)
# Nothing but blanks would be nothing to say, and what says nothing is left out.
words = st.builds(lambda text, first: f"x{text}" if first else f"{text}x", _hostile, st.booleans())
_lines = st.sampled_from(
    (
        "\n",
        "\n\n",
        "\n- ",
        "\n1. ",
        "\n> ",
        "\n```\n",
        "\n# ",
        "\n---\n",
        "\n    ",
        "\t",
        "![x](",
        "](https://a.example",
        "|",
    )
)
markdown = st.lists(st.one_of(_pieces, _lines), max_size=8).map(lambda parts: f"x{''.join(parts)}x")
_url = TypeAdapter(WebUrl)


def _valid(text):
    try:
        return _url.validate_python(f"https://a.example/{text}")
    except ValidationError:
        return None


addresses = _hostile.map(_valid).filter(bool)


def named(edition):
    """The name of every field with text in an edition, and its value; a phrase belongs to the field that holds it."""
    return dict(_walk(edition, "", lambda name, text: text)[1])


def _walk(value, name, change):
    """The value with every text as `change` gives it, and the names of the fields that hold them."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return change(name, value), [(name, value)]
    if isinstance(value, tuple):
        parts = [_walk(part, name, change) for part in value]
        return tuple(part for part, _ in parts), [seen for _, found in parts for seen in found]
    if isinstance(value, Phrase):
        text, found = _walk(value.text, name, change)
        return replace(value, text=text), found
    if not is_dataclass(value) or not type(value).__module__.endswith(".edition"):
        return value, []
    changed, seen = {}, []
    for field in fields(value):
        changed[field.name], found = _walk(getattr(value, field.name), f"{type(value).__name__}.{field.name}", change)
        seen += found
    return replace(value, **changed), seen


def having(edition, kinds):
    """The edition with texts from a list in turn, for each kind of field."""
    turns = {kind: count() for kind in kinds}

    def change(name, text):
        for kind, (names, texts) in kinds.items():
            if name in names and text:
                return texts[next(turns[kind]) % len(texts)]
        return text

    return _walk(edition, "", change)[0]


@cache
def plain(theme):
    """An edition with everything an edition can hold, and in every field words that say nothing."""
    facts = difficult_issues(theme, [Case.EVERYTHING])[Case.EVERYTHING]
    edition = build_edition(facts, language="en", links=LINKS, catalogue=catalogue("en"))
    return having(edition, {"words": (WORDS, ["x"]), "markdown": (MARKDOWN, ["x"])})


@cache
def outlines(theme):
    return outline(plain(theme))


class _Tags(HTMLParser):
    """Every tag in order, with what it is for; what only words may change (alt, title …) by its name."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags = []

    def handle_starttag(self, tag, attrs):
        wordy = {"alt", "title", "aria-label", "content", "href", "src"}
        self.tags.append((tag, *((name, None if name in wordy else value) for name, value in attrs)))

    def handle_endtag(self, tag):
        self.tags.append((f"/{tag}",))


def tags(html):
    reader = _Tags()
    reader.feed(html)
    reader.close()
    return reader.tags


def check_links(html):
    page = lxml_html.document_fromstring(html)
    for value in page.xpath("//@href | //@src"):
        # A link without an address leads nowhere; the checks name it (link-targetless).
        assert not value or re.match(r"(https?|mailto|tel):|#|/", value), value
    assert not page.xpath("//@*[starts-with(name(), 'on')]")


def outline(edition):
    """What an edition is made of, everywhere that it goes, without its words."""
    artifact = compile_edition(edition, links=LINKS)
    page = web_view(artifact, edition, default="en", links=LINKS, script="/print.js")
    channel, item = channel_of(edition, links=LINKS), item_of(artifact, edition)
    message = message_from_bytes(sample_message(artifact), policy=default)
    for html in (artifact.html, page):
        check_links(html)
    assert not message.defects
    assert [part.get_content().replace("\r\n", "\n") for part in message.iter_parts()] == [
        artifact.text_for(SAMPLE),
        artifact.html_for(SAMPLE),
    ]
    assert artifact.text_for(SAMPLE).count(SAMPLE.unsubscribe_url) == 1
    assert "https://t.invalid/" not in page or "https://t.invalid/zq0123456789u1qz" in page
    [data] = lxml_html.document_fromstring(page).xpath("//script[@type='application/ld+json']/text()")
    assert not set("<>&") & set(data)
    return {
        "mail": tags(artifact.html),
        "outlook": shape_of(artifact.html).outlook,
        "page": tags(page),
        "archive": tags(archive_page([[edition]], links=LINKS)),
        "system": {slot.name for slot in artifact.slots} - {"first_name"},
        "headers": [(name, "" if name in WORDY else value) for name, value in message.items()],
        "calendar": [(part.name, sorted(part)) for part in icalendar.Calendar.from_ical(issue_file(edition)).walk()],
        "data": [(node["@type"], node.get("@id")) for node in json.loads(data)["@graph"]],
        "rss": [element.tag for element in etree.fromstring(rss(channel, [item])).iter()],
        "json": [sorted(entry) for entry in json.loads(json_feed(channel, [item]))["items"]],
        "feed": tags(item.content),
    }


def structure(found):
    """An outline without what Markdown may make."""
    return {
        name: [tag for tag in value if tag[0].removeprefix("/") not in PROSE]
        if name in {"mail", "page", "archive", "feed"}
        else value
        for name, value in found.items()
    }


def check(theme, *, exact, **kinds):
    found, known = outline(having(plain(theme), kinds)), outlines(theme)
    if not exact:
        prose = [tag for part in ("mail", "page", "feed") for tag in found[part] if tag[0] in PROSE]
        assert {name for tag in prose for name, _ in tag[1:]} <= PROSE_ATTRIBUTES
        found, known = structure(found), structure(known)
    for part, value in known.items():
        assert found[part] == value, part


@pytest.mark.parametrize("theme", theme_names())
def test_every_text_of_an_edition_is_words_or_an_address_or_a_name(theme):
    found = {name for name, text in named(plain(theme)).items() if text}
    declared = set(_declared(Edition))
    assert found - WORDS - ADDRESSES - MARKDOWN - NAMES == set()
    assert found >= WORDS | ADDRESSES | MARKDOWN, "the edition has to hold one of each"
    assert declared - WORDS - ADDRESSES - MARKDOWN - NAMES == set()


def _declared(kind, seen=None):
    """The fields of an edition and its parts that are declared to hold text."""
    seen = set() if seen is None else seen
    if kind in seen:
        return
    seen.add(kind)
    for name, hint in get_type_hints(kind).items():
        for part in _parts_of(hint):
            if part is str or part is Phrase:
                yield f"{kind.__name__}.{name}"
            elif is_dataclass(part) and part.__module__.endswith(".edition"):
                yield from _declared(part, seen)


def _parts_of(hint):
    arguments = get_args(hint)
    return [part for argument in arguments for part in _parts_of(argument)] if arguments else [hint]


# Every example compiles an edition: made smaller, a failing one would cost minutes and say no more.
quickly = {"phases": (Phase.explicit, Phase.reuse, Phase.generate), "suppress_health_check": list(HealthCheck)}
few = settings(max_examples=15, **quickly)
many = settings(max_examples=300, **quickly)
drawn = {"texts": st.lists(words, min_size=3, max_size=7), "urls": st.lists(addresses, min_size=2, max_size=4)}


@pytest.mark.parametrize("theme", theme_names())
@few
@given(**drawn)
def test_no_words_and_no_address_change_what_an_edition_is_made_of(theme, texts, urls):
    check(theme, exact=True, words=(WORDS, texts), addresses=(ADDRESSES, urls))


@pytest.mark.parametrize("theme", theme_names())
@few
@given(texts=st.lists(markdown, min_size=2, max_size=5))
@example(texts=["x [y]()", "![x]( )"])
def test_a_body_becomes_prose_and_nothing_else(theme, texts):
    check(theme, exact=False, markdown=(MARKDOWN, texts))


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("theme", theme_names())
@many
@given(**drawn)
def test_hundreds_of_words_and_addresses_do_not_change_what_an_edition_is_made_of(theme, texts, urls):
    check(theme, exact=True, words=(WORDS, texts), addresses=(ADDRESSES, urls))


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("theme", theme_names())
@many
@given(texts=st.lists(markdown, min_size=2, max_size=5))
def test_hundreds_of_bodies_become_prose_and_nothing_else(theme, texts):
    check(theme, exact=False, markdown=(MARKDOWN, texts))
