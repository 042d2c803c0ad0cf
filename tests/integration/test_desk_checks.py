"""The page that checks an issue: what it shows is what is sent, and what officers do there holds."""

import re
import threading

import pytest
from integration.checking import CHECK, DESK, ISSUE, NEWSLETTER, Scene
from integration.desk import desk_client
from integration.test_correction import an_entry
from sqlmodel import select
from stored import digests

from newsletter.accounts.models import AuditRow
from newsletter.accounts.operator import Role
from newsletter.assembly.models import IssueRow
from newsletter.bootstrap import Pipeline
from newsletter.compilation.compiler import sample_message
from newsletter.compilation.preview import opened
from newsletter.compilation.store import get_many, pins
from newsletter.pipeline import previewing as previewing_module
from newsletter.pipeline.approval import Approval
from newsletter.planning.models import DeliveryRow, DeliveryState
from newsletter.web.app import create_app

VAGUE = {"en": {"title": "About quays", "body": "Read it [here](https://www.quays.example/en)."}}
SCRIPT = "<script>window.canary = 1</script>"


@pytest.fixture
def scene(checking):
    return checking.again()


@pytest.fixture
def officer(scene):
    return desk_client(scene.pipeline, app=scene.app)


@pytest.fixture
def viewer(scene):
    return desk_client(scene.pipeline, role=Role.VIEWER, app=scene.app)


def fresh(scene):
    """The same verbs with nothing in memory."""
    return Pipeline(parts=scene.pipeline.parts)


def now(path, **query):
    """The address of a page that waits for its editions."""
    asked = "&".join(f"{name}={value}" for name, value in {"now": "1", **query}.items())
    return f"{path}?{asked}"


def frame_in(page):
    return re.search(r'<iframe[^>]* src="([^"]+)"', page.text)[1].replace("&amp;", "&")


def test_the_frame_shows_the_bytes_that_were_approved(scene, officer):
    scene.decide()
    scene.pipeline.approval.approve(ISSUE, newsletter=NEWSLETTER)
    with scene.pipeline.parts.sessions() as session:
        approved = get_many(session, pins(session, scene.look().facts.id).values())
    for artifact in approved.values():
        page = officer.get(now(CHECK, edition=artifact.name))
        frame = officer.get(frame_in(page))
        assert frame.content == opened(sample_message(artifact)).html
        assert artifact.is_whole
        policy = frame.headers["content-security-policy"]
        assert policy.startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https://news.")
        assert "script-src" not in policy
        assert policy.endswith("frame-ancestors 'self'")
        assert 'sandbox=""' in page.text
    assert "https:;" in officer.get(f"{DESK}/editions/en/html?pictures=all").headers["content-security-policy"]


def test_the_text_part_and_the_whole_message_are_to_be_had(scene, officer):
    message = opened(sample_message(scene.look().artifact("fr")))
    assert officer.get(f"{DESK}/editions/fr/text").content == message.text.encode()
    source = officer.get(f"{DESK}/editions/fr/source")
    assert source.content == message.source
    assert source.headers["content-disposition"] == 'attachment; filename="one.fr.eml"'
    assert "De bonnes nouvelles de quays" in officer.get(now(CHECK, edition="fr", view="text")).text
    assert "&lt;html" in officer.get(now(CHECK, edition="fr", view="source")).text
    assert officer.get(f"{DESK}/editions/hu/html").status_code == 404


def test_copies_for_looking_at_say_so(scene, officer):
    marked = officer.get(now(CHECK, mark="quays", scheme="dark"))
    assert "This is a copy for looking at." in marked.text
    frame = officer.get(frame_in(marked)).text
    assert re.search(r'<mark id="passage"[^>]*>About quays</mark>', frame)
    assert "prefers-color-scheme" not in frame
    assert "This is a copy" not in officer.get(now(CHECK)).text


