"""From a content pack to three hundred mailboxes: each reader gets one message, in the right language."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from lxml import html as lxml_html

EDITIONS = {"en": "en", "fr": "fr", "fr-BE": "fr", "es-ES": "es", "hu": "en", "de-AT": "en"}
"""The languages of the readers, and the edition that BCP 47 lookup gives them among English, French and Spanish."""

SUBJECTS = {
    "en": "Dear reader, Skagen in May and nine lenses",
    "fr": "Chers lecteurs, Skagen en mai et neuf lentilles",
    "es": "Estimados lectores, Skagen en mayo",
}

STATES = ("planned", "claimed", "sending", "deferred", "refused", "uncertain", "suppressed", "cancelled", "expired")


@pytest.fixture
def beacons(installation):
    """The content pack, in the folder of the installation so that it can be changed."""
    return shutil.copy(Path(__file__).parent / "packs" / "beacons.yaml", installation.folder / "beacons.yaml")


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def spoken(part):
    return " ".join(part.text_content().split())


@pytest.mark.timeout(300)
def test_an_issue_reaches_everybody_in_their_language(installation, beacons, mail):
    the_pack_is_stored_once(installation, beacons)
    every_candidate_has_a_verdict(installation)
    first = two_processes_compile_the_same_bytes(installation)
    queued = the_issue_is_queued_for_three_hundred(installation)

    done = installation.run("dispatch", "--until-done")
    assert done.problem == "300 accepted, 0 deferred, 0 refused, 0 uncertain"
    each_got_one_message_in_their_language(mail)
    what_was_not_translated_is_marked(mail)
    the_ledger_tells_the_same(installation, queued)

    an_entry_and_the_settings_change(installation, beacons)
    compiled = installation.run("issue", "compile", "2026-12", "--output", "later", "--json").json
    assert compiled["pinned"] is True
    assert files(installation.folder / "later") == first
    digests = {name: facts["digest"] for name, facts in json.loads(first["build.json"])["editions"].items()}
    assert {edition["name"]: edition["digest"] for edition in compiled["editions"]} == digests


def the_pack_is_stored_once(installation, beacons):
    imported = installation.run("content", "import", beacons)
    assert imported.out.endswith("beacons.yaml: 13 new, 0 changed, 0 unchanged\n")
    [again] = installation.quickly("content", "import", beacons, "--json").json
    groups = ("newsletter", "topic", "entry", "issue")
    assert {each["effect"] for group in groups for each in again[group].values()} == {"unchanged"}


def every_candidate_has_a_verdict(installation):
    verdicts = installation.quickly("issue", "assemble", "2026-12", "--json").json["verdicts"]
    words = {verdict["key"]: verdict["words"] for verdict in verdicts}
    assert len(words) == 7
    assert all(words.values())
    assert words["aide-aux-feux"] == "in projects; published on 2026-11-14; editions in fr only"
    assert words["members-meeting-2027"] == "as lines in agenda"
    matrix = installation.quickly("content", "matrix", "2026-12", "--json").json
    rows = {row["key"]: row["cells"] for row in matrix}
    assert rows["paint-handbook"]["fr"] == {"state": "fallback", "instead": "en"}
    assert rows["aide-aux-feux"]["en"]["state"] == "excluded"
    assert rows["lens-inventory"]["es"]["state"] == "present"


def two_processes_compile_the_same_bytes(installation):
    for name in ("first", "second"):
        installation.afresh("issue", "compile", "2026-12", "--output", name, PYTHONHASHSEED=str(len(name)))
    first = files(installation.folder / "first")
    editions = {f"{tag}.{ending}" for tag in ("en", "fr", "es") for ending in ("html", "txt", "eml", "mjml")}
    assert set(first) == editions | {"issue.ics", "build.json"}
    assert files(installation.folder / "second") == first
    return first


def the_issue_is_queued_for_three_hundred(installation):
    quickly = installation.quickly
    quickly("lists", "create", "members")
    people = quickly("subscribers", "import", installation.readers(300), "--list", "members", "--json").json
    nothing = dict.fromkeys(("changed", "unchanged", "invalid", "suppressed", "refused"), 0)
    assert people.items() >= {"rows": 300, "new": 300, **nothing}.items()
    quickly("segments", "create", "members", 'list = "members"')
    found = quickly("issue", "preflight", "2026-12", "--segment", "members", "--json").json["findings"]
    assert {finding["severity"] for finding in found} == {"notice"}
    quickly("issue", "approve", "2026-12")
    queued = quickly("issue", "queue", "2026-12", "--segment", "members", "--now", "--json").json
    assert queued["audience"] == 300
    assert {share["wanted"]: share["edition"] for share in queued["languages"]} == EDITIONS
    return queued


def each_got_one_message_in_their_language(mail):
    assert len(mail.received) == 300
    assert set(Counter(mail.recipients).values()) == {1}
    for received in mail.received:
        wanted = next(tag for tag in EDITIONS if received.recipient.endswith(f"@{tag.lower()}.example"))
        assert received.language == EDITIONS[wanted], received.recipient
        assert received.subject == SUBJECTS[EDITIONS[wanted]]
        assert lxml_html.document_fromstring(received.html).get("lang") == EDITIONS[wanted]


def what_was_not_translated_is_marked(mail):
    spanish = lxml_html.document_fromstring(mail.to("reader0003@es-es.example")[0].html)
    for words in (
        "Handbook: painting a tower in the wind",
        "scaffolds, salt and the right week",
        "Older than the town",
    ):
        assert any(words in spoken(part) for part in spanish.xpath("//body//*[@lang='en']")), words
    assert not any("Nueve localidades" in spoken(part) for part in spanish.xpath("//body//*[@lang='en']"))


def the_ledger_tells_the_same(installation, queued):
    assert installation.status() == {
        "state": "sent",
        "total": 300,
        **dict.fromkeys(STATES, 0),
        "accepted": 300,
        "languages": {"en": 150, "fr": 100, "es": 50},
        "segment": "members",
        "due": queued["due"],
        "held": None,
        "missed": False,
        "stage": None,
        "times": None,
    }
    audit = installation.quickly("issue", "audit", "2026-12", "--json").json
    assert audit["holds"] is True
    assert all(check["violations"] == 0 for check in audit["checks"])
    story = installation.quickly("explain", "reader0004@hu.example", "2026-12", "--json").json
    [attempt] = story["attempts"]
    assert (story["state"], story["language"], attempt["code"]) == ("accepted", "en", 250)


def an_entry_and_the_settings_change(installation, beacons):
    pack = beacons.read_text(encoding="utf-8")
    beacons.write_text(pack.replace("Nine towns measure", "Ten towns measure"), encoding="utf-8")
    [difference] = installation.quickly("content", "import", beacons, "--dry-run", "--json").json
    changes = difference["entry"]["lens-inventory"]["changes"]
    assert changes == ["texts.en.title: Nine towns measure their lenses → Ten towns measure their lenses"]
    assert "Nine towns" in installation.quickly("content", "show", "lens-inventory").out
    installation.quickly("content", "import", beacons)
    assert "Ten towns" in installation.quickly("content", "show", "lens-inventory").out
    installation.quickly("newsletters", "set", "beacon-towns", "theme.accent=#225522", 'name={"en": "Another Name"}')
