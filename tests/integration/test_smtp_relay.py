"""A relay over SMTP, against real servers on loopback that answer as relays do when they are well, ill, or hostile."""

import asyncio
import dataclasses
import socket
import ssl

import pytest
from integration.scripted import DROP, MUTE, STOP, Authority, Scripted, serving

from newsletter.dispatch.outcome import Fault, Phase, Verdict
from newsletter.dispatch.relay import Envelope, RelayDown
from newsletter.dispatch.smtp import TIMEOUTS, SmtpRelay
from newsletter.dispatch.wire import Timeouts
from newsletter.errors import ConfigurationFault
from newsletter.settings import Pipelining, SmtpSettings, Tls

MODES = list(Pipelining)
DATA = b"Subject: Agenda\r\n\r\nHello\r\n"
BIG = b"x" * 998 + b"\r\n"
QUICK = dataclasses.replace(TIMEOUTS, tick=0.005)


def an_envelope(name="x1", **changes):
    plain = {"sender": f"b+{name}@rivers.example", "recipient": f"{name}@lakes.example", "needs_smtputf8": False}
    return Envelope(**{**plain, "name": name, "pieces": (DATA,), **changes})


def three():
    return [an_envelope(f"x{number}") for number in (1, 2, 3)]


async def deliver(connection, *envelopes):
    """What became of each message over one connection; None for those it never came to."""
    told, held, waiting = {}, None, list(envelopes)
    while held or waiting:
        following = waiting.pop(0) if waiting else None
        turn = await connection.turn(held, following)
        assert (turn.content is None) == (held is None)
        assert not (turn.is_open and turn.closed)
        if held:
            told[held.name] = turn.content
        if following and not turn.is_open:
            told[following.name] = turn.envelope
        held = following if turn.is_open else None
        if turn.closed:
            break
    return [told.get(each.name) for each in envelopes]


def send(script, *envelopes, timeouts=QUICK, implicit=None, **settings):
    """The outcome of each message, sent over one connection for as long as it holds."""

    async def talk():
        async with serving(script, implicit=implicit) as address:
            connection = await SmtpRelay(SmtpSettings(**{**address, **settings}), timeouts).open()
            outcomes = await deliver(connection, *(envelopes or [an_envelope()]))
            await connection.close()
            script.dismissed.set()
            await script.over.wait()
            return outcomes

    outcomes = asyncio.run(talk())
    assert script.violations == []
    return outcomes


def refusal(script, *, timeouts=QUICK, implicit=None, **settings):
    """Why a connection could not be opened."""

    async def talk():
        async with serving(script, implicit=implicit) as address:
            with pytest.raises(RelayDown) as down:
                await SmtpRelay(SmtpSettings(**{**address, **settings}), timeouts).open()
            return down.value.outcome

    return asyncio.run(talk())


def verdicts(outcomes):
    return [outcome and outcome.verdict for outcome in outcomes]


def names(script):
    return [recipients[0].partition("<")[2].partition("@")[0] for _, recipients, _ in script.messages]


# Messages that arrive


@pytest.mark.parametrize("mode", MODES)
def test_messages_arrive_as_they_are_one_after_the_other(mode):
    script = Scripted()

    outcomes = send(script, *three(), pipelining=mode)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    assert outcomes[0].reply.text == "2.0.0 Ok: queued as 1"
    assert script.messages[0] == (
        f"MAIL FROM:<b+x1@rivers.example> SIZE={len(DATA)}",
        ["RCPT TO:<x1@lakes.example>"],
        DATA,
    )
    assert names(script) == ["x1", "x2", "x3"]
    assert script.heard == ["GREETING", "EHLO", *["MAIL", "RCPT", "DATA", "CONTENT", "DOT"] * 3, "QUIT"]
    assert script.connections == 1


@pytest.mark.parametrize(("mode", "together"), [("full", True), ("envelope", False), ("off", False)])
def test_only_the_fullest_mode_writes_the_next_envelope_with_the_content(mode, together):
    script = Scripted()

    send(script, *three(), pipelining=mode)

    assert script.together == [together, together, False]


def test_a_relay_that_does_not_announce_pipelining_is_told_one_thing_at_a_time():
    script = Scripted(extensions=())

    outcomes = send(script, *three())

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    assert script.together == [False] * 3
    assert script.messages[0][0] == "MAIL FROM:<b+x1@rivers.example>", "no SIZE where it is not announced"


@pytest.mark.parametrize("mode", MODES)
def test_replies_that_come_byte_by_byte_are_the_same_replies(mode):
    script = Scripted({"RCPT": ["250 2.1.5 Ok", "550-5.1.1 unknown\r\n550 5.1.1 here"]}, bytewise=True)

    outcomes = send(script, *three(), pipelining=mode)

    assert verdicts(outcomes) == [Verdict.ACCEPTED, Verdict.REFUSED, Verdict.ACCEPTED]
    assert outcomes[1].reply.text == "5.1.1 unknown 5.1.1 here"


