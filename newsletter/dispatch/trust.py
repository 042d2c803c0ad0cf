"""
How far a relay is trusted to keep step: how much is written to it before its replies are read (RFC 2920).

Takes what the settings allow and every loss of step on any connection to the relay, yields the mode that holds. A relay
that loses step with pipelined commands gets fewer of them at once, and in the end one at a time.
"""

from typing import Final

from newsletter.logs import logger
from newsletter.settings import Pipelining

TOLERATED: Final = 2
"""Losses of step after which the mode goes down by one: one may be an accident of a single connection."""

_LESS: Final = {Pipelining.FULL: Pipelining.ENVELOPE, Pipelining.ENVELOPE: Pipelining.OFF}


class Trust:
    """What the connections to one relay have learnt together; the relay keeps it for as long as the process lives."""

    def __init__(self, relay: str, bound: Pipelining) -> None:
        self._relay = relay
        self._lost = 0
        self.mode = bound
        """The most that is pipelined on any connection to the relay."""

    def lost_step(self, why: str) -> None:
        """Count a reply that did not fit what was asked, or was missing; `why` bears no words of the relay."""
        self._lost += 1
        log = logger("dispatch").bind(relay=self._relay, why=why)
        if self._lost % TOLERATED or self.mode not in _LESS:
            log.warning("relay lost step", pipelining=self.mode.value)
            return
        self.mode = _LESS[self.mode]
        log.warning("relay lost step again: pipelining reduced", pipelining=self.mode.value)
