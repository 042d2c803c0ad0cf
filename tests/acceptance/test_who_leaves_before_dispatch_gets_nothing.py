"""Whoever leaves, is suppressed or is erased between queue and dispatch gets nothing."""


def test_who_leaves_before_dispatch_gets_nothing(approved, mail):
    approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now")
    gone = {
        "reader0000@en.example": ("unsubscribe",),
        "reader0001@fr.example": ("unsubscribe", "--newsletter", "beacon-towns"),
        "reader0002@fr-be.example": ("unsubscribe", "--list", "readers"),
        "reader0003@es-es.example": ("suppress", "--note", "asked by telephone"),
        "reader0004@hu.example": ("erase", "--yes"),
    }
    for address, (verb, *options) in gone.items():
        assert "1 delivery stopped" in approved.quickly("subscribers", verb, address, *options).out, address
    approved.run("dispatch", "--until-done")

    assert len(mail.received) == 55
    assert not set(gone) & set(mail.recipients)
    standing = approved.status()
    assert (standing["state"], standing["accepted"], standing["suppressed"], standing["total"]) == ("sent", 55, 5, 60)
    approved.run("issue", "audit", "2026-12")
    told = approved.quickly("explain", "reader0003@es-es.example", "2026-12").out
    assert "was not sent: the person left or is suppressed" in told
    assert "The address is suppressed now" in told

    again = approved.quickly("subscribers", "import", approved.readers(60), "--list", "readers", "--json").json
    assert (again["suppressed"], again["new"]) == (2, 0)


def test_who_was_gone_when_the_run_started_is_not_in_its_audience(approved, mail):
    approved.quickly("subscribers", "unsubscribe", "reader0000@en.example", "--newsletter", "beacon-towns")
    approved.quickly("subscribers", "suppress", "reader0001@fr.example")
    queued = approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now", "--json").json
    assert queued["audience"] == 58
    approved.run("dispatch", "--until-done")
    assert len(mail.received) == approved.status()["total"] == 58
    told = approved.quickly("explain", "reader0000@en.example", "2026-12").out
    assert "is not in the audience of issue 2026-12" in told