def test_a_message_larger_than_every_buffer_arrives():
    script = Scripted()

    outcomes = send(script, *[an_envelope(name, pieces=(BIG * 2_000,)) for name in ("x1", "x2")])

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 2
    assert [len(content) for _, _, content in script.messages] == [2_000_000] * 2


# Refusals


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("step", "said", "verdict", "fault"),
    [
        ("RCPT", "450 4.2.0 mailbox busy", Verdict.DEFERRED, Fault.RECIPIENT),
        ("RCPT", "550 5.1.1 unknown", Verdict.REFUSED, Fault.RECIPIENT),
        ("RCPT", "554 5.7.1 relay access denied", Verdict.REFUSED, Fault.SENDER),
        ("DATA", "451 4.3.0 later", Verdict.DEFERRED, Fault.RELAY),
        ("DATA", "554 5.6.0 not like that", Verdict.REFUSED, Fault.CONTENT),
        ("DOT", "452 4.2.2 mailbox full", Verdict.DEFERRED, Fault.RECIPIENT),
        ("DOT", "554 5.7.1 spam", Verdict.REFUSED, Fault.SENDER),
        ("DOT", "552 5.3.4 too big", Verdict.REFUSED, Fault.CONTENT),
    ],
)
@pytest.mark.parametrize("which", [0, 1])
def test_after_a_refusal_the_connection_serves_the_next_message(*, mode, step, said, verdict, fault, which):
    script = Scripted({step: [*[usual(step)] * which, said]})

    outcomes = send(script, *three(), pipelining=mode)

    expected = [(Verdict.ACCEPTED, None)] * 3
    expected[which] = (verdict, fault)
    assert [(each.verdict, each.fault) for each in outcomes] == expected
    assert outcomes[which].phase is (Phase.CONTENT if step == "DOT" else Phase[step])
    assert not outcomes[which].closes
    assert names(script) == [name for number, name in enumerate(["x1", "x2", "x3"]) if number != which]
    assert (script.connections, script.lone_dots) == (1, 0)
    assert ("RSET" in script.heard) == (step != "DOT"), "an open transaction is ended before the next one"


def usual(step):
    return {"RCPT": "250 2.1.5 Ok", "DATA": "354 go on", "DOT": "250 2.0.0 Ok: queued as 1"}[step]


@pytest.mark.parametrize("mode", [Pipelining.FULL, Pipelining.ENVELOPE])
@pytest.mark.parametrize("dot", ["554 5.5.1 no valid recipients", "250 2.0.0 Ok"])
def test_content_that_is_asked_for_without_a_recipient_is_a_lone_dot_that_counts_for_nothing(mode, dot):
    """RFC 2920 §3.1."""
    script = Scripted({"RCPT": ["550 5.1.1 unknown"], "DOT": [dot]}, lenient=True)

    outcomes = send(script, *three(), pipelining=mode)

    assert verdicts(outcomes) == [Verdict.REFUSED, Verdict.ACCEPTED, Verdict.ACCEPTED]
    assert outcomes[0].reply.text == "5.1.1 unknown"
    assert (script.lone_dots, names(script)) == (1, ["x2", "x3"])


@pytest.mark.parametrize("dot", ["421 4.3.2 shutting down", "354 again?", DROP, MUTE])
def test_a_refusal_holds_where_the_lone_dot_ends_the_connection(dot):
    script = Scripted({"RCPT": ["550 5.1.1 unknown"], "DOT": [dot]}, lenient=True)

    outcomes = send(script, *three(), timeouts=dataclasses.replace(QUICK, reset=0.05))

    assert verdicts(outcomes) == [Verdict.REFUSED, None, None]
    assert outcomes[0].closes


def test_content_that_is_asked_for_after_the_sender_was_refused_is_not_even_a_dot():
    script = Scripted({"MAIL": ["451 4.3.0 queue file write error"]}, lenient=True)

    outcomes = send(script, *three())

    assert verdicts(outcomes) == [Verdict.NOT_SENT, None, None]
    assert (script.lone_dots, script.messages) == (0, [])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("step", "said", "verdict"),
    [
        ("MAIL", "451 4.3.0 queue file write error", Verdict.NOT_SENT),
        ("MAIL", "550 5.7.1 not allowed", Verdict.NOT_SENT),
        ("MAIL", "421 4.3.2 shutting down", Verdict.NOT_SENT),
        ("RCPT", "421 4.3.2 shutting down", Verdict.NOT_SENT),
        ("DATA", "421 4.3.2 shutting down", Verdict.NOT_SENT),
        ("DOT", "421 4.3.0 try again", Verdict.DEFERRED),
    ],
)
def test_after_some_refusals_a_connection_is_of_no_more_use(mode, step, said, verdict):
    script = Scripted({step: said})

    outcomes = send(script, *three(), pipelining=mode)

    first, *others = verdicts(outcomes)
    assert (first, outcomes[0].closes, outcomes[0].reply.code) == (verdict, True, int(said[:3]))
    assert all(other in {None, Verdict.NOT_SENT} for other in others)
    assert script.messages == []


