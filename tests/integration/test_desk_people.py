"""People at the desk, through the real application: table, page of a person, adding; and who may see what."""

import csv
import io
import json

import pytest
from integration.desk import desk_client
from integration.desk_people import HOSTILE, people_pipeline
from sqlmodel import col, select

from newsletter.accounts.models import AuditRow
from newsletter.errors import TooSlow
from newsletter.pipeline.register import Register
from subscribers import store
from subscribers.errors import UnknownSubscriber
from subscribers.models import MembershipState, SuppressionReason

ADA, BOB = "ada@town.example", "bob@harbour.example"


@pytest.fixture
def pipeline(at_desk):
    return at_desk.pipeline


@pytest.fixture
def officer(at_desk):
    return at_desk.officer


@pytest.fixture
def admin(at_desk):
    return at_desk.admin


@pytest.fixture
def viewer(at_desk):
    return at_desk.viewer


def uid_of(pipeline, address=ADA):
    return pipeline.people.show(address).person.uid


def page_of(pipeline, address=ADA):
    return f"/desk/people/{uid_of(pipeline, address)}"


def deeds(pipeline):
    with pipeline.parts.sessions() as session:
        rows = session.scalars(select(AuditRow).order_by(col(AuditRow.id))).all()
    return [(row.operator, row.action, row.about, row.reason) for row in rows]


def said(client, response):
    """What the page says that a form leads to."""
    assert response.status_code == 303, response.text
    return client.get(response.headers["location"]).text


def test_the_table_shows_people_newest_first(officer):
    page = officer.get("/desk/people").text
    assert page.index("dora@hill.example") < page.index(BOB) < page.index(ADA)
    assert "Ada Dupont" in page


SEARCHES = {
    "q=ada@": {ADA},
    "q=ADA@town.example": {ADA},
    "q=dupont": {ADA},
    "q=ada+dupont": {ADA},
    "q=Dup+Ada": {ADA},
    "q=%C3%A9mile": {"cleo@town.example"},
    "q=nobody": set(),
    "list=press": {BOB},
    "language=fr": {ADA, "cleo@town.example"},
    "language=-": {"dora@hill.example"},
    "tag=board": {ADA},
    "segment=in+French": {ADA, "cleo@town.example"},
    "list=members&language=en": {BOB},
    "list=members&state=left": set(),
    "list=members&state=any&q=bob": {BOB},
    "list=gone": set(),
    "segment=gone": set(),
    "suppressed=1": set(),
}


def test_people_are_found_by_what_is_asked(officer):
    people = {ADA, BOB, "cleo@town.example", "dora@hill.example"}
    for asked, found in SEARCHES.items():
        page = officer.get(f"/desk/people?{asked}").text
        assert {address for address in people if f">{address}</a>" in page} == found, asked
        assert ("Nobody is found" in page) is not bool(found), asked


def test_pages_follow_each_other_by_key(pipeline):
    first = pipeline.register.search(store.Sought(), limit=3)
    assert first.more
    rest = pipeline.register.search(store.Sought(), limit=3, before=first.people[-1].key)
    assert [each.address for each in rest.people] == [ADA]
    assert not rest.more


def test_how_many_are_found_is_counted_up_to_a_bound(officer, pipeline, monkeypatch):
    assert "4 people" in officer.get("/desk/people/count").text
    monkeypatch.setattr("newsletter.pipeline.register.COUNTED", 3)
    assert "More than 3 people" in officer.get("/desk/people/count").text


def test_a_question_that_takes_too_long_is_said_to(officer, monkeypatch):
    def slow(*_given, **_named):
        raise TooSlow

    monkeypatch.setattr(Register, "search", slow)
    assert "takes too long" in officer.get("/desk/people?q=a").text


def test_a_question_is_cut_off_on_the_database(engine, monkeypatch):
    monkeypatch.setattr("newsletter.database.STEPS", 1)
    register = people_pipeline(engine).register
    monkeypatch.setattr("newsletter.pipeline.register.PATIENCE", -1.0 if engine.dialect.name == "sqlite" else 0.001)
    if engine.dialect.name == "postgresql":
        monkeypatch.setattr(store, "search", lambda session, *_given, **_named: session.execute(text_of_a_nap()))
    with pytest.raises(TooSlow):
        register.search(store.Sought())


def text_of_a_nap():
    from sqlalchemy import text

    return text("SELECT pg_sleep(5)")


