import datetime as dt
import json
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from newsletter.assembly.edition import Alternate, Phrase, Picture
from newsletter.compilation.compiler import compile_edition
from newsletter.compilation.correction import Note
from newsletter.compilation.webview import archive_page, description, sent_page, web_view
from newsletter.links import Links

LINKS = Links("https://news.example")
SCRIPT = "https://news.example/static/print.js"
FRENCH = Alternate(language="fr", name="Français", url="https://news.example/archive/river-cities/2026-12/fr")


@pytest.fixture
def page_of(themes):
    def page(edition, **options):
        artifact = compile_edition(edition, links=LINKS, templates_dir=themes)
        return web_view(artifact, edition, **{"default": "en", "links": LINKS, "script": SCRIPT, **options})

    return page


def picture(**changes):
    plain = {"alt": Phrase(text='The "Maas" for [[first_name|you]]'), "credit": None, "link": None}
    return Picture(**{"url": "https://www.rivers.example/maas.jpg", "width": 1200, "height": 600, **plain, **changes})


def properties(page):
    return {node.get("property"): node.get("content") for node in page.xpath("//meta[@property]")}


def test_a_page_has_one_address_and_names_its_other_languages(page_of, make_edition):
    page = lxml_html.fromstring(page_of(make_edition(alternates=(FRENCH,))))
    assert page.xpath("//link[@rel='canonical']/@href") == ["https://news.example/archive/river-cities/2026-12/en"]
    assert {link.get("hreflang"): link.get("href") for link in page.xpath("//head/link[@hreflang]")} == {
        "en": "https://news.example/archive/river-cities/2026-12/en",
        "fr": "https://news.example/archive/river-cities/2026-12/fr",
        "x-default": "https://news.example/archive/river-cities/2026-12/en",
    }


def test_a_default_language_that_the_issue_lacks_is_not_named(page_of, make_edition):
    page = lxml_html.fromstring(page_of(make_edition(), default="pt"))
    assert page.xpath("//head/link/@hreflang") == ["en"]


def test_a_page_says_what_to_show_where_it_is_quoted(page_of, make_edition, make_block):
    edition = make_edition(make_block(picture=picture()))
    page = lxml_html.fromstring(page_of(edition))
    assert properties(page) == {
        "og:type": "article",
        "og:title": "River Cities News · December 2026",
        "og:description": "Lamps that let the bats sleep",
        "og:url": "https://news.example/archive/river-cities/2026-12/en",
        "og:site_name": "River Cities News",
        "og:locale": "en_GB",
        "og:image": "https://www.rivers.example/maas.jpg",
        "og:image:width": "1200",
        "og:image:height": "600",
        "og:image:alt": 'The "Maas" for you',
        "article:published_time": "2026-12-01",
    }
    assert page.xpath("//meta[@name='description']/@content") == ["Lamps that let the bats sleep"]


def test_what_is_not_known_is_left_out(page_of, make_edition, make_block):
    block = make_block(picture=picture(width=None, alt=Phrase(text="")))
    edition = make_edition(block, preheader=Phrase(text=""), intro=Phrase(text=""), locale="ar")
    page = lxml_html.fromstring(page_of(edition))
    assert set(properties(page)) == {
        "og:type",
        "og:title",
        "og:url",
        "og:site_name",
        "og:image",
        "article:published_time",
    }
    assert page.xpath("//meta[@name='description']") == []
    assert page.xpath("//link[@type='text/calendar']") == []


def test_without_a_preheader_the_introduction_describes_the_page(make_edition):
    assert description(make_edition()) == "Lamps that let the bats sleep"
    long = Phrase(text=f"Dear [[first_name|reader]], *welcome*. {'word ' * 60}")
    told = description(make_edition(preheader=Phrase(text=""), intro=long))
    assert told.startswith("Dear reader, ")
    assert len(told) <= 200


def test_the_data_for_machines_is_one_graph(page_of, make_edition, make_event):
    page = lxml_html.fromstring(page_of(make_edition(events=(make_event(),))))
    [script] = page.xpath("//script[@type='application/ld+json']/text()")
    assert [node["@type"] for node in json.loads(script)["@graph"]] == ["NewsArticle", "NewsArticle", "Event"]
    assert page.xpath("//link[@type='text/calendar']/@href")[0].endswith("/2026-12/en/issue.ics")


