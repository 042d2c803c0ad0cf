"""Mail from outside meets a fuzzer for minutes: nothing raises, nothing hangs."""

import pytest
from fuzz.fuzzing import MINUTES, fuzz
from unit.newsletter.feedback.corpus import CORPUS

from newsletter.feedback.event import Kind

pytestmark = [pytest.mark.long, pytest.mark.timeout(round(MINUTES * 60 + 300))]

REACTIONS = (Kind.COMPLAINT, Kind.NOT_SPAM, Kind.UNSUBSCRIBE)


def seeds(*, reactions: bool) -> tuple[bytes, ...]:
    """Samples as they come, and reports without what the harness puts before them."""
    chosen = [sample.octets() for sample in CORPUS if (sample.kind in REACTIONS) is reactions]
    reports = (octets.partition(b"Reporting-MTA:")[2] or octets.partition(b"Feedback-Type:")[2] for octets in chosen)
    return (*chosen, *(b"!" + report for report in reports if report))


def test_whatever_comes_back_is_read(tmp_path):
    fuzz("bounce_reader.py", tmp_path, seeds=seeds(reactions=False), longest=65_536)


def test_whatever_is_reported_is_read(tmp_path):
    fuzz("complaint_reader.py", tmp_path, seeds=seeds(reactions=True), longest=65_536)
