"""
A run on paper: so many workers, connections and cores, so far from the relay, with a database between them.

Takes what each step costs, in seconds, yields how long a run takes and what was busy; promises to fit nothing to the
results it is compared with. It goes from event to event. A connection's turn is work in its worker's interpreter, half
a round trip, the relay, half a round trip, more work, and then the commit that it shares with whoever else waits. The
interpreter does one thing at a time, the cores of a machine as many as there are; who finds them busy stands in line.
"""

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

BATCH: Final = 512
"""Messages a claim, as `newsletter.dispatch.supply.MOST`."""

Then = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """
    What a step takes, in seconds of processor time unless it says otherwise.

    Attributes:
        turn: a message in the worker, without claim and commit.
        commit: a group in the worker.
        entry: each message of a group, in the worker.
        database_commit: a group in the database.
        database_entry: each message of a group, in the database.
        flush: a group's wait for the disk, which takes no processor.
        claim: a message's part of a claim, in the worker.
        database_claim: the same, in the database.
        relay: a message in the relay and on the way to it, where they stand on the same machine.
    """

    turn: float
    commit: float = 0.0
    entry: float = 0.0
    database_commit: float = 0.0
    database_entry: float = 0.0
    flush: float = 0.0
    claim: float = 0.0
    database_claim: float = 0.0
    relay: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A provider that takes at most `rate` messages a second (None: any number) of a `share` of the audience."""

    share: float
    rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """
    Who sends what over which way.

    `cores` is what all processes share where everything stands on one machine; None where each worker has a core of its
    own, the database `database_cores` and the relay as many as it needs. `round_trip` is in seconds, `rate` that of the
    relay in messages a second. `deferred` is the part of all tries that the relay puts off.
    """

    messages: int
    workers: int = 1
    connections: int = 10
    round_trip: float = 0.0
    rate: float | None = None
    limits: Sequence[Limit] = (Limit(share=1.0),)
    deferred: float = 0.0
    cores: int | None = None
    database_cores: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How long the run took, and which part of that time the workers (on average) and the database were at work."""

    seconds: float
    messages: int
    tries: int
    worker_busy: float
    database_busy: float
    group: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


class _Agenda:
    """What happens when."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Then]] = []
        self._count = 0

    def after(self, seconds: float, then: Then) -> None:
        self._count += 1
        heapq.heappush(self._events, (self.now + seconds, self._count, then))

    def run(self) -> None:
        while self._events:
            self.now, _, then = heapq.heappop(self._events)
            then()


class _Servers:
    """So many that work side by side, and a line before them; `busy` is what they have worked together, in seconds."""

    def __init__(self, agenda: _Agenda, count: int) -> None:
        self._agenda = agenda
        self._free = count
        self._line: deque[tuple[float, Then]] = deque()
        self.busy = 0.0

    def use(self, seconds: float, then: Then) -> None:
        if seconds <= 0:
            then()
        elif self._free:
            self._free -= 1
            self._work(seconds, then)
        else:
            self._line.append((seconds, then))

    def _work(self, seconds: float, then: Then) -> None:
        self.busy += seconds

        def done() -> None:
            if self._line:
                self._work(*self._line.popleft())
            else:
                self._free += 1
            then()

        self._agenda.after(seconds, done)


class _Interpreter:
    """One thing at a time, and that only while a core is free."""

    def __init__(self, agenda: _Agenda, cores: _Servers | None) -> None:
        self._cores = cores or _Servers(agenda, 1)
        self._line: deque[tuple[float, Then]] = deque()
        self._is_busy = False
        self.busy = 0.0

    def use(self, seconds: float, then: Then) -> None:
        self._line.append((seconds, then))
        if not self._is_busy:
            self._next()

    def _next(self) -> None:
        seconds, then = self._line.popleft()
        self._is_busy = True
        self.busy += seconds

        def done() -> None:
            self._is_busy = bool(self._line)
            if self._line:
                self._next()
            then()

        self._cores.use(seconds, done)


@dataclass(slots=True)
class _Bucket:
    """Evenly so many a second, after a burst of one second's worth, as `newsletter.dispatch.bucket`."""

    rate: float | None
    full_at: float = field(default=float("-inf"))

    def wait(self, now: float) -> float:
        if self.rate is None:
            return 0.0
        return max(0.0, self.full_at - (max(1.0, self.rate) - 1) / self.rate - now)

    def take(self, now: float) -> None:
        if self.rate is not None:
            self.full_at = max(self.full_at, now) + 1 / self.rate


