"""
The composer: a claimed delivery becomes a message in its envelope.

Takes claims, reads what is known of their people and the artifacts they get, yields envelopes. An artifact is read once
and kept; per person there is nothing but the splicing of slot values. The same delivery gives the same bytes at every
attempt: Message-ID, Date and tokens are derived, never made up.
"""

import base64
import hmac
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from newsletter.compilation import store as artifacts
from newsletter.compilation.artifact import Artifact
from newsletter.compilation.message import Values, render
from newsletter.database import Sessions
from newsletter.dispatch.dkim import Signer, signer_for
from newsletter.dispatch.ledger import Claim
from newsletter.dispatch.relay import Envelope
from newsletter.links import Links
from subscribers.address import parse_address
from subscribers.store import SlotValues, slot_values
from subscribers.tokens import Keys, sign

KEPT: Final = 32
"""Artifacts held in memory: an issue in sixteen languages, twice."""

UNSUBSCRIBE: Final = "unsubscribe"
"""Purpose of the token that leaves a newsletter; its payload is `UID/MAILING`."""

PREFERENCES: Final = "preferences"
"""Purpose of the token that opens the page of one's own; its payload is `UID`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """
    What makes messages ours: the keys, the public addresses, the domain that bounces come back to (or None).

    `signers` sign what comes from their domains; without any, nothing is signed.
    """

    keys: Keys
    links: Links
    bounce_domain: str | None
    signers: tuple[Signer, ...] = ()


class MessageComposer:
    """Composes for one dispatcher; see `dispatcher.Composer`."""

    def __init__(self, sessions: Sessions, sealing: Sealing) -> None:
        self._sessions = sessions
        self._sealing = sealing
        self._artifacts: OrderedDict[str, Artifact] = OrderedDict()

    def __call__(self, claims: Sequence[Claim]) -> list[tuple[Claim, Envelope]]:
        """Return each claim with its message; those whose person has been erased are left out."""
        ids = [claim.subscriber_id for claim in claims if claim.subscriber_id is not None]
        with self._sessions() as session:
            people = slot_values(session, ids)
            missing = {claim.artifact for claim in claims} - set(self._artifacts)
            self._artifacts.update(artifacts.get_many(session, sorted(missing)))
            session.rollback()
        composed = []
        for claim in claims:
            person = _person(claim, people)
            if person is not None:
                composed.append((claim, envelope_for(claim, person, self._artifacts[claim.artifact], self._sealing)))
        while len(self._artifacts) > KEPT:
            self._artifacts.popitem(last=False)
        return composed


def envelope_for(claim: Claim, person: SlotValues, artifact: Artifact, sealing: Sealing) -> Envelope:
    """
    Splice one message, sign it and put it into its envelope.

    Raises ConfigurationFault where there are signers but none for the sender's domain: nothing goes out half proven.
    """
    address = parse_address(person.address)
    name = _name_of(claim, sealing.keys)
    domain = parse_address(artifact.sender_address).ascii_form.rpartition("@")[2]
    who = person.uid or "test"
    values = Values(
        address=address.ascii_form,
        name=" ".join(filter(None, (person.first_name, person.last_name))),
        message_id=f"{name}@{domain}",
        date=claim.dated,
        unsubscribe_url=sealing.links.unsubscribe(sign(sealing.keys, UNSUBSCRIBE, f"{who}/{claim.mailing}")),
        preferences_url=sealing.links.preferences(sign(sealing.keys, PREFERENCES, who)),
        slots={
            "first_name": person.first_name,
            "last_name": person.last_name,
            "organisation": person.organisation,
            "city": person.city,
            "country": person.country,
        },
    )
    data = render(artifact.message, values)
    signer = signer_for(sealing.signers, domain)
    sender = f"b+{name}@{sealing.bounce_domain}" if sealing.bounce_domain else artifact.sender_address
    return Envelope(
        sender=sender,
        recipient=address.ascii_form,
        needs_smtputf8=address.needs_smtputf8,
        name=name,
        data=signer.sign(data) + data if signer else data,
    )


def _person(claim: Claim, people: Mapping[int, SlotValues]) -> SlotValues | None:
    if claim.subscriber_id is not None:
        return people.get(claim.subscriber_id)
    if claim.address:
        return SlotValues(
            address=claim.address, first_name="", last_name="", organisation="", city="", country="", uid=""
        )
    return None


def _name_of(claim: Claim, keys: Keys) -> str:
    """
    The delivery's own name: 26 small letters and digits that nobody can guess, the same at every attempt.

    It is the left side of the Message-ID (RFC 5322 §3.6.4) and the key of the return path, whose local part has to stay
    under 64 octets and is read without regard to case (RFC 5321 §4.5.3.1.1), so base32.
    """
    code = hmac.digest(keys.suppression, f"delivery/{claim.mailing}/{claim.digest}".encode(), "sha256")
    return base64.b32encode(code[:16]).decode().rstrip("=").lower()
