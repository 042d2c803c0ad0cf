import datetime as dt

import pytest

from newsletter.content.entry import Entry, StoredEntry
from newsletter.content.matrix import Completeness, matrix
from newsletter.content.newsletter import Fallback


def stored(*texts, stale=(), source="", languages=()):
    entry = Entry.model_validate(
        {
            "key": "quay",
            "kind": "news",
            "section": "lead",
            "published": "2026-11-03",
            "source": source,
            "languages": languages,
            "texts": {tag: {"title": f"Title {tag}"} for tag in texts},
        }
    )
    return StoredEntry(
        id=1, entry=entry, stale=frozenset(stale), sequences={}, changed=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    )


def words(entry, *languages, fallback=Fallback.SHOW):
    (row,) = matrix([entry], languages, default="en", fallback=fallback)
    return [str(cell) for cell in row.cells]


def test_each_cell_says_how_the_entry_stands_in_a_language():
    entry = stored("en", "fr", stale=["fr"])
    assert words(entry, "en", "fr", "hu", "fr-BE") == ["present", "stale", "falls back to en", "falls back to fr"]


def test_the_source_comes_before_the_default():
    assert words(stored("fr", "de"), "en") == ["falls back to fr"]


@pytest.mark.parametrize("fallback", [Fallback.OMIT, Fallback.BLOCK])
def test_a_foreign_text_is_no_substitute_where_the_newsletter_wants_none(fallback):
    assert words(stored("en", "fr"), "hu", "fr-BE", fallback=fallback) == ["missing", "falls back to fr"]


def test_an_entry_for_some_editions_is_excluded_from_the_others():
    entry = stored("fr", languages=["fr"])
    assert words(entry, "en", "fr", "fr-BE") == ["excluded", "present", "falls back to fr"]


def test_a_row_is_complete_when_nothing_is_left_to_do():
    complete, open_ = matrix([stored("fr", "en", source="fr"), stored("en")], ["en", "fr"], default="en")
    assert (complete.complete, open_.complete) == (True, False)
    assert (complete.key, complete.title, complete.source) == ("quay", "Title fr", "fr")
    assert open_.cells[1].state is Completeness.FALLBACK