def test_an_officer_looks_as_a_subscriber_and_nothing_there_acts_on_them(scene, officer):
    scene.pipeline.people.lists.create("members")
    scene.pipeline.people.add("ada@town.example", list_name="members", given={"first_name": "Ada"})
    sent = officer.post(f"{CHECK}/reader", {"address": "ada@town.example", "edition": "en"})
    assert "ada" not in sent.headers["location"], "no address stands in an address"
    page = officer.get(sent.headers["location"] + "&now=1")
    frame = officer.get(frame_in(page)).text
    assert "Good news about quays, Ada." in frame
    token = re.search(r"https://news.example/u/([\w.-]+)", frame)[1]
    before = scene.pipeline.people.show("ada@town.example")
    officer.web.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
    assert scene.pipeline.people.show("ada@town.example") == before
    missing = officer.post(f"{CHECK}/reader", {"address": "nobody@town.example"})
    assert "as=" not in missing.headers["location"]


def test_viewers_see_no_subscriber(viewer):
    assert viewer.get(now(CHECK)).status_code == 200
    assert viewer.get(f"{DESK}/editions/en/html?as=x").status_code == 403
    assert viewer.post(f"{CHECK}/reader", {"address": "ada@town.example"}).status_code == 403
    assert viewer.post(f"{CHECK}/test", {"to": "a@b.example"}).status_code == 403
    assert viewer.post(f"{DESK}/approve").status_code == 403


def test_looking_changes_nothing_stored(scene, officer):
    officer.get(now(CHECK))
    before = digests(scene.pipeline.parts.engine)
    for path in (CHECK, now(CHECK, edition="fr", mark="quays"), f"{DESK}/approve", f"{DESK}/editions/en/html"):
        assert officer.get(path).status_code == 200
    assert digests(scene.pipeline.parts.engine) == before


def test_editions_are_compiled_once_until_something_changes(scene, monkeypatch):
    officer = desk_client(scene.pipeline, app=create_app(fresh(scene)))
    viewer = desk_client(scene.pipeline, role=Role.VIEWER, app=officer.app)
    made, compile_ = [], Approval.compile
    monkeypatch.setattr(Approval, "compile", lambda *given, **named: made.append(1) or compile_(*given, **named))
    waiting = officer.get(CHECK)
    assert "being made and checked" in waiting.text
    assert not made
    finished = officer.get(CHECK, **{"HX-Request": "true"})
    assert 'id="edition"' in finished.text
    assert 'id="edition"' in officer.get(CHECK).text
    officer.get(f"{DESK}/editions/fr/html")
    viewer.get(f"{DESK}/approve")
    assert len(made) == 1
    scene.pack(an_entry("quays", texts=VAGUE), an_entry("fair"))
    assert "being made and checked" in officer.get(CHECK).text
    assert "here" in officer.get(now(CHECK)).text
    assert len(made) == 2


def test_no_issue_is_compiled_twice_at_a_time(scene, monkeypatch):
    looking = fresh(scene).previewing
    at_once, most, compile_ = [0], [0], Approval.compile
    arrived = threading.Barrier(4, timeout=20)

    def watched(*given, **named):
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        try:
            return compile_(*given, **named)
        finally:
            at_once[0] -= 1

    def look():
        arrived.wait()
        looking.look(ISSUE, newsletter=NEWSLETTER)

    monkeypatch.setattr(Approval, "compile", watched)
    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert most == [1]


def test_what_is_kept_in_memory_has_a_bound(scene, monkeypatch):
    monkeypatch.setattr(previewing_module, "KEPT", 1)
    looking = fresh(scene).previewing
    looking.look(ISSUE, newsletter=NEWSLETTER)
    scene.pipeline.editorial.assemble("two", newsletter=NEWSLETTER)
    looking.look("two", newsletter=NEWSLETTER)
    assert not looking.is_ready(ISSUE, newsletter=NEWSLETTER)
    assert looking.is_ready("two", newsletter=NEWSLETTER)


