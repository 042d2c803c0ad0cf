from fractions import Fraction

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers import consent, store, suppression
from subscribers.consent import Circumstances
from subscribers.errors import ImportRefused, TooManyRemovals
from subscribers.importing import Listeners, Manner, sync
from subscribers.importing.sync import Bound, sync_subscribers
from subscribers.models import ConsentAction, ConsentEntry, Membership, MembershipState, SuppressionReason

ANY = Bound(Fraction(1))


@pytest.fixture
def take(engine, keys, people, session, members):
    """Syncs a text with the list of members."""

    def run(text, *, bound=ANY, listeners=None, **manner):
        session.commit()
        return sync_subscribers(
            lambda: Session(engine),
            people(text),
            list_name="members",
            keys=keys,
            operator="marie",
            now=members.created,
            bound=bound,
            manner=Manner(**manner),
            listeners=listeners,
        )

    return run


@pytest.fixture
def states(session):
    def by_address():
        session.expire_all()
        people = {person.id: person.address for person in store.page(session)}
        return {people[each.subscriber_id]: each.state.value for each in session.scalars(select(Membership))}

    return by_address


@pytest.fixture
def actions(session):
    def of(address):
        session.expire_all()
        return [
            (entry.action, entry.source)
            for entry in store.consent_of(session, store.get_subscriber(session, address).digest)
        ]

    return of


def file_of(*names):
    return "email\n" + "".join(f"{name}@x.example\n" for name in names)


def test_who_is_not_in_the_file_is_taken_off_and_the_log_says_how(take, states, actions):
    take(file_of("anne", "ben"))
    report = take(file_of("ben", "cem"))
    assert (report.members, report.removed, report.imported.new) == (2, 1, 1)
    assert states() == {"anne@x.example": "removed", "ben@x.example": "confirmed", "cem@x.example": "confirmed"}
    assert actions("anne@x.example") == [(ConsentAction.IMPORTED, "sync"), (ConsentAction.REMOVED, "sync")]


def test_the_same_file_again_changes_nothing(take, session):
    take(file_of("anne", "ben"))
    take(file_of("ben"))
    lines = len(session.scalars(select(ConsentEntry)).all())
    report = take(file_of("ben"))
    assert (report.removed, report.imported.counts()["unchanged"]) == (0, 1)
    assert len(session.scalars(select(ConsentEntry)).all()) == lines


def test_who_was_taken_off_comes_back_with_the_file_and_who_left_does_not(take, states, session, members, now):
    take(file_of("anne", "ben"))
    ben = store.get_subscriber(session, "ben@x.example")
    consent.leave(session, subscriber=ben, mailing_list=members, circumstances=Circumstances(at=now, source="form"))
    assert take(file_of("cem")).removed == 1
    report = take(file_of("anne", "ben", "cem"))
    assert (report.imported.changed, report.imported.refused, report.removed) == (1, 1, 0)
    assert states() == {"anne@x.example": "confirmed", "ben@x.example": "left", "cem@x.example": "confirmed"}


def test_an_opt_out_outlives_every_sync(take, states, session, members, now):
    take(file_of("anne", "ben"))
    anne = store.get_subscriber(session, "anne@x.example")
    consent.leave(session, subscriber=anne, mailing_list=members, circumstances=Circumstances(at=now, source="form"))
    take(file_of("ben"))
    assert states()["anne@x.example"] == "left"


def test_who_waits_for_a_confirmation_is_taken_off_too(take, states, session, add_person, members):
    anne, now = add_person("anne@x.example"), members.created
    consent.subscribe(
        session, subscriber=anne, mailing_list=members, circumstances=Circumstances(at=now, source="form")
    )
    assert take(file_of("ben")).removed == 1
    assert states() == {"anne@x.example": "removed", "ben@x.example": "confirmed"}


