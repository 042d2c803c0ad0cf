"""
Why a row of a file is not taken, or not as it stands.

Takes nothing; yields kinds by which a report counts, and problems with their place; promises that no words repeat an
address.
"""

from enum import StrEnum
from typing import NamedTuple

from subscribers.models import SuppressionReason


class Reason(StrEnum):
    """What kind of thing is the matter with a row."""

    #: No address, or none that mail can be sent to.
    ADDRESS = "address"
    #: A language that does not exist.
    LANGUAGE = "language"
    #: A country that does not exist.
    COUNTRY = "country"
    #: A time zone that does not exist.
    TIMEZONE = "timezone"
    #: A tag that is too long.
    TAGS = "tags"
    #: Text that is too long or has control characters in it.
    TEXT = "text"
    #: More fields than headings, or fewer.
    WIDTH = "width"
    #: A later row has the same address.
    REPEATED = "repeated"
    #: The person left this list, and only their own consent brings them back.
    LEFT = "left"
    #: The person left where the file comes from.
    LEFT_ELSEWHERE = "left_elsewhere"
    #: The person is known where the file comes from, and has never asked for anything or not confirmed it.
    NEVER_ASKED = "never_asked"
    #: The person wants nothing more from anybody here.
    UNSUBSCRIBED = "unsubscribed"
    #: The person had everything about them erased.
    ERASED = "erased"
    #: The mailbox does not exist.
    HARD_BOUNCE = "hard_bounce"
    #: The person reported a message as spam.
    COMPLAINT = "complaint"
    #: An operator decided so.
    MANUAL = "manual"


class Problem(NamedTuple):
    """Why a row was not taken, or not as it stands."""

    #: Line of the file, from 1; of a spreadsheet, the row.
    line: int
    #: Heading of the column; empty where the whole row is meant.
    column: str
    #: In words, never with the address.
    words: str
    #: By which it is counted.
    reason: Reason


BY_TARGET = {
    "email": Reason.ADDRESS,
    "language": Reason.LANGUAGE,
    "country": Reason.COUNTRY,
    "timezone": Reason.TIMEZONE,
    "tags": Reason.TAGS,
}
"""What is the matter where the column of this target cannot be read; anywhere else it is the text."""

BY_SUPPRESSION = {reason: Reason(reason.value) for reason in SuppressionReason}
"""Why a suppressed address is not taken."""

WORDS = {
    Reason.LEFT: "this person has left and would be subscribed again",
    Reason.LEFT_ELSEWHERE: "this person has left where the file comes from",
    Reason.NEVER_ASKED: "this person has not asked for anything where the file comes from",
    Reason.UNSUBSCRIBED: "this person has left everything and would be subscribed again",
    Reason.ERASED: "this address must not be written to: the person had everything erased",
    Reason.HARD_BOUNCE: "this address must not be written to: the mailbox does not exist",
    Reason.COMPLAINT: "this address must not be written to: the person reported a message as spam",
    Reason.MANUAL: "this address must not be written to: an operator decided so",
}
"""What a report says where a decision is the reason."""
