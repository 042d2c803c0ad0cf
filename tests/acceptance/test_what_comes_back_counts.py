"""What comes back after an issue was sent ends the mail to the addresses that it is about, and to no others."""

import json

from unit.newsletter.feedback.corpus import CORPUS

ADDRESS = "reader0000@en.example"
BOUNCING = {"NEWSLETTER_BOUNCE__DOMAIN": "bounce.beacontowns.example"}


def sent(installation):
    installation.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now")
    installation.run("dispatch", "--until-done", **BOUNCING)


def name_of(mail, address):
    """How the delivery to an address was called."""
    [received] = mail.to(address)
    return received.message["Message-ID"].strip("<>").partition("@")[0]


def bounce(label, name, reader):
    return next(one for one in CORPUS if one.label == label).octets(name, reader)


def test_a_bounce_ends_the_mail_to_its_address(approved, mail):
    sent(approved)
    (approved.folder / "bounce.eml").write_bytes(bounce("postfix: mailbox full", name_of(mail, ADDRESS), ADDRESS))
    full = approved.quickly("feedback", "read", "bounce.eml", "--json").json
    (approved.folder / "bounce.eml").write_bytes(bounce("gmail: no account", name_of(mail, ADDRESS), ADDRESS))
    gone = approved.quickly("feedback", "read", "bounce.eml", "--json").json
    again = approved.quickly("feedback", "read", "bounce.eml").out

    assert (full["messages"], full["new"], full["suppressed"]) == (1, 1, 0)
    assert (gone["new"], gone["suppressed"]) == (1, 1)
    assert "1 message: 0 new, 1 known" in again
    [newest, older] = approved.quickly("feedback", "list", "--issue", "2026-12", "--json").json
    assert (newest["kind"], newest["cause"], newest["did"], older["kind"]) == ("hard", "unknown", "suppressed", "soft")
    assert ADDRESS not in json.dumps([newest, older])
    assert "hard_bounce" in approved.quickly("subscribers", "show", ADDRESS).out.replace(" ", "_")
    shown = approved.quickly("feedback", "show", newest["number"], "--json").json
    assert shown == newest
    assert "5.1.1" in approved.quickly("feedback", "show", str(newest["number"])).out
    assert "came back: 1 hard, 1 soft" in approved.quickly("issue", "status", "2026-12").out


def test_a_mailbox_of_mail_is_read_with_what_is_no_bounce(approved, mail):
    sent(approved)
    forged = bounce("gmail: no account", "1-0123456789abcdef0123", ADDRESS)
    box = b"".join(b"From x Tue Dec  1\n" + octets + b"\n\n" for octets in (forged, b"Subject: hello\n\nWell.\n"))
    (approved.folder / "box").write_bytes(box)
    told = approved.quickly("feedback", "read", "box", "--json").json

    assert (told["messages"], told["unproven"], told["not_understood"], told["suppressed"]) == (2, 1, 1, 0)
    assert "hard?" in approved.quickly("feedback", "list", "--unproven").out


def test_what_the_relay_refused_counts_before_the_next_issue(approved, mail):
    mail.unknown = {ADDRESS}
    sent(approved)

    [event] = approved.quickly("feedback", "list", "--kind", "hard", "--json").json
    assert (event["source"], event["did"], event["mailing"]) == ("smtp", "suppressed", "issue:beacon-towns/2026-12")
    assert approved.quickly("segments", "count", "everybody", "--newsletter", "beacon-towns", "--json").json


def test_whoever_writes_to_the_address_for_leaving_leaves(approved, mail):
    sent(approved)
    [received] = mail.to(ADDRESS)
    leave = received.message["List-Unsubscribe"].split("<mailto:")[1].rstrip("> ")
    (approved.folder / "leave.eml").write_text(f"From: <{ADDRESS}>\nTo: {leave}\nSubject: unsubscribe\n\n")

    assert approved.quickly("feedback", "read", "leave.eml", "--json").json["left"] == 1
    assert ADDRESS not in approved.quickly("lists", "members", "readers", "--limit", "100").out


def test_without_a_mailbox_or_a_domain_it_is_said_what_to_set(approved):
    assert "NEWSLETTER_BOUNCE__IMAP__HOST" in approved.quickly("feedback", "fetch", code=2).problem
    assert "NEWSLETTER_BOUNCE__DOMAIN" in approved.quickly("feedback", "listen", code=2).problem
    assert "there is no event" in approved.quickly("feedback", "show", "1", code=1).problem
    assert approved.quickly("feedback", "list").out == "nothing has come back\n"


def test_the_listener_listens_until_it_is_told_to_stop(approved, mail):
    sent(approved)
    process = approved.start("feedback", "listen", "--port", "0", **BOUNCING)
    approved.wait(lambda: "listening on 127.0.0.1:" in process.error)
    process.terminate()

    assert process.wait(30) == 0
