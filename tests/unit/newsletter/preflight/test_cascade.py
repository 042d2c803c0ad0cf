import pytest

from newsletter.preflight.cascade import View, seen_in
from newsletter.preflight.document import document_of

DARK = View(dark=True)


def look(html, words="x", view=None):
    """How the words are seen; None where they are not."""
    found = [each.look for each in seen_in(document_of(html), view or View()) if each.words == words]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("html", "colour"),
    [
        ("<p>x</p>", "#000000"),
        ('<p style="color:red">x</p>', "#ff0000"),
        ('<div style="color:red"><p>x</p></div>', "#ff0000"),
        ('<p style="color:red"><b style="color:inherit">x</b></p>', "#ff0000"),
        ('<p style="color:red"><b style="color:currentColor">x</b></p>', "#ff0000"),
        ('<p style="color:var(--ink)">x</p>', None),
        ('<p style="color:rgba(0,0,0,.5)">x</p>', "#808080"),
        ('<a href="#">x</a>', "#0000ee"),
        ('<a href="#"><b>x</b></a>', "#0000ee"),
        ("<a>x</a>", "#000000"),
        ('<p style="color:red"><a href="#" style="color:inherit">x</a></p>', "#ff0000"),
        ("<style>p{color:red}</style><p>x</p>", "#ff0000"),
        ('<style>p{color:red}</style><p style="color:navy">x</p>', "#000080"),
        ('<style>p{color:red!important}</style><p style="color:navy">x</p>', "#ff0000"),
        ("<style>#i{color:red}p{color:navy}</style><p id=i>x</p>", "#ff0000"),
        ("<style>p{color:red}p{color:navy}</style><p>x</p>", "#000080"),
        ("<style>p::first-line{color:red}</style><p>x</p>", "#000000"),
        ("<style>@media print{p{color:red}}</style><p>x</p>", "#000000"),
        ("<style>@media screen{p{color:red}}</style><p>x</p>", "#ff0000"),
        ("<style>@media only screen and (min-width:480px){p{color:red}}</style><p>x</p>", "#ff0000"),
        ("<style>@media (max-width:37.5em), print{p{color:red}}</style><p>x</p>", "#ff0000"),
        ("<style>@media (max-width:479px){p{color:red}}</style><p>x</p>", "#000000"),
        ("<style>@media (max-width:calc(1px)){p{color:red}}</style><p>x</p>", "#000000"),
        ("<style>@media (hover:hover){p{color:red}}</style><p>x</p>", "#000000"),
        ("<style>@media (prefers-color-scheme:light){p{color:red}}</style><p>x</p>", "#ff0000"),
        ("<style>@supports (top:0){p{color:red}}</style><p>x</p>", "#ff0000"),
        ("<style>@keyframes k{p{color:red}}</style><p>x</p>", "#000000"),
        ("<style>@font-face{color:red}</style><p>x</p>", "#000000"),
    ],
)
def test_words_have_the_colour_that_wins(html, colour):
    assert look(html).colour == colour


@pytest.mark.parametrize(
    ("html", "ground"),
    [
        ("<p>x</p>", "#ffffff"),
        ('<p style="background:#eee">x</p>', "#eeeeee"),
        ('<p style="background-color:#eee"><b>x</b></p>', "#eeeeee"),
        ("<table bgcolor=navy><tr><td>x</td></tr></table>", "#000080"),
        ('<table bgcolor=navy style="background:red"><tr><td>x</td></tr></table>', "#ff0000"),
        ('<p style="background:red"><b style="background:none">x</b></p>', "#ff0000"),
        ('<p style="background:red"><b style="background:rgba(0,0,0,.5)">x</b></p>', "#800000"),
        ('<p style="background:url(a.png)">x</p>', None),
        ('<p style="background-image:url(a.png)">x</p>', None),
        ('<p style="background-image:none">x</p>', "#ffffff"),
        ('<p style="background:url(a.png)"><b style="background:red">x</b></p>', "#ff0000"),
        ('<p style="background:url(a.png)"><b style="background:rgba(0,0,0,.5)">x</b></p>', None),
        ('<p style="background:var(--paper)">x</p>', None),
    ],
)
def test_words_stand_on_the_nearest_ground(html, ground):
    assert look(html).ground == ground


