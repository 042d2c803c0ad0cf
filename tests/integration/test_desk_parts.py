"""What the form of an entry asks for while it is filled in: sittings, picture, block, pasting; and topics."""

import io
import re

import pytest
from databases import copy_of
from integration.desk import desk_client
from integration.writing import an_entry, rivers
from lxml import html as page
from PIL import Image
from sqlalchemy import select
from sqlmodel import col

from newsletter.accounts.models import AuditRow, Deed
from newsletter.accounts.operator import Role
from newsletter.content import store as content
from newsletter.content.newsletter import Topic
from newsletter.database import open_engine
from newsletter.errors import NotFound
from newsletter.web.app import create_app
from newsletter.web.desk.parts.picture import REFUSALS
from newsletter.web.desk.parts.view import ACTIONS, STATUSES
from newsletter.web.desk.words import desk_words

ENTRIES = "/desk/n/rivers/entries"
TOPICS = "/desk/n/rivers/topics"
SCRIPT = "<script>alert('x')</script>"
AGENDA = {
    "kind": "agenda",
    "section": "agenda",
    "sittings": [{"key": "walk", "start": "2026-12-01T14:00", "end": "2026-12-01T15:30"}],
}


@pytest.fixture(scope="module")
def pipeline(ready, tmp_path_factory):
    """One for all tests here: making the application takes longer than any of them; each has entries of its own."""
    folder = tmp_path_factory.mktemp("parts")
    engine = open_engine(copy_of(ready, folder / "newsletter.sqlite"))
    yield rivers(engine, folder, an_entry(), an_entry("walk", **AGENDA), an_entry("stroll", **AGENDA))
    engine.dispose()


@pytest.fixture(scope="module")
def app(pipeline):
    return create_app(pipeline)


@pytest.fixture(scope="module")
def officer(pipeline, app):
    return desk_client(pipeline, app=app)


@pytest.fixture(scope="module")
def amelie(pipeline, app):
    return desk_client(pipeline, name="amelie", language="fr", app=app)


@pytest.fixture(scope="module")
def viewer(pipeline, app):
    return desk_client(pipeline, role=Role.VIEWER, app=app)


def stored(pipeline, *entries):
    with pipeline.parts.sessions() as session:
        newsletter_id, _ = content.get_newsletter(session, "rivers")
        content.save_entries(session, newsletter_id, entries=entries, now=pipeline.parts.now())
        session.commit()


def deeds(pipeline, deed):
    with pipeline.parts.sessions() as session:
        return session.scalars(select(AuditRow).where(col(AuditRow.action) == deed.value)).all()


def photograph(kind="JPEG", size=(1500, 900)):
    target = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(target, kind)
    return target.getvalue()


def form_of(officer, key="quay"):
    """What a browser would send of the editor's form that nobody has touched."""
    (form,) = page.fromstring(officer.get(f"{ENTRIES}/{key}").text).xpath("//form[@id='entry']")
    found = {}
    for name, value in form.form_values():
        found.setdefault(name, []).append(value)
    return {name: values for name, values in found.items() if name != "csrf"}


SITTING = {"sitting-count": "1", "sitting-languages": "en fr", "sitting-0-start": "2027-03-28T02:30"}


def test_readers_words_are_shown_while_a_sitting_is_entered(officer):
    shown = officer.post(f"{ENTRIES}/new/sittings/words", SITTING).text
    assert 'id="sitting-0-words"' in shown
    assert 'hx-swap-oob="innerHTML"' in shown
    assert "dimanche 28 mars 2027, 03:00 CEST" in shown
    assert "There is no 02:30 on that night: the clocks go forward. It is taken as 03:00 CEST." in shown


def test_an_hour_that_comes_twice_is_told(officer):
    twice = SITTING | {"sitting-0-start": "2026-10-25T02:30"}
    assert "There are two 02:30 on that night" in officer.post(f"{ENTRIES}/new/sittings/words", twice).text


def test_cards_come_and_go_with_what_was_typed(officer):
    added = officer.post(f"{ENTRIES}/new/sittings", {**SITTING, "do": "add"}).text
    assert re.findall(r'name="(sitting-\d-start)" type="datetime-local" value="([^"]*)"', added) == [
        ("sitting-0-start", "2027-03-28T02:30"),
        ("sitting-1-start", ""),
    ]
    assert "noscript" not in added
    removed = officer.post(f"{ENTRIES}/new/sittings", {**SITTING, "do": "remove-0"}).text
    assert "2027-03-28" not in removed


