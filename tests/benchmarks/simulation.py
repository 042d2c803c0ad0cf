"""
A run on paper: so many workers, connections and cores, so far from the relay, with a database between them.

Takes what each step costs, in seconds, yields how long a run takes and what was busy; promises to fit nothing to the
results it is compared with. It goes from event to event. A connection's turn is work in its worker's interpreter, half
a round trip, the relay, half a round trip, more work, and then the commit that it shares with whoever else waits. The
interpreter does one thing at a time, the cores of a machine as many as there are; who finds them busy stands in line.
What a worker and the database do without any message, looking whether there is something to do, comes on top. Workers
claim in batches as `newsletter.dispatch.supply` does, so that at the end of a run some have nothing while others have.
"""

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from newsletter.dispatch.supply import BRISK_SECONDS, MOST, PER_CONNECTION, POLL_SECONDS, SLOW_SECONDS

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
        relay: a message in the relay, where it stands on the same machine.
        way: a message on a way that is made by a process a worker on the same machine.
        idle: of each second, in a worker that has nothing to do.
        database_idle: of each second, in the database for each worker.
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
    way: float = 0.0
    idle: float = 0.0
    database_idle: float = 0.0


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
    """The messages that nobody has claimed, by provider; and how fast providers and the relay take them."""

    def __init__(self, setting: Setting) -> None:
        self.left = [round(setting.messages * limit.share) for limit in setting.limits]
        self.left[0] += setting.messages - sum(self.left)
        self._of_groups = [_Bucket(limit.rate) for limit in setting.limits]
        self._of_relay = _Bucket(setting.rate)

    def claim(self, size: int) -> list[int]:
        """Take so many, or what is left: of each provider its part."""
        left = sum(self.left)
        size = min(size, left)
        claimed = [count * size // left if left else 0 for count in self.left]
        claimed[self.left.index(max(self.left))] += size - sum(claimed)
        self.left = [count - taken for count, taken in zip(self.left, claimed, strict=True)]
        return claimed

    def take(self, stock: list[int], now: float) -> float | None:
        """Take out of a stock what may go first and return how long it has to wait; None where there is nothing."""
        at_hand = [index for index, count in enumerate(stock) if count]
        if not at_hand:
            return None
        first = min(at_hand, key=lambda index: (self._of_groups[index].wait(now), -stock[index]))
        wait = max(self._of_groups[first].wait(now), self._of_relay.wait(now))
        stock[first] -= 1
        self._of_groups[first].take(now + wait)
        self._of_relay.take(now + wait)
        return wait


class _Worker:
    """Its connections, its interpreter, its writer, what it has claimed."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self.interpreter = _Interpreter(run.agenda, run.cores)
        self._way = _Interpreter(run.agenda, run.cores)
        self._waiting: list[Then] = []
        self._is_writing = False
        self._stock = [0] * len(run.setting.limits)
        self._size = PER_CONNECTION * run.setting.connections
        self._claimed_at = float("-inf")

    def begin(self) -> None:
        """One connection takes its next message."""
        run = self._run
        if 2 * sum(self._stock) < self._size and any(run.audience.left):
            self._claim()
        wait = run.audience.take(self._stock, run.agenda.now)
        if wait is None:
            return
        if wait:
            run.agenda.after(wait, self._turn)
        else:
            self._turn()

    def beat(self) -> None:
        """Look whether there is something to do, for as long as the run lasts."""
        run = self._run
        if run.is_going:
            self.interpreter.use(POLL_SECONDS * run.costs.idle, lambda: None)
            run.database.use(POLL_SECONDS * run.costs.database_idle, lambda: None)
            run.agenda.after(POLL_SECONDS, self.beat)

    def _claim(self) -> None:
        """It is done ahead, so nobody waits for it; but what it takes others do not have."""
        run, costs, least = self._run, self._run.costs, PER_CONNECTION * self._run.setting.connections
        lasted, self._claimed_at = run.agenda.now - self._claimed_at, run.agenda.now
        if lasted > SLOW_SECONDS:
            self._size = max(least, self._size // 2)
        elif lasted < BRISK_SECONDS:
            self._size = min(2 * self._size, max(MOST, least))
        claimed = run.audience.claim(self._size)
        self._stock = [had + more for had, more in zip(self._stock, claimed, strict=True)]
        work, database = sum(claimed) * costs.claim, sum(claimed) * costs.database_claim
        self.interpreter.use(work, lambda: run.database.use(database, lambda: None))

    def _turn(self) -> None:
        run, half = self._run, self._run.setting.round_trip / 2

        def sent() -> None:
            self._way.use(run.costs.way, lambda: run.agenda.after(half, arrived))

        def arrived() -> None:
            run.relay.use(run.costs.relay, taken)

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
        self.groups = self.tries = self.again = 0
        self.seconds = 0.0
        self._owed = 0.0
        self.workers = [_Worker(self) for _ in range(setting.workers)]

    @property
    def is_going(self) -> bool:
        """Whether anything is left to try."""
        return self.tries < self.setting.messages + self.again

    def tried(self) -> None:
        """Of so many tries one is put off, and comes again."""
        self.tries += 1
        self.seconds = self.agenda.now
        self._owed += self.setting.deferred
        if self._owed >= 1:
            self._owed -= 1
            self.again += 1
            self.audience.left[0] += 1

    def whole(self) -> Outcome:
        """Let it go, to the last message."""
        for number, worker in enumerate(self.workers):
            self.agenda.after(POLL_SECONDS * number / len(self.workers), worker.beat)
        for _ in range(self.setting.connections):
            for worker in self.workers:
                worker.begin()
        self.agenda.run()
        seconds = self.seconds
        database = self.groups * self.costs.database_commit + self.tries * (
            self.costs.database_entry + self.costs.database_claim
        )
        database += seconds * len(self.workers) * self.costs.database_idle
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
