"""
The pulse: tells the database that this dispatcher lives, and hears from it when it has been declared dead.

It beats in a thread of its own, which nothing else in the process can starve: a dispatcher that is busy must not be
taken for a dead one.
"""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from newsletter.dispatch import outage

BEAT_SECONDS: Final = 2.0
"""A quarter of the time after which a silent dispatcher counts as dead."""


class Pulse:
    """
    Beats while the context lasts.

    `beat` says whether we still count as alive; once it does not, `fenced` is called, from the pulse's thread, and
    nothing more is beaten. What `beat` raises is handed to `failed`, unless it may pass: nobody can record anything
    then either, and the next beat tells.
    """

    def __init__(
        self, beat: Callable[[], bool], *, fenced: Callable[[], object], failed: Callable[[Exception], object]
    ) -> None:
        self._beat = beat
        self._fenced = fenced
        self._failed = failed
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(BEAT_SECONDS)  # one that hangs on a dead server ends with the process

    def _run(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            try:
                if not self._beat():
                    self._fenced()
                    return
            except Exception as error:  # noqa: BLE001  told to the loop, which ends for it
                if not outage.may_pass(error):
                    self._failed(error)
                    return
