"""The pages on which an issue is made, as an officer's browser gets them."""

import re

import lxml.html
import pytest
from databases import copy_of
from integration.building_scene import DECEMBER, RIVERS, an_entry, filled, later, settled, store
from integration.desk import desk_client
from integration.kept import Kept

from newsletter.accounts.operator import Role
from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.compilation.slots import Field
from newsletter.content.issue import IssuePlan
from newsletter.database import open_engine
from newsletter.web.app import create_app

ROOT = f"/desk/n/{RIVERS}/issues"
PAGE = f"{ROOT}/{DECEMBER}"
BY_SCRIPT = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def house(ready, tmp_path_factory):
    """One application over one file, and what the file held at first."""
    engine = open_engine(copy_of(ready, tmp_path_factory.mktemp("issues") / "newsletter.sqlite"))
    made = filled(settled(engine))
    yield made, create_app(made), Kept(engine)
    engine.dispose()


@pytest.fixture
def pipeline(house):
    made, _, kept = house
    kept.put_back()
    return made


@pytest.fixture
def app(pipeline, house):
    assert pipeline is house[0]
    return house[1]


@pytest.fixture
def officer(pipeline, app):
    return desk_client(pipeline, role=Role.OFFICER, app=app)


def page(client, path=PAGE):
    answer = client.get(path)
    assert answer.status_code == 200, answer.text[:500]
    return lxml.html.fromstring(answer.text)


def words(document, where="//main"):
    return " ".join(document.xpath(where)[0].text_content().split())


def keys(document, section="projects"):
    return document.xpath(f'//ol[@data-section="{section}"]/li/@data-key')


def seen(document):
    return document.xpath('//*[@id="builder"]/@data-seen')[0]


def change(client, **fields):
    """Send the form of an item as its page shows it; returns the answer."""
    return client.post(f"{PAGE}/items", {"seen": seen(page(client)), "placement": "block", **fields})


def set_state(pipeline, state):
    with pipeline.parts.sessions() as session:
        row = issues.get_issue(session, DECEMBER, RIVERS)
        issues.set_state(session, row.id, expected=list(IssueState), state=state, now=pipeline.parts.now())
        session.commit()


def test_the_list_shows_issues_and_leads_to_a_new_one(officer):
    document = page(officer, ROOT)
    assert "No. 42 · December 2026 Draft 1 December 2026 en" in words(document)
    assert "es –5Español: 5 entries are not translated" in words(document)
    assert document.xpath('//main//a[@class="btn go"]/@href') == [f"{ROOT}/new"]


def test_a_newsletter_without_issues_is_told_what_one_is(officer, pipeline):
    with pipeline.parts.sessions() as session:
        session.delete(issues.get_issue(session, DECEMBER, RIVERS))
        session.commit()
    document = page(officer, ROOT)
    assert "No issue yet" in words(document)
    assert "New issue" in words(page(officer, f"{ROOT}/new"))


def test_an_issue_is_made_with_what_is_proposed(officer):
    form = dict(page(officer, f"{ROOT}/new").xpath("//main//form")[0].form_values())
    # The reader of pages takes a chosen button without a value for "on".
    answer = officer.post(f"{ROOT}/new", {**form, "model": ""})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ROOT}/2027-01")
    assert "No. 43 · January 2027" in words(page(officer, f"{ROOT}/2027-01"))


def test_what_is_wrong_with_a_new_issue_stands_beside_its_field(officer):
    form = {**dict(page(officer, f"{ROOT}/new").xpath("//main//form")[0].form_values()), "model": DECEMBER}
    answer = officer.post(f"{ROOT}/new", {**form, "slug": DECEMBER, "title-en": "Kept"})
    assert answer.status_code == 422
    assert "Another issue has this name already." in answer.text
    assert 'value="Kept"' in answer.text
    answer = officer.post(f"{ROOT}/new", {**form, "date": "soon", "number": "no"})
    assert "Choose a day." in answer.text
    assert "Write a number, or nothing." in answer.text


