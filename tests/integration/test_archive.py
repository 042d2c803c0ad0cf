"""The archive served live: what was sent, the same bytes as the export, and nothing before."""

import datetime as dt
import json
import re
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
from databases import copy_of
from integration.test_correction import ROOT, SENT, a_fair, a_pack, an_entry, approve, come_to, imported, opened
from lxml import html as lxml_html
from sqlalchemy import insert, update
from sqlmodel import col, select
from visitor import visiting

import newsletter.tables  # noqa: F401  registers every table
from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.content.images import StoredPicture
from newsletter.content.models import SittingRow
from newsletter.content.store import put_picture
from newsletter.database import migrate
from newsletter.pipeline import archive as module
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.web.app import create_app

HOME = "archive/small"
DRAFTS = (IssueState.DRAFT, IssueState.APPROVED, IssueState.QUEUED, IssueState.CANCELLED)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A database with an approved issue and a draft; made once, copied for each test."""
    folder = tmp_path_factory.mktemp("made")
    pipeline = opened(folder / "newsletter.sqlite")
    migrate(pipeline.parts.engine)
    imported(pipeline, folder, an_entry("quays"), a_fair())
    pipeline.editorial.assemble("one", newsletter=None)
    approve(pipeline, "one")
    pipeline.parts.engine.dispose()
    return folder


@pytest.fixture
def pipeline(made, tmp_path):
    file = tmp_path / "newsletter.sqlite"
    copy_of(made / "newsletter.sqlite", file)
    return opened(file)


@pytest.fixture
def visitor(pipeline):
    with visiting(create_app(pipeline), root=ROOT) as opened_one:
        yield opened_one


def every_file(folder: Path):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def a_run(pipeline, state, *, started=SENT):
    with pipeline.parts.sessions() as session:
        issue = session.scalars(select(IssueRow).where(col(IssueRow.slug) == "one")).one()
        session.add(
            RunRow(
                issue_id=issue.id,
                mailing="issue:small/one",
                segment="all",
                expression="all",
                state=state,
                started=started,
                operator="anna",
                created=SENT,
            )
        )
        session.commit()


def test_every_file_of_the_export_is_served_with_the_same_bytes(pipeline, visitor, tmp_path):
    come_to(pipeline, IssueState.SENT)
    pipeline.export.export("one", tmp_path / "site")
    files = every_file(tmp_path / "site")
    assert len(files) > 10
    for path, data in files.items():
        answer = visitor.get(f"/{path}")
        assert (answer.status_code, answer.content) == (200, data), path
        head = visitor.head(f"/{path}")
        assert (head.content, head.headers) == (b"", answer.headers)


def test_what_was_corrected_is_served_with_the_email_as_it_was_sent(pipeline, visitor, tmp_path):
    come_to(pipeline, IssueState.SENT)
    first = visitor.get(f"/{HOME}/one/en/")
    feed = visitor.get(f"/{HOME}/feed.en.json")
    assert visitor.get(f"/{HOME}/one/en/sent/").status_code == 404
    imported(
        pipeline, tmp_path, an_entry("quays", texts={"en": {"title": "About quays", "body": "Better news."}}), a_fair()
    )
    pipeline.corrections.correct("one", newsletter=None, reason="It was wrong")
    second = visitor.get(f"/{HOME}/one/en/", headers={"if-none-match": first.headers["etag"]})
    assert second.status_code == 200
    assert "Better news." in second.text
    assert "Better news." not in first.text
    assert "Better news." in visitor.get(f"/{HOME}/feed.en.json", headers={"if-none-match": feed.headers["etag"]}).text
    assert visitor.get(f"/{HOME}/one/en/sent").headers["location"] == "sent/"
    assert "Good news about quays" in visitor.get(f"/{HOME}/one/en/sent/").text


@pytest.mark.parametrize("state", DRAFTS)
def test_nothing_of_an_issue_that_was_not_sent_is_to_be_had(pipeline, visitor, state):
    come_to(pipeline, state)
    for path in (
        HOME,
        f"{HOME}/",
        f"{HOME}/feed.en.xml",
        *(f"{HOME}/one/en{rest}" for rest in ("", "/", "/issue.ics")),
    ):
        assert visitor.get(f"/{path}").status_code == 404, path


@pytest.mark.parametrize("state", [IssueState.SENDING, IssueState.SENT])
def test_an_issue_is_public_as_soon_as_it_goes_out(pipeline, visitor, state):
    come_to(pipeline, state)
    assert visitor.get(f"/{HOME}/one/en/").status_code == 200


@pytest.mark.parametrize(
    ("run", "started", "status"),
    [
        (RunState.PAUSED, SENT, 200),
        (RunState.RUNNING, SENT, 200),
        (RunState.PLANNING, SENT, 404),
        (RunState.SCHEDULED, None, 404),
        (RunState.CANCELLED, None, 404),
        (RunState.CANCELLED, SENT, 404),
    ],
)
def test_an_issue_whose_run_was_stopped_is_public_if_it_had_begun(pipeline, visitor, run, started, status):
    come_to(pipeline, IssueState.PAUSED)
    a_run(pipeline, run, started=started)
    assert visitor.get(f"/{HOME}/one/en/").status_code == status


@pytest.mark.parametrize(
    ("state", "status"), [(DeliveryState.ACCEPTED, 200), (DeliveryState.UNCERTAIN, 200), (DeliveryState.CANCELLED, 404)]
)
def test_an_issue_that_was_cancelled_stays_public_if_somebody_has_it(pipeline, visitor, state, status):
    come_to(pipeline, IssueState.CANCELLED)
    a_run(pipeline, RunState.CANCELLED)
    with pipeline.parts.sessions() as session:
        row = {"language": "en", "artifact": "a" * 64, "epoch": 0, "attempts": 1, "repeats": 0, "changed": SENT}
        session.execute(insert(DeliveryRow).values(mailing="issue:small/one", digest="d", state=state, **row))
        session.commit()
    assert visitor.get(f"/{HOME}/one/en/").status_code == status


def test_the_list_has_what_was_sent_and_nothing_else(pipeline, visitor, tmp_path):
    pipeline.editorial.assemble("two", newsletter=None)
    come_to(pipeline, IssueState.SENT)
    assert "two/" not in visitor.get(f"/{HOME}/").text
    approve(pipeline, "two")
    come_to(pipeline, IssueState.SENT, slug="two")
    page = lxml_html.fromstring(visitor.get(f"/{HOME}/").text)
    assert page.xpath("//h2/a/@href") == ["two/en/index.html", "one/en/index.html"]
    pipeline.export.export("one", tmp_path / "site")
    pipeline.export.export("two", tmp_path / "site")
    for path, data in every_file(tmp_path / "site").items():
        assert visitor.get(f"/{path}").content == data, path


def test_feeds_have_the_newest_issues_alone(pipeline, visitor, monkeypatch):
    pipeline.editorial.assemble("two", newsletter=None)
    approve(pipeline, "two")
    for slug in ("one", "two"):
        come_to(pipeline, IssueState.SENT, slug=slug)
    for home in ("archive", "export"):
        monkeypatch.setattr(f"newsletter.pipeline.{home}.FEED_ISSUES", 1)
    items = json.loads(visitor.get(f"/{HOME}/feed.en.json").text)["items"]
    assert [item["url"] for item in items] == [f"{ROOT}archive/small/two/en"]
    assert "one/en/index.html" in visitor.get(f"/{HOME}/").text


def test_every_link_of_the_archive_leads_somewhere(pipeline, visitor):
    come_to(pipeline, IssueState.SENT)
    seen, waiting = set(), [f"{ROOT}{HOME}"]
    while waiting:
        address = waiting.pop()
        seen.add(address)
        answer = visitor.get(address)
        assert answer.status_code in {200, 301}, address
        if answer.is_redirect:
            found = [answer.headers["location"]]
        elif answer.headers["content-type"].startswith("text/html"):
            page = lxml_html.fromstring(answer.text)
            found = page.xpath("//a/@href | //link/@href | //img/@src | //script/@src")
        else:
            found = []
        whole = {urldefrag(urljoin(address, link))[0] for link in found}
        waiting += [link for link in whole if link.startswith(ROOT) and link not in seen]
    assert len(seen) > 15
    assert not any(re.search("/[up]/", address) for address in seen)


def test_a_calendar_follows_when_its_sitting_is_moved(pipeline, visitor, monkeypatch):
    come_to(pipeline, IssueState.SENT)
    path = f"/{HOME}/one/en/fair--main.ics"
    before = visitor.get(path)
    known = {"if-modified-since": before.headers["last-modified"]}
    with pipeline.parts.sessions() as session:
        session.execute(update(SittingRow).values(sequence=SittingRow.sequence + 1))
        session.commit()
    assert visitor.get(path, headers=known).status_code == 304
    later = SENT + module.STALE + dt.timedelta(seconds=1)
    object.__setattr__(pipeline.archive._parts, "now", lambda: later)
    after = visitor.get(path, headers=known)
    assert after.status_code == 200
    assert after.content != before.content
    page = f"/{HOME}/one/en/issue.ics"
    assert visitor.get(page).headers["content-type"] == "text/calendar; charset=utf-8"


def test_what_stays_the_same_keeps_its_time(pipeline, visitor):
    come_to(pipeline, IssueState.SENT)
    path = f"/{HOME}/feed.fr.xml"
    before = visitor.get(path)
    later = SENT + 2 * module.STALE
    object.__setattr__(pipeline.archive._parts, "now", lambda: later)
    assert visitor.get(path).headers == before.headers


def test_what_is_kept_has_a_bound(pipeline, visitor, monkeypatch):
    come_to(pipeline, IssueState.SENT)
    archive = pipeline.archive
    assert visitor.get(f"/{HOME}/one/en/").status_code == 200
    monkeypatch.setattr(archive, "_issues", module._Shelf(0))
    assert visitor.get(f"/{HOME}/one/en/").status_code == 200
    assert archive._issues.kept == {}


def test_a_newsletter_has_an_archive_once_something_was_sent(pipeline):
    assert not pipeline.archive.has_issues("small")
    assert not pipeline.archive.has_issues("nobody")
    come_to(pipeline, IssueState.SENT)
    assert pipeline.archive.has_issues("small")


def test_pictures_and_our_own_files_are_served(pipeline, visitor):
    with pipeline.parts.sessions() as session:
        put_picture(session, StoredPicture(name="quay.png", media_type="image/png", width=1, height=1, data=b"quay"))
        session.commit()
    answer = visitor.get("/media/quay.png")
    assert (answer.content, answer.headers["content-type"]) == (b"quay", "image/png")
    for name, kind in (("public.css", "text/css"), ("print.js", "text/javascript")):
        answer = visitor.get(f"/static/{name}")
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
        known = {"if-modified-since": answer.headers["last-modified"]}
        assert visitor.get(f"/static/{name}", headers=known).status_code == 304
    for path in ("/media/none.png", "/static/none.css", "/static/..", "/static/%2e%2e%2fpublic"):
        assert visitor.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["archive", "archive/", "archive/nobody/", "archive/small/none/en/", "archive/small/one/xx/"]
)
def test_what_does_not_exist_is_not_found(pipeline, visitor, path):
    come_to(pipeline, IssueState.SENT)
    assert visitor.get(f"/{path}").status_code == 404


def test_the_same_on_either_database(postgres_engine, tmp_path):
    from dataclasses import replace

    from newsletter.bootstrap import Pipeline
    from newsletter.database import session_factory

    small = opened(tmp_path / "keys.sqlite")
    parts = replace(small.parts, engine=postgres_engine, sessions=session_factory(postgres_engine))
    pipeline = Pipeline(parts=parts)
    (tmp_path / "pack.yaml").write_text(json.dumps(a_pack(an_entry("quays"), a_fair())), encoding="utf-8")
    pipeline.entries.import_pack(tmp_path / "pack.yaml")
    pipeline.editorial.assemble("one", newsletter=None)
    approve(pipeline, "one")
    with visiting(create_app(pipeline), root=ROOT) as visitor:
        assert visitor.get(f"/{HOME}/").status_code == 404
        a_run(pipeline, RunState.CANCELLED)
        come_to(pipeline, IssueState.CANCELLED)
        assert visitor.get(f"/{HOME}/").status_code == 404
        come_to(pipeline, IssueState.SENT)
        assert visitor.get(f"/{HOME}/one/fr/").status_code == 200
        assert visitor.get(f"/{HOME}/feed.fr.xml").status_code == 200
        assert visitor.get("/archive/%C0%80/").status_code == 404
