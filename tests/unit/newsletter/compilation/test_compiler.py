import json
from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.assembly.edition import Phrase
from newsletter.compilation.artifact import SAMPLE, artifact_from, digest_of
from newsletter.compilation.compiler import build_json, compile_edition, compile_issue, sample_message, sample_values
from newsletter.compilation.message import render
from newsletter.compilation.structure import shape_of
from newsletter.errors import CompilationFailed, NotFound
from newsletter.links import Links

LINKS = Links("https://news.example")

ARABIC = "مدن الأنهار ترحّب بكم"
LONG = "Donaudampfschifffahrt" * 240


@pytest.fixture
def compiled(themes):
    return lambda edition: compile_edition(edition, links=LINKS, templates_dir=themes)


def words(html):
    return shape_of(html).words


def test_an_edition_becomes_an_artifact_with_everything_in_it(compiled, make_edition):
    artifact = compiled(make_edition())
    assert artifact.subject == "River Cities News: quays at night"
    assert artifact.name == "en"
    assert "Eleven partners compare their records" in words(artifact.html)
    assert "Eleven partners compare their records" in artifact.text
    assert 'lang="en" dir="ltr"' in artifact.html
    assert [slot.name for slot in artifact.slots] == ["first_name", "recipient", "preferences_url", "unsubscribe_url"]
    assert artifact.links[0] == "https://www.rivers.example/en/silt?a=1&b=2"
    assert artifact.text_lacks == ()


def test_compiling_twice_gives_the_same_bytes(compiled, make_edition):
    assert compiled(make_edition()) == compiled(make_edition())


def test_any_change_of_what_is_sent_changes_the_digest(compiled, make_edition):
    edition = make_edition()
    digest = compiled(edition).digest
    for change in (
        {"subject": "x"},
        {"sender_name": "y"},
        {"language": "fr"},
        {"variant": "press"},
        {"reply_to": None},
    ):
        assert compiled(replace(edition, **change)).digest != digest


def test_the_digest_separates_its_parts():
    assert digest_of("en", "", skeleton=b"x") != digest_of("e", "n", skeleton=b"x")


def test_hostile_text_comes_out_inert_and_readable(compiled, make_edition, make_block):
    hostile = f"{{{{ 7*7 }}}} {{% raw %}} <script>alert(1)</script> [[unsubscribe]] </mj-text> <mj-raw> &amp; 🌊👩\u200d🚀 {ARABIC}"
    block = make_block(title=hostile, body=f"{hostile}\n\n{LONG}")
    artifact = compiled(make_edition(block, preheader=Phrase(text=hostile), title=Phrase(text=hostile)))
    for text in (words(artifact.html), artifact.text):
        for shown in ("{{ 7*7 }}", "{% raw %}", "<script>alert(1)</script>", "[[unsubscribe]]", "🌊👩\u200d🚀", ARABIC):
            assert shown in text.replace("\n", " ")
        assert LONG in text
        assert "49" not in text
    assert "<script" not in artifact.html
    assert artifact.unknown == ("unsubscribe",)


def test_what_fell_back_is_marked(compiled, make_edition, make_block):
    html = compiled(make_edition(make_block(lang="fr", dir="ltr", title="Des quais"))).html
    assert '<div lang="fr" dir="ltr">' in html


def test_a_right_to_left_edition_reads_from_the_right(compiled, make_edition, make_block):
    html = compiled(make_edition(make_block(title=ARABIC, body=ARABIC), language="ar", dir="rtl")).html
    assert '<html xmlns="http://www.w3.org/1999/xhtml"' in html
    assert html.count('lang="ar" dir="rtl"') >= 2
    assert "direction:ltr" not in html


def test_the_filled_parts_show_the_readers_values(compiled, make_edition, make_block):
    artifact = compiled(make_edition(make_block(body="Dear [[first_name|reader]]"), subject="For [[city|you]]"))
    zoe = SAMPLE._replace(slots={"first_name": "Zoë <b>", "city": "Łódź"})
    assert "Dear Zoë &lt;b&gt;" in artifact.html_for(zoe)
    assert "Dear Zoë <b>" in artifact.text_for(zoe)
    assert artifact.subject_for(zoe) == "For Łódź"
    assert "Dear reader" in artifact.text_for(SAMPLE)
    assert artifact.nonce not in artifact.html_for(zoe) + artifact.text_for(zoe)
    message = message_from_bytes(render(artifact.message, zoe), policy=default)
    assert message["Subject"] == "For Łódź"
    assert "Dear Zoë <b>" in message.get_body(("plain",)).get_content()


def test_the_size_is_that_of_a_reader_with_long_values(compiled, make_edition):
    artifact = compiled(make_edition())
    assert len(sample_message(artifact)) < artifact.size < len(sample_message(artifact)) + 2000