def test_the_contents_stand_in_their_sections_with_languages_and_dates(officer):
    document = page(officer)
    assert keys(document) == ["silt", "lamps", "bats"]
    assert keys(document, "agenda") == ["fair", "walk"]
    assert words(document, '//li[@data-key="lamps"]').startswith("⠿ Lamps <script>alert(1)</script> en fr→en es→en")
    assert "10 December 2026" in words(document, '//li[@data-key="fair"]')
    left = words(document, '//*[@id="left-list"]')
    assert "Title of old older than the period (1 September 2026), never in an issue" in left
    assert "Title of past over before this issue (12 November 2026)" in left
    assert document.xpath('//*[@id="undo"]/@disabled')


def test_a_stored_script_stays_text(officer):
    for path in (PAGE, f"{PAGE}/wording", f"{PAGE}/settings?look=1", ROOT):
        assert "<script>alert" not in officer.get(path).text


def test_a_script_gets_the_changed_part_and_a_sentence_for_the_ear(officer):
    form = {"seen": seen(page(officer)), "key": "bats", "placement": "block", "do": "up"}
    answer = officer.post(f"{PAGE}/items", form, **BY_SCRIPT)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    part = lxml.html.fromstring(f"<div>{answer.text}</div>")
    assert keys(part) == ["silt", "bats", "lamps"]
    assert words(part, '//*[@id="said"]') == "“Title of bats” is now at place 2 of 3 in Our projects."
    assert part.xpath('//*[@id="said"]/@hx-swap-oob') == ["innerHTML"]


def test_without_a_script_a_change_leads_back_to_the_page(officer):
    answer = change(officer, key="silt", do="remove", title="Title of silt")
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    document = page(officer)
    assert keys(document) == ["lamps", "bats"]
    assert "“Title of silt” was taken out." in words(document, '//*[@id="said"]')
    assert "Title of silt taken out by hand" in words(document, '//*[@id="left-list"]')


@pytest.mark.parametrize(
    ("fields", "projects", "lead"),
    [
        ({"do": "down", "key": "silt"}, ["lamps", "silt", "bats"], ["bridge"]),
        ({"do": "move", "key": "bats", "section": "projects", "place": "0"}, ["bats", "silt", "lamps"], ["bridge"]),
        ({"do": "move", "key": "bats", "section": "lead", "place": "0"}, ["silt", "lamps"], ["bats", "bridge"]),
        ({"do": "section", "key": "silt", "to": "lead"}, ["lamps", "bats"], ["bridge", "silt"]),
        ({"do": "add", "key": "old", "section": "projects"}, ["silt", "lamps", "bats", "old"], ["bridge"]),
        (
            {"do": "section", "key": "fair", "to": "lead", "placement": "lines"},
            ["silt", "lamps", "bats"],
            ["bridge", "fair"],
        ),
    ],
)
def test_every_way_to_change_the_order(officer, fields, projects, lead):
    assert change(officer, **fields).status_code == 303
    document = page(officer)
    assert (keys(document), keys(document, "lead")) == (projects, lead)


def test_an_item_is_limited_to_a_segment_and_says_so(officer, pipeline):
    pipeline.people.segments.create("press", 'tag = "press"')
    change(officer, key="silt", do="segment", segment="press")
    document = page(officer)
    assert "only press" in words(document, '//li[@data-key="silt"]//div[@class="what"]')
    assert words(document, '//*[@id="said"]') == "“Title of silt” is shown to press only."
    change(officer, key="silt", do="segment", segment="")
    assert "“Title of silt” is shown to everybody." in words(page(officer), '//*[@id="said"]')
    assert change(officer, key="silt", do="segment", segment="nobody").status_code == 422


