"""
A run while it goes out, and single deliveries of it: the verbs that only look.

Takes an issue; yields a `Sight` of its newest run. Promises to cost the dispatcher next to nothing: what is open is
counted within the index of open deliveries, and of the attempts only those that are new. Looking takes no lock.
"""

import datetime as dt
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlmodel import Session

from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.database import reading
from newsletter.dispatch import tallies
from newsletter.dispatch.ledger import attempts_of
from newsletter.dispatch.models import AttemptRow
from newsletter.dispatch.outcome import Fault, Verdict
from newsletter.dispatch.tallies import Doubtful, Outcomes, Reason
from newsletter.pipeline.control import OwnTimes, Staged, own_times_of, staged_of
from newsletter.pipeline.mailings import OPEN_RUNS, mailing_of
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.recent import Recent
from newsletter.planning import store
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.settings import Uncertain
from subscribers.address import parse_address
from subscribers.models import SuppressionReason
from subscribers.suppression import digest_of, suppressed_among

SETTLING: Final = 3
"""
Looks after which an attempt's id is taken for settled. PostgreSQL gives ids out before their transactions are
committed, so that an attempt may become visible after one with a higher id.
"""

SLACK: Final = 5_000
"""Attempts that a first look counts as not settled: more than are ever on their way to the database at once."""

SPAN: Final = dt.timedelta(seconds=20)
"""Over which time a rate is measured."""

SHORTEST: Final = 0.5
"""Seconds below which a rate says nothing."""

MOST_RUNS: Final = 64
"""Runs whose counts are kept in memory."""

MOST_DOUBTFUL: Final = 50
"""Doubtful deliveries that are listed one by one."""

LATE: Final = dt.timedelta(seconds=30)
"""How long after its time a run has not started where nobody is there to start it."""

_REASONS_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AtRelay:
    """What a relay has said so far: messages taken, put off, refused, and not answered."""

    name: str
    accepted: int
    deferred: int
    refused: int
    uncertain: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """
    A run at one moment.

    `waiting` have not been sent, `deferred` will be tried again, `unsent` never go out: their people left, the run was
    cancelled, or their time was up. `rate` is messages ended a second, None while that is not known; `left` is how long
    the rest takes at that rate. `is_late` says that nobody starts the run though it is due.
    """

    newsletter: str
    slug: str
    issue_state: IssueState
    state: RunState
    run_id: int
    segment: str
    operator: str
    due: dt.datetime | None
    started: dt.datetime | None
    ended: dt.datetime | None
    held: str | None
    staged: Staged | None
    times: OwnTimes | None
    total: int
    waiting: int
    sending: int
    accepted: int
    deferred: int
    refused: int
    uncertain: int
    relays: tuple[AtRelay, ...]
    rate: float | None
    left: dt.timedelta | None
    is_late: bool
    at: dt.datetime

    @property
    def unsent(self) -> int:
        """How many never go out, though they were planned."""
        known = self.waiting + self.sending + self.accepted + self.deferred + self.refused + self.uncertain
        return max(0, self.total - known)

    @property
    def done(self) -> int:
        """How many have ended, for a bar."""
        return self.total - self.waiting - self.sending - self.deferred

    @property
    def is_over(self) -> bool:
        """Whether nothing more goes out."""
        return self.state not in OPEN_RUNS

    @property
    def beyond_recall(self) -> int:
        """How many messages no button can stop any more."""
        return self.accepted + self.sending + self.uncertain

    @property
    def stoppable(self) -> int:
        """How many a pause or a cancelling would keep from going out."""
        return self.waiting + self.deferred


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """
    What is known of one person's delivery of an issue.

    `delivery` is None where nothing was planned for the address; `run` is the run it belongs to. `suppressed` is why
    the address is not written to, if it is not.
    """

    address: str
    delivery: DeliveryRow | None
    run: RunRow | None
    attempts: tuple[AttemptRow, ...]
    suppressed: SuppressionReason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """Those of whom nobody knows whether they got it: how many, some of them, and what the settings say follows."""

    number: int
    some: Sequence[Doubtful]
    policy: Uncertain
    hold: dt.timedelta


