import csv
import datetime as dt
import io
import json
from dataclasses import replace

import pytest
from databases import copy_of, url_of
from sqlmodel import col, select

from newsletter.assembly.facts import Placement
from newsletter.assembly.models import IssueRow, ItemRow
from newsletter.assembly.store import get_issue, save_plan
from newsletter.content.entry import Entry
from newsletter.content.issue import IssuePlan
from newsletter.content.models import EntryRow
from newsletter.content.newsletter import Newsletter
from newsletter.content.store import save_entries, save_newsletter
from newsletter.database import migrate, open_engine, session_factory
from newsletter.errors import InvalidInput, NotFound, WrongState
from newsletter.links import Links
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.people import ExportFormat, People, Stopped
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.settings import Settings
from subscribers import consent, store, suppression
from subscribers.address import parse_address
from subscribers.errors import (
    ImportRefused,
    InvalidAddress,
    InvalidLanguage,
    InvalidValue,
    ListExists,
    SegmentExists,
    SegmentSyntaxError,
    UnknownField,
    UnknownList,
    UnknownSegment,
    UnknownSubscriber,
)
from subscribers.importing.chunk import Verdict
from subscribers.models import ConsentAction, MembershipState, Subscriber, SuppressionReason
from subscribers.tokens import Keys

NOW = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
KEYS = Keys(signing=(("k1", b"a secret for signing"),), suppression=b"a secret for digests")
ADA = "ada@town.example"
BOB = "bob@harbour.example"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    """A database that is migrated once and copied for each test."""
    path = tmp_path_factory.mktemp("migrated") / "newsletter.sqlite"
    engine = open_engine(url_of(path))
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def parts(tmp_path, migrated):
    path = tmp_path / "newsletter.sqlite"
    engine = open_engine(copy_of(migrated, path))
    yield Parts(
        settings=Settings(),
        engine=engine,
        sessions=session_factory(engine),
        keys=KEYS,
        links=Links("https://news.example"),
        operator="grace",
        now=lambda: NOW,
    )
    engine.dispose()


@pytest.fixture
def people(parts):
    made = People(parts)
    made.lists.create("members")
    made.lists.create("press", double_opt_in=False)
    return made


