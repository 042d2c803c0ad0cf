import datetime as dt

import pytest
from databases import url_of
from sqlmodel import Session

from newsletter.assembly import models, overview, store
from newsletter.assembly.facts import IssueRef, IssueState, Placement
from newsletter.assembly.selection import Verdict, select
from newsletter.content.difference import Effect
from newsletter.content.entry import Entry
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.content.store import entries, save_entries, save_newsletter
from newsletter.database import open_engine
from newsletter.errors import Ambiguous, NotFound, WrongState
from subscribers.columns import Base

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)


def a_newsletter(slug="rivers", **changes):
    plain = {
        "slug": slug,
        "name": "River News",
        "languages": ["en", "fr"],
        "timezone": "Europe/Brussels",
        "sender": {"name": "River network", "address": "news@rivers.example"},
        "list_id": f"{slug}.rivers.example",
        "sections": [{"key": "news"}, {"key": "agenda", "show": "lines"}],
    }
    return Newsletter.model_validate({**plain, **changes})


def a_plan(slug="2026-12", date="2026-12-01", **changes):
    plain = {"slug": slug, "number": 42, "date": date, "period": {"from": "2026-11-01", "to": "2026-11-30"}}
    return IssuePlan.model_validate({**plain, **changes})


def an_entry(key="silt", **changes):
    plain = {"key": key, "kind": "news", "section": "news", "published": "2026-11-10", "texts": {"en": {"title": key}}}
    return Entry.model_validate({**plain, **changes})


def an_agenda_entry(key="fair", **changes):
    dated = {"kind": "agenda", "section": "agenda", "sittings": [{"key": "main", "date": "2026-12-10"}]}
    return an_entry(key, **{**dated, **changes})


@pytest.fixture
def session(tmp_path):
    assert models.IssueRow.metadata is Base.metadata
    engine = open_engine(url_of(tmp_path / "newsletter.db"))
    Base.metadata.create_all(engine)
    with Session(engine) as opened:
        yield opened
    engine.dispose()


@pytest.fixture
def newsletter_id(session):
    return save_newsletter(session, a_newsletter(), now=NOW)[0]


def assembled(session, newsletter_id, plan, *stored, topics=(), now=NOW):
    """Store a plan and entries and assemble the issue; returns its row."""
    save_entries(session, newsletter_id, entries=stored, now=now)
    store.save_plan(session, newsletter_id, plan, now=now)
    return assemble(session, newsletter_id, plan, topics=topics, now=now)[0]


def assemble(session, newsletter_id, plan, *, topics=(), now=NOW):
    row = store.get_issue(session, plan.slug)
    settings = plan.settings(a_newsletter())
    found = [each.entry for each in entries(session, newsletter_id)]
    published = store.published_before(session, newsletter_id, date=plan.date, slug=plan.slug)
    chosen = select(found, plan=plan, settings=settings, published=published)
    return row, store.replace_items(session, row, selection=chosen, settings=settings, topics=topics, now=now)


def test_a_plan_comes_back_as_it_was_stored(session, newsletter_id):
    plan = a_plan(
        texts={"en": {"title": "December", "subject": "News"}},
        items=["silt", {"key": "fair", "section": "news", "segment": "press"}],
        agenda_days=20,
        theme={"name": "plain"},
        sections=[{"key": "news", "title": {"en": "News"}}],
    )
    assert store.save_plan(session, newsletter_id, plan, now=NOW).effect is Effect.NEW
    session.expire_all()
    row = store.get_issue(session, "2026-12")
    assert store.plan_of(row) == plan
    assert (row.number, str(row.date), str(row.period_from), str(row.period_to)) == (
        42,
        "2026-12-01",
        "2026-11-01",
        "2026-11-30",
    )
    assert (row.state, row.revision, row.created) == (IssueState.DRAFT, 1, NOW)


