"""
The wire: one open connection to a relay as bytes, replies and time, with no notion of a message.

Takes a transport that somebody else has connected and secured. Each exchange writes one group of commands and yields
the answers to it, as far as they came before the connection ended. What ends it is told in words, and so is the one
thing that matters to whoever sent a message: whether the end of the content had left this process by then.

An exchange costs one future; one coarse timer watches over the phases (RFC 5321 §4.5.3.2), which only a whole reply
renews, so that a relay that drips its answer is cut in time.
"""

import asyncio
import select
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from newsletter.dispatch.outcome import ELSEWHERE, one_line
from newsletter.dispatch.replies import GO_ON, REFUSED, Answer, ReplyReader

SHUTTING_DOWN: Final = 421
"""RFC 5321 §3.8: the relay closes the connection, whatever it was asked, and even if it was asked nothing."""

RECORDS: Final = 1_024
"""Octets that TLS may add to what follows the content (RFC 8446 §5.2: 22 a record); more of them left is proof."""


class Step(Enum):
    """What a reply answers, as it is called in words."""

    #: The content with its final dot.
    CONTENT = "the content"
    #: RSET, in front of an envelope that follows a refused one.
    RSET = "RSET"
    #: MAIL FROM.
    MAIL = "MAIL"
    #: RCPT TO.
    RCPT = "RCPT"
    #: DATA, the only command that 3yz answers.
    DATA = "DATA"
    #: A lone dot: no content for an envelope without recipients.
    DOT = "the lone dot"
    #: QUIT.
    QUIT = "QUIT"


OK: Final = 250
"""The reply that lets most things go on."""

HOPED: Final = {Step.DATA: GO_ON, Step.QUIT: 221}
"""The reply that lets things go on, where it is another."""


class Group:
    """The steps that one write asks for, in order, and the codes with which most relays answer most of the time."""

    __slots__ = ("hoped", "steps")

    def __init__(self, *steps: Step) -> None:
        self.steps = steps
        self.hoped = [HOPED.get(step, OK) for step in steps]


NOTHING: Final = Group()
"""What an idle connection has been asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long a relay is waited for, in seconds; to give up the final reply too early makes duplicates (RFC 1047)."""

    #: Each step of opening: connection, greeting, EHLO, TLS, AUTH. A relay that we chose answers sooner or is down.
    connect: float = 30.0
    #: RFC 5321 §4.5.3.2.2.
    mail: float = 300.0
    #: RFC 5321 §4.5.3.2.3.
    rcpt: float = 300.0
    #: RFC 5321 §4.5.3.2.4.
    data: float = 120.0
    #: RFC 5321 §4.5.3.2.6, and on top of it the time that `slowest` allows for.
    content: float = 600.0
    #: Octets a second, the pace of the slowest way that a message may take.
    slowest: float = 500.0
    #: Without a single octet taken, while content is written; RFC 5321 §4.5.3.2.5.
    standstill: float = 180.0
    #: Without an acknowledgement by the other machine; the kernel watches (TCP_USER_TIMEOUT, RFC 5482).
    unacknowledged: float = 120.0
    #: Postfix's smtp_rset_timeout and ours for a dot that nothing depends on.
    reset: float = 20.0
    #: Politeness has an end.
    quit: float = 5.0
    #: How often the timer looks.
    tick: float = 1.0

    def of(self, step: Step, size: int) -> float:
        """Seconds for the reply to a step; `size` is the content's."""
        if step is Step.CONTENT:
            return self.content + size / self.slowest
        return {
            Step.MAIL: self.mail,
            Step.RCPT: self.rcpt,
            Step.DATA: self.data,
            Step.QUIT: self.quit,
        }.get(step, self.reset)


