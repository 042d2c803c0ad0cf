"""Files of people at the desk, through the real application: upload, columns, what would happen, import."""

import datetime as dt
import os
import re
import stat
import threading

import pytest
from integration.desk_people import HOSTILE
from sqlmodel import col, select

from newsletter.accounts.models import AuditRow
from newsletter.errors import InvalidInput, NotFound, WrongState
from newsletter.pipeline import upload_files as files
from newsletter.pipeline.retention import Retention
from newsletter.pipeline.upload_work import Plan
from newsletter.pipeline.uploads import BROKEN_AFTER
from subscribers import store
from subscribers.importing import loading
from subscribers.models import MembershipState, UploadState

PEOPLE = """\
Adresse e-mail;Prénom;Ville;Boats
emil@town.example;Emil;Ghent;3
ada@town.example;Ada;Lyon;
nobody;;;
dora@hill.example;Dora;;1
"""


@pytest.fixture
def pipeline(at_desk):
    return at_desk.pipeline


@pytest.fixture
def officer(at_desk):
    return at_desk.officer


def uploaded(client, content=PEOPLE, *, name="people.csv", list_name="members"):
    """The page of a file that was uploaded."""
    octets = content.encode() if isinstance(content, str) else content
    answer = client.post("/desk/imports/new", {"list": list_name}, files={"file": (name, octets, "text/csv")})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def key_of(place):
    return place.rpartition("/")[2]


def columns(page, **more):
    """The form of the columns as the page shows it."""
    form = {"manner": "confirmed", "list": "members"}
    for place in re.findall(r'<select name="target\.(\d+)"', page):
        select_ = page.split(f'<select name="target.{place}"')[1].split("</select>")[0]
        chosen = re.search(r'value="([^"]*)" selected', select_)
        form[f"target.{place}"] = chosen[1]
        if f'name="said.{place}"' in page:
            form[f"said.{place}"] = "1"
        form[f"attribute.{place}"] = re.search(rf'name="attribute\.{place}" value="([^"]*)"', page)[1]
    return form | more


def file_of(pipeline, place):
    """Where a file lies; machines that share a server share no folder, see `test_chores`."""
    kept = files.kept_files(pipeline.parts)
    if not isinstance(kept, files.InFolder):
        pytest.skip("on a server files lie in its database")
    return kept.folder / key_of(place)


def awaited(pipeline, place):
    """The upload, once nobody works on it any more."""
    for thread in threading.enumerate():
        if thread.name == f"import-{key_of(place)}":
            thread.join(30)
    found = pipeline.uploads.get(key_of(place))
    assert not found.is_busy
    return found


def checked(client, pipeline, place, **more):
    """The page of an upload whose rows are counted."""
    client.post(f"{place}/columns", columns(client.get(place).text, **more))
    assert awaited(pipeline, place).state is UploadState.CHECKED
    return client.get(place).text


def test_a_file_is_looked_at_before_anything_is_stored(officer, pipeline):
    place = uploaded(officer)
    page = officer.get(place).text
    assert "Text in UTF-8, divided by semicolons." in page
    form = columns(page)
    assert [form[f"target.{n}"] for n in range(4)] == ["email", "first_name", "city", "attribute"]
    assert form["attribute.3"] == "boats"
    assert "emil@town.example · ada@town.example · nobody" in page
    assert len(pipeline.people.page(limit=10)) == 4