@pytest.mark.parametrize("mode", MODES)
def test_what_follows_a_message_that_was_taken_last_is_not_sent(mode):
    script = Scripted({"MAIL": [USUAL_MAIL, "421 4.3.2 enough for today"]})

    outcomes = send(script, *three(), pipelining=mode)

    assert verdicts(outcomes) == [Verdict.ACCEPTED, Verdict.NOT_SENT, None]
    assert (outcomes[1].phase, outcomes[1].reply.code) == (Phase.MAIL, 421)


USUAL_MAIL = "250 2.1.0 Ok"


@pytest.mark.parametrize("said", ["550 5.5.1 no", "421 4.3.2 bye", DROP])
@pytest.mark.parametrize("mode", MODES)
def test_a_refusal_holds_where_the_reset_fails(mode, said):
    script = Scripted({"RCPT": ["550 5.1.1 unknown"], "RSET": said})

    outcomes = send(script, *three(), pipelining=mode)

    after = None if mode is Pipelining.OFF else Verdict.NOT_SENT
    assert verdicts(outcomes) == [Verdict.REFUSED, after, None]
    assert (outcomes[0].fault, outcomes[0].closes) == (Fault.RECIPIENT, mode is Pipelining.OFF)
    assert script.messages == []


def test_a_refusal_holds_where_the_relay_hangs_up_on_the_next_command():
    script = Scripted({"RCPT": "550 5.1.1 unknown", "DATA": DROP})

    outcomes = send(script, *three())

    assert verdicts(outcomes) == [Verdict.REFUSED, None, None]
    assert outcomes[0].closes


@pytest.mark.parametrize("mode", MODES)
def test_an_early_refusal_of_the_content_is_its_outcome(mode):
    script = Scripted({"CONTENT": ["550 5.7.1 I have seen enough"], "DOT": [MUTE]})

    outcomes = send(script, *three(), pipelining=mode)

    assert verdicts(outcomes) == [Verdict.REFUSED, Verdict.ACCEPTED, Verdict.ACCEPTED]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("said", "verdict", "fault"),
    [
        ("550 5.7.1 on second thoughts, no", Verdict.REFUSED, Fault.SENDER),
        ("450 4.2.0 on second thoughts, later", Verdict.DEFERRED, None),
    ],
)
def test_a_refusal_right_behind_354_is_the_outcome_of_the_message_that_was_asked_for(*, mode, said, verdict, fault):
    script = Scripted({"DATA": ["354 go on", f"354 go on\r\n{said}"]})

    outcomes = send(script, *three(), pipelining=mode)

    assert verdicts(outcomes) == [Verdict.ACCEPTED, verdict, None]
    assert (outcomes[1].phase, outcomes[1].closes) == (Phase.CONTENT, True)
    assert fault in {None, outcomes[1].fault}
    assert (names(script), script.lone_dots) == (["x1"], 0)


def test_a_refusal_behind_354_is_heard_before_the_content_is_written():
    script = Scripted()

    async def spoken(connection, held):
        await script.say(script.writers[0], "550 5.7.1 on second thoughts, no")
        return await connection.turn(held, an_envelope("x2"))

    (turn,) = turns(script, spoken)

    assert (turn.content.verdict, turn.content.fault, turn.closed) == (Verdict.REFUSED, Fault.SENDER, True)
    assert (turn.envelope.verdict, turn.envelope.reply) == (Verdict.NOT_SENT, None)
    assert script.messages == []


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("550 5.7.1 I have seen enough", Verdict.REFUSED),
        ("421 4.3.2 bye", Verdict.DEFERRED),
        ("250 2.0.0 Ok", Verdict.NOT_SENT),
    ],
)
def test_an_early_reply_to_content_that_is_not_read_ends_the_connection_at_once(said, verdict):
    """The final dot has not left, so a yes means nothing."""
    script = Scripted({"DATA": ["354 go on"], "CONTENT": f"{said}"})

    async def talk():
        async with serving(script) as address:
            connection = await SmtpRelay(SmtpSettings(**address), QUICK).open()
            held = an_envelope(pieces=(BIG * 20_000,))
            await connection.turn(None, held)
            script.writers[0].transport.pause_reading()
            task = asyncio.create_task(connection.turn(held, an_envelope("x2")))
            await asyncio.sleep(0)
            await script.say(script.writers[0], said)
            return await task

    turn = asyncio.run(talk())

    assert (turn.content.verdict, turn.envelope.verdict) == (verdict, Verdict.NOT_SENT)
    assert turn.closed


