"""A secret link to one edition: from the asking to the answers, and what becomes of them."""

import re

import pytest
from integration.checking import DESK, ISSUE, NEWSLETTER
from integration.desk import desk_client
from integration.signing import KEYS
from integration.test_correction import an_entry
from sqlmodel import select
from stored import digests
from visitor import visiting

from newsletter.accounts.models import AuditRow
from newsletter.accounts.operator import Role
from newsletter.assembly.facts import IssueState
from newsletter.assembly.store import get_issue, set_state
from newsletter.compilation.compiler import sample_message
from newsletter.compilation.preview import opened
from newsletter.errors import InvalidInput, NotFound, WrongState
from newsletter.pipeline import reviewing
from newsletter.pipeline.reviewing import Ending, Opinion, Overtaken
from subscribers.errors import TokenRefused
from subscribers.tokens import sign


@pytest.fixture
def scene(checking):
    return checking.again()


@pytest.fixture
def visitor(scene):
    with visiting(scene.app) as opened_:
        yield opened_


@pytest.fixture
def officer(scene):
    return desk_client(scene.pipeline, app=scene.app)


def digest_in(page):
    return re.search(r'name="artifact" value="([0-9a-f]{64})"', page.text)[1]


def test_the_page_shows_the_edition_as_it_will_be_sent_and_tells_nobody(scene, visitor):
    _, token = scene.ask("fr", reader="Marie Dubois")
    page, frame = visitor.get(f"/review/{token}"), visitor.get(f"/review/{token}/edition")
    assert page.status_code == frame.status_code == 200
    assert 'lang="fr"' in page.text
    assert "Marie Dubois, voici la version telle qu’elle sera envoyée." in page.text
    artifact = scene.look().artifact("fr")
    assert frame.content == opened(sample_message(artifact)).html
    assert artifact.digest == digest_in(page)
    assert frame.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    for answer in (page, frame):
        assert answer.headers["x-robots-tag"].startswith("noindex")
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


def test_looking_changes_nothing(scene, visitor):
    _, token = scene.ask()
    before = digests(scene.pipeline.parts.engine)
    for path in ("", "/edition", "?mark=quays", "/edition?mark=quays", "?said=right"):
        assert visitor.get(f"/review/{token}{path}").status_code == 200
    assert digests(scene.pipeline.parts.engine) == before


def test_a_reader_asks_for_a_change_and_finds_it_right_in_the_next_round(scene, visitor, officer):
    _, token = scene.ask("fr")
    first = digest_in(visitor.get(f"/review/{token}"))
    sent = visitor.post(
        f"/review/{token}", data={"artifact": first, "place": "quays", "words": "« rives », pas « quais »"}
    )
    assert sent.headers["location"] == f"/review/{token}?said=noted"
    [review] = scene.reviews()
    [answer] = review.open_answers
    assert (review.opinion, answer.place, answer.passage) == (Opinion.CHANGES, "quays", "À propos de quays")
    assert "pas « quais »" in visitor.get(f"/review/{token}").text

    assert "pas « quais »" in officer.get(f"{DESK}/check?now=1").text
    assert "pas « quais »" in officer.get(f"{DESK}/approve?now=1").text
    officer.post(f"{DESK}/reviews/settle", {"answer": str(answer.id), "done": "1", "page": "approve"})
    [review] = scene.reviews()
    assert (review.opinion, review.answers[0].done_by) == (Opinion.SETTLED, "officer")
    texts = an_entry("quays")["texts"] | {"fr": {"title": "À propos des rives", "body": "De bonnes nouvelles."}}
    scene.pack(an_entry("quays", texts=texts), an_entry("fair"))

    late = visitor.post(f"/review/{token}", data={"artifact": first, "right": "1"})
    assert late.headers["location"].endswith("?said=again"), "what was approved is not what there is now"
    second = digest_in(visitor.get(f"/review/{token}"))
    assert second != first
    visitor.post(f"/review/{token}", data={"artifact": second, "right": "1"})
    assert scene.reviews()[0].opinion is Opinion.RIGHT
    texts["fr"]["body"] = "Encore autre chose."
    scene.pack(an_entry("quays", texts=texts), an_entry("fair"))
    assert scene.reviews()[0].opinion is Opinion.EARLIER


def test_a_link_ends_with_its_term_and_when_it_is_withdrawn(scene, visitor):
    short, token = scene.ask(days=1)
    _, other = scene.ask("en", reader="John")
    scene.clock.forward(days=1)
    assert scene.pipeline.reviewing.read(token) is Ending.EXPIRED
    assert visitor.get(f"/review/{token}").status_code == 410
    assert visitor.get(f"/review/{token}/edition").status_code == 404
    answered = visitor.post(f"/review/{token}", data={"artifact": "x", "words": "too late"})
    assert answered.headers["location"].endswith("?said=over")
    assert scene.reviews()[0].answers == ()

    john = scene.reviews()[1]
    scene.pipeline.reviewing.withdraw(ISSUE, john.id, newsletter=NEWSLETTER)
    assert scene.pipeline.reviewing.read(other) is Ending.WITHDRAWN
    assert "withdrawn" in visitor.get(f"/review/{other}").text
    assert [review.ending for review in scene.reviews()] == [Ending.EXPIRED, Ending.WITHDRAWN]
    with pytest.raises(NotFound):
        scene.pipeline.reviewing.withdraw("two", short.id, newsletter=NEWSLETTER)


