"""The pages about sending, asked of the real application."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.desk import DeskClient, desk_client
from integration.sent_scene import ISSUE, NEWSLETTER, PACK, copied, tried
from sqlmodel import select

from newsletter.accounts.operator import Role
from newsletter.bootstrap import Pipeline
from newsletter.dispatch.outcome import Fault, Verdict
from newsletter.planning.models import RunRow, RunState

AT = f"/desk/n/{NEWSLETTER}/issues/{ISSUE}"
LATER = {"segment": "all", "when": "at", "day": "2099-12-01", "time": "09:00", "clock": "newsletter"}


@pytest.fixture
def pipeline(approved: Path, tmp_path: Path) -> Iterator[Pipeline]:
    made = copied(approved, tmp_path / "copy")
    yield made
    made.parts.engine.dispose()


@pytest.fixture
def officer(pipeline: Pipeline) -> DeskClient:
    return desk_client(pipeline, timezone="Europe/Lisbon")


def runs(pipeline: Pipeline) -> list[RunRow]:
    with pipeline.parts.sessions() as session:
        return list(session.exec(select(RunRow)))


def start(pipeline: Pipeline) -> None:
    pipeline.sending.queue(ISSUE, newsletter=NEWSLETTER, segment="all", at=None, zone=None)
    pipeline.sending.start_due()


def asked(fields: dict[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in fields.items())


def test_the_form_begins_with_tomorrow_at_nine_and_both_clocks(officer: DeskClient):
    page = officer.get(f"{AT}/schedule").text
    assert 'value="09:00"' in page
    assert "Brussels, the newsletter’s own" in page
    assert "Lisbon, yours" in page


def test_parts_of_the_form_follow_what_is_chosen(officer: DeskClient):
    audience = officer.get(f"{AT}/schedule/audience?{asked(LATER)}").text
    assert "people get it" in audience
    assert "1 person gets English because Hungarian is missing." in audience
    assert "<html" not in audience
    moment = officer.get(f"{AT}/schedule/moment?{asked(LATER)}").text
    assert "Tuesday 1 December 2099, 09:00 Brussels time" in moment
    assert "Tuesday 1 December 2099, 08:00 Lisbon time" in moment


def test_a_time_that_no_clock_shows_is_explained(officer: DeskClient):
    gap = {**LATER, "day": "2027-03-28", "time": "02:30"}
    assert "no clock shows 02:30" in officer.get(f"{AT}/schedule/moment?{asked(gap)}").text
    fold = {**LATER, "day": "2027-10-31", "time": "02:30"}
    assert "show 02:30 twice" in officer.get(f"{AT}/schedule/moment?{asked(fold)}").text


def test_the_last_page_says_who_gets_what_when(officer: DeskClient, pipeline: Pipeline):
    page = officer.get(f"{AT}/schedule/last?{asked(LATER)}").text
    assert "3 people get English, 2 French, 1 English because Hungarian is missing." in page
    assert "Tuesday 1 December 2099, 09:00 Brussels time" in page
    assert runs(pipeline) == []


def test_a_form_that_says_nothing_comes_back_with_what_is_wrong(officer: DeskClient):
    answer = officer.get(f"{AT}/schedule/last?when=at")
    assert answer.status_code == 422
    assert "Choose whom it is for." in answer.text
    assert "Say the day and the time." in answer.text


def test_a_double_click_queues_once(officer: DeskClient, pipeline: Pipeline):
    first, second = officer.post(f"{AT}/schedule", LATER), officer.post(f"{AT}/schedule", LATER)
    assert [answer.status_code for answer in (first, second)] == [303, 303]
    assert first.headers["location"] == second.headers["location"] == f"{AT}/schedule"
    assert len(runs(pipeline)) == 1
    assert "Take it back" in officer.get(f"{AT}/schedule").text
    assert "It is scheduled" in officer.get(f"{AT}/schedule").text


def test_what_is_scheduled_can_be_taken_back_until_it_starts(officer: DeskClient, pipeline: Pipeline):
    officer.post(f"{AT}/schedule", LATER)
    assert officer.post(f"{AT}/schedule/undo").status_code == 303
    assert "At a time that you choose" in officer.get(f"{AT}/schedule").text
    start(pipeline)
    officer.post(f"{AT}/schedule/undo")
    assert "It is on its way" in officer.get(f"{AT}/schedule").text
    assert [run.state for run in runs(pipeline)] == [RunState.CANCELLED, RunState.RUNNING]


def test_a_large_audience_has_to_be_typed(approved: Path, tmp_path: Path):
    made = copied(approved, tmp_path / "strict", desk={"confirm_above": 5})
    officer = desk_client(made)
    assert "type their number, 6," in officer.get(f"{AT}/schedule/last?{asked(LATER)}").text
    wrong = officer.post(f"{AT}/schedule", {**LATER, "typed": "5"})
    assert (wrong.status_code, runs(made)) == (422, [])
    assert "neither the number of people nor the name" in wrong.text
    assert officer.post(f"{AT}/schedule", {**LATER, "typed": ISSUE}).status_code == 303
    assert len(runs(made)) == 1
    made.parts.engine.dispose()


def test_a_changed_issue_leads_back_to_its_checks(officer: DeskClient, pipeline: Pipeline, tmp_path: Path):
    changed = tmp_path / "pack.yaml"
    changed.write_text(PACK.read_text().replace("Living with water", "Living beside water"))
    pipeline.entries.import_pack(changed)
    answer = officer.post(f"{AT}/schedule", LATER)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{AT}/check")
    assert runs(pipeline) == []


def test_a_viewer_looks_and_does_nothing(pipeline: Pipeline):
    viewer = desk_client(pipeline, role=Role.VIEWER)
    assert "Officers schedule this issue here" in viewer.get(f"{AT}/schedule").text
    assert viewer.post(f"{AT}/schedule", LATER).status_code == 403
    start(pipeline)
    page = viewer.get(f"{AT}/run").text
    assert "It is going out." in page
    assert "Stop for good" not in page
    assert viewer.post(f"{AT}/run/cancel").status_code == 403
    assert runs(pipeline)[0].state is RunState.RUNNING


def test_the_buttons_of_a_run_do_what_they_say(officer: DeskClient, pipeline: Pipeline):
    start(pipeline)
    tried(pipeline, "anna@lakes.example", Verdict.ACCEPTED)
    officer.post(f"{AT}/run/pause")
    page = officer.get(f"{AT}/run").text
    assert "1 message is with the mail servers already and cannot be called back." in page
    assert "5 messages that have not gone out never will." in page
    officer.post(f"{AT}/run/resume")
    assert runs(pipeline)[0].state is RunState.RUNNING
    officer.post(f"{AT}/run/halt")
    assert runs(pipeline)[0].state is RunState.PAUSED
    officer.post(f"{AT}/run/cancel")
    assert "Stopped for good. 1 message had gone out." in officer.get(f"{AT}/run").text
    again = officer.post(f"{AT}/run/pause")
    assert again.status_code == 303
    assert "That was not possible any more" in officer.get(f"{AT}/run").text


def test_somebody_is_looked_up_without_leaving_the_address_anywhere(officer: DeskClient, pipeline: Pipeline):
    start(pipeline)
    tried(pipeline, "bela@lakes.example", Verdict.REFUSED, fault=Fault.RECIPIENT, code=550, text="5.1.1 <script>")
    page = officer.post(f"{AT}/run/person", {"address": "bela@lakes.example"}).text
    assert "No. The mail server refused it for good." in page
    assert "&lt;script&gt;" in page
    assert "Nothing was planned for this address" in officer.post(f"{AT}/run/person", {"address": "x@y.example"}).text
    assert officer.post(f"{AT}/run/person", {"address": "x"}).status_code == 422
    assert officer.get(f"{AT}/run/person?address=bela@lakes.example").status_code == 405


def test_what_was_refused_is_shown_with_the_words_of_the_relay(officer: DeskClient, pipeline: Pipeline):
    start(pipeline)
    assert "taken everything" in officer.get(f"{AT}/run/refusals").text
    tried(pipeline, "bela@lakes.example", Verdict.REFUSED, fault=Fault.RECIPIENT, code=550, text="no such user")
    page = officer.get(f"{AT}/report").text
    assert "no such user" in page
    assert "It is still going out" in page


def test_a_report_reads_prints_and_downloads(officer: DeskClient, pipeline: Pipeline):
    assert "Nothing to report yet" in officer.get(f"{AT}/report").text
    assert officer.get(f"{AT}/report.csv").status_code == 303
    start(pipeline)
    for address in ("anna@lakes.example", "bela@lakes.example"):
        tried(pipeline, address, Verdict.ACCEPTED)
    pipeline.control.cancel(ISSUE, newsletter=NEWSLETTER)
    page = officer.get(f"{AT}/report").text
    assert "The mail servers took 2 of 6 messages" in page
    assert "#print" in page
    assert officer.post(f"{AT}/report/proof").headers["location"].endswith("#proof")
    assert "Each address has one delivery." in officer.get(f"{AT}/report").text
    sheet = officer.get(f"{AT}/report.csv")
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    assert sheet.headers["content-disposition"] == f'attachment; filename="{NEWSLETTER}-{ISSUE}.csv"'
    assert sheet.content.startswith(b"\xef\xbb\xbfnewsletter,issue,part,name,figure,value\r\n")
    assert ISSUE in officer.get(f"/desk/n/{NEWSLETTER}/reports").text


def test_a_list_without_reports_says_what_will_stand_there(officer: DeskClient):
    assert "No report yet" in officer.get(f"/desk/n/{NEWSLETTER}/reports").text
    assert officer.get(f"/desk/n/{NEWSLETTER}/reports?before=nonsense").status_code == 200


def test_the_pages_speak_french(pipeline: Pipeline):
    officer = desk_client(pipeline, name="amelie", language="fr", timezone="Europe/Brussels")
    page = officer.get(f"{AT}/schedule/last?{asked(LATER)}").text
    assert "3 personnes le reçoivent en anglais, 2 en français, 1 en anglais faute de version en hongrois." in page
    assert "mardi 1er décembre 2099, 09:00 (heure locale\u00a0: Bruxelles)" in page
    start(pipeline)
    pages = (f"{AT}/run", f"{AT}/report", f"{AT}/schedule", f"{AT}/run/refusals")
    assert [officer.get(path).status_code for path in pages] == [200] * 4
    assert "L’envoi est en cours." in officer.get(f"{AT}/run").text


def test_everybody_else_is_shown_the_way_to_sign_in(officer: DeskClient):
    officer.web.cookies.clear()
    assert officer.get(f"{AT}/run").status_code == 303
    assert officer.get(f"{AT}/run/events", **{"sec-fetch-mode": "cors"}).status_code == 401


def test_a_run_that_waits_for_its_first_ones_says_so(officer: DeskClient, pipeline: Pipeline):
    staged = {"segment": "all", "when": "now", "staged": "1", "first": "2", "hold": "1", "unit": "d"}
    assert officer.post(f"{AT}/schedule", staged).headers["location"] == f"{AT}/run"
    pipeline.sending.start_due(pipeline.parts.now() + dt.timedelta(seconds=1))
    assert "The first 2 people get it now; the others wait." in officer.get(f"{AT}/run").text
