import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.markdown import TAGS, _common_mark, links_in, to_html, to_inline_html, to_text

markup = st.text(
    st.one_of(
        st.sampled_from("*_`[]()<>!#-+=~\\&|\"' \n\t:./0123456789\u202e\u2067\u2069\u202c"),
        st.characters(),
    ),
    max_size=200,
)
words_and_marks = st.lists(
    st.one_of(
        st.from_regex(r"[a-z]{4,8}", fullmatch=True),
        st.sampled_from(["\n", " ", "> ", "- ", "* ", "1. ", "**", "_", "    "]),
    ),
    max_size=80,
).map("".join)


class Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.open, self.deepest = set(), [], [], 0

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in {"br", "hr"}:
            self.open.append(tag)
            self.deepest = max(self.deepest, len(self.open))

    def handle_endtag(self, tag):
        if tag not in {"br", "hr"}:
            assert self.open.pop() == tag

    def handle_decl(self, decl):
        raise AssertionError(decl)

    def handle_comment(self, data):
        raise AssertionError(data)

    def handle_pi(self, data):
        raise AssertionError(data)


def parsed(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@given(markup)
def test_no_input_makes_a_tag_or_a_link_that_is_not_allowed(source):
    for html in (to_html(source), to_inline_html(source)):
        reader = parsed(html)
        assert reader.tags <= TAGS
        for name, value in reader.attributes:
            assert (name == "href" and value.startswith(("https://", "http://", "mailto:", "tel:"))) or name == "start"


@given(words_and_marks)
def test_no_word_is_lost(source):
    words = re.findall(r"[a-z]{4,}", source)
    html, text = unescape(re.sub(r"<[^>]+>", "", to_html(source))), to_text(source)
    for word in words:
        assert word in html
        assert word in text


@given(markup)
def test_marks_of_direction_never_reach_beyond_their_paragraph(source):
    for paragraph in re.findall(r"<p>(.*?)</p>", to_html(source), re.DOTALL):
        opened = len(re.findall("[\u202a\u202b\u202d\u202e]", paragraph)), len(re.findall("[\u2066-\u2068]", paragraph))
        assert paragraph.count("\u2069") == opened[1]
        assert paragraph.count("\u202c") <= opened[0]


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=30), max_size=60))
def test_lines_of_text_are_no_wider_than_asked_for(words):
    lines = to_text(" ".join(words), width=40).split("\n")
    assert all(len(line) <= 40 for line in lines)
    assert " ".join(lines).split() == " ".join(words).split()


def test_a_text_has_paragraphs_emphasis_lists_and_quotations():
    source = "A *b* **c** `d`.\n\n- one\n- two\n\n3. x\n4. y\n\n> quoted\n\n***\n"
    assert to_html(source) == (
        "<p>A <em>b</em> <strong>c</strong> <code>d</code>.</p>\n"
        "<ul><li>one\n</li>\n<li>two\n</li>\n</ul>\n"
        '<ol start="3"><li>x\n</li>\n<li>y\n</li>\n</ol>\n'
        "<blockquote><p>quoted</p>\n</blockquote>\n<hr />\n"
    )


def test_headings_are_bold_paragraphs():
    assert to_html("# One\n\n###### Six") == "<p><strong>One</strong></p>\n<p><strong>Six</strong></p>\n"


def test_raw_html_and_templates_are_shown_as_text():
    html = to_html("<script>alert(1)</script> {{ 7*7 }} <b>x</b>\n\n<div onclick='x'>")
    assert html == (
        "<p>&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }} &lt;b&gt;x&lt;/b&gt;</p>\n"
        "<p>&lt;div onclick=&#x27;x&#x27;&gt;</p>\n"
    )


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "/relative",
        "www.rivers.example",
        "https://",
        "file:///etc",
        "http://[x",
    ],
)
def test_a_link_that_leads_nowhere_safe_stays_as_it_is_typed(address):
    source = f"[here]({address})"
    assert to_html(source) == f"<p>{source}</p>\n"
    assert to_text(source) == source
    assert links_in(source) == ()


@pytest.mark.parametrize("address", ["http://[x", "//a.example", ""])
def test_an_address_that_cannot_be_read_is_no_link(address):
    assert not _common_mark().validateLink(address)


def test_links_are_listed_with_their_labels():
    source = "See [the *map*\nhere](https://a.example/?x=1&y=2), <https://b.example/> and <me@c.example>."
    assert links_in(source) == (
        ("the map here", "https://a.example/?x=1&y=2"),
        ("https://b.example/", "https://b.example/"),
        ("me@c.example", "mailto:me@c.example"),
    )
    assert '<a href="https://a.example/?x=1&amp;y=2">the <em>map</em>\nhere</a>' in to_html(source)


def test_of_a_picture_the_link_remains():
    assert (
        to_html("![The quay](https://a.example/q.png)!") == '<p><a href="https://a.example/q.png">The quay</a>!</p>\n'
    )
    assert to_html("Now! [x] ![y]") == "<p>Now! [x] ![y]</p>\n"


def test_a_link_without_a_label_shows_its_address():
    assert to_html("[](https://a.example/)") == '<p><a href="https://a.example/">https://a.example/</a></p>\n'
    assert to_text("[](https://a.example/)") == "https://a.example/"


