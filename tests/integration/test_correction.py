"""Issues that were sent are corrected on their pages, and an erratum reaches those who got them."""

import datetime as dt
import json
import re
from dataclasses import replace
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as ET

import icalendar
import pytest
import typer
from databases import databases, url_of
from integration.samples import SMALL_NEWSLETTER
from lxml import html as lxml_html
from sqlalchemy import update
from sqlmodel import col, select
from typer.testing import CliRunner

import newsletter.tables  # noqa: F401  registers every table
from newsletter.assembly.facts import IssueState
from newsletter.assembly.store import get_issue, set_state
from newsletter.bootstrap import Pipeline, build
from newsletter.cli.issue import app as issue_app
from newsletter.compilation.artifact import SAMPLE
from newsletter.compilation.models import ArtifactRow, PinRow
from newsletter.database import migrate
from newsletter.errors import FindingsOpen, InvalidInput, NotFound, WrongState
from newsletter.logs import configure
from newsletter.planning.audience import Readers
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow
from newsletter.settings import load
from subscribers.models import Subscriber
from subscribers.tokens import sign

ROOT = "https://news.small.example/"
SENT = dt.datetime(2027, 2, 1, 9, tzinfo=dt.UTC)
LATER = dt.datetime(2027, 2, 3, 23, 30, 5, 123, tzinfo=dt.UTC)
ATOM = "{http://www.w3.org/2005/Atom}"


def an_entry(key, **changes):
    texts = {
        "en": {"title": f"About {key}", "body": f"Good news about {key}, [[first_name|dear reader]]."},
        "fr": {"title": f"À propos de {key}", "body": f"De bonnes nouvelles de {key}."},
    }
    return {"key": key, "kind": "news", "section": "news", "published": "2027-01-10", "texts": texts, **changes}


def a_fair(**changes):
    sitting = {"key": "main", "start": "2027-02-20T10:00", "end": "2027-02-20T12:00", **changes}
    return an_entry("fair", kind="agenda", sittings=[sitting])


def a_pack(*entries, **changes):
    newsletter = SMALL_NEWSLETTER
    text = {"subject": "Small Letter of February", "preheader": "Quays and a fair", "title": "February"}
    issue = {
        "slug": "one",
        "date": "2027-02-01",
        "period": {"from": "2027-01-01", "to": "2027-01-31"},
        "texts": {"en": text, "fr": {**text, "subject": "Petite lettre de février", "title": "Février"}},
    }
    period = {"from": "2027-02-01", "to": "2027-02-03"}
    erratum = {**issue, "slug": "two", "date": "2027-02-04", "period": period, "items": ["sorry"]}
    sorry = an_entry("sorry", published="2027-02-02")
    return {"newsletter": newsletter, "entries": [*entries, sorry], "issues": [issue, erratum], **changes}


def imported(pipeline, folder, *entries, **changes):
    path = folder / "pack.yaml"
    path.write_text(json.dumps(a_pack(*entries, **changes)), encoding="utf-8")
    pipeline.entries.import_pack(path)


def opened(file, *, now=SENT):
    pipeline = build(load(database={"url": url_of(file)}, public_url=ROOT), operator="anna", migrated=False)
    return Pipeline(parts=replace(pipeline.parts, now=lambda: now))


def approve(pipeline, slug):
    for finding in pipeline.approval.preflight(slug, newsletter=None, segment=None).report.findings:
        if finding.severity == "warning":
            pipeline.approval.waive(slug, finding.code, reason="a test", newsletter=None)
    pipeline.approval.approve(slug, newsletter=None)


def come_to(pipeline, state, *, slug="one"):
    with pipeline.parts.sessions() as session:
        issue = get_issue(session, slug)
        set_state(session, issue.id, expected=tuple(IssueState), state=state, now=SENT)
        session.commit()


