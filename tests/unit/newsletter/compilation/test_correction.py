import datetime as dt

from newsletter.assembly.edition import Phrase
from newsletter.compilation.compiler import compile_edition
from newsletter.compilation.correction import CorrectedEdition, Correction, Note, Revised, notes_for
from newsletter.links import Links

FIRST = dt.datetime(2026, 12, 2, 23, 30, tzinfo=dt.UTC)
SECOND = dt.datetime(2026, 12, 5, 12, tzinfo=dt.UTC)


def a_correction(number=1, at=FIRST, reasons=None, **editions):
    return Correction(
        number=number,
        at=at,
        operator="anna",
        reasons=reasons or {"en": "A wrong date."},
        editions={tag: CorrectedEdition(digest="d" * 64, changed=titles) for tag, titles in editions.items()},
    )


def notes(edition, *corrections, zone="Europe/Brussels"):
    return notes_for(corrections, edition, zone=zone, default="en")


def test_a_note_has_the_day_where_the_newsletter_is_at_home(make_edition):
    [note] = notes(make_edition(), a_correction(en=("Eleven partners",)))
    assert note == Note(
        at=FIRST, day="3 December 2026", reason=Phrase(text="A wrong date."), changed=("Eleven partners",)
    )
    [there] = notes(make_edition(), a_correction(en=()), zone="America/New_York")
    assert there.day == "2 December 2026"


def test_notes_are_those_of_the_edition_the_newest_first(make_edition):
    told = notes(
        make_edition(),
        a_correction(1, en=("One",)),
        a_correction(2, fr=("Deux",)),
        a_correction(3, SECOND, en=("Three",)),
    )
    assert [note.changed for note in told] == [("Three",), ("One",)]


def test_a_reason_in_another_language_is_marked(make_edition):
    arabic = make_edition(language="ar", locale="ar", dir="rtl")
    [foreign] = notes(arabic, a_correction(ar=()))
    assert foreign.reason == Phrase(text="A wrong date.", lang="en", dir="ltr")
    [own] = notes(arabic, a_correction(ar=(), reasons={"en": "A wrong date.", "ar": "تاريخ خاطئ."}))
    assert own.reason == Phrase(text="تاريخ خاطئ.")


def test_a_regional_edition_takes_the_reason_of_its_language(make_edition):
    belgian = make_edition(language="fr-BE", locale="fr-BE")
    [note] = notes(belgian, a_correction(reasons={"en": "A wrong date.", "fr": "Une date fausse."}, **{"fr-BE": ()}))
    assert note.reason == Phrase(text="Une date fausse.")


def test_an_edition_was_modified_when_it_was_corrected_last(make_edition, themes):
    edition = make_edition()
    artifact = compile_edition(edition, links=Links("https://news.example"), templates_dir=themes)
    told = notes(edition, a_correction(1, en=()), a_correction(2, SECOND, en=()))
    assert Revised(edition=edition, artifact=artifact, sent=artifact, notes=told).modified == SECOND
    assert Revised(edition=edition, artifact=artifact, sent=artifact).modified is None
