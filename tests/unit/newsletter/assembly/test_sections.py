import pytest
from unit.newsletter.assembly.builders import LINKS, SECTIONS, a_catalogue, an_agenda_entry, an_entry, the_facts

from newsletter.assembly.edition import Phrase
from newsletter.assembly.sections import sections_of
from newsletter.assembly.wording import Wording
from newsletter.content.newsletter import Show


def sections(*entries, language="en", **circumstances):
    issue = the_facts(*entries, **circumstances)
    wording = Wording(language=language, settings=issue.settings, catalogue=a_catalogue())
    cast = {key: wording.rendition(stored, {}) for key, stored in issue.entries.items()}
    return sections_of(issue, issue.items, cast=cast, wording=wording, links=LINKS)


def block(entry, **circumstances):
    return sections(entry, **circumstances)[0].blocks[0]


def test_sections_without_content_do_not_occur():
    assert [section.key for section in sections(an_entry(), an_agenda_entry())] == ["projects", "agenda"]


def test_a_section_keeps_its_shape_and_its_title_in_the_editions_language():
    projects, agenda = sections(an_entry(), an_agenda_entry(), language="fr")
    assert (projects.title, projects.show, projects.columns) == (Phrase(text="Nos projets"), Show.BLOCKS, 2)
    assert (agenda.title, agenda.show, agenda.blocks) == (Phrase(text="Agenda"), Show.LINES, ())
    assert [line.key for line in agenda.lines] == ["assembly"]


def test_a_section_may_have_no_title():
    assert sections(an_entry(section="lead"))[0].title is None


def test_a_title_that_was_not_translated_is_marked():
    title = sections(an_entry(), language="es")[0].title
    assert title == Phrase(text="Our projects", lang="en", dir="ltr")


def test_a_block_in_another_language_says_so_once_for_title_and_text():
    foreign = block(an_entry(texts={"ar": {"title": "عنوان", "body": "نص"}}))
    assert (foreign.lang, foreign.dir, foreign.title, foreign.body) == ("ar", "rtl", "عنوان", "نص")
    own = block(an_entry())
    assert (own.lang, own.dir) == (None, None)


def test_a_block_shows_the_sittings_that_are_not_over_in_order_of_time():
    entry = an_agenda_entry(
        section="lead",
        sittings=[
            {"key": "later", "start": "2026-12-03T10:00"},
            {"key": "past", "date": "2026-11-30"},
            {"key": "far", "date": "2028-01-01"},
            {"key": "sooner", "start": "2026-12-01T10:00", "status": "cancelled"},
        ],
    )
    assert [sitting.key for sitting in block(entry).sittings] == ["sooner", "later", "far"]


@pytest.mark.parametrize(
    ("image", "url", "size"),
    [
        ({"url": "https://x.example/a.jpg"}, "https://x.example/a.jpg", (None, None)),
        ({"url": {"en": "https://x.example/en.jpg", "fr": "https://x.example/fr.jpg"}}, "https://x.example/en.jpg",
         (None, None)),
        ({"file": "silt.jpg"}, "https://news.example/media/silt.jpg", (1200, 800)),
        ({"file": "unknown.jpg"}, "https://news.example/media/unknown.jpg", (None, None)),
    ],
)  # fmt: skip
def test_a_picture_lies_at_an_address_and_has_a_size_where_it_is_stored(image, url, size):
    picture = block(an_entry(image=image), pictures={"silt.jpg": (1200, 800)}).picture
    assert (picture.url, (picture.width, picture.height)) == (url, size)


def test_a_picture_has_words_of_its_own_language():
    image = {
        "url": "https://x.example/a.jpg",
        "alt": {"fr": "La Meuse"},
        "credit": {"*": "Photo: N. N."},
        "link": "https://x.example/",
    }
    picture = block(an_entry(image=image)).picture
    assert picture.alt == Phrase(text="La Meuse", lang="fr", dir="ltr")
    assert (picture.credit, picture.link) == (Phrase(text="Photo: N. N."), "https://x.example/")


def test_a_picture_may_say_nothing_and_an_entry_have_none():
    picture = block(an_entry(image={"url": "https://x.example/a.jpg"})).picture
    assert (picture.alt, picture.credit, picture.link) == (Phrase(text=""), None, None)
    assert block(an_entry()).picture is None


def test_lines_of_several_entries_are_in_one_order():
    entries = [
        an_agenda_entry("a", sittings=[{"key": "x", "start": "2026-12-20T10:00"}, {"key": "y", "start": "2026-12-02T10:00"}]),
        an_agenda_entry("b", section="lead", sittings=[{"key": "x", "date": "2026-12-05"}]),
    ]  # fmt: skip
    agenda = sections(*entries, newsletter=None)[-1]
    assert [(line.key, line.first_day.day) for line in agenda.lines] == [("a", 2), ("b", 5), ("a", 20)]
    assert [section["key"] for section in SECTIONS][-1] == agenda.key
