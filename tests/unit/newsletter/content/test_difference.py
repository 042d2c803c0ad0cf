from newsletter.content.difference import SHOWN, Effect, compare
from newsletter.content.entry import Entry


def entry(**changes):
    return Entry.model_validate(
        {
            "key": "talk",
            "kind": "agenda",
            "section": "agenda",
            "published": "2026-11-03",
            "texts": {"en": {"title": "Talk"}},
            "sittings": [{"key": "a", "date": "2026-12-01"}, {"key": "b", "date": "2026-12-02"}],
        }
        | changes
    )


def lines(**changes):
    return compare(entry(), entry(**changes)).lines


def test_what_was_not_there_is_new():
    difference = compare(None, entry())
    assert (difference.effect, difference.lines) == (Effect.NEW, ())


def test_the_same_is_unchanged():
    assert compare(entry(), entry()).effect is Effect.UNCHANGED
    assert compare(entry(place={"name": {"en": "", "fr": "Quai"}}), entry(place={"name": {"fr": "Quai"}})).effect is (
        Effect.UNCHANGED
    )


def test_every_changed_place_is_told():
    assert compare(entry(), entry(priority=3)).effect is Effect.CHANGED
    assert lines(
        priority=3,
        repeat=True,
        tags=["x", "y"],
        texts={"en": {"title": "Walk", "links": [{"action": "watch", "url": "https://a.example"}]}},
        sittings=[{"key": "a", "date": "2026-12-03"}, {"key": "b", "date": "2026-12-02"}],
    ) == (
        "priority: 0 → 3",
        "repeat: no → yes",
        "sittings[a].date: 2026-12-01 → 2026-12-03",
        "texts.en.title: Talk → Walk",
        "tags: + x, y",
        "texts.en.links[0].action: + watch",
        "texts.en.links[0].url: + https://a.example",
    )


def test_what_goes_is_told():
    gone = compare(entry(topic="water"), entry()).lines
    assert gone == ("topic: - water",)


def test_another_order_of_sittings_is_a_change():
    other = [{"key": "b", "date": "2026-12-02"}, {"key": "a", "date": "2026-12-01"}]
    assert lines(sittings=other) == ("sittings (order): a, b → b, a",)


def test_sittings_that_come_stand_in_their_own_lines():
    more = [{"key": "a", "date": "2026-12-01"}, {"key": "b", "date": "2026-12-02"}, {"key": "c", "date": "2026-12-03"}]
    assert lines(sittings=more) == (
        "sittings[c].key: + c",
        "sittings[c].date: + 2026-12-03",
        "sittings[c].status: + confirmed",
    )


def test_long_texts_are_shown_around_the_first_difference():
    before, after = (entry(texts={"en": {"title": "Talk", "body": "lamp " * 100 + end}}) for end in ("off\nnow", "on"))
    (change,) = compare(before, after).changes
    assert change.old == "…mp lamp lamp lamp lamp lamp lamp lamp lamp lamp lamp off now"
    assert change.new.endswith("lamp on")
    assert len(change.new) <= SHOWN + 2


def test_a_long_new_text_is_cut():
    (change,) = compare(entry(), entry(texts={"en": {"title": "Talk", "body": "x" * 100}})).changes
    assert change.new == "x" * SHOWN + "…"
