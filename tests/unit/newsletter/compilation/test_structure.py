import pytest

from newsletter.compilation.structure import check_shape, shape_of
from newsletter.errors import CompilationFailed


def test_the_shape_of_a_document_is_read_without_its_comments():
    shape = shape_of(
        "<!DOCTYPE html><html><head><title>T</title><style>.a{}</style></head><body><!--[if mso]><table><![endif]-->"
        '<p>one<br>two <a href="https://a.example/?a=1&amp;b=2">x</a> <a href="https://a.example/?a=1&amp;b=2">y</a></p>'
        "<hr/></br><a>none</a><svg/></body></html>"
    )
    assert shape.depth == 4
    assert shape.outlook == "[if mso]><table>"
    assert shape.unbalanced == 0
    assert shape.links == ("https://a.example/?a=1&b=2",)
    assert shape.sheets == ()
    assert shape.words == "Tonetwo x ynone"


@pytest.mark.parametrize(
    ("html", "message"),
    [
        ("<div>" * 201, "nested 201 deep"),
        ("<!--[if mso]><p>", "not closed"),
        ('<link rel="stylesheet" href="https://a.example/x.css">', "fetches a style sheet: https://a.example/x.css"),
        ('<link rel="Stylesheet">', "fetches a style sheet"),
        ("<style>@import url(x);</style>", r"fetches a style sheet: @import url\(x\)"),
    ],
)
def test_what_the_next_step_would_spoil_is_refused(html, message):
    with pytest.raises(CompilationFailed, match=message):
        check_shape("step", html)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("<!--[if mso]>x<![endif]-->", "<!--[if IE]>x<![endif]-->", "changed the conditional comments"),
        ('<a href="https://a.example/">x</a>', "<a>x</a>", "changed links: https://a.example/"),
        ("<p>all of it</p>", "<p>all</p>", "changed the text near 'all of it'"),
        ("<p>all of it</p>", "<p>all if it</p>", "changed the text near 'all of it'"),
    ],
)
def test_a_step_that_changes_what_readers_get_is_refused(before, after, message):
    with pytest.raises(CompilationFailed, match=message):
        check_shape("step", after, before=shape_of(before))


def test_percent_encoding_and_white_space_are_no_change():
    before = shape_of('<p>one\n  two</p><a href="https://a.example/été">x</a>')
    assert (
        check_shape("step", '<p>one two</p><a href="https://a.example/%C3%A9t%C3%A9">x</a>', before=before).depth == 1
    )
