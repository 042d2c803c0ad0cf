import json
from dataclasses import replace

import pytest

from newsletter.preflight import mime
from newsletter.preflight.mime import check


def found_in(given, facts=None, **changes):
    facts = facts or given.issue()
    return list(check(given.compiled(facts, **changes), facts))


def skeleton(given, **changes):
    """The skeleton of a clean edition with other pieces."""
    made = given.compiled(given.issue()).artifact.skeleton
    return json.dumps({**json.loads(made), **changes}).encode()


def test_a_message_that_reads_back_as_it_was_written_is_none(given):
    assert found_in(given) == []


def test_a_message_with_slots_everywhere_reads_back(given):
    texts = {"en": {"title": "December", "subject": "Dear  [[first_name|reader]]", "preheader": "Low tide."}}
    assert found_in(given, given.issue(plan={"texts": texts})) == []


@pytest.mark.parametrize(("changed", "part"), [("subject", "Subject"), ("text", "text/plain"), ("html", "text/html")])
def test_a_part_that_is_not_what_was_put_in_is_an_error(given, changed, part):
    sent = given.compiled(given.issue()).artifact
    (finding,) = found_in(given, skeleton=sent.skeleton, **{changed: f"{getattr(sent, changed)} and more"})
    assert (finding.code, finding.severity, dict(finding.facts)["part"]) == ("message-unreadable", "error", part)


def test_a_message_without_parts_is_an_error(given):
    closing = 'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="none"\r\n\r\n'
    parts = [dict(finding.facts)["part"] for finding in found_in(given, skeleton=skeleton(given, closing=closing))]
    assert parts == ["text/plain", "text/html", "MIME"]


@pytest.mark.parametrize("line", ["x" * 999, "a\nb", "a\rb", "a\0b"])
def test_a_line_that_mail_cannot_carry_is_an_error(given, line):
    (finding, *_) = found_in(given, skeleton=skeleton(given, replies=f"X-Tide: {line}\r\n"))
    assert finding.code == "message-line"


def test_a_line_of_998_octets_is_none(given):
    replies = json.loads(skeleton(given))["replies"] + f"X-Tide: {'x' * 990}\r\n"
    assert found_in(given, skeleton=skeleton(given, replies=replies)) == []


def test_a_header_with_a_structure_must_not_be_encoded(given):
    replies = "List-ID: =?utf-8?q?=3Cnews=2Eharbours=2Eexample=3E?=\r\n"
    (finding,) = found_in(given, skeleton=skeleton(given, replies=replies))
    assert (finding.code, dict(finding.facts)["header"]) == ("header-encoded", "List-ID")


def test_the_name_before_an_address_may_be(given):
    opening = "From: =?utf-8?q?Li=C3=A8ge?= <news@harbours.example>\r\n"
    assert found_in(given, skeleton=skeleton(given, opening=opening)) == []


@pytest.mark.parametrize(
    ("unsubscribe", "codes"),
    [
        ("https://news.example/u/sample", []),
        ("http://news.example/u/sample", ["unsubscribe-header"]),
        ("", ["unsubscribe-header"]),
    ],
)
def test_there_is_one_way_to_leave_with_one_click(given, monkeypatch, unsubscribe, codes):
    monkeypatch.setattr(mime, "SAMPLE", mime.SAMPLE._replace(unsubscribe_url=unsubscribe))
    assert given.codes(found_in(given)) == codes


def test_two_ways_to_leave_are_too_many(given):
    replies = json.loads(skeleton(given))["replies"] + "List-Unsubscribe: <https://other.example/>\r\n"
    assert given.codes(found_in(given, skeleton=skeleton(given, replies=replies))) == ["unsubscribe-header"]


def newsletter(given, **changes):
    return given.issue(newsletter=changes)


def listed(given, list_id):
    """An edition with a List-ID that no newsletter could be given."""
    clean = given.compiled(given.issue())
    return replace(clean, edition=replace(clean.edition, list_id=list_id))


@pytest.mark.parametrize("list_id", ["news", "news..example", f"{'n' * 250}.example", "news at harbours.example"])
def test_a_list_id_that_is_none_is_a_warning(given, list_id):
    assert given.codes(check(listed(given, list_id), given.issue())) == ["list-id-malformed"]


@pytest.mark.parametrize(
    ("list_id", "codes"),
    [
        ("news.harbours.example", []),
        ("harbours.example", []),
        ("news.quays.example", ["list-id-foreign"]),
    ],
)
def test_a_list_id_is_best_under_the_senders_domain(given, list_id, codes):
    assert given.codes(check(listed(given, list_id), given.issue())) == codes


@pytest.mark.parametrize(
    ("website", "list_id", "codes"),
    [
        ("https://www.harbours.example/", "news.harbours.example", []),
        ("https://www.quays.example/", "news.harbours.example", []),
        ("https://www.harbours.example/", "news.quays.example", ["list-id-foreign"]),
        ("https://www.quays.example/", "news.quays.example", ["list-id-foreign", "sender-foreign"]),
    ],
)
def test_a_sender_belongs_to_the_website_or_the_list(given, website, list_id, codes):
    facts = newsletter(given, website=website, list_id=list_id)
    assert given.codes(found_in(given, facts)) == codes


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("news.harbours.example", "harbours.example", True),
        ("harbours.gov.uk", "quays.gov.uk", False),
        ("www.harbours.gov.uk", "mail.harbours.gov.uk", True),
        ("harbours.fr", "www.harbours.fr", True),
        ("harbours.fr.", "harbours.fr", True),
    ],
)
def test_an_owner_has_the_last_labels_of_a_host(one, other, same):
    assert (mime._owner(one) == mime._owner(other)) is same


def test_a_free_mailbox_is_no_sender(given):
    facts = newsletter(given, sender={"name": "Harbours", "address": "harbours@gmail.com"})
    assert given.codes(found_in(given, facts)) == ["list-id-foreign", "sender-public"]


def test_a_mailbox_of_ones_own_is_one(given):
    facts = newsletter(given, sender={"name": "Harbours", "address": "harbours@harbours.example"})
    assert found_in(given, facts) == []
