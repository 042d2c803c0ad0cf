"""A relay that loses step gets less at once, step by step."""

from structlog.testing import capture_logs

from newsletter.dispatch.trust import Trust
from newsletter.settings import Pipelining


def test_every_second_loss_of_step_takes_one_level():
    trust = Trust("relay.example:25", Pipelining.FULL)
    modes = []
    for _ in range(6):
        trust.lost_step("354 to MAIL")
        modes.append(trust.mode)

    full, envelope, off = Pipelining
    assert modes == [full, envelope, envelope, off, off, off]


def test_a_bound_is_never_exceeded_and_never_undercut():
    trust = Trust("relay.example:25", Pipelining.OFF)
    for _ in range(4):
        trust.lost_step("354 to MAIL")

    assert trust.mode is Pipelining.OFF


def test_the_log_says_what_was_reduced():
    trust = Trust("relay.example:25", Pipelining.FULL)
    with capture_logs() as log:
        trust.lost_step("354 to MAIL")
        trust.lost_step("250 to DATA")

    assert [(each["event"], each["why"], each["pipelining"]) for each in log] == [
        ("relay lost step", "354 to MAIL", "full"),
        ("relay lost step again: pipelining reduced", "250 to DATA", "envelope"),
    ]