def test_links_by_reference_work_and_unused_references_are_shown():
    source = "[a]: https://a.example\n[b]: https://b.example\n[a]: https://c.example\n\nSee [a]."
    html = to_html(source)
    assert 'See <a href="https://a.example">a</a>.' in html
    assert "[b]: https://b.example" in html
    assert "[a]: https://c.example" in html


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("[[first_name|dear *reader*]], hello", "[[first_name|dear *reader*]], hello"),
        ("**[[first_name]]**!", "<strong>[[first_name]]</strong>!"),
        ("[[a|b]](https://a.example)", "[[a|b]](https://a.example)"),
        ("[[[city|here]]](https://a.example)", '<a href="https://a.example">[[city|here]]</a>'),
        ("[x](https://a.example/?c=[[city]])", '<a href="https://a.example/?c=%5B%5Bcity%5D%5D">x</a>'),
        ("`[[city]]`", "<code>[[city]]</code>"),
        ("[[unsubscribe]]", "[[unsubscribe]]"),
        ("[[a]]: https://a.example", "[[a]]: https://a.example"),
    ],
)
def test_slots_come_through_as_they_are_written(source, html):
    assert to_html(source) == f"<p>{html}</p>\n"
    assert to_inline_html(source) == html


def test_slots_in_blocks_of_code_come_through():
    assert to_html("```\n[[city]]\n```") == "<pre><code>[[city]]\n</code></pre>\n"


@pytest.mark.parametrize(
    "word", ["Leser*innen und Bürger*innen", "2*3*4", "snake_case_name", "5 * 3 * 2", "jede*r", "a*"]
)
def test_stars_and_underscores_inside_words_are_no_emphasis(word):
    assert to_html(word) == f"<p>{word}</p>\n"


def test_a_star_inside_a_word_of_a_label_is_no_emphasis():
    assert to_html("[Leser*innen](https://a.example)") == '<p><a href="https://a.example">Leser*innen</a></p>\n'


def test_emphasis_may_begin_or_end_inside_a_word():
    assert to_html("*foo*bar un**frigging**able") == "<p><em>foo</em>bar un<strong>frigging</strong>able</p>\n"


@pytest.mark.parametrize("begin", ["1. Dezember 2026", "28. 9. in Köln", ">>> mehr", "    viermal", "===", "#hashtag"])
def test_a_typed_line_is_read_as_it_is_typed(begin):
    assert unescape(re.sub("<[^>]+>", "", to_html(begin))).strip() == begin.strip()
    assert to_html(begin).startswith("<p>")
    assert to_text(begin) == begin.strip()


def test_lists_and_quotations_deeper_than_any_reader_follows_are_flattened():
    lines = "".join(" " * (40 * row) + "- " * 20 + f"word{row}\n" for row in range(20)) + "> " * 500 + "last"
    for source in (lines, "".join(" " * 2 * row + f"- word{row}\n" for row in range(150)) + "\nlast"):
        html = to_html(source)
        assert parsed(html).deepest < 60
        assert all(f"word{row}" in html for row in range(20))
        assert "last" in html
        assert "last" in to_text(source)


def test_items_of_a_flattened_list_stay_apart():
    source = "\n".join([*(" " * 2 * row + "- a" for row in range(22)), " " * 42 + "- b"])
    assert "<p>a</p>\n<p>b</p>" in to_html(source)


def test_deep_emphasis_is_flattened():
    html = to_html("*a **b " * 60 + "x" + "** c*" * 60)
    assert parsed(html).deepest <= 10
    assert html.count("a") >= 60


def test_a_word_of_5000_characters_is_kept():
    word = "Donau" * 1000
    assert to_html(word) == f"<p>{word}</p>\n"
    assert to_text(f"a {word} b") == f"a\n{word}\nb"


def test_what_nobody_sees_is_left_out():
    assert to_html("a\x00b\x07c\ud800d\ufdd05\ufdd1\r\ne") == "<p>abcd5\ne</p>\n"


def test_an_open_mark_of_direction_is_closed_and_a_stray_one_left_out():
    assert (
        to_html("\u202eabc *\u2067def*\n\ng\u2069h") == "<p>\u202eabc <em>\u2067def</em>\u2069\u202c</p>\n<p>gh</p>\n"
    )
    assert to_html("```\n\u202ex\n```") == "<pre><code>\u202ex\n\u202c</code></pre>\n"


def test_french_punctuation_does_not_begin_a_line():
    assert to_html("Qui paie ?", lang="fr-BE") == "<p>Qui paie\u202f?</p>\n"
    assert to_inline_html("Qui paie ?", lang="fr") == "Qui paie\u202f?"
    assert to_html("Who pays ?", lang="en") == "<p>Who pays ?</p>\n"


def test_inline_html_has_no_blocks():
    assert to_inline_html("- *a*\n- b") == "- <em>a</em> - b"
    assert to_inline_html("") == ""


def test_hard_breaks_are_kept():
    assert to_html("a  \nb\\\nc") == "<p>a<br />\nb<br />\nc</p>\n"
    assert to_text("a  \nb\\\nc") == "a\nb\nc"


def test_no_text_gives_nothing():
    assert to_html("") == ""
    assert to_text(" \n ") == ""
