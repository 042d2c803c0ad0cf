"""
Server-sent events (WHATWG HTML §9.2): how a run stands, once a second, for as many as watch.

Takes a verb that looks at a run; yields what it sees to everybody who follows the run. Promises one look a second and
run, however many watch it; none where nobody does; and an end with the run, and soon after the server is asked to stop.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool

from newsletter.errors import NewsletterError
from newsletter.logs import logger
from newsletter.pipeline.watching import Sight

EVERY_SECONDS: Final = 1.0
"""How often a run is looked at."""

BEAT_ROUNDS: Final = 15
"""Looks without news after which something is sent all the same, so that no proxy takes the line for dead."""

LONGEST_ROUNDS: Final = 600
"""Looks after which the browser has to ask again: whoever signed out meanwhile gets nothing more."""

BEAT: Final = b": still here\n\n"
"""A comment, which browsers pass over."""

RETRY: Final = b"retry: 3000\n\n"
"""How many milliseconds a browser waits before it asks again."""

HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""A proxy that gathers an answer before it hands it on would show nothing (nginx, ngx_http_proxy_module)."""

MEDIA_TYPE: Final = "text/event-stream"


def event(name: str, data: str) -> bytes:
    """One event; each line of its data is a field of its own."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {name}\n{lines}\n".encode()


@dataclass(eq=False)
class Round:
    """One look: what was seen, and what was made of it for those who read the same language in the same zone."""

    number: int
    sight: Sight
    made: dict[object, str] = field(default_factory=dict)


@dataclass(eq=False)
class _Feed:
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    latest: Round | None = None
    has_ended: bool = False
    watchers: int = 0
    task: asyncio.Task[None] | None = None


Look = Callable[[], Sight | None]


class Feeds:
    """The runs that somebody watches at the moment."""

    def __init__(self, *, every: float = EVERY_SECONDS) -> None:
        self._every = every
        self._feeds: dict[object, _Feed] = {}
        self._log = logger("web")

    @property
    def watched(self) -> int:
        """How many runs are looked at."""
        return len(self._feeds)

    async def follow(self, key: object, look: Look) -> AsyncIterator[Round]:
        """
        What is seen of a run, from now until it is over.

        `key` names the run: whoever follows the same one gets what the first one's `look` sees.
        """
        with self._joined(key, look) as feed:
            seen = 0
            while True:
                async with feed.news:
                    await feed.news.wait_for(lambda: _number(feed) > seen or feed.has_ended)  # noqa: B023  awaited here
                if feed.latest is not None and _number(feed) > seen:
                    seen = feed.latest.number
                    yield feed.latest
                if feed.has_ended and _number(feed) <= seen:
                    return

    @contextmanager
    def _joined(self, key: object, look: Look) -> Iterator[_Feed]:
        feed = self._feeds.get(key)
        if feed is None or feed.has_ended:
            feed = self._feeds[key] = _Feed()
            feed.task = asyncio.get_running_loop().create_task(self._watch(feed, look))
        feed.watchers += 1
        try:
            yield feed
        finally:
            feed.watchers -= 1
            if not feed.watchers:
                if feed.task is not None:
                    feed.task.cancel()
                if self._feeds.get(key) is feed:
                    del self._feeds[key]

    async def _watch(self, feed: _Feed, look: Look) -> None:
        try:
            with suppress(NewsletterError):  # the issue is gone: there is nothing more to see
                await self._watch_on(feed, look)
        finally:
            async with feed.news:
                feed.has_ended = True
                feed.news.notify_all()

    async def _watch_on(self, feed: _Feed, look: Look) -> None:
        number, is_over = 0, False
        while not is_over:
            with suppress(_NotNowError):
                sight = await self._look(look)
                number += 1
                is_over = sight is None or sight.is_over
                async with feed.news:
                    feed.latest = Round(number, sight) if sight else feed.latest
                    feed.has_ended = is_over
                    feed.news.notify_all()
            if not is_over:
                await asyncio.sleep(self._every)

    async def _look(self, look: Look) -> Sight | None:
        try:
            return await run_in_threadpool(look)
        except DBAPIError as error:
            self._log.warning("run not looked at", reason=type(error).__name__)
            raise _NotNowError from error


class _NotNowError(Exception):
    """The database did not answer: the next look may."""


def _number(feed: _Feed) -> int:
    return feed.latest.number if feed.latest else 0
