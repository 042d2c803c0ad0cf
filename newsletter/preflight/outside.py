"""
What can be learnt of an issue only outside the program: whether its pages answer, and what a spam filter says.

Takes the input of preflight, yields findings that a report takes in beside its own. Asks the network and runs another
program, which takes seconds, and does not say the same twice: so it stands beside approval, never in its way.
"""

from collections.abc import Iterator

from newsletter.preflight import deliverability
from newsletter.preflight.deliverability import Filter, check_spam
from newsletter.preflight.finding import Finding
from newsletter.preflight.reach import Reach
from newsletter.preflight.report import PreflightInput


def look_outside(
    given: PreflightInput, *, reach: Reach | None = None, judge: Filter | None = None
) -> tuple[Finding, ...]:
    """
    Ask for every page that an issue links to, and show its messages to a spam filter.

    Without `reach` no page is asked for. Without `judge` the filter is the one that is installed, if any.
    """
    return tuple(_outside(given, reach=reach, judge=judge or deliverability.installed()))


def _outside(given: PreflightInput, *, reach: Reach | None, judge: Filter | None) -> Iterator[Finding]:
    if reach:
        yield from reach.check(link for each in given.editions for link in each.links)
    if judge:
        yield from check_spam(given.editions, judge)