def test_a_warning_leads_to_its_entry_and_is_accepted_as_it_is(scene, officer):
    scene.pack(an_entry("quays", texts=VAGUE), an_entry("fair"))
    page = officer.get(now(CHECK)).text
    assert f'href="/desk/n/{NEWSLETTER}/entries/quays?language=en#body-en"' in page
    assert "mark=quays" in page
    judged = scene.pipeline.previewing.judged(scene.look())
    [vague] = [each for each in judged.undecided if each.code == "link-label-vague"]
    officer.post(f"{CHECK}/accept", {"code": vague.code, "fingerprint": vague.fingerprint, "reason": " "})
    assert vague in scene.pipeline.previewing.judged(scene.look()).undecided
    officer.post(f"{CHECK}/accept", {"code": vague.code, "fingerprint": vague.fingerprint, "reason": "A quotation"})
    judged = scene.pipeline.previewing.judged(scene.look())
    assert [each.fingerprint for each in judged.accepted] == [vague.fingerprint]
    assert "Accepted by officer" in officer.get(now(CHECK)).text
    gone = officer.post(f"{CHECK}/accept", {"code": "link-label-vague", "fingerprint": "0" * 32, "reason": "x"})
    assert gone.status_code == 303
    with scene.pipeline.parts.sessions() as session:
        said = [(row.operator, row.about, row.reason) for row in session.exec(select(AuditRow))]
    assert ("officer", "issue one: link-label-vague (1)", "A quotation") in said


def test_a_draft_with_open_findings_is_not_approved_at_the_desk(scene, officer):
    scene.pack(an_entry("quays", texts=VAGUE), an_entry("fair"))
    assert "Approve these editions" not in officer.get(f"{DESK}/approve?now=1").text
    seen = [artifact.digest for artifact in scene.look().built.artifacts]
    refused = officer.post(f"{DESK}/approve", {"seen": seen})
    assert refused.headers["location"] == CHECK
    assert scene.pipeline.previewing.head(ISSUE, newsletter=NEWSLETTER).state == "draft"


def test_an_approval_is_given_seen_and_taken_back(scene, officer):
    scene.decide()
    page = officer.get(f"{DESK}/approve?now=1").text
    seen = re.findall(r'name="seen" value="([0-9a-f]{64})"', page)
    assert len(seen) == 2
    officer.post(f"{DESK}/approve", {"seen": seen})
    assert "Approved by officer" in officer.get(f"{DESK}/approve").text, "approving changes no edition"
    scene.pack(an_entry("quays", texts=an_entry("quays")["texts"] | VAGUE), an_entry("fair"))
    assert "being made and checked" in officer.get(f"{DESK}/approve").text
    assert "Changed since: About quays." in officer.get(now(CHECK)).text
    assert "Changed since: About quays." in officer.get(f"{DESK}/approve?now=1").text
    officer.post(f"{DESK}/approve/back", {"reason": "One link is vague"})
    page = officer.get(f"{DESK}/approve?now=1").text
    assert "An earlier approval ended" in page
    assert "One link is vague" in page
    assert officer.post(f"{DESK}/approve/back").status_code == 409


def test_a_test_message_is_sent_and_watched(scene, officer):
    sent = officer.post(f"{CHECK}/test", {"to": "me@desk.example, you@desk.example", "edition": "fr"})
    stamps = re.search(r"tests=([\w.-]+)", sent.headers["location"])[1]
    with scene.pipeline.parts.sessions() as session:
        rows = session.exec(select(DeliveryRow)).all()
        assert {row.address for row in rows} == {"me@desk.example", "you@desk.example"}
        assert {row.language for row in rows} == {"fr"}
    part = officer.get(f"{CHECK}/tests?tests={stamps}").text
    assert part.count("on its way…") == len(stamps.split("."))
    assert 'hx-trigger="every 1s"' in part
    with scene.pipeline.parts.sessions() as session:
        for row in session.exec(select(DeliveryRow)):
            row.state = DeliveryState.ACCEPTED
        session.commit()
        about = [row.about for row in session.exec(select(AuditRow)) if row.action == "test sent"]
    assert about == ["issue one: fr (2)"], "and no address"
    part = officer.get(f"{CHECK}/tests?tests={stamps}.x.20261201T080000000000").text
    assert "taken by the mail server" in part
    assert "hx-trigger" not in part


@pytest.mark.parametrize("to", ["", "nobody", " ".join(f"a{number}@b.example" for number in range(11))])
def test_a_test_needs_addresses(scene, officer, to):
    officer.post(f"{CHECK}/test", {"to": to})
    with scene.pipeline.parts.sessions() as session:
        assert session.exec(select(DeliveryRow)).all() == []