class Wire(asyncio.Protocol):
    """
    One connection.

    `lost_step` is called with words when a reply was no answer to what was asked, or when one of a group's was missing.

    Attributes, which change only when the connection ends:
        end: why it has ended, in words; empty while it lives.
        out_of_step: it was ended since no reply could be relied on any longer.
        unsent: when it ended, the content that was being written was not complete outside this process.
        farewell: what the relay said without being asked, where it is no loss of step: that it is shutting down, or,
            behind its 354, that it does not want the content after all.
    """

    def __init__(self, transport: asyncio.Transport, timeouts: Timeouts, lost_step: Callable[[str], None]) -> None:
        self.end = ""
        self.out_of_step = False
        self.unsent = False
        self.farewell: Answer | None = None
        self._transport = transport
        self._timeouts = timeouts
        self._lost_step = lost_step
        self._loop = asyncio.get_running_loop()
        self._reader = ReplyReader()
        self._waiter: asyncio.Future[list[Answer]] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._group = NOTHING
        self._answers: list[Answer] = []
        self._size = 0
        self._since = 0.0
        self._is_held = False
        self._left = 0
        self._moved = 0.0
        self._margin = RECORDS if transport.get_extra_info("sslcontext") else 0
        self._poll = _poll(transport.get_extra_info("socket"))
        transport.set_protocol(self)

    @property
    def is_quiet(self) -> bool:
        """Whether the connection lives and has nothing to say that it was not asked for; one look at the kernel."""
        return not (self.end or self._reader.midway or self._poll(0))

    async def listen(self) -> None:
        """Read what has come without being asked for; it ends the connection."""
        if not self.end:
            for _ in range(2):  # in the first pass the loop sees that there is something, in the second it reads
                await asyncio.sleep(0)
        if not self.end and self._reader.midway:
            self._lose_step("unasked for")

    def exchange(self, data: bytes, group: Group, *, behind: int = 0) -> "asyncio.Future[list[Answer]]":
        """
        Write a group and return the answers to its steps, one each; fewer where the connection has ended.

        Where the first step is the content, `behind` is the number of octets that follow its final dot. Never raises
        for what the relay or the network does; a connection that has ended, or is busy, takes no further group.
        """
        if self.end or self._waiter is not None:
            raise RuntimeError("one exchange at a time, on a connection that lives")
        transport = self._transport
        waiter = self._waiter = self._loop.create_future()
        self._group, self._answers, self._size = group, [], len(data) - behind
        self._since = self._moved = self._loop.time()
        self._is_held, self._left = False, 0
        transport.write(data)
        if transport.is_closing():  # the kernel took nothing of it; connection_lost follows, but does not say so
            self._is_held = True
            self._finish("the connection was lost before anything was written")
        elif transport.get_write_buffer_size():
            self._watch_buffer(behind)
        if self._timer is None and not self.end:
            self._timer = self._loop.call_later(self._timeouts.tick, self._tick)
        return waiter

    def cut(self, why: str) -> None:
        """End the connection without a word."""
        self._finish(why)

    def data_received(self, data: bytes) -> None:
        """Match replies with the steps that they answer."""
        if self.end:
            return
        reader, waiter = self._reader, self._waiter
        answers = reader.feed(data)
        if waiter and not (self._answers or self._is_held) and [code for code, _ in answers] == self._group.hoped:
            self._answers = answers
        elif not all(self._takes(answer) for answer in answers):
            return
        if reader.fault:
            self._lose_step(reader.fault)
        elif waiter and len(self._answers) == len(self._group.steps):
            if reader.midway:
                self._lose_step("more than was asked for")
            else:
                self._resolve()
        elif answers:
            self._since = self._loop.time()

    def eof_received(self) -> None:
        """The relay will say no more."""
        self._finish("the relay closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        """Neither side will say any more."""
        self._finish(f"{type(exc).__name__}: {exc}" if exc else "the connection was lost")

    def resume_writing(self) -> None:
        """The final dot has left the transport's own buffer: see `_watch_buffer`."""
        self._is_held = False

    def _watch_buffer(self, behind: int) -> None:
        """
        Have the transport say when the final dot leaves its buffer: it lies there as long as more is left than follows.

        The transport's buffer is ours: what is in it when the connection breaks, no relay has seen. Over TLS only the
        layer that encrypts is asked, so that more counts as gone than has gone.
        """
        mark = behind + self._margin
        self._transport.set_write_buffer_limits(high=mark, low=mark)
        self._left = self._transport.get_write_buffer_size()
        self._is_held = self._left > mark

    def _takes(self, answer: Answer) -> bool:
        """Attribute one reply; False where it ended the connection."""
        code = answer[0]
        if self._waiter is None or len(self._answers) == len(self._group.steps):
            if code == SHUTTING_DOWN:
                self.farewell = answer
                self._finish("the relay is shutting down")
            elif code >= REFUSED and self._answers and self._answers[-1][0] == GO_ON:  # 354 proves that we are in step
                self.farewell = answer
                self._finish("the relay refused the content before it had it")
            else:
                self._lose_step(f"{code} unasked for")
            return False
        step = self._group.steps[len(self._answers)]
        if code < REFUSED and not _fits(code, step):
            self._lose_step(f"{code} to {step.value}")
            return False
        if step is Step.CONTENT and self._is_held and code < REFUSED:
            self._lose_step(f"{code} to half the content")
            return False
        self._answers.append(answer)
        if code == SHUTTING_DOWN:
            self._finish("the relay is shutting down")
        elif step is Step.CONTENT and self._is_held:
            self._finish("the relay refused the content before it had it")
        return not self.end

    def _tick(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        now = self._loop.time()
        step = self._group.steps[len(self._answers)]
        limit = self._timeouts.of(step, self._size)
        left = self._transport.get_write_buffer_size()
        if left != self._left:
            self._left, self._moved = left, now
        if now - self._since >= limit:
            if self._answers:  # it drops what is written ahead of its replies
                self._lost_step(f"no reply to {step.value}")
            self._finish(f"no reply to {step.value} within {limit:.0f} s")
        elif left and now - self._moved >= self._timeouts.standstill:
            self._finish(f"the relay took nothing for {self._timeouts.standstill:.0f} s")
        else:
            self._timer = self._loop.call_later(self._timeouts.tick, self._tick)

    def _lose_step(self, why: str) -> None:
        self.out_of_step = True
        self._lost_step(why)
        self._finish(f"out of step: {why}")

    def _finish(self, why: str) -> None:
        """End the connection once; whoever waits gets the answers that came."""
        if self.end:
            return
        self.end = one_line(why)
        self.unsent = self._is_held
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._transport.abort()
        self._resolve()

    def _resolve(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter and not waiter.done():  # whoever waited may have been cancelled
            waiter.set_result(self._answers)


def _fits(code: int, step: Step) -> bool:
    """Whether a reply that does not refuse is an answer to a step."""
    if step is Step.DATA:
        return code == GO_ON
    return code // 100 == HOPED.get(step, OK) // 100 and (step is Step.QUIT or code not in ELSEWHERE)


def _poll(connected: socket.socket | None) -> Callable[[int], object]:
    """A question to the kernel whether anything can be read, an end included; None for a transport without a socket."""
    if connected is None:
        return lambda _milliseconds: False
    poll = select.poll()
    poll.register(connected.fileno(), select.POLLIN)
    return poll.poll
