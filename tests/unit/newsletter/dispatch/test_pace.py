from newsletter.dispatch.outcome import Outcome, Phase, Verdict
from newsletter.dispatch.pace import Unlimited


def test_without_a_limit_nothing_ever_waits_whatever_the_relay_says():
    pace = Unlimited()

    pace.tell(Outcome(verdict=Verdict.DEFERRED, phase=Phase.RCPT), recipient="anna@lakes.example", now=1.0)

    assert [pace.take("anna@lakes.example", now=1.0) for _ in range(3)] == [0, 0, 0]
