"""Newsletters, their settings, mail servers and alerts at the desk: through the real application."""

import re
import shutil
from dataclasses import replace
from functools import partial
from io import BytesIO
from types import SimpleNamespace

import pytest
from databases import copy_of
from integration.desk import desk_client
from integration.signing import Clock, a_newsletter, bare_pipeline
from PIL import Image
from sqlalchemy import update
from sqlmodel import select

from newsletter.accounts.operator import Role
from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.bootstrap import Pipeline
from newsletter.database import open_engine
from newsletter.doctor.examination import Surroundings
from newsletter.doctor.relay import RelayFacts
from newsletter.planning.models import DeliveryRow, RunRow, RunState
from newsletter.settings import load
from newsletter.web.app import create_app
from newsletter.web.desk import servers
from subscribers.columns import Base

SETTINGS = "/desk/n/rivers/settings"


@pytest.fixture(scope="module")
def shared(ready, tmp_path_factory):
    """One application for all tests here: making one takes longer than most of them."""
    engine = open_engine(copy_of(ready, tmp_path_factory.mktemp("settings") / "newsletter.sqlite"))
    pipeline = bare_pipeline(engine, Clock())
    yield create_app(pipeline), pipeline
    engine.dispose()


@pytest.fixture
def pipeline(shared, monkeypatch):
    """Its verbs, over a database without rows, at the time at which tests begin."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=10**12))
    _, made = shared
    with made.parts.engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
    made.parts.now.instant = Clock().instant
    for kept in ("alerting", "today"):
        made.__dict__.pop(kept, None)
    return made


@pytest.fixture
def clock(pipeline):
    return pipeline.parts.now


@pytest.fixture
def app(shared):
    return shared[0]


@pytest.fixture
def admin(pipeline, app):
    return desk_client(pipeline, role=Role.ADMIN, app=app)


@pytest.fixture
def rivers(pipeline):
    a_newsletter(pipeline)


def hidden(page, name):
    """The value of a hidden field."""
    return re.search(rf'name="{name}" value="([^"]*)"', page.text)[1]


def fields(page):
    """Every field of the largest form of a page, as a browser sends it when nobody touches anything."""
    form = max(re.findall(r"<form.*?</form>", page.text, re.DOTALL), key=len)
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name = re.search(r'name="([^"]+)"', tag)
        kind = re.search(r'type="(\w+)"', tag)
        if name is None or (kind and kind[1] in {"checkbox", "radio"} and " checked" not in tag):
            continue
        value = re.search(r'value="([^"]*)"', tag)
        found[name[1]] = _plain(value[1] if value else "")
    for name, body in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', body) or re.search(r'<option value="([^"]*)"', body)
        found[name] = chosen[1]
    for name, body in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL):
        found[name] = _plain(body)
    return found


def _plain(text):
    for sign, entity in (("&", "&amp;"), ('"', "&#34;"), ("'", "&#39;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(entity, sign)
    return text


def test_a_newsletter_is_made_in_one_short_form(admin, pipeline):
    assert "There is no newsletter yet" in admin.get("/desk/newsletters").text
    given = {
        "name": "River News",
        "languages": ["en", "fr", "", ""],
        "timezone": "Europe/Brussels",
        "sender_name": "River network",
        "sender_address": "news@rivers.example",
    }
    answer = admin.post("/desk/newsletters/new", given)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/n/river-news/settings")
    assert pipeline.entries.newsletter("river-news").languages == ("en", "fr")
    assert "River News" in admin.get("/desk/newsletters").text
    assert admin.get(answer.headers["location"]).status_code == 200


def test_what_is_missing_stands_beside_its_field_and_the_rest_is_still_there(admin):
    given = {
        "name": "",
        "languages": ["fr"],
        "timezone": "Europe/Paris",
        "sender_name": "N",
        "sender_address": "nobody",
    }
    answer = admin.post("/desk/newsletters/new", given)
    assert answer.status_code == 422
    assert "This cannot be empty." in answer.text
    assert "This does not look like an email address." in answer.text
    assert 'value="nobody"' in answer.text
    assert '<option value="fr" selected>' in answer.text


def test_problems_are_said_in_the_language_of_the_operator(pipeline, app):
    marie = desk_client(pipeline, role=Role.ADMIN, name="marie", language="fr", app=app)
    answer = marie.post("/desk/newsletters/new", {"name": "", "languages": ["fr"], "sender_address": "x"})
    assert "Ceci ne peut pas rester vide." in answer.text
    assert "Ceci ne ressemble pas à une adresse électronique." in answer.text


@pytest.mark.usefixtures("rivers")
@pytest.mark.parametrize("part", ["general", "languages", "sections", "sender", "footer", "theme", "rules", "cadence"])
def test_saving_a_part_that_nobody_touched_changes_nothing(admin, pipeline, part):
    before = pipeline.entries.newsletter("rivers")
    page = admin.get(f"{SETTINGS}/{part}")
    assert page.status_code == 200
    answer = admin.post(f"{SETTINGS}/{part}", fields(page))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{SETTINGS}/{part}")
    assert pipeline.entries.newsletter("rivers") == before
    assert "everything is as it was" in admin.get(f"{SETTINGS}/{part}").text


@pytest.mark.usefixtures("rivers")
@pytest.mark.parametrize(
    ("part", "given", "changed"),
    [
        ("general", {"name.fr": "Eaux vives"}, ("name", {"en": "River News", "fr": "Eaux vives"})),
        ("languages", {"languages.2": "de"}, ("languages", ("en", "fr", "de"))),
        ("languages", {"locales.fr": "fr-BE"}, ("locales", {"fr": "fr-BE"})),
        ("sender", {"sender.reply_to": "office@rivers.example"}, ("sender.reply_to", "office@rivers.example")),
        ("footer", {"footer.phone": "+32 4 000 00 00"}, ("footer.phone", "+32 4 000 00 00")),
        ("footer", {"footer.text.en": "Who we are."}, ("footer.text", {"en": "Who we are."})),
        ("theme", {"theme.name": "bulletin"}, ("theme.name", "bulletin")),
        ("rules", {"four_eyes": "1"}, ("four_eyes", True)),
        ("rules", {"fallback": "omit"}, ("fallback", "omit")),
        (
            "cadence",
            {"every": "weekday", "nth": "2", "weekday": "tue", "time": "8:30"},
            ("cadence.cron", "30 8 * * tue#2"),
        ),
    ],
)
def test_a_part_is_saved(admin, pipeline, part, given, changed):
    path, value = changed
    answer = admin.post(f"{SETTINGS}/{part}", {**fields(admin.get(f"{SETTINGS}/{part}")), **given})
    assert answer.status_code == 303
    found = pipeline.entries.newsletter("rivers")
    for step in path.split("."):
        found = getattr(found, step)
    assert found == value


@pytest.mark.usefixtures("rivers")
def test_sections_are_added_moved_and_taken_out_before_they_are_saved(admin, pipeline):
    path = f"{SETTINGS}/sections"
    added = admin.post(path, {**fields(admin.get(path)), "do": "sections add"})
    entered = {**fields(added), "sections.1.key": "agenda", "sections.1.show": "lines", "sections.1.title.fr": "Dates"}
    moved = admin.post(path, {**entered, "do": "sections up:1"})
    assert added.status_code == moved.status_code == 200
    assert [section.key for section in pipeline.entries.newsletter("rivers").sections] == ["news"]
    assert admin.post(path, fields(moved)).status_code == 303
    assert [section.key for section in pipeline.entries.newsletter("rivers").sections] == ["agenda", "news"]
    emptied = admin.post(path, {**fields(admin.get(path)), "do": "sections drop:0"})
    assert admin.post(path, fields(emptied)).status_code == 303
    assert [section.key for section in pipeline.entries.newsletter("rivers").sections] == ["news"]


@pytest.mark.usefixtures("rivers")
def test_a_part_that_cannot_be_taken_says_so_and_keeps_what_was_entered(admin, pipeline):
    before = pipeline.entries.newsletter("rivers")
    given = {"footer.social.0.network": "mastodon", "footer.social.0.url": "javascript:alert(1)", "footer.email": "me"}
    answer = admin.post(f"{SETTINGS}/footer", {**fields(admin.get(f"{SETTINGS}/footer")), **given})
    assert answer.status_code == 422
    assert "Write a web address that begins with https://" in answer.text
    assert 'value="javascript:alert(1)"' in answer.text
    assert pipeline.entries.newsletter("rivers") == before


@pytest.mark.usefixtures("rivers")
def test_who_saves_later_is_told_and_loses_no_word(admin, pipeline, app, clock):
    other = desk_client(pipeline, role=Role.ADMIN, name="otto", app=app)
    path = f"{SETTINGS}/sender"
    clock.forward(hours=1)
    mine, theirs = fields(admin.get(path)), fields(other.get(path))
    assert other.post(path, {**theirs, "sender.address": "their@rivers.example"}).status_code == 303
    late = admin.post(path, {**mine, "sender.address": "my@rivers.example"})
    assert late.status_code == 409
    assert "Somebody else has saved these settings" in late.text
    assert 'value="my@rivers.example"' in late.text
    assert pipeline.entries.newsletter("rivers").sender.address == "their@rivers.example"
    assert admin.post(path, fields(late)).status_code == 303
    assert pipeline.entries.newsletter("rivers").sender.address == "my@rivers.example"


@pytest.mark.usefixtures("rivers")
def test_words_of_settings_stay_words(admin, pipeline):
    hostile = '"><script>alert(1)</script>'
    for part, name in (("general", "name.en"), ("footer", "footer.text.en"), ("sections", "sections.0.title.en")):
        admin.post(f"{SETTINGS}/{part}", {**fields(admin.get(f"{SETTINGS}/{part}")), name: hostile})
    assert pipeline.entries.newsletter("rivers").footer.text["en"] == hostile
    for page in (
        SETTINGS,
        f"{SETTINGS}/footer",
        f"{SETTINGS}/sections",
        f"{SETTINGS}/theme",
        "/desk/newsletters",
        "/desk",
    ):
        assert "<script>alert" not in admin.get(page).text
    assert "<script>alert" not in admin.get(f"{SETTINGS}/theme/sample").text


@pytest.mark.usefixtures("rivers")
def test_a_theme_shows_what_it_would_look_like_in_a_frame_of_its_own(admin, pipeline):
    query = "theme.name=bulletin&theme.accent=%23ffcc00&usual.print=yes"
    part = admin.get(f"{SETTINGS}/theme/try?{query}")
    assert "On paper this colour is hard to read (contrast 1.4:1" in part.text
    assert f'src="{SETTINGS}/theme/sample?{query.replace("&", "&amp;")}"' in part.text
    sample = admin.get(f"{SETTINGS}/theme/sample?{query}")
    assert "#ffcc00" in sample.text
    assert sample.headers["content-security-policy"].startswith("sandbox")
    assert " https:;" not in sample.headers["content-security-policy"]
    assert pipeline.entries.newsletter("rivers").theme.accent is None


@pytest.mark.usefixtures("rivers")
def test_a_logo_can_be_sent_and_what_is_none_is_refused(admin, pipeline):
    drawn = BytesIO()
    Image.new("RGB", (400, 80), "#7a2f5d").save(drawn, "PNG")
    theme = {**fields(admin.get(f"{SETTINGS}/theme")), "theme.logo.alt.en": "Rivers"}
    sent = admin.post(
        f"{SETTINGS}/theme", theme, files={"theme.logo.file": ("logo.png", drawn.getvalue(), "image/png")}
    )
    assert sent.status_code == 303
    logo = pipeline.entries.newsletter("rivers").theme.logo
    assert logo.url.startswith("https://news.example/media/")
    assert logo.alt == {"en": "Rivers"}
    assert logo.url in admin.get(f"{SETTINGS}/theme/sample").text
    footer = {**fields(admin.get(f"{SETTINGS}/footer")), "footer.logos.3.url": "", "footer.logos.3.alt.en": "Fund"}
    wrong = admin.post(f"{SETTINGS}/footer", footer, files={"footer.logos.3.file": ("logo.png", b"none", "image/png")})
    assert wrong.status_code == 422
    right = {"footer.logos.3.file": ("logo.png", drawn.getvalue(), "image/png")}
    assert admin.post(f"{SETTINGS}/footer", footer, files=right).status_code == 303
    (fund,) = pipeline.entries.newsletter("rivers").footer.logos
    assert (fund.url, fund.alt) == (logo.url, {"en": "Fund"})


@pytest.mark.usefixtures("rivers")
def test_a_cadence_shows_its_next_three_dates(admin):
    dates = admin.get(f"{SETTINGS}/cadence/dates?every=weekday&nth=1&weekday=mon&time=09:00").text
    assert [day in dates for day in ("7 December 2026", "4 January 2027", "1 February 2027")] == [True] * 3
    assert "This names no day or time" in admin.get(f"{SETTINGS}/cadence/dates?every=line&line=0+9+31+2+*").text
    assert "<li>" not in admin.get(f"{SETTINGS}/cadence/dates?every=never").text


@pytest.mark.usefixtures("rivers")
@pytest.mark.parametrize(
    "path",
    [SETTINGS, f"{SETTINGS}/theme", f"{SETTINGS}/theme/sample", "/desk/newsletters/new", "/desk/servers"],
)
def test_settings_are_for_administrators(pipeline, app, path):
    assert desk_client(pipeline, role=Role.OFFICER, app=app).get(path).status_code == 403


@pytest.mark.usefixtures("rivers")
@pytest.mark.parametrize("path", [f"{SETTINGS}/unheard-of", "/desk/n/lakes/settings", "/desk/n/lakes/settings/theme"])
def test_what_is_not_there_is_a_page_that_says_so(admin, path):
    assert admin.get(path).status_code == 404


@pytest.mark.usefixtures("rivers")
def test_everybody_chooses_their_own_alerts_and_can_try_one(pipeline, app):
    viewer = desk_client(pipeline, role=Role.VIEWER, app=app)
    a_newsletter(pipeline, "lakes")
    wanted = ["draft rivers", "paused ", "disk", "unheard-of", "draft nowhere"]
    assert viewer.post("/desk/alerts", {"wanted": wanted}).status_code == 303
    page = viewer.get("/desk/alerts").text
    ticked = re.findall(r'value="([^"]*)" checked', page)
    assert sorted(ticked) == ["disk", "draft rivers", "paused "]
    assert viewer.post("/desk/alerts/test").status_code == 303
    assert "It is on its way to you." in viewer.get("/desk/alerts").text
    with pipeline.parts.sessions() as session:
        (delivery,) = session.scalars(select(DeliveryRow))
        assert (delivery.address, delivery.mailing.split(":")[0]) == ("viewer@desk.example", "notice")


@pytest.mark.usefixtures("rivers")
def test_mail_servers_are_shown_without_their_secrets_and_looked_at_on_demand(pipeline, clock, monkeypatch):
    settings = load(
        relays=[
            {"name": "main", "host": "mail.example", "port": 587, "username": "letters", "password": "hunter2-secret"},
            {
                "name": "second",
                "host": "spare.example",
                "role": "spare",
                "warm_up": [100, 500],
                "warm_up_start": "2026-12-01",
            },
        ]
    )
    ours = Pipeline(parts=replace(pipeline.parts, settings=settings))
    admin = desk_client(ours, role=Role.ADMIN)
    page = admin.get("/desk/servers").text
    assert "mail.example:587" in page
    assert "0 of 100 (warming up, day 1 of 2)" in page
    assert "stands in for the others" in page

    silent = partial(Surroundings, probe=lambda _outlet: RelayFacts(step="connect", failed="no answer"))
    monkeypatch.setattr(servers, "Surroundings", silent)
    monkeypatch.setattr(servers, "Dns", _Silent)
    ours.alerting.relays(["main"])
    clock.forward(minutes=10)
    checked = admin.post("/desk/servers/check")
    assert checked.status_code == 200
    assert "main: mail.example:587 does not answer: no answer" in checked.text
    assert "2 errors" in checked.text
    assert "it has let no connection or login through" in checked.text
    assert "hunter2" not in page + checked.text


class _Silent:
    """A name server that never answers."""

    def __getattr__(self, _name):
        return lambda *_asked: None


def test_today_of_an_empty_database_teaches_the_way(admin, pipeline, app):
    page = admin.get("/desk").text
    assert "Set up a newsletter" in page
    assert 'href="/desk/newsletters/new"' in page
    a_newsletter(pipeline)
    page = admin.get("/desk").text
    assert 'href="/desk/imports">Import people' in page
    assert "Import people" not in desk_client(pipeline, role=Role.VIEWER, app=app).get("/desk").text


@pytest.mark.usefixtures("rivers")
def test_today_shows_what_stands_still(admin, pipeline, clock):
    pipeline.alerting.relays(["mail.example:25"])
    assert "takes no mail from us" not in admin.get("/desk").text
    clock.forward(minutes=6)
    page = admin.get("/desk").text
    assert "mail.example:25 takes no mail from us" in page
    assert 'href="/desk/servers"' in page


@pytest.mark.usefixtures("rivers")
def test_today_says_of_each_issue_what_it_waits_for(admin, pipeline):
    pipeline.editorial.assemble("2026-12", newsletter="rivers")
    assert "Nothing is in it yet." in admin.get("/desk").text
    answer = admin.post("/desk/n/rivers/issues/2026-12/approve/ask")
    assert answer.headers["location"] == "/desk/n/rivers/issues/2026-12/approve"
    assert "admin asks for its approval" in admin.get("/desk").text


@pytest.mark.usefixtures("rivers")
def test_today_says_why_a_run_stands_still(pipeline, app):
    pipeline.editorial.assemble("2026-12", newsletter="rivers")
    now = pipeline.parts.now()
    with pipeline.parts.sessions() as session:
        session.execute(update(IssueRow).values(state=IssueState.PAUSED))
        session.add(
            RunRow(
                issue_id=session.scalars(select(IssueRow.id)).one(),
                mailing="issue:rivers/2026-12",
                segment="all",
                expression="all",
                state=RunState.PAUSED,
                held="paused by anna",
                operator="anna",
                created=now,
            )
        )
        session.commit()
    marie = desk_client(pipeline, role=Role.OFFICER, name="marie", language="fr", app=app)
    assert "anna l’a mis en pause." in marie.get("/desk").text
