import pytest

from newsletter.preflight import accessibility

HEAD = "<h1>Harbour News</h1>"


def found(given, body=HEAD, *, entry=None, newsletter=None, **page):
    facts = given.issue(*([entry] if entry else []), newsletter=newsletter)
    html = given.page(body, **page)
    return list(accessibility.check(given.compiled(facts, html=html), facts))


def test_a_page_with_language_title_and_headings_is_clean(given):
    assert found(given, f"{HEAD}<h2>News</h2><h3>Piers</h3><h3>Cranes</h3><h2>Agenda</h2>") == []


@pytest.mark.parametrize("page", [{"language": "fr"}, {"direction": "rtl"}, {"language": ""}])
def test_a_page_without_its_language_and_direction_is_an_error(given, page):
    (finding,) = found(given, **page)
    assert (finding.code, finding.severity, finding.edition) == ("html-language", "error", "en")
    assert finding.message().startswith("The HTML of the English edition does not say its language")


def test_a_page_whose_wrapper_has_no_language_is_an_error(given):
    facts = given.issue()
    html = given.page(HEAD).replace('<div role="article" lang="en" dir="ltr">', '<div role="article">')
    assert given.codes(accessibility.check(given.compiled(facts, html=html), facts)) == ["html-language"]


def test_an_entry_that_is_an_article_of_its_own_is_clean(given):
    assert found(given, f'{HEAD}<div role="article"><h2>News</h2></div>') == []


def test_a_page_without_a_title_is_an_error(given):
    (finding,) = found(given, title=" ")
    assert (finding.code, finding.severity) == ("html-title", "error")


def test_a_picture_without_words_is_a_warning(given):
    picture = {"url": "https://img.example/a.jpg"}
    (finding,) = found(given, f'{HEAD}<img src="https://img.example/a.jpg">', entry=given.news(image=picture))
    assert (finding.code, finding.severity, finding.place) == ("alt-missing", "warning", "piers")
    assert finding.message() == "The picture https://img.example/a.jpg has no words for those who do not see it."


def test_a_logo_without_words_is_a_warning(given):
    footer = {"logos": [{"url": "https://img.example/fund.png"}]}
    assert [(finding.code, finding.place) for finding in found(given, newsletter={"footer": footer})] == [
        ("alt-missing", "footer")
    ]


def test_a_picture_of_the_theme_without_the_attribute_is_a_warning(given):
    (finding,) = found(given, f'{HEAD}<img src="https://img.example/line.png">')
    assert (finding.code, finding.place) == ("alt-missing", "")


def test_pictures_with_words_and_decorations_are_clean(given):
    picture = {"url": "https://img.example/a.jpg", "alt": {"en": "A crane"}}
    body = f'{HEAD}<img src="https://img.example/a.jpg" alt="A crane"><img src="https://img.example/line.png" alt="">'
    assert found(given, body, entry=given.news(image=picture)) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (f"{HEAD}<h3>Piers</h3>", "skip a level at “Piers” (h1, h3)."),
        ("<h2>News</h2>", "skip a level at “News” (h2)."),
    ],
)
def test_a_heading_that_skips_a_level_is_a_warning(given, body, words):
    (finding,) = found(given, body)
    assert (finding.code, finding.severity) == ("heading-order", "warning")
    assert words in finding.message()


def test_a_page_without_headings_is_clean(given):
    assert found(given, "<p>News</p>") == []


def test_a_link_without_spoken_words_is_an_error(given):
    link = '<a href="https://www.city.example/"><img src="a.png" alt=""></a>'
    (finding,) = found(given, HEAD + link)
    assert (finding.code, finding.severity) == ("link-silent", "error")
    assert finding.message().endswith("it leads to https://www.city.example/")


def test_a_link_around_a_picture_with_words_is_clean(given):
    assert found(given, f'{HEAD}<a href="https://www.city.example/"><img src="a.png" alt="The city"></a>') == []
