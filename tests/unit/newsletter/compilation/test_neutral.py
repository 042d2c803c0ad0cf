import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.assembly.edition import Phrase
from newsletter.compilation.artifact import Artifact
from newsletter.compilation.compiler import compile_edition
from newsletter.compilation.message import Values
from newsletter.compilation.neutral import attributes, name_of, neutral_page, with_addresses
from newsletter.compilation.slots import Slots, unslotted
from newsletter.links import Links

LINKS = Links("https://news.example")
SECRETS = ("mia.lang@readers.example", "Mia", "Lang", "k1.c2VjcmV0.leave", "k1.c2VjcmV0.change")


@pytest.fixture
def compiled(themes):
    return lambda edition: compile_edition(edition, links=LINKS, templates_dir=themes)


@pytest.fixture
def body_of(compiled, make_edition):
    """The neutral body of a mail with this markup, in which {leave}, {change} and {view} are the reader's addresses."""
    edition = make_edition()
    artifact = compiled(edition)
    slots = Slots.known(artifact.nonce, artifact.slots)
    addresses = {
        "leave": slots.url("unsubscribe_url"),
        "change": slots.url("preferences_url"),
        "view": edition.web_view,
        "recipient": slots.text("recipient"),
    }

    def body(markup):
        html = f"<html><head><title>t</title></head><body>{markup.format(**addresses)}</body></html>"
        page = neutral_page(replace(artifact, html=html), edition).body
        return page.removeprefix("<body>").removesuffix("</body>")

    return body


def test_the_page_of_a_mail_names_no_reader_and_no_token(compiled, make_edition):
    edition = make_edition()
    artifact = compiled(edition)
    mine = Values(
        address=SECRETS[0],
        name="Mia Lang",
        message_id="1@news.example",
        date=dt.datetime(2026, 12, 1, tzinfo=dt.UTC),
        unsubscribe_url=LINKS.unsubscribe(SECRETS[3]),
        preferences_url=LINKS.preferences(SECRETS[4]),
        slots={"first_name": SECRETS[1], "last_name": SECRETS[2]},
    )
    sent = artifact.html_for(mine)
    assert all(secret in sent for secret in SECRETS if secret != "Lang")
    page = neutral_page(artifact, edition)
    for trace in (*SECRETS, "t.invalid", artifact.nonce, "readers.example", "/u/", "/p/", "Sent to", "Unsubscribe"):
        assert trace not in page.head + page.body
    assert "dear reader" in page.body


def test_comments_for_outlook_are_gone_and_what_others_see_stays(body_of):
    markup = "<!--[if mso]><table><tr><td><![endif]--><p>a</p><!--[if mso]></td></tr></table><![endif]-->"
    assert body_of(markup + "<!--[if !mso]><!--><p>b</p><!--<![endif]-->") == "<p>a</p><p>b</p>"


@pytest.mark.parametrize(
    ("markup", "left"),
    [
        ('<p><a href="{leave}">Leave</a> &nbsp; | <a href="{change}">Change</a></p><p>x</p>', "<p>x</p>"),
        ('<div><p><a href="{leave}">Leave</a></p></div><p>x</p>', "<p>x</p>"),
        ('<p>Write to us. <a href="{leave}">Leave</a></p>', "<p>Write to us. </p>"),
        ('<p><a href="{leave}">Leave</a><img src="a.png"></p>', '<p><img src="a.png"></p>'),
        ('<table><tr><td><a href="{leave}">x</a></td></tr></table>', "<table><tr><td></td></tr></table>"),
        ("<p>{leave}</p>", "<p>https://t.invalid/</p>"),
    ],
    ids=["both", "box", "words", "picture", "cell", "bare"],
)
def test_links_of_the_readers_own_go_with_what_held_nothing_else(body_of, markup, left):
    assert body_of(markup).replace("https://t.invalid/", "") == left.replace("https://t.invalid/", "")


