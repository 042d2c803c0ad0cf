import re
from html import escape, unescape
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.content.markdown import TAGS, links_in, to_html
from newsletter.content.paste import MOST_LETTERS, markdown_of

SOURCES = Path(__file__).parents[3] / "fixtures" / "paste"
NAMES = "p b i em strong ul ol li a h1 h2 span div table tr td blockquote br script style pre sup sub font o:p"
tags = st.sampled_from(NAMES.split())
letters = st.text(
    st.one_of(st.sampled_from("*_`[]()<>!#-+=~\\&|\"' \n\t:./01\xa0\u202f•«»"), st.characters()), max_size=60
)
attributes = st.sampled_from(
    [
        "",
        ' href="https://a.example/x"',
        ' href="javascript:alert(1)"',
        ' href="https://a.example/?q=<script>"',
        ' style="font-weight:700"',
        ' style="mso-list:l0 level2 lfo1"',
        ' style="mso-list:Ignore"',
        ' style="display:none"',
        ' start="99999999999999999999"',
        ' data-aria-level="77"',
    ]
)
pieces = st.one_of(
    letters,
    letters.map(escape),
    st.builds("<{}{}>".format, tags, attributes),
    st.builds("</{}>".format, tags),
    st.sampled_from(
        ["<!--", "-->", "<![if !supportLists]>", "<![endif]>", "<?xml", "<!", "<", ">", "&", "&#x0;", "&lt;"]
    ),
)


@pytest.mark.parametrize("source", sorted(SOURCES.glob("*.html")), ids=lambda path: path.stem)
def test_what_is_copied_elsewhere_comes_as_an_officer_would_type_it(source):
    assert markdown_of(source.read_text("utf-8")) + "\n" == source.with_suffix(".md").read_text("utf-8")


@given(st.lists(pieces, max_size=40).map("".join))
@example("<!-->x<!-- -->y")
@example("<![CDATA[x]]><b>y")
@example("<a href='http://[::1'>x</a>")
def test_nothing_raises_and_no_tag_of_others_comes_through(html):
    made = to_html(markdown_of(html))
    assert set(re.findall(r"</?([a-z0-9:]+)", made)) <= TAGS
    assert all(
        address.startswith(("https://", "http://", "mailto:", "tel:")) for _, address in links_in(markdown_of(html))
    )


def seen(html):
    """Letters in their order, whatever stands between them."""
    return re.sub(r"[\s\u00a0\u00ad\u200b\u2060\ufeff]+", "", unescape(re.sub(r"<[^<>]*>", "", html)))


plain = st.text(
    st.one_of(st.sampled_from("*_`[]()<>!#=~\\&|\"'/ "), st.characters(categories=["L", "P", "S", "Nd"])), max_size=80
).filter(lambda text: not re.search(r"^\s*([-+•·▪◦‣●○]|\d+[.)])(\s|$)", text))


@given(plain)
@example("*a* _b_ **c** `d` [e](f) [g]: h <i@j.example> &copy; \\k")
@example("~~~ --- === > # x")
def test_letters_stay_letters(text):
    assert seen(to_html(markdown_of(f"<p>{escape(text)}</p>"))) == seen(escape(text))


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<b>bold </b>word", "**bold** word"),
        ("a<b>b</b>c", "abc"),
        ("<b>Note:</b>text", "**Note**:text"),
        ("<b>Note</b>: text", "**Note**: text"),
        ("<b>« Ah »</b>", "**« Ah »**"),
        ("<i><b>both</b></i>", "***both***"),
        ("<b>a <i>b</i> c</b>", "**a *b* c**"),
        ("<strong style='font-weight:400'>light</strong>", "light"),
        ("<span style='font-weight: 600; font-style: oblique'>x</span>", "***x***"),
        ("one<br><br>two<br>three", "one\n\ntwo  \nthree"),
        ("<p>• one</p><p>• two</p>", "- one\n\n- two"),
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("<ol start=3><li>a<p>more</p></ol>", "3. a\n\n   more"),
        ("<a href='https://x.example/'>https://x.example/</a>", "<https://x.example/>"),
        ("<a href='https://x.example/'>see [1]</a>", "[see \\[1\\]](https://x.example/)"),
        ("<a href='https://x.example/a b'>x</a>", "[x](https://x.example/a%20b)"),
        ("<a href='file:///a'>x</a>", "x"),
        ("<a href='https://x.example/'> </a>", ""),
        ("<a href='https://www.google.com/url?sa=t'>x</a>", "[x](https://www.google.com/url?sa=t)"),
        ("<p style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>b)</span>x</p>", "1. x"),
        ("<table><tr><td>a<td><ul><li>b</ul></table>", "a\n\n- b"),
        (f"<table><tr><td>{'a' * 300}<td>b</table>", f"{'a' * 300}\n\nb"),
        ("<pre>a\n  b</pre>", "a  \nb"),
        ("10\xa0km a\xa0b", "10\xa0km a b"),
        ("x" * (MOST_LETTERS + 5), "x" * MOST_LETTERS),
        ("", ""),
        ("<p>&nbsp;</p>", ""),
    ],
)
def test_each_sign_finds_its_place(html, markdown):
    assert markdown_of(html) == markdown


def test_what_is_nested_without_end_is_read_without_end():
    assert markdown_of("<div><b>" * 5000 + "x") == "**x**"
    assert markdown_of("<ul><li>" * 1000 + "x").endswith("x")


@pytest.mark.parametrize("piece", ["<a ", '<a href="', "<!--", "<!", "</", "&#", "<", "[", "*"])
def test_what_never_ends_is_read_in_the_time_of_its_length(piece):
    assert len(markdown_of(piece * 20_000)) <= 2 * len(piece) * 20_000
