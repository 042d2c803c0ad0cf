import pytest

from newsletter.content.markdown import to_text


def test_lists_have_dashes_and_numbers_and_hang():
    source = "Before:\n\n- one is long enough to be wrapped\n- two\n  1. inner\n  2. more\n\nAfter."
    assert to_text(source, width=26) == (
        "Before:\n\n- one is long enough to be\n  wrapped\n- two\n  1. inner\n  2. more\n\nAfter."
    )


def test_numbered_lists_count_from_where_they_start():
    assert to_text("9. nine\n9. ten") == "9. nine\n10. ten"


def test_loose_items_stand_apart():
    assert to_text("- a\n\n  b\n\n- c") == "- a\n\n  b\n\n- c"


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (None, "  “Who pays?”"),
        ("de-AT", "  „Who pays?“"),
        ("fr", "  «\u00a0Who pays?\u00a0»"),
        ("es", "  «Who pays?»"),
        ("nl-BE", "  „Who pays?”"),
        ("ar", "  “Who pays?”"),
    ],
)
def test_quotations_stand_in_the_marks_of_their_language(lang, words):
    assert to_text("> Who pays?", lang=lang) == words


def test_a_quotation_of_several_paragraphs_opens_once_and_closes_once():
    assert to_text("> a\n>\n> - b\n> - c") == "  “a\n\n  - b\n  - c”"


def test_a_quotation_inside_a_quotation_has_inner_marks():
    assert to_text("> a\n> > b") == "  “a\n\n    ‘b’”"


def test_a_quotation_that_brings_its_marks_keeps_them():
    assert to_text("> « Qui paie ? »\n") == "  « Qui paie ? »"


def test_an_empty_quotation_is_nothing():
    assert to_text(">\n\na") == "a"


def test_a_quotation_in_a_list_hangs_on_its_item():
    assert to_text("- > a\n  > b\n- c") == "-   “a b”\n\n- c"


def test_links_stand_with_their_address_which_is_never_broken():
    address = "https://www.rivers.example/" + "a" * 80
    assert to_text(f"See [the map]({address}) now.", width=40) == f"See the map\n<{address}>\nnow."


def test_an_address_that_is_its_own_label_stands_once():
    assert (
        to_text("<https://a.example/> <me@a.example> [+32 4](tel:+324)")
        == "https://a.example/ me@a.example +32 4 <tel:+324>"
    )


def test_slots_are_not_broken():
    assert to_text("Hello there, [[first_name|dear reader of ours]]!", width=24) == (
        "Hello there,\n[[first_name|dear reader of ours]]!"
    )


def test_code_and_rules_are_kept():
    assert to_text("```\na  b\n\n  c\n```\n\n***\n\nd") == "a  b\n\n  c\n\n* * *\n\nd"


def test_headings_are_lines_of_their_own():
    assert to_text("- tight\n\n# Title\ntext") == "- tight\n\nTitle\n\ntext"


def test_deep_lines_still_have_room():
    assert "\n" not in to_text("- " * 15 + "a few words more here", width=30).strip()