def test_what_would_happen_is_shown_and_then_happens(officer, pipeline):
    place = uploaded(officer)
    page = checked(officer, pipeline, place)
    assert "This is what would happen to 4 rows. Nothing is stored yet." in page
    assert [re.sub(r"\s+", " ", found) for found in re.findall(r'<span class="figure">(\d+)</span>', page)] == [
        "1",
        "2",
        "1",
    ]
    assert "No address that mail can be sent to" in page
    assert len(pipeline.people.page(limit=10)) == 4
    officer.post(f"{place}/run", {"removals": "0"})
    found = awaited(pipeline, place)
    assert found.state is UploadState.FINISHED
    assert found.report["counts"]["new"] == 1
    assert "4 rows are imported." in officer.get(place).text
    assert pipeline.people.show("emil@town.example").person.attributes == {"boats": 3}
    assert pipeline.people.show("emil@town.example").consent[0].operator == "officer"
    with pipeline.parts.sessions() as session:
        about = session.scalars(select(AuditRow.about).order_by(col(AuditRow.id).desc())).first()
    assert about.startswith("people.csv → members: 4 rows, 1 new, 2 changed")


def test_the_file_is_its_owner_s_alone_and_gone_when_it_is_imported(officer, pipeline):
    place = uploaded(officer)
    path = file_of(pipeline, place)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    checked(officer, pipeline, place)
    assert stat.S_IMODE(path.with_suffix(".refused.csv").stat().st_mode) == 0o600
    officer.post(f"{place}/run")
    awaited(pipeline, place)
    assert not path.exists()


def test_rows_that_were_not_taken_come_as_csv(officer, pipeline):
    place = uploaded(officer)
    checked(officer, pipeline, place)
    answer = officer.get(f"{place}/refused")
    assert answer.text.splitlines() == [
        "line,email,verdict,reason,column,words",
        "4,nobody,invalid,address,Adresse e-mail,An email address must have an @-sign.",
    ]
    pipeline.people.erase("ada@town.example")
    assert officer.get(f"{place}/refused").status_code == 404


def test_the_officer_says_what_a_column_is(officer, pipeline):
    place = uploaded(officer, "who;where\nemil@town.example;Ghent\n")
    page = officer.get(place).text
    assert "No column holds the address yet" in page
    form = columns(page) | {"target.0": "email", "target.1": "attribute", "attribute.1": "harbour"}
    officer.post(f"{place}/columns", form)
    assert awaited(pipeline, place).state is UploadState.CHECKED
    officer.post(f"{place}/again")
    assert columns(officer.get(place).text)["target.0"] == "email"
    officer.post(f"{place}/columns", columns(officer.get(place).text))
    awaited(pipeline, place)
    officer.post(f"{place}/run")
    awaited(pipeline, place)
    assert pipeline.people.show("emil@town.example").person.attributes == {"harbour": "Ghent"}


def test_people_can_be_asked_to_confirm(officer, pipeline):
    place = uploaded(officer, "email\nemil@town.example\n")
    checked(officer, pipeline, place, manner="pending", newsletter="rivers")
    officer.post(f"{place}/run")
    assert awaited(pipeline, place).report["invited"] == 1
    assert pipeline.people.show("emil@town.example").memberships["members"][0] is MembershipState.PENDING
    assert "1 person is asked to confirm." in officer.get(place).text


def test_who_would_be_taken_off_is_shown_and_has_to_be_meant(officer, pipeline):
    place = uploaded(officer, "email\nada@town.example\nbob@harbour.example\n")
    page = checked(officer, pipeline, place, manner="sync")
    assert "2 of 4 members" in page
    assert "dora@hill.example" in page
    assert "Yes, 2 members are to be taken off" in page
    assert officer.post(f"{place}/run", {"removals": "2"}).status_code == 422
    officer.post(f"{place}/run", {"removals": "2", "sure": "1"})
    assert awaited(pipeline, place).report["removed"] == 2
    assert pipeline.people.show("dora@hill.example").memberships["members"][0] is MembershipState.REMOVED


def test_no_more_are_taken_off_than_were_shown(officer, pipeline):
    place = uploaded(officer, "email\nada@town.example\nbob@harbour.example\ncleo@town.example\n")
    checked(officer, pipeline, place, manner="sync")
    pipeline.people.add("late@town.example", list_name="members", given={})
    officer.post(f"{place}/run", {"removals": "1", "sure": "1"})
    found = awaited(pipeline, place)
    assert found.state is UploadState.FAILED
    assert "nothing was changed" in found.problem
    assert pipeline.people.show("dora@hill.example").memberships["members"][0] is MembershipState.CONFIRMED
    assert "What it is" in officer.get(place).text