@pytest.fixture
def a_file(tmp_path):
    def write(*lines, name="people.csv"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


def a_newsletter(slug="rivers"):
    return Newsletter.model_validate(
        {
            "slug": slug,
            "name": "River News",
            "languages": ["en", "fr"],
            "timezone": "Europe/Brussels",
            "sender": {"name": "River network", "address": "news@rivers.example"},
            "list_id": f"{slug}.rivers.example",
            "sections": [{"key": "news"}],
        }
    )


def an_entry():
    return Entry.model_validate(
        {
            "key": "silt",
            "kind": "news",
            "section": "news",
            "published": "2026-11-10",
            "texts": {"en": {"title": "Silt"}},
        }
    )


def a_run(parts, *, newsletter="rivers", expression="all", state=RunState.RUNNING, started=NOW, segment="everybody"):
    """Store a newsletter, an issue of it and a run of that; returns the run's id and mailing."""
    slug = f"{newsletter}-2026-12"
    plan = IssuePlan.model_validate(
        {"slug": slug, "number": 1, "date": "2026-12-01", "period": {"from": "2026-11-01", "to": "2026-11-30"}}
    )
    with parts.sessions() as session:
        newsletter_id, _ = save_newsletter(session, a_newsletter(newsletter), now=NOW)
        save_plan(session, newsletter_id, plan, now=NOW)
        run = RunRow(
            issue_id=get_issue(session, slug).id,
            mailing=f"issue:{newsletter}/{slug}",
            segment=segment,
            expression=expression,
            state=state,
            started=started,
            operator="grace",
            created=NOW,
        )
        session.add(run)
        session.commit()
        return run.id, run.mailing


def a_delivery(parts, address, run, *, state=DeliveryState.PLANNED, clear=None):
    run_id, mailing = run
    with parts.sessions() as session:
        known = store.find_subscriber(session, address)
        row = DeliveryRow(
            mailing=mailing,
            run_id=run_id,
            subscriber_id=known.id if known else None,
            digest=suppression.digest_of(parts.keys, address),
            address=clear,
            language="en",
            artifact="0" * 64,
            state=state,
            worker="w" if state is DeliveryState.CLAIMED else None,
            changed=NOW,
        )
        session.add(row)
        session.commit()
        return row.id


def delivery(parts, delivery_id):
    with parts.sessions() as session:
        return session.get(DeliveryRow, delivery_id)


def state_of(parts, delivery_id):
    return delivery(parts, delivery_id).state


def added(people, address=ADA, list_name="members", **given):
    return people.add(address, list_name=list_name, given=given)


def memberships(people, address=ADA):
    return {name: state.value for name, (state, _) in people.show(address).memberships.items()}


def actions(people, address=ADA):
    return [line.action for line in people.show(address).consent]


def test_an_import_makes_confirmed_members_and_the_consent_log_says_who_imported_them(people, a_file):
    report = people.import_file(a_file("email,tags", f"{ADA},press;mayor"), list_name="members")
    assert report.counts() == {
        "rows": 1,
        "new": 1,
        "changed": 0,
        "unchanged": 0,
        "invalid": 0,
        "suppressed": 0,
        "refused": 0,
    }
    shown = people.show(ADA)
    assert shown.memberships == {"members": (MembershipState.CONFIRMED, NOW)}
    assert shown.person.tags == ("mayor", "press")
    assert [(line.action, line.source, line.operator) for line in shown.consent] == [
        (ConsentAction.IMPORTED, "import", "grace")
    ]


def test_a_dry_run_counts_and_stores_nothing(people, a_file):
    report = people.import_file(a_file("email", ADA), list_name="members", dry_run=True)
    assert report.new == 1
    assert people.page(limit=10) == []


def test_an_import_takes_the_operators_word_for_what_a_column_is_and_tells_its_progress(people, a_file):
    told = []
    people.import_file(
        a_file("post,given", f"{ADA},Ada"),
        list_name="members",
        mapping={"post": "email", "given": "-"},
        progress=lambda done, total: told.append((done, total)),
    )
    assert people.show(ADA).person.fields["first_name"] == ""
    assert told[-1] == (1, 1)


def test_an_import_into_an_unknown_list_says_how_to_create_it(people, a_file):
    with pytest.raises(InvalidInput, match=r"no list “town members”.*`newsletter lists create 'town members'`"):
        people.import_file(a_file("email", ADA), list_name="town members")


def test_a_file_that_cannot_be_taken_is_refused_whole(people, a_file):
    with pytest.raises(ImportRefused, match="no column holds the address"):
        people.import_file(a_file("name", "Ada"), list_name="members")


def test_somebody_added_is_confirmed_by_an_administrators_word(people):
    assert added(people, language="FR-be", tags="press; mayor", population="12000", code="007") is Verdict.NEW
    shown = people.show(ADA)
    assert shown.memberships == {"members": (MembershipState.CONFIRMED, NOW)}
    assert (shown.person.fields["language"], shown.person.tags) == ("fr-BE", ("mayor", "press"))
    assert shown.person.attributes == {"population": 12000, "code": "007"}
    assert [(line.action, line.source, line.operator) for line in shown.consent] == [
        (ConsentAction.IMPORTED, "command line", "grace")
    ]


def test_adding_somebody_again_changes_nothing(people):
    added(people, first_name="Ada", population="5")
    assert added(people, first_name="Ada", population="5") is Verdict.UNCHANGED
    assert len(people.show(ADA).consent) == 1


def test_adding_somebody_who_is_known_fills_in_and_joins_another_list(people):
    added(people, first_name="Ada", tags="press")
    assert added(people, list_name="press", city="Ghent", first_name="", tags="mayor") is Verdict.CHANGED
    shown = people.show(ADA)
    assert (shown.person.fields["first_name"], shown.person.fields["city"]) == ("Ada", "Ghent")
    assert shown.person.tags == ("mayor", "press")
    assert memberships(people) == {"members": "confirmed", "press": "confirmed"}


def test_somebody_who_is_pending_is_confirmed_by_an_administrators_word(people, parts):
    with parts.sessions() as session:
        known = store.add_subscriber(session, KEYS, address=parse_address(ADA), now=NOW)
        consent.subscribe(
            session,
            subscriber=known,
            mailing_list=store.get_list(session, "members"),
            circumstances=consent.Circumstances(at=NOW, source="form"),
        )
        session.commit()
    assert memberships(people) == {"members": "pending"}
    assert added(people) is Verdict.CHANGED
    assert memberships(people) == {"members": "confirmed"}


def test_somebody_who_left_is_not_added_again(people):
    added(people)
    people.unsubscribe(ADA, list_name="members")
    with pytest.raises(WrongState, match="only their own new consent"):
        added(people)
    assert memberships(people) == {"members": "left"}


def test_somebody_who_left_everything_is_not_added_to_another_list(people):
    added(people)
    people.unsubscribe(ADA)
    with pytest.raises(WrongState, match="this person has left"):
        added(people, list_name="press")


def test_a_suppressed_address_is_not_added_and_nothing_is_stored(people):
    people.suppress(ADA, note="asked by telephone")
    with pytest.raises(WrongState, match=r"manual since 2026-12-01: asked by telephone.*unsuppress"):
        added(people)
    with pytest.raises(UnknownSubscriber, match=r"must not be written to \(manual since 2026-12-01"):
        people.show(ADA)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"language": "gr"}, InvalidLanguage),
        ({"country": "Atlantis"}, InvalidValue),
        ({"email": BOB}, InvalidValue),
        ({"Not a name": "5"}, InvalidValue),
        ({"tags": "x" * 101}, InvalidValue),
    ],
)
def test_what_cannot_be_stored_is_refused_and_nobody_is_added(people, given, error):
    with pytest.raises(error):
        added(people, **given)
    assert people.page(limit=10) == []


