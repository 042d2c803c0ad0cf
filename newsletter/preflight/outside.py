"""
What can be learnt of an issue only outside the program: from its pages, a spam filter and the DNS.

Takes the input of preflight, yields findings that a report takes in beside its own. Asks the network and runs another
program, which takes seconds, and does not say the same twice: so it stands beside approval, never in its way.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from newsletter.preflight import deliverability
from newsletter.preflight.deliverability import Filter, check_spam
from newsletter.preflight.domains import SenderDomains, check_domains
from newsletter.preflight.finding import Finding
from newsletter.preflight.reach import Progress, Reach, quietly
from newsletter.preflight.report import PreflightInput
from newsletter.preflight.resolver import NameSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """
    Whom to ask.

    Without `reach` no page is asked for. `names` makes something that answers questions about names when it is needed,
    since its time runs from then; without it nothing is asked about the sender's domain. Without `judge` the spam
    filter is the one that is installed, if any.
    """

    reach: Reach | None = None
    names: Callable[[], NameSource] | None = None
    judge: Filter | None = None


def look_outside(
    given: PreflightInput, whom: Outside, *, domains: SenderDomains | None = None, progress: Progress = quietly
) -> tuple[Finding, ...]:
    """
    Ask for every page that an issue links to, show its messages to a spam filter, and ask the DNS about its sender.

    `progress` hears of the pages, which take longest.
    """
    return tuple(_outside(given, whom, domains=domains, progress=progress))


def _outside(
    given: PreflightInput, whom: Outside, *, domains: SenderDomains | None, progress: Progress
) -> Iterator[Finding]:
    if whom.names and domains:
        yield from check_domains(domains, whom.names())
    if whom.reach:
        yield from whom.reach.check((link for each in given.editions for link in each.links), progress=progress)
    if judge := whom.judge or deliverability.installed():
        yield from check_spam(given.editions, judge)
