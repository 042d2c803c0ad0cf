"""
Trials: editions sent as they are now to people of the officer's own, before anybody is written to.

Takes addresses and editions, yields the mailings that a dispatcher sends beside any run, and how each of them stands.
The addresses are kept only until their messages have ended; the audit log says how many there were.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.database import reading
from newsletter.dispatch.ledger import attempts_of
from newsletter.errors import InvalidInput
from newsletter.pipeline.mailings import UNSENT
from newsletter.pipeline.parts import Parts
from newsletter.pipeline.previewing import Previewing
from newsletter.pipeline.proof import Proof
from newsletter.planning.models import DeliveryState
from newsletter.planning.store import find_delivery
from subscribers.address import parse_address

MOST_ADDRESSES: Final = 10
"""Of one trial: it goes to colleagues, not to readers."""

_BETWEEN: Final = re.compile(r"[\s,;]+")
_STAMP: Final = re.compile(r"\d{8}T\d{12}(-\d{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How one test message stands; `said` is what the relay answered last, "" where it has not."""

    stamp: str
    language: str
    state: DeliveryState
    said: str

    @property
    def is_open(self) -> bool:
        """Whether it may still go out."""
        return self.state in (*UNSENT, DeliveryState.SENDING)


class Trials:
    """The verbs of test messages."""

    def __init__(self, parts: Parts, *, previewing: Previewing, proof: Proof) -> None:
        self._parts = parts
        self._previewing = previewing
        self._proof = proof

    def send(self, slug: str, *, newsletter: str, to: str, editions: Sequence[str] = ()) -> tuple[str, ...]:
        """
        Send editions, all of them where none is named, to addresses; returns a stamp for each message.

        `to` has addresses between commas, semicolons or blanks. Raises InvalidAddress for one that is none,
        InvalidInput for no or too many of them, NotFound for an edition that there is not.
        """
        addresses = [parse_address(each).text for each in dict.fromkeys(filter(None, _BETWEEN.split(to)))]
        if not addresses or len(addresses) > MOST_ADDRESSES:
            raise InvalidInput(f"name one to {MOST_ADDRESSES} addresses")
        look = self._previewing.look(slug, newsletter=newsletter)
        chosen = [look.artifact(name) for name in editions] or list(look.built.artifacts)
        mailings = [
            self._proof.test(slug, to=address, artifact=artifact, number=number)
            for number, (artifact, address) in enumerate(product(chosen, addresses))
        ]
        names = ", ".join(artifact.name for artifact in chosen)
        with self._parts.sessions() as session:
            note_deed(
                session,
                Deed.TEST_SENT,
                operator=self._parts.operator,
                at=self._parts.now(),
                about=f"issue {slug}: {names} ({len(mailings)})",
            )
            session.commit()
        return tuple(mailing.rpartition("/")[2] for mailing in mailings)

    def standing(self, slug: str, *, newsletter: str, stamps: Iterable[str]) -> tuple[Trial, ...]:
        """How test messages of an issue stand, by their stamps; what is no stamp, or is forgotten, is left out."""
        found = []
        for stamp in dict.fromkeys(stamps):
            trial = self._trial(f"test:{newsletter}/{slug}/{stamp}", stamp) if _STAMP.fullmatch(stamp) else None
            found += [trial] if trial else []
        return tuple(found)

    def _trial(self, mailing: str, stamp: str) -> Trial | None:
        with reading(self._parts.engine) as session:
            delivery = find_delivery(session, mailing)
            if delivery is None:
                return None
            attempts = attempts_of(session, delivery.id or 0)
            said = attempts[-1].text if attempts else ""
            return Trial(stamp=stamp, language=delivery.language, state=delivery.state, said=said)