def test_the_sample_goes_to_a_neutral_reader_on_the_issues_date(compiled, make_edition):
    artifact = compiled(make_edition())
    assert sample_message(artifact) == sample_message(artifact)
    message = message_from_bytes(sample_message(artifact), policy=default)
    assert message["To"].addresses[0].addr_spec == SAMPLE.address
    assert message["Date"].datetime.date() == artifact.date
    assert message["Message-ID"] == f"<{sample_values(artifact).message_id}>"
    assert message["Feedback-ID"] == "2026-12:en:river-cities:riversexample"


def test_an_artifact_comes_back_from_its_stored_parts(compiled, make_edition):
    artifact = compiled(make_edition(variant="members+press"))
    facts = json.loads(json.dumps(artifact.facts()))
    names = ("language", "variant", "subject", "mjml", "html", "text", "skeleton", "digest")
    again = artifact_from(facts, **{name: getattr(artifact, name) for name in names})
    assert again == artifact
    assert again.html_for(SAMPLE) == artifact.html_for(SAMPLE)
    assert again.name == "en.members+press"


def test_an_artifact_knows_whether_it_is_still_what_its_digest_names(compiled, make_edition):
    artifact = compiled(make_edition())
    assert artifact.is_whole
    assert artifact.sender_address == "news@rivers.example"
    assert not replace(artifact, skeleton=artifact.skeleton.replace(b"Eleven", b"Twelve")).is_whole
    assert not replace(artifact, language="fr").is_whole


def test_a_link_that_the_text_does_not_show_is_told(tmp_path, themes, make_edition):
    import shutil

    shutil.copytree(themes / "plain", tmp_path / "plain")
    (tmp_path / "plain" / "issue.txt.j2").write_text("Hello\n", encoding="utf-8")
    artifact = compile_edition(make_edition(), links=LINKS, templates_dir=tmp_path)
    assert artifact.text_lacks == artifact.links


def test_an_unknown_theme_is_named(make_edition, tmp_path):
    with pytest.raises(NotFound, match="theme 'plain'"):
        compile_edition(make_edition(), links=LINKS, templates_dir=tmp_path)


def test_text_nested_too_deep_never_reaches_the_libraries(compiled, make_edition, monkeypatch):
    from newsletter.compilation import vocabulary

    monkeypatch.setattr(vocabulary, "to_html", lambda _source, **_: "<b>" * 10_000 + "</b>" * 10_000)
    with pytest.raises(CompilationFailed, match="nested more than 200 deep"):
        compiled(make_edition())


def test_every_edition_of_an_issue_is_compiled_in_order(themes, make_edition):
    editions = [make_edition(language=language) for language in ("en", "fr", "es", "de")]
    artifacts = compile_issue(editions, links=LINKS, templates_dir=themes)
    assert [artifact.language for artifact in artifacts] == ["en", "fr", "es", "de"]


def test_the_build_record_has_digests_and_versions_and_no_clock(compiled, make_edition):
    artifacts = [compiled(make_edition()), compiled(make_edition(language="fr"))]
    record = build_json("2026-12", artifacts, calendar="c0ffee")
    assert record == build_json("2026-12", list(reversed(artifacts)), calendar="c0ffee")
    build = json.loads(record)
    assert build["date"] == ["2026-12-01"]
    assert build["editions"]["fr"]["digest"] == artifacts[1].digest
    assert set(build["tools"]) == {"newsletter", "Jinja2", "mjml-python", "premailer"}
    assert build["editions"]["en"]["links"] == ["https://www.rivers.example/en/silt?a=1&b=2"]


anything = st.text(
    st.one_of(st.sampled_from("<>&\"'{}[]%|=-\n*_`#"), st.characters(blacklist_categories=("Cs",))), max_size=60
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(title=anything, body=anything, topic=anything)
def test_no_text_of_an_entry_changes_the_structure_of_the_page(compiled, make_edition, title, body, topic):
    def of(**texts):
        [section] = make_edition().sections
        block = replace(section.blocks[0], **texts)
        return compiled(make_edition(sections=(replace(section, blocks=(block,)),)))

    plain = of(title="x", body="", topic=Phrase(text="x"))
    artifact = of(title=title, body=body, topic=Phrase(text=topic))
    assert "<script" not in artifact.html
    assert artifact.html.count("<table") == plain.html.count("<table")
    assert shape_of(artifact.html).outlook == shape_of(plain.html).outlook
    assert {slot.name for slot in artifact.slots} >= {"recipient", "preferences_url", "unsubscribe_url"}
    assert shape_of(artifact.html).links[-2:] == artifact.links[-2:]
