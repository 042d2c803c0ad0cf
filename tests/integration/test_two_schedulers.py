"""
Two schedulers that both act, as they do for a moment when one takes over: nothing is done twice, on either database.

Wall-clock times are met in zones that change their clocks in every way there is: by an hour, by half of one, in either
hemisphere, at midnight, and for Ramadan.
"""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from databases import databases
from integration.sent_scene import ISSUE, NEWSLETTER, pipeline_over
from integration.signing import BOTH, Clock, a_newsletter, bare_pipeline
from sqlalchemy import func
from sqlmodel import col, select

from newsletter.accounts import alerts
from newsletter.accounts.alerts import AlertKind
from newsletter.accounts.models import OperatorRow
from newsletter.accounts.operator import Role
from newsletter.accounts.webhooks import WebhookCallRow, WebhookEvent
from newsletter.assembly.due import SlotRow
from newsletter.assembly.models import IssueRow
from newsletter.bootstrap import Pipeline
from newsletter.database import open_engine
from newsletter.pipeline.cadence import Cadences
from newsletter.pipeline.sending import Sending
from newsletter.pipeline.webhooks import SETTLED, Webhooks
from newsletter.planning.manner import Manner
from newsletter.planning.models import DeliveryRow, RunRow, RunState
from newsletter.queue_schema import bring_up_to_date
from subscribers.columns import Base
from subscribers.models import Subscriber

CHANGES = (
    # The zone, a day on which its clocks change, and what 02:30, or 00:30, means on that day: told by hand.
    ("Europe/Paris", "2027-03-28 02:30", "2027-03-28 01:00"),
    ("Europe/Paris", "2027-10-31 02:30", "2027-10-31 00:30"),
    ("America/New_York", "2027-03-14 02:30", "2027-03-14 07:00"),
    ("America/New_York", "2027-11-07 01:30", "2027-11-07 05:30"),
    ("Australia/Lord_Howe", "2027-10-03 02:15", "2027-10-02 15:30"),
    ("Australia/Lord_Howe", "2027-04-04 01:45", "2027-04-03 14:45"),
    ("America/St_Johns", "2027-03-14 02:30", "2027-03-14 05:30"),
    ("America/St_Johns", "2027-11-07 01:30", "2027-11-07 04:00"),
    ("Asia/Beirut", "2027-03-28 00:30", "2027-03-27 22:00"),
    ("Asia/Beirut", "2027-10-30 23:30", "2027-10-30 20:30"),
    ("Africa/Casablanca", "2027-02-07 02:30", "2027-02-07 01:30"),
    ("Africa/Casablanca", "2027-03-14 02:30", "2027-03-14 02:00"),
    ("America/Santiago", "2027-09-05 00:30", "2027-09-05 04:00"),
    ("America/Santiago", "2027-04-03 23:30", "2027-04-04 02:30"),
)

ZONES = tuple(dict.fromkeys(zone for zone, *_ in CHANGES))
MINUTE = dt.timedelta(minutes=1)


