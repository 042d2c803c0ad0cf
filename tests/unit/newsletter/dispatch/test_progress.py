from newsletter.dispatch.outcome import Verdict
from newsletter.dispatch.progress import Progress


def test_every_verdict_is_counted_under_its_name_but_for_what_was_not_sent():
    progress = Progress()

    for verdict in [*Verdict, Verdict.ACCEPTED]:
        progress.count(verdict)

    assert progress == Progress(accepted=2, deferred=1, refused=1, uncertain=1)
