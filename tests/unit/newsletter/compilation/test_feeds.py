import datetime as dt
import json
import re
from dataclasses import replace
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from newsletter.assembly.edition import Phrase, Picture
from newsletter.compilation.compiler import compile_edition
from newsletter.compilation.feeds import channel_of, item_of, json_feed, readable, rss
from newsletter.links import Links

LINKS = Links("https://news.example/")
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
ATOM = "{http://www.w3.org/2005/Atom}link"
UPDATED = "{http://www.w3.org/2005/Atom}updated"
RFC_822 = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}")


@pytest.fixture
def item(themes):
    return lambda edition: item_of(compile_edition(edition, links=LINKS, templates_dir=themes), edition)


@pytest.fixture
def items(item, make_edition):
    """Two issues, the older one first."""
    older = make_edition(
        date=dt.date(2026, 11, 1),
        title=Phrase(text="November <2026> & more"),
        web_view="https://news.example/archive/river-cities/2026-11/en",
        preheader=Phrase(text=""),
    )
    return [item(older), item(make_edition())]


@pytest.fixture
def channel(make_edition):
    return channel_of(make_edition(), links=LINKS)


def test_a_newsletter_has_a_page_and_two_feeds_in_each_language(channel):
    assert channel.home == "https://news.example/archive/river-cities"
    assert channel.rss == "https://news.example/archive/river-cities/feed.en.xml"
    assert channel.json == "https://news.example/archive/river-cities/feed.en.json"


def test_rss_lists_issues_with_link_title_date_and_content(channel, items):
    root = etree.fromstring(rss(channel, items))
    feed = root.find("channel")
    assert root.get("version") == "2.0"
    assert (feed.findtext("title"), feed.findtext("link")) == ("River Cities News", channel.home)
    assert feed.findtext("language") == "en"
    assert feed.find(ATOM).get("href") == channel.rss
    newest, older = feed.findall("item")
    assert (newest.findtext("title"), older.findtext("title")) == ("December 2026", "November <2026> & more")
    assert newest.findtext("link") == "https://news.example/archive/river-cities/2026-12/en"
    assert newest.find("guid").get("isPermaLink") == "true"
    assert parsedate_to_datetime(newest.findtext("pubDate")) == dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)
    assert feed.findtext("pubDate") == newest.findtext("pubDate")
    assert newest.findtext("description") == "Lamps that let the bats sleep"
    assert older.find("description") is None
    assert "<h1>River Cities News</h1>" in newest.findtext(CONTENT)


def test_json_feed_says_the_same(channel, items):
    feed = json.loads(json_feed(channel, items))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert (feed["home_page_url"], feed["feed_url"], feed["language"]) == (channel.home, channel.json, "en")
    newest, older = feed["items"]
    assert newest["id"] == newest["url"] == "https://news.example/archive/river-cities/2026-12/en"
    assert newest["date_published"] == "2026-12-01T09:00:00Z"
    assert newest["summary"] == "Lamps that let the bats sleep"
    assert newest["content_html"] == etree.fromstring(rss(channel, items)).findtext(f"channel/item/{CONTENT}")
    assert not {"summary", "image"} & older.keys()


def test_a_picture_goes_with_its_issue(item, make_edition, make_block, channel):
    seen = Picture(
        url="https://www.rivers.example/a.png", alt=Phrase(text="A"), credit=None, link=None, width=None, height=None
    )
    feed = json.loads(json_feed(channel, [item(make_edition(make_block(picture=seen)))]))
    assert feed["items"][0]["image"] == "https://www.rivers.example/a.png"


def test_a_feed_without_issues_is_a_feed(channel):
    assert etree.fromstring(rss(channel, [])).findall("channel/item") == []
    assert json.loads(json_feed(channel, []))["items"] == []


def test_the_same_issues_give_the_same_bytes_in_any_order(channel, items):
    assert rss(channel, items) == rss(channel, items[::-1])
    assert json_feed(channel, items) == json_feed(channel, items[::-1])


def test_content_is_neutral_and_has_its_language_and_direction(item, make_edition):
    content = item(make_edition(language="ar", dir="rtl")).content
    assert content.startswith('<div lang="ar" dir="rtl">')
    assert not any(trace in content for trace in ("t.invalid", "style=", "<table", "Sent to", "Unsubscribe"))


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (
            "<body><table><tr><td>one</td><td> two <b>three</b></td></tr></table></body>",
            "<p>one</p><p> two <b>three</b></p>",
        ),
        ('<body style="a"><div class="x"><h1 class="t" lang="fr">Un</h1></div></body>', '<h1 lang="fr">Un</h1>'),
        (
            "<body><ul><li>a</li></ul>loose<hr><p>b</p>tail</body>",
            "<ul><li>a</li></ul><p>loose</p><hr><p>b</p><p>tail</p>",
        ),
        ('<body><p><a href="x" hreflang="fr"><b>Fr</b></a> <a href="#print">Print</a></p><p>b</p></body>', "<p>b</p>"),
        ('<body><span class="d"></span><p>a<br>b</p></body>', "<p>a<br>b</p>"),
        (
            '<body><a href="https://a.example/?b=1&amp;c=2" style="x"><img src="y.png" alt="&quot;Z&quot;" width="9"></a></body>',
            '<p><a href="https://a.example/?b=1&amp;c=2"><img src="y.png" alt="&quot;Z&quot;" width="9"></a></p>',
        ),
        ("<body>tail", "<p>tail</p>"),
    ],
    ids=["cells", "attributes", "loose", "own-links", "empty", "picture", "open"],
)
def test_a_page_is_read_as_headings_paragraphs_lists_links_and_pictures(body, left):
    assert readable(body) == left


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_words_break_a_feed(channel, items, text):
    item = replace(items[0], title=text, summary=text, content=text)
    assert len(etree.fromstring(rss(channel, [item])).findall("channel/item")) == 1
    assert json.loads(json_feed(channel, [item]))["items"][0].get("title", "") == text


def test_a_corrected_issue_keeps_its_place_and_its_date_and_says_when_it_was_corrected(channel, items):
    corrected = dt.datetime(2026, 12, 24, 18, 30, 0, 7, tzinfo=dt.UTC)
    older = replace(items[0], modified=corrected)
    feed = etree.fromstring(rss(channel, [older, items[1]])).find("channel")
    newest, other = feed.findall("item")
    assert (newest.find(UPDATED), other.findtext(UPDATED)) == (None, "2026-12-24T18:30:00Z")
    assert parsedate_to_datetime(other.findtext("pubDate")) == dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC)
    assert parsedate_to_datetime(feed.findtext("pubDate")) == dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)
    assert parsedate_to_datetime(feed.findtext("lastBuildDate")) == corrected.replace(microsecond=0)
    told = json.loads(json_feed(channel, [older, items[1]]))["items"]
    assert [item.get("date_modified") for item in told] == [None, "2026-12-24T18:30:00Z"]


def test_a_feed_has_what_its_specification_asks_for(channel, items):
    feed = ET.fromstring(rss(channel, items)).find("channel")
    assert all(feed.findtext(name) for name in ("title", "link", "description", "lastBuildDate"))
    for item in feed.findall("item"):
        assert item.findtext("title")
        assert RFC_822.fullmatch(item.findtext("pubDate"))
    told = json.loads(json_feed(channel, items))
    assert {"version", "title", "items"} <= told.keys()
    for item in told["items"]:
        assert item["id"]
        assert item["content_html"]
        assert dt.datetime.fromisoformat(item["date_published"]).utcoffset() == dt.timedelta()
