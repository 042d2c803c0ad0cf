"""
Recognises the exports of other programs by their headings.

Takes headings and the name of a file; yields what its columns are and how its people stand there; promises that
somebody who left there, whose mailbox was gone or who never asked is never taken for a member. What is in doubt
counts against mail. Headings are those that the programs write: Mailchimp's audience export (one file each for
subscribed, unsubscribed, non-subscribed and cleaned), listmonk's `subscribers.csv`, Mautic's contact export and its
report with the do-not-contact reason, Zoho Campaigns' contact export; and our own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from subscribers.models import SuppressionReason
from subscribers.store import FIELDS, identifier

ADDRESS, TAGS = "email", "tags"

STANDING = "standing-there"
"""The target of a column that says how the person stands where the file comes from; like the two below no attribute."""

NAME = "full-name"
"""The target of a column that holds first and last name together."""

ATTRIBUTES = "attributes-json"
"""The target of a column that holds attributes as JSON."""

LEFT_OUT = "-"
"""What a column is mapped to when it is not to be imported."""


def words_of(text: str) -> frozenset[str]:
    """Return the headings of a text, divided by spaces."""
    return frozenset(text.split())


class Elsewhere(StrEnum):
    """How somebody stands where a file comes from, from what speaks least against mail to what speaks most."""

    #: Receives what is sent there.
    MEMBER = "member"
    #: Is known there, and has never asked for anything or not confirmed it.
    NEVER_ASKED = "never-asked"
    #: Has left that list.
    LEFT = "left"
    #: Wants nothing more from anybody there.
    UNSUBSCRIBED = "unsubscribed"
    #: Their mailbox does not exist.
    BOUNCED = "bounced"
    #: Reported a message as spam.
    COMPLAINED = "complained"
    #: An operator there decided never to write to them.
    BLOCKED = "blocked"


_GRAVITY = {standing: weight for weight, standing in enumerate(Elsewhere)}


def gravest(standings: Iterable[Elsewhere]) -> Elsewhere:
    """Return the one that speaks most against mail; a member where there are none."""
    return max(standings, key=_GRAVITY.__getitem__, default=Elsewhere.MEMBER)


BARRING = {
    Elsewhere.UNSUBSCRIBED: SuppressionReason.UNSUBSCRIBED,
    Elsewhere.BOUNCED: SuppressionReason.HARD_BOUNCE,
    Elsewhere.COMPLAINED: SuppressionReason.COMPLAINT,
    Elsewhere.BLOCKED: SuppressionReason.MANUAL,
}
"""Ways to stand elsewhere that mean an address must not be written to here either."""

_SAID = {
    Elsewhere.MEMBER: "active subscribed subscribe member enabled confirmed marketing marketing_contact "
    "marketing_contacts soft_bounce soft_bounced",
    Elsewhere.LEFT: "unsubscribed unsubscribe unsub left opt_out optout opted_out removed deleted archived inactive",
    Elsewhere.BOUNCED: "bounced bounce hard_bounce hard_bounced hardbounce cleaned invalid undeliverable",
    Elsewhere.COMPLAINED: "complained complaint spam spam_complaint marked_as_spam abuse",
    Elsewhere.BLOCKED: "blocked blocklisted blacklisted blocklist blacklist do_not_mail donotmail do_not_contact",
    Elsewhere.NEVER_ASKED: "disabled non_subscribed nonsubscribed never_subscribed unconfirmed pending transactional "
    "non_marketing non_marketing_contact non_marketing_contacts yet_to_confirm",
}
_MEANINGS = {word: standing for standing, words in _SAID.items() for word in words.split()}


def said(text: str) -> Elsewhere:
    """Return how somebody stands by the word for it; empty is a member, and a word that nobody knows is not."""
    word = identifier(text)
    return _MEANINGS.get(word, Elsewhere.NEVER_ASKED if text.strip() else Elsewhere.MEMBER)


def forbidden(text: str) -> Elsewhere:
    """Return how somebody stands by Mautic's do-not-contact reason: a word, its number, or yes.

    0 is none, 1 unsubscribed (there from everything), 2 bounced, 3 by hand.
    """
    word = identifier(text).lstrip("_")
    if word in {"", "0", "no", "false", "contactable", "is_contactable"}:
        return Elsewhere.MEMBER
    if word in {"1", "yes", "true", "unsubscribed"}:
        return Elsewhere.UNSUBSCRIBED
    return Elsewhere.BOUNCED if word in {"2", "bounced"} else Elsewhere.BLOCKED


ReadStanding = Callable[[str], Elsewhere]
"""Reads a cell that says how somebody stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What is known about the files of a program.

    Attributes:
        name: the program, as its makers write it.
        targets: target by heading, as `identifier` makes it; `-` where a column says nothing about the person.
        standings: what reads how somebody stands, by heading; several may, and the worst counts.
        everybody: how all people of this very file stand, unless a cell says worse; None where only cells say it.
        comma_tags: tags are divided by commas, as a line of CSV.
        literal: headings that are not fields are attributes, named as they stand.
        lenient: what cannot be read as country, language or time zone is kept as an attribute.
        dates: headings of columns that say when somebody asked and confirmed, for the consent log.
        doubt: what the operator should know about this file; empty where nothing.
    """

    name: str
    targets: Mapping[str, str] = field(default_factory=dict)
    standings: Mapping[str, ReadStanding] = field(default_factory=dict)
    everybody: Elsewhere | None = None
    comma_tags: bool = False
    literal: bool = False
    lenient: bool = True
    dates: Mapping[str, str] = field(default_factory=dict)
    doubt: str = ""


UNKNOWN = Origin(name="", lenient=False)
"""A file of no program that is known."""

OURS = Origin(
    name="newsletter",
    targets={ADDRESS: ADDRESS, TAGS: TAGS, "lists": LEFT_OUT, "created": LEFT_OUT} | {name: name for name in FIELDS},
    literal=True,
    lenient=False,
)
"""An export of ours: everything in it is called what it is."""

OUR_HEADINGS = (ADDRESS, *FIELDS, TAGS, "lists", "created")
"""How our exports begin, see `privacy.export_columns`."""


def origin_of(headings: Sequence[str], *, file: str) -> Origin:
    """Return which program a file comes from.

    Args:
        headings: as they stand in it.
        file: its name, in which Mailchimp says how everybody in it stands.
    """
    if tuple(headings[: len(OUR_HEADINGS)]) == OUR_HEADINGS:
        return OURS
    names = frozenset(identifier(heading) for heading in headings)
    if "email_address" in names and len(names & _MAILCHIMP_SIGNS) > 1:
        return _mailchimp(names, file=file.rpartition("/")[2].lower())
    if names >= {"uuid", "email", "name", "attributes", "status"}:
        return _LISTMONK
    if names >= {"email", "firstname", "lastname"} and len(names & _MAUTIC_SIGNS) > 1:
        return _mautic(names)
    if "contact_email" in names and len(names & _ZOHO_SIGNS) > 1:
        return _zoho(names)
    return UNKNOWN


def _nothing(words: str) -> dict[str, str]:
    return dict.fromkeys(words.split(), LEFT_OUT)


_MAILCHIMP_SIGNS = frozenset({"member_rating", "optin_time", "confirm_time", "leid", "euid", "last_changed"})
_MAILCHIMP = {"email_address": ADDRESS, "cc": "country", "timezone": "timezone", "tags": TAGS} | _nothing(
    "member_rating optin_time optin_ip confirm_time confirm_ip latitude longitude gmtoff dstoff region last_changed "
    "leid euid notes unsub_time unsub_campaign_title unsub_campaign_id unsub_reason unsub_reason_other clean_time "
    "clean_campaign_title clean_campaign_id"
)
_MAILCHIMP_FILES = {
    "unsubscribed": Elsewhere.LEFT,
    "cleaned": Elsewhere.BOUNCED,
    "nonsubscribed": Elsewhere.NEVER_ASKED,
    "non-subscribed": Elsewhere.NEVER_ASKED,
}


def _mailchimp(names: frozenset[str], *, file: str) -> Origin:
    everybody = next((state for start, state in _MAILCHIMP_FILES.items() if file.startswith(start)), None)
    if everybody is None and not file.startswith("subscribed"):
        # A list that was imported there anew may carry such a column along; without the name that cannot be told.
        everybody = Elsewhere.BOUNCED if "clean_time" in names else Elsewhere.LEFT if "unsub_time" in names else None
    return Origin(
        name="Mailchimp",
        targets=_MAILCHIMP,
        standings={
            "unsub_time": lambda text: Elsewhere.LEFT if text.strip() else Elsewhere.MEMBER,
            "clean_time": lambda text: Elsewhere.BOUNCED if text.strip() else Elsewhere.MEMBER,
        },
        everybody=everybody,
        comma_tags=True,
        dates={"optin_time": "asked", "confirm_time": "confirmed"},
    )


_LISTMONK = Origin(
    name="listmonk",
    targets={"email": ADDRESS, "name": NAME, "attributes": ATTRIBUTES}
    | _nothing("uuid id status created_at updated_at"),
    standings={"status": said},
    dates={"created_at": "added"},
    doubt="listmonk does not export who left which list, only who is blocklisted; suppress the others beforehand",
)

_MAUTIC_SIGNS = words_of(
    "points stage last_active attribution attribution_date preferred_locale date_identified foursquare "
    "dnc dnc_reason do_not_contact do_not_contact_reason donotcontact donotemail address1 zipcode"
)
_MAUTIC_BARS = ("dnc", "dnc_reason", "do_not_contact", "do_not_contact_reason", "donotcontact", "donotemail")
_MAUTIC = {
    "email": ADDRESS,
    "firstname": "first_name",
    "lastname": "last_name",
    "company": "organisation",
    "preferred_locale": "language",
    "tags": TAGS,
} | _nothing(
    "id points stage last_active attribution attribution_date date_identified date_added date_modified owner owner_id "
    "dnc_comments dnc_date_added"
)


def _mautic(names: frozenset[str]) -> Origin:
    bars = [name for name in _MAUTIC_BARS if name in names]
    return Origin(
        name="Mautic",
        targets=_MAUTIC | dict.fromkeys(bars, LEFT_OUT),
        standings=dict.fromkeys(bars, forbidden),
        comma_tags=True,
        dates={"date_added": "added", "date_identified": "known"},
        doubt=""
        if bars
        else "Mautic does not export who must not be contacted; make a report there with the column DNC reason",
    )


_ZOHO_SIGNS = words_of(
    "first_name last_name company_name job_title contact_status subscription_type subscription_status status "
    "added_time contact_source added_source contact_source_type unsubscribed_time"
)
_ZOHO_STATES = ("contact_status", "subscription_type", "subscription_status", "email_status", "status")
_ZOHO = {"contact_email": ADDRESS, "company_name": "organisation", "tags": TAGS} | _nothing(
    "contact_key added_source contact_source contact_source_type last_activity_time score lead_score unsubscribed_time"
)


def _zoho(names: frozenset[str]) -> Origin:
    states = [name for name in _ZOHO_STATES if name in names]
    return Origin(
        name="Zoho Campaigns",
        targets=_ZOHO | dict.fromkeys([*states, "added_time"], LEFT_OUT),
        standings=dict.fromkeys(states, said),
        comma_tags=True,
        dates={"added_time": "added"},
        doubt=""
        if states
        else "this file does not say how people stand; if they left or bounced, say so with --people",
    )