def test_somebody_whose_row_is_wrong_is_there_all_the_same(take, states):
    take(file_of("anne", "ben"))
    report = take("email,country\nanne@x.example,XX\nBen@X.example,BE\n")
    assert (report.imported.invalid, report.removed) == (1, 0)
    assert set(states().values()) == {"confirmed"}


def test_somebody_suppressed_stays_so(take, states, session, keys, now):
    take(file_of("anne"))
    suppression.suppress(session, keys, address="anne@x.example", reason=SuppressionReason.COMPLAINT, now=now)
    report = take(file_of("anne"))
    assert (report.imported.suppressed, report.removed) == (1, 0)


@pytest.mark.parametrize(("bound", "words"), [(Bound(), "5%"), (Bound(None, 0), "0"), (Bound(Fraction(1, 8)), "12.5%")])
def test_above_the_bound_nothing_at_all_is_written(take, states, bound, words):
    take(file_of("anne", "ben", "cem"))
    before = states()
    with pytest.raises(TooManyRemovals) as error:
        take(file_of("anne", "ben", "dora"), bound=bound)
    assert (error.value.absent, error.value.members, error.value.bound) == (1, 3, words)
    assert "--max-removals 1" in error.value.message
    assert states() == before


def test_an_empty_file_takes_nobody_off_by_accident(take, states):
    take(file_of("anne"))
    with pytest.raises(TooManyRemovals):
        take("email\n", bound=Bound())
    with pytest.raises(ImportRefused):
        take("", bound=ANY)
    assert states() == {"anne@x.example": "confirmed"}


def test_exactly_the_bound_is_allowed(take, states):
    take(file_of(*(f"p{number}" for number in range(20))))
    assert take(file_of(*(f"p{number}" for number in range(1, 20))), bound=Bound()).removed == 1
    assert take(file_of(*(f"p{number}" for number in range(3, 20))), bound=Bound(None, 2)).removed == 2


def test_a_dry_run_says_who_would_go_and_changes_nothing(take, states):
    take(file_of("anne", "ben"))
    report = take(file_of("cem"), dry_run=True)
    assert (report.members, report.removed, report.imported.new) == (2, 2, 1)
    assert states() == {"anne@x.example": "confirmed", "ben@x.example": "confirmed"}


def test_a_sync_that_was_asked_to_stop_takes_nobody_off(take, states, monkeypatch):
    take(file_of("anne", "ben"))
    monkeypatch.setattr("subscribers.importing.loading.CHUNK", 1)
    report = take(file_of("cem", "dora"), listeners=Listeners(stopping=lambda: True))
    assert (report.imported.stopped, report.removed) == (True, 0)
    assert states() == {"anne@x.example": "confirmed", "ben@x.example": "confirmed", "cem@x.example": "confirmed"}


def test_many_are_taken_off_in_chunks_and_told_of_each(take, states, monkeypatch):
    take(file_of(*(f"p{number}" for number in range(40))))
    monkeypatch.setattr(sync, "CHUNK", 16)
    told = []
    listeners = Listeners(departures=lambda _session, digests: told.append(len(digests)))
    assert take(file_of("p3", "p39"), listeners=listeners).removed == 38
    assert told == [16, 16, 6]
    assert [name for name, state in states().items() if state == "confirmed"] == ["p3@x.example", "p39@x.example"]


def test_somebody_who_leaves_while_the_sync_runs_is_not_taken_off(take, states, session, members, monkeypatch):
    form = Circumstances(at=members.created, source="form")
    take(file_of("anne", "ben"))
    load = sync.load

    def and_meanwhile(*arguments, **facts):
        report = load(*arguments, **facts)
        anne = store.get_subscriber(session, "anne@x.example")
        consent.leave(session, subscriber=anne, mailing_list=members, circumstances=form)
        session.commit()
        return report

    monkeypatch.setattr(sync, "load", and_meanwhile)
    assert take(file_of("ben")).removed == 0
    assert states()["anne@x.example"] == MembershipState.LEFT.value