def test_storing_the_same_plan_again_changes_nothing(session, newsletter_id):
    store.save_plan(session, newsletter_id, a_plan(), now=NOW)
    assert store.save_plan(session, newsletter_id, a_plan(), now=LATER).effect is Effect.UNCHANGED
    row = store.get_issue(session, "2026-12")
    assert (row.revision, row.changed) == (1, NOW)


def test_a_changed_plan_says_what_is_different_and_counts(session, newsletter_id):
    store.save_plan(session, newsletter_id, a_plan(), now=NOW)
    difference = store.save_plan(session, newsletter_id, a_plan(number=43), now=LATER)
    assert difference.lines == ("number: 42 → 43",)
    row = store.get_issue(session, "2026-12")
    assert (row.number, row.revision, row.created, row.changed) == (43, 2, NOW, LATER)


def test_the_pictures_of_issues_that_are_open_or_recent_are_known(session, newsletter_id):
    image = {"file": {"en": "a.png", "fr": "b.png"}, "alt": {"en": "A quay"}}
    elsewhere = {"url": {"en": "https://rivers.example/quay.png"}, "alt": {"en": "A quay"}}
    images = {"quay": image, "lock": {"file": "c.png", "alt": "A lock"}, "silt": elsewhere}
    shown = [an_entry(key, image=given) for key, given in images.items()]
    row = assembled(session, newsletter_id, a_plan(), *shown, an_entry("weir"))
    since = [row.date, row.date + dt.timedelta(days=1)]
    all_ = [(name, "2026-12", IssueState.DRAFT) for name in ("a.png", "b.png", "c.png")]
    assert [sorted(overview.pictured(session, since=day)) for day in since] == [all_, all_]
    store.set_state(session, row.id, expected={IssueState.DRAFT}, state=IssueState.SENT, now=LATER)
    assert [len(overview.pictured(session, since=day)) for day in since] == [3, 0]
    store.set_state(session, row.id, expected={IssueState.SENT}, state=IssueState.CANCELLED, now=LATER)
    assert overview.pictured(session, since=row.date) == ()


def test_only_a_draft_can_be_changed(session, newsletter_id):
    row = assembled(session, newsletter_id, a_plan(), an_entry())
    assert store.set_state(session, row.id, expected={IssueState.DRAFT}, state=IssueState.APPROVED, now=LATER)
    assert store.save_plan(session, newsletter_id, a_plan(), now=LATER).effect is Effect.UNCHANGED
    with pytest.raises(WrongState, match="issue '2026-12' is approved: only a draft can be changed"):
        store.save_plan(session, newsletter_id, a_plan(number=1), now=LATER)
    with pytest.raises(WrongState, match="is approved"):
        assemble(session, newsletter_id, a_plan())


def test_a_state_changes_only_from_one_that_is_expected(session, newsletter_id):
    row = assembled(session, newsletter_id, a_plan())
    started = {IssueState.QUEUED, IssueState.PAUSED}
    assert not store.set_state(session, row.id, expected=started, state=IssueState.SENDING, now=LATER)
    assert row.state is IssueState.DRAFT
    assert store.set_state(session, row.id, expected={IssueState.DRAFT}, state=IssueState.QUEUED, now=LATER)
    assert store.set_state(session, row.id, expected=started, state=IssueState.SENDING, now=LATER)
    assert (row.state, row.changed) == (IssueState.SENDING, LATER)


def test_an_unknown_issue_names_the_nearest(session, newsletter_id):
    store.save_plan(session, newsletter_id, a_plan(), now=NOW)
    with pytest.raises(NotFound, match="there is no issue '2026-11'; did you mean '2026-12'"):
        store.get_issue(session, "2026-11")
    with pytest.raises(NotFound, match="there is no newsletter 'lakes'"):
        store.get_issue(session, "2026-12", "lakes")


def test_a_slug_of_two_newsletters_needs_the_newsletter(session, newsletter_id):
    other = save_newsletter(session, a_newsletter("lakes"), now=NOW)[0]
    for owner in (newsletter_id, other):
        store.save_plan(session, owner, a_plan(), now=NOW)
    with pytest.raises(Ambiguous, match="exists in lakes, rivers"):
        store.get_issue(session, "2026-12")
    assert store.get_issue(session, "2026-12", "lakes").newsletter_id == other


