import datetime as dt
import io
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import event, func, select
from sqlmodel import Session

from newsletter.content import store
from newsletter.content.difference import Effect
from newsletter.content.intake import MAX_BYTES, import_pack, read_pack
from newsletter.content.issue import IssuePlan
from newsletter.content.matrix import matrix
from newsletter.content.models import EntryRow
from newsletter.errors import InvalidInput, InvalidPack

NOW = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)

PACK = """\
newsletter:
  slug: rivers
  name: {en: Rivers, fr: Fleuves}
  languages: [en, fr]
  timezone: Europe/Brussels
  sender: {name: Rivers, address: news@rivers.example}
  list_id: rivers.rivers.example
  sections: [{key: lead}, {key: agenda, show: lines}]
topics:
  - {key: silt, name: Silt}
entries:
  - key: quay
    kind: news
    section: lead
    topic: silt
    published: 2026-11-03
    image: {file: quay.png, alt: The quay}
    texts:
      en: {title: The quay, body: Lamps for bats.}
      fr: {title: Le quai, body: Des lampes pour chauves-souris.}
  - key: talk
    kind: agenda
    section: agenda
    published: 2026-11-03
    sittings: [{key: main, start: 2026-12-01T14:00, end: 2026-12-01T15:00}]
    texts: {en: {title: Talk}}
issues:
  - slug: 2026-12
    date: 2026-12-01
    period: {from: 2026-11-01, to: 2026-11-30}
    items: [quay, {key: talk, section: lead}]
"""


@pytest.fixture
def session(engine):
    with Session(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def bring(session, tmp_path):
    target = io.BytesIO()
    Image.new("RGB", (30, 20)).save(target, "PNG")
    (tmp_path / "quay.png").write_bytes(target.getvalue())

    def bring(source=PACK, **options):
        file = tmp_path / "pack.yaml"
        file.write_text(source)
        report = import_pack(session, read_pack(file, **options), now=NOW, file="pack.yaml", **options)
        session.commit()
        session.expire_all()
        return report

    return bring


def problems(caught):
    return [problem.at("p") for problem in caught.value.problems]


def test_a_pack_is_stored_whole(bring, session):
    report = bring()
    assert report.keys(Effect.NEW) == ("quay", "talk")
    assert report.settings is not None
    assert report.settings.effect is report.topics["silt"].effect is Effect.NEW
    assert (report.slug, report.pictures, report.unchanged, report.withdrawn, report.notes) == (
        "rivers",
        1,
        False,
        frozenset(),
        (),
    )
    quay = store.get_entry(session, report.newsletter_id, key="quay").entry
    assert quay.image is not None
    assert store.get_picture(session, quay.image.file["*"]).width == 30


def test_taking_a_pack_twice_touches_no_row(bring, engine):
    bring()
    written = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: written.append(arguments[2].split()[0]))
    assert bring().unchanged
    assert set(written) <= {"BEGIN", "SELECT"}


def test_a_changed_pack_updates_and_says_what(bring, session):
    bring()
    report = bring(
        PACK.replace("Lamps for bats.", "Lamps for owls.")
        .replace("name: Silt", "name: Mud")
        .replace("T15:00", "T16:00")
    )
    assert report.entries["quay"].lines == ("texts.en.body: Lamps for bats. → Lamps for owls.",)
    assert report.entries["talk"].lines == ("sittings[main].end: 2026-12-01T15:00:00 → 2026-12-01T16:00:00",)
    assert report.topics["silt"].lines == ("name: Silt → Mud",)
    assert report.settings is not None
    assert report.settings.effect is Effect.UNCHANGED
    assert store.get_entry(session, report.newsletter_id, key="quay").stale == {"fr"}
    assert store.get_entry(session, report.newsletter_id, key="talk").sequences == {"main": 1}


def test_the_matrix_shows_what_is_missing_and_what_is_stale(bring, session):
    bring()
    report = bring(PACK.replace("title: The quay", "title: The quays"))
    rows = matrix(store.entries(session, report.newsletter_id), ["en", "fr"], default="en")
    assert {row.key: [str(cell) for cell in row.cells] for row in rows} == {
        "quay": ["present", "stale"],
        "talk": ["present", "falls back to en"],
    }


def test_entries_that_a_pack_does_not_name_stay(bring, session):
    bring()
    new = "{key: lock, kind: note, section: lead, published: 2026-11-04, texts: {fr: {title: Écluse}}}"
    report = bring(f"newsletter: rivers\nentries: [{new}]\n")
    assert report.settings is None
    assert store.entry_keys(session, report.newsletter_id) == {"quay", "talk", "lock"}


def test_an_entry_may_be_taken_back(bring):
    bring()
    source = PACK.replace("    topic: silt\n", "    topic: silt\n    status: withdrawn\n")
    assert bring(source).withdrawn == {"quay"}
    assert bring(source).withdrawn == frozenset()


def test_a_caller_who_rolls_back_has_only_seen_what_would_change(bring, session, tmp_path):
    bring()
    (tmp_path / "pack.yaml").write_text(PACK.replace("title: Talk", "title: Walk"))
    report = import_pack(session, read_pack(tmp_path / "pack.yaml"), now=NOW, file="pack.yaml")
    session.rollback()
    assert report.entries["talk"].lines == ("texts.en.title: Talk → Walk",)
    assert store.get_entry(session, report.newsletter_id, key="talk").entry.texts["en"].title == "Talk"


