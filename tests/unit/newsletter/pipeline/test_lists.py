import pytest

from newsletter.errors import InvalidInput
from newsletter.pipeline.lists import _read
from subscribers.errors import UnknownField


def test_words_by_language_are_gathered():
    given = {"title.fr": "Membres", "title.de": "Mitglieder", "description.fr": "", "description": "x", "public": "yes"}
    assert _read(given) == {
        "titles": {"fr": "Membres", "de": "Mitglieder"},
        "descriptions": {"fr": ""},
        "description": "x",
        "public": True,
    }


@pytest.mark.parametrize("key", ["titles", "name.fr", "title", "colour"])
def test_what_a_list_does_not_have_is_refused(key):
    with pytest.raises(UnknownField):
        _read({key: "x"})


def test_what_is_true_or_false_is_nothing_else():
    with pytest.raises(InvalidInput, match="true or false"):
        _read({"public": "perhaps"})
