"""One connection as bytes, replies and time, over a transport and a clock that stand still until they are moved."""

import asyncio
import inspect

import pytest

from newsletter.dispatch.wire import RECORDS, Group, Step, Timeouts, Wire

MAIL = Group(Step.MAIL)
CONTENT = Group(Step.CONTENT)
BOTH = Group(Step.CONTENT, Step.MAIL, Step.RCPT, Step.DATA)


class Transport:
    """What a wire needs of a transport; `room` is how many octets the kernel takes, None for all of them."""

    def __init__(self, *, room=None, broken=False, tls=False):
        self.room, self.broken, self.tls = room, broken, tls
        self.written, self.left = b"", 0
        self.protocol = self.limits = None
        self.is_aborted = False

    def get_extra_info(self, name):
        return object() if self.tls and name == "sslcontext" else None

    def set_protocol(self, protocol):
        self.protocol = protocol

    def write(self, data):
        self.written += data
        self.left = 0 if self.room is None else max(len(data) - self.room, 0)

    def drain(self, octets):
        """The kernel takes some more."""
        self.left -= octets
        if self.left <= self.limits:
            self.protocol.resume_writing()

    def get_write_buffer_size(self):
        return self.left

    def set_write_buffer_limits(self, *, high, low):
        assert high == low
        self.limits = low

    def is_closing(self):
        return self.broken or self.is_aborted

    def abort(self):
        self.is_aborted = True


class Clock:
    """Stands in for the loop's clock and timers."""

    def __init__(self, loop):
        self.now, self.timers = 0.0, []
        self.create_future = loop.create_future

    def time(self):
        return self.now

    def call_later(self, delay, callback):
        self.timers.append((self.now + delay, callback))
        return self

    def cancel(self):
        self.timers.clear()

    def advance(self, seconds):
        """Let time pass, in ticks."""
        until = self.now + seconds
        while self.timers and self.timers[0][0] <= until:
            self.now, callback = self.timers.pop(0)
            callback()
        self.now = until


def wired(**kind):
    transport, lost = Transport(**kind), []
    wire = Wire(transport, Timeouts(), lost.append)
    wire._loop = clock = Clock(asyncio.get_running_loop())
    return wire, transport, clock, lost


def on_a_loop(test):
    """Run a test inside a loop, with what it parametrises."""

    def run(**values):
        async def inside():
            test(**values)

        asyncio.run(inside())

    run.__signature__ = inspect.signature(test)
    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@on_a_loop
def test_a_group_is_written_once_and_answered_once():
    wire, transport, _, _ = wired()

    answers = wire.exchange(b"Hello\r\n.\r\nMAIL\r\nRCPT\r\nDATA\r\n", BOTH, behind=18)
    wire.data_received(b"250 a\r\n250 b\r\n250 c\r\n354 d\r\n")

    assert transport.written == b"Hello\r\n.\r\nMAIL\r\nRCPT\r\nDATA\r\n"
    assert answers.result() == [(250, b"a"), (250, b"b"), (250, b"c"), (354, b"d")]
    assert (wire.end, wire.is_quiet) == ("", True)


@pytest.mark.parametrize("ended", [True, False])
@on_a_loop
def test_one_exchange_at_a_time_on_a_connection_that_lives(ended):
    wire, _, _, _ = wired()
    wire.exchange(b"MAIL\r\n", MAIL)
    if ended:
        wire.cut("enough")

    with pytest.raises(RuntimeError, match="one exchange"):
        wire.exchange(b"MAIL\r\n", MAIL)


@pytest.mark.parametrize(
    ("step", "seconds"),
    [
        (Step.MAIL, 300),
        (Step.RCPT, 300),
        (Step.DATA, 120),
        (Step.CONTENT, 600 + 45_000 / 500),
        (Step.RSET, 20),
        (Step.DOT, 20),
        (Step.QUIT, 5),
    ],
)
@on_a_loop
def test_every_step_has_the_time_of_the_standard(step, seconds):
    wire, transport, clock, _ = wired()
    answers = wire.exchange(b"x" * 45_000, Group(step))

    clock.advance(seconds - 1)
    assert not answers.done()
    clock.advance(2)

    assert answers.result() == []
    assert wire.end == f"no reply to {step.value} within {seconds:.0f} s"
    assert transport.is_aborted
    assert clock.timers == []


@on_a_loop
def test_a_reply_that_drips_does_not_renew_the_time():
    wire, _, clock, _ = wired()
    answers = wire.exchange(b"MAIL\r\n", MAIL)
    for _ in range(301):
        wire.data_received(b"2" if clock.now == 0 else b"5")
        clock.advance(1)

    assert answers.result() == []
    assert wire.end == "no reply to MAIL within 300 s"


@on_a_loop
def test_a_whole_reply_gives_the_next_step_its_own_time():
    wire, _, clock, lost = wired()
    answers = wire.exchange(b"...", Group(Step.MAIL, Step.RCPT))
    clock.advance(299)
    wire.data_received(b"250 a\r\n")
    clock.advance(299)
    assert not answers.done()
    clock.advance(2)

    assert answers.result() == [(250, b"a")]
    assert wire.end == "no reply to RCPT within 300 s"
    assert (lost, wire.out_of_step) == (["no reply to RCPT"], False), "a relay that drops what is written ahead"


