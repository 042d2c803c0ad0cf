import pytest

from newsletter.preflight.document import document_of
from newsletter.preflight.features import signs_in


def signs(html):
    return signs_in(document_of(html))


@pytest.mark.parametrize(
    ("css", "sign"),
    [
        ("a{display:flex}", "display"),
        ("a{display:flex}", "display:flex"),
        ("a{width:calc(1rem + 2px)}", "calc()"),
        ("a{width:1.5rem}", "1rem"),
        ("a{color:red!important}", "!important"),
        ("a{background:#fff url(a.webp)}", "background:url()"),
        ("a{background:url('a.webp?x=1')}", ".webp"),
        ("a{background-image:url(data:image/png;base64,AA)}", "data:"),
        ("@media (hover:hover){a{top:0}}", "@media"),
        ("@media (hover:hover){a{top:0}}", "(hover)"),
        ("@import url(x.css);", "@import"),
        ("@font-face{src:url(x.woff)}", "@font-face"),
        ("a:hover{top:0}", ":hover"),
        ("a:after{top:0}", "::after"),
        ("a::before{top:0}", "::before"),
        ("a[href]{top:0}", "[attr]"),
        ("a>b{top:0}", "a>b"),
        ("a + b{top:0}", "a+b"),
        ("a ~ b{top:0}", "a~b"),
        ("*{top:0}", "*"),
        ("a{&:hover{top:0}}", "&"),
    ],
)
def test_a_sheet_shows_what_it_uses(css, sign):
    assert sign in signs(f"<style>{css}</style>")


@pytest.mark.parametrize(
    ("css", "sign"),
    [
        ("a{content:'display:flex calc(1rem)'}", "calc()"),
        ("a{background:url(calc(1rem).png)}", "1rem"),
        ("a{font-family:flex}", "display:flex"),
        ("a{color:#12ab34}", "1ab"),
        ("a{mso-line-height-rule:exactly}", "mso-line-height-rule"),
        ("a[title='x>y']{top:0}", "a>b"),
        ("a{background:url(http://[)}", ".png"),
        ("/* a:hover{top:0} */", ":hover"),
    ],
)
def test_what_only_looks_like_it_is_no_sign(css, sign):
    assert sign not in signs(f"<style>{css}</style>")


@pytest.mark.parametrize(
    ("html", "sign"),
    [
        ("<video src=a.mp4></video>", "<video>"),
        ("<video src=a.mp4></video>", ".mp4"),
        ("<p hidden>x</p>", "hidden="),
        ('<input type="checkbox">', "type=checkbox"),
        ('<a href="#top">x</a>', "href=#"),
        ('<a href="mailto:a@b.example">x</a>', "href=mailto:"),
        ('<p style="position:absolute">x</p>', "position"),
        ('<img src="https://x.example/a.WEBP?b=c">', ".webp"),
        ('<img src="data:image/png;base64,AA">', "data:"),
        ('<td background="a.avif">x</td>', ".avif"),
    ],
)
def test_an_element_shows_what_it_uses(html, sign):
    assert sign in signs(html)


@pytest.mark.parametrize(
    ("html", "sign"),
    [
        ("<!--[if mso]><video></video><![endif]-->", "<video>"),
        ("<p>display:flex</p>", "display:flex"),
        ('<style type="text/css"></style>', "type=text/css"),
        ('<img src="https://x.example/webp">', ".webp"),
        ('<img src="http://[">', ".png"),
        ('<a href="https://x.example/#top">x</a>', "href=#"),
    ],
)
def test_words_comments_and_addresses_are_no_signs(html, sign):
    assert sign not in signs(html)
