import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compilation.mjml_rules import DEEPEST, LONGEST, MOST_PROBLEMS, check_mjml

DOCUMENT = """<mjml lang="en" dir="ltr">
<mj-head>
<mj-title>A &amp; b</mj-title>
<mj-preview>words &#8211; more</mj-preview>
<mj-attributes><mj-all font-family="Arial, sans-serif"/><mj-class name="soft" color="#666"/><mj-text padding="0 25px"/></mj-attributes>
<mj-breakpoint width="480px"/>
<mj-style inline="inline">.a { color: red; } /* not *: here */</mj-style>
<mj-style>@media print { .a:hover > * { color: #000 !important; } }</mj-style>
<mj-raw><meta name="color-scheme" content="light dark"><style>.b { color: red }</style></mj-raw>
</mj-head>
<mj-body background-color="#ffffff" css-class="page">
<mj-raw><!-- note --><div style="display:none">x</div></mj-raw>
<mj-wrapper full-width="full-width">
<mj-section direction="rtl" padding="0 10px 5px">
<mj-column width="50%" mj-class="soft">
<mj-text line-height="1.5" align="left"><h1>Title</h1><p>One<br>two &nbsp; <a href="https://a.example/">x</a></p></mj-text>
<mj-image src="https://a.example/x.png" alt="" width="100px"/>
<mj-button href="https://a.example/" inner-padding="10px">Go</mj-button>
<mj-raw><tr><td>1</td></tr></mj-raw>
<mj-social mode="horizontal"><mj-social-element src="https://a.example/i.png" alt="M" href="https://m.example/">M</mj-social-element></mj-social>
</mj-column>
</mj-section>
</mj-wrapper>
</mj-body>
</mjml>"""


def body(inside):
    return f"<mjml><mj-body><mj-section><mj-column>\n{inside}\n</mj-column></mj-section></mj-body></mjml>"


def text(inside):
    return body(f"<mj-text>{inside}</mj-text>")


def messages(source):
    return [problem.message for problem in check_mjml(source)]


