import email
import email.policy
import re

import pytest

from newsletter.assembly.edition import Phrase
from newsletter.compilation.artifact import SAMPLE
from newsletter.compilation.message import render
from newsletter.compilation.single import Letter, LetterKind, compile_letter
from newsletter.compilation.theme import theme_names
from newsletter.links import Links
from newsletter.words import languages
from subscribers.language import direction

LINKS = Links("https://news.example")
READER = SAMPLE._replace(one_click=False, name="")


def a_letter(kind=LetterKind.CONFIRM, language="en", **values):
    facts = {
        "name": Phrase(text="River News"),
        "theme_name": "network",
        "accent": None,
        "sender_name": "River network",
        "sender_address": "news@rivers.example",
        "reply_to": None,
        "postal": Phrase(text="Quay 1, Liège"),
        "lists": (),
        "days": 30,
    }
    return Letter(kind=kind, newsletter="rivers", language=language, dir=direction(language), **{**facts, **values})


def message_of(letter):
    return email.message_from_bytes(render(compile_letter(letter, LINKS).message, READER), policy=email.policy.default)


def test_the_same_letter_is_the_same_artifact():
    first = compile_letter(a_letter(), LINKS)
    compile_letter.cache_clear()
    assert compile_letter(a_letter(), LINKS) == first
    assert compile_letter(a_letter(language="fr"), LINKS).digest != first.digest
    assert first.is_whole


@pytest.mark.parametrize("kind", LetterKind)
def test_no_letter_can_be_left_by_a_header_or_answered_by_a_machine(kind):
    message = message_of(a_letter(kind))
    assert message["Auto-Submitted"] == "auto-generated"
    assert [name for name in message if name.startswith("List-") or name == "Precedence"] == []


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", LetterKind)
def test_every_letter_says_in_every_language_the_same_in_html_and_text(kind, language):
    artifact = compile_letter(a_letter(kind, language, lists=(Phrase(text="Members"),)), LINKS)
    assert (artifact.text_lacks, artifact.unknown) == ((), ())
    html, text = artifact.html_for(READER), artifact.text_for(READER)
    for said in ("River News", "River network", "Quay 1, Liège", "Members", READER.address):
        assert said in html
        assert said in text
    assert f'lang="{language}"' in html
    assert set(re.findall(r"https://news\.example/\S+/sample", text)) == set(
        re.findall(r"https://news\.example/\w+/sample", html)
    )
    assert max(len(line) for line in text.splitlines()) <= 130


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        (LetterKind.CONFIRM, {"c"}),
        (LetterKind.INVITE, {"c"}),
        (LetterKind.ADDRESS, {"c"}),
        (LetterKind.ALREADY, {"p"}),
        (LetterKind.MOVING, {"p"}),
        (LetterKind.WELCOME, {"p", "u"}),
    ],
)
def test_each_letter_has_the_links_it_needs_and_no_others(kind, paths):
    html = compile_letter(a_letter(kind), LINKS).html_for(READER)
    assert set(re.findall(r"https://news\.example/(\w+)/sample", html)) == paths


@pytest.mark.parametrize("theme", theme_names())
def test_a_letter_wears_the_colours_of_the_newsletter(theme):
    html = compile_letter(a_letter(theme_name=theme, accent="#aa2200"), LINKS).html
    assert "#aa2200" in html
    assert "prefers-color-scheme:dark" in html


def test_a_name_in_another_language_is_marked():
    letter = a_letter(language="ar", name=Phrase(text="River News", lang="en", dir="ltr"))
    html = compile_letter(letter, LINKS).html
    assert '<span lang="en" dir="ltr">River News</span>' in html
    assert 'dir="rtl"' in html


def test_markup_in_a_name_is_shown_as_it_is_written():
    artifact = compile_letter(a_letter(name=Phrase(text="<b>News</b>")), LINKS)
    assert "<b>" not in artifact.html
    assert "<b>News</b>" in artifact.text
    assert artifact.subject == "Please confirm your subscription: <b>News</b>"


def test_a_reply_goes_where_the_newsletter_says():
    assert message_of(a_letter(reply_to="desk@rivers.example"))["Reply-To"] == "desk@rivers.example"
