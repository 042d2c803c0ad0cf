"""
The pulse: tells the database that this dispatcher lives, and hears from it when it has been declared dead.

It beats in a thread of its own, which nothing else in the process can starve: a dispatcher that is busy must not be
taken for a dead one. A second thread looks at the clock: whoever cannot reach the database has been declared dead by
then, and has to find that out without it, even where the call that would tell hangs.
"""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from newsletter.dispatch import outage, workers
from newsletter.process import boot_seconds

BEAT_SECONDS: Final = workers.BEAT.total_seconds()
"""A quarter of the time after which a silent dispatcher counts as dead."""

SILENT_SECONDS: Final = 20.0
"""
After how long without a beat that was heard a dispatcher takes itself for dead.

Others do after 8 seconds; a server that is started again, or fails over, is waited out.
"""

LOOK_SECONDS: Final = 0.5
"""How soon that is noticed."""


class Pulse:
    """
    Beats while the context lasts.

    `beat` says whether we still count as alive; once it does not, `fenced` is called, from the pulse's thread, and
    nothing more is beaten. What `beat` raises is handed to `failed`, unless it may pass: nobody can record anything
    then either, and the next beat tells. Where others may take over, `silent` is given: it is called once, from a
    thread too, when no beat has been heard for `SILENT_SECONDS`, and may be called after `fenced`.
    """

    def __init__(
        self,
        beat: Callable[[], bool],
        *,
        fenced: Callable[[], object],
        failed: Callable[[Exception], object],
        silent: Callable[[], object] | None = None,
    ) -> None:
        self._beat = beat
        self._fenced = fenced
        self._failed = failed
        self._silent = silent
        self._heard = boot_seconds()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if self._silent is not None:
            threading.Thread(target=self._watch, args=(self._silent,), name="pulse-watch", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        if not self._is_silent:
            self._thread.join(BEAT_SECONDS)  # one that hangs on a dead server ends with the process

    @property
    def _is_silent(self) -> bool:
        return boot_seconds() - self._heard >= SILENT_SECONDS

    def _run(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            began = boot_seconds()  # the database noted this beat at some time after
            try:
                if not self._beat():
                    self._fenced()
                    return
                self._heard = began
            except Exception as error:  # noqa: BLE001  told to the loop, which ends for it
                if not outage.may_pass(error):
                    self._failed(error)
                    return

    def _watch(self, silent: Callable[[], object]) -> None:
        while not self._over.wait(LOOK_SECONDS):
            if self._is_silent:
                silent()
                return