# Connections that are lost


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_connection_lost_before_the_content_is_certainly_not_sent(mode, step):
    outcomes = send(Scripted({step: DROP}), *three(), pipelining=mode)

    assert verdicts(outcomes) == [Verdict.NOT_SENT, None, None]
    assert (outcomes[0].phase, outcomes[0].closes) == (Phase[step], True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("step", ["CONTENT", "DOT"])
def test_a_connection_lost_after_the_final_dot_was_handed_over_leaves_doubt(mode, step):
    outcomes = send(Scripted({step: DROP}), *three(), pipelining=mode)

    assert verdicts(outcomes) == [Verdict.UNCERTAIN, Verdict.NOT_SENT, None]
    assert (outcomes[0].phase, outcomes[0].fault) == (Phase.CONTENT, Fault.RELAY)
    assert "may have taken the message" in outcomes[0].words


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_the_outcome_of_the_content_holds_where_the_connection_is_lost_after_it(mode, step):
    script = Scripted({step: [{"MAIL": USUAL_MAIL}.get(step) or usual(step), DROP]})

    outcomes = send(script, *three(), pipelining=mode)

    assert verdicts(outcomes) == [Verdict.ACCEPTED, Verdict.NOT_SENT, None]
    assert outcomes[1].phase is Phase[step]


def turns(script, *steps, timeouts=QUICK, **settings):
    """Open a connection, let the relay take an envelope, then go through `steps(connection, held)`; returns results."""

    async def talk():
        async with serving(script) as address:
            connection = await SmtpRelay(SmtpSettings(**{**address, **settings}), timeouts).open()
            held = an_envelope()
            assert (await connection.turn(None, held)).is_open
            return [await step(connection, held) for step in steps]

    return asyncio.run(talk())


def test_a_connection_that_ends_while_the_mark_is_committed_is_certainly_not_sent():
    script = Scripted()

    async def lost(connection, held):
        script.abort()
        await script.over.wait()
        return await connection.turn(held, an_envelope("x2"))

    async def again(connection, _held):
        return await connection.turn(None, an_envelope("x3"))

    turn, further = turns(script, lost, again)

    assert (further.envelope.verdict, further.closed) == (Verdict.NOT_SENT, True)
    assert (turn.content.verdict, turn.content.phase) == (Verdict.NOT_SENT, Phase.CONTENT)
    assert (turn.envelope.verdict, turn.closed) == (Verdict.NOT_SENT, True)
    assert script.messages == []


@pytest.mark.parametrize(
    ("words", "code"), [("421 4.4.2 idle for too long", 421), ("250 2.0.0 what?", None), (b"421 4.4.2 idle", None)]
)
def test_a_relay_that_speaks_without_being_asked_gets_no_more(words, code):
    script = Scripted()

    async def spoken(connection, held):
        await script.say(script.writers[0], words)
        return await connection.turn(held, an_envelope("x2"))

    (turn,) = turns(script, spoken)

    assert (turn.content.verdict, turn.envelope.verdict, turn.closed) == (Verdict.NOT_SENT, Verdict.NOT_SENT, True)
    assert (turn.content.reply and turn.content.reply.code) == code
    assert script.heard[-1] == "DATA"
    assert script.messages == []


def test_a_connection_that_has_ended_takes_no_further_turn():
    async def talk():
        script = Scripted({"MAIL": DROP})
        async with serving(script) as address:
            connection = await SmtpRelay(SmtpSettings(**address), QUICK).open()
            first = await connection.turn(None, an_envelope())
            second = await connection.turn(None, an_envelope())
            third = await connection.turn(None, an_envelope(recipient="kühn@lakes.example", needs_smtputf8=True))
            await connection.close()
            return first, second, third

    first, second, third = asyncio.run(talk())

    assert [each.envelope.verdict for each in (first, second)] == [Verdict.NOT_SENT] * 2
    assert third.envelope.verdict is Verdict.REFUSED
    assert all(each.closed for each in (first, second, third))


def test_content_still_in_our_own_buffer_when_the_connection_breaks_is_certainly_not_sent():
    script = Scripted({"CONTENT": STOP})

    async def talk():
        async with serving(script) as address:
            connection = await SmtpRelay(SmtpSettings(**address), QUICK).open()
            held = an_envelope(pieces=(BIG * 20_000,))
            await connection.turn(None, held)
            task = asyncio.create_task(connection.turn(held, an_envelope("x2")))
            await script.reaches("CONTENT")
            script.abort()
            return await task

    turn = asyncio.run(talk())

    assert (turn.content.verdict, turn.content.phase) == (Verdict.NOT_SENT, Phase.CONTENT)
    assert turn.envelope.verdict is Verdict.NOT_SENT


# Time


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("step", "verdict", "name"),
    [
        ("MAIL", Verdict.NOT_SENT, "MAIL"),
        ("RCPT", Verdict.NOT_SENT, "RCPT"),
        ("DATA", Verdict.NOT_SENT, "DATA"),
        ("DOT", Verdict.UNCERTAIN, "the content"),
    ],
)
def test_a_relay_that_stays_silent_is_given_up_after_its_time(mode, step, verdict, name):
    timeouts = dataclasses.replace(QUICK, **{{"DOT": "content"}.get(step, step.lower()): 0.03})

    (outcome,) = send(Scripted({step: STOP}), timeouts=timeouts, pipelining=mode)

    assert (outcome.verdict, outcome.closes) == (verdict, True)
    assert outcome.words.startswith(f"no reply to {name} within")