def test_an_address_that_is_none_is_refused(people):
    with pytest.raises(InvalidAddress):
        added(people, "not an address")


def test_changing_a_person_names_what_is_different(people):
    added(people, first_name="Ada", tags="press;mayor", population="5")
    assert people.change(ADA, {"city": "Ghent", "First_Name": "Ada", "population": "6", "tags": "mayor;guest"}) == [
        "city",
        "population",
        "tags",
    ]
    shown = people.show(ADA).person
    assert (shown.fields["city"], shown.attributes, shown.tags) == ("Ghent", {"population": 6}, ("guest", "mayor"))


def test_an_empty_value_clears_a_field_an_attribute_and_all_tags(people):
    added(people, first_name="Ada", tags="press", population="5", language="fr")
    assert people.change(ADA, {"first_name": "", "population": "", "tags": "", "language": ""}) == [
        "first_name",
        "language",
        "population",
        "tags",
    ]
    shown = people.show(ADA).person
    assert (shown.fields["first_name"], shown.fields["language"], shown.attributes, shown.tags) == ("", "", {}, ())


def test_changing_a_person_into_what_they_are_changes_nothing(people):
    added(people, first_name="Ada", tags="press")
    assert people.change(ADA, {"first_name": "Ada", "tags": "press"}) == []
    assert people.change(ADA, {"first_name": "Ada"}) == []


def test_somebody_unknown_cannot_be_changed(people):
    with pytest.raises(UnknownSubscriber):
        people.change(ADA, {"city": "Ghent"})


def test_pages_follow_each_other_by_key_or_by_address(people):
    for number in range(5):
        added(people, f"p{number}@town.example")
    first = people.page(limit=2)
    assert [person.address for person in first] == ["p0@town.example", "p1@town.example"]
    assert [person.address for person in people.page(limit=2, after=str(first[-1].key))] == [
        "p2@town.example",
        "p3@town.example",
    ]
    assert [person.address for person in people.page(limit=9, after="p3@town.example")] == ["p4@town.example"]


def test_a_page_may_be_of_a_list_a_state_or_a_segment(people):
    added(people, first_name="Ada", last_name="Lark", language="fr")
    added(people, BOB, list_name="press")
    people.unsubscribe(BOB, list_name="press")
    people.segments.create("french", 'language = "fr"')
    assert [(person.name, person.lists) for person in people.page(limit=9, list_name="members")] == [
        ("Ada Lark", ("members",))
    ]
    assert people.page(limit=9, list_name="press") == []
    assert [person.address for person in people.page(limit=9, list_name="press", state=MembershipState.LEFT)] == [BOB]
    assert [person.address for person in people.page(limit=9, segment="french")] == [ADA]


