"""After the approval: whatever changes a byte of an edition, or takes away what allowed it, stands in the queue's way."""

import shutil

import pytest
from acceptance.conftest import SMALL, Installation, MailServer
from databases import CHOSEN, databases
from PIL import Image

from newsletter.compilation import theme
from newsletter.paths import templates

VOID = "issue one was changed after its approval: compile it, look at it and approve it again"
QUEUE = ("issue", "queue", "one", "--segment", "everybody", "--at", "2090-01-01 09:00")


BRIDGE = {
    "key": "bridge",
    "kind": "news",
    "section": "news",
    "published": "2026-11-10",
    "image": {"file": "bridge.png", "alt": {"en": "The bridge"}},
    "texts": {"en": {"title": "The bridge", "body": "Look at [the plan](http://www.city.example/)."}},
}


class Desk(Installation):
    """An installation with an approved issue of one entry and its picture."""

    def change(self, colour="red", **changes):
        """Import the entry again with other facts."""
        Image.new("RGB", (60, 40), colour).save(self.folder / "bridge.png")
        newsletter = {**SMALL["newsletter"], "languages": ["en"]}
        pack = {**SMALL, "newsletter": newsletter, "entries": [{**BRIDGE, **changes}]}
        return self.quickly("content", "import", self.write("pack.yaml", pack))


@pytest.fixture(scope="module")
def _approved_there(empty_of, tmp_path_factory, zygote):
    """Its folder, made once."""
    folder = databases().copy_folder(empty_of(CHOSEN), tmp_path_factory.mktemp("desk"))
    made = Desk(folder, MailServer(), zygote)
    made.change()
    for arguments in (
        ("lists", "create", "readers"),
        ("subscribers", "add", "ada@readers.example", "--list", "readers"),
        ("segments", "create", "everybody", 'list = "readers"'),
        ("issue", "assemble", "one"),
        ("issue", "waive", "one", "link-http", "--reason", "The city has no certificate yet."),
        ("issue", "approve", "one"),
    ):
        made.quickly(*arguments)
    return made.closed()


@pytest.fixture
def desk(_approved_there, tmp_path, zygote):
    return Desk(databases().copy_folder(_approved_there, tmp_path / "desk"), MailServer(), zygote)


def test_what_nothing_has_changed_is_queued(desk):
    desk.change()
    desk.quickly(*QUEUE)
    assert desk.status("one")["state"] == "queued"


@pytest.mark.parametrize(
    "changes",
    [
        {"colour": "blue"},
        {"image": {"file": "bridge.png", "alt": {"en": "The old bridge"}}},
        {"texts": {"en": {"title": "The bridge", "body": "Look at [the plan](http://www.town.example/)."}}},
        {"texts": {"en": {"title": "The bridge.", "body": "Look at [the plan](http://www.city.example/)."}}},
    ],
    ids=["picture", "alternative text", "waived link", "title"],
)
def test_another_picture_or_text_voids_the_approval(desk, changes):
    desk.change(**changes)
    assert VOID in desk.quickly(*QUEUE, code=1).problem
    assert desk.status("one")["state"] == "draft"


@pytest.mark.parametrize(
    ("name", "value"),
    [("NEWSLETTER_PUBLIC_URL", "https://other.example"), ("NEWSLETTER_MEDIA_URL", "https://media.example")],
)
def test_another_address_of_links_or_pictures_voids_the_approval(desk, monkeypatch, name, value):
    monkeypatch.setattr(type(desk), "settings", {**desk.settings, name: value})
    assert VOID in desk.quickly(*QUEUE, code=1).problem
    assert desk.status("one")["state"] == "draft"


def test_another_template_of_the_theme_voids_the_approval(desk, monkeypatch, tmp_path):
    folder = tmp_path / "templates"
    shutil.copytree(templates(), folder)
    monkeypatch.setattr(theme, "templates", lambda: folder)
    part = folder / "email" / "network" / "issue.txt.j2"
    part.write_text(f"{part.read_text(encoding='utf-8')}\nWritten by hand.\n", encoding="utf-8")
    assert VOID in desk.quickly(*QUEUE, code=1).problem


def test_what_was_waived_is_asked_again_when_it_has_changed(desk):
    desk.change(texts={"en": {"title": "The bridge", "body": "Look at [the plan](http://www.town.example/)."}})
    desk.quickly(*QUEUE, code=1)
    assert "1 to fix or waive" in desk.quickly("issue", "approve", "one", code=3).problem


def test_a_waiver_is_shown_with_who_when_and_why(desk):
    told = " ".join(desk.quickly("issue", "preflight", "one").out.split())
    assert "accepted (link-http) - bridge – " in told
    assert "accepted by system on " in told
    assert "The city has no certificate yet." in told


@pytest.mark.parametrize("status", ["withdrawn", "draft"])
def test_an_entry_that_was_withdrawn_since_stands_in_the_way_and_can_be_left_out(desk, status):
    desk.change(status=status)
    refused = desk.quickly(*QUEUE, code=3).problem
    assert (
        "issue one is a draft again: “The bridge” stands in the issue, but it is a draft or was withdrawn." in refused
    )
    assert "1 to fix" in desk.quickly("issue", "approve", "one", code=3).problem
    desk.quickly("issue", "assemble", "one")
    left = desk.quickly("issue", "show", "one", "--json").json["items"]
    assert left == []


def test_keys_for_other_senders_stand_in_the_way_of_one_that_has_none(desk):
    desk.quickly("doctor", "dkim-key", "keys", "--selector", "2027", "--domain", "rivers.example")
    (desk.folder / "newsletter.toml").write_text(
        '[dkim]\ndomain = "rivers.example"\nselector = "2027"\nkey_file = "keys/2027.pem"\n', encoding="utf-8"
    )
    refused = desk.quickly(*QUEUE, code=3).problem
    assert "issue one cannot be queued: The newsletter is sent from small.example, for which there is no" in refused
    [error] = [
        finding
        for finding in desk.quickly("issue", "preflight", "one", "--json", code=3).json["findings"]
        if finding["severity"] == "error"
    ]
    assert (error["code"], error["place"]) == ("sender-unsigned", "sender")
