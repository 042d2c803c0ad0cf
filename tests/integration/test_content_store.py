import datetime as dt

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from newsletter.content import models, store
from newsletter.content.difference import Effect
from newsletter.content.entry import Entry, Kind, Status
from newsletter.content.images import StoredPicture
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.errors import Ambiguous, InvalidInput, NotFound, WrongState

NOW = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=1)


@pytest.fixture
def session(engine):
    with Session(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def rivers(session):
    newsletter_id, _ = store.save_newsletter(session, newsletter(), now=NOW)
    return newsletter_id


@pytest.fixture
def writes(engine):
    written = []

    def note(_connection, _cursor, statement, *_others):
        if not statement.startswith(("SELECT", "BEGIN")):
            written.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    return written


def newsletter(slug="rivers", **changes):
    return Newsletter.model_validate(
        {
            "slug": slug,
            "name": {"fr": "Fleuves", "en": "Rivers"},
            "languages": ["en", "fr"],
            "timezone": "Europe/Brussels",
            "sender": {"name": "Rivers", "address": "news@rivers.example"},
            "list_id": f"{slug}.rivers.example",
            "sections": [{"key": "lead"}],
        }
        | changes
    )


def entry(key="quay", **changes):
    return Entry.model_validate(
        {
            "key": key,
            "kind": "news",
            "section": "lead",
            "published": "2026-11-03",
            "texts": {"en": {"title": "Quay", "links": [{"action": "watch", "url": "https://a.example"}]}},
        }
        | changes
    )


def event_of(*sittings, key="talk", **changes):
    return entry(key, kind="agenda", sittings=sittings, **changes)


def sitting(key="a", **changes):
    return {"key": key, "start": "2026-12-01T14:00"} | changes


def save(session, newsletter_id, *entries, now=NOW):
    differences = store.save_entries(session, newsletter_id, entries=entries, now=now)
    session.expire_all()
    return differences


def test_a_newsletter_comes_back_as_it_was_saved(session, rivers):
    found_id, found = store.get_newsletter(session, "rivers")
    assert (found_id, found) == (rivers, newsletter())
    assert list(found.name) == ["fr", "en"]
    assert store.list_newsletters(session) == [(rivers, newsletter())]


def test_saving_a_newsletter_says_what_is_different(session, rivers):
    assert store.save_newsletter(session, newsletter(), now=LATER)[1].effect is Effect.UNCHANGED
    same_id, difference = store.save_newsletter(session, newsletter(timezone="Europe/Paris"), now=LATER)
    assert same_id == rivers
    assert difference.lines == ("timezone: Europe/Brussels → Europe/Paris",)
    assert store.get_newsletter(session, "rivers")[1].timezone == "Europe/Paris"


def test_an_unknown_newsletter_is_answered_with_the_nearest(session, rivers):
    with pytest.raises(NotFound, match="there is no newsletter 'river'; did you mean 'rivers'"):
        store.only_newsletter(session, "river")
    assert store.only_newsletter(session, "rivers")[0] == rivers


def test_the_only_newsletter_need_not_be_named(session):
    with pytest.raises(WrongState, match="there is no newsletter yet"):
        store.only_newsletter(session, None)
    newsletter_id, _ = store.save_newsletter(session, newsletter(), now=NOW)
    assert store.only_newsletter(session, None)[0] == newsletter_id
    store.save_newsletter(session, newsletter("lakes"), now=NOW)
    with pytest.raises(InvalidInput, match=r"several newsletters \(lakes, rivers\): say which with --newsletter"):
        store.only_newsletter(session, None)


def test_an_entry_is_found_in_the_newsletter_that_has_it(session, rivers):
    lakes, _ = store.save_newsletter(session, newsletter("lakes"), now=NOW)
    save(session, rivers, entry("quay"), entry("lock"))
    save(session, lakes, entry("quay"))
    assert store.newsletter_of_entry(session, "lock")[0] == rivers
    assert store.newsletter_of_entry(session, "quay", slug="lakes")[0] == lakes
    with pytest.raises(Ambiguous, match="entry 'quay' exists in lakes, rivers"):
        store.newsletter_of_entry(session, "quay")
    with pytest.raises(NotFound, match="there is no entry 'quai'; did you mean 'quay'"):
        store.newsletter_of_entry(session, "quai")


def test_topics_keep_their_places(session, rivers):
    def save_topics(**names):
        given = [Topic.model_validate({"key": key, "name": name}) for key, name in names.items()]
        found = store.save_topics(session, rivers, topics=given)
        return {key: difference.effect for key, difference in found.items()}

    assert save_topics(silt="Silt", quays="Quays") == {"silt": Effect.NEW, "quays": Effect.NEW}
    assert save_topics(locks="Locks", quays="The quays", silt="Silt") == {
        "locks": Effect.NEW,
        "quays": Effect.CHANGED,
        "silt": Effect.UNCHANGED,
    }
    session.expire_all()
    found = store.topics(session, rivers)
    assert list(found) == ["silt", "quays", "locks"]
    assert found["quays"].name == {"*": "The quays"}


def test_an_entry_comes_back_as_it_was_saved(session, rivers):
    saved = event_of(
        sitting("b", timezone="Europe/Paris", place={"city": "Liège"}),
        sitting("a", links=[{"label": {"fr": "Ici", "en": "Here"}, "url": "https://a.example"}]),
        tags=["water"],
        topic="silt",
        place={"name": {"fr": "Quai", "en": "Quay"}, "country": "BE"},
        image={"file": "x.png", "alt": "x"},
        languages=["fr"],
        priority=7,
        source="fr",
        texts={"en": {"title": "Talk", "body": "Long"}, "fr": {"title": "Causerie"}},
    )
    save(session, rivers, saved)
    stored = store.get_entry(session, rivers, key="talk")
    assert stored.entry == saved
    assert list(stored.entry.texts) == ["fr", "en"]
    assert list(stored.entry.place.name) == ["fr", "en"]
    assert [one.key for one in stored.entry.sittings] == ["b", "a"]
    assert (stored.stale, stored.sequences, stored.changed) == (frozenset(), {"a": 0, "b": 0}, NOW)


def test_entries_are_listed_by_what_they_are(session, rivers):
    save(
        session,
        rivers,
        entry("old", published="2025-01-01"),
        entry("new", texts={"en": {"title": "x"}, "fr": {"title": "y"}}, status="draft"),
        event_of(sitting(), key="talk"),
    )

    def keys(**conditions):
        return [stored.entry.key for stored in store.entries(session, rivers, **conditions)]

    assert keys() == ["new", "talk", "old"]
    assert keys(kind=Kind.AGENDA) == ["talk"]
    assert keys(language="fr") == ["new"]
    assert keys(status=Status.DRAFT) == ["new"]
    assert keys(keys=["old", "none", "talk"], kind=Kind.NEWS) == ["old"]
    assert keys(keys=[]) == []
    assert store.entry_keys(session, rivers) == {"old", "new", "talk"}


def test_however_many_entries_are_read_in_three_queries(session, rivers, engine):
    save(session, rivers, *(event_of(sitting(), key=f"talk-{number}") for number in range(30)))
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    assert len(store.entries(session, rivers, kind=Kind.AGENDA)) == 30
    assert len(asked) == 3


def test_more_keys_than_a_statement_takes_are_asked_for_in_parts(session, rivers):
    save(session, rivers, entry("quay"))
    keys = [f"none-{number}" for number in range(2500)] + ["quay"]
    assert [stored.entry.key for stored in store.entries(session, rivers, keys=keys)] == ["quay"]


def test_an_unknown_entry_is_answered_with_the_nearest(session, rivers):
    save(session, rivers, entry("quay"))
    with pytest.raises(NotFound, match="there is no entry 'quai'; did you mean 'quay'"):
        store.get_entry(session, rivers, key="quai")


def test_saving_the_same_entry_touches_no_row(session, rivers, writes):
    both = {"en": {"title": "Talk"}, "fr": {"title": "Causerie"}}
    save(session, rivers, event_of(sitting(), texts=both))
    writes.clear()
    difference = store.save_entry(session, rivers, entry=event_of(sitting(), texts=both), now=LATER)
    assert difference.effect is Effect.UNCHANGED
    assert writes == []
    assert store.get_entry(session, rivers, key="talk").changed == NOW


def test_only_what_is_different_is_written(session, rivers, writes):
    save(session, rivers, event_of(sitting("a"), sitting("b"), texts={"en": {"title": "Talk"}, "fr": {"title": "C"}}))
    writes.clear()
    save(session, rivers, event_of(sitting("a"), sitting("b"), texts={"en": {"title": "Talk"}, "fr": {"title": "D"}}))
    assert sorted(statement.split()[1] for statement in writes) == ["INTO", "entry", "entry_text", "entry_words"]


def test_texts_and_sittings_come_and_go(session, rivers):
    save(session, rivers, event_of(sitting("a"), sitting("b"), texts={"en": {"title": "Talk"}, "fr": {"title": "C"}}))
    changed = event_of(sitting("c"), sitting("b", body="x"), texts={"en": {"title": "Talk"}, "es": {"title": "Charla"}})
    difference = save(session, rivers, changed, now=LATER)["talk"]
    stored = store.get_entry(session, rivers, key="talk")
    assert difference.effect is Effect.CHANGED
    assert stored.entry == changed
    assert stored.sequences == {"b": 0, "c": 0}
    assert stored.changed == LATER


def test_a_translation_is_stale_until_somebody_edits_it_or_says_it_is_right(session, rivers):
    def texts(english, french):
        return entry(texts={"en": {"title": english}, "fr": {"title": french}})

    def stale():
        return store.get_entry(session, rivers, key="quay").stale

    save(session, rivers, texts("Quay", "Quai"))
    assert stale() == frozenset()
    save(session, rivers, texts("The quay", "Quai"))
    assert stale() == {"fr"}
    save(session, rivers, texts("The quay", "Le quai"))
    assert stale() == frozenset()
    save(session, rivers, texts("Quays", "Le quai"))
    assert store.still_right(session, rivers, key="quay", language="fr", now=LATER)
    session.expire_all()
    assert stale() == frozenset()
    assert not store.still_right(session, rivers, key="quay", language="fr", now=LATER)
    assert not store.still_right(session, rivers, key="quay", language="en", now=LATER)


@pytest.mark.parametrize(
    ("key", "language", "said"),
    [
        ("quai", "fr", "there is no entry 'quai'; did you mean 'quay'"),
        ("quay", "es", "there is no text of 'quay' in 'es'"),
    ],
)
def test_only_a_text_that_is_there_can_be_right(session, rivers, key, language, said):
    save(session, rivers, entry())
    with pytest.raises(NotFound, match=said):
        store.still_right(session, rivers, key=key, language=language, now=NOW)


def test_the_sequence_of_a_sitting_counts_what_calendars_must_know(session, rivers):
    def sequence(*sittings, **changes):
        save(session, rivers, event_of(*sittings, **changes))
        return store.get_entry(session, rivers, key="talk").sequences

    assert sequence(sitting("a"), sitting("b")) == {"a": 0, "b": 0}
    assert sequence(sitting("a", end="2026-12-01T15:00"), sitting("b")) == {"a": 1, "b": 0}
    assert sequence(sitting("a", end="2026-12-01T15:00"), sitting("b", body="x")) == {"a": 1, "b": 0}
    assert sequence(sitting("b", status="cancelled"), sitting("a", end="2026-12-01T15:00")) == {"a": 1, "b": 1}
    assert sequence(sitting("b"), sitting("a"), place={"city": "Liège"}) == {"a": 2, "b": 2}
    assert sequence(sitting("b"), place={"city": "Liège"}) == {"b": 2}


def test_the_last_day_follows_the_sittings(session, rivers):
    save(session, rivers, event_of(sitting(), {"key": "b", "date": "2027-01-02", "until": "2027-01-05"}), entry())
    days = {row.key: row.last_day for row in session.exec(select(models.EntryRow))}
    assert days == {"talk": dt.date(2027, 1, 5), "quay": None}


def test_pictures_are_kept_once(session):
    picture = StoredPicture(name="ab.png", media_type="image/png", width=3, height=2, data=b"png")
    assert store.put_picture(session, picture)
    assert not store.put_picture(session, picture)
    session.expire_all()
    assert store.get_picture(session, "ab.png") == picture
    assert store.picture_sizes(session, ["none.png", "ab.png"]) == {"ab.png": (3, 2)}
    assert store.picture_sizes(session, []) == {}
    assert store.picture_names(session) == ["ab.png"]
    with pytest.raises(NotFound, match=r"there is no picture 'none\.png'"):
        store.get_picture(session, "none.png")


def test_rows_without_an_id_are_a_mistake_in_the_program():
    from newsletter.content.rows import row_id

    with pytest.raises(RuntimeError, match="NewsletterRow has no id before it is flushed"):
        row_id(models.NewsletterRow(slug="x", settings={}, created=NOW, changed=NOW))