def deliveries_are(pipeline, state, *people, mailing="issue:small/one"):
    """Bring the deliveries of a mailing to a state, all of them or those of some people."""
    with pipeline.parts.sessions() as session:
        named = select(col(Subscriber.id)).where(col(Subscriber.address).in_([f"{name}@t.example" for name in people]))
        whose = [col(DeliveryRow.subscriber_id).in_(named)] if people else []
        session.execute(update(DeliveryRow).where(col(DeliveryRow.mailing) == mailing, *whose).values(state=state))
        session.commit()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A database with an issue that went to five readers, and an approved erratum; made once, copied for each test."""
    folder = tmp_path_factory.mktemp("made")
    pipeline = opened(folder / "newsletter.sqlite")
    migrate(pipeline.parts.engine)
    imported(pipeline, folder, an_entry("quays"), a_fair())
    pipeline.editorial.assemble("one", newsletter=None)
    pipeline.people.lists.create("members", double_opt_in=False)
    pipeline.people.lists.create("press", double_opt_in=False)
    for name, language in {"ada": "en", "bob": "fr", "cleo": "fr", "dora": "en", "emil": "fr"}.items():
        pipeline.people.add(f"{name}@t.example", list_name="members", given={"language": language})
    pipeline.people.segments.create("everybody", 'list = "members"')
    approve(pipeline, "one")
    pipeline.sending.queue("one", newsletter=None, segment="everybody", at=None, zone=None)
    pipeline.sending.start_due(SENT)
    deliveries_are(pipeline, DeliveryState.ACCEPTED)
    with pipeline.parts.sessions() as session:
        session.execute(update(RunRow).values(state="finished", ended=SENT))
        session.commit()
    come_to(pipeline, IssueState.SENT)
    pipeline.editorial.assemble("two", newsletter=None)
    approve(pipeline, "two")
    pipeline.parts.engine.dispose()
    return folder


@pytest.fixture
def pipeline(made, tmp_path):
    """The morning after: the issue has been sent."""
    databases().copy_folder(made, tmp_path)
    pipeline = opened(tmp_path / "newsletter.sqlite", now=LATER)
    yield pipeline
    pipeline.parts.engine.dispose()


def wrong_hour_mended(pipeline, folder):
    quays = an_entry("quays")
    quays["texts"]["en"]["body"] = "Good news about the bridge, [[first_name|dear reader]]."
    imported(pipeline, folder, quays, a_fair())


def corrected(pipeline, folder, **options):
    wrong_hour_mended(pipeline, folder)
    options = {"reason": "We named the wrong place.", **options}
    return pipeline.corrections.correct("one", newsletter=None, **options)


def page(folder, language="en", *, sent=False):
    path = folder / "archive/small/one" / language / ("sent/index.html" if sent else "index.html")
    return lxml_html.fromstring(path.read_text(encoding="utf-8"))


def said(node):
    return " ".join(node.text_content().split())


def test_a_correction_names_the_entries_and_shows_the_passages(pipeline, tmp_path):
    done = corrected(pipeline, tmp_path)
    [revision] = done.revisions
    assert (revision.language, revision.changed, done.unchanged) == ("en", ("About quays",), ("fr",))
    assert [(passage.before, passage.after) for passage in revision.passages] == [
        ("Good news about quays, dear reader.", "Good news about the bridge, dear reader.")
    ]
    assert revision.before != revision.after
    assert (done.correction.number, done.correction.operator, done.correction.at) == (1, "anna", LATER)
    assert done.stored
    assert not done.sending


def test_a_trial_stores_nothing(pipeline, tmp_path):
    assert not corrected(pipeline, tmp_path, dry_run=True).stored
    assert pipeline.corrections.corrections("one", newsletter=None) == ()
    assert pipeline.export.export("one", tmp_path / "site").corrected == ()


def test_what_was_sent_stays_pinned_whole_and_proven(pipeline, tmp_path):
    before = pipeline.approval.compile("one", newsletter=None)
    [revision] = corrected(pipeline, tmp_path).revisions
    after = pipeline.approval.compile("one", newsletter=None)
    assert after.artifacts == before.artifacts
    assert (after.calendar, after.manifest, after.pinned) == (before.calendar, before.manifest, True)
    assert {check.code: check.holds for check in pipeline.proof.audit("one", newsletter=None)}["I7"]
    with pipeline.parts.sessions() as session:
        assert session.get(ArtifactRow, revision.after) is not None
        assert revision.after not in session.scalars(select(PinRow.digest)).all()


def test_the_page_says_when_why_and_what_was_corrected(pipeline, tmp_path):
    corrected(pipeline, tmp_path)
    exported = pipeline.export.export("one", tmp_path / "site")
    assert exported.corrected == ("en",)
    tree = page(tmp_path / "site")
    [note] = tree.xpath("//*[@role='main']/*[@class='note']")
    # Half past midnight in Brussels.
    assert said(note.xpath("./p")[0]) == "Corrected on 4 February 2027: We named the wrong place."
    assert note.xpath(".//li/bdi/text()") == ["About quays"]
    assert "Good news about the bridge, dear reader." in said(tree)
    assert "Good news about quays" not in said(tree)
    assert tree.xpath("//meta[@property='article:modified_time']/@content") == ["2027-02-03T23:30:05Z"]


def test_an_edition_that_says_the_same_is_left_alone(pipeline, tmp_path):
    pipeline.export.export("one", tmp_path / "before")
    corrected(pipeline, tmp_path)
    pipeline.export.export("one", tmp_path / "after")
    name = "archive/small/one/fr/index.html"
    assert (tmp_path / "after" / name).read_bytes() == (tmp_path / "before" / name).read_bytes()
    assert not (tmp_path / "after/archive/small/one/fr/sent").exists()


def test_the_email_as_it_was_sent_is_one_click_away_and_not_for_search_engines(pipeline, tmp_path):
    [revision] = corrected(pipeline, tmp_path).revisions
    pipeline.export.export("one", tmp_path / "site")
    assert page(tmp_path / "site").xpath("//*[@class='note']//a/@href") == ["sent/index.html"]
    before = page(tmp_path / "site", sent=True)
    assert "Good news about quays, dear reader." in said(before)
    assert before.xpath("//*[@class='note']//code/text()") == [revision.before]
    assert before.xpath("//*[@class='note']//a/@href") == ["../index.html"]
    assert before.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert before.xpath("//link[@rel='canonical']/@href") == [f"{ROOT}archive/small/one/en"]
    assert before.xpath("//script/@src") == ["../../../../../static/print.js"]


def test_the_reason_is_said_in_the_language_of_the_page_where_it_was_given(pipeline, tmp_path):
    quays = an_entry("quays", image={"url": "https://pictures.example/a.png", "alt": {"en": "Quays", "fr": "Quais"}})
    imported(pipeline, tmp_path, quays, a_fair())
    pipeline.corrections.correct(
        "one", newsletter=None, reason="A picture was missing.", translations={"FR": "Une image manquait."}
    )
    imported(pipeline, tmp_path, an_entry("quays"), a_fair())
    pipeline.corrections.correct("one", newsletter=None, reason="It was the <wrong> one.")
    pipeline.export.export("one", tmp_path / "site")
    newest, older = page(tmp_path / "site", "fr").xpath("//*[@class='note']/p[b]")
    assert said(older) == "Corrigé le 4 février 2027 : Une image manquait."
    assert older.xpath(".//span/@lang") == []
    assert said(newest) == "Corrigé le 4 février 2027 : It was the <wrong> one."
    assert newest.xpath(".//span/@lang") == ["en"]


def test_corrections_stack_and_each_is_listed(pipeline, tmp_path, command):
    first = corrected(pipeline, tmp_path)
    imported(pipeline, tmp_path, an_entry("quays"), a_fair(status="cancelled"))
    second = pipeline.corrections.correct("one", newsletter=None, reason="The fair is off.")
    assert (first.correction.number, second.correction.number) == (1, 2)
    assert {each.language: each.changed for each in second.revisions} == {
        "en": ("About fair", "About quays"),
        "fr": ("À propos de fair",),
    }
    shown = json.loads(command("show", "one", "--json").stdout)["corrections"]
    assert [(each["number"], each["by"], each["reasons"]["en"]) for each in shown] == [
        (1, "anna", "We named the wrong place."),
        (2, "anna", "The fair is off."),
    ]
    assert "correction 2, 2027-02-03T23:30:05" in command("show", "one").stdout
    pipeline.export.export("one", tmp_path / "site")
    reasons = [said(each) for each in page(tmp_path / "site").xpath("//*[@class='note']/p/b")]
    assert [reason.partition(": ")[2] for reason in reasons] == ["The fair is off.", "We named the wrong place."]


def test_feeds_and_data_for_machines_say_that_the_issue_was_corrected(pipeline, tmp_path):
    pipeline.export.export("one", tmp_path / "site")
    [item] = ET.parse(tmp_path / "site/archive/small/feed.en.xml").findall("channel/item")
    assert item.find(f"{ATOM}updated") is None
    corrected(pipeline, tmp_path)
    pipeline.export.export("one", tmp_path / "site")
    channel = ET.parse(tmp_path / "site/archive/small/feed.en.xml").find("channel")
    assert channel.findtext(f"item/{ATOM}updated") == "2027-02-03T23:30:05Z"
    assert parsedate_to_datetime(channel.findtext("item/pubDate")) == SENT
    assert parsedate_to_datetime(channel.findtext("lastBuildDate")) == LATER.replace(microsecond=0)
    [told] = json.loads((tmp_path / "site/archive/small/feed.en.json").read_text(encoding="utf-8"))["items"]
    assert (told["date_published"], told["date_modified"]) == ("2027-02-01T09:00:00Z", "2027-02-03T23:30:05Z")
    assert "the bridge" in told["content_html"]
    [data] = page(tmp_path / "site").xpath("//script[@type='application/ld+json']/text()")
    article = json.loads(data)["@graph"][0]
    assert article["dateModified"] == "2027-02-03T23:30:05Z"
    assert article["correction"] == [
        {
            "@type": "CorrectionComment",
            "text": "We named the wrong place.",
            "inLanguage": "en",
            "datePublished": "2027-02-03T23:30:05Z",
        }
    ]


def test_the_calendar_of_a_moved_sitting_replaces_what_readers_have(pipeline, tmp_path):
    def event(folder):
        file = (folder / "archive/small/one/en/fair--main.ics").read_bytes()
        [found] = icalendar.Calendar.from_ical(file).walk("VEVENT")
        return found

    pipeline.export.export("one", tmp_path / "before")
    imported(pipeline, tmp_path, an_entry("quays"), a_fair(start="2027-02-21T10:00", end="2027-02-21T12:00"))
    pipeline.corrections.correct("one", newsletter=None, reason="It is a day later.")
    pipeline.export.export("one", tmp_path / "after")
    before, after = event(tmp_path / "before"), event(tmp_path / "after")
    assert before["uid"] == after["uid"]
    assert (int(before["sequence"]), int(after["sequence"])) == (0, 1)
    assert after["dtstart"].dt - before["dtstart"].dt == dt.timedelta(days=1)
    assert before["dtstamp"].dt < after["dtstamp"].dt == after["last-modified"].dt == LATER.replace(microsecond=0)


def test_nothing_of_a_reader_is_on_corrected_pages_in_feeds_or_in_what_was_sent(pipeline, tmp_path):
    corrected(pipeline, tmp_path)
    exported = pipeline.export.export("one", tmp_path / "site")
    token = sign(pipeline.parts.keys, "unsubscribe", "somebody").encode()
    traces = (token, b"t.invalid", SAMPLE.address.encode(), f"{ROOT}u/".encode(), f"{ROOT}p/".encode(), b"@t.example")
    assert "archive/small/one/en/sent/index.html" in exported.files
    for name in exported.files:
        data = (tmp_path / "site" / name).read_bytes()
        assert not [trace for trace in traces if trace in data], name
        assert not re.search(rb"zq[0-9a-f]{10}[tu]\d", data), name


def test_what_changes_nothing_is_no_correction(pipeline):
    with pytest.raises(WrongState, match="nothing that the pages of issue one say is different: edit the entry first"):
        pipeline.corrections.correct("one", newsletter=None, reason="None.")


def test_the_same_correction_twice_is_refused_the_second_time(pipeline, tmp_path):
    corrected(pipeline, tmp_path)
    with pytest.raises(WrongState, match="nothing that the pages"):
        pipeline.corrections.correct("one", newsletter=None, reason="Again.")


@pytest.mark.parametrize(
    ("state", "instead"),
    [
        (IssueState.DRAFT, "compile it again"),
        (IssueState.APPROVED, "approve it again"),
        (IssueState.QUEUED, "newsletter issue cancel one"),
        (IssueState.PAUSED, "newsletter issue cancel one"),
        (IssueState.CANCELLED, "newsletter issue copy one NEW"),
    ],
)
def test_what_nobody_has_got_is_not_corrected_and_the_officer_is_told_what_to_do(pipeline, tmp_path, state, instead):
    deliveries_are(pipeline, DeliveryState.PLANNED)
    come_to(pipeline, state)
    with pytest.raises(WrongState, match=f"{state.value}, so nobody has got it: .*{instead}"):
        corrected(pipeline, tmp_path)


def test_a_stopped_run_that_reached_somebody_can_be_corrected(pipeline, tmp_path):
    come_to(pipeline, IssueState.CANCELLED)
    assert corrected(pipeline, tmp_path).stored


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"reason": "  "}, InvalidInput),
        ({"reason": "x" * 1001}, InvalidInput),
        ({"translations": {"fr": ""}}, InvalidInput),
        ({"translations": {"de": "Falscher Ort."}}, NotFound),
    ],
)
def test_a_correction_needs_a_reason_in_a_language_of_the_newsletter(pipeline, tmp_path, options, error):
    with pytest.raises(error):
        corrected(pipeline, tmp_path, **options)


def test_an_artifact_of_an_earlier_version_is_compared_by_its_text(pipeline, tmp_path):
    with pipeline.parts.sessions() as session:
        for row in session.scalars(select(ArtifactRow)):
            row.facts = {name: value for name, value in row.facts.items() if name != "said"}
        session.commit()
    [revision] = corrected(pipeline, tmp_path).revisions
    assert (revision.language, revision.changed, len(revision.passages)) == ("en", (), 1)
    pipeline.export.export("one", tmp_path / "site")
    assert page(tmp_path / "site").xpath("//*[@class='note']//ul") == []


@pytest.fixture
def command(pipeline, monkeypatch):
    """The commands about issues, over the database of the pipeline."""

    configure()

    def run(*arguments):
        monkeypatch.setenv("NEWSLETTER_DATABASE__URL", pipeline.parts.settings.database.url)
        monkeypatch.setenv("NEWSLETTER_PUBLIC_URL", ROOT)
        root = typer.Typer()
        root.add_typer(issue_app, name="issue")
        return CliRunner().invoke(root, ["issue", *map(str, arguments)])

    return run


def test_the_command_shows_the_difference_in_words(pipeline, tmp_path, command):
    wrong_hour_mended(pipeline, tmp_path)
    trial = command("correct", "one", "--reason", "Wrong place.", "--dry-run")
    assert trial.stdout.splitlines() == [
        "en: “About quays”",
        "  - Good news about quays, dear reader.",
        "  + Good news about the bridge, dear reader.",
        "unchanged: fr",
        "1 edition would be corrected; nothing was stored",
    ]
    come_to(pipeline, IssueState.SENDING)
    done = command("correct", "one", "--reason", "Wrong place.", "--translation", "fr=Mauvais lieu.")
    assert "correction 1 of issue one: 1 edition; run `newsletter issue export one DIR`" in done.stdout
    assert "still goes out as it was approved" in done.stderr


def test_the_command_gives_json(pipeline, tmp_path, command):
    wrong_hour_mended(pipeline, tmp_path)
    told = json.loads(command("correct", "one", "--reason", "Wrong place.", "--json").stdout)
    assert (told["issue"], told["stored"], told["unchanged"]) == ("one", True, ["fr"])
    assert told["correction"]["editions"]["en"]["changed"] == ["About quays"]
    assert told["revisions"][0]["passages"][0]["after"].startswith("Good news about the bridge")


def test_a_translation_must_name_its_language(command):
    failed = command("correct", "one", "--reason", "Wrong.", "--translation", "Mauvais lieu.")
    assert "names no language" in str(failed.exception)


def test_a_picture_that_changed_is_a_correction_without_other_words(pipeline, tmp_path, command):
    pictured = an_entry("quays", image={"url": "https://pictures.example/a.png", "alt": {"en": "Q", "fr": "Q"}})
    imported(pipeline, tmp_path, pictured, a_fair())
    told = command("correct", "one", "--reason", "A picture was missing.", "--dry-run").stdout
    assert "en: “About quays”" in told
    assert "the words are the same" in told


def queued(pipeline, *, language=None, issue="one"):
    readers = Readers(issue=issue, language=language)
    return pipeline.sending.queue("two", newsletter=None, segment=readers, at=None, zone=None)


def planned(pipeline, mailing="issue:small/two"):
    """Who has a delivery of a mailing."""
    with pipeline.parts.sessions() as session:
        rows = session.execute(
            select(col(Subscriber.address), col(DeliveryRow.language))
            .join(DeliveryRow, col(DeliveryRow.subscriber_id) == col(Subscriber.id))
            .where(col(DeliveryRow.mailing) == mailing, col(DeliveryRow.state) == DeliveryState.PLANNED)
        )
        return {address.partition("@")[0]: language for address, language in rows}


def test_an_erratum_goes_to_those_who_got_the_edition_and_to_nobody_else(pipeline):
    pipeline.people.add("new@t.example", list_name="members", given={"language": "fr"})
    deliveries_are(pipeline, DeliveryState.REFUSED, "emil")
    done = queued(pipeline, language="FR")
    assert done.segment == "readers of one, edition fr"
    assert sum(share.people for share in done.shares) == 2
    pipeline.sending.start_due()
    assert planned(pipeline) == {"bob": "fr", "cleo": "fr"}
    assert pipeline.control.status("two", newsletter=None).segment == "readers of one, edition fr"


def test_without_a_language_every_reader_of_the_issue_gets_it(pipeline):
    assert queued(pipeline).segment == "readers of one"
    pipeline.sending.start_due()
    assert set(planned(pipeline)) == {"ada", "bob", "cleo", "dora", "emil"}


def test_who_left_or_was_suppressed_since_gets_no_erratum(pipeline):
    queued(pipeline)
    pipeline.people.unsubscribe("ada@t.example", newsletter="small")
    pipeline.people.suppress("bob@t.example")
    pipeline.people.unsubscribe("cleo@t.example")
    pipeline.sending.start_due()
    assert set(planned(pipeline)) == {"dora", "emil"}


def test_who_leaves_while_the_erratum_goes_out_is_taken_out_of_it(pipeline):
    pipeline.people.add("dora@t.example", list_name="press", given={})
    queued(pipeline)
    pipeline.sending.start_due()
    pipeline.people.unsubscribe("dora@t.example", list_name="members")
    assert set(planned(pipeline)) == {"ada", "bob", "cleo", "emil"}


def test_who_may_have_got_it_is_written_to_and_the_officer_is_told(pipeline):
    deliveries_are(pipeline, DeliveryState.UNCERTAIN, "ada")
    done = queued(pipeline, language="en")
    assert done.remarks == (
        "1 of them may not have got issue one, edition en (uncertain); they are written to as well",
    )
    pipeline.sending.start_due()
    assert set(planned(pipeline)) == {"ada", "dora"}


def test_the_audience_is_frozen_when_the_run_starts(pipeline):
    deliveries_are(pipeline, DeliveryState.DEFERRED, "ada", "bob")
    with pipeline.parts.sessions() as session:
        session.execute(update(RunRow).values(state="running"))
        session.commit()
    done = queued(pipeline)
    assert "2 deliveries of one have not gone out yet" in done.remarks[0]
    assert sum(share.people for share in done.shares) == 3
    deliveries_are(pipeline, DeliveryState.ACCEPTED, "ada")
    pipeline.sending.start_due()
    assert set(planned(pipeline)) == {"ada", "cleo", "dora", "emil"}
    deliveries_are(pipeline, DeliveryState.ACCEPTED, "bob")
    assert pipeline.sending.start_due() == []
    assert "bob" not in planned(pipeline)


def test_an_erratum_is_for_an_issue_that_somebody_got(pipeline):
    with pytest.raises(NotFound, match="edition of one that anybody got 'de'"):
        queued(pipeline, language="de")
    with pytest.raises(NotFound, match="no issue"):
        queued(pipeline, issue="none")
    with pytest.raises(InvalidInput, match="its own readers"):
        queued(pipeline, issue="two")
    deliveries_are(pipeline, DeliveryState.REFUSED)
    with pytest.raises(WrongState, match="nobody has got issue one"):
        queued(pipeline)


def test_an_erratum_whose_readers_have_all_left_is_refused(pipeline):
    for name in ("ada", "dora"):
        pipeline.people.unsubscribe(f"{name}@t.example")
    with pytest.raises(FindingsOpen, match="nobody in 'readers of one, edition en'"):
        queued(pipeline, language="en")


def test_an_erratum_names_the_lists_that_its_readers_joined(pipeline):
    queued(pipeline)
    pipeline.sending.start_due()
    with pipeline.parts.sessions() as session:
        assert [run.expression for run in session.scalars(select(RunRow))] == ['list = "members"'] * 2


def test_several_runs_of_an_issue_are_all_named(pipeline):
    with pipeline.parts.sessions() as session:
        [run] = session.scalars(select(RunRow)).all()
        session.add(RunRow(**{**run.model_dump(exclude={"id"}), "expression": 'list = "press"'}))
        session.commit()
    queued(pipeline)
    with pipeline.parts.sessions() as session:
        *_, last = session.scalars(select(RunRow).order_by(col(RunRow.id)))
        assert last.expression == '(list = "members") or (list = "press")'


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "either --segment NAME, or --readers-of SLUG"),
        (("--segment", "everybody", "--readers-of", "one"), "either --segment NAME, or --readers-of SLUG"),
        (("--segment", "everybody", "--language", "fr"), "--language goes with --readers-of"),
    ],
)
def test_a_segment_and_the_readers_of_an_issue_exclude_each_other(command, options, words):
    failed = command("queue", "two", *options, "--at", "2090-01-02 09:00")
    assert words in str(failed.exception)


def test_the_command_says_whom_it_is_for(command, pipeline):
    deliveries_are(pipeline, DeliveryState.UNCERTAIN, "bob")
    done = command("queue", "two", "--readers-of", "one", "--language", "fr", "--at", "2090-01-02 09:00")
    assert done.stdout.startswith("readers of one, edition fr: 3 people: 3 get fr")
    assert "may not have got" in done.stderr
    told = json.loads(command("status", "two", "--json").stdout)
    assert told["segment"] == "readers of one, edition fr"