def test_a_picture_is_stored_once_and_shown(pipeline, officer):
    names, data = set(), photograph(size=(1500, 1000))
    for _ in range(2):
        answer = officer.post(
            f"{ENTRIES}/quay/picture",
            {"picture-languages": "en fr", "picture-alt-en": "A quay"},
            files={"picture-upload-*": ("quay.jpg", data, "image/jpeg")},
        )
        names.update(re.findall(r'name="picture-file-\*" value="([^"]+)"', answer.text))
        assert 'value="A quay"' in answer.text
    (name,) = names
    assert officer.get(f"/media/{name}").content[:3] == b"\xff\xd8\xff"
    lines = [line.about for line in deeds(pipeline, Deed.PICTURE_STORED) if name in line.about]
    assert [line.partition(" pixels")[0] for line in lines] == [f"{name}, 1200 × 800"]


def test_a_file_that_is_no_picture_is_told_in_the_officers_language(amelie):
    answer = amelie.post(
        f"{ENTRIES}/quay/picture",
        {"picture-languages": "en fr"},
        files={"picture-upload-*": ("quay.svg", b"<svg><script>alert(1)</script></svg>", "image/svg+xml")},
    )
    assert "enregistrez l’image" in answer.text
    assert "script&gt;" not in answer.text


def test_the_block_is_made_of_what_is_typed_and_nothing_is_stored(pipeline, officer):
    typed = form_of(officer) | {"title.fr": "Le quai neuf", "body.fr": "Il **tient**.", "block-language": "fr"}
    block = officer.post(f"{ENTRIES}/quay/block", typed)
    assert "Le quai neuf" in block.text
    assert "<strong>tient</strong>" in block.text
    assert "The quay" not in block.text
    assert pipeline.entries.entry("quay", newsletter="rivers").entry.texts["fr"].title == "Le quai"


def test_the_block_falls_back_as_the_edition_does_and_knows_light_and_dark(officer):
    light = officer.post(f"{ENTRIES}/quay/block", form_of(officer) | {"block-language": "es"}).text
    dark = officer.post(f"{ENTRIES}/quay/block", form_of(officer) | {"block-language": "es", "block-dark": "1"}).text
    assert 'lang="en"' in light
    assert light != dark
    assert "prefers-color-scheme" not in light + dark


def test_nothing_runs_in_the_frame_and_it_loads_nothing_from_elsewhere(officer):
    typed = form_of(officer) | {"title.en": SCRIPT, "body.en": f"{SCRIPT} [x](javascript:alert(1))"}
    block = officer.post(f"{ENTRIES}/quay/block", typed)
    policy = block.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "img-src 'self';" in policy
    assert "sandbox allow-same-origin" in policy
    assert "frame-ancestors 'self'" in policy
    assert "<script" not in block.text
    assert "&lt;script&gt;" in block.text
    everywhere = officer.post(f"{ENTRIES}/quay/block", typed | {"block-pictures": "1"})
    assert "img-src 'self' https:" in everywhere.headers["content-security-policy"]


def test_what_is_missing_stands_where_the_block_will_be(officer):
    answer = officer.post(f"{ENTRIES}/quay/block", form_of(officer) | {"title.en": ""})
    assert "Give it a title" in answer.text
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]


def test_an_edition_that_does_not_have_the_entry_says_so(officer):
    answer = officer.post(f"{ENTRIES}/quay/block", form_of(officer) | {"languages": ["en"], "block-language": "fr"})
    assert "This edition does not have it." in answer.text


def test_an_agenda_entry_stands_as_a_line_with_its_sittings(officer):
    block = officer.post(f"{ENTRIES}/walk/block", form_of(officer, "walk")).text
    assert "December 1, 2026" in re.sub(r"\s+", " ", block)


def test_a_stored_picture_is_shown_from_where_the_desk_is(pipeline, officer):
    picture = pipeline.pictures.store(photograph(), "quay.jpg")
    typed = form_of(officer) | {"picture-file-*": picture.name, "picture-alt-en": "A quay"}
    assert f'src="/media/{picture.name}"' in officer.post(f"{ENTRIES}/quay/block", typed).text


def test_pasted_html_comes_back_as_markdown(officer):
    answer = officer.post_json("/desk/paste", {"html": f"<p><b>old</b> quay{SCRIPT}</p>"})
    assert answer.json() == {"markdown": "**old** quay"}
    assert officer.post_json("/desk/paste", {"html": 3}).status_code == 422


def test_the_form_of_an_entry_has_its_parts(officer, viewer):
    shown = officer.get(f"{ENTRIES}/walk").text
    for part in ('id="sitting-cards"', 'id="picture"', 'id="block-view"', 'id="md-tools"', 'id="zones"'):
        assert shown.count(part) == 1
    assert "mardi 1er décembre 2026, 14:00–15:30 CET" in shown
    assert viewer.post(f"{ENTRIES}/walk/sittings", SITTING).status_code == 403


