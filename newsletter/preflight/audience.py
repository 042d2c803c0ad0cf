"""
The audience: whether anybody is there, in which languages, and whether it is the one of the last issue.

Takes counts, yields findings. The counts are estimates: the audience is frozen when a run starts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from newsletter.assembly.facts import IssueFacts
from newsletter.preflight.finding import Finding, Rule, Severity

SUPPRESSED_SHARE: Final = 10
"""Per cent: a list that is written to regularly loses a few addresses a year; more means that it is old or bought."""

CHANGE: Final = 30
"""Per cent: from one issue to the next an audience grows or shrinks by a few."""

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
SIZE: Final = Rule(
    code="audience-size",
    severity=Severity.WARNING,
    message="“{segment}” has {people} people; the last issue went to {previous}.",
    hint="See whether it is the right segment, and whether an import or a removal went wrong.",
)
TEST_DOMAINS: Final = Rule(
    code="audience-test-domains",
    severity=Severity.NOTICE,
    message="One address in “{segment}” is for tests, as test@… or …@example.com are: nobody reads there.",
    several="{n} addresses in “{segment}” are for tests, as test@… or …@example.com are: nobody reads there.",
    hint="Remove them before you write to people: whatever is sent there comes back.",
)
RULES: Final = (EMPTY, LANGUAGE_EMPTY, SUPPRESSED, SIZE, TEST_DOMAINS)

TEST_ENDINGS: Final = tuple(
    f"{sign}{name}"
    for sign in ".@"
    for name in ("test", "example", "invalid", "localhost", "example.com", "example.net", "example.org")
)
"""What addresses end with that are nobody's: RFC 2606 and RFC 6761 keep these names for tests and examples."""

TEST_BEGINNING: Final = "test@"
"""What somebody wrote to try a form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceCounts:
    """
    How many people a segment holds.

    `people` counts, by the language of the edition they would get, those who may be written to; `suppressed` those who
    would belong to them if their address were not suppressed; `previous` those whom the newsletter's last issue was
    planned for, None where there was none; `test_addresses` the addresses for which `is_for_tests` holds.
    """

    segment: str
    people: Mapping[str, int]
    suppressed: int = 0
    previous: int | None = None
    test_addresses: int = 0


def is_for_tests(address: str) -> bool:
    """Whether an address, in small letters with its domain as A-labels, is one that exists for tests and examples."""
    return address.startswith(TEST_BEGINNING) or address.endswith(TEST_ENDINGS)


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
    yield from _changed(counts, total)
    if counts.test_addresses:
        yield TEST_DOMAINS.found(place=counts.segment, segment=counts.segment, n=counts.test_addresses)


def _changed(counts: AudienceCounts, total: int) -> Iterator[Finding]:
    previous = counts.previous
    if previous is None or max(total, previous) < FEWEST:
        return
    if abs(total - previous) * 100 > CHANGE * previous:
        segment = counts.segment
        yield SIZE.found(place=segment, segment=segment, people=total, previous=previous)
