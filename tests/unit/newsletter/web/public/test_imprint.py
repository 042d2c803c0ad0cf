"""Who stands behind a page, in the language of the page."""

from newsletter.content.newsletter import Newsletter
from newsletter.web.public.imprint import imprint_of

RIVERS = {
    "slug": "rivers",
    "name": {"en": "River Post", "ar": "بريد النهر"},
    "languages": ["en", "ar"],
    "timezone": "Europe/Brussels",
    "sender": {"name": {"en": "River Cities", "fr": "Villes fluviales"}, "address": "post@rivers.example"},
    "list_id": "post.rivers.example",
    "website": "https://rivers.example/",
    "footer": {"address": "Quay 1\n\n 4000 Tideham ", "phone": "+32 4 000 00 00", "email": "hello@rivers.example"},
    "sections": [{"key": "lead"}],
}


def imprint(language, **changes):
    return imprint_of(Newsletter.model_validate({**RIVERS, **changes}), language=language, has_archive=True)


def test_names_are_in_the_language_of_the_page_where_there_is_one():
    made = imprint("fr")
    assert (made.sender.text, made.sender.lang, made.sender.dir) == ("Villes fluviales", "fr", "ltr")
    assert (made.name.text, made.name.lang) == ("River Post", "en")


def test_words_from_right_to_left_say_so():
    assert imprint("ar").name.dir == "rtl"


def test_words_for_every_language_are_read_by_their_first_letter():
    made = imprint("fr", name="Post")
    assert (made.name.text, made.name.lang, made.name.dir) == ("Post", "", "auto")


def test_the_address_has_a_line_each_and_no_empty_one():
    assert imprint("en").lines == ("Quay 1", "4000 Tideham")


def test_what_is_not_known_is_empty():
    made = imprint("en", footer={}, website=None)
    assert (made.site, made.lines, made.phone, made.email, made.about.text, made.accent) == ("", (), "", "", "", "")


def test_the_colour_is_that_of_the_theme():
    assert imprint("en", theme={"accent": "#3b4a94"}).accent == "#3b4a94"