def test_a_relay_that_takes_nothing_more_of_the_content_is_given_up_and_nothing_was_sent():
    script = Scripted({"CONTENT": STOP})

    (outcome,) = send_stuck(script, dataclasses.replace(QUICK, standstill=0.05))

    assert (outcome.verdict, outcome.phase) == (Verdict.NOT_SENT, Phase.CONTENT)
    assert outcome.words == "the relay took nothing for 0 s"


def send_stuck(script, timeouts):
    async def talk():
        async with serving(script) as address:
            connection = await SmtpRelay(SmtpSettings(**address), timeouts).open()
            return await deliver(connection, an_envelope(pieces=(BIG * 20_000,)))

    return asyncio.run(talk())


def test_a_client_waits_as_long_as_the_standard_says():
    """RFC 5321 §4.5.3.2: giving up on the final reply too early is what makes duplicates."""
    assert Timeouts() == TIMEOUTS
    assert (TIMEOUTS.mail, TIMEOUTS.rcpt, TIMEOUTS.data, TIMEOUTS.content) == (300, 300, 120, 600)
    assert (TIMEOUTS.standstill, TIMEOUTS.slowest, TIMEOUTS.connect) == (180, 500, 30)


def test_the_kernel_watches_over_the_connection_too():
    async def options(connection, _held):
        connected = connection._wire._transport.get_extra_info("socket")
        user_timeout = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        return connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), user_timeout

    assert turns(Scripted(), options) == [(1, 120_000)]


# Out of step


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("DOT", "354 again?"),
        ("DOT", "250 2.0.0 Ok\r\n250 2.0.0 Ok"),
        ("DOT", "221 2.0.0 Bye"),
        ("DOT", "nonsense \x00\x07"),
        ("DOT", b"250-2.0.0 Ok\r\n451 4.0.0 No\r\n"),
        ("DOT", b"250-x\r\n" * 200),
        ("DOT", b"250 " + b"x" * 10_000),
        ("DOT", b"250-" + b"x" * 1_000_000),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_content_whose_reply_is_no_answer_is_in_doubt(mode, step, said):
    script = Scripted({step: [said]})

    outcomes = send(script, *three(), pipelining=mode)

    assert verdicts(outcomes) == [Verdict.UNCERTAIN, Verdict.NOT_SENT, None]
    assert outcomes[0].words.isprintable()
    assert "out of step" in outcomes[0].words


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("MAIL", "354 go on"),
        ("MAIL", "nonsense"),
        ("MAIL", b"\r\n"),
        ("RCPT", "354 go on"),
        ("RCPT", "220 hello"),
        ("DATA", "250 2.0.0 out of step"),
        ("DATA", "334 more"),
        ("DATA", "354 go on\r\n250 2.0.0 and on"),
        ("DATA", b"354 go on\r\n25"),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_a_reply_that_is_no_answer_is_never_attributed_to_another_message(mode, step, said):
    """The first message shares the group in the fullest mode, so that its reply is not believed either."""
    script = Scripted({step: [{"MAIL": USUAL_MAIL}.get(step) or usual(step), said]})

    outcomes = send(script, *three(), pipelining=mode)

    content = Verdict.UNCERTAIN if mode is Pipelining.FULL else Verdict.ACCEPTED
    assert verdicts(outcomes)[0] == content
    assert verdicts(outcomes)[1] == Verdict.NOT_SENT
    assert "out of step" in outcomes[1].words
    assert names(script) == ["x1"]


def test_a_relay_that_calls_pipelining_out_of_order_gets_less_of_it_and_no_message_is_refused():
    script = Scripted({"MAIL": [USUAL_MAIL, "503 5.5.1 wait"] * 2})

    async def talk():
        async with serving(script) as address:
            relay = SmtpRelay(SmtpSettings(**address), QUICK)
            outcomes = []
            for _ in range(3):
                connection = await relay.open()
                outcomes.append(verdicts(await deliver(connection, *three())))
                await connection.close()
            return outcomes, relay._trust.mode

    outcomes, mode = asyncio.run(talk())

    once = [Verdict.ACCEPTED, Verdict.NOT_SENT, None]
    assert outcomes == [once, once, [Verdict.ACCEPTED] * 3]
    assert mode is Pipelining.ENVELOPE


