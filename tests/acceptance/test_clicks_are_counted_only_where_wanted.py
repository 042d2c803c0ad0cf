"""An officer has clicks counted for one newsletter; its readers are told, and nothing else changes."""

import re

from acceptance.conftest import PACKS

from newsletter.feedback.clicks.machines import Asked

LINK = re.compile(r'href="(https://news\.beacontowns\.example/r/[^"]+)"')
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def sent(installation):
    """What the readers get, by language."""
    installation.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now")
    installation.run("dispatch", "--until-done", "--patience", "1")
    return {received.language: received for received in installation.mail.received}


def test_nothing_is_counted_unless_somebody_turns_it_on(approved):
    editions = sent(approved)

    assert not any("/r/" in each.html + each.text or "/o/" in each.html for each in editions.values())
    told = approved.quickly("issue", "clicks", "2026-12").out
    assert told.startswith("nothing is counted in issue 2026-12: see `newsletter newsletters set beacon-towns tracking")


def test_clicks_of_an_issue_are_shown_by_language_and_link(installation):
    for arguments in (
        ("content", "import", PACKS / "beacons.yaml"),
        ("newsletters", "set", "beacon-towns", "tracking=totals", "opens=true"),
        ("issue", "assemble", "2026-12"),
        ("issue", "clicks", "2026-12"),
        ("issue", "approve", "2026-12"),
        ("lists", "create", "readers"),
        ("subscribers", "import", installation.readers(12), "--list", "readers"),
        ("segments", "create", "everybody", 'list = "readers"'),
    ):
        told = installation.quickly(*arguments).out
        assert ("is not approved: nobody can have clicked" in told) is ("clicks" in arguments)
    editions = sent(installation)
    links = {language: list(dict.fromkeys(LINK.findall(each.html))) for language, each in editions.items()}
    pipeline = installation.opened()
    for link in links["fr"][:2]:
        followed = pipeline.engagement.link(link.rpartition("/r/")[2])
        pipeline.engagement.count(followed, Asked(at=pipeline.parts.now(), agent=BROWSER))

    assert "Nous comptons" in editions["fr"].html
    assert "Nous comptons" in editions["fr"].text
    figures = installation.quickly("issue", "clicks", "2026-12", "--json").json
    french = next(each for each in figures["editions"] if each["language"] == "fr")
    assert (figures["tracking"], figures["opens"]) == ("totals", True)
    assert [link["people"] for link in french["links"][:3]] == [1, 1, 0]
    assert len(french["links"]) == len(links["fr"])
    assert french["accepted"] == sum(each.language == "fr" for each in installation.mail.received)
    assert french["readers"] == {"clicked": 0, "opened": 0}
    words = installation.quickly("issue", "clicks", "2026-12").out
    assert f"fr: {french['accepted']} messages accepted, 2 clicks, opened 0 times" in words
    assert f"fr\t1\t0\t{french['links'][0]['url']}" in words
