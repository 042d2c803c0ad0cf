"""The pages of entries, through the real application."""

import html
import re

import pytest
from databases import copy_of
from integration.desk import desk_client
from integration.writing import START, an_entry, emptied, fill, put_in_issue, settled
from lxml import html as page
from sqlalchemy import event

from newsletter.accounts.operator import Role
from newsletter.assembly.facts import IssueState
from newsletter.content import store
from newsletter.content.entry import Status
from newsletter.content.sheet import SENTENCES
from newsletter.database import open_engine
from newsletter.web.app import create_app
from newsletter.web.desk.entries.said import FIELDS, KINDS, STATES, STATUSES, TRAPS
from newsletter.web.desk.words import desk_words

PATH = "/desk/n/rivers/entries"
SCRIPT = "<script>alert('x')</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def house(ready, tmp_path_factory):
    """A pipeline and its application, made once."""
    folder = tmp_path_factory.mktemp("desk")
    engine = open_engine(copy_of(ready, folder / "newsletter.sqlite"))
    pipeline = settled(engine, folder)
    yield pipeline, create_app(pipeline)
    engine.dispose()


@pytest.fixture
def blank(house):
    """A database without a row, and a clock that stands at the beginning."""
    house[0].parts.now.instant = START
    return emptied(house[0])


@pytest.fixture
def clock(blank):
    return blank.parts.now


@pytest.fixture
def pipeline(blank):
    """An entry in two of three languages, published."""
    return fill(blank)


@pytest.fixture
def app(house):
    return house[1]


@pytest.fixture
def anna(pipeline, app):
    return desk_client(pipeline, name="anna", app=app)


@pytest.fixture
def bruno(pipeline, app):
    return desk_client(pipeline, name="bruno", app=app)


def fields_of(text, form_id="entry"):
    """What a browser would send of a form that nobody has touched; the token is each client's own."""
    (form,) = page.fromstring(text).xpath(f"//form[@id='{form_id}']")
    found = {}
    for name, value in form.form_values():
        found.setdefault(name, []).append(value)
    return {name: values for name, values in found.items() if name != "csrf"}


def sheet(pipeline, key="quay"):
    return pipeline.writing.open(key, newsletter="rivers").sheet


def words_of(response):
    return " ".join(page.fromstring(response.text).text_content().split())


def followed(client, response):
    assert response.status_code == 303, words_of(response)[:600]
    return client.get(response.headers["location"])


def test_the_table_shows_entries_and_keeps_the_conditions(anna):
    shown = anna.get(f"{PATH}?q=vieux&kind=news&status=published&section=lead&language=fr&state=present")
    assert shown.status_code == 200
    assert f'href="{PATH}/quay"' in shown.text
    assert 'value="vieux"' in shown.text
    assert "1 entry" in words_of(shown)
    assert "Nothing meets all of this" in words_of(anna.get(f"{PATH}?state=stale"))


def test_conditions_that_nobody_offers_ask_for_nothing(anna):
    shown = anna.get(f"{PATH}?kind=poem&status=x&state=fallback&after=never&before=2026-11-01_x")
    assert f'href="{PATH}/quay"' in shown.text


def test_the_table_shows_titles_in_the_language_of_its_reader(pipeline, app):
    shown = desk_client(pipeline, name="claire", language="fr", app=app).get(PATH)
    assert "Le quai" in shown.text
    assert "Publié" in shown.text


def test_a_newsletter_without_entries_says_how_to_begin(pipeline, anna):
    pipeline.writing.shelf.delete("quay", newsletter="rivers")
    assert "Write the first entry" in anna.get(PATH).text