def test_a_refusal_in_a_group_that_lost_step_is_not_believed():
    script = Scripted({"RCPT": ["550 5.1.1 unknown"], "DATA": ["250 2.0.0 what?"]})

    outcomes = send(script, *three())

    assert verdicts(outcomes) == [Verdict.NOT_SENT, None, None]


def test_a_reply_that_is_left_out_is_noticed_by_the_next_one():
    script = Scripted({"DOT": [MUTE]})

    outcomes = send(script, *three())

    assert verdicts(outcomes) == [Verdict.UNCERTAIN, Verdict.NOT_SENT, None]
    assert "354 to RCPT" in outcomes[0].words


@pytest.mark.parametrize("words", ["421 4.3.2 shutting down", "250 2.0.0 Ok"])
def test_a_reply_too_many_that_comes_before_the_answers_are_read_counts_with_them(words):
    script = Scripted({"DATA": ["354 go on", f"354 go on\r\n{words}"]})

    outcomes = send(script, *three())

    content = Verdict.ACCEPTED if words.startswith("421") else Verdict.UNCERTAIN
    assert verdicts(outcomes) == [content, Verdict.NOT_SENT, None]


def test_a_relay_that_loses_step_twice_is_told_less_at_once():
    script = Scripted({"DATA": [*["354 go on", "250 2.0.0 what?"] * 4]})

    async def talk():
        async with serving(script) as address:
            relay = SmtpRelay(SmtpSettings(**address), QUICK)
            modes = []
            for _ in range(4):
                connection = await relay.open()
                await deliver(connection, *three())
                await connection.close()
                modes.append(relay._trust.mode)
            connection = await relay.open()
            outcomes = await deliver(connection, *three())
            await connection.close()
            return modes, outcomes

    modes, outcomes = asyncio.run(talk())

    assert modes == [Pipelining.FULL, Pipelining.ENVELOPE, Pipelining.ENVELOPE, Pipelining.OFF]
    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    assert script.together[-3:] == [False] * 3


# Parting


@pytest.mark.parametrize("at_once", [True, False])
def test_a_354_that_is_not_used_ends_with_the_connection_and_no_dot(at_once):
    script = Scripted()

    async def close(connection, _held):
        await connection.close(at_once=at_once)
        await script.over.wait()

    turns(script, close)

    assert (script.heard[-1], script.messages, script.lone_dots) == ("DATA", [], 0)


def test_an_idle_connection_parts_politely_and_waits_no_longer_than_it_must():
    script = Scripted({"QUIT": STOP})

    outcomes = send_and_leave(script, dataclasses.replace(QUICK, quit=0.02))

    assert verdicts(outcomes) == [Verdict.ACCEPTED]
    assert script.heard[-1] == "QUIT"


def send_and_leave(script, timeouts):
    async def talk():
        async with serving(script) as address:
            connection = await SmtpRelay(SmtpSettings(**address), timeouts).open()
            outcomes = await deliver(connection, an_envelope())
            await connection.close()
            await connection.close()
            return outcomes

    return asyncio.run(talk())


def test_a_turn_that_is_cut_short_from_outside_tells_what_is_known():
    script = Scripted({"DOT": STOP})

    async def cut(connection, held):
        task = asyncio.create_task(connection.turn(held, an_envelope("x2")))
        await script.reaches("DOT")
        await connection.close()
        return await task

    (turn,) = turns(script, cut)

    assert (turn.content.verdict, turn.envelope.verdict) == (Verdict.UNCERTAIN, Verdict.NOT_SENT)
    assert turn.closed


def test_a_turn_that_is_cancelled_leaves_no_connection_behind():
    script = Scripted({"DOT": STOP})

    async def cancel(connection, held):
        task = asyncio.create_task(connection.turn(held, an_envelope("x2")))
        await script.reaches("DOT")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return connection._wire._transport.is_closing()

    assert turns(script, cancel) == [True]


def test_a_turn_writes_the_content_that_is_waited_for_and_no_other():
    async def other(connection, held):
        for content, following in [(None, an_envelope("x2")), (an_envelope("x2"), None), (None, None)]:
            with pytest.raises(ValueError, match="and no other"):
                await connection.turn(content, following)
        return await connection.turn(held, None)

    (turn,) = turns(Scripted(), other)

    assert turn.content.verdict is Verdict.ACCEPTED


# What a relay offers


