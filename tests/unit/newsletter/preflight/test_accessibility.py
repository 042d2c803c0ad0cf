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


def picture(**changes):
    return {"url": "https://x.example/a.jpg", "alt": {"fr": "Deux jetées", "en": "Two piers"}, **changes}


def test_the_words_of_a_picture_in_another_language_are_a_warning(given):
    entry = given.news(image=picture(alt={"fr": "Deux jetées"}))
    (finding,) = found(given, entry=entry)
    assert (finding.code, finding.severity, finding.place) == ("alt-other-language", "warning", "piers")
    assert finding.message() == (
        "In the English edition the alternative text of a picture is in French: “Deux jetées”."
    )


@pytest.mark.parametrize("alt", [{"fr": "Deux jetées", "en": "Two piers"}, "Deux jetées"])
def test_words_in_the_editions_language_or_in_none_are_clean(given, alt):
    assert found(given, entry=given.news(image=picture(alt=alt))) == []


def test_words_in_the_language_of_the_text_beside_them_are_clean(given):
    entry = given.news(texts={"fr": {"title": "Deux jetées"}}, image=picture(alt={"fr": "Deux jetées"}))
    assert found(given, entry=entry) == []


def test_a_layout_table_must_say_so(given):
    (finding,) = found(given, f"{HEAD}<table><tr><td>One</td></tr></table><table><tr><td>Two</td></tr></table>")
    assert (finding.code, finding.severity) == ("table-role", "warning")
    assert finding.message() == (
        "2 tables of the English edition that are there for their layout alone do not say so (role=presentation)."
    )


@pytest.mark.parametrize(
    "table",
    [
        '<table role="presentation"><tr><td>One</td></tr></table>',
        '<table role="none"><tr><td>One</td></tr></table>',
        "<table><tr><th>Tide</th></tr><tr><td>Low</td></tr></table>",
        "<!--[if mso]><table><tr><td><![endif]--><!--[if mso]></td></tr></table><![endif]-->",
    ],
)
def test_a_table_that_says_so_has_headers_or_is_for_outlook_is_clean(given, table):
    assert found(given, HEAD + table) == []


def links(*words):
    return HEAD + "".join(
        f'<p><a href="https://x.example/{number}">{each}</a></p>' for number, each in enumerate(words)
    )


def test_a_vague_link_of_the_theme_is_a_warning(given):
    (finding,) = found(given, links("Read more"))
    assert (finding.code, finding.severity) == ("link-spoken-vague", "warning")
    assert finding.message().endswith("“Read more”, which does not say where it leads: https://x.example/0")


def test_a_link_whose_title_is_spoken_is_clean(given):
    body = f'{HEAD}<a href="https://x.example/" aria-label="Read more: two piers">Read more</a>'
    assert found(given, body) == []


def test_links_of_the_theme_that_are_read_alike_are_a_warning(given):
    (finding,) = found(given, links("Tide tables", "tide tables"))
    assert (finding.code, finding.severity) == ("link-spoken-alike", "warning")


def test_links_that_are_read_differently_or_lead_to_one_page_are_clean(given):
    same = '<p><a href="https://x.example/0">Tide tables</a></p>'
    assert found(given, links("Tide tables", "Ship tables") + same) == []


def test_links_of_one_list_item_are_told_apart_by_its_words(given):
    body = (
        '<p role="listitem">In French: <a href="https://x.example/fr">Register: tides</a>, '
        'in English: <a href="https://x.example/en">Register: tides</a></p>'
    )
    assert found(given, HEAD + body) == []


def test_the_words_of_officers_are_not_judged_twice(given):
    entry = given.news(links=[{"label": "Read more", "url": "https://x.example/"}])
    assert found(given, links("Read more", "read more."), entry=entry) == []
