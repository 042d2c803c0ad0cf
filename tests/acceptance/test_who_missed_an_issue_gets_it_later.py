"""An issue that was sent goes, byte for byte, to those who joined since or whom it could not reach, and to nobody else."""

MISSED = ("issue", "queue", "2026-12", "--missed", "--segment", "everybody", "--now")


def sent(installation):
    installation.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now")
    installation.quickly("dispatch", "--until-done")


def changed_since(installation):
    """Somebody corrects an entry of the issue."""
    installation.rows("UPDATE entry_text SET title = 'Another title altogether'")


def joined(installation, address, language="en"):
    installation.quickly("subscribers", "add", address, "--list", "readers", "--language", language)


def test_who_joined_since_gets_the_bytes_that_were_approved(approved, mail):
    nobody, somebody = "reader0000@en.example", "reader0006@en.example"
    mail.unknown = {nobody}
    sent(approved)
    assert len(mail.received) == 59
    changed_since(approved)
    joined(approved, "late@town.example")
    refused = approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now", code=1)
    assert "issue 2026-12 is sent: only those who missed it can get it now (--missed)" in refused.problem

    queued = approved.quickly(*MISSED).out
    assert queued.splitlines()[0] == "everybody: 1 person: 1 get en who missed it"
    approved.quickly("dispatch", "--until-done")

    assert len(mail.received) == 60
    [late], [first] = mail.to("late@town.example"), mail.to(somebody)
    assert (late.subject, late.language) == (first.subject, "en")
    assert "Another title altogether" not in late.html
    standing = approved.status()
    assert (standing["state"], standing["total"], standing["accepted"], standing["refused"]) == ("sent", 61, 60, 1)
    approved.quickly("issue", "audit", "2026-12")
    told = approved.quickly("explain", "late@town.example", "2026-12").out
    assert "The issue went out before: " in told
    assert "those who had missed the issue, which was frozen then at 1" in told
    assert "this delivery was left as it was" in approved.quickly("explain", nobody, "2026-12").out


def test_nobody_is_left_to_get_what_everybody_got(approved, mail):
    assert "was never sent, so nobody has missed it" in approved.quickly(*MISSED, code=1).problem
    sent(approved)
    approved.quickly("subscribers", "unsubscribe", "reader0001@fr.example", "--newsletter", "beacon-towns")
    refused = approved.quickly(*MISSED, code=3)
    assert "nobody in 'everybody' has missed it" in refused.problem
    assert approved.status()["state"] == "sent"
    assert (
        "goes with --missed"
        in approved.quickly(
            "issue", "queue", "2026-12", "--segment", "everybody", "--now", "--even-uncertain", code=2
        ).problem
    )


def test_what_may_have_arrived_is_repeated_only_when_that_is_asked_for(approved, mail):
    approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now")
    mail.answers = 10
    dispatcher = approved.start("dispatch", NEWSLETTER_DISPATCH__UNCERTAIN="skip")
    approved.wait(lambda: len(mail.unanswered) == 4)
    dispatcher.kill()
    dispatcher.wait()
    mail.answers = None
    approved.run("dispatch", "--until-done", code=5, NEWSLETTER_DISPATCH__UNCERTAIN="skip")
    assert approved.status()["uncertain"] == 4
    joined(approved, "late@town.example")

    queued = approved.run(*MISSED, NEWSLETTER_DISPATCH__UNCERTAIN="skip")
    assert "1 person" in queued.out
    assert "4 of all who were planned may have got it (uncertain) and are left out" in queued.err
    cancelled = approved.quickly("issue", "cancel", "2026-12")
    assert "1 of 61" not in cancelled.out
    assert approved.status()["state"] == "sent", "its first run went to its end"

    queued = approved.quickly(*MISSED, "--even-uncertain", "--json").json
    assert (queued["audience"], queued["remarks"]) == (5, [])
    approved.quickly("dispatch", "--until-done")
    standing = approved.status()
    assert (standing["accepted"], standing["uncertain"], standing["missed"]) == (61, 0, True)
    approved.quickly("issue", "audit", "2026-12")