def test_a_link_is_for_one_edition(scene, visitor):
    _, token = scene.ask("en", reader="John")
    assert "About quays" in visitor.get(f"/review/{token}/edition").text
    assert "À propos" not in visitor.get(f"/review/{token}/edition").text
    assert "À propos" not in visitor.get(f"/review/{token}?mark=quays&edition=fr").text


@pytest.mark.parametrize("token", ["", "x", "k1.eA.eA", "é"])
def test_what_is_no_token_leads_nowhere(scene, visitor, token):
    assert visitor.get(f"/review/{token}").status_code == 404


def test_tokens_of_other_purposes_are_refused(scene, visitor):
    review, token = scene.ask()
    uid = scene.pipeline.reviewing.read(token).reader
    for forged in (
        sign(KEYS, "preferences", uid),
        sign(KEYS, "review", "nobody"),
        token[:-1] + "A" * (token[-1] != "A"),
    ):
        with pytest.raises(TokenRefused):
            scene.pipeline.reviewing.read(forged)
    assert review.ending is None


def test_answers_end_once_the_issue_is_scheduled(scene, visitor):
    _, token = scene.ask()
    seen = digest_in(visitor.get(f"/review/{token}"))
    scene.decide()
    scene.pipeline.approval.approve(ISSUE, newsletter=NEWSLETTER)
    with scene.pipeline.parts.sessions() as session:
        issue = get_issue(session, ISSUE)
        set_state(session, issue.id, expected=tuple(IssueState), state=IssueState.QUEUED, now=scene.clock())
        session.commit()
    page = visitor.get(f"/review/{token}")
    assert (page.status_code, 'name="right"' in page.text) == (200, False)
    with pytest.raises(WrongState):
        scene.pipeline.reviewing.approve(token, artifact=seen)
    with pytest.raises(WrongState, match="queued"):
        scene.ask()


@pytest.mark.parametrize(
    ("given", "said"),
    [({"words": " \n "}, "wrong"), ({"words": "x" * 4001}, "wrong"), ({"words": "ok", "place": "nowhere"}, "noted")],
    ids=["nothing", "too much", "a place that there is not"],
)
def test_what_a_reader_sends_is_judged(scene, visitor, given, said):
    _, token = scene.ask()
    data = {"artifact": digest_in(visitor.get(f"/review/{token}")), "place": "quays", **given}
    assert visitor.post(f"/review/{token}", data=data).headers["location"].endswith(f"?said={said}")
    assert [answer.place for answer in scene.reviews()[0].answers] == ([""] if said == "noted" else [])


def test_nobody_fills_the_database_by_a_link(scene, monkeypatch):
    monkeypatch.setattr(reviewing, "MOST_ANSWERS", 2)
    monkeypatch.setattr(reviewing, "MOST_REVIEWS", 1)
    _, token = scene.ask()
    for _ in range(2):
        scene.pipeline.reviewing.suggest(token, artifact="", place="", words="more")
    with pytest.raises(InvalidInput, match="too many"):
        scene.pipeline.reviewing.suggest(token, artifact="", place="", words="more")
    with pytest.raises(WrongState, match="1 links already"):
        scene.ask()


@pytest.mark.parametrize("asked", [{"reader": " "}, {"reader": "x" * 121}, {"days": 0}, {"days": 61}])
def test_a_link_needs_a_name_and_a_term(scene, asked):
    with pytest.raises(InvalidInput):
        scene.ask(**asked)


def test_there_is_no_link_to_an_edition_that_there_is_not(scene):
    with pytest.raises(NotFound):
        scene.ask("hu")


def test_an_approval_of_other_bytes_is_not_taken(scene):
    _, token = scene.ask()
    with pytest.raises(Overtaken):
        scene.pipeline.reviewing.approve(token, artifact="0" * 64)


def test_officers_see_links_and_viewers_do_not(scene, officer):
    review, _ = scene.ask(reader="Marie")
    assert review.link in officer.get(f"{DESK}/approve?now=1").text
    viewer = desk_client(scene.pipeline, role=Role.VIEWER, app=scene.app)
    page = viewer.get(f"{DESK}/approve?now=1").text
    assert "Marie" in page
    assert "/review/" not in page
    assert viewer.post(f"{DESK}/reviews", {"edition": "fr", "reader": "x", "days": "7"}).status_code == 403


def test_links_are_made_and_withdrawn_at_the_desk_and_the_audit_log_says_so(scene, officer):
    made = officer.post(f"{DESK}/reviews", {"edition": "fr", "reader": "Marie", "days": "3"})
    assert made.headers["location"] == f"{DESK}/approve#reviews"
    [review] = scene.reviews()
    assert (review.edition, review.reader, review.operator) == ("fr", "Marie", "officer")
    officer.post(f"{DESK}/reviews", {"edition": "fr", "reader": "Marie", "days": "three"})
    assert len(scene.reviews()) == 1
    officer.post(f"{DESK}/reviews/withdraw", {"review": str(review.id)})
    assert scene.reviews()[0].ending is Ending.WITHDRAWN
    assert officer.post(f"{DESK}/reviews/withdraw", {"review": "x"}).status_code == 404
    with scene.pipeline.parts.sessions() as session:
        said = [(row.action, row.about) for row in session.exec(select(AuditRow)) if row.action.startswith("review")]
    assert said == [("review asked", "issue one: fr, Marie"), ("review withdrawn", "issue one: fr, Marie")]
