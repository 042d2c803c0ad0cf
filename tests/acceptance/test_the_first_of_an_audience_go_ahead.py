"""A run may start in stages: the first go ahead, and the others follow when it has gone well with them."""

import datetime as dt
from collections import Counter

from databases import BOTH

STAGED = ("issue", "queue", "2026-12", "--segment", "everybody", "--now", "--first", "20", "--hold", "15m")


def hold_is_over(installation):
    """Let a quarter of an hour have passed since the last of the first was tried."""
    then = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=15)
    installation.rows("UPDATE run SET staged = ? WHERE stage = 'holding'", f"{then:%Y-%m-%d %H:%M:%S.%f}")


def first_have_gone(installation, code=4):
    return installation.quickly("dispatch", "--until-done", "--patience", "1", code=code)


@BOTH
def test_the_others_follow_when_the_hold_is_over(approved, mail):
    queued = approved.quickly(*STAGED).out
    assert queued.splitlines()[0].startswith("everybody: 60 people: ")
    assert queued.splitlines()[-1] == "20 people go first, the others 15 minutes later"
    assert (
        "the first 20 go out; 40 others wait until 15 minutes after that"
        in approved.quickly("issue", "status", "2026-12").out
    )

    first_have_gone(approved)

    assert len(mail.received) == 20
    assert Counter(received.language for received in mail.received).keys() == {"en", "fr", "es"}, "as if by lot"
    standing = approved.status()
    assert (standing["state"], standing["accepted"], standing["planned"]) == ("sending", 20, 40)
    assert standing["stage"] | {"since": "", "until": ""} == {
        "state": "holding", "first": 20, "hold": 900.0, "since": "", "until": "", "others": 40,
    }  # fmt: skip
    told = approved.quickly("issue", "status", "2026-12").out
    assert f"40 others follow at {standing['stage']['until']} if nothing is amiss" in told
    approved.quickly("issue", "audit", "2026-12")

    hold_is_over(approved)
    approved.quickly("dispatch", "--until-done")
    assert sorted(mail.recipients) == sorted(set(mail.recipients))
    assert len(mail.received) == 60
    assert approved.status()["state"] == "sent"
    approved.quickly("issue", "audit", "2026-12")


def test_too_many_refusals_stop_the_run_until_an_officer_resumes_it(approved, mail):
    approved.quickly(*STAGED)
    digests = approved.rows(
        "SELECT subscriber.address FROM subscriber JOIN delivery ON delivery.digest = subscriber.digest WHERE next_at IS NULL"
    )
    mail.unknown = {digests[0][0], digests[1][0]}

    first_have_gone(approved)

    standing = approved.status()
    assert (standing["state"], standing["refused"], standing["planned"]) == ("paused", 2, 40)
    reason = "2 of the first 20 were refused (10.0 %, more than 5 %): look at them, then resume or cancel it"
    assert standing["held"] == reason
    told = approved.quickly("issue", "status", "2026-12").out
    assert f"issue 2026-12 is paused ({reason})" in told
    assert "40 others wait until the run is resumed" in told
    approved.quickly("dispatch", "--until-done")
    assert len(mail.received) == 18

    approved.quickly("issue", "resume", "2026-12")
    approved.quickly("dispatch", "--until-done")
    standing = approved.status()
    assert (standing["state"], standing["accepted"], standing["refused"]) == ("sent", 58, 2)
    approved.quickly("issue", "audit", "2026-12")


def test_a_run_that_is_stopped_while_it_holds_goes_no_further_whatever_dies(approved, mail):
    approved.quickly(*STAGED)
    dispatcher = approved.start("dispatch")
    approved.wait(lambda: approved.status()["stage"]["state"] == "holding")
    dispatcher.kill()
    dispatcher.wait()
    approved.quickly("halt")
    hold_is_over(approved)
    approved.quickly("dispatch", "--until-done")
    assert len(mail.received) == 20
    [someone] = approved.rows(
        "SELECT subscriber.address FROM subscriber JOIN delivery USING (digest) WHERE state = 'planned' LIMIT 1"
    )
    assert (
        "Next: it goes out when the run is resumed, after the first 20."
        in approved.quickly("explain", *someone, "2026-12").out
    )

    assert (
        approved.quickly("issue", "cancel", "2026-12").out == "issue 2026-12 is cancelled; 20 of 60 are beyond recall\n"
    )
    approved.quickly("dispatch", "--until-done")
    assert (len(mail.received), approved.status()["cancelled"]) == (20, 40)
    approved.quickly("issue", "audit", "2026-12")


def test_what_cannot_be_meant_is_refused(approved):
    queue = ("issue", "queue", "2026-12", "--segment", "everybody", "--now")
    for wrong, words in (
        (("--first", "20"), "--first and --hold go together"),
        (("--hold", "15m"), "--first and --hold go together"),
        (("--first", "0", "--hold", "15m"), "--first 0 is no number of people"),
        (("--first", "20", "--hold", "a while"), "'a while' is no duration; write for example 90s, 15m, 2h or 1d"),
        (("--first", "20", "--hold", "0m"), "choose between 1s and 30d"),
    ):
        assert words in approved.quickly(*queue, *wrong, code=2).problem
    assert approved.status()["state"] == "approved"