def test_a_document_in_order_has_no_problems():
    assert check_mjml(DOCUMENT) == ()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (body("<mj-foo></mj-foo>"), "there is no tag <mj-foo>"),
        (body('<mj-include path="/etc/passwd"/>'), "<mj-include> may not be used: an included section loses its width"),
        (body("<mj-carousel></mj-carousel>"), "<mj-carousel> may not be used"),
        (body('<mj-text colour="#fff">x</mj-text>'), "<mj-text> has no attribute colour"),
        (body('<mj-text font-size="abc">x</mj-text>'), 'font-size="abc" is not a value it can have'),
        (body('<mj-text padding="1 2 3">x</mj-text>'), 'padding="1 2 3" is not a value'),
        (body('<mj-button href="javascript:alert(1)">x</mj-button>'), 'href="javascript:alert(1)" is not a value'),
        (body('<mj-image src="//a.example/x.png" alt=""/>'), 'src="//a.example/x.png" is not a value'),
        (body('<mj-image src="https://a.example/x.png"/>'), "<mj-image> needs alt"),
        (body("<mj-image/>"), "<mj-image> needs src"),
        ("<mjml><mj-body><mj-text>x</mj-text></mj-body></mjml>", "<mj-text> cannot stand in <mj-body>"),
        ("<mj-body></mj-body>", "<mj-body> cannot stand in the document"),
        (body("<mj-section></mj-section>"), "<mj-section> cannot stand in <mj-column>"),
        (body("<p>x</p>"), "<p> cannot stand in <mj-column>"),
        (body("bare"), "words stand directly in <mj-column>"),
        (body("&nbsp;"), "words stand directly in <mj-column>: &nbsp;"),
        (body("&#160;"), "words stand directly in <mj-column>: &#160;"),
        (body("<mj-raw>bare</mj-raw>"), "words stand directly in <mj-raw>"),
        (body("<mj-raw><div>x</div></mj-raw>"), "<div> in <mj-raw> stands between table rows"),
        (body("<mj-raw><tr><td>x</td></mj-raw>"), "<tr> is not closed before </mj-raw>"),
        (text("<b>x"), "<b> is not closed before </mj-text>"),
        (text("<b>x<i>y</b></i>"), "<i> is not closed before </b>"),
        (text("x</b>"), "</b> closes nothing"),
        (text("x</br>"), "</br>: this tag has no end"),
        (text("<div/>"), "<div/> does not close itself"),
        (text("<BR>"), "<BR>: write tags in lower case"),
        (text("<a href=x>y</a>"), "every attribute needs a value in double quotes"),
        (text("<a href='x'>y</a>"), "every attribute needs a value in double quotes"),
        (text('<a href="x" href="y">y</a>'), "<a> has href twice"),
        (text("a < b"), "a bare <"),
        (text("<script>x</script>"), "<script> may not be used in a mail"),
        (text("<iframe></iframe>"), "<iframe> may not be used in a mail"),
        (text('<p onclick="x()">y</p>'), "<p> may not have onclick"),
        (text('<a href="https://a.example/"><table><tr><td>x</td></tr></table></a>'), "<table> inside a link"),
        (text('<img src="x">'), "<img> needs alt"),
        (text("<![CDATA[x]]>"), "cannot stand in MJML"),
        (text("<?php x ?>"), "<?php x ?> cannot stand in MJML"),
        ("<!doctype html>" + body(""), "<!doctype html> cannot stand in MJML"),
        ("<mjml><mj-head><mj-preview><b>x</b></mj-preview></mj-head></mjml>", "<b> cannot stand in <mj-preview>"),
        ("<mjml><mj-head><mj-raw><p>x</p></mj-raw></mj-head></mjml>", "<p> may not be used in a mail"),
        ("<mjml><mj-head><mj-style>@import url(x);</mj-style></mj-head></mjml>", "@import fetches from another host"),
        ("<mjml><mj-head><mj-raw><style>@import 'x';</style></mj-raw></mj-head></mjml>", "@import fetches"),
        ('<mjml><mj-head><mj-style inline="inline">a:hover { color: red }</mj-style></mj-head></mjml>', "cannot be inlined"),
        ('<mjml><mj-head><mj-style inline="inline">a { color: red !important }</mj-style></mj-head></mjml>', "cannot be inlined"),
        ('<mjml><mj-head><mj-style inline="inline">* { color: red }</mj-style></mj-head></mjml>', "'*' cannot be inlined"),
        ("<mjml><mj-head></mj-head></mjml>", "there is no <mj-body>"),
        ("words", "words stand directly in the document"),
        ("<b>x</b>", "<b> cannot stand in the document"),
    ],
)  # fmt: skip
def test_what_the_library_would_let_pass_is_named(source, message):
    assert any(message in found for found in messages(source)), messages(source)


def test_problems_have_line_and_column():
    [problem] = check_mjml(body('<mj-text>\n  fine\n  <b colour="x">x</b> a < b</mj-text>'))
    assert (problem.line, problem.column) == (4, 25)
    [problem] = check_mjml(body("\n\n   bare words"))
    assert (problem.line, problem.column) == (4, 4)


def test_a_tag_that_is_never_closed_is_named_where_it_begins():
    problems = check_mjml("<mjml>\n<mj-body>\n <mj-section>")
    assert [(problem.line, problem.column) for problem in problems] == [(1, 1), (2, 1), (3, 2)]
    assert problems[2].message == "<mj-section> is never closed"


def test_markup_that_would_kill_the_library_is_refused():
    assert f"markup is nested more than {DEEPEST} deep" in messages(text("<b>" * 10_000 + "</b>" * 10_000))
    assert messages(text("<b>" * 190 + "</b>" * 190)) == []


def test_a_document_that_is_too_long_is_not_even_read():
    assert "more than 2,000,000" in messages("x" * (LONGEST + 1))[0]


def test_not_more_problems_are_reported_than_anybody_reads():
    assert len(check_mjml(body("<mj-foo/>" * 200))) == MOST_PROBLEMS


@given(st.text(st.sampled_from("<>/\"'=! -abmj&;\n[]?"), max_size=200))
def test_no_document_can_stop_the_check(source):
    problems = check_mjml(source)
    assert problems, "no such document has a body"
    assert all(problem.message and 1 <= problem.line <= 1 + source.count("\n") for problem in problems if problem.line)
