"""
What the desk calls how people stand, what happened to them and what is known about them: messages of `desk-people.po`.

Takes nothing; yields English words by the values of the stages below. Templates hand them to `say`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from newsletter.pipeline.parts import COMMAND_LINE, DESK
from newsletter.planning.models import DeliveryState
from subscribers.models import ConsentAction, MembershipState, SuppressionReason

STANDINGS: Final[Mapping[MembershipState, str]] = {
    MembershipState.CONFIRMED: "Member",
    MembershipState.PENDING: "Not confirmed yet",
    MembershipState.LEFT: "Has left",
    MembershipState.REMOVED: "Taken off",
}
"""How somebody stands to a list."""

TONES: Final[Mapping[MembershipState, str]] = {
    MembershipState.CONFIRMED: "ok",
    MembershipState.PENDING: "warn",
    MembershipState.LEFT: "quiet",
    MembershipState.REMOVED: "quiet",
}
"""The tone of the pill that says it."""

ACTIONS: Final[Mapping[ConsentAction, str]] = {
    ConsentAction.SUBSCRIBED: "Asked to receive {what}",
    ConsentAction.CONFIRMED: "Confirmed {what} by the link in a mail",
    ConsentAction.IMPORTED: "Was put on {what} by an operator",
    ConsentAction.LEFT: "Left {what}",
    ConsentAction.LEFT_NEWSLETTER: "Left the newsletter {what}",
    ConsentAction.RESUBSCRIBED: "Came back to {what}",
    ConsentAction.REMOVED: "Was taken off {what} by an operator",
}
"""Lines of the consent log."""

SOURCES: Final[Mapping[str, str]] = {
    COMMAND_LINE: "by the command line",
    DESK: "at the desk",
    "import": "from a file",
    "sync": "from a file that the list is to be like",
    "confirmation": "by a confirmation mail",
    "invitation": "by an invitation",
    "form": "by a form",
}
"""How a line of the consent log came; others are shown as they are."""

BARS: Final[Mapping[SuppressionReason, str]] = {
    SuppressionReason.UNSUBSCRIBED: "wants nothing more from here",
    SuppressionReason.ERASED: "had everything erased",
    SuppressionReason.HARD_BOUNCE: "the mailbox does not exist",
    SuppressionReason.COMPLAINT: "reported a message as spam",
    SuppressionReason.MANUAL: "decided by an operator",
}
"""Why an address must not be written to."""

DELIVERIES: Final[Mapping[DeliveryState, tuple[str, str]]] = {
    DeliveryState.PLANNED: ("Planned", "quiet"),
    DeliveryState.CLAIMED: ("About to be sent", "quiet"),
    DeliveryState.SENDING: ("On its way", ""),
    DeliveryState.ACCEPTED: ("Accepted by the mail server", "ok"),
    DeliveryState.DEFERRED: ("Put off, will be tried again", "warn"),
    DeliveryState.REFUSED: ("Refused by the mail server", "err"),
    DeliveryState.UNCERTAIN: ("Uncertain: no answer came", "warn"),
    DeliveryState.SUPPRESSED: ("Not sent: had left, or is suppressed", "quiet"),
    DeliveryState.CANCELLED: ("Not sent: the run was cancelled", "quiet"),
    DeliveryState.EXPIRED: ("Not sent: put off for too long", "err"),
}
"""How a message to somebody stands, and the tone of the pill that says it."""

MAILINGS: Final[Mapping[str, str]] = {
    "confirm": "Confirmation mail",
    "notice": "Notice",
    "test": "Test message",
}
"""Single messages, by what their mailing begins with."""

FIELDS: Final[Mapping[str, str]] = {
    "first_name": "First name",
    "last_name": "Last name",
    "organisation": "Organisation",
    "city": "City",
    "country": "Country",
    "language": "Language",
    "timezone": "Time zone",
}
"""Fields of a person, in the order of the page."""

HINTS: Final[Mapping[str, str]] = {
    "country": "Two letters, like BE",
    "language": "A tag like fr or fr-BE",
    "timezone": "Like Europe/Brussels",
}
"""What stands under their labels."""


def pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    """Names as options of a choice, each called what it is."""
    return [(name, name) for name in names]
