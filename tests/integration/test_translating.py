"""Translators' documents: out of the desk, and back in without a loss."""

import io

import pytest
from databases import copy_of
from docx import Document
from integration.desk import desk_client
from integration.signing import Clock
from integration.writing import START, an_entry, rivers
from lxml import html as page
from sqlalchemy import select
from sqlmodel import col

from newsletter.accounts.models import AuditRow, Deed
from newsletter.content import store as content
from newsletter.content.matrix import Completeness
from newsletter.content.translations import Labels, NoDocument, read_document
from newsletter.database import open_engine
from newsletter.errors import InvalidInput
from newsletter.pipeline.translating import Fate
from newsletter.web.app import create_app

PATH = "/desk/n/rivers/translations"
LABELS = Labels(heading="h", advice="a", source="s", translation="t", title="Title", body="Text", link="Link")


@pytest.fixture
def clock():
    return Clock(START)


@pytest.fixture
def either(engine, tmp_path, clock):
    return rivers(engine, tmp_path, clock=clock)


@pytest.fixture
def pipeline(chosen_engine, tmp_path, clock):
    return rivers(chosen_engine, tmp_path, clock=clock)


def put(pipeline, *entries):
    with pipeline.parts.sessions() as session:
        newsletter_id, _ = content.get_newsletter(session, "rivers")
        content.save_entries(session, newsletter_id, entries=entries, now=pipeline.parts.now())
        session.commit()


def entry(pipeline, key="quay"):
    return pipeline.entries.entry(key, newsletter="rivers")


def with_text(language, key="quay", **text):
    texts = {
        "en": {"title": "The quay", "body": "It is old.\n\nIt leaks."},
        "fr": {"title": "Le quai", "body": "Il est vieux.\n\nIl fuit."},
    }
    return an_entry(key, texts=texts | {language: texts.get(language, {}) | text})


def filled(data, words):
    """The document with `words` in the cells of its texts, by key and part."""
    opened = Document(io.BytesIO(data))
    for table in opened.tables:
        for row in table.rows[1:]:
            code = row.cells[0].text
            for (key, part), said in words.items():
                if f"/{key}/" in code and f"#{part}@" in code:
                    row.cells[2].text = said
    target = io.BytesIO()
    opened.save(target)
    return target.getvalue()


def document(pipeline, language="es", **given):
    return pipeline.translating.document("rivers", language, labels=LABELS, **given)


SPANISH = {("quay", "title"): "El muelle", ("quay", "body"): "Es **viejo**.\n\nGotea."}


def test_what_is_wanting_is_counted_by_language(either):
    put(either, with_text("en", body="It was mended."), with_text("fr", key="lock"))
    _, needs = either.translating.needs("rivers")
    assert [(need.language, need.missing, need.stale) for need in needs] == [("en", 0, 0), ("fr", 0, 1), ("es", 2, 0)]


def test_a_missing_text_goes_out_and_comes_back(either):
    returned = either.translating.look("rivers", filled(document(either), SPANISH))
    assert [each.fate for each in returned] == [Fate.TAKEN]
    assert "es" not in entry(either).entry.texts
    either.translating.take("rivers", [each.incoming for each in returned])
    text = entry(either).entry.texts["es"]
    assert (text.title, text.body) == ("El muelle", "Es **viejo**.\n\nGotea.")
    assert entry(either).stale == frozenset()
    with either.parts.sessions() as session:
        taken = select(col(AuditRow.about)).where(col(AuditRow.action) == Deed.TRANSLATION_TAKEN.value)
        assert session.scalars(taken).all() == ["rivers/quay (es)"]


def test_a_stale_text_goes_out_with_what_it_says_and_comes_back_fresh(pipeline):
    put(pipeline, with_text("en", body="It was mended."))
    out = document(pipeline, "fr", states=[Completeness.STALE])
    (back,) = read_document(out)
    assert (back.title, back.body) == ("Le quai", "Il est vieux.\n\nIl fuit.")
    (same,) = pipeline.translating.look("rivers", out)
    assert same.fate is Fate.SAME
    returned = pipeline.translating.look("rivers", filled(out, {("quay", "body"): "Il est réparé."}))
    pipeline.translating.take("rivers", [each.incoming for each in returned])
    assert entry(pipeline).entry.texts["fr"].body == "Il est réparé."
    assert entry(pipeline).stale == frozenset()


def test_what_was_changed_at_the_desk_meanwhile_is_not_overwritten(pipeline):
    back = filled(document(pipeline, "fr", keys=["quay"]), {("quay", "title"): "Le vieux quai"})
    put(pipeline, with_text("fr", title="Le quai du port"))
    (returned,) = pipeline.translating.look("rivers", back)
    assert (returned.fate, returned.present.title, returned.text.title) == (
        Fate.CONFLICT,
        "Le quai du port",
        "Le vieux quai",
    )
    pipeline.translating.take("rivers", [returned.incoming])
    assert entry(pipeline).entry.texts["fr"].title == "Le quai du port"
    pipeline.translating.take("rivers", [returned.incoming], also=["quay/fr"])
    assert entry(pipeline).entry.texts["fr"].title == "Le vieux quai"


