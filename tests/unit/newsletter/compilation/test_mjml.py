import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape

from newsletter.compilation import mjml as module
from newsletter.compilation.mjml import INLINE_MARK, directed, html_from
from newsletter.compilation.structure import shape_of
from newsletter.errors import MjmlFault


def document(inside, head=""):
    return (
        f"<mjml><mj-head><mj-title>T</mj-title>{head}</mj-head><mj-body><mj-section><mj-column>"
        f"<mj-text>{inside}</mj-text></mj-column></mj-section></mj-body></mjml>"
    )


def test_mjml_becomes_html_without_any_font_from_another_host():
    html = html_from(document("x"))
    assert html.startswith("<!doctype html>")
    assert "fonts.googleapis" not in html
    assert "<link" not in html


def test_the_same_mjml_gives_the_same_html():
    assert html_from(document("x")) == html_from(document("x"))


def test_our_rules_speak_before_the_library():
    with pytest.raises(MjmlFault, match=r"MJML:1:\d+: there is no tag <mj-foo>") as fault:
        html_from("<mjml><mj-body><mj-foo></mj-foo></mj-body></mjml>")
    assert fault.value.problems[0].line == 1


@pytest.mark.parametrize(
    ("message", "line", "column"),
    [
        ("unexpected token at position 9:12", 2, 2),
        ("bad at position 0", 1, 1),
        ("unexpected end of stream", None, None),
    ],
)
def test_what_the_library_reports_by_byte_gets_line_and_column(monkeypatch, message, line, column):
    def refuse(_source, **_options):
        raise ValueError(message)

    monkeypatch.setattr(module, "check_mjml", lambda _source: ())
    monkeypatch.setattr(module, "mjml2html", refuse)
    with pytest.raises(MjmlFault) as fault:
        html_from("<mjmé>\n<x/>")
    assert (fault.value.problems[0].line, fault.value.problems[0].column) == (line, column)


def test_sheets_to_inline_are_marked_and_others_are_not():
    html = html_from(
        document("x", '<mj-style inline="inline">.a{color:red}</mj-style><mj-style>.b{color:red}</mj-style>')
    )
    assert f"{INLINE_MARK}.a{{" in html
    assert html.count(INLINE_MARK) == 1


@pytest.mark.parametrize("between", ["\n", "  \n  ", " ", "\r\n"])
def test_a_line_break_between_two_elements_stays_a_blank_between_two_words(between):
    html = html_from(document(f"<p><b>bold</b>{between}<i>italic</i></p>"))
    assert "bold italic" in shape_of(html).words


def test_template_comments_go_and_conditional_ones_stay():
    html = html_from(document("<!-- for us --><!--[if mso]><i>m</i><![endif]-->x"))
    assert "for us" not in html
    assert "<!--[if mso]><i>m</i><![endif]-->" in html


def test_right_to_left_editions_get_their_direction_everywhere():
    html = html_from(directed(document("مدن"), "rtl"))
    assert "direction:ltr" not in html
    assert "text-align:right" in html
    assert directed(document("x"), "ltr") == document("x")


@settings(max_examples=50)
@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=100))
def test_escaped_text_comes_out_as_it_went_in(text):
    html = html_from(document(f"<p>[{escape(text)}]</p>"))
    assert " ".join(f"[{text}]".split()) in shape_of(html).words


ATTRIBUTE = st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S", "Z", "Cf"]), max_size=40)


@given(words=ATTRIBUTE)
@settings(max_examples=200, deadline=None)
def test_attributes_keep_their_words_whatever_the_library_thinks_of_them(words):
    html = html_from(document(f'<a href="https://a.example/" aria-label="{escape(words)}" title="\\u{{a0}}">x</a>'))
    (link,) = lxml.html.fromstring(html).iter("a")
    assert link.get("aria-label") == words
    assert link.get("title") == "\\u{a0}"


def test_attributes_of_the_librarys_own_tags_keep_their_words_too():
    html = html_from(
        document('x</mj-text><mj-image src="https://a.example/a.png" alt="رابطة حرّاس\u00a0: \\"/><mj-text>')
    )
    assert 'alt="' in html
    (image,) = lxml.html.fromstring(html).iter("img")
    assert image.get("alt") == "رابطة حرّاس\u00a0: \\"