def test_an_entry_is_begun_written_and_published(pipeline, anna):
    begun = anna.post(PATH, {"kind": "news", "title": "A lock opens", "language": "en", "section": ""})
    assert begun.headers["location"] == f"{PATH}/a-lock-opens"
    editor = anna.get(begun.headers["location"])
    form = fields_of(editor.text) | {
        "title.fr": "Une écluse ouvre",
        "body.en": "It opens in *May*.",
        "link.en.0.action": "register",
        "link.en.0.url": "https://a.example/lock",
        "tags": "locks, May,, locks",
        "place.city.*": "Szeged",
        "place.country": "hu",
        "then": "publish",
    }
    done = followed(anna, anna.post(f"{PATH}/a-lock-opens", form))
    assert "Saved." in words_of(done)
    entry = pipeline.writing.open("a-lock-opens", newsletter="rivers").stored.entry
    assert entry.status is Status.PUBLISHED
    assert set(entry.texts) == {"en", "fr"}
    assert entry.texts["en"].links[0].url == "https://a.example/lock"
    assert (entry.tags, entry.place.country, entry.place.city) == (("locks", "May"), "HU", {"*": "Szeged"})


def test_a_new_entry_without_a_title_is_asked_for_one(anna):
    refused = anna.post(PATH, {"kind": "agenda", "title": " ", "language": "en"})
    assert refused.status_code == 422
    assert "Give it a title" in words_of(refused)
    assert re.search(r'value="agenda" checked', refused.text)


def test_a_form_that_nobody_touched_changes_nothing(blank, app):
    full = {
        "topic": "silt",
        "tags": ["stone", "water"],
        "priority": 5,
        "languages": ["en", "fr"],
        "repeat": True,
        "place": {
            "name": {"en": "Hall", "fr": "Salle"},
            "city": "Szeged",
            "country": "HU",
            "online": "https://a.example",
        },
        "image": {"url": "https://a.example/i.jpg", "alt": {"en": "A quay"}, "link": "https://a.example"},
        "texts": {
            "en": {
                "title": "A “quay” & more",
                "body": "- one\n- two\n\n> said\n\n  *x*  \nline",
                "links": [
                    {"action": "register", "url": "https://a.example/1"},
                    {"label": "Here", "url": "mailto:a@b.example"},
                ],
            },
            "hu": {"title": "A rakpart"},
        },
    }
    agenda = {
        **full,
        "kind": "agenda",
        "section": "agenda",
        "sittings": [
            {"key": "b", "date": "2026-12-05", "until": "2026-12-06", "status": "moved"},
            {
                "key": "a",
                "start": "2026-12-07T14:00",
                "end": "2026-12-07T15:00",
                "timezone": "Europe/Athens",
                "languages": ["el"],
                "title": {"en": "First"},
                "links": [{"action": "watch", "url": "https://a.example/w"}],
                "place": {"city": "Patras", "country": "GR"},
            },
        ],
    }
    entries = [an_entry("full", **full), an_entry("agenda", **agenda), an_entry()]
    client = desk_client(fill(blank, *entries), app=app)
    for entry in entries:
        editor = client.get(f"{PATH}/{entry.key}")
        done = followed(client, client.post(f"{PATH}/{entry.key}", fields_of(editor.text)))
        assert "Nothing was different." in words_of(done), entry.key


def test_two_officers_who_meet_are_shown_both_and_nothing_is_lost(pipeline, anna, bruno, clock):
    form = fields_of(anna.get(f"{PATH}/quay").text)
    clock.forward(minutes=1)
    anna.post(f"{PATH}/quay", form | {"title.en": "Anna’s quay", "title.fr": "Le quai d’Anna"})
    clock.forward(minutes=1)
    met = bruno.post(f"{PATH}/quay", form | {"title.en": "Bruno’s quay", "body.fr": "Les mots de Bruno."})

    assert met.status_code == 409
    shown = words_of(met)
    assert "Anna saved this entry" in shown
    assert "Title (fr)" in shown
    merged = {
        **fields_of_merge(met.text),
        "choice.title.en": "edit",
        "edit.title.en": "Anna’s and Bruno’s quay",
    }
    done = followed(bruno, bruno.post(f"{PATH}/quay/merge", merged))
    assert "Saved." in words_of(done)
    now = sheet(pipeline)
    assert now["title.en"] == "Anna’s and Bruno’s quay"
    assert now["title.fr"] == "Le quai d’Anna"
    assert now["body.fr"] == "Les mots de Bruno."
    history = anna.get(f"{PATH}/quay/history")
    assert "Not taken" in words_of(history)