def test_nothing_runs_but_the_script_that_was_named(page_of, make_edition):
    page = lxml_html.fromstring(page_of(make_edition()))
    assert [script.get("src") for script in page.xpath("//script[not(@type)]")] == [SCRIPT]
    assert page.xpath("//@*[starts-with(name(), 'on')]") == []
    assert page.xpath("//link[@rel='stylesheet']") == []


def test_a_page_is_no_mail(page_of, make_edition):
    html = page_of(make_edition())
    assert "<!--" not in html
    assert "aria-roledescription" not in html
    assert not re.search(r"\[if |xmlns|\[data-ogs|http-equiv", html.partition("<body")[0])
    page = lxml_html.fromstring(html)
    assert len(page.xpath("//*[@role='main']")) == 1
    assert page.xpath("//title/text()") == ["December 2026"]
    assert len(page.xpath("//meta[@name='viewport']")) == len(page.xpath("//meta[@charset]")) == 1
    assert html.startswith('<!DOCTYPE html>\n<html lang="en" dir="ltr"')


def test_paper_stays_white_where_the_screen_is_dark(page_of, make_edition):
    html = page_of(make_edition())
    assert "@media screen and (prefers-color-scheme: dark)" in html
    assert "@page{size:A4" in html


def test_addresses_on_the_page_may_be_written_otherwise_and_those_about_it_may_not(page_of, make_edition):
    html = page_of(make_edition(alternates=(FRENCH,)), at=lambda url: url.replace("https://", "X:"))
    page = lxml_html.fromstring(html)
    assert page.xpath("//script/@src") == ["X:news.example/static/print.js"]
    assert all(not href.startswith("https:") for href in page.xpath("//body//a/@href"))
    assert all(href.startswith("https:") for href in page.xpath("//head/link/@href"))


def test_the_same_build_gives_the_same_bytes(page_of, make_edition):
    assert page_of(make_edition()) == page_of(make_edition())


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
    | st.sampled_from(['"><script>x()</script>', "</title></script>", "{{ 7 * 7 }}", "-->", "javascript:x()"])
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_words_change_the_structure_of_the_page(page_of, make_edition, make_block, text):
    edition = make_edition(
        make_block(title=f"a {text}", picture=picture(alt=Phrase(text=text))),
        preheader=Phrase(text=f"a {text}"),
        name=Phrase(text=f"a {text}"),
    )
    page = lxml_html.document_fromstring(page_of(edition))
    assert len(page.xpath("//script")) == 2
    assert len(page.xpath("//head/meta[@property]")) == 10 + bool(page.xpath("//meta[@property='og:image:alt']"))
    assert len(page.xpath("//head/link")) == 5
    assert page.xpath("//@onerror | //@onclick") == []
    [data] = page.xpath("//script[@type]/text()")
    assert len(json.loads(data)["@graph"]) == 2


@pytest.fixture
def issues(make_edition):
    french = make_edition(
        language="fr", dir="ltr", locale="fr-FR", web_view=FRENCH.url, name=Phrase(text="Villes de fleuve")
    )
    older = make_edition(
        date=dt.date(2026, 11, 1),
        number=None,
        title=Phrase(text="November & <more>"),
        preheader=Phrase(text=""),
        intro=Phrase(text=""),
        web_view="https://news.example/archive/river-cities/2026-11/en",
    )
    return [[make_edition(), french], [older]]