def test_ink_that_lets_an_unknown_ground_through_cannot_be_told():
    assert look('<p style="background:url(a.png);color:rgba(0,0,0,.5)">x</p>').colour is None


@pytest.mark.parametrize(
    ("style", "size"),
    [
        ("font-size:14px", 14),
        ("font-size:12pt", 16),
        ("font-size:.5em", 10),
        ("font-size:2rem", 32),
        ("font-size:50%", 10),
        ("font-size:0", 0),
        ("font-size:small", 13),
        ("font-size:larger", 24),
        ("font-size:calc(1px)", 20),
        ("font-size:1.2.3px", 20),
        ("font-size:.px", 0),
        ("font:italic bold 12px/1.5 serif", 12),
        ("font:inherit", 20),
    ],
)
def test_words_have_a_size_in_pixels(style, size):
    assert look(f'<div style="font-size:20px"><p style="{style}">x</p></div>').size == pytest.approx(size)


def test_browsers_have_sizes_of_their_own():
    assert look("<h1>x</h1>").size == 32
    assert look("<small>x</small>").size == pytest.approx(13.28)


@pytest.mark.parametrize(
    ("html", "bold"),
    [
        ("<p>x</p>", False),
        ("<b>x</b>", True),
        ("<h2><span>x</span></h2>", True),
        ('<h2 style="font-weight:400">x</h2>', False),
        ('<p style="font-weight:700">x</p>', True),
        ('<p style="font-weight:bold">x</p>', True),
        ('<b><span style="font-weight:inherit">x</span></b>', True),
        ('<p style="font-weight:inherit">x</p>', False),
        ('<p style="font:bold 12px serif">x</p>', True),
        ('<b style="font:12px serif">x</b>', False),
    ],
)
def test_words_are_bold_or_not(html, bold):
    assert look(html).bold is bold


@pytest.mark.parametrize(
    "html",
    [
        '<div style="display:none"><p>x</p></div>',
        "<p hidden>x</p>",
        "<title>x</title>",
        "<template><p>x</p></template>",
        "<style>p{display:none}</style><p>x</p>",
        "<!-- x -->",
    ],
)
def test_what_is_not_seen_is_left_out(html):
    assert look(html) is None


def test_words_after_an_element_look_like_those_around_it():
    assert look('<p style="color:red"><b style="color:navy">y</b>x</p>').colour == "#ff0000"


def test_the_words_of_a_picture_are_seen_while_it_is_blocked():
    assert look('<img src="a.png" alt="x" style="color:red">').colour == "#ff0000"


def test_signs_are_no_words():
    assert look("<p>·</p>", "·") is None


def test_the_dark_scheme_has_other_defaults_and_its_own_rules():
    html = '<style>@media (prefers-color-scheme:dark){p{color:red}}</style><p>x</p>y<a href="#">z</a>'
    assert look(html, view=DARK).colour == "#ff0000"
    assert (look(html, "y", DARK).colour, look(html, "y", DARK).ground) == ("#ffffff", "#121212")
    assert look(html, "z", DARK).colour == "#9e9eff"
    assert look(html).colour == "#000000"


def test_a_narrow_screen_has_rules_of_its_own():
    html = "<style>@media (max-width:479px){p{font-size:12px}}</style><p>x</p>"
    assert look(html, view=View(width=375)).size == 12
    assert look(html).size == 16


def test_words_of_a_link_know_it():
    html = '<a href="#"><b>x</b></a>y'
    assert look(html).link
    assert not look(html, "y").link


def test_a_document_may_be_deep():
    assert look("<b>" * 1_000 + "x" + "</b>" * 1_000).bold
