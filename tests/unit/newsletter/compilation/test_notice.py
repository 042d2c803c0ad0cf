"""Notices: words that stand as they are, in both parts, from the newsletter's sender."""

import pytest

from newsletter.compilation.artifact import SAMPLE
from newsletter.compilation.notice import Notice, compile_notice
from newsletter.links import Links

LINKS = Links("https://news.example")


@pytest.fixture(scope="module")
def artifact():
    notice = Notice(
        label="paused",
        newsletter="rivers",
        name="River News",
        language="fr",
        dir="ltr",
        theme_name="network",
        accent="#7a2f5d",
        sender_name="Rivers",
        sender_address="news@rivers.example",
        reply_to=None,
        subject="Arrêté : [[first_name]] <b>",
        heading="Arrêté : <script>alert(1)</script>",
        lines=("Premier [[email|vous]].", "Second."),
        button="Ouvrir",
        address="https://news.example/desk/n/rivers",
        closing="Vous l’avez choisi.",
    )
    return compile_notice(notice, LINKS)


def test_every_word_stands_in_both_parts_and_none_is_markup_or_a_slot(artifact):
    text, html = artifact.text_for(SAMPLE), artifact.html_for(SAMPLE)
    for words in ("Premier [[email|vous]].", "Second.", "Ouvrir", "Vous l’avez choisi."):
        assert words in text
        assert words in html
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert artifact.slots == ()
    assert artifact.subject == "Arrêté : [[first_name]] <b>"


def test_the_text_part_has_the_link_that_the_button_has(artifact):
    assert artifact.text_lacks == ()
    assert "https://news.example/desk/n/rivers" in artifact.links


def test_it_cannot_be_left_by_one_click_and_is_dressed_in_the_newsletters_colour(artifact):
    head = bytes(artifact.skeleton)
    assert b"List-Unsubscribe" not in head
    assert "#7a2f5d" in artifact.html
