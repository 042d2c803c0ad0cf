"""Who wrote last, and that somebody else approves where the newsletter asks for it."""

import pytest
from integration.checking import ISSUE, NEWSLETTER
from integration.desk import desk_client
from integration.test_correction import an_entry
from sqlmodel import select
from typer.testing import CliRunner

from newsletter.accounts.models import AuditRow
from newsletter.assembly.authors import last_written
from newsletter.assembly.facts import IssueState
from newsletter.assembly.store import get_issue
from newsletter.cli.application import app as command_line
from newsletter.cli.state import STATE
from newsletter.errors import ApprovalVoid, OwnWork, WrongState


@pytest.fixture
def scene(checking):
    return checking.again()


def author(scene):
    with scene.pipeline.parts.sessions() as session:
        return last_written(session, get_issue(session, ISSUE)).author


def state(scene):
    with scene.pipeline.parts.sessions() as session:
        return get_issue(session, ISSUE).state


def test_the_author_is_whoever_changed_a_word_last(scene):
    assert author(scene) == "anna"
    changed = an_entry("quays", tags=["water"])
    scene.pack(changed, an_entry("fair"), by="bea")
    assert author(scene) == "bea"
    scene.pack(changed, an_entry("fair"), by="carl")
    assert author(scene) == "bea", "a pack that changes nothing is nobody's writing"
    scene.clock.forward(minutes=1)
    scene.as_("dora").editorial.assemble(ISSUE, newsletter=NEWSLETTER)
    assert author(scene) == "bea", "choosing the same entries again changes nothing"


def test_approving_makes_nobody_the_author(scene):
    scene.decide()
    scene.clock.forward(minutes=1)
    scene.as_("bea").approval.approve(ISSUE, newsletter=NEWSLETTER)
    scene.as_("bea").approval.take_back(ISSUE, newsletter=NEWSLETTER, reason="too early")
    assert author(scene) == "anna"


def test_who_wrote_last_does_not_approve(scene):
    scene.decide()
    scene.wants_four_eyes()
    with pytest.raises(OwnWork, match="last changed by anna"):
        scene.as_("anna").approval.approve(ISSUE, newsletter=NEWSLETTER)
    with pytest.raises(OwnWork):
        scene.as_("Anna").approval.approve(ISSUE, newsletter=NEWSLETTER)
    assert state(scene) is IssueState.DRAFT
    scene.as_("bea").approval.approve(ISSUE, newsletter=NEWSLETTER)
    assert state(scene) is IssueState.APPROVED


def test_without_the_rule_anybody_approves(scene):
    scene.decide()
    scene.as_("anna").approval.approve(ISSUE, newsletter=NEWSLETTER)
    assert state(scene) is IssueState.APPROVED


def test_the_rule_holds_on_the_command_line(scene, monkeypatch):
    scene.decide()
    scene.wants_four_eyes()
    monkeypatch.setattr(STATE, "pipeline", lambda **_: scene.as_(STATE.operator or "system"))
    refused = CliRunner().invoke(command_line, ["--as", "anna", "issue", "approve", ISSUE])
    assert isinstance(refused.exception, OwnWork)
    assert "--as NAME" in str(refused.exception)
    approved = CliRunner().invoke(command_line, ["--as", "bea", "issue", "approve", ISSUE])
    assert (approved.exit_code, state(scene)) == (0, IssueState.APPROVED)


def test_the_rule_holds_at_the_desk(scene):
    scene.decide()
    scene.wants_four_eyes()
    seen = [artifact.digest for artifact in scene.look().built.artifacts]
    path = f"/desk/n/{NEWSLETTER}/issues/{ISSUE}/approve"
    anna = desk_client(scene.pipeline, name="anna", app=scene.app)
    bea = desk_client(scene.pipeline, name="bea", app=scene.app)
    page = anna.get(f"{path}?now=1")
    assert "somebody else has to approve it" in page.text
    assert "Approve these editions" not in page.text
    anna.post(path, {"seen": seen})
    assert state(scene) is IssueState.DRAFT, "the button is not what keeps her from it"
    assert "Approve these editions" in bea.get(f"{path}?now=1").text
    bea.post(path, {"seen": seen})
    assert state(scene) is IssueState.APPROVED
    assert "Approved by bea" in anna.get(f"{path}?now=1").text


def test_nothing_is_approved_that_was_not_looked_at(scene):
    scene.decide()
    seen = [artifact.digest for artifact in scene.look().built.artifacts]
    scene.pack(
        an_entry("quays", topic=None, priority=9), an_entry("fair", texts={"en": {"title": "New", "body": "N."}})
    )
    scene.decide()
    with pytest.raises(ApprovalVoid, match="since you looked"):
        scene.as_("bea").approval.approve(ISSUE, newsletter=NEWSLETTER, seen=seen)
    assert state(scene) is IssueState.DRAFT


def test_the_log_tells_how_an_approval_ended(scene):
    scene.decide()
    scene.as_("bea").approval.approve(ISSUE, newsletter=NEWSLETTER)
    texts = {"en": {"title": "Quays by night", "body": "Lamps."}, "fr": {"title": "Quais", "body": "Lampes."}}
    scene.pack(an_entry("quays", texts=texts), an_entry("fair"), by="carl")
    assert scene.look().overtaken == ("Quays by night", "Quais")
    assert not scene.look().stands
    with pytest.raises(ApprovalVoid):
        scene.as_("dora").approval.ensure_approved(ISSUE, newsletter=NEWSLETTER)
    ended, given = scene.pipeline.approval.log(ISSUE, newsletter=NEWSLETTER)
    assert (ended.ended, ended.operator, ended.reason) == (True, "dora", "Quays by night; Quais")
    assert (given.ended, given.operator) == (False, "bea")
    with scene.pipeline.parts.sessions() as session:
        deeds = [(row.operator, row.action) for row in session.exec(select(AuditRow))]
    assert ("bea", "issue approved") in deeds
    assert ("dora", "approval ended") in deeds
    with pytest.raises(WrongState, match="no approval"):
        scene.pipeline.approval.take_back(ISSUE, newsletter=NEWSLETTER)
