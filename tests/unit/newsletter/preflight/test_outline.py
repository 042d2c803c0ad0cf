from hypothesis import given as examples
from hypothesis import strategies as st

from newsletter.preflight.outline import Heading, Image, Spoken, outline_of


def test_the_languages_are_those_of_the_html_element_and_the_wrapper():
    outline = outline_of('<html lang="ar" dir="rtl"><body><div role="article" lang="ar" dir="rtl"></div></body></html>')
    assert outline.languages == (("ar", "rtl"), ("ar", "rtl"))


def test_the_title_is_one_line_and_not_among_the_words():
    outline = outline_of("<head><title>Harbour\n News</title></head><body>Piers</body>")
    assert (outline.title, outline.words) == ("Harbour News", "Piers")


def test_headings_have_a_level_and_words():
    outline = outline_of("<h1>Harbour <b>News</b></h1><h3>Piers</h3>")
    assert outline.headings == (Heading(level=1, words="Harbour News"), Heading(level=3, words="Piers"))


def test_a_picture_without_alt_differs_from_one_with_an_empty_alt():
    outline = outline_of('<img src="a.png"><img src="b.png" alt=""><img src="c.png" alt="A crane"/>')
    assert outline.images == (
        Image(url="a.png", alt=None),
        Image(url="b.png", alt=""),
        Image(url="c.png", alt="A crane"),
    )


def test_a_link_speaks_its_words_and_the_words_of_its_pictures():
    outline = outline_of('<a href="/a">See <img src="x" alt="the crane"></a>')
    assert outline.links == (Spoken(url="/a", words="See the crane"),)


def test_a_link_speaks_its_label_where_it_has_one():
    outline = outline_of('<a href="/a" aria-label="Read more: Two piers">Read more</a>')
    assert outline.links[0].words == "Read more: Two piers"


def test_a_link_does_not_speak_what_is_hidden_from_screen_readers():
    outline = outline_of('<a href="/a">Go<span aria-hidden="true"> <b>→</b></span></a>')
    assert outline.links[0].words == "Go"


def test_styles_scripts_and_comments_are_no_words():
    outline = outline_of("<style>p {}</style><script>x</script><!--[if mso]><p>Outlook</p><![endif]--><p>Piers</p>")
    assert outline.words == "Piers"


def test_what_is_closed_in_itself_or_never_opened_does_no_harm():
    outline = outline_of('<p/>Piers</b></p></a><br/></br><a href="/a"/>')
    assert outline.words == "Piers"
    assert outline.links == (Spoken(url="/a", words=""),)


@examples(st.text(alphabet="<>/a\"'= !-&;hp1img", max_size=80))
def test_no_markup_is_too_broken_to_be_outlined(html):
    outline = outline_of(html)
    assert outline.words == " ".join(outline.words.split())
    assert {heading.level for heading in outline.headings} <= {1}
    assert len(outline.images) <= html.count("<img")


def test_a_link_knows_the_paragraph_or_item_that_it_stands_in():
    html = '<a href=0>a</a><p><a href=1>b</a><b><a href=2>c</a></b></p><div role="listitem"><a href=3>d</a></div>'
    assert [link.block for link in outline_of(html).links] == [0, 1, 1, 2]
