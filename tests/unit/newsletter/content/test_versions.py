from newsletter.content.entry import Entry
from newsletter.content.versions import fingerprint, origins, stale, text_digest


def entry(source="en", place=None, sitting=None, **titles):
    return Entry.model_validate(
        {
            "key": "talk",
            "kind": "agenda",
            "section": "agenda",
            "published": "2026-11-03",
            "source": source,
            "place": place,
            "texts": {tag: {"title": title} for tag, title in titles.items()},
            "sittings": [{"key": "a", "date": "2026-12-01"} | (sitting or {})],
        }
    )


def after(before, now, known=None):
    return stale(now, origins(now, before=before, known=known or origins(before, before=None, known={})))


def test_texts_that_arrive_together_are_not_stale_to_each_other():
    both = entry(en="Talk", fr="Causerie")
    found = origins(both, before=None, known={})
    assert found == {"en": None, "fr": text_digest(both.texts["en"])}
    assert stale(both, found) == frozenset()


def test_a_translation_is_stale_when_only_its_source_changes():
    assert after(entry(en="Talk", fr="Causerie"), entry(en="Walk", fr="Causerie")) == {"fr"}


def test_a_translation_that_changes_too_is_fresh():
    assert after(entry(en="Talk", fr="Causerie", es="Charla"), entry(en="Walk", fr="Balade", es="Charla")) == {"es"}


def test_a_source_that_goes_back_makes_its_translation_fresh_again():
    first, second = entry(en="Talk", fr="Causerie"), entry(en="Walk", fr="Causerie")
    known = origins(first, before=None, known={})
    known = origins(second, before=first, known=known)
    assert after(second, first, known) == frozenset()


def test_a_new_translation_of_an_old_source_is_fresh():
    assert after(entry(en="Talk"), entry(en="Talk", fr="Causerie")) == frozenset()


def test_another_source_language_leaves_fresh_texts_fresh_and_stale_ones_stale():
    first, second = entry(en="Talk", fr="Causerie", es="Charla"), entry(en="Walk", fr="Balade", es="Charla")
    known = origins(second, before=first, known=origins(first, before=None, known={}))
    assert after(second, entry(source="fr", en="Walk", fr="Balade", es="Charla"), known) == {"es"}


def test_the_fingerprint_of_a_sitting_is_when_where_whether_and_what():
    def mark(**changes):
        one = entry(en="Talk", **changes)
        return fingerprint(one, one.sittings[0])

    same = {"title": {}, "languages": ["fr"], "body": "x"}
    assert mark() == mark(sitting=same)
    others = [
        mark(sitting={"until": "2026-12-02"}),
        mark(sitting={"status": "cancelled"}),
        mark(sitting={"title": "Walk"}),
        mark(sitting={"place": {"city": "Liège"}}),
        mark(place={"city": "Bonn"}),
        mark(),
    ]
    assert len(set(others)) == len(others)
