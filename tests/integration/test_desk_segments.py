"""Lists, tags and segments at the desk, through the real application."""

import re
from contextlib import contextmanager
from html import unescape

import pytest
from databases import CHOSEN
from integration.desk_people import HOSTILE
from sqlalchemy import text

from newsletter.errors import TooSlow
from newsletter.pipeline.glances import Glance, Glances
from subscribers.errors import UnknownList, UnknownSegment

ADA = "ada@town.example"


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


def said(client, response):
    """What the page says that a form leads to."""
    assert response.status_code == 303, response.text
    return client.get(response.headers["location"]).text


def rows(*conditions, join="all", **more):
    """The form of the editor with conditions in one group: each of field, relation and value."""
    form = {"edited": "rows", "group": ["0"], "join.0": join, "row": [f"0.{n}" for n in range(len(conditions))]}
    for n, (field, relation, value) in enumerate(conditions):
        form |= {f"field.0.{n}": field, f"relation.0.{n}": relation, f"value.0.{n}": value}
    return form | more


def text_in(page):
    return unescape(re.search(r'<textarea id="text".*?>\n(.*?)</textarea>', page, re.DOTALL)[1])


def test_lists_are_shown_with_who_stands_to_them(officer, viewer):
    for client in (officer, viewer):
        page = client.get("/desk/lists").text
        assert "members" in page
        assert "Without confirmation" in page
    assert "Make a list" not in viewer.get("/desk/lists").text


def test_a_list_is_made_with_names_for_readers(officer, pipeline):
    form = {
        "name": "board",
        "double_opt_in": "yes",
        "public": "yes",
        "title.fr": "Conseil",
        "description": "Who decides",
    }
    assert "The list board is made." in said(officer, officer.post("/desk/lists/new", form))
    made = next(each for each in pipeline.people.lists.all() if each.name == "board")
    assert (made.public, made.double_opt_in, made.titles) == (True, True, {"fr": "Conseil"})
    assert officer.post("/desk/lists/new", form).status_code == 422


def test_only_an_administrator_does_without_confirmation_and_says_why(officer, admin):
    form = {"name": "board", "opt_in_reason": ""}
    assert "Only an administrator can do without confirmation." in officer.post("/desk/lists/new", form).text
    assert "Say why" in admin.post("/desk/lists/new", form).text
    said(admin, admin.post("/desk/lists/new", form | {"opt_in_reason": "they are elected"}))
    kept = {"was": "press", "name": "press", "opt_in_reason": "as before"}
    assert officer.post("/desk/lists/save", kept).status_code == 303  # it did without before


def test_a_list_that_gets_another_name_says_what_does_not_follow(officer):
    form = {"was": "members", "name": "friends", "double_opt_in": "yes"}
    page = said(officer, officer.post("/desk/lists/save", form))
    assert "Still called by its old name: the segment “in French”" in page


def test_a_list_is_deleted_by_an_administrator_who_types_its_name(officer, admin, pipeline):
    form = {"name": "press", "typed": "press"}
    assert officer.post("/desk/lists/delete", form).status_code == 403
    assert admin.post("/desk/lists/delete", form | {"typed": "members"}).status_code == 422
    assert admin.post("/desk/lists/delete", {"name": "members", "typed": "members"}).status_code == 422  # a segment
    said(admin, admin.post("/desk/lists/delete", form))
    assert [each.name for each in pipeline.people.lists.all()] == ["members"]
    assert admin.get("/desk/lists/edit?name=press").status_code == 404


def test_tags_are_renamed_and_deleted(officer, viewer, pipeline):
    assert "board" in viewer.get("/desk/tags").text
    page = said(officer, officer.post("/desk/tags/rename", {"name": "board", "new": " council "}))
    assert "board is called council now, for 1 people." in page
    assert officer.post("/desk/tags/rename", {"name": "council", "new": ""}).status_code == 422
    assert officer.get("/desk/tags/edit?name=board").status_code == 422
    pipeline.people.segments.create("councillors", 'tag = "council"')
    assert "councillors" in officer.get("/desk/tags/edit?name=council").text
    assert officer.post("/desk/tags/delete", {"name": "council"}).status_code == 422
    pipeline.people.segments.delete("councillors")
    assert "council is taken off 1 people." in said(officer, officer.post("/desk/tags/delete", {"name": "council"}))
    assert pipeline.people.tags.all() == {}