def fields_of_merge(text):
    """What a browser would send of the form that settles a conflict."""
    (form,) = [form for form in page.fromstring(text).forms if form.action.endswith("/merge")]
    return {name: value for name, value in form.form_values() if name != "csrf"}


def test_theirs_is_taken_when_theirs_is_chosen(pipeline, anna, bruno):
    form = fields_of(anna.get(f"{PATH}/quay").text)
    anna.post(f"{PATH}/quay", form | {"title.en": "Anna’s quay"})
    met = bruno.post(f"{PATH}/quay", form | {"title.en": "Bruno’s quay", "tags": "stone"})
    chosen = fields_of_merge(met.text) | {"choice.title.en": "theirs"}
    followed(bruno, bruno.post(f"{PATH}/quay/merge", chosen))
    assert (sheet(pipeline)["title.en"], sheet(pipeline)["tags"]) == ("Anna’s quay", ["stone"])


@pytest.mark.parametrize("sent", ["", "no json", "[1]", '{"title.en": 7, "kind": []}'])
def test_a_merge_that_no_page_of_ours_sends_is_refused(pipeline, anna, sent):
    before = sheet(pipeline)
    base = pipeline.writing.open("quay", newsletter="rivers").stored.revision
    assert anna.post(f"{PATH}/quay/merge", {"base": str(base), "sheet": sent}).status_code == 422
    assert sheet(pipeline) == before


def test_what_is_typed_is_kept_and_given_back_to_who_typed_it(pipeline, anna, bruno):
    form = fields_of(anna.get(f"{PATH}/quay").text)
    typed = {"base": 1, "fields": form | {"title.en": ["The half-writ"], "body.en": ["1. Dezember war ein Tag"]}}
    told = anna.post_json(f"{PATH}/quay/draft", typed)
    assert told.status_code == 200
    assert told.json()["words"] == "Kept, not yet saved"
    long = {tag: ["é" * 50_000] for tag in ("body.fr", "body.es")}
    assert anna.post_json(f"{PATH}/quay/draft", typed | {"fields": typed["fields"] | long}).status_code == 200
    assert "Line 1" in told.json()["notes"]["body.en"][0]
    back = anna.get(f"{PATH}/quay")
    assert "you have not saved yet" in words_of(back)
    assert fields_of(back.text)["title.en"] == ["The half-writ"]
    assert "Anna is writing here, too." in words_of(bruno.get(f"{PATH}/quay"))
    assert fields_of(bruno.get(f"{PATH}/quay").text)["title.en"] == ["The quay"]
    assert sheet(pipeline)["title.en"] == "The quay"
    gone = followed(anna, anna.post(f"{PATH}/quay/drop"))
    assert fields_of(gone.text)["title.en"] == ["The quay"]


def test_a_draft_of_sittings_is_given_back_as_it_was_typed(blank, app):
    walk = an_entry("walk", kind="agenda", section="agenda", sittings=[{"key": "one", "date": "2026-12-05"}])
    client = desk_client(fill(blank, walk), app=app)
    form = fields_of(client.get(f"{PATH}/walk").text)
    typed = form | {"sitting-0-first": ["2026-12-0"], "sitting-0-title-en": ["Half a walk"]}
    assert client.post_json(f"{PATH}/walk/draft", {"base": 1, "fields": typed}).status_code == 200
    assert fields_of(client.get(f"{PATH}/walk").text)["sitting-0-title-en"] == ["Half a walk"]


@pytest.mark.parametrize(
    "body", [{}, {"base": "1", "fields": {}}, {"base": 1, "fields": {"title.en": "x"}}, {"base": 1}]
)
def test_a_draft_that_no_script_of_ours_sends_is_refused(anna, body):
    assert anna.post_json(f"{PATH}/quay/draft", body).status_code == 422


