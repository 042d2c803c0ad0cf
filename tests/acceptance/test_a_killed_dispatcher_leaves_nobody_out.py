"""`kill -9` amid a run: the next dispatcher finishes it, nobody is left out, nobody accepted gets a second message."""

import signal
from collections import Counter

from databases import BOTH

CONNECTIONS = 4


@BOTH
def test_a_killed_dispatcher_leaves_nobody_out(approved, mail):
    approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now")
    mail.answers = 20
    dispatcher = approved.start("dispatch")
    approved.wait(lambda: len(mail.unanswered) == CONNECTIONS)
    dispatcher.send_signal(signal.SIGKILL)
    assert dispatcher.wait() == -signal.SIGKILL
    accepted = {
        address
        for (address,) in approved.rows(
            "SELECT subscriber.address FROM delivery JOIN subscriber ON subscriber.id = delivery.subscriber_id"
            " WHERE delivery.state = 'accepted'"
        )
    }
    assert len(accepted) == 20
    in_doubt = set(mail.unanswered)
    mail.answers = None

    done = approved.run("dispatch", "--until-done")
    assert done.problem == "40 accepted, 0 deferred, 0 refused, 0 uncertain"
    counts = Counter(mail.recipients)
    assert len(counts) == 60
    twice = {recipient for recipient, count in counts.items() if count > 1}
    assert max(counts.values()) <= 2
    assert twice <= in_doubt
    assert len(twice) <= CONNECTIONS
    assert not twice & accepted

    assert approved.run("issue", "audit", "2026-12", "--json").json["holds"] is True
    standing = approved.status()
    assert (standing["state"], standing["accepted"], standing["total"]) == ("sent", 60, 60)
    doubtful = approved.quickly("explain", min(in_doubt), "2026-12", "--json").json
    assert [attempt["verdict"] for attempt in doubtful["attempts"]] == ["uncertain", "accepted"]
    messages = mail.to(min(in_doubt))
    assert len({message.message["Message-ID"] for message in messages}) == 1
