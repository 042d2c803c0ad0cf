"""Who got a mailing, and corrections as they are kept, in both databases."""

import datetime as dt

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from newsletter.compilation.correction import CorrectedEdition, Correction
from newsletter.compilation.models import ArtifactRow
from newsletter.compilation.store import add_correction, corrections
from newsletter.planning.models import DeliveryState
from newsletter.planning.store import GOT_STATES, count_readers, has_got, runs_of
from subscribers.models import Subscriber

MAILING = "issue:rivers/2026-12"


@pytest.fixture
def delivered(rows, now):
    """One person for each state that a delivery can have, and one who got the other edition."""
    issue_id = rows.issue()
    rows.run(issue_id=issue_id)
    with rows.sessions() as session:
        run_id = runs_of(session, issue_id)[0].id
        for name, state, language in [
            *((state.value, state, "fr") for state in DeliveryState),
            ("en", "accepted", "en"),
        ]:
            key = f"{name}@lakes.example"
            person = Subscriber(address=key, address_key=key, digest=name, language="fr", created=now, updated=now)
            session.add(person)
            session.flush()
            values = {"state": state, "language": language, "subscriber_id": person.id}
            session.add(rows._delivery(MAILING, name, run_id, values))
        session.commit()
    return rows


def readers(rows, language):
    with rows.sessions() as session:
        return set(session.scalars(select(col(Subscriber.digest)).where(has_got(MAILING, language))))


def test_readers_are_those_who_got_it_or_may_have(delivered):
    assert readers(delivered, "fr") == {"accepted", "uncertain", "sending"}
    assert readers(delivered, None) == {"accepted", "uncertain", "sending", "en"}
    assert readers(delivered, "de") == set()


def test_readers_are_counted_by_state(delivered):
    with delivered.sessions() as session:
        assert count_readers(session, MAILING, "fr") == dict.fromkeys(GOT_STATES, 1)
        assert count_readers(session, MAILING, None)[DeliveryState.ACCEPTED] == 2


def a_correction(number, now, **editions):
    return Correction(
        number=number,
        at=now + dt.timedelta(days=number),
        operator="anna",
        reasons={"fr": "Un lieu.", "en": "A place."},
        editions={tag: CorrectedEdition(digest=digest, changed=("À bord",)) for tag, digest in editions.items()},
    )


def test_corrections_come_back_as_they_were_kept_in_their_order(rows, now):
    issue_id = rows.issue()
    with rows.sessions() as session:
        for digest in ("a" * 64, "b" * 64):
            plain = {"variant": "", "subject": "", "mjml": "", "html": "", "text": "", "skeleton": b"", "facts": {}}
            session.add(ArtifactRow(digest=digest, language="fr", created=now, **plain))
        session.flush()
        kept = (a_correction(1, now, en="a" * 64, fr="b" * 64), a_correction(2, now, fr="a" * 64))
        for correction in reversed(kept):
            add_correction(session, issue_id, correction)
        session.commit()
    with rows.sessions() as session:
        found = corrections(session, issue_id)
        assert found == kept
        assert list(found[0].reasons) == ["fr", "en"]
        assert corrections(session, issue_id + 1) == ()
        with pytest.raises(IntegrityError):
            add_correction(session, issue_id, a_correction(2, now))
