"""Every sample of the corpus is read for what it is."""

import pytest
from unit.newsletter.feedback.corpus import CORPUS, NAME, READER, Sample

from newsletter.dispatch.names import read_name
from newsletter.feedback.event import Kind
from newsletter.feedback.reading import read


def told(sample: Sample):
    """Kind and cause of a sample, as they would be of our reader's own delivery."""
    report = read(sample.octets())
    one = report.about(lambda address: address == READER) if report.returned else None
    if one is None:
        return report.kind, None
    return one.kind, one.judgement.cause if one.judgement else None


@pytest.mark.parametrize("sample", CORPUS, ids=[sample.label for sample in CORPUS])
def test_a_message_is_read_for_what_it_is(sample: Sample):
    assert told(sample) == (sample.kind, sample.cause)


def test_the_corpus_is_large_and_nothing_in_it_is_taken_for_a_dead_mailbox_by_mistake():
    assert len(CORPUS) >= 120
    assert len({sample.label for sample in CORPUS}) == len(CORPUS)
    assert not [sample.label for sample in CORPUS if told(sample)[0] is Kind.HARD and sample.kind is not Kind.HARD]


@pytest.mark.parametrize("sample", CORPUS, ids=[sample.label for sample in CORPUS])
def test_a_message_names_the_delivery_that_it_is_about(sample: Sample):
    assert read_name(NAME) in read(sample.octets()).names
