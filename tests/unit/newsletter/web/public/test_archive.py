"""The archive's answers: kept by browsers, asked for again by their validators."""

import datetime as dt
from types import SimpleNamespace

import pytest
from visitor import ROOT, visiting

from newsletter.links import Links
from newsletter.pipeline.archive import Published
from newsletter.web import app as module
from newsletter.web.app import create_app
from newsletter.web.public import archive

AT = dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)
FILES = {
    "archive/rivers/index.html": ("a list", "text/html; charset=utf-8"),
    "archive/rivers/2026-12/en/index.html": ("an edition", "text/html; charset=utf-8"),
    "archive/rivers/2026-12/en/issue.ics": ("a calendar", "text/calendar; charset=utf-8"),
}


def published(words, media_type):
    return Published(data=words.encode(), media_type=media_type, etag='"abc"', modified=AT)


class Archive:
    """A few files."""

    def file(self, path):
        return published(*FILES[path]) if path in FILES else None

    def picture(self, name):
        return published("picture", "image/png") if name == "quay.png" else None

    def static(self, name):
        return published("script", "text/javascript; charset=utf-8") if name == "print.js" else None


@pytest.fixture
def visit(monkeypatch):
    monkeypatch.setattr(module, "ROUTERS", (archive.router,))
    monkeypatch.setattr(module, "DESK_ROUTERS", ())
    opened = []

    def at(media=None):
        pipeline = SimpleNamespace(archive=Archive(), parts=SimpleNamespace(links=Links(ROOT, media)))
        opened.append(visiting(create_app(pipeline)))
        return opened[-1].__enter__()

    yield at
    for each in opened:
        each.__exit__(None, None, None)


@pytest.fixture
def visitor(visit):
    return visit()


def test_a_folder_leads_to_its_page_relatively(visitor):
    for path, place in (("/archive/rivers", "rivers/"), ("/archive/rivers/2026-12/en", "en/")):
        answer = visitor.get(path)
        assert (answer.status_code, answer.headers["location"]) == (301, place)
        assert visitor.get(f"{path}/").status_code == 200
        assert visitor.get(f"{path}/index.html").content == visitor.get(f"{path}/").content


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "/rivers//",
        "/rivers/2026-11/en",
        "/rivers/2026-12",
        "/rivers/2026-12/en/issue.ics/",
        "/rivers/../x",
    ],
)
def test_what_is_not_in_the_archive_is_not_found(visitor, path):
    assert visitor.get(f"/archive{path}").status_code == 404


def test_an_answer_has_its_validators_and_may_be_kept(visitor):
    answer = visitor.get("/archive/rivers/2026-12/en/issue.ics")
    assert answer.text == "a calendar"
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["etag"] == '"abc"'
    assert answer.headers["last-modified"] == "Tue, 01 Dec 2026 09:00:00 GMT"
    assert answer.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if-none-match": '"abc"'}, 304),
        ({"if-none-match": '"x", W/"abc"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"x"'}, 200),
        ({"if-none-match": '"x"', "if-modified-since": "Tue, 01 Dec 2026 09:00:00 GMT"}, 200),
        ({"if-modified-since": "Tue, 01 Dec 2026 09:00:00 GMT"}, 304),
        ({"if-modified-since": "Tue, 01 Dec 2026 08:59:59 GMT"}, 200),
        ({"if-modified-since": "Tue, 01 Dec 2026 09:00:00"}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-modified-since": "Tue, 99 Dec 99999 09:00:00 GMT"}, 200),
    ],
)
def test_who_has_the_bytes_is_not_sent_them_again(visitor, headers, status):
    answer = visitor.get("/archive/rivers/", headers=headers)
    assert answer.status_code == status
    assert answer.content == (b"" if status == 304 else b"a list")
    assert answer.headers["etag"] == '"abc"'
    assert visitor.head("/archive/rivers/", headers=headers).status_code == status


def test_an_edition_may_have_styles_and_pictures_and_our_script_alone(visit):
    policy = visit().get("/archive/rivers/").headers["content-security-policy"]
    assert policy == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https:; script-src 'self'; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    for media, source in (
        ("http://media.example/m", "http://media.example/m "),
        ("file:///srv/m", ""),
        ("https://m.example", ""),
    ):
        policy = visit(media).get("/archive/rivers/").headers["content-security-policy"]
        assert f"img-src 'self' {source}https:;" in policy


def test_a_page_of_ours_has_our_own_policy_in_the_archive_too(visitor):
    assert "style-src 'self'" in visitor.get("/archive/nothing").headers["content-security-policy"]


def test_pictures_are_kept_for_ever_and_files_of_our_own_for_an_hour(visitor):
    picture, script = visitor.get("/media/quay.png"), visitor.get("/static/print.js")
    assert picture.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "sandbox" in picture.headers["content-security-policy"]
    assert script.headers["cache-control"] == "public, max-age=3600"
    assert visitor.get("/media/other.png").status_code == visitor.get("/static/other.js").status_code == 404
