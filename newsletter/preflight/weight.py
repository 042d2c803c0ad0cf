"""
Weight: how large the largest message of an edition is.

Takes a compiled edition, yields findings. What counts is the message as it travels, in its transfer encoding and with
long values in its slots. Gmail cuts a message near 102 kB and hides the rest behind a link, with it the link to leave:
warning from 80 kB, error from 95 kB, so that nobody comes near. Sources disagree on whether Gmail counts the encoded
size (hteumeuleu/email-bugs, issue 41), so the larger figure is taken. 1 kB is 1000 octets.
"""

from collections.abc import Iterator
from typing import Final

from newsletter.assembly.facts import IssueFacts
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Rule, Severity

WARNING_SIZE: Final = 80_000
"""Octets from which an edition is heavy."""

ERROR_SIZE: Final = 95_000
"""Octets from which an edition would be cut."""

HEAVY: Final = Rule(
    code="weight-warning",
    severity=Severity.WARNING,
    message="The {edition} edition weighs {size} kB; near 102 kB Gmail cuts a message and hides the rest.",
    hint="Shorten texts, or move entries to the next issue.",
)
TOO_HEAVY: Final = Rule(
    code="weight-error",
    severity=Severity.ERROR,
    message="The {edition} edition weighs {size} kB: Gmail would cut its end off, with the link to unsubscribe.",
    hint="Shorten texts, or move entries to the next issue, until it is below 95 kB.",
)
RULES: Final = (HEAVY, TOO_HEAVY)


def check(given: CompiledEdition, issue: IssueFacts) -> Iterator[Finding]:
    """Weigh an edition."""
    del issue
    size = given.artifact.size
    if size >= WARNING_SIZE:
        rule = TOO_HEAVY if size >= ERROR_SIZE else HEAVY
        yield rule.found(edition=given.name, size=size // 1000)