def test_a_message_larger_than_the_relay_takes_is_refused_without_a_word_to_it():
    script = Scripted(extensions=("PIPELINING", "SIZE 64"))

    outcomes = send(script, an_envelope(), an_envelope("x2", pieces=(b"x" * 70 + b"\r\n",)), an_envelope("x3"))

    assert verdicts(outcomes) == [Verdict.ACCEPTED, Verdict.REFUSED, Verdict.ACCEPTED]
    assert (outcomes[1].fault, outcomes[1].words[:5]) == (Fault.CONTENT, "5.3.4")
    assert (names(script), script.connections) == (["x1", "x3"], 1)
    assert "RSET" not in script.heard


def test_an_address_outside_ascii_needs_a_relay_that_takes_it():
    script = Scripted()
    abroad = an_envelope("x1", recipient="kühn@lakes.example", needs_smtputf8=True)

    outcomes = send(script, abroad, an_envelope("x2"))

    assert [(each.verdict, each.fault) for each in outcomes] == [
        (Verdict.REFUSED, Fault.RECIPIENT),
        (Verdict.ACCEPTED, None),
    ]
    assert names(script) == ["x2"]


def test_an_address_outside_ascii_is_written_in_utf8():
    script = Scripted(extensions=("PIPELINING", "SMTPUTF8"))

    send(script, an_envelope(recipient="kühn@lakes.example", needs_smtputf8=True), an_envelope("x2"))

    assert script.messages[0][:2] == (
        "MAIL FROM:<b+x1@rivers.example> SMTPUTF8",
        ["RCPT TO:<kühn@lakes.example>"],
    )
    assert script.messages[1][0] == "MAIL FROM:<b+x2@rivers.example>", "only where the envelope needs it"


@pytest.mark.parametrize("recipient", ["a@x.example\r\nDATA", "a@x.example> SIZE=1", "kühn@x.example", "a\0@x.example"])
def test_an_address_that_could_be_read_as_a_command_never_reaches_the_wire(recipient):
    script = Scripted()

    async def inject(connection, held):
        with pytest.raises(ValueError, match="cannot be written into a command"):
            await connection.turn(held, an_envelope("x2", recipient=recipient))
        return await connection.turn(held, None)

    (turn,) = turns(script, inject)

    assert turn.content.verdict is Verdict.ACCEPTED
    assert script.heard == ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT", "DOT"]


# Opening


def test_a_port_where_nobody_listens_is_a_relay_that_is_away():
    async def talk():
        async with serving(Scripted()) as address:
            pass
        with pytest.raises(RelayDown) as down:
            await SmtpRelay(SmtpSettings(**address)).open()
        return down.value.outcome

    outcome = asyncio.run(talk())

    assert (outcome.verdict, outcome.fault, outcome.phase) == (Verdict.NOT_SENT, Fault.RELAY, Phase.CONNECT)
    assert outcome.words.startswith("127.0.0.1:")


@pytest.mark.parametrize(
    ("says", "phase"),
    [
        ({"GREETING": "554 5.7.1 no service here"}, Phase.CONNECT),
        ({"GREETING": "421 4.3.2 too many connections"}, Phase.CONNECT),
        ({"GREETING": "HTTP/1.1"}, Phase.CONNECT),
        ({"GREETING": STOP}, Phase.CONNECT),
        ({"EHLO": "421 4.3.2 not today"}, Phase.HELLO),
        ({"EHLO": "550 5.7.1 not you"}, Phase.HELLO),
        ({"EHLO": DROP}, Phase.HELLO),
        ({"EHLO": STOP}, Phase.HELLO),
        ({"EHLO": "250 relay.example\r\n250 relay.example"}, Phase.HELLO),
    ],
)
def test_a_relay_that_will_not_have_us_is_away_and_blames_no_recipient(says, phase):
    outcome = refusal(Scripted(says), timeouts=dataclasses.replace(QUICK, connect=0.1))

    assert (outcome.verdict, outcome.fault, outcome.phase) == (Verdict.NOT_SENT, Fault.RELAY, phase)
    assert outcome.closes


def test_opening_that_is_cancelled_leaves_no_connection_behind():
    script = Scripted({"EHLO": STOP})

    async def talk():
        async with serving(script) as address:
            task = asyncio.create_task(SmtpRelay(SmtpSettings(**address)).open())
            await script.reaches("EHLO")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await script.writers[0].drain()

    asyncio.run(talk())


CREDENTIALS = {"username": "anna", "password": "secret"}
WITH_AUTH = ("PIPELINING", "AUTH PLAIN")


def test_a_relay_that_knows_us_takes_the_message():
    script = Scripted(extensions=WITH_AUTH)

    (outcome,) = send(script, **CREDENTIALS)

    assert outcome.verdict is Verdict.ACCEPTED
    assert script.heard[:4] == ["GREETING", "EHLO", "AUTH", "MAIL"]