def test_the_page_says_who_will_get_it(scene, officer):
    assert "There is no segment yet." in officer.get(now(CHECK)).text
    scene.pipeline.people.lists.create("members")
    for number, language in enumerate(["fr", "fr", "en", "hu"]):
        scene.pipeline.people.add(f"p{number}@town.example", list_name="members", given={"language": language})
    scene.pipeline.people.segments.create("everybody", 'list = "members"')
    part = officer.get(f"{CHECK}/audience?segment=everybody").text
    assert "<strong>4 people.</strong>" in part
    assert "1 of them asked for Magyar and gets English." in part.replace("magyar", "Magyar")
    assert part in officer.get(now(CHECK, segment="everybody")).text.replace("\n\n", "\n") or "4 people" in part
    assert officer.get(f"{CHECK}/audience?segment=nobody").status_code == 404


def test_an_issue_without_entries_says_what_to_do(scene, officer):
    page = officer.get(f"/desk/n/{NEWSLETTER}/issues/two/check")
    assert "Nothing to look at yet" in page.text
    assert "Nothing to look at yet" in officer.get(f"/desk/n/{NEWSLETTER}/issues/two/approve").text
    assert officer.get(f"/desk/n/{NEWSLETTER}/issues/none/check").status_code == 404


def test_a_theme_that_cannot_be_compiled_is_said_in_words(scene, officer):
    with scene.pipeline.parts.sessions() as session:
        row = session.exec(select(IssueRow).where(IssueRow.slug == ISSUE)).one()
        row.settings = {**row.settings, "theme": {"name": "nowhere"}}
        session.commit()
    answer = officer.get(now(CHECK))
    assert answer.status_code == 409
    assert "nowhere" in answer.text


def test_a_script_in_any_text_stays_text(chosen_engine, tmp_path):
    text = {"title": f"Quays {SCRIPT}", "body": f"News {SCRIPT}"}
    words = {"subject": f"S {SCRIPT}", "preheader": f"P {SCRIPT}", "title": f"T {SCRIPT}", "intro": f"I {SCRIPT}"}
    scene = Scene(chosen_engine, tmp_path, an_entry("quays", texts={"en": text, "fr": text}), an_entry("fair"))
    with scene.pipeline.parts.sessions() as session:
        row = session.exec(select(IssueRow).where(IssueRow.slug == ISSUE)).one()
        row.plan = {**row.plan, "texts": {"en": words, "fr": words}}
        session.commit()
    _, token = scene.ask("en", reader=f"R {SCRIPT}")
    scene.pipeline.reviewing.suggest(token, artifact="", place="quays", words=f"W {SCRIPT}")
    pages = [
        *(now(CHECK, view=view) for view in ("html", "text", "source")),
        f"{DESK}/approve?now=1",
        f"{DESK}/editions/en/html",
        f"{DESK}/editions/en/html?mark=quays&scheme=dark",
        f"/review/{token}",
        f"/review/{token}/edition?mark=quays",
    ]
    officer = desk_client(scene.pipeline)
    answers = {path: officer.get(path) for path in pages}
    for path, answer in answers.items():
        assert answer.status_code == 200
        assert SCRIPT not in answer.text, path
        assert "canary" in answer.text, path


def test_a_large_audience_is_counted_beside_the_page(scene, officer, monkeypatch):
    counted, go = [], threading.Event()

    def slowly(*given, **named):
        counted.append(1)
        go.wait(timeout=20)
        return count(*given, **named)

    count = previewing_module.counted
    monkeypatch.setattr(previewing_module, "counted", slowly)
    scene.pipeline.people.lists.create("members")
    scene.pipeline.people.add("ada@town.example", list_name="members", given={})
    scene.pipeline.people.segments.create("everybody", 'list = "members"')
    first, second = (officer.get(f"{CHECK}/audience?segment=everybody").text for _ in range(2))
    assert "Counting…" in first
    assert 'hx-trigger="load delay:500ms"' in second
    go.set()
    found = scene.pipeline.previewing.expected(ISSUE, newsletter=NEWSLETTER, segment="everybody", patience=20)
    assert (found.total, len(counted)) == (1, 1)
    assert "1 person." in officer.get(f"{CHECK}/audience?segment=everybody").text
    assert len(counted) == 1
    scene.clock.forward(minutes=2)
    assert scene.pipeline.previewing.expected(ISSUE, newsletter=NEWSLETTER, segment="everybody", patience=20).total == 1
    assert len(counted) == 2
