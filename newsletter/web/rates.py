"""
How many forms a network may send: a bucket for each, in memory.

Takes the network of a request and the time, yields how long it must wait. It keeps one machine from holding all threads
and nothing more: what is done about addresses has limits of its own, in rows. Never asked about unsubscribing, whose
senders are a few machines of large providers.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.web.errors import ErrorPages
from subscribers.consent import shortened_origin

BURST: Final = 30
"""Forms at once: an office in which everybody has got the same mail."""

INTERVAL_SECONDS: Final = 10.0
"""Between two forms after that."""

MOST_NETWORKS: Final = 10_000
"""Remembered, at a hundred octets each; the one that was quiet for longest is forgotten first."""

UNLIMITED: Final = ("/u/", "/hooks/", "/desk", "/api/")
"""Leaving always works; providers, operators and programs prove who they are, and signing in has limits of its own."""


class Rates:
    """
    A bucket a network; it lets `burst` through at once, then one every `interval` seconds.

    Reckoned as the generic cell rate algorithm (ITU-T I.371, annex A): one number says when a bucket will be full.
    """

    def __init__(self, *, burst: int = BURST, interval: float = INTERVAL_SECONDS) -> None:
        self._burst = burst
        self._interval = interval
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, network: str, *, now: float) -> float:
        """Let one more through and return 0, or return the seconds until there is room again."""
        full_at = max(self._full_at.pop(network, now), now)
        wait = full_at - (self._burst - 1) * self._interval - now
        self._full_at[network] = full_at if wait > 0 else full_at + self._interval
        if len(self._full_at) > MOST_NETWORKS:
            self._full_at.popitem(last=False)
        return max(wait, 0.0)


class RateLimit:
    """Answers 429 to POSTs of a network beyond its rate."""

    def __init__(
        self, app: ASGIApp, *, rates: Rates, errors: ErrorPages, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._rates = rates
        self._errors = errors
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or ask its sender to wait."""
        wait = self._rates.take(network_of(scope), now=self._clock()) if _is_limited(scope) else 0.0
        if wait <= 0:
            await self._app(scope, receive, send)
        else:
            page = self._errors.page(Request(scope), 429, {"Retry-After": str(ceil(wait))})
            await page(scope, receive, send)


def network_of(scope: Scope) -> str:
    """The network of a request's sender (/24, or /48 for IPv6); "" where it is not known."""
    return shortened_origin(scope["client"][0]) if scope.get("client") else ""


def _is_limited(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] == "POST" and not scope["path"].startswith(UNLIMITED)
