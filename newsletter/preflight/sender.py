"""
The sender: whether there is a key for its domain.

Takes the facts of an issue and the domains that sign, yields findings. Pure. Whether the sender's address fits its
newsletter is asked by `mime`, and what the DNS says of its domain by `domains`.
"""

from collections.abc import Collection, Iterator
from typing import Final

from newsletter.assembly.facts import IssueFacts
from newsletter.preflight.alignment import is_aligned
from newsletter.preflight.finding import Finding, Rule, Severity
from subscribers.address import parse_address

PLACE: Final = "sender"
"""Where findings about the sender stand."""

UNSIGNED: Final = Rule(
    code="sender-unsigned",
    severity=Severity.ERROR,
    message="The newsletter is sent from {domain}, for which there is no DKIM key, while others are signed: it would "
    "not go out.",
    hint="Ask whoever looks after the program for a key of this domain (docs/dkim.md), or change the sender.",
)
RULES: Final = (UNSIGNED,)


def check_sender(issue: IssueFacts, *, signing: Collection[str] = ()) -> Iterator[Finding]:
    """Look at the sender of an issue; `signing` names the domains whose keys sign, if anything is signed."""
    domain = parse_address(issue.settings.sender.address).domain
    if signing and not any(is_aligned(domain, each) for each in signing):
        yield UNSIGNED.found(place=PLACE, domain=domain)
