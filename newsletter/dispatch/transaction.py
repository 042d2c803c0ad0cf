"""
SMTP transactions over one connection, in turns: see `relay.Connection`.

Takes messages in their envelopes, yields what the relay said to each. In the fullest mode one write carries the content
of a message and MAIL, RCPT and DATA of the next one, and one read brings the four replies (RFC 2920 §3.1). What is
promised:

- a reply is never attributed to the wrong message: where one comes that was not asked for, the connection ends, and
  what it said about the content that shared the group is not believed;
- "certainly not sent" and "uncertain" are never confused: a message is in doubt from the moment in which its final dot
  leaves this process until its reply is read;
- nothing follows DATA before the relay has said 354, and a 354 that will not be used ends with the connection. A lone
  dot is written where no recipient was taken (RFC 2920 §3.1), so that there is nobody to deliver it to.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, TypeAlias

from newsletter.dispatch.commands import Extensions, refusal, transaction
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Verdict, classify, reply
from newsletter.dispatch.relay import Envelope, Turn
from newsletter.dispatch.replies import REFUSED, Answer
from newsletter.dispatch.trust import Trust
from newsletter.dispatch.wire import SHUTTING_DOWN, Group, Step, Wire
from newsletter.settings import Pipelining

Heard: TypeAlias = Sequence[tuple[Step, Answer]]
"""What was answered, in order; it stops where the connection did, or where the next command was not given."""

ALONE: Final = {step: Group(step) for step in Step}
"""Steps by themselves."""

ENVELOPE: Final = Group(Step.MAIL, Step.RCPT, Step.DATA)
"""What opens a transaction."""

AFTER_REFUSAL: Final = Group(Step.RSET, *ENVELOPE.steps)
"""The same behind an envelope that was refused, RFC 2920 §3.1."""

BOTH: Final = Group(Step.CONTENT, *ENVELOPE.steps)
"""The content of one message and the envelope of the next."""

PHASES: Final = {Step.RSET: Phase.MAIL, Step.MAIL: Phase.MAIL, Step.RCPT: Phase.RCPT, Step.DATA: Phase.DATA}
"""How far an envelope had come, by the step that failed."""


OUT_OF_ORDER: Final = 503
"""RFC 5321 §4.2.3: what a relay says that announces PIPELINING and reads on before it has done what came first."""


class SmtpConnection:
    """An open, authenticated connection over a wire of its own."""

    def __init__(self, wire: Wire, extensions: Extensions, trust: Trust) -> None:
        self._wire = wire
        self._extensions = extensions
        self._trust = trust
        self._held: Envelope | None = None
        self._is_in_turn = False
        self._owes_reset = False

    async def turn(self, content: Envelope | None, following: Envelope | None) -> Turn:
        """
        One turn; see `relay.Connection`.

        Raises ValueError, and writes nothing, where `content` is not the message whose envelope the relay has taken,
        and where `following` cannot be written as commands.
        """
        if content is not self._held or (content is None and following is None):
            raise ValueError("a turn writes the content that the relay waits for, and no other")
        refused = refusal(following, self._extensions) if following else None
        opening = transaction(following, self._extensions) if following and not refused else b""
        self._is_in_turn = True
        try:
            if not self._wire.is_quiet:
                await self._wire.listen()
            turn = self._missed(content, opening) if self._wire.end else await self._write(content, opening)
        except asyncio.CancelledError:
            self._wire.cut("given up by its user")
            raise
        finally:
            self._is_in_turn = False
        self._held = following if turn.is_open else None
        return turn._replace(envelope=refused) if refused else turn

    async def close(self, *, at_once: bool = False) -> None:
        """
        Part with QUIT, or without a word: `at_once`, or wherever the relay waits for content or has yet to answer.

        From another task it cuts a turn short, which then tells what is known.
        """
        wire = self._wire
        try:
            if not (at_once or wire.end or self._is_in_turn or self._held):
                await wire.exchange(b"QUIT\r\n", ALONE[Step.QUIT])
        finally:
            wire.cut("closed")

    def _missed(self, content: Envelope | None, opening: bytes) -> Turn:
        """Return a turn on a connection that had ended before it: nothing was written."""
        return Turn(
            content=self._unwanted() or self._unsent(Phase.CONTENT) if content else None,
            envelope=self._unsent(Phase.MAIL) if opening else None,
            closed=True,
        )

    async def _write(self, content: Envelope | None, opening: bytes) -> Turn:
        wire, mode = self._wire, self._trust.mode if self._extensions.pipelining else Pipelining.OFF
        said: Outcome | None = None
        heard: list[tuple[Step, Answer]] = []
        for data, group, behind in self._groups(content, opening, mode):
            answers = await wire.exchange(data, group, behind=behind)
            heard += zip(group.steps, answers, strict=False)
            if group.steps[0] is Step.CONTENT:
                said = self._of_content(answers)
                del heard[:1]  # content comes first, if at all
            if wire.end or (heard and heard[-1][1][0] >= REFUSED):
                break
        refused = [each for each in heard if each[1][0] >= REFUSED]
        envelope = await self._of_envelope(heard, refused, mode) if opening and (refused or wire.end) else None
        is_open = bool(opening) and envelope is None
        return Turn(content=said, envelope=envelope, is_open=is_open, closed=bool(wire.end))

    def _groups(self, content: Envelope | None, opening: bytes, mode: Pipelining) -> list[tuple[bytes, Group, int]]:
        """Return what is written at once: octets, what they ask, and how many of them stand behind a final dot."""
        if content and opening and mode is Pipelining.FULL:
            return [(b"".join((*content.pieces, b".\r\n", opening)), BOTH, len(opening))]
        groups = [(content.data + b".\r\n", ALONE[Step.CONTENT], 0)] if content else []
        if not opening:
            return groups
        group = ENVELOPE
        if self._owes_reset:
            opening, group, self._owes_reset = b"RSET\r\n" + opening, AFTER_REFUSAL, False
        if mode is not Pipelining.OFF:
            return [*groups, (opening, group, 0)]
        commands = zip(opening.splitlines(keepends=True), group.steps, strict=True)
        return [*groups, *((command, ALONE[step], 0) for command, step in commands)]

    def _of_content(self, answers: Sequence[Answer]) -> Outcome:
        """Say what became of the content, whose final dot has been handed to the transport."""
        wire = self._wire
        if answers and not wire.out_of_step:
            outcome = classify(Phase.CONTENT, reply(*answers[0]))
            if outcome.closes:
                wire.cut("the relay takes no more")
            return outcome
        if wire.unsent:
            return self._unsent(Phase.CONTENT)
        note = f"{wire.end}; the relay may have taken the message all the same"
        return Outcome(verdict=Verdict.UNCERTAIN, phase=Phase.CONTENT, fault=Fault.RELAY, note=note, closes=True)

    async def _of_envelope(self, heard: Heard, refused: Heard, mode: Pipelining) -> Outcome:
        """Say why the relay did not take an envelope, and leave the connection fit for the next."""
        wire = self._wire
        if not refused or wire.out_of_step:
            answered = {step for step, _ in heard}
            return self._unwanted() or self._unsent(
                next((PHASES[step] for step in ENVELOPE.steps if step not in answered), Phase.DATA)
            )
        step, answer = refused[0]
        if answer[0] == OUT_OF_ORDER and mode is not Pipelining.OFF:
            self._trust.lost_step(f"{OUT_OF_ORDER} to {step.value}")
            wire.cut("the relay does not take its own pipelining")
            return self._unsent(PHASES[step])
        outcome = classify(PHASES[step], reply(*answer))
        if not wire.end:
            await self._recover(heard, outcome, mode)
        return outcome._replace(closes=True) if wire.end else outcome

    async def _recover(self, heard: Heard, outcome: Outcome, mode: Pipelining) -> None:
        """End the transaction that a refusal has left open, or the connection where it cannot be ended safely."""
        wire = self._wire
        said = {step: answer[0] for step, answer in heard}
        is_open = said.get(Step.DATA, REFUSED) < REFUSED
        if outcome.closes or (is_open and said[Step.RCPT] < REFUSED):  # a dot would deliver an empty message
            wire.cut("refused")
        elif is_open:
            await wire.exchange(b".\r\n", ALONE[Step.DOT])  # whatever the answer, there is nobody to deliver it to
        elif mode is not Pipelining.OFF:
            self._owes_reset = True
        else:
            answers = await wire.exchange(b"RSET\r\n", ALONE[Step.RSET])
            if answers and answers[0][0] >= REFUSED:
                wire.cut("RSET refused")

    def _unwanted(self) -> Outcome | None:
        """Say why the relay does not want the content that it has just asked for, where it said so unasked."""
        farewell = self._wire.farewell
        if farewell is None or farewell[0] == SHUTTING_DOWN:
            return None
        return classify(Phase.CONTENT, reply(*farewell))._replace(closes=True)

    def _unsent(self, phase: Phase) -> Outcome:
        """What is certainly not sent since the connection has ended."""
        farewell = None if self._unwanted() else self._wire.farewell
        return Outcome(
            verdict=Verdict.NOT_SENT,
            phase=phase,
            fault=Fault.RELAY,
            reply=reply(*farewell) if farewell else None,
            note="" if farewell else self._wire.end,
            closes=True,
        )