def test_a_spreadsheet_offers_its_sheets(officer, pipeline, tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "Cover"
    book.active.append(["Nothing here"])
    people = book.create_sheet("People")
    people.append(["email", "city"])
    people.append(["emil@town.example", "Ghent"])
    book.save(tmp_path / "people.xlsx")
    place = uploaded(officer, (tmp_path / "people.xlsx").read_bytes(), name="people.xlsx")
    page = officer.get(place).text
    assert "An Excel file." in page
    officer.post(f"{place}/columns", columns(page, sheet="People"))
    page = officer.get(place).text
    assert '<option value="People" selected>' in page
    officer.post(f"{place}/columns", columns(page, sheet="People"))
    assert awaited(pipeline, place).report["counts"]["new"] == 1


@pytest.mark.parametrize(("content", "words"), [("", "the file is empty"), (None, "Choose a file.")])
def test_without_a_file_nothing_is_kept(officer, content, words):
    files_ = None if content is None else {"file": ("people.csv", content.encode(), "text/csv")}
    answer = officer.post("/desk/imports/new", {"list": "members"}, files=files_)
    assert answer.status_code == 422
    assert words in answer.text


def test_what_is_no_file_of_people_says_so(officer):
    place = uploaded(officer, b"\xd0\xcf\x11\xe0 old", name="people.xls")
    assert "this is an old XLS file" in officer.get(place).text


def test_a_file_that_is_too_large_is_refused(pipeline, monkeypatch):
    monkeypatch.setattr("newsletter.pipeline.uploads.UPLOAD_OCTETS", 3)
    with pytest.raises(InvalidInput, match="larger"):
        pipeline.uploads.stage(b"email", name="people.csv", list_name="members")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_import_that_was_killed_midway_is_taken_up_and_ends_as_if_it_had_run_through(officer, pipeline, monkeypatch):
    lines = "\n".join(f"p{n}@town.example" for n in range(50))
    place = uploaded(officer, f"email\n{lines}\n")
    checked(officer, pipeline, place)
    killed_after(monkeypatch, chunks=2)
    officer.post(f"{place}/run")
    for thread in threading.enumerate():
        if thread.name.startswith("import-"):
            thread.join(30)
    found = pipeline.uploads.get(key_of(place))
    assert (found.state, found.done) == (UploadState.RUNNING, 20)
    assert officer.post(f"{place}/run").status_code == 409  # perhaps somebody still works on it
    pipeline.parts.now.forward(seconds=BROKEN_AFTER.total_seconds() + 1)
    page = officer.get(place).text
    assert "This was broken off after 20 of 50 rows" in page
    monkeypatch.undo()
    officer.post(f"{place}/run")
    found = awaited(pipeline, place)
    assert found.state is UploadState.FINISHED
    assert (found.report["counts"]["new"], found.report["counts"]["unchanged"]) == (30, 20)
    with pipeline.parts.sessions() as session:
        assert store.count_subscribers(session) == 54


def killed_after(monkeypatch, *, chunks):
    """The process dies after some chunks: its thread ends there, and says nothing to anybody."""
    monkeypatch.setattr(loading, "CHUNK", 10)
    monkeypatch.setattr(loading, "WIDE", 10)
    take, taken = loading._Loader.take, []

    def dying(self, *given, **named):
        if len(taken) == chunks:
            raise SystemExit
        taken.append(1)
        take(self, *given, **named)

    monkeypatch.setattr(loading._Loader, "take", dying)


def test_an_import_ends_between_two_chunks_when_somebody_says_so(officer, pipeline, monkeypatch):
    monkeypatch.setattr(loading, "CHUNK", 10)
    monkeypatch.setattr(loading, "WIDE", 10)
    place = uploaded(officer, "email\n" + "\n".join(f"p{n}@town.example" for n in range(50)) + "\n")
    checked(officer, pipeline, place)
    take = loading._Loader.take

    def stopping(self, *given, **named):
        take(self, *given, **named)
        pipeline.uploads.stop(key_of(place))

    monkeypatch.setattr(loading._Loader, "take", stopping)
    officer.post(f"{place}/run")
    found = awaited(pipeline, place)
    assert found.state is UploadState.STOPPED
    assert found.report["counts"]["new"] == 10
    assert "Stopped after 10 rows." in officer.get(place).text
    monkeypatch.undo()
    officer.post(f"{place}/again")
    checked(officer, pipeline, place)


def test_an_error_that_nobody_expected_ends_in_words(officer, pipeline, monkeypatch):
    place = uploaded(officer)
    checked(officer, pipeline, place)

    def broken(*_given, **_named):
        raise ZeroDivisionError

    monkeypatch.setattr(loading._Loader, "take", broken)
    officer.post(f"{place}/run")
    assert awaited(pipeline, place).state is UploadState.FAILED
    assert "Something went wrong here." in officer.get(place).text


def test_progress_is_told_until_it_is_done(officer, pipeline):
    place = uploaded(officer)
    with pipeline.parts.sessions() as session:
        values = {"state": UploadState.RUNNING, "done": 2000, "total": 4000}
        store.change_upload(session, key_of(place), expected=[UploadState.STAGED], now=pipeline.parts.now(), **values)
        session.commit()
    answer = officer.get(f"{place}/progress")
    assert "2,000 of 4,000 rows" in answer.text
    assert "hx-refresh" not in answer.headers
    assert "The people are being imported." in officer.get(place).text
    assert officer.post(f"{place}/discard").status_code == 409
    assert "It ends after the rows it is at." in officer.get(officer.post(f"{place}/stop").headers["location"]).text
    assert officer.get(f"{place}/progress").headers["hx-refresh"] == "true"


def test_files_that_nobody_touches_are_gone_after_a_day(officer, pipeline):
    place = uploaded(officer)
    path = file_of(pipeline, place)
    yesterday = (pipeline.parts.now() - files.KEPT - dt.timedelta(minutes=1)).timestamp()
    os.utime(path, (yesterday, yesterday))
    Retention(pipeline.parts).run()
    assert not path.exists()
    assert "The file is not kept any more." in officer.get(place).text
    with pytest.raises(WrongState):
        pipeline.uploads.check(key_of(place))


def test_a_file_can_be_thrown_away(officer, pipeline):
    place = uploaded(officer)
    officer.post(f"{place}/discard")
    assert officer.get(place).status_code == 404
    with pytest.raises(NotFound):
        pipeline.uploads.get(key_of(place))


def test_imports_are_listed_newest_first(officer, at_desk):
    assert "No file has been imported yet" in officer.get("/desk/imports").text
    for name in ("first.csv", "second.csv", "ada@town.example.csv"):
        uploaded(officer, name=name)
    page = officer.get("/desk/imports").text
    assert page.index("second.csv") < page.index("first.csv")
    assert "ada@town.example" not in page
    assert at_desk.viewer.get("/desk/imports").status_code == 403


def test_what_a_file_says_stays_text(officer, pipeline):
    place = uploaded(officer, f"email;{HOSTILE}\nemil@town.example;{HOSTILE}\n{HOSTILE};1\n", name=f"{HOSTILE}.csv")
    for page in (officer.get(place).text, checked(officer, pipeline, place), officer.get("/desk/imports").text):
        assert HOSTILE not in page
        assert "&lt;script&gt;" in page


def test_a_plan_is_kept_as_it_was_said():
    plan = Plan(mapping={"a": "email"}, people="left", proof="a letter", sync=True, removals=3)
    assert Plan.of(plan.to_json()) == plan