def test_segments_are_shown_in_words_and_counted(officer, viewer):
    page = viewer.get("/desk/segments").text
    assert "in French" in page
    assert "List" in page
    assert viewer.get("/desk/segments/count?name=in+French").text.strip() == "2"
    assert viewer.get("/desk/segments/count?name=gone").status_code == 422
    assert viewer.post("/desk/segments/save").status_code == 403
    assert officer.get("/desk/segments/new").status_code == 200


def test_the_editor_shows_conditions_text_and_people(officer):
    page = officer.get("/desk/segments/edit?name=in+French").text
    assert text_in(page) == 'list = "members" and language = "fr"'
    assert page.count('class="condition') == 2
    assert ADA not in page  # whom it means is counted when the page is there
    page = officer.post("/desk/segments/draw", {"edited": "text", "text": text_in(page), "part": "1"}).text
    assert ADA in page
    assert '<meter min="0" max="2" value="2">' in page


def test_viewers_see_whom_a_segment_means_without_addresses(viewer):
    page = viewer.get("/desk/segments/edit?name=in+French").text
    assert "Save the segment" not in page
    page = viewer.post("/desk/segments/draw", {"edited": "text", "text": text_in(page)}).text
    assert ADA not in page
    assert "a…@t….example" in page


def test_conditions_become_text_and_text_becomes_conditions(officer):
    drawn = officer.post("/desk/segments/draw", rows(("country", "one_of", "BE, FR"), ("population", "more", "500")))
    assert text_in(drawn.text) == 'country in ("BE", "FR") and population > 500'
    form = {"edited": "text", "text": '(tag = "a" or tag = "b") and created in the last 3 months'}
    page = officer.post("/desk/segments/draw", form).text
    assert page.count('class="group"') == 2
    assert 'value="any" selected' in page
    assert 'name="number.1.0" id="number-1.0" value="3"' in page


def test_what_conditions_cannot_show_is_said_and_stays_text(officer):
    form = {"edited": "text", "text": 'not (list = "members" and (tag = "a" or tag = "b"))', "part": "1"}
    page = officer.post("/desk/segments/draw", form).text
    assert "more than conditions in groups can show" in page
    assert text_in(page) == form["text"]


def test_rows_are_added_and_taken_away(officer):
    form = rows(("language", "is", "fr"))
    two = officer.post("/desk/segments/draw", form | {"do": "row:0"}).text
    assert two.count('class="condition') == 2
    assert two.count('class="group"') == 1
    apart = officer.post("/desk/segments/draw", form | {"do": "group:"}).text
    assert apart.count('class="group"') == 2
    none = officer.post("/desk/segments/draw", form | {"do": "remove:0.0"}).text
    assert text_in(none) == "all"
    assert "Everybody is meant." in none
    assert officer.post("/desk/segments/draw", form | {"do": "remove:7.7"}).text.count('class="condition') == 1


def test_a_time_and_a_standing_have_fields_of_their_own(officer):
    form = rows(("list", "joined_within", "members")) | {"number.0.0": "2", "unit.0.0": "week"}
    assert text_in(officer.post("/desk/segments/draw", form).text) == 'joined "members" in the last 2 weeks'
    form = rows(("created", "longer_ago", "")) | {"number.0.0": "1", "unit.0.0": "year"}
    assert text_in(officer.post("/desk/segments/draw", form).text) == "created before 1 year ago"


def test_what_is_wrong_with_text_is_shown_at_the_character(officer):
    page = officer.post("/desk/segments/draw", {"edited": "text", "text": "language = fr"}).text
    assert 'data-column="12"' in page
    assert "Line 1, character 12:" in page
    assert "language = fr\n           ^" in page


def test_what_is_wrong_with_a_condition_is_shown_beside_it(officer):
    page = officer.post("/desk/segments/draw", rows(("created", "on", "soon"))).text
    assert "expected a date like 2027-01-31" in page
    assert "Nobody can be counted until this is put right." in page


def test_what_does_not_exist_is_said_with_the_nearest_name(officer):
    page = officer.post("/desk/segments/draw", {"edited": "text", "text": 'list = "member"'}).text
    assert "did you mean “members”?" in page
    page = officer.post("/desk/segments/draw", {"edited": "text", "text": 'tag = "bord"'}).text
    assert "did you mean “board”?" in page


