from newsletter.dispatch.bucket import TokenBucket
from newsletter.dispatch.groups import START, Groups
from newsletter.dispatch.outcome import Outcome, Phase, Verdict
from newsletter.dispatch.pace import Together, Unlimited

ANNA = "anna@lakes.example"
LATER = Outcome(verdict=Verdict.DEFERRED, phase=Phase.RCPT)


def test_without_a_limit_nothing_ever_waits_whatever_the_relay_says():
    pace = Unlimited()

    pace.tell(LATER, recipient=ANNA, now=1.0)
    pace.forgo(ANNA, now=1.0)

    assert [pace.take(ANNA, now=1.0) for _ in range(3)] == [0, 0, 0]
    assert (pace.rests(now=1.0), pace.holds(ANNA, now=1.0)) == (0, 0)


def test_of_several_limits_the_strictest_holds():
    slow, fast, groups = TokenBucket(0.5), TokenBucket(100), Groups()
    pace = Together([fast, slow, groups])

    assert [pace.take(ANNA, now=0) for _ in range(3)] == [0, 2, 4]
    assert pace.rests(now=0) == slow.rests(now=0) == 5


def test_all_of_several_limits_hear_what_came_of_a_message():
    pace = Together([Unlimited(), Groups()])
    for _ in range(int(START)):
        pace.take(ANNA, now=0)
    assert pace.holds(ANNA, now=0) > 0

    pace.tell(LATER, recipient=ANNA, now=0)
    assert pace.holds(ANNA, now=0) == 0
    pace.take(ANNA, now=0)
    pace.forgo(ANNA, now=0)
    assert pace.holds(ANNA, now=0) == 0