def test_pages_of_what_does_not_exist_are_errors(people):
    with pytest.raises(UnknownList, match="did you mean “press”"):
        people.page(limit=9, list_name="pres")
    with pytest.raises(UnknownSegment):
        people.page(limit=9, segment="nobody")
    with pytest.raises(InvalidInput, match="'x' is no key"):
        people.page(limit=9, after="x")


def test_an_export_can_be_imported_again_without_any_change(people, a_file):
    added(people, first_name="Ada", last_name="Lark, Esq.", language="fr", tags="press;mayor", population="12000")
    added(people, BOB, paid="true", share="-2.5")
    out = io.StringIO()
    assert people.export(out, form=ExportFormat.CSV) == 2
    assert people.import_file(a_file(*out.getvalue().splitlines()), list_name="members").unchanged == 2


def test_no_text_of_a_csv_export_is_a_formula_and_numbers_stay_numbers(people):
    added(people, organisation="=HYPERLINK(1)", share="-2.5", code="+32")
    out = io.StringIO()
    people.export(out, form=ExportFormat.CSV)
    (row,) = csv.DictReader(io.StringIO(out.getvalue()))
    assert (row["organisation"], row["share"], row["code"]) == ("'=HYPERLINK(1)", "-2.5", "'+32")


def test_an_export_of_nobody_still_has_its_headings(people):
    out = io.StringIO()
    assert people.export(out, form=ExportFormat.CSV, list_name="press") == 0
    assert out.getvalue().startswith("email,first_name,")


def test_an_export_for_programs_has_one_object_a_line(people):
    added(people, tags="press;mayor", organisation="=Town", paid="true")
    added(people, BOB, list_name="press")
    out = io.StringIO()
    assert people.export(out, form=ExportFormat.JSONL, list_name="members") == 1
    row = json.loads(out.getvalue())
    assert (row["email"], row["tags"], row["lists"]) == (ADA, ["mayor", "press"], ["members"])
    assert (row["organisation"], row["paid"]) == ("=Town", True)


def test_an_export_tells_its_progress(people, a_file):
    addresses = [f"p{number}@town.example" for number in range(1001)]
    people.import_file(a_file("email", *addresses), list_name="members")
    people.segments.create("everybody", "all")
    told = []
    written = people.export(
        io.StringIO(), form=ExportFormat.JSONL, segment="everybody", progress=lambda *done: told.append(done)
    )
    assert (written, told) == (1001, [(1000, 0)])


@pytest.mark.parametrize("state", [DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED])
def test_leaving_everything_stops_what_has_not_gone_out(people, parts, state):
    added(people)
    added(people, list_name="press")
    added(people, BOB)
    run = a_run(parts)
    hers, his = a_delivery(parts, ADA, run, state=state), a_delivery(parts, BOB, run, state=state)
    assert people.unsubscribe(ADA) == Stopped(changed=True, deliveries=1)
    stopped = delivery(parts, hers)
    assert (stopped.state, stopped.worker, stopped.epoch) == (DeliveryState.SUPPRESSED, None, 1)
    assert stopped.reason == "unsubscribed"
    assert state_of(parts, his) is state
    assert memberships(people) == {"members": "left", "press": "left"}
    assert people.show(ADA).barred.reason is SuppressionReason.UNSUBSCRIBED


@pytest.mark.parametrize(
    "state", [DeliveryState.SENDING, DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN, DeliveryState.REFUSED]
)
def test_what_is_on_the_wire_or_has_ended_is_beyond_recall(people, parts, state):
    added(people)
    row = a_delivery(parts, ADA, a_run(parts), state=state)
    assert people.unsubscribe(ADA).deliveries == 0
    assert state_of(parts, row) is state


def test_leaving_twice_is_harmless(people):
    added(people)
    assert people.unsubscribe(ADA).changed
    assert people.unsubscribe(ADA) == Stopped(changed=False, deliveries=0)


