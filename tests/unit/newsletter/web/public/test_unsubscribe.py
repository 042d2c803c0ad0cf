"""Leaving by a link, over verbs that only remember what they were asked."""

import pytest
from visitor import visiting

from newsletter.pipeline.own import Farewell, Left, Restored
from newsletter.pipeline.signup import NewsletterOffer
from newsletter.web import app as module
from newsletter.web.app import create_app
from newsletter.web.public import unsubscribe
from subscribers.errors import TokenRefused

OFFER = NewsletterOffer(slug="rivers", name="River Cities", languages=("en", "fr"))
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class Own:
    """Knows one token, and whether its person has left."""

    def __init__(self):
        self.done = []
        self.known = True

    def farewell(self, token, *, language):
        self._check(token)
        return Farewell(
            newsletter=OFFER,
            masked="a•••@l•••.example",
            known=self.known,
            left=bool(self.done),
            language="fr",
            preferences="preferences-token",
        )

    def leave(self, token, *, one_click, origin):
        self._check(token)
        self.done.append(("leave", one_click, origin))
        changed = self.known and len(self.done) == 1
        undo = "undo-token" if changed else ""
        return Left(newsletter=OFFER, changed=changed, language="fr", undo=undo, preferences="preferences-token")

    def undo(self, token, *, origin):
        if token != "undo-token":
            raise TokenRefused
        self.done.append(("undo", origin))
        if not self.known:
            return None
        return Restored(newsletter=OFFER, lists=(), changed=True, language="fr", preferences="preferences-token")

    def _check(self, token):
        if token != "token":
            raise TokenRefused


@pytest.fixture
def own():
    return Own()


@pytest.fixture
def visitor(own, pipeline, monkeypatch):
    monkeypatch.setattr(module, "ROUTERS", (unsubscribe.router,))
    monkeypatch.setattr(module, "DESK_ROUTERS", ())
    pipeline.own = own
    with visiting(create_app(pipeline)) as opened:
        yield opened


def test_looking_shows_whom_it_is_about_and_does_nothing(visitor, own):
    page = visitor.get("/u/token")
    assert page.status_code == 200
    assert page.headers["content-language"] == "fr"
    assert "River Cities" in page.text
    assert "a•••@l•••.example" in page.text
    assert '<form method="post"' in page.text
    assert visitor.head("/u/token").status_code == 200
    assert own.done == []


@pytest.mark.parametrize(
    ("headers", "query", "language"), [({}, "", "fr"), ({"accept-language": "fr"}, "", "fr"), ({}, "?lang=el", "el")]
)
def test_the_page_is_in_the_persons_language_unless_another_is_asked_for(visitor, headers, query, language):
    assert visitor.get(f"/u/token{query}", headers=headers).headers["content-language"] == language


@pytest.mark.parametrize("encoding", [{"data": ONE_CLICK}, {"files": [("List-Unsubscribe", (None, "One-Click"))]}])
def test_one_click_leaves_in_either_encoding(visitor, own, encoding):
    answer = visitor.post("/u/token", **encoding)
    assert (answer.status_code, answer.text) == (200, "unsubscribed\n")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "set-cookie" not in answer.headers
    assert "location" not in answer.headers
    assert own.done == [("leave", True, "203.0.113.7")]


def test_one_click_asks_nobody_where_it_comes_from_and_needs_no_cookie(visitor, own):
    strange = {"origin": "https://mail.example", "referer": "https://mail.example/x", "sec-fetch-site": "cross-site"}
    assert visitor.post("/u/token", data=ONE_CLICK, headers=strange).status_code == 200
    assert len(own.done) == 1


def test_one_click_is_answered_the_same_again_and_for_people_who_are_gone(visitor, own):
    first, second = (visitor.post("/u/token", data=ONE_CLICK) for _ in range(2))
    own.known = False
    third = visitor.post("/u/token", data=ONE_CLICK)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert (first.status_code, first.content) == (third.status_code, third.content)


@pytest.mark.parametrize(
    "data", [{}, {"List-Unsubscribe": "Two-Clicks"}, {"list-unsubscribe": "One-Click"}, {"a": "b"}]
)
def test_a_post_that_says_neither_one_click_nor_leave_is_shown_the_page(visitor, own, data):
    answer = visitor.post("/u/token", data=data)
    assert answer.status_code == 200
    assert '<form method="post"' in answer.text
    assert own.done == []


def test_the_button_leaves_and_offers_the_way_back(visitor, own):
    page = visitor.post("/u/token", data={"leave": "1"})
    assert page.status_code == 200
    assert own.done == [("leave", False, "203.0.113.7")]
    assert 'action="undo-token/undo?lang=fr"' in page.text
    assert "undo-token" not in visitor.post("/u/token", data={"leave": "1"}).text


def test_an_undo_restores(visitor, own):
    page = visitor.post("/u/undo-token/undo")
    assert page.status_code == 200
    assert "River Cities" in page.text
    assert own.done == [("undo", "203.0.113.7")]


def test_an_undo_that_comes_too_late_is_told(visitor, own):
    own.known = False
    assert visitor.post("/u/undo-token/undo").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("GET", "/u/other", None),
        ("POST", "/u/other", ONE_CLICK),
        ("POST", "/u/other", {"leave": "1"}),
        ("POST", "/u/other", {}),
        ("POST", "/u/token/undo", {}),
    ],
)
def test_a_token_that_is_not_ours_is_not_found(visitor, own, method, path, data):
    assert visitor.ask(method, path, data=data).status_code == 404
    assert own.done == []


@pytest.mark.parametrize("path", ["/u/token/", "/u", "/u/", "//u/token", "/u/token//undo"])
def test_nothing_under_this_address_is_a_redirect(visitor, path):
    for method in ("GET", "HEAD", "POST", "PUT"):
        assert not visitor.ask(method, path).is_redirect


def test_an_undo_cannot_be_looked_at(visitor, own):
    assert visitor.get("/u/undo-token/undo").status_code == 405
    assert visitor.head("/u/undo-token/undo").status_code == 405
    assert own.done == []