def test_a_newsletter_lists_its_issues_in_all_their_languages(issues):
    page = lxml_html.fromstring(archive_page(issues, links=LINKS))
    assert page.get("lang") == "en"
    assert page.xpath("//h1/text()") == ["River Cities News"]
    assert page.xpath("//h2/a/text()") == ["December 2026", "November & <more>"]
    assert page.xpath("//h2/a/@href") == [
        "https://news.example/archive/river-cities/2026-12/en",
        "https://news.example/archive/river-cities/2026-11/en",
    ]
    assert page.xpath("//ol/li[1]//ul//a/@hreflang") == ["en", "fr"]
    assert page.xpath("//ol/li[1]//p/text()")[-1] == "Lamps that let the bats sleep"
    assert page.xpath("string(//ol/li[1]/p)").split() == ["1", "December", "2026", "·", "No.", "42"]
    assert page.xpath("//time/@datetime") == ["2026-12-01", "2026-11-01"]
    assert page.xpath("//head/link[@type='application/rss+xml']/@hreflang") == ["en", "fr"]
    assert page.xpath("//footer//a/@href")[0].endswith("/feed.en.xml")


def test_the_list_names_the_newsletters_own_site(issues, make_edition):
    own = replace(issues[0][0], website="https://www.rivers.example/")
    page = lxml_html.fromstring(archive_page([[own]], links=LINKS, at=lambda url: f"near:{url}"))
    assert page.xpath("//footer//a/text()")[0] == "www.rivers.example"
    assert page.xpath("//footer//a/@href")[0] == "https://www.rivers.example/"
    assert page.xpath("//h2/a/@href")[0].startswith("near:")


NOTE = Note(
    at=dt.datetime(2026, 12, 3, 9, 30, tzinfo=dt.UTC),
    day="3 December 2026",
    reason=Phrase(text="A <wrong> date & a wrong place."),
    changed=("Eleven & more partners", "The fair"),
)


def test_a_corrected_page_begins_with_what_was_corrected(page_of, make_edition):
    page = lxml_html.fromstring(page_of(make_edition(), notes=(NOTE,), at=lambda url: url.removeprefix("https:")))
    [note] = page.xpath("//*[@role='main']/*[1][@role='note']")
    assert note.xpath("string(p)") == "Corrected on 3 December 2026: A <wrong> date & a wrong place."
    assert note.xpath(".//li/bdi/text()") == ["Eleven & more partners", "The fair"]
    assert note.xpath(".//a/@href") == ["//news.example/archive/river-cities/2026-12/en/sent"]
    assert properties(page)["article:modified_time"] == "2026-12-03T09:30:00Z"
    [data] = page.xpath("//script[@type='application/ld+json']/text()")
    assert json.loads(data)["@graph"][0]["dateModified"] == "2026-12-03T09:30:00Z"


def test_a_page_without_corrections_has_no_note(page_of, make_edition):
    page = lxml_html.fromstring(page_of(make_edition()))
    assert page.xpath("//*[@role='note']") == []
    assert "article:modified_time" not in properties(page)


def test_a_reason_in_another_language_is_marked_on_the_page(page_of, make_edition):
    reason = replace(NOTE, reason=Phrase(text="Le lieu.", lang="fr", dir="ltr"), changed=())
    page = lxml_html.fromstring(page_of(make_edition(), notes=(reason,)))
    assert page.xpath("//*[@role='note']//span[@lang='fr']/text()") == ["Le lieu."]
    assert page.xpath("//*[@role='note']//li") == []


def test_words_that_no_catalogue_has_are_marked_as_english(page_of, make_edition):
    page = lxml_html.fromstring(page_of(make_edition(language="it", locale="it-IT"), notes=(NOTE,)))
    assert page.xpath("//*[@role='note']/@lang") == ["en"]
    assert lxml_html.fromstring(page_of(make_edition(), notes=(NOTE,))).xpath("//*[@role='note']/@lang") == []


def test_the_email_as_it_was_sent_leads_to_the_page_that_counts(make_edition, themes):
    edition = make_edition(alternates=(FRENCH,))
    artifact = compile_edition(edition, links=LINKS, templates_dir=themes)
    page = lxml_html.fromstring(sent_page(artifact, edition, script=SCRIPT))
    [note] = page.xpath("//*[@role='main']/*[1][@role='note']")
    assert artifact.digest in note.text_content()
    assert note.xpath(".//a/@href") == [edition.web_view]
    assert page.xpath("//link/@href") == [edition.web_view]
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert page.xpath("//script[@type]") == []
    assert properties(page) == {}