def test_an_import_does_not_bring_back_who_left_everything(people, a_file):
    added(people)
    people.unsubscribe(ADA)
    assert people.import_file(a_file("email", ADA), list_name="press").refused == 1


def test_leaving_a_newsletter_stops_its_deliveries_and_leaves_others_alone(people, parts):
    added(people)
    rivers, hills = a_run(parts), a_run(parts, newsletter="hills")
    here, there = a_delivery(parts, ADA, rivers), a_delivery(parts, ADA, hills)
    assert people.unsubscribe(ADA, newsletter="rivers") == Stopped(changed=True, deliveries=1)
    assert (state_of(parts, here), state_of(parts, there)) == (DeliveryState.SUPPRESSED, DeliveryState.PLANNED)
    shown = people.show(ADA)
    assert shown.departures == {"rivers": NOW}
    assert memberships(people) == {"members": "confirmed"}
    assert (shown.barred, actions(people)[-1]) == (None, ConsentAction.LEFT_NEWSLETTER)


def test_leaving_an_unknown_newsletter_or_list_changes_nothing(people, parts):
    added(people)
    a_run(parts)
    with pytest.raises(NotFound, match="did you mean 'rivers'"):
        people.unsubscribe(ADA, newsletter="river", list_name="members")
    with pytest.raises(UnknownList):
        people.unsubscribe(ADA, newsletter="rivers", list_name="member")
    assert memberships(people) == {"members": "confirmed"}
    assert people.show(ADA).departures == {}


def test_somebody_unknown_cannot_leave_and_the_error_says_what_to_do(people):
    with pytest.raises(UnknownSubscriber, match="newsletter subscribers suppress"):
        people.unsubscribe(ADA)


def test_leaving_a_list_stops_the_runs_that_meant_its_members(people, parts):
    for name in ("members", "press"):
        added(people, list_name=name)
    run = a_run(parts, expression='list = "members"')
    other = a_run(parts, newsletter="hills", expression='list = "press" or list = "members"')
    meant, still = a_delivery(parts, ADA, run), a_delivery(parts, ADA, other)
    assert people.unsubscribe(ADA, list_name="members") == Stopped(changed=True, deliveries=1)
    assert (state_of(parts, meant), state_of(parts, still)) == (DeliveryState.SUPPRESSED, DeliveryState.PLANNED)
    assert memberships(people) == {"members": "left", "press": "confirmed"}
    assert actions(people)[-1] is ConsentAction.LEFT


def test_leaving_the_last_list_stops_every_run(people, parts):
    added(people)
    row = a_delivery(parts, ADA, a_run(parts, expression="all"))
    people.unsubscribe(ADA, list_name="members")
    assert state_of(parts, row) is DeliveryState.SUPPRESSED


def test_nobody_drops_out_of_a_run_because_time_has_passed_since_it_started(people, parts):
    added(people)
    added(people, list_name="press")
    row = a_delivery(parts, ADA, a_run(parts, expression="created >= 10 days ago"))
    later = People(replace(parts, now=lambda: NOW + dt.timedelta(days=30)))
    assert later.unsubscribe(ADA, list_name="press").deliveries == 0
    assert state_of(parts, row) is DeliveryState.PLANNED


def test_leaving_works_though_a_segment_of_the_run_is_gone(people, parts):
    added(people)
    row = a_delivery(parts, ADA, a_run(parts, expression='segment = "gone"'))
    assert people.unsubscribe(ADA, list_name="members").deliveries == 1
    assert state_of(parts, row) is DeliveryState.SUPPRESSED


def test_leaving_a_list_that_one_is_not_on_changes_nothing(people):
    added(people)
    assert people.unsubscribe(ADA, list_name="press") == Stopped(changed=False, deliveries=0)
    assert actions(people) == [ConsentAction.IMPORTED]


def test_suppressing_an_address_stops_everything_to_it_also_of_somebody_unknown(people, parts):
    row = a_delivery(parts, ADA, (None, "test:1"), clear=ADA)
    assert people.suppress(ADA, note=f"{BOB} asked") == Stopped(changed=True, deliveries=1)
    assert delivery(parts, row).reason == "suppressed"
    assert people.suppress(ADA) == Stopped(changed=False, deliveries=0)
    with parts.sessions() as session:
        assert BOB not in store.find_suppression(session, suppression.digest_of(KEYS, ADA)).note


