"""Workers send a run together, say who they are, and go home when they are asked to."""

import signal

import pytest

ON_A_SERVER = pytest.mark.parametrize("kind", ["postgresql"], indirect=True)


@ON_A_SERVER
def test_two_workers_send_an_issue_and_end_when_asked(approved, mail):
    workers = [approved.start("worker") for _ in range(2)]
    approved.wait(lambda: len(approved.quickly("workers", "--json").json["hands"]) == 2)
    told = approved.quickly("workers", "--json").json
    assert [(hand["connections"], hand["is_silent"]) for hand in told["hands"]] == [(4, False)] * 2
    assert (told["waiting"], told["at_work"]) == (0, 0)

    approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now")
    approved.wait(lambda: approved.status()["state"] == "sent")

    assert sorted(each.recipient for each in mail.received) == sorted({each.recipient for each in mail.received})
    assert len(mail.received) == 60
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    assert [worker.wait() for worker in workers] == [0, 0], [worker.error for worker in workers]
    assert "Traceback" not in "".join(worker.error for worker in workers)
    assert approved.quickly("workers", "--json").json["hands"] == []
    assert "nobody is at work: start `newsletter run`" in approved.quickly("workers").err


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_workers_need_a_server(approved):
    refused = approved.quickly("worker", code=2)
    assert refused.problem == (
        "newsletter: workers need PostgreSQL, see NEWSLETTER_DATABASE__URL; with SQLite `newsletter run` does it all"
    )
    told = approved.quickly("workers", "--json").json
    assert told == {"hands": [], "waiting": None, "at_work": None}