def test_what_cannot_be_saved_is_shown_again_with_what_is_wrong_beside_it(pipeline, anna):
    form = fields_of(anna.get(f"{PATH}/quay").text)
    wrong = form | {
        "title.fr": "",
        "link.en.0.url": "javascript:alert(1)",
        "link.en.0.label": "Here",
        "published": "soon",
    }
    refused = anna.post(f"{PATH}/quay", wrong)
    assert refused.status_code == 422
    shown = fields_of(refused.text)
    assert shown["link.en.0.url"] == ["javascript:alert(1)"]
    text = words_of(refused)
    assert "Not saved yet." in text
    for words in ("Give it a title", "A link has an address", "Write the day as"):
        assert words in text
    assert fields_of(anna.get(f"{PATH}/quay").text)["link.en.0.label"] == ["Here"]
    assert sheet(pipeline)["title.fr"] == "Le quai"


def test_a_published_agenda_entry_needs_a_date(anna):
    anna.post(PATH, {"kind": "agenda", "title": "A walk", "language": "en"})
    form = fields_of(anna.get(f"{PATH}/a-walk").text)
    assert followed(anna, anna.post(f"{PATH}/a-walk", form)).status_code == 200
    refused = anna.post(f"{PATH}/a-walk", form | {"then": "publish"})
    assert refused.status_code == 422
    assert "at least one sitting" in words_of(refused)


def test_a_change_says_which_issues_must_be_approved_again(pipeline, anna):
    put_in_issue(pipeline, state=IssueState.APPROVED)
    form = fields_of(anna.get(f"{PATH}/quay").text)
    done = followed(anna, anna.post(f"{PATH}/quay", form | {"title.en": "The old quay"}))
    assert "These issues have to be approved again: 2026-12." in words_of(done)


def test_a_stale_translation_is_compared_and_called_right(anna):
    form = fields_of(anna.get(f"{PATH}/quay").text)
    anna.post(f"{PATH}/quay", form | {"body.en": "It is very old.\n\nIt leaks."})
    editor = anna.get(f"{PATH}/quay")
    assert "Older than the original" in words_of(editor)
    compared = anna.get(f"{PATH}/quay/compare/fr")
    assert "<ins>very </ins>" in compared.text
    assert anna.post(f"{PATH}/quay/compare/fr", {"seen": "another"}).headers["location"].endswith("/compare/fr")
    seen = fields_of(editor.text, "right-fr")["seen"][0]
    done = followed(anna, anna.post(f"{PATH}/quay/compare/fr", {"seen": seen}))
    assert "Older than the original" not in words_of(done)


def test_an_earlier_version_is_looked_at_and_restored(pipeline, anna):
    form = fields_of(anna.get(f"{PATH}/quay").text)
    anna.post(f"{PATH}/quay", form | {"title.en": "The old quay"})
    versions = re.findall(rf"{PATH}/quay/history/(\d+)", anna.get(f"{PATH}/quay/history").text)
    shown = anna.get(f"{PATH}/quay/history/{versions[0]}")
    assert "<ins>old </ins>" in shown.text
    done = followed(anna, anna.post(f"{PATH}/quay/history/{versions[-1]}/restore"))
    assert "Restored." in words_of(done)
    assert sheet(pipeline)["title.en"] == "The quay"
    again = followed(anna, anna.post(f"{PATH}/quay/history/{versions[-1]}/restore"))
    assert "The entry is so already." in words_of(again)


def test_an_entry_is_copied_renamed_withdrawn_and_deleted(pipeline, anna):
    copy = anna.post(f"{PATH}/quay/copy").headers["location"]
    assert copy == f"{PATH}/quay-2"
    assert anna.post(f"{copy}/rename", {"key": "dock"}).headers["location"] == f"{PATH}/dock"
    assert "has small letters" in words_of(followed(anna, anna.post(f"{PATH}/dock/rename", {"key": "No Key"})))
    assert "stays as it is" in words_of(followed(anna, anna.post(f"{PATH}/dock/rename", {"key": "quay"})))
    anna.post(f"{PATH}/quay/withdraw")
    assert pipeline.writing.open("quay", newsletter="rivers").stored.entry.status is Status.WITHDRAWN
    assert "Publish again" in words_of(anna.get(f"{PATH}/quay"))
    assert "The entry is deleted." in words_of(followed(anna, anna.post(f"{PATH}/dock/delete")))
    assert anna.get(f"{PATH}/dock").status_code == 404