class _Audience:
    """The messages that are left, by provider; a connection takes one whose provider and relay have room for it."""

    def __init__(self, setting: Setting) -> None:
        self.left = [round(setting.messages * limit.share) for limit in setting.limits]
        self.left[0] += setting.messages - sum(self.left)
        self._of_groups = [_Bucket(limit.rate) for limit in setting.limits]
        self._of_relay = _Bucket(setting.rate)

    def take(self, now: float) -> float | None:
        """Take the message that may go first and return how long it has to wait; None where none is left."""
        open_now = [index for index, left in enumerate(self.left) if left]
        if not open_now:
            return None
        first = min(open_now, key=lambda index: (self._of_groups[index].wait(now), -self.left[index]))
        wait = max(self._of_groups[first].wait(now), self._of_relay.wait(now))
        self.left[first] -= 1
        self._of_groups[first].take(now + wait)
        self._of_relay.take(now + wait)
        return wait


class _Worker:
    """Its connections, its interpreter, its writer."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self.interpreter = _Interpreter(run.agenda, run.cores)
        self._waiting: list[Then] = []
        self._is_writing = False
        self._begun = 0

    def begin(self) -> None:
        """One connection takes its next message."""
        run = self._run
        wait = run.audience.take(run.agenda.now)
        if wait is None:
            return
        if self._begun % BATCH == 0:
            self._claim()
        self._begun += 1
        if wait:
            run.agenda.after(wait, self._turn)
        else:
            self._turn()

    def _claim(self) -> None:
        """It is done ahead, so nobody waits for it; but what it takes others do not have."""
        run = self._run
        self.interpreter.use(
            BATCH * run.costs.claim, lambda: run.database.use(BATCH * run.costs.database_claim, lambda: None)
        )

    def _turn(self) -> None:
        run, half = self._run, self._run.setting.round_trip / 2

        def sent() -> None:
            run.agenda.after(half, lambda: run.relay.use(run.costs.relay, taken))

        def taken() -> None:
            run.agenda.after(half, lambda: self.interpreter.use(run.costs.turn / 2, self._record))

        self.interpreter.use(run.costs.turn / 2, sent)

    def _record(self) -> None:
        self._waiting.append(self._ended)
        if not self._is_writing:
            self._write()

    def _write(self) -> None:
        run, costs, group = self._run, self._run.costs, self._waiting
        self._waiting, self._is_writing = [], True
        run.groups += 1

        def written() -> None:
            run.agenda.after(costs.flush, flushed)

        def flushed() -> None:
            self._is_writing = False
            for then in group:
                then()
            if self._waiting and not self._is_writing:
                self._write()

        def handed() -> None:
            run.database.use(costs.database_commit + len(group) * costs.database_entry, written)

        self.interpreter.use(costs.commit + len(group) * costs.entry, handed)

    def _ended(self) -> None:
        self._run.tried()
        self.begin()


class _Run:
    """Everything that the workers share."""

    def __init__(self, setting: Setting, costs: Costs) -> None:
        self.setting, self.costs = setting, costs
        self.agenda = _Agenda()
        self.cores = _Servers(self.agenda, setting.cores) if setting.cores else None
        self.database = self.cores or _Servers(self.agenda, setting.database_cores)
        self.relay = self.cores or _Servers(self.agenda, setting.workers * setting.connections)
        self.audience = _Audience(setting)
        self.groups = self.tries = 0
        self._owed = 0.0
        self.workers = [_Worker(self) for _ in range(setting.workers)]

    def tried(self) -> None:
        """Of so many tries one is put off, and comes again."""
        self.tries += 1
        self._owed += self.setting.deferred
        if self._owed >= 1:
            self._owed -= 1
            self.audience.left[0] += 1

    def whole(self) -> Outcome:
        """Let it go, to the last message."""
        for _ in range(self.setting.connections):
            for worker in self.workers:
                worker.begin()
        self.agenda.run()
        seconds = self.agenda.now
        database = self.groups * self.costs.database_commit + self.tries * (
            self.costs.database_entry + self.costs.database_claim
        )
        servers = self.setting.cores or self.setting.database_cores
        return Outcome(
            seconds=seconds,
            messages=self.setting.messages,
            tries=self.tries,
            worker_busy=sum(worker.interpreter.busy for worker in self.workers) / len(self.workers) / seconds,
            database_busy=database / servers / seconds,
            group=self.tries / self.groups,
        )


def simulate(setting: Setting, costs: Costs) -> Outcome:
    """Return what becomes of a run; the same every time."""
    return _Run(setting, costs).whole()