@on_a_loop
def test_the_timer_rests_while_nothing_is_asked():
    wire, _, clock, _ = wired()
    wire.exchange(b"MAIL\r\n", MAIL)
    wire.data_received(b"250 a\r\n")
    clock.advance(10_000)
    assert (clock.timers, wire.end) == ([], "")

    wire.exchange(b"MAIL\r\n", MAIL)

    assert len(clock.timers) == 1


@on_a_loop
def test_a_relay_that_takes_some_octets_now_and_then_is_not_given_up_before_the_content_is():
    wire, transport, clock, _ = wired(room=0)
    wire.exchange(b"x" * 1_000, CONTENT)
    for _ in range(4):
        clock.advance(179)
        transport.drain(10)
        clock.advance(0)
    assert wire.end == "no reply to the content within 602 s"


@on_a_loop
def test_a_relay_that_takes_nothing_is_given_up_and_the_content_has_not_left():
    wire, _, clock, _ = wired(room=500)
    wire.exchange(b"x" * 1_000, CONTENT)
    clock.advance(182)

    assert wire.end == "the relay took nothing for 180 s"
    assert wire.unsent


@pytest.mark.parametrize(
    ("room", "taken", "unsent"),
    [
        (None, 0, False),
        (0, 0, True),
        (0, 99, True),
        (0, 100, False),
        (99, 0, True),
        (100, 0, False),
        (110, 0, False),
    ],
)
@pytest.mark.parametrize("ending", ["lost", "reset", "eof", "cut"])
@on_a_loop
def test_the_content_is_sent_when_its_last_octet_has_left_our_own_buffer(room, taken, unsent, ending):
    """A hundred octets of content with its dot, and twenty of the envelope behind it."""
    wire, transport, _, _ = wired(room=room)
    answers = wire.exchange(b"x" * 120, BOTH, behind=20)
    if taken:
        transport.drain(taken)
    {
        "lost": lambda: wire.connection_lost(None),
        "reset": lambda: wire.connection_lost(ConnectionResetError("reset by peer")),
        "eof": wire.eof_received,
        "cut": lambda: wire.cut("enough"),
    }[ending]()

    assert (answers.result(), wire.unsent, wire.out_of_step) == ([], unsent, False)


@pytest.mark.parametrize(("left", "unsent"), [(RECORDS + 21, True), (RECORDS + 20, False), (21, False)])
@on_a_loop
def test_over_tls_only_what_is_certainly_left_counts_as_unsent(left, unsent):
    wire, _, _, _ = wired(room=5_000 - left, tls=True)
    wire.exchange(b"x" * 5_000, BOTH, behind=20)
    wire.connection_lost(None)

    assert wire.unsent is unsent


@on_a_loop
def test_a_limit_of_an_exchange_before_does_not_make_a_sent_dot_unsent():
    wire, transport, _, _ = wired(room=90)
    wire.exchange(b"x" * 100, CONTENT)
    transport.drain(10)
    wire.data_received(b"250 a\r\n")
    wire.exchange(b"x" * 100, BOTH, behind=20)
    wire.connection_lost(None)

    assert not wire.unsent


@on_a_loop
def test_a_connection_that_breaks_on_writing_has_sent_nothing():
    wire, _, _, _ = wired(broken=True)

    answers = wire.exchange(b"x" * 100, CONTENT)

    assert (answers.result(), wire.unsent) == ([], True)
    assert wire.end == "the connection was lost before anything was written"


@on_a_loop
def test_what_comes_after_the_end_is_not_read():
    wire, _, _, lost = wired()
    answers = wire.exchange(b"MAIL\r\n", MAIL)
    wire.cut("enough")
    wire.data_received(b"250 a\r\n")
    wire.connection_lost(None)

    assert (answers.result(), wire.end, lost) == ([], "enough", [])


@on_a_loop
def test_a_reply_for_somebody_who_has_gone_is_no_error():
    wire, _, _, _ = wired()
    wire.exchange(b"MAIL\r\n", MAIL).cancel()
    wire.data_received(b"250 a\r\n")

    assert wire.end == ""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"250 a\r\n", "250 unasked for"),
        (b"550 a\r\n", "550 unasked for"),
        (b"nonsense\r\n", "a line that is no reply"),
    ],
)
@on_a_loop
def test_a_reply_that_nobody_asked_for_ends_the_connection(said, why):
    wire, transport, _, lost = wired()
    wire.data_received(said)

    assert (lost, wire.end, wire.out_of_step) == ([why], f"out of step: {why}", True)
    assert transport.is_aborted


@on_a_loop
def test_a_farewell_that_nobody_asked_for_is_kept_and_is_no_loss_of_step():
    wire, _, _, lost = wired()
    wire.data_received(b"421 4.3.2 bye\r\n")

    assert (wire.farewell, lost, wire.out_of_step) == ((421, b"4.3.2 bye"), [], False)
    assert not wire.is_quiet


def test_half_a_reply_that_nobody_asked_for_ends_the_connection_when_it_is_looked_at():
    async def talk():
        wire, _, _, lost = wired()
        wire.data_received(b"25")
        assert (wire.end, wire.is_quiet) == ("", False)
        await wire.listen()
        await wire.listen()
        return wire.end, lost

    assert asyncio.run(talk()) == ("out of step: unasked for", ["unasked for"])


def test_looking_at_a_connection_with_nothing_to_say_changes_nothing():
    async def talk():
        wire, _, _, lost = wired()
        await wire.listen()
        return wire.end, lost

    assert asyncio.run(talk()) == ("", [])
