import io
import zipfile

import pytest
from docx import Document
from docx.oxml import OxmlElement
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.content.entry import Text
from newsletter.content.translations import (
    MOST_BYTES,
    Labels,
    NoDocument,
    ToTranslate,
    links_for,
    mark_of,
    read_document,
    write_document,
)

LABELS = Labels(
    heading="Translation – Français",
    advice="Write into the right-hand column.",
    source="Original",
    translation="Translation",
    title="Title",
    body="Text",
    link="Words of a link",
)
QUAY = Text.model_validate(
    {
        "title": "The quay",
        "body": "It is **old**.\n\n- one\n  - two\n\n[More](https://a.example/_x_)  \nand \t a tab",
        "links": [{"action": "register", "url": "https://a.example"}, {"label": "Plan", "url": "https://b.example"}],
    }
)
QUAI = Text.model_validate({"title": "Le quai", "body": "Il est « vieux ».", "links": QUAY.model_dump()["links"]})


def document(*texts, language="fr"):
    return write_document(texts, newsletter="rivers", language=language, labels=LABELS)


def to_translate(key="quay", source=QUAY, present=None):
    return ToTranslate(key=key, source_language="en", source=source, present=present)


def changed(data, change):
    opened = Document(io.BytesIO(data))
    change(opened)
    target = io.BytesIO()
    opened.save(target)
    return target.getvalue()


def test_a_missing_text_comes_back_blank_and_knows_where_it_belongs():
    (back,) = read_document(document(to_translate()))
    assert (back.newsletter, back.key, back.language) == ("rivers", "quay", "fr")
    assert (back.source_mark, back.present_mark) == (mark_of(QUAY), "")
    assert (back.title, back.body, back.labels) == ("", "", {1: ""})
    assert back.is_blank


def test_a_translation_that_nobody_touches_comes_back_letter_by_letter():
    (back,) = read_document(document(to_translate(present=QUAY)))
    assert (back.title, back.body, back.labels) == (QUAY.title, QUAY.body, {1: "Plan"})
    assert back.present_mark == mark_of(QUAY)


lines = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30)


@settings(max_examples=10)
@given(st.lists(lines, max_size=6).map("\n".join), lines)
def test_every_letter_survives_the_way_out_and_back(body, title):
    text = Text(title=f"x{title}", body=body)
    (back,) = read_document(document(to_translate(present=text)))
    assert Text(title=back.title, body=back.body) == text


def test_what_a_translator_writes_comes_back():
    def translate(opened):
        (table,) = opened.tables
        title, body, link = (row.cells[2] for row in table.rows[1:])
        title.paragraphs[0].add_run("Le ").bold = True
        title.paragraphs[0].add_run("quai")
        body.paragraphs[0].add_run("Il est")
        body.add_paragraph("")
        body.add_paragraph("vieux.")
        link.text = "Plan de situation"

    (back,) = read_document(changed(document(to_translate()), translate))
    assert (back.title, back.body, back.labels) == ("Le quai", "Il est\n\nvieux.", {1: "Plan de situation"})


def test_tracked_changes_and_lists_of_the_word_processor_are_read():
    def track(opened):
        cell = opened.tables[0].rows[2].cells[2]
        paragraph = cell.paragraphs[0]
        for name, words in (("ins", "neuf"), ("del", "vieux")):
            change, run = OxmlElement(f"w:{name}"), paragraph.add_run(words)
            change.append(run._r)
            paragraph._p.append(change)
        item = cell.add_paragraph("un")
        properties = item._p.get_or_add_pPr()
        properties.append(OxmlElement("w:numPr"))

    (back,) = read_document(changed(document(to_translate()), track))
    assert back.body == "neuf\n- un"


def test_rows_may_be_taken_out_and_moved():
    def arrange(opened):
        first, second = opened.tables
        first._tbl.remove(first.rows[2]._tr)
        second._tbl.append(first.rows[1]._tr)

    pair = document(to_translate(present=QUAI), to_translate(key="lock", present=QUAI))
    found = {back.key: back for back in read_document(changed(pair, arrange))}
    assert (found["quay"].title, found["quay"].body) == ("Le quai", None)
    assert (found["lock"].title, found["lock"].body) == ("Le quai", QUAI.body)


def test_right_to_left_cells_run_from_right_to_left():
    cell = Document(io.BytesIO(document(to_translate(present=QUAI), language="ar"))).tables[0].rows[1].cells[2]
    assert "w:bidi" in cell.paragraphs[0]._p.xml
    assert '<w:lang w:bidi="ar"/>' in cell.paragraphs[0]._p.xml


def packed(**members):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


def blank():
    target = io.BytesIO()
    Document().save(target)
    return target.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04", b"x" * (MOST_BYTES + 1), packed(a="b"), packed(a=b"\0" * 80_000_001), blank()],
    ids=["empty", "broken", "too large", "no document", "unpacks to too much", "another document"],
)
def test_what_is_no_document_of_ours_is_refused(data):
    with pytest.raises(NoDocument):
        read_document(data)


def test_links_are_those_of_the_translation_where_it_has_as_many():
    other = Text.model_validate({"title": "x", "links": [{"label": "y", "url": "https://c.example"}]})
    assert links_for(QUAY, None) == QUAY.links
    assert links_for(QUAY, other) == QUAY.links
    assert links_for(QUAY, QUAI) == QUAI.links
