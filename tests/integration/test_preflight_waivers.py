import datetime as dt

import pytest
from databases import url_of
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from newsletter.assembly.models import IssueRow
from newsletter.content.models import NewsletterRow
from newsletter.database import open_engine
from newsletter.errors import InvalidInput, NotFound, WrongState
from newsletter.preflight.finding import Rule, Severity
from newsletter.preflight.models import WaiverRow
from newsletter.preflight.store import waive, waived, waivers
from subscribers.columns import Base

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
PLAIN = Rule(code="link-http", severity=Severity.WARNING, message="{url}", hint="Write https.")
BROKEN = Rule(code="link-broken", severity=Severity.ERROR, message="Broken.", hint="Mend it.")
NOTED = Rule(code="link-noted", severity=Severity.NOTICE, message="Noted.", hint="Read it.")
FIRST, SECOND = PLAIN.found(place="piers", url="a"), PLAIN.found(place="cranes", url="b")
FINDINGS = (FIRST, SECOND, BROKEN.found(), NOTED.found())


@pytest.fixture
def session(tmp_path):
    engine = open_engine(url_of(tmp_path / "newsletter.db"))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        newsletter = NewsletterRow(slug="harbours", settings={}, created=NOW, changed=NOW)
        session.add(newsletter)
        session.flush()
        session.add_all(issue(newsletter.id, number) for number in (1, 2))
        session.flush()
        yield session
    engine.dispose()


def issue(newsletter, number):
    day = dt.date(2026, 12, number)
    return IssueRow(
        id=number,
        newsletter_id=newsletter,
        slug=f"2026-{number}",
        date=day,
        period_from=day,
        period_to=day,
        plan={},
        created=NOW,
        changed=NOW,
    )


def accept(session, code="link-http", reason="The city has no certificate yet.", **changes):
    known = {"findings": FINDINGS, "operator": "ada", "now": NOW}
    return waive(session, 1, code=code, reason=reason, **{**known, **changes})


def test_a_waiver_holds_for_every_finding_of_its_code_in_its_issue(session):
    assert accept(session) == [FIRST, SECOND]
    assert waived(session, 1) == {FIRST.fingerprint, SECOND.fingerprint}
    assert waived(session, 2) == frozenset()


def test_a_waiver_does_not_hold_for_a_finding_that_has_changed(session):
    accept(session)
    assert PLAIN.found(place="piers", url="c").fingerprint not in waived(session, 1)


def test_a_waiver_says_who_when_and_why(session):
    accept(session, reason="  No certificate\nyet. ")
    (row, _) = waivers(session, 1)
    assert (row.code, row.operator, row.at, row.reason) == ("link-http", "ada", NOW, "No certificate yet.")


def test_waiving_again_keeps_one_waiver_with_the_newer_reason(session):
    accept(session)
    later = NOW + dt.timedelta(hours=1)
    accept(session, reason="They refuse.", operator="bo", now=later)
    assert [(row.operator, row.reason, row.at) for row in waivers(session, 1)] == [("bo", "They refuse.", later)] * 2


def test_an_error_cannot_be_waived(session):
    with pytest.raises(WrongState, match="link-broken is an error and cannot be waived: Mend it"):
        accept(session, code="link-broken")
    assert waived(session, 1) == frozenset()


def test_a_notice_needs_no_waiver(session):
    with pytest.raises(WrongState, match="link-noted is a notice"):
        accept(session, code="link-noted")


def test_a_code_that_nothing_was_found_for_is_unknown(session):
    with pytest.raises(NotFound, match="there is no finding 'link-htp'; did you mean 'link-http'"):
        accept(session, code="link-htp")


@pytest.mark.parametrize(("reason", "message"), [(" \n", "say why"), ("x" * 1001, "at most 1000")])
def test_a_waiver_needs_a_reason_of_a_sentence_or_two(session, reason, message):
    with pytest.raises(InvalidInput, match=message):
        accept(session, reason=reason)


def test_the_database_keeps_one_waiver_for_a_finding(session):
    accept(session)
    session.add(
        WaiverRow(issue_id=1, code="link-http", fingerprint=FIRST.fingerprint, reason="Again.", operator="bo", at=NOW)
    )
    with pytest.raises(IntegrityError):
        session.flush()


def test_waivers_go_with_their_issue(session):
    accept(session)
    session.delete(session.get(IssueRow, 1))
    session.flush()
    session.expire_all()
    assert waivers(session, 1) == []
