import pytest

from subscribers import store
from subscribers.errors import InvalidValue, UnknownTag


def test_a_tag_becomes_another_and_who_has_both_keeps_one(session, add_person):
    anne, ben = add_person("anne@x.example", tags=["press", "media"]), add_person("ben@x.example", tags=["press"])
    assert store.rename_tag(session, "press", "media") == 2
    assert store.tags_of(session, [anne.id, ben.id]) == {anne.id: ["media"], ben.id: ["media"]}


def test_a_tag_becomes_itself_without_harm(session, add_person):
    anne = add_person("anne@x.example", tags=["press"])
    assert store.rename_tag(session, "press", " press ") == 1
    assert store.tags_of(session, [anne.id]) == {anne.id: ["press"]}


def test_a_tag_is_taken_off_everybody(session, add_person):
    add_person("anne@x.example", tags=["press", "mayor"])
    assert store.delete_tag(session, "press") == 1
    assert store.known_tags(session) == ["mayor"]


def test_a_tag_that_nobody_has_is_unknown_and_the_nearest_is_named(session, add_person):
    add_person("anne@x.example", tags=["press"])
    with pytest.raises(UnknownTag, match="did you mean “press”"):
        store.delete_tag(session, "pres")
    with pytest.raises(InvalidValue):
        store.rename_tag(session, "press", "  ")