def test_a_suppressed_member_stays_a_member_and_an_import_counts_them(people, a_file):
    added(people)
    people.suppress(ADA)
    assert memberships(people) == {"members": "confirmed"}
    assert people.import_file(a_file("email", ADA), list_name="members").suppressed == 1


def test_lifting_a_suppression_says_whether_there_was_one(people):
    people.suppress(ADA)
    assert people.unsuppress(ADA, reason="by letter") is True
    assert people.unsuppress(ADA, reason="by letter") is False
    assert added(people) is Verdict.NEW


def test_an_erased_person_stands_in_no_table_and_does_not_come_back(people, parts, a_file):
    added(people, first_name="Ada", tags="press")
    rows = [
        a_delivery(parts, ADA, a_run(parts)),
        a_delivery(parts, ADA, a_run(parts, newsletter="hills"), state=DeliveryState.ACCEPTED),
        a_delivery(parts, ADA, (None, "test:1"), clear=ADA),
    ]
    assert people.erase(ADA) == Stopped(changed=True, deliveries=2)
    kept = [delivery(parts, row) for row in rows]
    assert [(each.subscriber_id, each.address) for each in kept] == [(None, None)] * 3
    assert [each.state.value for each in kept] == ["suppressed", "accepted", "suppressed"]
    with parts.sessions() as session:
        assert session.scalars(select(Subscriber).where(col(Subscriber.address) == ADA)).all() == []
        assert len(store.consent_of(session, suppression.digest_of(KEYS, ADA))) == 1
    with pytest.raises(UnknownSubscriber, match="erased since 2026-12-01"):
        people.show(ADA)
    assert people.import_file(a_file("email", ADA), list_name="members").suppressed == 1


def test_erasing_somebody_unknown_bars_the_address_all_the_same(people):
    assert people.erase(ADA) == Stopped(changed=False, deliveries=0)
    with pytest.raises(WrongState, match="erased since"):
        added(people)


def test_somebody_unknown_cannot_be_shown(people):
    with pytest.raises(UnknownSubscriber, match=r"^No subscriber has this address\.$"):
        people.show(ADA)


def test_lists_are_told_with_their_counts(people):
    added(people)
    added(people, BOB)
    people.unsubscribe(BOB, list_name="members")
    members, press = people.lists.all()
    assert (members.name, members.double_opt_in, press.double_opt_in) == ("members", True, False)
    assert members.counts == {
        MembershipState.PENDING: 0,
        MembershipState.CONFIRMED: 1,
        MembershipState.LEFT: 1,
        MembershipState.REMOVED: 0,
    }


def test_a_list_is_created_once(people):
    people.lists.create("mayors", public=True, opt_in_reason="by contract", description="Who governs")
    assert next(each for each in people.lists.all() if each.name == "mayors").public
    with pytest.raises(ListExists):
        people.lists.create("mayors")


def test_what_is_said_about_a_list_can_be_changed(people):
    changes = {"public": "yes", "double_opt_in": "False", "description": "All", "opt_in_reason": "by contract"}
    assert people.lists.change("members", changes) == []
    members = people.lists.all()[0]
    assert (members.public, members.double_opt_in, members.description, members.opt_in_reason) == (
        True,
        False,
        "All",
        "by contract",
    )


def test_a_list_that_gets_another_name_says_who_still_uses_the_old_one(people):
    people.segments.create("insiders", 'not list = "members"')
    people.segments.create("nested", 'segment = "insiders"')
    assert people.lists.change("members", {"name": "insiders"}) == [
        "the segment “insiders”",
        "the segment “nested”",
    ]
    assert [each.name for each in people.lists.all()] == ["insiders", "press"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"public": "maybe"}, InvalidInput), ({"pubic": "true"}, UnknownField), ({"name": "press"}, ListExists)],
)
def test_a_change_that_cannot_be_is_refused(people, changes, error):
    with pytest.raises(error):
        people.lists.change("members", changes)