def test_words_for_an_older_original_are_taken_only_where_somebody_says_so(pipeline):
    back = filled(document(pipeline), SPANISH)
    put(pipeline, with_text("en", body="It was mended."))
    (returned,) = pipeline.translating.look("rivers", back)
    assert returned.fate is Fate.OUTDATED
    pipeline.translating.take("rivers", [returned.incoming])
    assert "es" not in entry(pipeline).entry.texts


def test_what_changes_between_looking_and_taking_is_judged_again(pipeline):
    (returned,) = pipeline.translating.look("rivers", filled(document(pipeline), SPANISH))
    put(pipeline, with_text("es", title="El malecón"))
    (taken,) = pipeline.translating.take("rivers", [returned.incoming])
    assert taken.fate is Fate.CONFLICT
    assert entry(pipeline).entry.texts["es"].title == "El malecón"


@pytest.mark.parametrize(
    ("words", "fate"),
    [
        ({}, Fate.BLANK),
        ({("quay", "title"): ""}, Fate.BLANK),
        ({("quay", "body"): "Gotea."}, Fate.REFUSED),
        ({("quay", "title"): "x" * 501}, Fate.REFUSED),
    ],
)
def test_what_is_no_text_is_left(pipeline, words, fate):
    (returned,) = pipeline.translating.look("rivers", filled(document(pipeline), words))
    assert returned.fate is fate
    assert pipeline.translating.take("rivers", [returned.incoming])[0].fate is fate
    assert "es" not in entry(pipeline).entry.texts


def test_a_text_of_an_entry_that_is_gone_is_told(pipeline):
    put(pipeline, an_entry("gone"))
    back = filled(document(pipeline), {("gone", "title"): "Fue"})
    pipeline.writing.shelf.delete("gone", newsletter="rivers")
    fates = {each.incoming.key: each.fate for each in pipeline.translating.look("rivers", back)}
    assert fates == {"gone": Fate.UNKNOWN, "quay": Fate.BLANK}


def test_labels_of_links_are_translated_and_calls_to_action_stay(pipeline):
    links = [{"action": "register", "url": "https://a.example"}, {"label": "Plan", "url": "https://b.example"}]
    put(pipeline, an_entry("quay", texts={"en": {"title": "The quay", "links": links}}))
    back = filled(document(pipeline), SPANISH | {("quay", "link1"): "Plano"})
    (returned,) = pipeline.translating.look("rivers", back)
    assert [(link.action, link.label, link.url) for link in returned.text.links] == [
        ("register", None, "https://a.example"),
        (None, "Plano", "https://b.example"),
    ]


def test_a_language_with_nothing_to_do_has_no_document(pipeline):
    with pytest.raises(InvalidInput):
        document(pipeline, "fr")
    with pytest.raises(InvalidInput):
        document(pipeline, "de")
    with pytest.raises(NoDocument):
        pipeline.translating.look("rivers", b"no document")


# --- The pages


@pytest.fixture(scope="module")
def desk(ready, tmp_path_factory):
    """One for all pages: making the application takes longer than asking for any of them."""
    folder = tmp_path_factory.mktemp("translating")
    engine = open_engine(copy_of(ready, folder / "newsletter.sqlite"))
    yield rivers(engine, folder)
    engine.dispose()


@pytest.fixture(scope="module")
def officer(desk):
    return desk_client(desk, app=create_app(desk))


def test_the_whole_way_by_pages(desk, officer):
    assert f"{PATH}/es.docx" in officer.get(PATH).text
    out = officer.get(f"{PATH}/es.docx")
    assert out.headers["content-disposition"] == 'attachment; filename="rivers-translations-es.docx"'
    back = filled(out.content, SPANISH | {("quay", "title"): "El <script>muelle"})
    shown = officer.post(PATH, files={"document": ("es.docx", back, "application/zip")}).text
    assert "Will be taken" in shown
    assert "El &lt;script&gt;muelle" in shown
    assert "<script>muelle" not in shown
    (form,) = page.fromstring(shown).xpath("//form[contains(@action, '/take')]")
    answer = officer.post(form.action, {"texts": dict(form.form_values())["texts"]})
    assert answer.status_code == 303
    assert "Texts taken: 1." in officer.get(answer.headers["location"]).text
    assert entry(desk).entry.texts["es"].title == "El <script>muelle"


def test_one_entry_goes_out_alone(officer):
    out = officer.get("/desk/n/rivers/entries/quay/translations.docx?language=fr")
    assert [back.key for back in read_document(out.content)] == ["quay"]
    assert officer.get("/desk/n/rivers/entries/quay/translations.docx?language=xx").status_code == 404


def test_conflicts_are_shown_word_by_word_with_a_choice(desk, officer):
    back = filled(document(desk, "fr", keys=["quay"]), {("quay", "title"): "Le vieux quai"})
    put(desk, with_text("fr", title="Le quai du port"))
    shown = officer.post(PATH, files={"document": ("fr.docx", back, "application/zip")}).text
    assert "Changed at the desk meanwhile" in shown
    assert "<ins>" in shown
    assert 'name="also" type="checkbox" value="quay/fr"' in shown


def test_what_is_no_document_is_told(officer):
    assert officer.post(PATH).status_code == 422
    answer = officer.post(PATH, files={"document": ("a.docx", b"nothing", "application/zip")})
    assert answer.status_code == 422
    assert "no document of ours" in answer.text
    assert officer.post(f"{PATH}/take", {"texts": "[3]"}).status_code == 422
