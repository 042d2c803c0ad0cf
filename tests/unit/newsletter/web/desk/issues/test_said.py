"""What became of a change of an issue, in words: none is missing, and none is missing in French."""

import pytest

from newsletter.assembly.arranging import Obstacle
from newsletter.pipeline.building import Arranged, Outcome
from newsletter.pipeline.proposing import Fault
from newsletter.web.desk.issues.said import fault, outcome
from newsletter.words import catalogue

NAMES = {"title": "The bridge", "section": "News", "segment": "press"}
ENGLISH, FRENCH = (catalogue(language, "desk-issues") for language in ("en", "fr"))


@pytest.mark.parametrize("words", [ENGLISH, FRENCH], ids=["en", "fr"])
def test_every_end_of_a_change_has_its_own_words(words):
    ends = [
        *(Arranged(outcome=Outcome.REFUSED, obstacle=obstacle) for obstacle in Obstacle),
        Arranged(outcome=Outcome.OVERTAKEN),
        Arranged(outcome=Outcome.CLOSED),
    ]
    done = Arranged(outcome=Outcome.DONE, section="news", place=1, of=3)
    bad = [outcome(end, "add", say=words.say, **NAMES) for end in ends]
    good = [
        outcome(done, did, say=words.say, **NAMES) for did in ("add", "remove", "segment", "everybody", "undo", "up")
    ]
    assert len({said for said, _ in (*bad, *good)}) == len(ends) + 6
    assert [is_good for _, is_good in (*bad, *good)] == [False] * len(ends) + [True] * 6


def test_a_move_says_where_the_item_is_now():
    done = Arranged(outcome=Outcome.DONE, section="news", place=1, of=3)
    assert outcome(done, "down", say=ENGLISH.say, **NAMES)[0] == "“The bridge” is now at place 1 of 3 in News."


@pytest.mark.parametrize("found", Fault)
def test_every_fault_of_a_plan_is_said_in_both_languages(found):
    english = fault(found, ENGLISH.say)
    assert ENGLISH.knows(english)
    assert fault(found, FRENCH.say) != english