def test_a_relay_that_does_not_know_us_is_away():
    outcome = refusal(Scripted({"AUTH": "535 5.7.8 who?"}, extensions=WITH_AUTH), **CREDENTIALS)

    assert (outcome.verdict, outcome.phase, outcome.reply.code) == (Verdict.NOT_SENT, Phase.AUTH, 535)


@pytest.mark.parametrize("password", ["secret", None])
def test_a_relay_that_wants_no_credentials_is_not_told_them(password):
    script = Scripted()

    outcome = refusal(script, username="anna", password=password)

    assert (outcome.verdict, outcome.phase) == (Verdict.NOT_SENT, Phase.AUTH)
    assert script.heard == ["GREETING", "EHLO"]


# TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


SECURE = {"tls": Tls.STARTTLS, **CREDENTIALS}
WITH_TLS = ("STARTTLS", *WITH_AUTH)


@pytest.mark.parametrize("mode", MODES)
def test_starttls_comes_before_everything_else(authority, mode):
    script = Scripted(extensions=WITH_TLS, tls=authority.context())

    outcomes = send(script, *three(), ca_file=authority.file, pipelining=mode, **SECURE)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3
    assert script.heard[:6] == ["GREETING", "EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL"]


def test_tls_from_the_first_byte(authority):
    script = Scripted()

    outcomes = send(script, *three(), implicit=authority.context(), ca_file=authority.file, tls=Tls.IMPLICIT)

    assert verdicts(outcomes) == [Verdict.ACCEPTED] * 3


def test_a_large_message_over_tls_arrives(authority):
    script = Scripted(extensions=WITH_TLS, tls=authority.context())

    (outcome,) = send(script, an_envelope(pieces=(BIG * 1_000,)), ca_file=authority.file, **SECURE)

    assert outcome.verdict is Verdict.ACCEPTED
    assert len(script.messages[0][2]) == 1_000_000


def test_a_connection_lost_under_tls_leaves_doubt(authority):
    script = Scripted({"DOT": DROP}, extensions=WITH_TLS, tls=authority.context())

    outcomes = send(script, *three(), ca_file=authority.file, **SECURE)

    assert verdicts(outcomes) == [Verdict.UNCERTAIN, Verdict.NOT_SENT, None]


@pytest.mark.parametrize("security", [Tls.STARTTLS, Tls.IMPLICIT])
@pytest.mark.parametrize(
    "certificate", [{"days": -1}, {"address": "127.0.0.9"}, {}], ids=["expired", "another's", "unknown"]
)
def test_a_relay_that_cannot_prove_who_it_is_gets_no_credentials(authority, security, certificate):
    context = authority.context(**certificate)
    script = Scripted(extensions=WITH_TLS, tls=context)
    known = {"ca_file": authority.file} if certificate else {}

    implicit = context if security is Tls.IMPLICIT else None
    outcome = refusal(script, implicit=implicit, **{**SECURE, "tls": security, **known})

    assert (outcome.verdict, outcome.fault) == (Verdict.NOT_SENT, Fault.RELAY)
    assert "certificate" in outcome.words.lower()
    assert {"AUTH", "MAIL"}.isdisjoint(script.heard)


def test_tls_older_than_1_2_is_refused(authority):
    context = authority.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    script = Scripted(extensions=WITH_TLS, tls=context)

    outcome = refusal(script, ca_file=authority.file, **SECURE)

    assert (outcome.verdict, outcome.phase) == (Verdict.NOT_SENT, Phase.HELLO)
    assert "AUTH" not in script.heard


@pytest.mark.parametrize(
    ("says", "extensions"),
    [
        ({}, WITH_AUTH),
        ({"STARTTLS": "454 4.7.0 not now"}, WITH_TLS),
        ({"STARTTLS": DROP}, WITH_TLS),
        ({"STARTTLS": b"220 ready\r\n250-relay.example\r\n250 AUTH PLAIN\r\n"}, WITH_TLS),
    ],
    ids=["not offered", "refused", "dropped", "injected in clear"],
)
def test_a_relay_without_the_tls_that_is_asked_for_gets_nothing(authority, says, extensions):
    script = Scripted(says, extensions=extensions, tls=authority.context())

    outcome = refusal(script, ca_file=authority.file, **SECURE)

    assert (outcome.verdict, outcome.fault, outcome.phase) == (Verdict.NOT_SENT, Fault.RELAY, Phase.HELLO)
    assert {"AUTH", "MAIL"}.isdisjoint(script.heard)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authorities_that_cannot_be_read_are_a_setting_that_is_wrong(tmp_path, content):
    file = tmp_path / "authorities.pem"
    if content:
        file.write_text(content)

    with pytest.raises(ConfigurationFault, match="NEWSLETTER_SMTP__CA_FILE"):
        SmtpRelay(SmtpSettings(tls=Tls.IMPLICIT, ca_file=file))