def test_traps_in_new_texts_are_noted_with_their_place(bring):
    path = "entries[0].texts.en.body"
    dated = "is kept as a date, not made a numbered list"
    nowhere = "leads nowhere in a mail and is shown as it is typed: begin the address with https://"
    source = PACK.replace("body: Lamps for bats.", 'body: "1. Dezember 2026: [Lampen](www.a.example)"')
    assert [(note.path, note.line, note.column, note.message) for note in bring(source).notes] == [
        (path, 19, 35, f"line 1: “1. Dezember 2026: [Lampen](www.a.exampl…” {dated}"),
        (path, 19, 35, f"line 1: “www.a.example” {nowhere}"),
    ]
    assert bring(source).notes == ()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "items: [quay",
            "items: [quays",
            "p:31:13: issues[0].items[0]: there is no entry 'quays'; did you mean 'quay'?",
        ),
        (
            "section: agenda",
            "section: agend",
            "p:23:14: entries[1].section: there is no section 'agend'; did you mean 'agenda'?",
        ),
        ("end: 2026-12-01T15:00", "end: 2026-12-01T13:00", "p:25:58: entries[1].sittings[0].end: the sitting ends"),
        ("en: {title: Talk}", "en: {body: Talk}", "p:26:17: entries[1].texts.en.title: 'title' is missing"),
        ("Europe/Brussels", "Europe/Bruxelles", "p:5:13: newsletter.timezone: 'Europe/Bruxelles' is no IANA time zone"),
        (
            "key: talk\n    kind",
            "key: quay\n    kind",
            "p:21:10: entries[1].key: the key 'quay' stands here twice, first in line 12",
        ),
        ("topic: silt", "topics: silt", "p:15:5: entries[0].topics: unknown key 'topics'; did you mean 'topic'?"),
        ("file: quay.png", "file: ../quay.png", "p:17:19: entries[0].image.file: the picture ../quay.png lies outside"),
    ],
)
def test_nothing_is_stored_of_a_pack_with_a_problem(bring, session, before, after, said):
    with pytest.raises(InvalidPack) as caught:
        bring(PACK.replace(before, after, 1))
    session.rollback()
    assert any(problem.startswith(said) for problem in problems(caught))
    assert session.scalar(select(func.count()).select_from(EntryRow)) == 0
    assert str(caught.value).endswith("nothing was imported")


def test_a_pack_for_an_unknown_newsletter_is_refused_with_the_nearest(bring):
    bring()
    with pytest.raises(InvalidPack) as caught:
        bring("newsletter: river\n")
    assert problems(caught) == ["p:1:13: newsletter: there is no newsletter 'river'; did you mean 'rivers'?"]


def test_a_pack_that_names_its_newsletter_is_checked_against_the_stored_one(bring):
    bring()
    entry = "{key: lock, kind: note, section: locks, published: 2026-11-04, texts: {fr: {title: Écluse}}}"
    source = f"newsletter: rivers\nentries: [{entry}]\n"
    with pytest.raises(InvalidPack, match="there is no section 'locks'"):
        bring(source)
    assert bring(source, sections={"locks"}).keys(Effect.NEW) == ("lock",)


def test_planned_items_may_name_stored_entries(bring):
    bring()
    plan = "{slug: 2027-01, date: 2027-01-01, period: {from: 2026-12-01, to: 2026-12-31}, items: [talk]}"
    assert bring(f"newsletter: rivers\nissues: [{plan}]\n").unchanged


def test_two_newsletters_may_use_the_same_keys(bring, session):
    bring()
    bring(PACK.replace("slug: rivers", "slug: lakes"))
    assert session.scalar(select(func.count()).select_from(EntryRow)) == 4


def test_a_pack_of_30_megabytes_is_refused_before_it_is_read_whole(tmp_path):
    file = tmp_path / "large.yaml"
    with file.open("wb") as target:
        target.truncate(MAX_BYTES + 10_000_000)
    with pytest.raises(InvalidPack, match=r"large\.yaml: the file is larger than 20 MB: split it"):
        read_pack(file)


def test_a_pack_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"none\.yaml cannot be read: No such file"):
        read_pack(tmp_path / "none.yaml")


def test_the_format_of_the_documentation_is_taken_whole(session):
    file = Path(__file__).with_name("river-cities.yaml")
    pack = read_pack(file)
    report = import_pack(session, pack, now=NOW, file=file)
    session.commit()
    assert len(report.keys(Effect.NEW)) == 7
    (plan,) = pack.issues
    assert isinstance(plan, IssuePlan)
    assert plan.texts["en"].subject.startswith("[[first_name|Dear reader]]")
    stored = {one.entry.key: one for one in store.entries(session, report.newsletter_id)}
    assert stored["flood-conference-2027"].entry.last_day == dt.date(2027, 5, 28)
    assert [one.key for one in stored["web-sessions-living-with-water"].entry.sittings] == [
        "squares-fr",
        "squares-en",
        "quay-panel",
    ]
    assert import_pack(session, read_pack(file), now=NOW, file=file).unchanged
