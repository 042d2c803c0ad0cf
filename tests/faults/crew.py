"""
Workers at one run, as a supervisor has them: who is taken for dead ends with code 75 and is started again.

Takes an installation on PostgreSQL, kills on demand, and tells from the database when others have what a dead one had.
"""

import random
import signal
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from faults.bench import LEASES, Bench, until
from faults.zygote import Break, Process

FENCED: Final = 75
WORKER_LEASES = {
    **LEASES,
    "newsletter.tasks.worker:BEAT_SECONDS": 0.2,
    "newsletter.tasks.worker:SILENCE_SECONDS": 1.0,
    "newsletter.tasks.worker:SWEEP_SECONDS": 0.3,
}
"""The times of leases and of jobs, a tenth of what they are in earnest."""


class Held(NamedTuple):
    """What a worker had when it was killed: ids of deliveries and their epochs."""

    died: float
    ids: list[int]
    epochs: list[int]


class Crew:
    """So many processes of `newsletter COMMAND` (`dispatch` or `worker`); `deaths` counts those killed and fenced."""

    def __init__(self, there: Bench, count: int, *, command: str, broken: Break) -> None:
        self._there = there
        self._command = command
        self._broken = broken
        self._chance = random.Random(7)
        self.deaths = 0
        self.processes = [self._start() for _ in range(count)]

    def kill(self, count: int) -> list[Held]:
        """Kill so many that have claimed something, one after the other; returns what each had."""
        victims = self._chance.sample(self.processes, count)
        return [self._killed(victim) for victim in victims]

    def replenish(self) -> None:
        """Start again who has ended."""
        for number, process in enumerate(self.processes):
            if (code := process.poll()) is not None:
                assert code in {-signal.SIGKILL, FENCED}, process.error
                self.deaths += 1
                self.processes[number] = self._start()

    def freed(self, all_held: Sequence[Held]) -> list[float]:
        """Wait until all that each had is open to others; seconds from each death."""
        waiting, seconds = [held for held in all_held if held.ids], []
        while waiting:
            assert time.monotonic() - waiting[0].died < 60, "waited in vain"
            back = [held for held in waiting if self._is_free(held)]
            seconds += [time.monotonic() - held.died for held in back]
            waiting = [held for held in waiting if held not in back]
            time.sleep(0.01)
        return seconds

    def await_claims(self, all_held: Sequence[Held]) -> None:
        """Wait until others have claimed something of each."""
        until(lambda: all(self._is_retaken(held) for held in all_held if held.ids))

    def finish(self, patience: float = 600) -> None:
        """Wait until the run has ended, however busy the machine is, then ask everybody to end."""
        until(self._has_finished, patience=patience)
        self.end()

    def end(self) -> None:
        """Ask everybody to end; who was still starting ends by the signal itself."""
        for process in self.processes:
            process.terminate()
        codes = [process.wait() for process in self.processes]
        self.deaths += codes.count(FENCED)
        assert set(codes) <= {0, FENCED, -signal.SIGTERM}, [process.error for process in self.processes]

    def _has_finished(self) -> bool:
        self.replenish()
        return self._there.rows("SELECT count(*) FROM run WHERE state = 'finished'") == [(1,)]

    def _start(self) -> Process:
        return self._there.start(self._command, broken=self._broken)

    def _killed(self, victim: Process) -> Held:
        until(lambda: self._held_by(victim))
        victim.kill()
        died = time.monotonic()
        rows = self._held_by(victim)
        return Held(died, [id_ for id_, _ in rows], [epoch for _, epoch in rows])

    def _held_by(self, process: Process) -> list[tuple[int, int]]:
        query = "SELECT id, epoch FROM delivery WHERE state IN ('claimed', 'sending') AND worker ~ %s"
        return self._there.rows(query, f":{process.pid}(~|$)")

    def _is_free(self, held: Held) -> bool:
        query = (
            "SELECT count(*) FROM unnest(%s::bigint[], %s::int[]) AS had(id, epoch) JOIN delivery USING (id)"
            " WHERE delivery.epoch = had.epoch AND state IN ('claimed', 'sending')"
        )
        return self._there.rows(query, held.ids, held.epochs) == [(0,)]

    def _is_retaken(self, held: Held) -> bool:
        query = (
            "SELECT count(*) FROM unnest(%s::bigint[], %s::int[]) AS had(id, epoch) JOIN delivery USING (id)"
            " WHERE delivery.epoch > had.epoch"
        )
        return self._there.rows(query, held.ids, held.epochs) != [(0,)]