def test_the_last_change_is_undone(officer):
    change(officer, key="silt", do="remove")
    assert change(officer, do="undo").status_code == 303
    document = page(officer)
    assert keys(document) == ["silt", "lamps", "bats"]
    assert document.xpath('//*[@id="undo"]/@disabled')


def test_who_was_overtaken_is_told_and_sees_the_present_order(officer, pipeline, app):
    other = desk_client(pipeline, role=Role.OFFICER, name="brigitte", app=app)
    stale = seen(page(officer))
    change(other, key="bats", do="up")
    form = {"seen": stale, "key": "silt", "placement": "block", "do": "remove"}
    answer = officer.post(f"{PAGE}/items", form, **BY_SCRIPT)
    part = lxml.html.fromstring(f"<div>{answer.text}</div>")
    assert keys(part) == ["silt", "bats", "lamps"]
    assert words(part, '//*[@id="said"]').startswith("Somebody else has changed this issue in the meantime.")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"do": "up", "key": "bridge"}, "There is no place further that way."),
        ({"do": "add", "key": "past", "section": "agenda"}, "It cannot stand there"),
        ({"do": "add", "key": "old", "section": "nowhere"}, "This issue does not have that section."),
        ({"do": "remove", "key": "gone"}, "That entry is not in the issue any more."),
        ({"do": "add", "key": "silt", "section": "lead"}, "It stands there already."),
    ],
)
def test_what_cannot_be_done_is_said(officer, fields, said):
    change(officer, **fields)
    assert said in words(page(officer), '//*[@id="said"]')


def test_what_no_page_sends_is_refused(officer):
    assert change(officer, key="silt", do="dance").status_code == 422
    assert officer.get(f"{PAGE}?after=many&q={'x' * 900}").status_code == 200
    assert officer.get(f"{ROOT}/2030-01").status_code == 404


def test_the_search_in_what_is_left_out_answers_with_its_part(officer):
    answer = officer.get(f"{PAGE}/left-out?q=TITLE of o", **BY_SCRIPT)
    assert re.findall(r">Title of (\w+)<", answer.text) == ["old"]
    assert "Nothing found." in officer.get(f"{PAGE}/left-out?q=nowhere").text


def test_new_entries_are_announced_and_taken_after_a_look(officer, pipeline):
    store(later(pipeline, hours=1), an_entry("fresh", priority=9))
    assert "1 entry was written or changed since these were chosen." in words(page(officer))
    document = page(officer, f"{PAGE}/settings?look=1")
    assert "Comes in Title of fresh new in the period" in words(document)
    form = dict(document.xpath('//form[contains(@action, "settings")]')[0].form_values())
    answer = officer.post(f"{PAGE}/settings", {**form, "section": ["lead", "projects", "agenda"], "do": "apply"})
    assert answer.status_code == 303
    assert keys(page(officer)) == ["fresh", "silt", "lamps", "bats"]


def test_an_issue_that_nobody_assembled_says_how_to_begin(officer, pipeline):
    plain = {"slug": "bare", "date": "2026-12-02", "period": {"from": "2026-11-01", "to": "2026-11-30"}}
    with pipeline.parts.sessions() as session:
        newsletter_id = issues.get_issue(session, DECEMBER, RIVERS).newsletter_id
        issues.save_plan(session, newsletter_id, IssuePlan.model_validate(plain), now=pipeline.parts.now())
        session.commit()
    bare = f"{ROOT}/bare"
    [begin] = page(officer, bare).xpath('//*[@class="empty"]//a/@href')
    document = page(officer, begin)
    assert "Comes in Title of bridge new in the period" in words(document)
    form = dict(document.xpath('//form[contains(@action, "settings")]')[0].form_values())
    officer.post(f"{bare}/settings", {**form, "section": ["lead", "projects", "agenda"], "do": "apply"})
    assert keys(page(officer, bare)) == ["silt", "lamps", "bats"]
    assert page(officer, f"{bare}/wording").xpath('//*[@id="title-en"]/@value') == [""]


