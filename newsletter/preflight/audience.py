"""
The audience: whether anybody is there, and in which languages.

Takes counts, yields findings. The counts are estimates: the audience is frozen when a run starts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from newsletter.assembly.facts import IssueFacts
from newsletter.preflight.finding import Finding, Rule, Severity

SUPPRESSED_SHARE: Final = 10
"""Per cent: a list that is written to regularly loses a few addresses a year; more means that it is old or bought."""

FEWEST: Final = 50
"""People: a share of fewer says nothing."""

EMPTY: Final = Rule(
    code="audience-empty",
    severity=Severity.ERROR,
    message="Nobody is in “{segment}” who may be written to.",
    hint="Choose another segment, or look at its members: only those count who confirmed, did not leave and are not "
    "suppressed.",
)
LANGUAGE_EMPTY: Final = Rule(
    code="audience-language-empty",
    severity=Severity.NOTICE,
    message="Nobody in “{segment}” will get the {edition} edition.",
    hint="It is still in the archive, where everybody can read it.",
)
SUPPRESSED: Final = Rule(
    code="audience-suppressed-share",
    severity=Severity.WARNING,
    message="{share} % of the people in “{segment}” are suppressed and will get nothing.",
    hint="Ask where these addresses come from: writing to an old list harms the delivery of everything you send.",
)
RULES: Final = (EMPTY, LANGUAGE_EMPTY, SUPPRESSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceCounts:
    """
    How many people a segment holds.

    `people` counts, by the language of the edition they would get, those who may be written to; `suppressed` those who
    would belong to them if their address were not suppressed.
    """

    segment: str
    people: Mapping[str, int]
    suppressed: int = 0


def check_audience(counts: AudienceCounts, issue: IssueFacts) -> Iterator[Finding]:
    """Look at the audience of an issue."""
    total = sum(counts.people.values())
    if not total:
        yield EMPTY.found(place=counts.segment, segment=counts.segment)
        return
    for language in issue.settings.languages:
        if not counts.people.get(language):
            yield LANGUAGE_EMPTY.found(edition=language, segment=counts.segment)
    everybody = total + counts.suppressed
    share = 100 * counts.suppressed // everybody
    if everybody >= FEWEST and share >= SUPPRESSED_SHARE:
        yield SUPPRESSED.found(place=counts.segment, segment=counts.segment, share=share)
