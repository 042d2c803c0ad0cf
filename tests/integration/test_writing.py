"""The verbs of writing: nobody's words are lost, whoever saves first."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from integration.signing import Clock
from integration.writing import START, an_entry, put_in_issue, rivers, state_of
from sqlmodel import col, select

from newsletter.accounts.models import AuditRow, Deed
from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.content import store as content
from newsletter.content.entry import Kind, Status
from newsletter.content.issue import IssuePlan
from newsletter.content.matrix import Completeness
from newsletter.content.models import EntryRow, RevisionRow
from newsletter.content.register import Wanted
from newsletter.content.sheet import Act
from newsletter.content.wordwise import Mark
from newsletter.errors import InvalidInput, NotFound, WrongState
from newsletter.pipeline.writing import Conflict, Refused, Saved

NL = {"newsletter": "rivers"}


@pytest.fixture
def clock():
    return Clock(START)


@pytest.fixture
def pipeline(chosen_engine, tmp_path, clock):
    """An entry in two of three languages, published."""
    return rivers(chosen_engine, tmp_path, clock=clock)


@pytest.fixture
def anna(pipeline):
    return pipeline.acting_as("anna").writing


@pytest.fixture
def bruno(pipeline):
    return pipeline.acting_as("bruno").writing


def opened(writing, key="quay"):
    found = writing.open(key, **NL)
    return found.sheet, found.stored.revision


def save(writing, changes, base, key="quay", **more):
    return writing.save(key, sheet=changes, base=base, **NL, **more)


def deeds(pipeline):
    with pipeline.parts.sessions() as session:
        rows = session.scalars(select(AuditRow).order_by(col(AuditRow.id))).all()
        return [(Deed(row.action), row.operator, row.about, row.reason) for row in rows]


def test_saving_says_what_is_different_and_who_did_it(pipeline, anna):
    sheet, base = opened(anna)
    saved = save(anna, sheet | {"title.en": "The old quay"}, base)
    assert isinstance(saved, Saved)
    assert saved.changes == ("texts.en.title: The quay → The old quay",)
    assert saved.revision == base + 1
    told = (Deed.ENTRY_CHANGED, "anna", "rivers/quay", "texts.en.title: The quay → The old quay")
    assert deeds(pipeline) == [told]


def test_saving_the_same_touches_nothing(pipeline, anna):
    sheet, base = opened(anna)
    saved = save(anna, sheet, base)
    assert (saved.changes, saved.revision, deeds(pipeline)) == ((), base, [])


def test_two_officers_who_change_different_fields_both_get_theirs(anna, bruno):
    sheet, base = opened(anna)
    save(anna, sheet | {"title.en": "The old quay"}, base)
    saved = save(bruno, sheet | {"title.fr": "Le vieux quai"}, base)
    assert isinstance(saved, Saved)
    assert saved.merged == ("title.en",)
    together, _ = opened(anna)
    assert (together["title.en"], together["title.fr"]) == ("The old quay", "Le vieux quai")


def test_two_officers_who_change_the_same_field_are_asked_and_both_stay_in_the_history(anna, bruno, clock):
    sheet, base = opened(anna)
    clock.forward(minutes=3)
    save(anna, sheet | {"title.en": "Anna’s quay"}, base)
    clock.forward(minutes=3)
    conflict = save(bruno, sheet | {"title.en": "Bruno’s quay", "tags": ["stone"]}, base)

    assert isinstance(conflict, Conflict)
    assert [(clash.field, clash.base, clash.mine, clash.theirs) for clash in conflict.clashes] == [
        ("title.en", "The quay", "Bruno’s quay", "Anna’s quay")
    ]
    assert conflict.author == "anna"
    assert opened(anna)[0]["title.en"] == "Anna’s quay"
    kept = bruno.open("quay", **NL).draft
    assert (kept.sheet["title.en"], kept.base) == ("Bruno’s quay", base)

    without = {name: value for name, value in conflict.sheet.items() if name != "title.en"}
    settled = save(bruno, without, conflict.revision)
    assert isinstance(settled, Saved)
    now, _ = opened(anna)
    assert (now["title.en"], now["tags"]) == ("Anna’s quay", ["stone"])
    aside = [each for each in anna.history.page("quay", **NL).revisions if each.act is Act.ASIDE]
    assert [(each.operator, each.sheet["title.en"]) for each in aside] == [("bruno", "Bruno’s quay")]
    assert bruno.open("quay", **NL).draft is None


def test_two_who_save_at_the_same_moment_both_get_theirs_in_either_database(engine, tmp_path):
    pipeline = rivers(engine, tmp_path)
    gate = threading.Barrier(2)

    def write(name, field):
        writing = pipeline.acting_as(name).writing
        gate.wait()
        for number in range(8):
            writing.change("quay", fields={field: f"{name} {number}"}, **NL)

    with ThreadPoolExecutor(2) as both:
        done = [both.submit(write, "anna", "title.en"), both.submit(write, "bruno", "title.fr")]
    assert [each.exception() for each in done] == [None, None]
    opened = pipeline.writing.open("quay", **NL)
    assert (opened.sheet["title.en"], opened.sheet["title.fr"]) == ("anna 7", "bruno 7")
    assert opened.stored.revision == 17


def test_words_set_aside_are_brought_back_without_undoing_what_others_wrote_since(anna, bruno):
    sheet, base = opened(anna)
    save(anna, sheet | {"title.en": "Anna’s quay"}, base)
    conflict = save(bruno, sheet | {"title.en": "Bruno’s quay"}, base)
    save(anna, {"title.fr": "Le quai d’Anna"}, conflict.revision)
    (aside,) = [each for each in anna.history.page("quay", **NL).revisions if each.act is Act.ASIDE]

    bruno.history.restore("quay", aside.id, **NL)

    now, _ = opened(anna)
    assert (now["title.en"], now["title.fr"]) == ("Bruno’s quay", "Le quai d’Anna")


def test_the_same_words_are_set_aside_once(pipeline, anna, bruno):
    sheet, base = opened(anna)
    save(anna, sheet | {"title.en": "Anna’s quay"}, base)
    for _ in range(3):
        assert isinstance(save(bruno, sheet | {"title.en": "Bruno’s quay"}, base), Conflict)
    with pipeline.parts.sessions() as session:
        assert len(session.scalars(select(RevisionRow).where(col(RevisionRow.act) == Act.ASIDE)).all()) == 1


def test_a_base_that_nobody_knows_asks_about_every_difference(anna):
    sheet, _ = opened(anna)
    conflict = save(anna, sheet | {"title.en": "Another quay"}, -1)
    assert [clash.field for clash in conflict.clashes] == ["title.en"]


def test_what_cannot_be_saved_is_kept_as_a_draft(anna):
    sheet, base = opened(anna)
    refused = save(anna, sheet | {"title.en": "", "body.en": "Long words."}, base, form={"title.en": ("",)})
    assert isinstance(refused, Refused)
    assert set(refused.problems) == {"title.en"}
    kept = anna.open("quay", **NL).draft
    assert (kept.sheet["body.en"], kept.form) == ("Long words.", {"title.en": [""]})
    assert opened(anna)[0]["title.en"] == "The quay"


def test_a_section_that_does_not_exist_is_refused_and_one_that_was_there_stays(anna):
    sheet, base = opened(anna)
    assert set(save(anna, sheet | {"section": "cellar"}, base).problems) == {"section"}


def test_a_draft_belongs_to_who_typed_it_and_others_are_told(anna, bruno, clock):
    sheet, base = opened(anna)
    anna.keep("quay", sheet=sheet | {"title.en": "Half a th"}, base=base, **NL)
    assert anna.open("quay", **NL).draft.sheet["title.en"] == "Half a th"
    seen = bruno.open("quay", **NL)
    assert (seen.draft, [each.operator for each in seen.writers]) == (None, ["anna"])
    clock.forward(minutes=11)
    assert bruno.open("quay", **NL).writers == ()
    assert anna.drop("quay", **NL) is True
    assert anna.open("quay", **NL).draft is None


def test_a_draft_that_is_brought_back_has_what_others_saved_meanwhile(anna, bruno):
    sheet, base = opened(anna)
    anna.keep("quay", sheet=sheet | {"title.en": "Half a th"}, base=base, **NL)
    save(bruno, {"title.fr": "Le quai de Bruno"}, base)
    draft = anna.open("quay", **NL).draft
    assert (draft.base, draft.sheet["title.en"], draft.sheet["title.fr"]) == (base + 1, "Half a th", "Le quai de Bruno")
    save(bruno, {"title.en": "Bruno’s quay"}, base + 1)
    assert anna.open("quay", **NL).draft.base == base


def test_what_was_typed_back_to_what_is_stored_is_no_draft(anna):
    sheet, base = opened(anna)
    anna.keep("quay", sheet=sheet | {"title.en": "Half a th"}, base=base, **NL)
    anna.keep("quay", sheet=sheet, base=base, **NL)
    assert anna.drop("quay", **NL) is False


def test_keeping_says_what_others_have_saved_meanwhile_and_which_places_are_traps(anna, bruno, clock):
    _, base = opened(anna)
    clock.forward(minutes=3)
    save(bruno, {"title.fr": "Le vieux quai"}, base)
    kept = anna.keep("quay", sheet={"body.en": "1. Dezember war ein Tag"}, base=base, **NL)
    assert (kept.revision, kept.author) == (base + 1, "bruno")
    assert [trap.line for trap in kept.traps["body.en"]] == [1]


def test_a_change_ends_the_approval_of_issues_that_have_the_entry_and_says_so(pipeline, anna):
    put_in_issue(pipeline, state=IssueState.APPROVED)
    sheet, base = opened(anna)
    assert save(anna, sheet | {"tags": ["stone"]}, base).touched.voided == ()
    saved = save(anna, {"title.en": "The old quay"}, base + 1)
    assert saved.touched.voided == ("2026-12",)
    assert state_of(pipeline) is IssueState.DRAFT
    assert (Deed.APPROVAL_ENDED, "anna", "rivers/2026-12", "rivers/quay: title.en") in deeds(pipeline)


def test_a_queued_issue_goes_out_as_it_was_approved(pipeline, anna):
    put_in_issue(pipeline, state=IssueState.QUEUED)
    sheet, base = opened(anna)
    saved = save(anna, sheet | {"title.en": "The old quay"}, base)
    assert (saved.touched.voided, saved.touched.pinned) == ((), ("2026-12",))
    assert state_of(pipeline) is IssueState.QUEUED


def test_publishing_and_withdrawing_are_deeds_of_their_own(pipeline, anna):
    key = anna.shelf.create("rivers", kind=Kind.NEWS, title="A lock", language="en")
    sheet, base = opened(anna, key)
    saved = save(anna, sheet | {"body.en": "It opens."}, base, key=key, status=Status.PUBLISHED)
    assert isinstance(saved, Saved)
    anna.set_status(key, status=Status.WITHDRAWN, **NL)
    assert [deed for deed, *_ in deeds(pipeline)] == [Deed.ENTRY_MADE, Deed.ENTRY_PUBLISHED, Deed.ENTRY_WITHDRAWN]


def test_an_agenda_entry_is_written_before_its_dates_and_published_with_them(anna):
    key = anna.shelf.create("rivers", kind=Kind.AGENDA, title="A walk", language="en")
    assert opened(anna, key)[0]["section"] == "agenda"
    assert set(anna.set_status(key, status=Status.PUBLISHED, **NL).problems) == {"sittings"}
    anna.change(key, fields={"sittings": [{"key": "one", "date": "2026-12-05"}]}, **NL)
    assert isinstance(anna.set_status(key, status=Status.PUBLISHED, **NL), Saved)


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Où dort l’été ?", "ou-dort-l-ete"),
        ("Straße der Flüsse", "strasse-der-flusse"),
        ("Ποτάμια", "news"),
        ("New", "new-2"),
        ("The quay", "the-quay"),
        ("Quay", "quay-2"),
        ("word " * 40, "-".join(["word"] * 12)),
        ("x" * 500, "x" * 60),
    ],
)
def test_a_key_is_made_of_the_title(anna, title, key):
    assert anna.shelf.create("rivers", kind=Kind.NEWS, title=title, language="en") == key


def test_an_entry_without_a_title_is_not_begun(anna):
    with pytest.raises(InvalidInput, match="Give it a title"):
        anna.shelf.create("rivers", kind=Kind.NEWS, title="", language="en")


def test_a_copy_has_all_texts_and_no_dates_and_stays_as_stale_as_it_was(anna, pipeline):
    anna.change("quay", fields={"body.en": "It is new."}, **NL)
    key = anna.shelf.copy("quay", **NL)
    copy = anna.open(key, **NL)
    assert key == "quay-2"
    assert copy.stored.entry.status is Status.DRAFT
    assert copy.stored.entry.published == dt.date(2026, 11, 21)
    assert copy.stored.entry.texts == anna.open("quay", **NL).stored.entry.texts
    assert copy.stored.stale == {"fr"}
    assert anna.shelf.copy(key, **NL) == "quay-3"


def test_a_copy_of_an_agenda_entry_waits_for_its_dates(chosen_engine, tmp_path):
    walk = an_entry("walk", kind="agenda", sittings=[{"key": "one", "date": "2026-12-05"}])
    writing = rivers(chosen_engine, tmp_path, walk).writing
    assert writing.open(writing.shelf.copy("walk", **NL), **NL).stored.entry.sittings == ()


def test_the_key_of_a_draft_is_changed_and_that_of_a_published_entry_is_not(anna):
    key = anna.shelf.create("rivers", kind=Kind.NEWS, title="A lock", language="en")
    assert anna.open(key, **NL).may_rename
    assert anna.shelf.rename(key, "sluice", **NL) == "sluice"
    with pytest.raises(NotFound):
        anna.open(key, **NL)
    with pytest.raises(WrongState):
        anna.shelf.rename("sluice", "quay", **NL)
    with pytest.raises(InvalidInput):
        anna.shelf.rename("sluice", "Not a key", **NL)
    with pytest.raises(WrongState):
        anna.shelf.rename("quay", "dock", **NL)


def test_an_entry_that_an_issue_has_is_not_deleted_and_another_goes_with_its_history(pipeline, anna):
    put_in_issue(pipeline)
    assert not anna.open("quay", **NL).may_delete
    with pytest.raises(WrongState, match="2026-12"):
        anna.shelf.delete("quay", **NL)
    key = anna.shelf.create("rivers", kind=Kind.NEWS, title="A lock", language="en")
    anna.keep(key, sheet={"title.en": "A"}, base=1, **NL)
    anna.shelf.delete(key, **NL)
    with pipeline.parts.sessions() as session:
        assert [row.key for row in session.scalars(select(EntryRow))] == ["quay"]
        assert {row.entry_id for row in session.scalars(select(RevisionRow))} == {1}


def test_an_entry_that_a_plan_names_keeps_its_key_and_stays(pipeline, anna):
    key = anna.shelf.create("rivers", kind=Kind.NEWS, title="A lock", language="en")
    assert anna.open(key, **NL).may_delete
    period = {"from": "2026-11-01", "to": "2026-11-30"}
    plan = {"slug": "2026-12", "date": "2026-12-01", "period": period, "items": ["quay", key]}
    with pipeline.parts.sessions() as session:
        issues.save_plan(session, 1, IssuePlan.model_validate(plan), now=pipeline.parts.now())
        session.commit()
    assert not anna.open(key, **NL).may_delete
    with pytest.raises(WrongState):
        anna.shelf.rename(key, "sluice", **NL)


def test_a_plan_that_only_has_the_word_holds_no_entry(pipeline, anna):
    key = anna.shelf.create("rivers", kind=Kind.NEWS, title="A lock", language="en")
    period = {"from": "2026-11-01", "to": "2026-11-30"}
    for slug, items in (("one", "auto"), ("two", ["quay"])):
        plan = {"slug": slug, "date": "2026-12-01", "period": period, "texts": {"en": {"title": key}}, "items": items}
        with pipeline.parts.sessions() as session:
            issues.save_plan(session, 1, IssuePlan.model_validate(plan), now=pipeline.parts.now())
            session.commit()
    assert anna.open(key, **NL).may_delete


def test_the_history_tells_every_change_and_leads_back(anna, bruno, clock):
    sheet, base = opened(anna)
    clock.forward(days=1)
    save(anna, sheet | {"body.en": "It is quite old.\n\nIt leaks."}, base)
    clock.forward(days=1)
    save(bruno, {"title.fr": "Le vieux quai"}, base + 1)

    page = anna.history.page("quay", **NL)
    assert [(each.operator, each.fields) for each in page.revisions] == [
        ("bruno", ("title.fr",)),
        ("anna", ("body.en",)),
        ("system", ()),
    ]
    shown = anna.history.revision("quay", page.revisions[1].id, **NL)
    (change,) = shown.changes
    assert [piece.text for piece in change.pieces if piece.mark is Mark.PUT_IN] == ["quite "]

    anna.history.restore("quay", page.revisions[-1].id, **NL)
    assert opened(anna)[0] == sheet
    assert anna.history.page("quay", **NL).revisions[0].act is Act.RESTORED
    with pytest.raises(WrongState):
        anna.history.restore("quay", page.revisions[-1].id, **NL)


def test_the_history_comes_in_pages(anna):
    for number in range(35):
        anna.change("quay", fields={"priority": number + 1}, **NL)
    first = anna.history.page("quay", **NL)
    rest = anna.history.page("quay", older_than=first.more, **NL)
    assert (len(first.revisions), len(rest.revisions), rest.more) == (30, 6, None)


def test_nobody_gets_a_revision_of_another_entry(anna):
    key = anna.shelf.create("rivers", kind=Kind.NEWS, title="A lock", language="en")
    foreign = anna.history.page("quay", **NL).revisions[0].id
    with pytest.raises(NotFound):
        anna.history.revision(key, foreign, **NL)


def test_an_entry_from_before_there_was_a_history_gets_its_former_state_with_its_first_change(pipeline, anna):
    with pipeline.parts.sessions() as session:
        for row in session.scalars(select(RevisionRow)):
            session.delete(row)
        session.commit()
    anna.change("quay", fields={"title.en": "The old quay"}, **NL)
    titles = [each.sheet["title.en"] for each in anna.history.page("quay", **NL).revisions]
    assert titles == ["The old quay", "The quay"]


def test_the_difference_since_a_translation_is_shown_word_by_word_until_somebody_says_still_right(anna):
    anna.change("quay", fields={"body.en": "It is very old.\n\nIt leaks."}, **NL)
    found = anna.history.compare("quay", "fr", **NL)
    assert found.is_stale
    (change,) = found.changes
    assert (change.field, [piece.text for piece in change.pieces if piece.mark is not Mark.SAME]) == (
        "body.en",
        ["very "],
    )

    anna.change("quay", fields={"title.en": "The old quay"}, **NL)
    with pytest.raises(WrongState):
        anna.history.still_right("quay", "fr", seen=found.digest, **NL)
    now = anna.history.compare("quay", "fr", **NL)
    assert anna.history.still_right("quay", "fr", seen=now.digest, **NL)
    assert not anna.history.compare("quay", "fr", **NL).is_stale


def test_an_original_that_is_older_than_the_history_is_not_made_up(anna, pipeline):
    anna.change("quay", fields={"body.en": "It is very old."}, **NL)
    with pipeline.parts.sessions() as session:
        session.delete(session.scalars(select(RevisionRow).order_by(col(RevisionRow.id))).first())
        session.commit()
    assert anna.history.compare("quay", "fr", **NL).changes is None
    with pytest.raises(NotFound):
        anna.history.compare("quay", "es", **NL)


def test_an_import_stands_in_the_history_too(pipeline, anna):
    with pipeline.parts.sessions() as session:
        newsletter_id, _ = content.get_newsletter(session, "rivers")
        content.save_entry(session, newsletter_id, entry=an_entry(priority=7), now=pipeline.parts.now())
        session.commit()
    assert anna.history.page("quay", **NL).revisions[0].fields == ("priority",)


@pytest.fixture
def shelf(engine, tmp_path):
    """Entries in every state, in either database."""
    texts = an_entry().model_dump()["texts"]
    entries = [
        an_entry("both", published="2026-11-05"),
        an_entry("english", published="2026-11-04", texts={"en": texts["en"]}, tags=["été"]),
        an_entry("only-english", published="2026-11-04", languages=["en"], texts={"en": texts["en"]}),
        an_entry("stale", published="2026-11-03"),
        an_entry("draft", published="2026-11-02", status="draft", kind="note", section="agenda"),
    ]
    writing = rivers(engine, tmp_path, *entries).writing
    writing.change("stale", fields={"body.en": "Fifty_percent is 50% of it."}, **NL)
    return writing.shelf


def keys(shelf, **wanted):
    return [row.key for row in shelf.page("rivers", Wanted(**wanted)).page.rows]


def test_the_register_is_newest_first_and_knows_the_state_of_every_language(shelf):
    found = shelf.page("rivers", Wanted())
    states = {row.key: [state.value for state in row.languages.values()] for row in found.page.rows}
    assert list(states) == ["both", "only-english", "english", "stale", "draft"]
    assert states["both"] == ["present", "present", "missing"]
    assert states["only-english"] == ["present", "excluded", "excluded"]
    assert states["stale"] == ["present", "stale", "missing"]
    assert found.page.count == 5


def test_the_register_is_filtered_by_every_condition(shelf):
    assert keys(shelf, status=Status.DRAFT) == ["draft"]
    assert keys(shelf, kind=Kind.NOTE, section="agenda") == ["draft"]
    assert keys(shelf, state=Completeness.STALE) == ["stale"]
    assert keys(shelf, state=Completeness.STALE, language="es") == []
    assert keys(shelf, state=Completeness.MISSING, language="fr") == ["english"]
    assert keys(shelf, state=Completeness.MISSING, language="es") == ["both", "english", "stale", "draft"]
    assert keys(shelf, state=Completeness.PRESENT) == ["only-english"]
    assert keys(shelf, state=Completeness.PRESENT, language="fr") == ["both", "only-english", "draft"]


def test_the_register_is_searched_without_accents_and_without_wildcards(shelf):
    assert keys(shelf, words="ETE") == ["english"]
    assert keys(shelf, words="vieux quai", status=Status.DRAFT) == ["draft"]
    assert keys(shelf, words="50%") == ["stale"]
    assert keys(shelf, words="y_p") == ["stale"]
    assert keys(shelf, words="nowhere") == []


def test_the_pages_of_the_register_leave_nobody_out(shelf, monkeypatch):
    monkeypatch.setattr("newsletter.pipeline.shelf.ROWS", 2)
    first = shelf.page("rivers", Wanted()).page
    second = shelf.page("rivers", Wanted(), after=first.rows[-1].mark).page
    third = shelf.page("rivers", Wanted(), after=second.rows[-1].mark).page
    pages = [[row.key for row in page.rows] for page in (first, second, third)]
    assert pages == [["both", "only-english"], ["english", "stale"], ["draft"]]
    assert [(page.newer, page.older) for page in (first, second, third)] == [(False, True), (True, True), (True, False)]
    back = shelf.page("rivers", Wanted(), before=third.rows[0].mark).page
    assert [row.key for row in back.rows] == ["english", "stale"]
    assert (back.newer, back.older) == (True, True)
