"""
The composer: a claimed delivery becomes a message in its envelope.

Takes claims, reads what is known of their people and the artifacts they get, yields drafts; takes a draft, yields its
envelope. An artifact is read and made ready once; per person there is nothing but three keyed digests and the splicing
of slot values. The same delivery gives the same bytes at every attempt: Message-ID, Date and tokens are derived, never
made up. What signs is imported only where something is signed.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from newsletter.compilation import store as artifacts
from newsletter.compilation.artifact import Artifact
from newsletter.compilation.message import Skeleton, Values, written
from newsletter.content.newsletter import Tracking
from newsletter.database import Sessions
from newsletter.dispatch.ledger import Claim
from newsletter.dispatch.marks import Marks
from newsletter.dispatch.names import Names, leaving_address, return_path
from newsletter.dispatch.outcome import Fault, Outcome, Phase, Verdict
from newsletter.dispatch.relay import Envelope
from newsletter.links import Links
from subscribers.address import parse_address
from subscribers.store import SlotValues, slot_values
from subscribers.tokens import Keys, signing

if TYPE_CHECKING:
    from newsletter.dispatch.dkim import Signer

KEPT: Final = 32
"""Artifacts held in memory: an issue in sixteen languages, twice."""

UNSUBSCRIBE: Final = "unsubscribe"
"""Purpose of the token that leaves a newsletter; its payload is `UID/MAILING`."""

PREFERENCES: Final = "preferences"
"""Purpose of the token that opens the page of one's own; its payload is `UID`."""

CONFIRM: Final = "confirm"
"""Purpose of the token that confirms what a letter asks about; its payload is the key of the letter's mailing."""

LETTERS: Final = ("confirm:", "notice:")
"""How the mailing of a letter begins; nobody unsubscribes from one, and it is addressed to nobody by name."""

NOBODY: Final = "test"
"""Stands for the public id where a message goes to somebody who is no subscriber."""


UNADDRESSED: Final = Outcome(
    verdict=Verdict.REFUSED,
    phase=Phase.MAIL,
    fault=Fault.RECIPIENT,
    note="5.6.7 the part before the @ is not ASCII: messages are written without such addresses (RFC 6532)",
)
"""Of a person whom no header can name; one of them must not keep the message from all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """
    What makes messages ours: the keys, the public addresses, the domain that bounces come back to (or None).

    `signers` sign what comes from their domains; without any, nothing is signed.
    """

    keys: Keys
    links: Links
    bounce_domain: str | None
    signers: "tuple[Signer, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """An artifact made ready: all that its messages have in common. `domain` is the sender's, as A-labels."""

    skeleton: Skeleton
    sender: str
    domain: str
    signer: "Signer | None"
    tracking: Tracking = Tracking.OFF


class Draft(NamedTuple):
    """A message before it is written: the claim, what is known of its person, the form it takes."""

    claim: Claim
    person: SlotValues
    form: Form