def test_settings_show_what_they_would_change_first(officer):
    form = dict(page(officer, f"{PAGE}/settings").xpath('//form[contains(@action, "settings")]')[0].form_values())
    wanted = {**form, "section": ["projects", "agenda"], "place-agenda": "1", "place-projects": "2", "number": "7"}
    answer = officer.post(f"{PAGE}/settings", {**wanted, "do": "look"})
    assert "Goes out Title of bridge this issue does not have its section" in words(lxml.html.fromstring(answer.text))
    assert keys(page(officer), "lead") == ["bridge"]
    officer.post(f"{PAGE}/settings", {**wanted, "do": "apply"})
    document = page(officer)
    assert document.xpath("//ol/@data-section") == ["agenda", "projects"]
    assert words(document, "//h1").startswith("No. 7 · December 2026")
    stale = officer.post(f"{PAGE}/settings", {**wanted, "do": "apply", "number": "8"})
    assert stale.status_code == 303
    assert words(page(officer), "//h1").startswith("No. 7")


def test_what_is_wrong_with_settings_stands_beside_the_field(officer):
    form = dict(page(officer, f"{PAGE}/settings").xpath('//form[contains(@action, "settings")]')[0].form_values())
    wrong = {"agenda_days": "0", "accent": "blue", "date": "", "number": "x"}
    answer = officer.post(f"{PAGE}/settings", {**form, **wrong, "section": ["lead"], "do": "apply"})
    assert answer.status_code == 422
    for said in ("from 1 to 1000", "Write a colour", "Choose a day.", "Write a number, or nothing."):
        assert said in answer.text
    backwards = {**form, "last": "2026-10-01", "section": ["lead"], "do": "look"}
    assert "The period ends before it begins." in officer.post(f"{PAGE}/settings", backwards).text
    assert "Keep at least one section." in officer.post(f"{PAGE}/settings", {**form, "section": [], "do": "look"}).text


def test_words_are_saved_by_the_form_and_a_clash_keeps_both(officer, pipeline):
    form = dict(page(officer, f"{PAGE}/wording").xpath('//form[@id="words"]')[0].form_values())
    assert officer.post(f"{PAGE}/wording", {**form, "subject-fr": "Ce que le fleuve a pris"}).status_code == 303
    answer = officer.post(f"{PAGE}/wording", {**form, "subject-fr": "Autre chose", "intro-en": "Line\r\nby line"})
    assert answer.status_code == 409
    assert "It stands as: “Ce que le fleuve a pris”." in answer.text
    assert 'value="Autre chose"' in answer.text
    again = dict(lxml.html.fromstring(answer.text).xpath('//form[@id="words"]')[0].form_values())
    assert officer.post(f"{PAGE}/wording", again).status_code == 303
    texts = pipeline.building.words.read(DECEMBER, newsletter=RIVERS).texts
    assert (texts["fr"].subject, texts["en"].intro) == ("Autre chose", "Line\nby line")


def test_a_script_saves_single_fields_and_hears_of_clashes(officer):
    edit = {"language": "en", "part": "subject", "before": "What the river took", "after": "Two\nlines "}
    told = officer.post_json(f"{PAGE}/wording/save", {"edits": [edit]}).json()
    assert (told["open"], told["saved"], told["clashes"]) == (True, ["subject-en"], {})
    untidy = {**edit, "before": "Two\n lines ", "after": "Two  lines, and one"}
    assert officer.post_json(f"{PAGE}/wording/save", {"edits": [untidy]}).json()["saved"] == ["subject-en"]
    tidy = {**edit, "before": "Two lines, and one", "after": "Two lines"}
    assert officer.post_json(f"{PAGE}/wording/save", {"edits": [tidy]}).json()["clashes"] == {}
    again = officer.post_json(f"{PAGE}/wording/save", {"edits": [{**edit, "after": "Mine"}]}).json()
    assert again["clashes"] == {"subject-en": "Two lines"}
    long = {**edit, "before": "Two lines", "after": "x" * 501}
    assert officer.post_json(f"{PAGE}/wording/save", {"edits": [long]}).json()["refused"] == ["subject-en"]