def test_sittings_and_picture_are_saved_with_the_entry(pipeline, officer):
    typed = form_of(officer, "stroll") | {
        "sitting-count": "2",
        "sitting-1-all_day": "1",
        "sitting-1-first": "2026-12-24",
        "picture-alt-en": "A quay",
    }
    answer = officer.post(
        f"{ENTRIES}/stroll", typed, files={"picture-upload-*": ("quay.png", photograph("PNG"), "image/png")}
    )
    assert answer.status_code == 303
    entry = pipeline.entries.entry("stroll", newsletter="rivers").entry
    assert [sitting.key for sitting in entry.sittings] == ["walk", "2026-12-24"]
    assert set(entry.image.file) == {"*"}


# --- Topics


def test_a_topic_is_made_changed_and_deleted(pipeline, officer):
    shown = officer.get(TOPICS).text
    assert "New topic" in shown
    made = officer.post(f"{TOPICS}/new", {"languages": "en fr", "name-en": "Night Quays", "credit-fr": "Cofinancé"})
    assert (made.status_code, made.headers["location"]) == (303, TOPICS)
    assert pipeline.topics.shown("rivers").topics["night-quays"].name == {"en": "Night Quays"}
    changed = officer.post(
        f"{TOPICS}/night-quays/edit",
        {"languages": "en fr", "name-en": "Nights", "url": "https://nights.example"},
        files={"logo": ("logo.png", photograph("PNG", (80, 40)), "image/png")},
    )
    assert changed.status_code == 303
    topic = pipeline.topics.shown("rivers").topics["night-quays"]
    assert (topic.url, topic.credit) == ("https://nights.example", {})
    assert topic.logo.url.startswith(pipeline.parts.links.picture(""))
    assert "Nights" in officer.get(f"{TOPICS}/night-quays/edit").text
    assert officer.post(f"{TOPICS}/night-quays/delete").status_code == 303
    assert "night-quays" not in pipeline.topics.shown("rivers").topics
    assert [line.about for line in deeds(pipeline, Deed.TOPIC_DELETED)] == ["rivers: night-quays"]
    changes = [line.about for line in deeds(pipeline, Deed.TOPIC_CHANGED)]
    assert changes.count("rivers: night-quays") == 2


def test_a_topic_that_entries_have_stays(pipeline, officer):
    stored(pipeline, an_entry("one", topic="silt"), an_entry("two", topic="silt"), an_entry("three", topic="Other"))
    assert pipeline.topics.shown("rivers").uses == {"silt": 2, "Other": 1}
    assert "2 entries have this topic" in officer.get(f"{TOPICS}/silt/edit").text
    refused = officer.post(f"{TOPICS}/silt/delete")
    assert refused.status_code == 409
    assert "silt" in pipeline.topics.shown("rivers").topics


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Give it a name."),
        ({"name-en": "x", "url": "javascript:alert(1)"}, "A link begins with https://"),
        ({"name-en": "x", "key": "No Key"}, "A key is small letters and digits"),
        ({"name-en": "x", "logo-url": "nowhere"}, "The address begins with https://."),
        ({"name-en": "x", "key": "silt"}, "There is a topic with this key already."),
    ],
)
def test_what_is_wrong_with_a_topic_is_told(officer, sent, said):
    answer = officer.post(f"{TOPICS}/new", {"languages": "en fr", **sent})
    assert answer.status_code == 422
    assert said in answer.text


def test_a_topic_of_nobody_is_not_found(pipeline, officer):
    assert officer.get(f"{TOPICS}/nothing/edit").status_code == 404
    assert officer.post(f"{TOPICS}/nothing/delete").status_code == 404
    with pytest.raises(NotFound):
        pipeline.topics.save("rivers", Topic(key="nothing", name={"en": "x"}))


def test_a_script_in_a_topic_stays_text(pipeline, officer):
    pipeline.topics.save("rivers", Topic(key="silt", name={"en": SCRIPT}, credit={"en": SCRIPT}))
    for path in (TOPICS, f"{TOPICS}/silt/edit"):
        shown = officer.get(path).text
        assert SCRIPT not in shown
        assert "&lt;script&gt;" in shown


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)
def test_uses_are_counted_in_either_database(engine, tmp_path):
    pipeline = rivers(engine, tmp_path)
    stored(pipeline, an_entry("one", topic="silt"), an_entry("two"))
    assert pipeline.topics.shown("rivers").uses == {"silt": 1}


def test_all_words_that_are_chosen_by_a_value_are_in_every_catalogue():
    for language in ("en", "fr"):
        words = desk_words(language)
        assert all(words.knows(each) for each in (*ACTIONS.values(), *REFUSALS.values()))
        assert all(words.knows(each, context="sitting") for each in STATUSES.values())
