"""What is approved is what was seen: findings stand in the way, and a change afterwards voids the approval."""

import pytest

NEWS = {
    "key": "bridge",
    "kind": "news",
    "section": "news",
    "published": "2026-11-10",
    "texts": {"en": {"title": "The bridge", "body": "It opens on Monday."}},
}


@pytest.fixture
def office(installation, small):
    """Readers, and a function that imports a pack whose only entry has this body and assembles its issue."""
    small["newsletter"]["languages"] = ["en"]
    for arguments in (
        ("lists", "create", "readers"),
        ("subscribers", "add", "ada@readers.example", "--list", "readers"),
        ("segments", "create", "everybody", 'list = "readers"'),
    ):
        installation.quickly(*arguments)

    def write(body, *, assemble=True):
        small["entries"] = [{**NEWS, "texts": {"en": {"title": "The bridge", "body": body}}}]
        imported = installation.quickly("content", "import", installation.write("pack.yaml", small))
        if assemble:
            installation.quickly("issue", "assemble", "one")
        return imported

    installation.write_body = write
    return installation


def queue(installation, *, code=0):
    return installation.quickly("issue", "queue", "one", "--segment", "everybody", "--now", code=code)


def test_errors_stand_in_the_way_and_cannot_be_waived(office):
    office.write_body("Look at [the plan](www.city.example) first.")
    checked = office.run("issue", "preflight", "one", "--json", code=3).json["findings"]
    [error] = [finding for finding in checked if finding["severity"] == "error"]
    assert set(error) == {"code", "severity", "edition", "place", "message", "hint", "waived"}
    assert (error["code"], error["place"], error["waived"]) == ("link-malformed", "bridge", False)
    refused = office.run("issue", "approve", "one", code=3)
    assert refused.problem == (
        "newsletter: issue one cannot be approved: 1 to fix; see `newsletter issue preflight one`"
    )
    refused = office.quickly("issue", "waive", "one", "link-malformed", "--reason", "no matter", code=None)
    assert refused.code != 0
    assert office.status("one")["state"] == "draft"
    assert "is not approved: run `newsletter issue approve one` first" in queue(office, code=1).problem


def test_a_warning_is_fixed_or_waived_with_a_reason_until_it_changes(office):
    office.write_body("Look at [the plan](http://www.city.example/) first.")
    office.quickly("issue", "preflight", "one", code=4)
    assert office.quickly("issue", "approve", "one", code=3).problem.count("1 to fix or waive") == 1
    assert office.quickly("issue", "waive", "one", "link-http", code=2).err
    assert "1 finding link-http waived" in office.run("issue", "waive", "one", "link-http", "--reason", "old site").out
    [waived] = [
        finding
        for finding in office.quickly("issue", "preflight", "one", "--json").json["findings"]
        if finding["code"] == "link-http"
    ]
    assert waived["waived"] is True
    office.quickly("issue", "approve", "one")

    office.write_body("Look at [the plan](http://www.town.example/) first.", assemble=False)
    office.quickly("issue", "preflight", "one", code=4)


def test_an_edit_after_the_approval_voids_it_at_the_queue(office, mail):
    office.write_body("It opens on Monday.")
    approved = office.quickly("issue", "approve", "one", "--json").json["editions"]["en"]
    office.write_body("It opens later.", assemble=False)
    assert office.status("one")["state"] == "approved"
    refused = queue(office, code=1)
    assert refused.problem == (
        "newsletter: issue one was changed after its approval: compile it, look at it and approve it again"
    )
    assert office.status("one")["state"] == "draft"
    assert "is not approved" in queue(office, code=1).problem

    assert office.quickly("issue", "approve", "one", "--json").json["editions"]["en"] != approved
    queue(office)
    office.write_body("It opens never.", assemble=False)
    office.run("dispatch", "--until-done")
    [received] = mail.received
    assert "It opens later." in received.text
    assert "only a draft can be changed" in office.quickly("issue", "assemble", "one", code=1).problem


def test_a_changed_plan_voids_the_approval_and_the_import_says_so(office, small):
    office.write_body("It opens on Monday.")
    office.quickly("issue", "approve", "one")
    small["issues"][0]["texts"]["en"]["subject"] = "Another subject"
    imported = office.write_body("It opens on Monday.", assemble=False)
    assert "issue one was approved and is a draft again" in imported.err
    assert office.status("one")["state"] == "draft"


def test_nobody_to_write_to_is_said_at_the_queue(office):
    office.write_body("It opens on Monday.")
    office.quickly("issue", "approve", "one")
    office.quickly("segments", "create", "nobody", 'list = "readers" and tag = "absent"')
    refused = office.quickly("issue", "queue", "one", "--segment", "nobody", "--now", code=3)
    assert "nobody in 'nobody' may be written to" in refused.problem
    assert office.status("one")["state"] == "approved"
