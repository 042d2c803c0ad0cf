"""
Replies of a relay, read as they come: RFC 5321 §4.2, in whatever pieces the network delivers them.

Takes bytes, yields answers (code and text), in order. A relay is a stranger: what it says is bounded in line, length
and number of lines, and what is no reply is a fault that the reader keeps, never an exception. Pure.
"""

from typing import Final, TypeAlias

Answer: TypeAlias = tuple[int, bytes]
"""A reply as it came: its code, and its text without codes and line ends; several lines are joined by a line feed."""

REFUSED: Final = 400
"""From this code on a reply says no (RFC 5321 §4.2.1)."""

GO_ON: Final = 354
"""The reply that asks for content (RFC 5321 §4.2.3)."""

LONGEST_LINE: Final = 4_096
"""Octets of one line; RFC 5321 §4.5.3.1.5 asks for 512, relays that explain themselves use more."""

LONGEST_REPLY: Final = 65_536
"""Octets of one reply: an answer without end must not fill the memory."""

MOST_LINES: Final = 128
"""Lines of one reply, likewise."""

_CODES: Final = {str(code).encode(): code for code in range(200, 600)}
"""1yz is not used in SMTP (RFC 5321 §4.2.1)."""

_LAST: Final = (b" ", b"\r", b"")
"""What follows the code on a reply's last line; a bare code is legal (RFC 5321 §4.2)."""


class ReplyReader:
    """Reads one connection's replies; after a `fault` it reads no more."""

    __slots__ = ("_code", "_lines", "_octets", "_rest", "fault")

    def __init__(self) -> None:
        self.fault = ""
        """What was no reply, in words for a log; empty while everything was one."""
        self._rest = b""
        self._lines: list[bytes] = []
        self._code = 0
        self._octets = 0

    @property
    def midway(self) -> bool:
        """Whether a reply has begun and not ended."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> list[Answer]:
        """Return the replies that `data` completes; those before a fault are among them."""
        answers: list[Answer] = []
        if self.fault:
            return answers
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            code = _CODES.get(line[:3])
            if code is None or len(line) > LONGEST_LINE or b"\0" in line:
                self.fault = "an endless line" if len(line) > LONGEST_LINE else "a line that is no reply"
                return answers
            if line[3:4] in _LAST and not self._lines:
                answers.append((code, line[4:].rstrip()))
            elif not self._goes_on(code, line):
                return answers
            elif line[3:4] != b"-":
                answers.append((code, b"\n".join(self._lines)))
                self._lines, self._octets = [], 0
        if len(self._rest) > LONGEST_LINE:
            self.fault = "an endless line"
        return answers

    def _goes_on(self, code: int, line: bytes) -> bool:
        """Take one line of a reply of several; False where it is none."""
        if line[3:4] not in {b"-", *_LAST}:
            self.fault = "a line that is no reply"
        elif self._lines and code // 100 != self._code // 100:
            # RFC 5321 §4.2.1: the same on every line. Relays differ in the last digits, that changes nothing.
            self.fault = "a reply with two codes"
        self._code = code
        self._lines.append(line[4:].rstrip())
        self._octets += len(line) + 1
        if len(self._lines) > MOST_LINES or self._octets > LONGEST_REPLY:
            self.fault = "an endless reply"
        return not self.fault