def test_issues_are_listed_latest_first(session, newsletter_id):
    other = save_newsletter(session, a_newsletter("lakes"), now=NOW)[0]
    for slug, date in (("b", "2026-11-01"), ("c", "2026-12-01"), ("a", "2026-11-01")):
        store.save_plan(session, newsletter_id, a_plan(slug, date), now=NOW)
    store.save_plan(session, other, a_plan("d", "2027-01-01"), now=NOW)
    assert [row.slug for row in store.list_issues(session, newsletter_id)] == ["c", "b", "a"]
    assert [row.slug for row in store.list_issues(session)] == ["d", "c", "b", "a"]
    assert store.previous_plan(session, newsletter_id, dt.date(2026, 12, 1)).slug == "b"
    assert store.previous_plan(session, newsletter_id, dt.date(2026, 11, 1)) is None


def test_an_issue_is_copied_to_the_next_period_as_a_draft(session, newsletter_id):
    row = assembled(session, newsletter_id, a_plan(items=["silt"]), an_entry())
    store.set_state(session, row.id, expected={IssueState.DRAFT}, state=IssueState.SENT, now=NOW)
    copy = store.copy_issue(session, row, "2027-01", now=LATER)
    assert (copy.state, copy.number, str(copy.date), copy.assembled) == (IssueState.DRAFT, 43, "2027-01-01", None)
    assert store.plan_of(copy).items == store.plan_of(row).items
    with pytest.raises(WrongState, match="there is an issue '2027-01' already"):
        store.copy_issue(session, row, "2027-01", now=LATER)


def test_items_and_verdicts_come_back_in_their_order(session, newsletter_id):
    plan = a_plan(items=[{"key": "silt", "segment": "press"}, "quay"])
    row = assembled(session, newsletter_id, plan, an_entry("quay"), an_entry("silt"), an_agenda_entry(), an_entry("x"))
    session.expire_all()
    assert [(item.key, item.position, item.segment, item.placement) for item in store.items(session, row.id)] == [
        ("silt", 0, "press", Placement.BLOCK),
        ("quay", 1, None, Placement.BLOCK),
        ("fair", 2, None, Placement.LINES),
    ]
    assert [(verdict.key, verdict.code) for verdict in store.verdicts(session, row.id)] == [
        ("silt", Verdict.INCLUDED),
        ("quay", Verdict.INCLUDED),
        ("fair", Verdict.LINES),
        ("x", Verdict.UNLISTED),
    ]
    assert row.assembled == NOW


def test_assembling_again_changes_nothing_but_the_hour(session, newsletter_id):
    row = assembled(session, newsletter_id, a_plan(), an_entry())
    revision = row.revision
    assert assemble(session, newsletter_id, a_plan(), now=LATER)[1] is False
    assert (row.revision, row.changed, row.assembled) == (revision, NOW, LATER)


def test_assembling_again_takes_what_is_new(session, newsletter_id):
    row = assembled(session, newsletter_id, a_plan(), an_entry("silt"))
    save_entries(session, newsletter_id, entries=[an_entry("quay")], now=LATER)
    assert assemble(session, newsletter_id, a_plan(), now=LATER)[1] is True
    assert [item.key for item in store.items(session, row.id)] == ["quay", "silt"]
    assert assemble(session, newsletter_id, a_plan(), topics=[Topic(key="t", name={"*": "T"})])[1] is True


def test_an_issue_that_finds_nothing_has_no_items(session, newsletter_id):
    row = assembled(session, newsletter_id, a_plan())
    assert (store.items(session, row.id), store.verdicts(session, row.id)) == ((), ())
    assert store.load_issue(session, "2026-12").entries == {}