def test_a_copy_keeps_what_sittings_say_and_asks_for_their_dates(blank, app):
    sittings = [
        {
            "key": "a",
            "start": "2026-12-05T14:00",
            "timezone": "Europe/Athens",
            "languages": ["el"],
            "title": {"en": "First", "fr": "Premier"},
            "links": [{"label": {"fr": "Ici"}, "url": "https://a.example/w"}],
            "place": {"city": "Patras", "name": {"fr": "Port"}, "country": "GR"},
        },
        {"key": "b", "date": "2026-12-06"},
    ]
    client = desk_client(fill(blank, an_entry("walk", kind="agenda", section="agenda", sittings=sittings)), app=app)
    editor = followed(client, client.post(f"{PATH}/walk/copy"))
    assert "Its sittings wait for their dates." in words_of(editor)
    form = fields_of(editor.text)
    assert (form["sitting-0-title-fr"], form["sitting-0-start"]) == (["Premier"], [""])
    followed(client, client.post(f"{PATH}/walk-2", form | {"sitting-0-start": "2027-12-05T14:00"}))
    (sitting,) = blank.writing.open("walk-2", newsletter="rivers").stored.entry.sittings
    original = blank.writing.open("walk", newsletter="rivers").stored.entry.sittings[0]
    assert sitting.model_dump(exclude={"key", "start"}) == original.model_dump(exclude={"key", "start"})


def test_a_draft_that_comes_in_after_its_words_were_saved_is_none(anna):
    form = fields_of(anna.get(f"{PATH}/quay").text) | {"title.en": ["The old quay"]}
    followed(anna, anna.post(f"{PATH}/quay", form))
    assert anna.post_json(f"{PATH}/quay/draft", {"base": 1, "fields": form}).status_code == 200
    assert "not saved yet" not in words_of(anna.get(f"{PATH}/quay"))


def test_the_columns_that_are_open_stay_open_after_saving(anna):
    form = fields_of(anna.get(f"{PATH}/quay?show=en,es").text)
    assert form["show"] == ["en,es"]
    saved = anna.post(f"{PATH}/quay", form | {"title.es": "El muelle"})
    assert saved.headers["location"] == f"{PATH}/quay?show=en%2Ces"
    assert fields_of(followed(anna, saved).text)["show"] == ["en,es"]
    assert fields_of(anna.post(f"{PATH}/quay", form | {"title.en": ""}).text)["show"] == ["en,es"]


def test_half_a_sitting_is_kept_although_it_is_none_yet(anna):
    anna.post(PATH, {"kind": "agenda", "title": "A walk", "language": "en"})
    form = fields_of(anna.get(f"{PATH}/a-walk").text)
    typed = form | {"sitting-0-title-en": ["Half a walk"]}
    assert anna.post_json(f"{PATH}/a-walk/draft", {"base": 1, "fields": typed}).status_code == 200
    assert fields_of(anna.get(f"{PATH}/a-walk").text)["sitting-0-title-en"] == ["Half a walk"]


def test_an_entry_of_an_issue_is_not_deleted(pipeline, anna):
    put_in_issue(pipeline)
    editor = anna.get(f"{PATH}/quay")
    assert "Delete…" not in editor.text
    assert "/desk/n/rivers/issues/2026-12" in editor.text
    assert "stands in an issue" in words_of(followed(anna, anna.post(f"{PATH}/quay/delete")))


def test_a_viewer_looks_and_changes_nothing(pipeline, app):
    vera = desk_client(pipeline, role=Role.VIEWER, name="vera", app=app)
    editor = vera.get(f"{PATH}/quay")
    assert editor.status_code == 200
    assert "<fieldset disabled>" in editor.text
    assert 'name="then"' not in editor.text
    assert vera.get(f"{PATH}/quay/history").status_code == 200
    for way in ("", "/quay", "/quay/draft", "/quay/copy", "/quay/delete", "/quay/merge", "/quay/history/1/restore"):
        assert vera.post(f"{PATH}{way}", {"title": "x"}).status_code == 403