def test_a_segment_is_saved_changed_and_deleted_with_a_line_in_the_log_each(officer, pipeline):
    said(officer, officer.post("/desk/segments/save", {"name": "BE", "edited": "text", "text": 'country = "BE"'}))
    said(officer, officer.post("/desk/segments/save", rows(("country", "is", "FR"), name="BE", was="BE")))
    assert pipeline.people.segments.get("BE").expression == 'country = "FR"'
    assert officer.post("/desk/segments/save", {"name": "BE", "edited": "text", "text": "all"}).status_code == 422
    assert officer.post("/desk/segments/save", {"name": "x", "edited": "text", "text": "x ="}).status_code == 422
    assert officer.post("/desk/segments/save", {"name": "", "edited": "text", "text": "all"}).status_code == 422
    pipeline.people.segments.create("both", 'segment = "BE"')
    assert "the segment “both”" in officer.post("/desk/segments/delete", {"name": "BE"}).text
    assert "it is used by the segment “both”" in officer.get("/desk/segments/edit?name=BE").text
    pipeline.people.segments.delete("both")
    said(officer, officer.post("/desk/segments/delete", {"name": "BE"}))
    with pytest.raises(UnknownSegment):
        pipeline.people.segments.get("BE")


def test_an_address_is_tested_part_by_part(officer):
    form = {"edited": "text", "text": 'list = "members" and language = "en"', "address": ADA}
    page = officer.post("/desk/segments/test", form).text
    assert page.count('<span class="ok">yes</span>') == 1
    assert page.count('<span class="err">no</span>') == 2
    assert (
        "No subscriber has this address" in officer.post("/desk/segments/test", form | {"address": "x@y.example"}).text
    )


@contextmanager
def waiting(engine):
    """Whoever asks a server about subscribers has to wait, since somebody has their table to themselves."""
    with engine.connect() as other:
        if engine.dialect.name == "postgresql":
            other.execute(text("LOCK TABLE subscriber IN ACCESS EXCLUSIVE MODE"))
        yield


def test_a_count_that_takes_too_long_is_said_to(pipeline, monkeypatch):
    assert pipeline.people.glances.look("all").count == 4  # the connection knows the tables that were put back
    monkeypatch.setattr("newsletter.pipeline.glances.PATIENCE", -1.0 if CHOSEN == "sqlite" else 0.05)
    monkeypatch.setattr("newsletter.database.STEPS", 1)
    with waiting(pipeline.parts.engine):
        glance = pipeline.people.glances.look("all")
        assert (glance.count, glance.words) == (None, "All subscribers.")
        assert pipeline.people.glances.count("all") is None


def test_the_editor_says_that_counting_took_too_long(officer, monkeypatch):
    monkeypatch.setattr(Glances, "look", lambda _self, _text: Glance(words="", count=None))
    form = {"edited": "text", "text": "all"}
    assert "Counting takes longer than a moment." in officer.post("/desk/segments/draw", form).text

    def slow(_self, _text):
        raise TooSlow

    monkeypatch.setattr(Glances, "look", slow)
    assert "That takes longer than a page may" in officer.post("/desk/segments/draw", form).text


def test_a_glance_counts_by_language_the_largest_first(pipeline):
    glance = pipeline.people.glances.look("all")
    assert list(glance.languages.items()) == [("fr", 2), (None, 1), ("en", 1)] or glance.languages == {
        "fr": 2,
        "en": 1,
        None: 1,
    }
    assert len(glance.sample) == 4
    with pytest.raises(UnknownList):
        pipeline.people.glances.look('list = "gone"')


def test_what_people_wrote_stays_text(officer, pipeline):
    pipeline.people.lists.create(HOSTILE, description=HOSTILE)
    pipeline.people.lists.change(HOSTILE, {"title.en": HOSTILE, "description.fr": HOSTILE})
    pipeline.people.change(ADA, {"tags": HOSTILE, "first_name": HOSTILE, "language": ""})
    pipeline.people.segments.create(HOSTILE, f'list = "{HOSTILE}" or tag = "{HOSTILE}" or city = "{HOSTILE}"')
    places = ("/desk/lists", "/desk/tags", "/desk/segments", f"/desk/segments/edit?name={HOSTILE}")
    for place in (*places, f"/desk/lists/edit?name={HOSTILE}", f"/desk/tags/edit?name={HOSTILE}"):
        page = officer.get(place)
        assert page.status_code == 200, place
        assert HOSTILE not in page.text, place
        assert "&lt;script&gt;" in page.text, place