@pytest.mark.parametrize("body", [{}, {"edits": "x"}, {"edits": ["x"]}, {"edits": [{"part": "x"}]}])
def test_what_no_script_of_ours_sends_is_refused(officer, body):
    assert officer.post_json(f"{PAGE}/wording/save", body).status_code == 422
    body = {"edits": [{"language": "en", "part": "body", "before": "", "after": ""}]}
    assert officer.post_json(f"{PAGE}/wording/save", body).status_code == 422


def test_the_matrix_leads_to_each_entry_in_each_language(officer):
    document = page(officer, f"{PAGE}/wording")
    [link] = document.xpath(f'//a[@href="/desk/n/{RIVERS}/entries/lamps?show=en,fr"]')
    assert link.get("title") == "not translated: readers see English"
    assert "River network" in words(document, '//*[@data-inbox="fr"]')


def test_an_address_leads_to_a_field_of_a_language(officer):
    document = page(officer, f"{PAGE}/wording?language=fr")
    assert document.xpath('//*[@id="subject"]//input/@name')[0] == "subject-fr"
    assert not page(officer, f"{PAGE}/wording").xpath('//*[@id="subject"]')


def test_the_details_of_readers_are_those_that_a_message_can_hold(officer):
    offered = page(officer, f"{PAGE}/wording").xpath('//select[@id="slot-name"]/option/@value')
    assert set(offered) == {field.value for field in Field}


def test_an_approved_issue_says_what_a_change_costs_and_opens(officer, pipeline):
    set_state(pipeline, IssueState.APPROVED)
    document = page(officer)
    assert "Changing it ends the approval" in words(document)
    assert not document.xpath('//button[@value="up"]')
    assert change(officer, key="bats", do="up").status_code == 303
    assert keys(page(officer)) == ["silt", "lamps", "bats"]
    answer = officer.post(f"{PAGE}/reopen", {"back": "wording"})
    assert answer.headers["location"] == f"{PAGE}/wording"
    assert page(officer).xpath('//button[@value="up"]')


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (IssueState.QUEUED, "exactly what was approved goes out"),
        (IssueState.SENT, "This issue has gone out."),
        (IssueState.CANCELLED, "The run of this issue was cancelled."),
    ],
)
def test_what_goes_out_or_is_gone_says_so_on_every_page(officer, pipeline, state, said):
    set_state(pipeline, state)
    for path in ("", "/wording", "/settings"):
        document = page(officer, f"{PAGE}{path}")
        assert said in words(document)
        assert not document.xpath('//main//form//button[@name="do"]')


def test_a_viewer_looks_and_changes_nothing(pipeline, app):
    viewer = desk_client(pipeline, role=Role.VIEWER, app=app)
    document = page(viewer)
    assert not document.xpath("//main//form[@method='post']")
    assert viewer.get(f"{ROOT}/new").status_code == 403
    assert viewer.post(f"{PAGE}/items", {"seen": seen(document), "key": "bats", "do": "up"}).status_code == 403
    assert viewer.get(f"{PAGE}/wording").status_code == 200


def test_the_pages_speak_french(pipeline, app):
    anne = desk_client(pipeline, role=Role.OFFICER, name="anne", language="fr", app=app)
    document = page(anne)
    assert "Nº 42 · Décembre 2026 Brouillon" in words(document, "//h1")
    assert "antérieur à la période (1er septembre 2026), jamais paru" in words(document)
    for path in (ROOT, f"{ROOT}/new", f"{PAGE}/wording", f"{PAGE}/settings?look=1"):
        assert page(anne, path).get("lang") == "fr"
