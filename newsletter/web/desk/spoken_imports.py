"""
What the desk calls the steps of an import, its columns, and why rows are not taken: messages of `desk-people.po`.

Takes nothing; yields English words by the values of the stages below. Templates hand them to `say`.
"""

from collections.abc import Mapping
from typing import Final

from subscribers.importing import Elsewhere, Reason
from subscribers.importing.origins import ADDRESS, ATTRIBUTES, LEFT_OUT, NAME, STANDING, TAGS
from subscribers.models import UploadState
from subscribers.store import FIELDS

STATES: Final[Mapping[UploadState, tuple[str, str]]] = {
    UploadState.STAGED: ("Columns to look at", ""),
    UploadState.CHECKING: ("Being counted", ""),
    UploadState.CHECKED: ("Ready to import", "warn"),
    UploadState.RUNNING: ("Being imported", ""),
    UploadState.FINISHED: ("Imported", "ok"),
    UploadState.STOPPED: ("Stopped midway", "warn"),
    UploadState.FAILED: ("Cannot be taken", "err"),
}
"""How a file stands, and the tone of the pill that says it."""

TARGETS: Final[Mapping[str, str]] = {
    LEFT_OUT: "Leave out",
    ADDRESS: "Address",
    NAME: "First and last name together",
    TAGS: "Tags",
    STANDING: "Standing where the file comes from",
    ATTRIBUTES: "Further facts as JSON",
}
"""What a column can be beside a field of a person, or a further fact."""

COUNTS: Final[Mapping[str, str]] = {
    "new": "New",
    "changed": "Changed",
    "unchanged": "Unchanged",
    "invalid": "Cannot be read",
    "suppressed": "Must not be written to",
    "refused": "Had left",
}
"""What becomes of rows."""

DELIMITERS: Final[Mapping[str, str]] = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright strokes"}
"""What stands between the fields of a file."""

PEOPLE: Final[Mapping[Elsewhere, str]] = {
    Elsewhere.NEVER_ASKED: "Known there, and never asked for anything",
    Elsewhere.LEFT: "Have left there",
    Elsewhere.UNSUBSCRIBED: "Want nothing more from there",
    Elsewhere.BOUNCED: "Their mailboxes do not exist",
    Elsewhere.COMPLAINED: "Reported a message as spam",
    Elsewhere.BLOCKED: "Were blocked there",
}
"""How everybody in a file may stand where it comes from."""

REASONS: Final[Mapping[Reason, str]] = {
    Reason.ADDRESS: "No address that mail can be sent to",
    Reason.LANGUAGE: "No such language",
    Reason.COUNTRY: "No such country",
    Reason.TIMEZONE: "No such time zone",
    Reason.TAGS: "A tag is too long",
    Reason.TEXT: "A text is too long, or has control characters",
    Reason.WIDTH: "More fields than headings, or fewer",
    Reason.REPEATED: "A later row has the same address",
    Reason.LEFT: "Left this list: only their own consent brings them back",
    Reason.LEFT_ELSEWHERE: "Left where the file comes from",
    Reason.NEVER_ASKED: "Never asked for anything where the file comes from",
    Reason.UNSUBSCRIBED: "Wants nothing more from here",
    Reason.ERASED: "Had everything erased",
    Reason.HARD_BOUNCE: "The mailbox does not exist",
    Reason.COMPLAINT: "Reported a message as spam",
    Reason.MANUAL: "Barred by an operator",
}
"""Why rows are not taken, or not as they stand."""


def is_attribute(target: str) -> bool:
    """Tell whether a column becomes a further fact."""
    return target not in TARGETS and target not in FIELDS