class MessageComposer:
    """Composes for one dispatcher; see `supply.Composer`."""

    def __init__(self, sessions: Sessions, sealing: Sealing) -> None:
        self._sessions = sessions
        self._sealing = sealing
        self._forms: OrderedDict[str, Form] = OrderedDict()
        # What all messages share: a token needs no quoting, and a keyed digest goes on from where all begin alike.
        self._leave, self._leave_at = signing(sealing.keys, UNSUBSCRIBE), sealing.links.unsubscribe("")
        self._prefer, self._prefer_at = signing(sealing.keys, PREFERENCES), sealing.links.preferences("")
        self._names = Names(sealing.keys)
        self._marks = Marks(sealing.keys)
        self._confirm, self._confirm_at = signing(sealing.keys, CONFIRM), sealing.links.confirmation("")

    @property
    def signs(self) -> bool:
        """Whether there are signers."""
        return bool(self._sealing.signers)

    def look_up(self, claims: Sequence[Claim]) -> list[Draft]:
        """
        Read the people and the artifacts of a batch; those whose person has been erased are left out.

        Raises ConfigurationFault where there are signers but none for a sender's domain: nothing goes out half proven.
        """
        ids = [claim.subscriber_id for claim in claims if claim.subscriber_id is not None]
        wanted = {claim.artifact for claim in claims}
        with self._sessions() as session:
            people = slot_values(session, ids)
            missing = sorted(wanted - set(self._forms))
            found = artifacts.get_many(session, missing) if missing else {}
            session.rollback()
        self._forms.update((digest, form_of(artifact, self._sealing)) for digest, artifact in found.items())
        forms = {digest: self._forms[digest] for digest in wanted}
        for digest in wanted:
            self._forms.move_to_end(digest)
        while len(self._forms) > KEPT:
            self._forms.popitem(last=False)
        drafts = ((claim, _person(claim, people), forms[claim.artifact]) for claim in claims)
        return [Draft(claim, person, form) for claim, person, form in drafts if person is not None]

    def objection(self, draft: Draft) -> Outcome | None:
        """Why no message can be written to this person, None where one can."""
        address = draft.person.address
        return None if address.isascii() or not parse_address(address).needs_smtputf8 else UNADDRESSED

    def compose(self, draft: Draft) -> Envelope:
        """Splice one message, sign it and put it into its envelope."""
        claim, person, form = draft
        recipient, needs_smtputf8 = _mailbox(person.address)
        name = self._names.of(claim.delivery_id, claim.mailing, claim.digest)
        who, domain = person.uid or NOBODY, self._sealing.bounce_domain
        click, open_ = self._marks.of(form.tracking, claim.artifact, reader=who, counted=_is_counted(claim, person))
        is_letter = claim.mailing.startswith(LETTERS)
        values = Values(
            address=recipient,
            name="" if is_letter else f"{person.first_name} {person.last_name}".strip(),
            message_id=f"{name}@{form.domain}",
            date=claim.dated,
            unsubscribe_url=self._leave_at + self._leave(f"{who}/{claim.mailing}"),
            unsubscribe_mailto=f"mailto:{leaving_address(name, domain)}" if domain and not is_letter else "",
            one_click=not is_letter,
            preferences_url=self._prefer_at + self._prefer(who),
            click=click,
            open=open_,
            confirmation_url=self._confirm_at + self._confirm(claim.mailing.rpartition("/")[2]) if is_letter else "",
            slots={
                "first_name": person.first_name,
                "last_name": person.last_name,
                "organisation": person.organisation,
                "city": person.city,
                "country": person.country,
            },
        )
        pieces = written(form.skeleton, values)
        return Envelope(
            sender=return_path(name, domain) if domain else form.sender,
            recipient=recipient,
            needs_smtputf8=needs_smtputf8,
            name=name,
            pieces=_signed(form.signer, pieces) if form.signer else pieces,
        )


def form_of(artifact: Artifact, sealing: Sealing) -> Form:
    """
    Make an artifact ready.

    Raises ConfigurationFault where there are signers but none for the sender's domain.
    """
    domain = parse_address(artifact.sender_address).domain
    return Form(
        skeleton=artifact.message,
        sender=artifact.sender_address,
        domain=domain,
        signer=_signer_for(sealing.signers, domain) if sealing.signers else None,
        tracking=artifact.tracking,
    )


def _signed(signer: "Signer", pieces: Sequence[bytes]) -> list[bytes]:
    data = b"".join(pieces)
    return [signer.sign(data), data]


def _is_counted(claim: Claim, person: SlotValues) -> bool:
    """Whether what becomes of a message is counted: that of an issue to a subscriber, no test."""
    return bool(person.uid) and claim.mailing.startswith("issue:")


def _signer_for(signers: "tuple[Signer, ...]", domain: str) -> "Signer | None":
    from newsletter.dispatch.dkim import signer_for

    return signer_for(signers, domain)


def _person(claim: Claim, people: Mapping[int, SlotValues]) -> SlotValues | None:
    if claim.subscriber_id is not None:
        return people.get(claim.subscriber_id)
    if claim.address:
        return SlotValues(
            address=claim.address, first_name="", last_name="", organisation="", city="", country="", uid=""
        )
    return None


def _mailbox(address: str) -> tuple[str, bool]:
    """An address as the envelope has it, and whether it needs SMTPUTF8; one in ASCII stands as it was once read."""
    if address.isascii():
        return address, False
    parsed = parse_address(address)
    return parsed.ascii_form, parsed.needs_smtputf8