def test_viewers_see_addresses_masked_and_cannot_search_by_them(pipeline, viewer):
    page = viewer.get("/desk/people?q=ada").text
    assert ADA not in page
    assert "a…@t….example" in page
    assert "Dupont" not in page
    assert BOB not in page
    assert "b…@h….example" in page  # the search was not taken
    assert viewer.get(page_of(pipeline)).status_code == 403
    assert viewer.post("/desk/people/export").status_code == 403


def test_people_are_written_into_a_file_that_can_be_imported(officer, pipeline):
    answer = officer.post("/desk/people/export", {"list": "members", "language": "fr"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {row["email"] for row in rows} == {ADA, "cleo@town.example"}
    assert "attachment" in answer.headers["content-disposition"]
    assert deeds(pipeline)[-1] == ("officer", "people exported", "list members (confirmed); language fr", "")


def test_no_cell_of_an_export_is_a_formula(officer, pipeline):
    pipeline.people.change(ADA, {"city": "=1+1"})
    rows = csv.DictReader(io.StringIO(officer.post("/desk/people/export").content.decode("utf-8-sig")))
    assert {row["email"]: row["city"] for row in rows}[ADA] == "'=1+1"


def test_somebody_is_added_by_hand(officer, pipeline):
    form = {"address": "emil@town.example", "list": "members", "first_name": "Emil", "tags": "guest;board"}
    page = said(officer, officer.post("/desk/people/new", form))
    assert "emil@town.example is a member of members." in page
    standing = pipeline.people.show("emil@town.example")
    assert standing.memberships["members"][0] is MembershipState.CONFIRMED
    assert (standing.consent[0].source, standing.consent[0].operator) == ("desk", "officer")
    assert standing.person.tags == ("board", "guest")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"address": "nothing", "list": "members"}, "An email address must have an @-sign."),
        ({"address": "e@town.example", "list": "members", "language": "x"}, "is not a language tag"),
        ({"address": "gone@town.example", "list": "members"}, "must not be written to"),
        ({"address": "e@town.example", "list": "nowhere"}, "There is no list"),
    ],
)
def test_who_cannot_be_added_is_said_beside_the_field(officer, pipeline, form, words):
    pipeline.people.suppress("gone@town.example")
    answer = officer.post("/desk/people/new", form)
    assert answer.status_code == 422
    assert words in answer.text
    assert form["address"] in answer.text


def test_a_person_page_tells_everything(officer, pipeline):
    pipeline.people.unsubscribe(ADA, newsletter="rivers")
    page = officer.get(page_of(pipeline)).text
    for words in ("Ada Dupont", ADA, "members", "Member", "Was put on members by an operator", "by grace", "board"):
        assert words in page
    assert "Left the newsletter rivers" in page
    assert "Nothing has been sent to this person yet." in page
    assert "Erase this person" not in page
    assert officer.get("/desk/people/nobody").status_code == 404


def test_facts_are_changed_taken_away_and_added(officer, pipeline):
    form = {
        "first_name": "Bob",
        "last_name": "",
        "city": "Harbour",
        "tags": "press, guest",
        "attribute.population": "",
        "new_name": "boats",
        "new_value": "7",
    }
    assert "What is known is changed." in said(officer, officer.post(f"{page_of(pipeline, BOB)}/facts", form))
    person = pipeline.people.show(BOB).person
    assert (person.fields["last_name"], person.fields["city"]) == ("", "Harbour")
    assert person.attributes == {"boats": 7}
    assert person.tags == ("guest", "press")
    assert deeds(pipeline)[-1][:2] == ("officer", "changed")


def test_a_fact_that_cannot_be_is_refused_and_the_form_keeps_what_it_said(officer, pipeline):
    answer = officer.post(f"{page_of(pipeline)}/facts", {"language": "zz zz", "city": "Elsewhere"})
    assert answer.status_code == 422
    assert "Elsewhere" in answer.text
    assert pipeline.people.show(ADA).person.fields["city"] == ""


def test_another_address_is_asked_for_and_holds_once_it_is_confirmed(officer, pipeline):
    page = said(officer, officer.post(f"{page_of(pipeline)}/address", {"address": "ada@new.example", "how": "ask"}))
    assert "A confirmation mail goes to the new address" in page
    assert pipeline.people.show(ADA).person.address == ADA
    pipeline.signup.answer()
    assert "waits for the confirmation" in officer.get(page_of(pipeline)).text
    assert ("officer", "address asked for", "", "") in deeds(pipeline)