def test_what_people_wrote_stays_text_on_every_page(blank, app, clock):
    hostile = {
        "topic": SCRIPT,
        "tags": [SCRIPT],
        "place": {"name": SCRIPT, "city": {"en": SCRIPT}},
        "image": {"url": "https://a.example/i.jpg", "alt": SCRIPT, "credit": SCRIPT},
        "texts": {
            tag: {"title": SCRIPT, "body": SCRIPT, "links": [{"label": SCRIPT, "url": "https://a.example"}]}
            for tag in ("en", "fr")
        },
    }
    walk = {
        **hostile,
        "kind": "agenda",
        "sittings": [{"key": "one", "date": "2026-12-05", "title": SCRIPT, "body": SCRIPT}],
    }
    pipeline = fill(blank, an_entry(**hostile), an_entry("walk", **walk))
    anna, bruno = (desk_client(pipeline, name=name, app=app) for name in (SCRIPT[:60], "bruno"))
    form = fields_of(anna.get(f"{PATH}/quay").text)
    anna.post_json(f"{PATH}/quay/draft", {"base": 1, "fields": form | {"title.fr": [SCRIPT + "draft"]}})
    shown = [bruno.get(f"{PATH}/quay"), anna.get(f"{PATH}/quay")]
    clock.forward(minutes=1)
    anna.post(f"{PATH}/quay", form | {"body.en": SCRIPT + "anna"})
    shown += [bruno.post(f"{PATH}/quay", form | {"body.en": SCRIPT + "bruno"})]
    shown += [
        bruno.post(f"{PATH}/quay", form | {"kind": SCRIPT, "section": SCRIPT, "published": SCRIPT, "source": SCRIPT})
    ]
    versions = re.findall(rf"{PATH}/quay/history/(\d+)", bruno.get(f"{PATH}/quay/history").text)
    addresses = [
        f"{PATH}?q={SCRIPT}",
        f"{PATH}/new?kind={SCRIPT}",
        f"{PATH}/walk",
        f"{PATH}/quay/history",
        f"{PATH}/quay/compare/fr",
        *(f"{PATH}/quay/history/{version}" for version in versions),
    ]
    shown += [bruno.get(address) for address in addresses]
    assert len(versions) >= 3
    for answer in shown:
        assert answer.status_code in {200, 409, 422}, answer.request.url
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
    assert sum(html.escape(SCRIPT, quote=False)[:20] in answer.text for answer in shown) > 6


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_word_that_pages_look_up_is_in_the_catalogue(language):
    words = desk_words(language)
    looked_up = [
        *((sentence, "") for sentence in (*SENTENCES, *TRAPS.values())),
        *((name, "kind") for name in KINDS.values()),
        *((name, "entry") for name, _ in STATUSES.values()),
        *((name, "texts") for name in STATES.values()),
        *((name, "field") for name in FIELDS.values()),
    ]
    assert [message for message, context in looked_up if not words.knows(message, context=context)] == []


def test_the_table_comes_in_pages_and_asks_as_little_of_many_entries_as_of_few(pipeline, anna):
    asked = []

    def note(_connection, _cursor, statement, *_others):
        asked.append(statement)

    event.listen(pipeline.parts.engine, "before_cursor_execute", note)
    anna.get(PATH)
    few = len(asked)
    with pipeline.parts.sessions() as session:
        many = [an_entry(f"e-{number}", published=f"2026-{number % 9 + 1:02}-01") for number in range(200)]
        newsletter_id, _ = store.get_newsletter(session, "rivers")
        store.save_entries(session, newsletter_id, entries=many, now=pipeline.parts.now())
        session.commit()
    asked.clear()
    first = anna.get(f"{PATH}?q=quai&state=missing")
    event.remove(pipeline.parts.engine, "before_cursor_execute", note)
    assert len(asked) <= few
    assert first.text.count('class="row-link"') == 50
    (further,) = re.findall(r'href="(\?[^"]*after=[^"]*)"', first.text)
    second = anna.get(PATH + html.unescape(further))
    assert second.text.count('class="row-link"') == 50
    assert "before=" in second.text
