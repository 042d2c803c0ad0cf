"""Links that count: which are changed, which are not, and that nothing is where nothing is counted."""

import email
import email.policy
import re
from dataclasses import replace
from html import escape, unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.assembly.edition import Counting
from newsletter.compilation.artifact import SAMPLE, artifact_from
from newsletter.compilation.compiler import compile_edition, sample_message
from newsletter.compilation.message import render
from newsletter.compilation.slots import Slots, System
from newsletter.compilation.tracking import undone, with_tracking
from newsletter.content.newsletter import Tracking
from newsletter.errors import CompilationFailed
from newsletter.links import Links

LINKS = Links("https://news.example", media="https://media.example")
CLICKS = Counting(tracking=Tracking.TOTALS, opens=False, words="We count clicks.")
OPENS = replace(CLICKS, opens=True)


def counted(make_edition, html, text="", counting=CLICKS):
    """What is sent, with the sample reader's values in its slots."""
    slots = Slots.of(html + text)
    sent = with_tracking(html, text, edition=make_edition(counting=counting), links=LINKS, slots=slots)
    values = SAMPLE.by_name()
    return sent, slots.fill(sent.html, values), slots.fill(sent.text, values)


def test_nothing_is_changed_where_nothing_is_counted(make_edition):
    html = '<a href="https://a.example/">a</a>'

    assert counted(make_edition, html, "https://a.example/", None)[1:] == (html, "https://a.example/")


def test_links_are_numbered_in_the_order_of_the_page_and_equal_ones_share_a_number(make_edition):
    html = (
        '<a class="g" href="https://b.example/?x=1&amp;y=2">b</a><a href=\'http://a.example/"q"\'>a</a>'
        '<a href="https://b.example/?x=1&amp;y=2" lang="fr">b</a><area href="https://c.example">'
    )
    sent, page, _ = counted(make_edition, html)

    assert sent.targets == ("https://b.example/?x=1&y=2", 'http://a.example/"q"', "https://c.example")
    assert page == (
        '<a class="g" href="https://news.example/r/sample.1">b</a><a href="https://news.example/r/sample.2">a</a>'
        '<a href="https://news.example/r/sample.1" lang="fr">b</a><area href="https://news.example/r/sample.3">'
    )


def test_links_in_comments_for_outlook_count_too(make_edition):
    html = '<!--[if mso]><v:roundrect xmlns:v="urn:x" href="https://a.example/" arcsize="10%"><![endif]-->'

    assert 'href="https://news.example/r/sample.1"' in counted(make_edition, html)[1]


@pytest.mark.parametrize(
    "href",
    [
        "mailto:office@rivers.example",
        "tel:+3225550100",
        "#agenda",
        "https://news.example/archive/river-cities/2026-12/en",
        "https://news.example",
        "https://media.example/a.jpg",
        "webcal://rivers.example/x.ics",
        "https://t.invalid/zq0123456789u0qz",
        "javascript:alert(1)",
    ],
)
def test_what_leads_to_us_or_to_no_page_stays(make_edition, href):
    html = f'<a href="{href}">x</a>'
    sent, page, _ = counted(make_edition, html)

    assert (page, sent.targets) == (html, ())


def test_a_link_to_somebody_whose_name_begins_like_ours_counts(make_edition):
    assert counted(make_edition, '<a href="https://news.example.org/">x</a>')[0].targets == (
        "https://news.example.org/",
    )


def test_pictures_and_data_attributes_stay(make_edition):
    html = '<img src="https://a.example/b.png"><a data-href="https://a.example/">x</a>'

    assert counted(make_edition, html)[1] == html


def test_the_text_part_has_the_same_numbers_and_only_whole_addresses_are_changed(make_edition):
    urls = ("https://a.example/", "https://a.example/b", "https://a.example/b?c=1")
    html = "".join(f'<a href="{url}">x</a>' for url in urls)
    text = (
        "See https://a.example/b. (https://a.example/b?c=1), https://a.example/\n"
        "not https://a.example/bc or https://a.example/b/d or https://a.example/b,d but https://a.example/b"
    )
    root = "https://news.example/r/sample"

    assert counted(make_edition, html, text)[2] == (
        f"See {root}.2. ({root}.3), {root}.1\n"
        f"not https://a.example/bc or https://a.example/b/d or https://a.example/b,d but {root}.2"
    )