def test_blocks_are_recorded_as_published_once_and_lines_are_not(session, newsletter_id):
    row = assembled(session, newsletter_id, a_plan(), an_entry("silt"), an_agenda_entry(section="news"))
    own = an_agenda_entry("assembly")
    save_entries(session, newsletter_id, entries=[own], now=NOW)
    assemble(session, newsletter_id, a_plan())
    assert store.record_published(session, row.id, at=NOW) == 2
    assert store.record_published(session, row.id, at=LATER) == 0
    ref = IssueRef(slug="2026-12", number=42, date=dt.date(2026, 12, 1))
    january = store.published_before(session, newsletter_id, date=dt.date(2027, 1, 1), slug="2027-01")
    assert january == {"silt": ref, "fair": ref}


def test_only_issues_before_an_issue_count_for_it(session, newsletter_id):
    for slug, date in (("2026-12", "2026-12-01"), ("2026-12-extra", "2026-12-01"), ("2027-01", "2027-01-01")):
        row = assembled(session, newsletter_id, a_plan(slug, date, number=None, items=["silt"]), an_entry())
        store.record_published(session, row.id, at=NOW)

    def last(slug, date):
        before = store.published_before(session, newsletter_id, date=dt.date.fromisoformat(date), slug=slug)
        return {key: ref.slug for key, ref in before.items()}

    assert last("2026-12", "2026-12-01") == {}
    assert last("2026-12-extra", "2026-12-01") == {"silt": "2026-12"}
    assert last("2027-01", "2027-01-01") == {"silt": "2026-12-extra"}
    assert last("2027-02", "2027-02-01") == {"silt": "2027-01"}


def test_the_ledger_can_be_taken_back_and_is_each_newsletters_own(session, newsletter_id):
    row = assembled(session, newsletter_id, a_plan(), an_entry())
    store.record_published(session, row.id, at=NOW)
    other = save_newsletter(session, a_newsletter("lakes"), now=NOW)[0]
    assert store.published_before(session, other, date=dt.date(2027, 1, 1), slug="x") == {}
    assert store.take_back_published(session, row.id) == 1
    assert store.published_before(session, newsletter_id, date=dt.date(2027, 1, 1), slug="x") == {}


def test_an_issue_is_loaded_with_everything_its_editions_need(session, newsletter_id):
    plan = a_plan(agenda_days=30)
    topics = [Topic(key="t", name={"en": "Topic"})]
    row = assembled(session, newsletter_id, plan, an_entry(), an_agenda_entry(), an_entry("old", published="2020-01-01"),
                    topics=topics)  # fmt: skip
    facts = store.load_issue(session, "2026-12", "rivers")
    assert (facts.id, facts.newsletter_id, facts.revision) == (row.id, newsletter_id, row.revision)
    assert facts.settings == plan.settings(a_newsletter())
    assert (facts.plan, facts.topics, facts.state) == (plan, tuple(topics), IssueState.DRAFT)
    assert set(facts.entries) == {"silt", "fair"}
    assert facts.entries["fair"].sequences == {"main": 0}


def test_an_issue_that_was_never_assembled_says_what_to_do(session, newsletter_id):
    store.save_plan(session, newsletter_id, a_plan(), now=NOW)
    with pytest.raises(WrongState, match="assemble it with `newsletter issue assemble 2026-12`"):
        store.load_issue(session, "2026-12")


def test_an_issue_is_found_by_its_newsletter_or_by_its_id(session, newsletter_id):
    assert store.find_issue(session, newsletter_id, "2026-12") is None
    store.save_plan(session, newsletter_id, a_plan(), now=NOW)
    row = store.find_issue(session, newsletter_id, "2026-12")
    assert store.issue_row(session, row.id) is row
    with pytest.raises(NotFound, match="there is no issue '999'"):
        store.issue_row(session, 999)


def test_sections_that_only_an_issue_has_are_known(session, newsletter_id):
    store.save_plan(session, newsletter_id, a_plan(), now=NOW)
    assert store.own_sections(session) == frozenset()
    sections = [{"key": "special"}, {"key": "dates", "show": "lines"}]
    store.save_plan(session, newsletter_id, a_plan("special", sections=sections), now=NOW)
    assert store.own_sections(session) == {"special", "dates"}