def test_sentences_that_are_true_for_subscribers_alone_are_gone(body_of):
    because = "<p>You receive this because you subscribed to <b>River Cities News</b>.</p>"
    assert body_of(f"{because}<p>Sent to {{recipient}}</p><p>x</p>") == "<p>x</p>"
    assert body_of("<p>You receive this because.</p>") == "<p>You receive this because.</p>"
    beside = because.replace("</p>", ' &nbsp; <a href="{change}">Change</a> | <a href="{leave}">Leave</a></p>')
    assert body_of(f"<div>{beside}</div><p>x</p>") == "<p>x</p>"


def test_what_stands_around_such_a_sentence_stays(body_of):
    sentence = "You receive this because you subscribed to River Cities News."
    long = f"<td>{sentence}{'<br>' * 20}Main Street 1</td>"
    for markup in (long, f'<div>{sentence}<img src="a.png"></div>', f"<p>{sentence} Thank you.</p>"):
        assert body_of(f"<table><tr>{markup}</tr></table>") == f"<table><tr>{markup}</tr></table>"


def test_the_sentence_is_known_in_the_language_of_the_edition(compiled, make_edition):
    edition = make_edition(language="fr", locale="fr-FR", name=Phrase(text="Fleuves [[first_name|amis]]"))
    sentence = "Vous recevez ce message dans le cadre de votre abonnement à « Fleuves amis »."
    artifact = replace(compiled(edition), html=f"<head></head><body><p>{sentence}</p><p>x</p></body>")
    assert neutral_page(artifact, edition).body == "<body><p>x</p></body>"


def test_the_link_to_this_page_is_gone_and_places_on_it_are_named_without_it(body_of):
    assert body_of('<p><a href="{view}">View</a> <a href="{view}#print">Print</a></p>') == (
        '<p> <a href="#print">Print</a></p>'
    )
    assert body_of('<p><a href="{view}/issue.ics">Dates</a></p>').count("issue.ics") == 1


def test_what_is_hidden_in_the_mail_is_not_on_the_page(body_of):
    assert body_of('<div style="display: none;max-height:0">For the inbox</div><br><hr><p>x</p>') == "<br><hr><p>x</p>"


def test_an_item_with_nothing_in_it_needs_no_end_tag(body_of):
    hidden = '<div style="display:none">x</div>'
    assert (
        body_of(f"<div>{hidden}<ol><li><li>y</li><li></ol>{hidden}z</div>") == "<div><ol><li><li>y</li><li></ol>z</div>"
    )


def test_a_slot_gives_its_default_words_and_an_unknown_one_stays():
    assert unslotted("Dear [[first_name|reader]][[last_name]] of [[planet]]") == "Dear reader of [[planet]]"


def test_tags_are_read_and_written_as_html():
    tag = '<a class="u" href="https://a.example/?b=1&amp;c=&quot;">'
    assert attributes(tag) == {"class": "u", "href": 'https://a.example/?b=1&c="'}
    assert [name_of(token) for token in (tag, "</H1>", "<!DOCTYPE html>", "words")] == ["a", "h1", "", ""]
    seen = []
    with_addresses(f'{tag}<img src="x.png" alt="href=&quot;y&quot;">', lambda url: seen.append(url) or "z")
    assert seen == ['https://a.example/?b=1&c="', "x.png"]
    assert (
        with_addresses('<a href="/b">href="/b"</a>', lambda url: f"{url}?<&") == '<a href="/b?&lt;&amp;">href="/b"</a>'
    )


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_of_an_entry_changes_what_is_taken_away(compiled, make_edition, make_block, text):
    edition = make_edition(make_block(title=f"a{text}b", body=text))
    artifact = compiled(edition)
    assert isinstance(artifact, Artifact)
    body = neutral_page(artifact, edition).body
    assert body.count("<div") == body.count("</div>")
    assert "Eleven partners" in body
    assert "t.invalid" not in body.replace(text, "")


def test_attributes_whose_words_have_quotes_are_read_and_hide_no_others():
    tag = """<img src='a&amp;b.png' alt='Say "hello" src="no.png"' width="9">"""
    assert attributes(tag) == {"src": "a&b.png", "alt": 'Say "hello" src="no.png"', "width": "9"}
    assert with_addresses(tag, str.upper) == """<img src="A&amp;B.PNG" alt='Say "hello" src="no.png"' width="9">"""