def test_a_list_is_deleted_with_its_memberships(people):
    added(people)
    assert people.lists.delete("members") == 1
    assert memberships(people) == {}
    with pytest.raises(UnknownList):
        people.lists.delete("members")


def test_a_list_that_a_segment_or_a_queued_issue_names_is_not_deleted(people, parts):
    people.segments.create("french", 'list = "members" and language = "fr"')
    with pytest.raises(WrongState, match="the list “members” is named by the segment “french”: change that first"):
        people.lists.delete("members")
    a_run(parts, expression='list = "press"', state=RunState.SCHEDULED, started=None)
    with pytest.raises(WrongState, match="the queued issue rivers-2026-12"):
        people.lists.delete("press")


def test_a_saved_segment_says_whom_it_means(people):
    made = people.segments.create("french", 'list = "members" and language = "fr"')
    assert made.words == "Subscribers who are members of “members” and whose language is “fr”."
    assert people.segments.get("french") == made
    assert [each.name for each in people.segments.all()] == ["french"]
    with pytest.raises(SegmentExists):
        people.segments.create("french", "all")


def test_a_segment_names_only_what_exists(people):
    with pytest.raises(UnknownList, match="did you mean “members”"):
        people.segments.create("x", 'list = "member"')
    with pytest.raises(UnknownSegment):
        people.segments.create("x", 'segment = "y"')
    with pytest.raises(SegmentSyntaxError):
        people.segments.create("x", 'list = "members" an')
    assert people.segments.all() == []


def test_an_attribute_that_nobody_has_is_doubted(people):
    added(people, population="12000")
    assert people.segments.create("a", "populaton > 5").doubts == (
        "nobody has an attribute “populaton” yet; did you mean “population”?",
    )
    assert people.segments.create("b", "zzz > 5").doubts == ("nobody has an attribute “zzz” yet",)
    assert people.segments.create("c", "population > 5").doubts == ()
    assert people.segments.change("b", "all").doubts == ()


def test_a_segment_counts_who_matches_and_who_would_receive_a_newsletter(people, parts):
    a_run(parts)
    for address in (ADA, BOB, "carol@town.example"):
        added(people, address)
    people.suppress(BOB)
    people.unsubscribe("carol@town.example", newsletter="rivers")
    people.segments.create("everybody", "all")
    counts = people.segments.count("everybody")
    assert (counts.matching, counts.audience) == (3, None)
    assert people.segments.count("everybody", newsletter="rivers").audience == 1
    with pytest.raises(NotFound):
        people.segments.count("everybody", newsletter="nothing")


def test_a_segment_can_be_deleted_when_nothing_names_it(people):
    people.segments.create("french", 'language = "fr"')
    people.segments.create("nested", 'not segment = "french"')
    with pytest.raises(WrongState, match="the segment “nested”"):
        people.segments.delete("french")
    people.segments.delete("nested")
    people.segments.delete("french")
    with pytest.raises(UnknownSegment):
        people.segments.delete("french")


def test_a_segment_that_a_queued_issue_or_its_items_name_is_not_deleted(people, parts):
    people.segments.create("french", 'language = "fr"')
    people.segments.create("mayors", 'tag = "mayor"')
    run_id, _ = a_run(parts, expression='segment = "french"', state=RunState.PAUSED, started=None)
    with pytest.raises(WrongState, match="the queued issue rivers-2026-12"):
        people.segments.delete("french")
    with parts.sessions() as session:
        issue = session.get(IssueRow, session.get(RunRow, run_id).issue_id)
        save_entries(session, issue.newsletter_id, entries=[an_entry()], now=NOW)
        (entry,) = session.scalars(select(EntryRow))
        placed = {"entry_id": entry.id, "entry_key": entry.key, "section": "news", "placement": Placement.BLOCK}
        session.add(ItemRow(issue_id=issue.id, position=0, segment="mayors", **placed))
        session.commit()
    with pytest.raises(WrongState, match="the items of issue rivers-2026-12"):
        people.segments.delete("mayors")


def test_a_queued_issue_whose_segment_is_gone_holds_nothing_back(people, parts):
    a_run(parts, expression='segment = "gone"', state=RunState.SCHEDULED, started=None)
    assert people.lists.delete("press") == 0
