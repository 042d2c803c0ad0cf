"""
What the fault relay does besides what a good relay does: acts, and who decides when they are done.

An act is chosen for each step of each connection: by the first rule of the script that fits, else by the recipient's
local part, in the manner of a provider's mailbox simulator. The words of a local part are parted by `+`; what follows
them is free, so that recipients can be told apart.

| local part | what happens |
| --- | --- |
| `accept+7` (or anything unknown) | taken |
| `refuse+STEP-CODE+7` | CODE at STEP, always |
| `defer+STEP-CODE+7` | CODE at STEP the first time, then taken |
| `greylist+7` | 450 at RCPT the first time that this sender writes to this recipient, then taken |
| `drop+STEP+7` | the connection is reset in place of the reply at STEP the first time, then taken |
| `drop-after-dot+7` | taken; the connection is closed in place of the reply the first time |
| `mute+STEP+7` | no reply at STEP the first time, the connection stays |
| `slow+STEP-SECONDS+7` | the reply at STEP comes late, always |
| `slice+STEP+7` | the reply at STEP comes byte by byte, always |

STEP is `rcpt`, `data`, `content` or `dot`: before RCPT nobody knows for whom a message is.
"""

import dataclasses
import random
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum


class Step(StrEnum):
    """Where in a connection the relay is."""

    #: Before the greeting.
    CONNECT = "connect"
    #: EHLO or HELO has come.
    EHLO = "ehlo"
    #: STARTTLS has come.
    STARTTLS = "starttls"
    #: AUTH and what belongs to it has come.
    AUTH = "auth"
    #: MAIL has come.
    MAIL = "mail"
    #: RCPT has come.
    RCPT = "rcpt"
    #: DATA has come.
    DATA = "data"
    #: 354 is said, and `Act.after` bytes of the content have come.
    CONTENT = "content"
    #: The final dot has come.
    DOT = "dot"
    #: RSET has come.
    RSET = "rset"
    #: QUIT has come.
    QUIT = "quit"


class Drop(StrEnum):
    """How a connection ends."""

    #: Closed in good order.
    FIN = "fin"
    #: Reset: what was written may be lost.
    RST = "rst"


class Way(StrEnum):
    """How a reply is said."""

    #: Once, at once.
    PLAIN = "plain"
    #: Not at all, and the connection goes on.
    OMIT = "omit"
    #: Two times.
    TWICE = "twice"
    #: Together with the next one, before it.
    MERGE = "merge"
    #: After the next one.
    SWAP = "swap"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Act:
    """What is done at a step; the default is what a good relay does."""

    #: Said in place of the usual reply; a message whose dot is answered so is taken only with a 2xx.
    reply: str | None = None
    #: Seconds before the reply.
    delay: float = 0.0
    #: Ends the connection in place of the reply.
    drop: Drop | None = None
    #: Closes the connection behind the reply.
    hangs_up: bool = False
    #: Says nothing and keeps the connection.
    mute: bool = False
    #: At the dot: the message is taken, whatever is said or not said about it.
    taken: bool = False
    #: Seconds between the bytes of the reply.
    slices: float | None = None
    #: Bytes of continuation lines before the reply; -1: without end.
    flood: int = 0
    #: Written before the reply, as it is (Latin-1).
    before: str = ""
    #: Written after the reply, in the same write (Latin-1).
    after_it: str = ""
    #: How the reply is said.
    way: Way = Way.PLAIN
    #: Stops reading from here on, for `delay` seconds or for ever.
    stalls: bool = False
    #: At `content`: how many bytes are read first.
    after: int = 1


@dataclasses.dataclass(kw_only=True)
class Rule:
    """An act for a step: on one connection or all, at the nth time there, with some odds, at most `limit` times."""

    step: Step
    act: Act
    connection: int | None = None
    nth: int | None = None
    odds: float = 1.0
    limit: int | None = None
    recipient: str | None = None


class Script:
    """Chooses acts; its memory is the relay's, so that a repeated attempt is known as such."""

    def __init__(self, rules: Iterable[Rule] = (), *, seed: int = 0) -> None:
        self.rules = list(rules)
        self.chance = random.Random(seed)
        self.done: Counter[int] = Counter()
        self._seen: Counter[tuple[Step, str, str]] = Counter()

    def act(self, step: Step, *, connection: int, nth: int, recipient: str = "", sender: str = "") -> Act:
        """The act for the `nth` such step of a connection (from 1); what is the first time, sender and recipient say."""
        for number, rule in enumerate(self.rules):
            fits = (
                rule.step is step
                and rule.connection in {None, connection}
                and rule.nth in {None, nth}
                and (rule.limit is None or self.done[number] < rule.limit)
                and (rule.recipient is None or rule.recipient in recipient)
                and (rule.odds >= 1 or self.chance.random() < rule.odds)
            )
            if fits:
                self.done[number] += 1
                return rule.act
        self._seen[step, sender, recipient] += 1
        return told_by(recipient, step, is_first=self._seen[step, sender, recipient] == 1)


def told_by(recipient: str, step: Step, *, is_first: bool) -> Act:
    """The act that a recipient's local part asks for at a step."""
    verb, _, rest = recipient.partition("@")[0].lower().partition("+")
    if verb == "drop-after-dot":
        return Act(drop=Drop.FIN, taken=True) if step is Step.DOT and is_first else Act()
    if verb == "greylist":
        return Act(reply="450 4.2.0 Greylisted, come back later") if step is Step.RCPT and is_first else Act()
    where, _, value = rest.partition("+")[0].partition("-")
    if where != step or (verb in {"defer", "drop", "mute"} and not is_first):
        return Act()
    match verb:
        case "refuse" | "defer":
            return Act(reply=f"{value} {ENHANCED.get(value, '')}as the address asks")
        case "slow":
            return Act(delay=float(value))
    return VERBS.get(verb, Act())


VERBS = {"drop": Act(drop=Drop.RST), "mute": Act(mute=True), "slice": Act(slices=0.001)}
"""What the verbs mean that take no value."""

ENHANCED = {
    "421": "4.3.2 ",
    "450": "4.2.0 ",
    "451": "4.3.0 ",
    "452": "4.2.2 ",
    "550": "5.1.1 ",
    "551": "5.1.6 ",
    "552": "5.2.2 ",
    "553": "5.1.3 ",
    "554": "5.7.1 ",
}
"""The enhanced codes that go with the codes of local parts."""


def rules_from(plain: Iterable[dict[str, object]]) -> list[Rule]:
    """Read rules as they stand in JSON."""
    made = []
    for row in plain:
        act = dict(row["act"])
        act.update({name: kind(act[name]) for name, kind in (("drop", Drop), ("way", Way)) if act.get(name)})
        made.append(Rule(**{**row, "step": Step(row["step"]), "act": Act(**act)}))
    return made


def rules_to(rules: Iterable[Rule]) -> list[dict[str, object]]:
    """Write rules as they stand in JSON."""
    return [dataclasses.asdict(rule) for rule in rules]