def test_a_dot_stands_at_the_end_where_opened_messages_are_counted(make_edition):
    html = "<html><body><p>x</p></body></html>"
    _, page, _ = counted(make_edition, html, counting=OPENS)

    assert page.count("<img") == 1
    assert re.search(r'</p><img src="https://news.example/o/sample.gif" alt="" [^>]*></body></html>$', page)
    assert "<img" not in counted(make_edition, html)[1]
    with pytest.raises(CompilationFailed, match="no end of its body"):
        counted(make_edition, "<p>x", counting=OPENS)


@given(
    st.lists(
        st.from_regex(r"https?://[a-z]{1,8}\.example/[!$%&'()*+,./0-9:;=?@a-z~-]{0,12}", fullmatch=True), max_size=6
    )
)
def test_every_link_can_be_found_again_by_its_number(urls):
    html = "".join(f'<a href="{escape(url)}">x</a>' for url in urls)
    slots = Slots.of(html)
    edition = type("Counted", (), {"counting": CLICKS})()
    sent = with_tracking(html, "", edition=edition, links=LINKS, slots=slots)
    page = slots.fill(sent.html, SAMPLE.by_name())

    numbers = [int(number) for number in re.findall(r'href="https://news.example/r/sample\.([0-9]+)"', page)]
    assert [sent.targets[number - 1] for number in numbers] == urls
    assert len(numbers) == page.count("<a ")


def parts_of(message):
    found = email.message_from_bytes(message, policy=email.policy.default)
    return tuple(found.get_body((kind,)).get_content() for kind in ("html", "plain"))


def test_an_artifact_keeps_its_links_and_what_is_sent_counts_them(make_edition, themes):
    plain = compile_edition(make_edition(), links=LINKS, templates_dir=themes)
    artifact = compile_edition(make_edition(counting=OPENS), links=LINKS, templates_dir=themes)
    html, text = parts_of(sample_message(artifact))

    assert (artifact.html, artifact.text, artifact.links) == (plain.html, plain.text, plain.links)
    assert artifact.slots == plain.slots
    assert artifact.digest != plain.digest
    assert artifact.tracked == ("https://www.rivers.example/en/silt?a=1&b=2",)
    assert artifact.tracking is Tracking.TOTALS
    assert (plain.tracking, plain.tracked) == (Tracking.OFF, ())
    for part in (html, text):
        assert "https://news.example/r/sample.1" in part
        assert "rivers.example/en/silt" not in unescape(part)
    assert "https://news.example/o/sample.gif" in html
    assert SAMPLE.unsubscribe_url in html
    assert artifact.size > plain.size


def test_each_reader_gets_tokens_of_their_own(make_edition, themes):
    artifact = compile_edition(make_edition(counting=OPENS), links=LINKS, templates_dir=themes)
    html, text = parts_of(render(artifact.message, SAMPLE._replace(click="c.a-b_c.d", open="o.a-b_c.d")))

    assert 'href="https://news.example/r/c.a-b_c.d.1"' in html
    assert "https://news.example/r/c.a-b_c.d.1" in text
    assert 'src="https://news.example/o/o.a-b_c.d.gif"' in html
    assert {slot.name for slot in artifact.message.slots} >= {System.CLICK, System.OPEN}


def test_an_artifact_is_stored_with_its_links_and_one_from_before_has_none(make_edition, themes):
    artifact = compile_edition(make_edition(counting=CLICKS), links=LINKS, templates_dir=themes)
    names = ("language", "variant", "subject", "mjml", "html", "text", "skeleton", "digest")
    texts = {name: getattr(artifact, name) for name in names}
    before = {name: fact for name, fact in artifact.facts().items() if name not in {"tracking", "tracked"}}

    assert artifact_from(artifact.facts(), **texts) == artifact
    assert artifact_from(before, **texts).tracked == ()
    assert artifact_from(before, **texts).tracking is Tracking.OFF


def test_what_is_sent_can_be_compared_with_what_it_was_made_of(make_edition, themes):
    artifact = compile_edition(make_edition(counting=OPENS), links=LINKS, templates_dir=themes)
    html, text = (part.replace("\r\n", "\n") for part in parts_of(sample_message(artifact)))
    page, words = artifact.html_for(SAMPLE), artifact.text_for(SAMPLE)

    def plain(part, *, markup):
        return undone(part, artifact.tracked, token="sample", markup=markup).strip()

    assert plain(html, markup=True) == plain(page, markup=True)
    assert plain(text, markup=False) == words.strip()
    assert plain(html.replace("sample.1", "sample.2"), markup=True) != plain(page, markup=True)
    assert plain(text.replace("sample.1", "sample.0"), markup=False) != words.strip()
