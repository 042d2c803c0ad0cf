"""
Entries: whether what stands in an issue may still be published.

Takes the facts of an issue, yields findings. An entry is chosen while it is published; it may be withdrawn afterwards,
which changes no byte of an edition, so that nothing else would notice. Pure.
"""

from collections.abc import Iterator
from typing import Final

from newsletter.assembly.facts import IssueFacts
from newsletter.content.entry import Status
from newsletter.preflight.finding import Finding, Rule, Severity

UNPUBLISHED: Final = Rule(
    code="entry-unpublished",
    severity=Severity.ERROR,
    message="“{title}” stands in the issue, but it is a draft or was withdrawn.",
    hint="Publish the entry, or assemble the issue again: it is left out then.",
)
RULES: Final = (UNPUBLISHED,)


def check_entries(issue: IssueFacts) -> Iterator[Finding]:
    """Look at the entries of an issue."""
    for key in dict.fromkeys(item.key for item in issue.items):
        entry = issue.entries[key].entry
        if entry.status is not Status.PUBLISHED:
            yield UNPUBLISHED.found(place=key, title=entry.texts[entry.source].title)
