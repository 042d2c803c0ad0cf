import pytest
from unit.newsletter.assembly.builders import a_newsletter, a_plan, an_agenda_entry, an_entry

from newsletter.assembly.listing import Named, read_list
from newsletter.errors import InvalidInput

ENTRIES = {entry.key: entry for entry in (an_entry("silt"), an_entry("quay"), an_agenda_entry("assembly"))}


def read(*items):
    return read_list(a_plan(items=list(items)), a_newsletter(), ENTRIES)


def test_an_automatic_selection_has_no_list():
    assert read_list(a_plan(items="auto"), a_newsletter(), ENTRIES) is None


def test_a_place_without_a_section_is_in_the_entrys_own():
    assert read("quay", {"key": "silt", "section": "lead", "segment": "press"}) == {
        "quay": (Named(index=0, section="projects", segment=None),),
        "silt": (Named(index=1, section="lead", segment="press"),),
    }


def test_an_entry_may_stand_once_in_blocks_and_once_in_lines():
    assert [place.section for place in read({"key": "assembly", "section": "lead"}, "assembly")["assembly"]] == [
        "lead",
        "agenda",
    ]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (
            ["silt", "sild", "nothing"],
            "the items of issue 2026-12 name entries that do not exist: sild (did you mean silt?), nothing",
        ),
        (
            [{"key": "silt", "section": "project"}],
            "the items of issue 2026-12 name sections it does not have: project (did you mean projects?)",
        ),
        (["silt", {"key": "silt", "section": "lead"}], "the items of issue 2026-12 name an entry twice: silt"),
        (["silt", "quay", "quay", "silt"], "the items of issue 2026-12 name an entry twice: silt, quay"),
    ],
)
def test_a_list_that_cannot_be_followed_is_refused_by_name(items, message):
    with pytest.raises(InvalidInput) as refused:
        read(*items)
    assert str(refused.value) == message