@dataclass
class _Watch:
    """What has been counted of a run: settled attempts to an id, the newest ids lately seen, ends over time."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    settled: int | None = None
    counted: Counter[tuple[Verdict, Fault | None, str]] = field(default_factory=Counter)
    seen: deque[int] = field(default_factory=lambda: deque(maxlen=SETTLING))
    ends: deque[tuple[dt.datetime, int]] = field(default_factory=deque)
    last: Sight | None = None


class Watching:
    """The verbs that look at a run; safe to use from any number of threads."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._watches: OrderedDict[int, _Watch] = OrderedDict()
        self._reasons: Recent[list[Reason]] = Recent(_REASONS_SECONDS)

    def look(self, slug: str, *, newsletter: str) -> Sight | None:
        """The newest run of an issue as it stands now; None where it was never queued. Raises NotFound."""
        with reading(self._parts.engine) as session:
            issue = issues.get_issue(session, slug, newsletter)
            run = store.latest_run(session, issue.id or 0)
            if run is None:
                return None
            watch = self._watch(run.id or 0)
            with watch.lock:
                if watch.last is None or not _still_holds(watch.last, run.state, issue.state):
                    watch.last = self._sight(session, run, watch, newsletter=newsletter, slug=slug, state=issue.state)
                return watch.last

    def _watch(self, run_id: int) -> _Watch:
        with self._lock:
            watch = self._watches.pop(run_id, None) or _Watch()
            self._watches[run_id] = watch
            if len(self._watches) > MOST_RUNS:
                self._watches.popitem(last=False)
            return watch

    def _sight(
        self, session: Session, run: RunRow, watch: _Watch, *, newsletter: str, slug: str, state: IssueState
    ) -> Sight:
        now = self._parts.now()
        is_over = run.state not in OPEN_RUNS
        outcomes = _outcomes(session, run, watch) if run.started else Counter()
        states = tallies.states_of_run(session, run) if is_over else tallies.open_states(session, run.id or 0)
        accepted = states.get(DeliveryState.ACCEPTED, 0) if is_over else _count(outcomes, Verdict.ACCEPTED)
        refused = states.get(DeliveryState.REFUSED, 0) if is_over else _refused(outcomes)
        waiting = states.get(DeliveryState.PLANNED, 0) + states.get(DeliveryState.CLAIMED, 0)
        rate = None if is_over else _rate(watch, now, accepted + refused)
        staged, times = staged_of(session, run), own_times_of(session, run)
        ready = waiting - (staged.others if staged else 0) - (times.waiting if times else 0)
        return Sight(
            newsletter=newsletter,
            slug=slug,
            issue_state=state,
            state=run.state,
            run_id=run.id or 0,
            segment=run.segment,
            operator=run.operator,
            due=run.due_at,
            started=run.started,
            ended=run.ended,
            held=run.held,
            staged=staged,
            times=times,
            total=run.total or sum(states.values()),
            waiting=waiting,
            sending=states.get(DeliveryState.SENDING, 0),
            accepted=accepted,
            deferred=states.get(DeliveryState.DEFERRED, 0),
            refused=refused,
            uncertain=states.get(DeliveryState.UNCERTAIN, 0),
            relays=_relays(outcomes),
            rate=rate if run.state is RunState.RUNNING else None,
            left=dt.timedelta(seconds=ready / rate) if rate and run.state is RunState.RUNNING else None,
            is_late=_is_late(run, now),
            at=now,
        )

    def refusals(self, slug: str, *, newsletter: str) -> list[Reason]:
        """Why relays did not take messages of the newest run, or not yet; as counted within some seconds."""

        def find() -> list[Reason]:
            with reading(self._parts.engine) as session:
                run = store.latest_run(session, issues.get_issue(session, slug, newsletter).id or 0)
                return tallies.reasons(session, run.mailing, run_id=run.id) if run else []

        return self._reasons.get((newsletter, slug), find)

    def doubts(self, slug: str, *, newsletter: str) -> Doubts:
        """Those of the newest run of whom nobody knows whether they got it."""
        dispatch = self._parts.settings.dispatch
        with reading(self._parts.engine) as session:
            run = store.latest_run(session, issues.get_issue(session, slug, newsletter).id or 0)
            number = tallies.open_states(session, run.id or 0).get(DeliveryState.UNCERTAIN, 0) if run else 0
            some = tallies.doubtful(session, run.id or 0, limit=MOST_DOUBTFUL) if run and number else ()
        hold = dt.timedelta(seconds=dispatch.uncertain_hold)
        return Doubts(number=number, some=some, policy=dispatch.uncertain, hold=hold)

    def person(self, address: str, slug: str, *, newsletter: str) -> Found:
        """What became of an issue for one address; raises InvalidAddress, NotFound."""
        parsed = parse_address(address)
        digest = digest_of(self._parts.keys, parsed)
        with reading(self._parts.engine) as session:
            issue = issues.get_issue(session, slug, newsletter)
            delivery = store.delivery_of(session, mailing_of(newsletter, slug), digest)
            runs = {run.id: run for run in store.runs_of(session, issue.id or 0)}
            found = Found(
                address=parsed.text,
                delivery=delivery,
                run=runs.get(delivery.run_id) if delivery else None,
                attempts=tuple(attempts_of(session, delivery.id or 0)) if delivery else (),
                suppressed=suppressed_among(session, [digest]).get(digest),
            )
            session.expunge_all()
        return found


