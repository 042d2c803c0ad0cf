"""Issues made by hand, in either database: items, words, dates, and what two officers do at once."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from integration.building_scene import (
    DECEMBER,
    NEWSLETTER,
    RIVERS,
    an_agenda_entry,
    an_entry,
    filled,
    later,
    settled,
    store,
)
from sqlmodel import col, select

from newsletter.accounts.models import AuditRow, Deed
from newsletter.assembly import store as issues
from newsletter.assembly.arranging import Add, Limit, Move, Obstacle, Remove, Step
from newsletter.assembly.facts import IssueState, Placement
from newsletter.assembly.selection import TAKEN, Verdict
from newsletter.content.issue import IssuePlan
from newsletter.content.matrix import Completeness
from newsletter.content.newsletter import Fallback, Theme
from newsletter.errors import NotFound
from newsletter.pipeline.building import Outcome
from newsletter.pipeline.planned import PlanChange
from newsletter.pipeline.proposing import Fault, NewIssue, PlanRefused, next_slug
from newsletter.pipeline.worded import Edit
from newsletter.planning.models import RunRow, RunState
from subscribers.errors import UnknownSegment


@pytest.fixture
def pipeline(engine):
    return filled(settled(engine))


@pytest.fixture
def simple(chosen_engine):
    """For what asks the database nothing that it might say otherwise."""
    return filled(settled(chosen_engine))


def contents(pipeline, slug=DECEMBER, language="en"):
    return pipeline.building.contents(slug, newsletter=RIVERS, language=language)


def keys(pipeline, section="projects", slug=DECEMBER):
    found = next(each for each in contents(pipeline, slug).sections if each.key == section)
    return [item.key for item in found.items]


def arrange(pipeline, change, seen=None):
    return pipeline.building.arrange(DECEMBER, change, newsletter=RIVERS, seen=seen or contents(pipeline).stamp)


def set_state(pipeline, state, slug=DECEMBER):
    with pipeline.parts.sessions() as session:
        row = issues.get_issue(session, slug, RIVERS)
        issues.set_state(session, row.id, expected=list(IssueState), state=state, now=pipeline.parts.now())
        session.commit()


def deeds(pipeline, deed):
    with pipeline.parts.sessions() as session:
        rows = session.scalars(select(AuditRow).where(col(AuditRow.action) == deed.value).order_by(col(AuditRow.id)))
        return [(row.operator, row.about, row.reason) for row in rows]


def test_the_contents_are_in_the_words_of_who_looks(simple):
    seen = contents(simple, language="fr")
    assert [section.title for section in seen.sections] == ["", "Nos projets", "Agenda"]
    assert [item.title for item in seen.sections[0].items] == ["Titre de bridge"]
    assert (seen.head.title, seen.head.number, seen.size) == ("Décembre 2026", 42, 6)
    assert not seen.by_hand
    assert not seen.can_undo
    [fair, _] = seen.sections[2].items
    assert [span.first_day for span in fair.spans] == [dt.date(2026, 12, 10)]
    lamps = next(item for item in seen.sections[1].items if item.key == "lamps")
    assert [cell.state for cell in lamps.cells] == [
        Completeness.PRESENT,
        Completeness.FALLBACK,
        Completeness.FALLBACK,
    ]


def test_what_is_left_out_says_why_and_where_it_would_go(simple):
    found = {each.key: each for each in simple.building.left_out(DECEMBER, newsletter=RIVERS).found}
    assert {key: (each.code, each.section) for key, each in found.items()} == {
        "old": (Verdict.OFFERED, "projects"),
        "sketch": (Verdict.DRAFT, None),
        "past": (Verdict.OVER, "lead"),
    }
    assert found["past"].last_day == dt.date(2026, 11, 12)


def test_what_is_left_out_is_searched_and_paged(pipeline):
    more = [an_entry(f"attic-{n:02}", published="2026-03-01") for n in range(30)]
    store(pipeline, *more)
    pipeline.editorial.assemble(DECEMBER, newsletter=RIVERS)
    building = pipeline.building
    first = building.left_out(DECEMBER, newsletter=RIVERS)
    rest = building.left_out(DECEMBER, newsletter=RIVERS, after=first.after)
    assert len({each.key for each in (*first.found, *rest.found)}) == 33
    assert rest.after is None
    searched = building.left_out(DECEMBER, newsletter=RIVERS, search="TITLE of attic-07")
    assert [each.key for each in searched.found] == ["attic-07"]
    assert building.left_out(DECEMBER, newsletter=RIVERS, search="50%").found == ()


def test_a_change_is_stored_told_and_logged(pipeline):
    done = arrange(pipeline, Step(key="bats", by=-1))
    assert (done.outcome, done.section, done.place, done.of) == (Outcome.DONE, "projects", 2, 3)
    assert keys(pipeline) == ["silt", "bats", "lamps"]
    assert contents(pipeline).by_hand
    assert deeds(pipeline, Deed.ISSUE_ARRANGED) == [
        ("anne", "issue 2026-12", "bats was moved to projects, place 2 of 3")
    ]


def test_an_entry_goes_out_and_comes_back_with_the_right_verdicts(pipeline):
    arrange(pipeline, Remove(key="silt", placement=Placement.BLOCK))
    found = {each.key: each.code for each in pipeline.building.left_out(DECEMBER, newsletter=RIVERS).found}
    assert found["silt"] is Verdict.UNLISTED
    arrange(pipeline, Add(key="silt", section="projects"))
    assert keys(pipeline) == ["lamps", "bats", "silt"]
    verdicts = pipeline.editorial.show(DECEMBER, newsletter=RIVERS).verdicts
    assert [verdict.key for verdict in verdicts[:4]] == ["bridge", "lamps", "bats", "silt"]
    assert all(verdict.code in TAKEN for verdict in verdicts[:6])


def test_the_second_of_two_officers_is_told_and_nothing_is_lost(pipeline):
    seen = contents(pipeline).stamp
    assert arrange(pipeline, Step(key="bats", by=-1), seen).outcome is Outcome.DONE
    assert arrange(pipeline, Remove(key="silt", placement=Placement.BLOCK), seen).outcome is Outcome.OVERTAKEN
    assert keys(pipeline) == ["silt", "bats", "lamps"]


def test_of_two_changes_at_the_same_moment_one_is_made(pipeline):
    seen = contents(pipeline).stamp
    changes = [Step(key="bats", by=-1), Remove(key="silt", placement=Placement.BLOCK)]
    with ThreadPoolExecutor(2) as officers:
        outcomes = list(officers.map(lambda change: arrange(pipeline, change, seen).outcome, changes))
    assert sorted(outcomes) == [Outcome.DONE, Outcome.OVERTAKEN]
    assert keys(pipeline) in (["silt", "bats", "lamps"], ["lamps", "bats"])


def test_words_that_are_saved_meanwhile_are_no_clash_with_the_order(simple):
    seen = contents(simple).stamp
    simple.building.words.save(
        DECEMBER, [Edit(language="fr", part="subject", before="", after="L’eau")], newsletter=RIVERS
    )
    assert arrange(simple, Step(key="bats", by=-1), seen).outcome is Outcome.DONE
    words = simple.building.words.read(DECEMBER, newsletter=RIVERS)
    assert words.texts["fr"].subject == "L’eau"


def test_the_last_change_can_be_undone_and_words_stay(pipeline):
    before = contents(pipeline).stamp
    arrange(pipeline, Remove(key="fair", placement=Placement.LINES))
    assert keys(pipeline, "agenda") == ["walk"]
    pipeline.building.words.save(
        DECEMBER, [Edit(language="fr", part="subject", before="", after="L’eau")], newsletter=RIVERS
    )
    after = contents(pipeline)
    assert after.can_undo
    assert pipeline.building.undo(DECEMBER, newsletter=RIVERS, seen=after.stamp).outcome is Outcome.DONE
    undone = contents(pipeline)
    assert (undone.stamp, undone.by_hand, undone.can_undo) == (before, False, False)
    assert pipeline.building.words.read(DECEMBER, newsletter=RIVERS).texts["fr"].subject == "L’eau"
    assert "fair" not in {each.key for each in pipeline.building.left_out(DECEMBER, newsletter=RIVERS).found}
    assert pipeline.building.undo(DECEMBER, newsletter=RIVERS, seen=undone.stamp).outcome is Outcome.OVERTAKEN


def test_a_change_that_cannot_be_says_why_and_changes_nothing(simple):
    before = contents(simple).stamp
    over = arrange(simple, Add(key="past", section="agenda"))
    assert (over.outcome, over.obstacle, over.verdict.code) == (Outcome.REFUSED, Obstacle.RULES, Verdict.OVER)
    unknown = arrange(simple, Add(key="nothing", section="lead"))
    assert (unknown.outcome, unknown.obstacle) == (Outcome.REFUSED, Obstacle.GONE)
    assert contents(simple).stamp == before
    with pytest.raises(UnknownSegment):
        arrange(simple, Limit(key="silt", segment="nobody"))


def test_an_item_is_shown_to_a_segment(pipeline):
    pipeline.people.segments.create("press", 'tag = "press"')
    arrange(pipeline, Limit(key="silt", segment="press"))
    assert contents(pipeline).segments == ("press",)
    assert pipeline.building.segments() == ("press",)
    arrange(pipeline, Limit(key="silt", segment=None))
    assert contents(pipeline).segments == ()


def test_a_hand_leaves_alone_what_was_written_since(pipeline):
    after = later(pipeline, hours=1)
    store(after, an_entry("fresh"), an_agenda_entry("regatta", "2026-12-20"))
    assert contents(after).changed == 2
    arrange(after, Step(key="bats", by=-1))
    assert keys(after, "agenda") == ["fair", "walk"]
    after.editorial.assemble(DECEMBER, newsletter=RIVERS)
    assert keys(after, "agenda") == ["fair", "walk", "regatta"]
    assert keys(after) == ["silt", "bats", "lamps"]
    assert contents(after).changed == 0


def test_an_entry_that_is_newer_than_the_assembly_can_be_added(pipeline):
    store(later(pipeline, hours=1), an_entry("fresh"))
    assert arrange(pipeline, Add(key="fresh", section="projects")).outcome is Outcome.DONE
    assert keys(pipeline) == ["silt", "lamps", "bats", "fresh"]
    arrange(pipeline, Remove(key="fresh", placement=Placement.BLOCK))
    assert "fresh" in {each.key for each in pipeline.building.left_out(DECEMBER, newsletter=RIVERS).found}


@pytest.mark.parametrize("state", [IssueState.APPROVED, IssueState.QUEUED, IssueState.SENT])
def test_only_a_draft_is_arranged_worded_and_changed(simple, state):
    seen, facts = contents(simple), simple.building.plans.facts(DECEMBER, newsletter=RIVERS)
    set_state(simple, state)
    building = simple.building
    assert arrange(simple, Step(key="bats", by=-1), seen.stamp).outcome is Outcome.CLOSED
    assert building.undo(DECEMBER, newsletter=RIVERS, seen=seen.stamp).outcome is Outcome.CLOSED
    edit = Edit(language="en", part="subject", before="What the river took", after="Else")
    assert not building.words.save(DECEMBER, [edit], newsletter=RIVERS).open
    revision = seen.head.revision
    assert building.plans.change(DECEMBER, as_it_is(facts), newsletter=RIVERS, revision=revision) is None
    assert keys(simple) == ["silt", "lamps", "bats"]
    assert building.words.read(DECEMBER, newsletter=RIVERS).texts["en"].subject == "What the river took"


def test_an_approved_issue_is_opened_again(simple):
    set_state(simple, IssueState.APPROVED)
    assert contents(simple).head.is_open
    assert simple.building.reopen(DECEMBER, newsletter=RIVERS)
    assert contents(simple).head.state is IssueState.DRAFT
    assert not simple.building.reopen(DECEMBER, newsletter=RIVERS)


def test_two_officers_write_in_two_languages_at_once(pipeline):
    words = pipeline.building.words
    english = Edit(language="en", part="subject", before="What the river took", after="What the river gave")
    french = Edit(language="fr", part="subject", before="", after="Ce que le fleuve a pris ")
    for edit in (english, french):
        assert words.save(DECEMBER, [edit], newsletter=RIVERS).saved == (edit,)
    found = words.read(DECEMBER, newsletter=RIVERS).texts
    assert (found["en"].subject, found["fr"].subject) == ("What the river gave", "Ce que le fleuve a pris")
    assert deeds(pipeline, Deed.ISSUE_WORDED)[0] == (
        "anne",
        "issue 2026-12: subject (en)",
        "“What the river took” → “What the river gave”",
    )


def test_the_second_to_write_in_one_field_is_shown_what_stands_there(simple):
    words = simple.building.words
    mine, theirs = (
        Edit(language="en", part="subject", before="What the river took", after=after) for after in ("Mine", "Theirs")
    )
    beside = Edit(language="es", part="title", before="", after="Diciembre")
    words.save(DECEMBER, [theirs], newsletter=RIVERS)
    saved = words.save(DECEMBER, [mine, beside], newsletter=RIVERS)
    assert [(clash.language, clash.part, clash.theirs) for clash in saved.clashes] == [("en", "subject", "Theirs")]
    assert saved.saved == (beside,)
    again = Edit(language="en", part="subject", before="Theirs", after="Mine")
    assert words.save(DECEMBER, [again], newsletter=RIVERS).saved == (again,)


def test_words_that_cannot_be_taken_are_refused_one_by_one(simple):
    long = Edit(language="en", part="subject", before="What the river took", after="x" * 501)
    foreign = Edit(language="el", part="subject", before="", after="Νερό")
    fine = Edit(language="en", part="preheader", before="", after="And what it gave back")
    saved = simple.building.words.save(DECEMBER, [long, foreign, fine], newsletter=RIVERS)
    assert (saved.refused, saved.saved) == ((long, foreign), (fine,))


def test_the_words_come_with_senders_and_the_state_of_every_entry(simple):
    words = simple.building.words.read(DECEMBER, newsletter=RIVERS)
    assert words.senders == {"en": "River network", "fr": "River network", "es": "River network"}
    bats = next(row for row in words.rows if row.key == "bats")
    assert [cell.state for cell in bats.cells] == [Completeness.EXCLUDED, Completeness.PRESENT, Completeness.EXCLUDED]


def test_the_next_issue_follows_on_the_last(simple):
    proposal = simple.building.plans.propose(RIVERS)
    issue = proposal.issue
    assert (issue.slug, issue.number, issue.date) == ("2027-01", 43, dt.date(2027, 1, 1))
    assert (issue.first, issue.last) == (dt.date(2026, 12, 1), dt.date(2026, 12, 31))
    assert issue.titles == {"en": "January 2027", "fr": "Janvier 2027", "es": "Enero de 2027"}
    assert proposal.previous.slug == DECEMBER


def test_a_name_that_is_taken_gets_a_letter(simple):
    plain = {"slug": "2027-01", "date": "2026-01-01", "period": {"from": "2025-12-01", "to": "2025-12-31"}}
    with simple.parts.sessions() as session:
        newsletter_id = issues.get_issue(session, DECEMBER, RIVERS).newsletter_id
        issues.save_plan(session, newsletter_id, IssuePlan.model_validate(plain), now=simple.parts.now())
        session.commit()
    assert simple.building.plans.propose(RIVERS).issue.slug == "2027-01-b"


@pytest.mark.parametrize(
    ("last", "slug"),
    [("", "2027-01"), ("2026-12", "2027-01"), ("no-41", "no-42"), ("09", "10"), ("spring", "2027-01"), ("4-a", "5-a")],
)
def test_a_slug_follows_the_series(last, slug):
    assert next_slug(last, dt.date(2027, 1, 1)) == slug


def test_a_new_issue_is_assembled_at_once_and_takes_the_words_of_its_model(pipeline):
    plans = pipeline.building.plans
    change = {**vars_of(plans.facts(DECEMBER, newsletter=RIVERS)), "fallback": Fallback.OMIT}
    revision = contents(pipeline).head.revision
    plans.change(DECEMBER, PlanChange(**change), newsletter=RIVERS, revision=revision)
    fresh = NewIssue(
        slug="2027-01",
        number=43,
        date=dt.date(2027, 1, 1),
        first=dt.date(2026, 11, 1),
        last=dt.date(2026, 12, 31),
        titles={"en": "January", "fr": ""},
        model=DECEMBER,
    )
    head = plans.create(RIVERS, fresh)
    assert (head.title, head.assembled) == ("January", pipeline.parts.now())
    assert keys(pipeline, slug="2027-01") == ["silt", "lamps", "bats"]
    words = pipeline.building.words.read("2027-01", newsletter=RIVERS)
    assert (words.texts["en"].subject, words.texts["en"].title) == ("What the river took", "January")
    assert plans.facts("2027-01", newsletter=RIVERS).fallback is Fallback.OMIT
    assert deeds(pipeline, Deed.ISSUE_MADE) == [("anne", "issue 2027-01", "4 items, after the model of 2026-12")]


@pytest.mark.parametrize(
    ("changes", "field", "fault"),
    [
        ({"slug": DECEMBER}, "slug", Fault.TAKEN),
        ({"slug": "No 43"}, "slug", Fault.SHAPE),
        ({"last": dt.date(2026, 11, 1)}, "last", Fault.ORDER),
    ],
)
def test_an_issue_that_cannot_be_is_refused_by_field(simple, changes, field, fault):
    issue = simple.building.plans.propose(RIVERS).issue
    values = {name: getattr(issue, name) for name in ("slug", "number", "date", "first", "last", "titles")}
    with pytest.raises(PlanRefused) as refused:
        simple.building.plans.create(RIVERS, NewIssue(**{**values, **changes}))
    assert (refused.value.field, refused.value.fault) == (field, fault)


def vars_of(facts):
    names = ("number", "date", "first", "last", "agenda_days", "fallback", "accent")
    return {name: getattr(facts, name) for name in names} | {"sections": [each.key for each in facts.sections]}


def as_it_is(facts, **changes):
    return PlanChange(**{**vars_of(facts), **changes})


def test_a_change_of_dates_is_told_before_it_is_made(simple):
    plans = simple.building.plans
    facts = plans.facts(DECEMBER, newsletter=RIVERS)
    assert plans.preview(DECEMBER, as_it_is(facts), newsletter=RIVERS).nothing
    wider = as_it_is(facts, first=dt.date(2026, 8, 1), agenda_days=10, sections=["lead", "agenda", "projects"])
    told = plans.preview(DECEMBER, wider, newsletter=RIVERS)
    assert [verdict.key for verdict in told.gained] == ["old"]
    assert [verdict.key for verdict in told.lost] == ["walk"]
    assert told.settings
    assert keys(simple) == ["silt", "lamps", "bats"]
    revision = contents(simple).head.revision
    assert plans.change(DECEMBER, wider, newsletter=RIVERS, revision=revision) == told
    assert [section.key for section in contents(simple).sections] == ["lead", "agenda", "projects"]
    assert keys(simple) == ["silt", "lamps", "bats", "old"]
    assert keys(simple, "agenda") == ["fair"]
    assert plans.change(DECEMBER, wider, newsletter=RIVERS, revision=revision) is None
    [(_, about, reason)] = deeds(simple, Deed.ISSUE_CHANGED)
    assert about == "issue 2026-12"
    assert "period.from: 2026-11-01 → 2026-08-01" in reason
    assert "1 entries came, 1 went" in reason


def test_what_is_as_the_newsletter_has_it_is_not_said_again(simple):
    plans = simple.building.plans
    facts = plans.facts(DECEMBER, newsletter=RIVERS)
    change = as_it_is(facts, agenda_days=60)
    plans.change(DECEMBER, change, newsletter=RIVERS, revision=contents(simple).head.revision)
    with simple.parts.sessions() as session:
        plan = issues.plan_of(issues.get_issue(session, DECEMBER, RIVERS))
    assert (plan.agenda_days, plan.sections, plan.theme, plan.fallback) == (None, None, None, None)


def test_an_issue_has_a_colour_of_its_own_and_keeps_the_rest_of_its_theme(simple):
    plans = simple.building.plans
    with simple.parts.sessions() as session:
        row = issues.get_issue(session, DECEMBER, RIVERS)
        dressed = issues.plan_of(row).model_copy(update={"theme": Theme(name="plain", accent="#123456")})
        issues.save_plan(session, row.newsletter_id, dressed, now=simple.parts.now())
        session.commit()
    facts = plans.facts(DECEMBER, newsletter=RIVERS)
    assert facts.accent == "#123456"
    change = as_it_is(facts, accent="#654321")
    plans.change(DECEMBER, change, newsletter=RIVERS, revision=facts.head.revision)
    with simple.parts.sessions() as session:
        assert issues.plan_of(issues.get_issue(session, DECEMBER, RIVERS)).theme == Theme(
            name="plain", accent="#654321"
        )


def test_a_list_made_by_hand_is_kept_until_it_is_given_up(simple):
    arrange(simple, Move(key="bats", placement=Placement.BLOCK, section="lead", place=0))
    plans = simple.building.plans
    facts = plans.facts(DECEMBER, newsletter=RIVERS)
    assert facts.by_hand
    assert plans.preview(DECEMBER, as_it_is(facts), newsletter=RIVERS).nothing
    without = plans.preview(DECEMBER, as_it_is(facts, sections=["projects", "agenda"]), newsletter=RIVERS)
    assert {verdict.key for verdict in without.lost} == {"bridge", "bats"}
    revision = contents(simple).head.revision
    told = plans.change(DECEMBER, as_it_is(facts, afresh=True), newsletter=RIVERS, revision=revision)
    assert told.moved == 2
    assert not contents(simple).by_hand
    with pytest.raises(PlanRefused):
        plans.preview(DECEMBER, as_it_is(facts, sections=[]), newsletter=RIVERS)


def test_the_list_has_what_is_in_the_making_first_and_pages_the_rest(pipeline):
    with pipeline.parts.sessions() as session:
        newsletter_id = issues.get_issue(session, DECEMBER, RIVERS).newsletter_id
        for number in range(1, 31):
            date = dt.date(2024, 1, 1) + dt.timedelta(days=30 * number)
            plain = {"slug": f"no-{number}", "number": number, "date": date, "period": {"from": date, "to": date}}
            issues.save_plan(session, newsletter_id, IssuePlan.model_validate(plain), now=pipeline.parts.now())
        session.commit()
    for number in range(1, 31):
        set_state(pipeline, IssueState.SENT, f"no-{number}")
    with pipeline.parts.sessions() as session:
        sent = issues.get_issue(session, "no-30", RIVERS)
        for total in (5, 7):
            session.add(
                RunRow(
                    issue_id=sent.id,
                    mailing="issue:rivers/no-30",
                    segment="all",
                    expression="all",
                    state=RunState.FINISHED,
                    operator="anne",
                    created=pipeline.parts.now(),
                    total=total,
                )
            )
        session.commit()
    first = pipeline.building.issues(RIVERS, language="fr")
    assert [(each.head.slug, each.size) for each in first.making] == [(DECEMBER, 6)]
    assert first.making[0].lacking == {"en": 0, "fr": 1, "es": 5}
    assert [each.head.number for each in first.ended[:2]] == [30, 29]
    assert (first.ended[0].audience, first.ended[1].audience) == (7, None)
    rest = pipeline.building.issues(RIVERS, after=first.after)
    assert (rest.making, rest.after, len(rest.ended)) == ((), None, 6)
    assert pipeline.building.issues(RIVERS, after="nonsense") == pipeline.building.issues(RIVERS)


def test_what_does_not_exist_is_not_found(pipeline):
    for ask in (pipeline.building.head, pipeline.building.left_out, pipeline.building.words.read):
        with pytest.raises(NotFound):
            ask("2030-01", newsletter=RIVERS)
    with pytest.raises(NotFound):
        pipeline.building.issues("nowhere")


def test_an_issue_that_nobody_assembled_has_the_sections_of_its_newsletter(simple):
    with simple.parts.sessions() as session:
        newsletter_id = issues.get_issue(session, DECEMBER, RIVERS).newsletter_id
        plain = {"slug": "bare", "date": "2027-02-01", "period": {"from": "2027-01-01", "to": "2027-01-31"}}
        issues.save_plan(session, newsletter_id, IssuePlan.model_validate(plain), now=simple.parts.now())
        session.commit()
    seen = contents(simple, "bare")
    assert seen.head.assembled is None
    assert [section.key for section in seen.sections] == [section.key for section in NEWSLETTER.sections]
    assert (seen.size, seen.head.title, seen.head.done) == (0, "", frozenset())