def instant(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


class Pair:
    """Two schedulers in threads of their own."""

    def __init__(self, parts):
        self.both = (Pipeline(parts=parts), Pipeline(parts=parts))
        self._threads = ThreadPoolExecutor(2)

    def at_once(self, act):
        """What both came to, who began at the same moment."""
        together = threading.Barrier(2)

        def begin(pipeline):
            together.wait(10)
            return act(pipeline)

        return list(self._threads.map(begin, self.both))

    def close(self):
        self._threads.shutdown()


@pytest.fixture
def pair(chosen_engine, clock):
    made = bare_pipeline(chosen_engine, clock)
    a_newsletter(made)
    both = Pair(made.parts)
    yield both
    both.close()


@pytest.fixture
def rows(chosen_engine, pair):
    def all_of(table):
        with pair.both[0].parts.sessions() as session:
            return session.scalars(select(table).order_by(col(table.id))).all()

    return all_of


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def ready(request, tmp_path_factory):
    """
    Two schedulers over an issue that was approved, with a reader in every zone; each test leaves it as it was.

    What is tested is when: whether it may go was settled by the approval.
    """
    kind = databases(request.param)
    file = tmp_path_factory.mktemp("schedulers") / "n.sqlite"
    engine = open_engine(kind.address(file))
    Base.metadata.create_all(engine)
    if request.param == "postgresql":
        with engine.connect() as connection:
            bring_up_to_date(connection)
    made = pipeline_over(engine)
    for number, zone in enumerate(ZONES):
        made.people.add(f"reader{number}@far.example", list_name="members", given={"language": "en", "timezone": zone})
    clock = Clock()
    pair = Pair(replace(made.parts, now=clock))
    for each in pair.both:
        each.__dict__["sending"] = Sending(each.parts, gate=lambda _slug, *, newsletter: None)
    yield SimpleNamespace(pair=pair, clock=clock, pipeline=pair.both[0])
    pair.close()
    made.parts.engine.dispose()
    engine.dispose()
    kind.drop_below(file.parent)


def queued(ready, wall, zone, **manner):
    return ready.pipeline.sending.queue(
        ISSUE, newsletter=NEWSLETTER, segment="all", at=wall, zone=zone, manner=Manner(**manner)
    )


def taken_back(ready):
    ready.pipeline.control.cancel(ISSUE, newsletter=NEWSLETTER)


def run_of(ready, run_id):
    with ready.pipeline.parts.sessions() as session:
        return session.get(RunRow, run_id)


def ticked(ready, at):
    """Both schedulers tick at an instant."""
    ready.clock.instant = at
    ready.pair.at_once(lambda each: each.wake(at))


def test_a_run_at_a_time_of_the_wall_clock_starts_once_on_days_when_clocks_change(ready):
    for zone, wall, means in CHANGES:
        due = instant(means)
        ready.clock.instant = due - dt.timedelta(days=1)
        queue = queued(ready, wall, zone)
        assert queue.due == due, (zone, wall)
        ticked(ready, due - MINUTE)
        assert run_of(ready, queue.run_id).state is RunState.SCHEDULED, (zone, wall)
        for later in (dt.timedelta(), dt.timedelta(minutes=30), dt.timedelta(hours=1)):
            ticked(ready, due + later)
        run = run_of(ready, queue.run_id)
        assert (run.state, run.started) == (RunState.RUNNING, due), (zone, wall)
        with ready.pipeline.parts.sessions() as session:
            told = session.execute(
                select(func.count(), func.count(col(DeliveryRow.digest).distinct())).where(
                    col(DeliveryRow.run_id) == run.id
                )
            ).one()
        assert tuple(told) == (run.total, run.total)
        taken_back(ready)


def test_each_reader_gets_it_once_at_their_own_hour_on_days_when_clocks_change(ready):
    for zone, wall, means in CHANGES:
        ready.clock.instant = instant(means) - dt.timedelta(days=3)
        queue = queued(ready, wall, None, local=True)
        ticked(ready, queue.due)
        ticked(ready, queue.due + MINUTE)
        with ready.pipeline.parts.sessions() as session:
            of_people = select(Subscriber.timezone, DeliveryRow.next_at).join(
                DeliveryRow, col(DeliveryRow.subscriber_id) == col(Subscriber.id)
            )
            found = session.execute(of_people.where(col(DeliveryRow.run_id) == queue.run_id)).all()
        times = {place: at for place, at in found if place}
        assert (len(times), len(found)) == (len(ZONES), run_of(ready, queue.run_id).total)
        assert (times[zone] or queue.due) == instant(means), (zone, wall)
        for place in set(ZONES) - {zone}:
            shown = (times[place] or queue.due).astimezone(ZoneInfo(place))
            if not any(each == place and day.startswith(wall[:10]) for each, day, _ in CHANGES):
                assert f"{shown:%Y-%m-%d %H:%M}" == wall, (place, wall)
        taken_back(ready)


@BOTH
def test_a_cadence_makes_one_draft_on_each_day_when_clocks_change(pair, clock, rows, monkeypatch):
    monkeypatch.setattr(Cadences, "_checked", lambda *_given: None)  # it takes a second, and changes no time
    pipeline = pair.both[0]
    for zone, wall, means in CHANGES:
        day, _, time = wall.partition(" ")
        hour, _, minute = time.partition(":")
        clock.instant = instant(means) - dt.timedelta(days=1)
        line = f"{int(minute)} {int(hour)} {int(day[8:])} {int(day[5:7])} *"
        pipeline.entries.change_newsletter("rivers", {"timezone": zone, "cadence.cron": line})
        pair.at_once(lambda each: each.cadence.tick())
        made = []
        for later in (-MINUTE, dt.timedelta(), dt.timedelta(minutes=30), dt.timedelta(hours=1)):
            clock.instant = instant(means) + later
            made += [(slug, later) for slugs in pair.at_once(lambda each: each.cadence.tick()) for slug in slugs]
        assert len(made) == 1, (zone, wall, made)
        assert made[0][1] == dt.timedelta(), (zone, wall)
    assert [row.at for row in rows(SlotRow)] == [instant(means) for *_, means in CHANGES]
    assert len(rows(IssueRow)) == len(CHANGES)


@BOTH
def test_a_program_is_called_once_and_an_operator_told_once(pair, clock, rows):
    pipeline = pair.both[0]
    calls = []

    def listen(url, body, **_named):
        calls.append(url)
        return 200

    for each in pair.both:
        each.__dict__["webhooks"] = Webhooks(each.parts, post=listen)
    with pipeline.parts.sessions() as session:
        operator = OperatorRow(
            name="ada", role=Role.OFFICER, email="ada@desk.example", language="en", timezone="UTC", created=clock()
        )
        session.add(operator)
        session.flush()
        alerts.choose(session, operator.id, {(AlertKind.MAILBOX, "")})
        session.commit()
    pipeline.webhooks.add("https://crm.example/hooks", [WebhookEvent.SUBSCRIBER_JOINED])
    pipeline.people.lists.create("members")
    pipeline.people.add("emil@town.example", list_name="members", given={})
    pipeline.alerting.mailbox_failed("the password was refused")
    clock.forward(hours=1, seconds=SETTLED.total_seconds())
    for _ in range(2):
        pair.at_once(lambda each: (each.webhooks.tick(), each.alerting.watch()))
    assert calls == ["https://crm.example/hooks"]
    assert len(rows(WebhookCallRow)) == 1
    assert [row.mailing.partition(":")[0] for row in rows(DeliveryRow)] == ["notice"]


def test_a_run_is_started_by_one_of_two(ready):
    ready.clock.instant = instant("2027-01-10 00:00")
    queue = queued(ready, "2027-02-01 09:00", "UTC")
    ready.clock.instant = queue.due
    started = ready.pair.at_once(lambda each: each.sending.start_due(queue.due))
    assert sorted(started) == [[], [ISSUE]]
    taken_back(ready)