def test_only_an_administrator_changes_an_address_at_once_and_says_why(officer, admin, pipeline):
    place = f"{page_of(pipeline)}/address"
    now = {"address": "ada@new.example", "how": "now", "reason": "by telephone"}
    assert officer.post(place, now).status_code == 422
    assert admin.post(place, now | {"reason": " "}).status_code == 422
    assert pipeline.people.show(ADA).person.address == ADA
    said(admin, admin.post(place, now))
    assert pipeline.people.show("ada@new.example").person.name == "Ada Dupont"
    assert deeds(pipeline)[-1] == ("admin", "address changed", "", "by telephone")


def test_an_address_that_is_taken_is_refused(officer, pipeline):
    answer = officer.post(f"{page_of(pipeline)}/address", {"address": BOB})
    assert answer.status_code == 422
    assert "exists already" in answer.text


def test_a_person_joins_and_leaves_lists(officer, pipeline):
    assert "Is a member of press now." in said(officer, officer.post(f"{page_of(pipeline)}/join", {"list": "press"}))
    said(officer, officer.post(f"{page_of(pipeline)}/leave", {"what": "list:press"}))
    standing = pipeline.people.show(ADA)
    assert standing.memberships["press"][0] is MembershipState.LEFT
    answer = officer.post(f"{page_of(pipeline)}/join", {"list": "press"})
    assert answer.status_code == 422
    assert "only their own new consent" in answer.text


def test_leaving_everything_suppresses_the_address(officer, pipeline):
    said(officer, officer.post(f"{page_of(pipeline)}/leave", {"what": "everything"}))
    standing = pipeline.people.show(ADA)
    assert standing.barred.reason is SuppressionReason.UNSUBSCRIBED
    assert standing.memberships["members"][0] is MembershipState.LEFT
    assert officer.post(f"{page_of(pipeline)}/leave", {"what": "nonsense"}).status_code == 200


def test_an_address_is_barred_and_freed_with_a_reason(officer, pipeline):
    place = page_of(pipeline)
    assert officer.post(f"{place}/suppress", {"reason": ""}).status_code == 422
    assert "Must not be written to" in said(officer, officer.post(f"{place}/suppress", {"reason": "asked by letter"}))
    assert "the mailbox does not exist" not in officer.get(place).text
    assert officer.post(f"{place}/unsuppress", {"reason": ""}).status_code == 422
    said(officer, officer.post(f"{place}/unsuppress", {"reason": "a mistake"}))
    assert pipeline.people.show(ADA).barred is None


def test_only_an_administrator_lifts_what_a_complaint_barred(officer, admin, pipeline):
    with pipeline.parts.sessions() as session:
        person = store.get_subscriber(session, ADA)
        store.put_suppression(
            session, digest=person.digest, reason=SuppressionReason.COMPLAINT, now=pipeline.parts.now()
        )
        session.commit()
    place = f"{page_of(pipeline)}/unsuppress"
    assert officer.post(place, {"reason": "she wrote"}).status_code == 422
    assert admin.post(place, {"reason": "she wrote"}).status_code == 303


def test_everything_that_is_stored_comes_as_a_file_and_is_noted(officer, pipeline):
    answer = officer.post(f"{page_of(pipeline)}/data")
    assert json.loads(answer.content)["Person"]["address"] == ADA
    assert deeds(pipeline)[-1][:2] == ("officer", "data read")


def test_an_administrator_erases_by_typing_the_address(officer, admin, pipeline):
    place = f"{page_of(pipeline)}/erase"
    assert officer.post(place, {"typed": ADA}).status_code == 403
    assert admin.post(place, {"typed": BOB}).status_code == 422
    assert pipeline.people.show(ADA)
    assert "The person is erased." in said(admin, admin.post(place, {"typed": " ADA@town.example "}))
    with pytest.raises(UnknownSubscriber):
        pipeline.people.show(ADA)


def test_what_people_wrote_stays_text(officer, pipeline):
    given = dict.fromkeys(("first_name", "last_name", "organisation", "city", "note", "tags"), HOSTILE)
    pipeline.people.change(ADA, given)
    pipeline.people.suppress(ADA, note=HOSTILE)
    for place in ("/desk/people", page_of(pipeline), "/desk/tags", f"/desk/people?q={HOSTILE}&tag={HOSTILE}"):
        page = officer.get(place).text
        assert HOSTILE not in page
        assert "&lt;script&gt;" in page


def test_the_pages_are_in_french_for_who_reads_french(pipeline, officer):
    french = desk_client(pipeline, name="fleur", language="fr", app=officer.app)
    for place in ("/desk/people", "/desk/people/new", page_of(pipeline), "/desk/tags"):
        page = french.get(place)
        assert page.status_code == 200
        assert '<html lang="fr"' in page.text
    assert "Abonnés" in french.get("/desk/people").text