def _still_holds(last: Sight, run: RunState, issue: IssueState) -> bool:
    """Whether a run that is over stands as it was seen last: nothing of it was on the wire then."""
    return last.is_over and not last.sending and (last.state, last.issue_state) == (run, issue)


def _outcomes(session: Session, run: RunRow, watch: _Watch) -> Counter[tuple[Verdict, Fault | None, str]]:
    """All that attempts of a run have come to; settles what was seen some looks ago."""
    newest = tallies.newest_attempt(session)
    if watch.settled is None:
        watch.settled = max(0, newest - SLACK)
        watch.counted = _tally(tallies.outcomes_until(session, run, watch.settled))
    elif len(watch.seen) == SETTLING and watch.seen[0] > watch.settled:
        watch.counted += _tally(tallies.outcomes_after(session, run, watch.settled, until=watch.seen[0]))
        watch.settled = watch.seen[0]
    watch.seen.append(newest)
    return watch.counted + _tally(tallies.outcomes_after(session, run, watch.settled))


def _tally(found: Sequence[Outcomes]) -> Counter[tuple[Verdict, Fault | None, str]]:
    counted: Counter[tuple[Verdict, Fault | None, str]] = Counter()
    for verdict, fault, relay, number in found:
        counted[verdict, fault, relay] += number
    return counted


def _count(outcomes: Mapping[tuple[Verdict, Fault | None, str], int], verdict: Verdict) -> int:
    return sum(number for (found, _, _), number in outcomes.items() if found is verdict)


def _refused(outcomes: Mapping[tuple[Verdict, Fault | None, str], int]) -> int:
    """Those whose delivery a refusal ends: one for any other reason than the recipient's is tried again."""
    ends = (Verdict.REFUSED, Fault.RECIPIENT)
    return sum(number for (verdict, fault, _), number in outcomes.items() if (verdict, fault) == ends)


def _relays(outcomes: Mapping[tuple[Verdict, Fault | None, str], int]) -> tuple[AtRelay, ...]:
    found: dict[str, Counter[Verdict]] = {}
    for (verdict, _, relay), number in outcomes.items():
        if relay:
            found.setdefault(relay, Counter())[verdict] += number
    return tuple(
        AtRelay(
            name=name,
            accepted=said[Verdict.ACCEPTED],
            deferred=said[Verdict.DEFERRED],
            refused=said[Verdict.REFUSED],
            uncertain=said[Verdict.UNCERTAIN],
        )
        for name, said in sorted(found.items())
    )


def _rate(watch: _Watch, now: dt.datetime, ended: int) -> float | None:
    """Messages ended a second over the last looks; None before there are two."""
    watch.ends.append((now, ended))
    while watch.ends and now - watch.ends[0][0] > SPAN:
        watch.ends.popleft()
    began, before = watch.ends[0]
    seconds = (now - began).total_seconds()
    return max(0, ended - before) / seconds if seconds >= SHORTEST else None


def _is_late(run: RunRow, now: dt.datetime) -> bool:
    waits = run.state is RunState.SCHEDULED and run.held is None
    return waits and run.due_at is not None and now - run.due_at > LATE
