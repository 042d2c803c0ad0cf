"""Every public address is absolute, and nothing in a name can lead out of its place."""

import pytest

from newsletter.links import Links

LINKS = Links("https://news.example/")


@pytest.mark.parametrize(
    ("made", "address"),
    [
        (LINKS.web_view("rivers", "2026-12", "fr"), "/archive/rivers/2026-12/fr"),
        (LINKS.issue_calendar("rivers", "2026-12", "fr"), "/archive/rivers/2026-12/fr/issue.ics"),
        (
            LINKS.sitting_calendar("rivers", "2026-12", "fr", entry="fair", sitting="one"),
            "/archive/rivers/2026-12/fr/fair--one.ics",
        ),
        (LINKS.as_sent("rivers", "2026-12", "fr"), "/archive/rivers/2026-12/fr/sent"),
        (LINKS.archive("rivers"), "/archive/rivers"),
        (LINKS.rss("rivers", "fr"), "/archive/rivers/feed.fr.xml"),
        (LINKS.json_feed("rivers", "fr"), "/archive/rivers/feed.fr.json"),
        (LINKS.script("print.js"), "/static/print.js"),
        (LINKS.picture("a b.png"), "/media/a%20b.png"),
        (LINKS.unsubscribe("a.b"), "/u/a.b"),
        (LINKS.preferences("a/b"), "/p/a%2Fb"),
        (LINKS.confirmation("a?b"), "/c/a%3Fb"),
        (LINKS.click("a-b_c.d.3"), "/r/a-b_c.d.3"),
        (LINKS.opened("a-b_c.d"), "/o/a-b_c.d.gif"),
        (LINKS.subscribe("rivers"), "/subscribe/rivers"),
        (LINKS.subscribe(), "/subscribe"),
    ],
)
def test_an_address_is_absolute_and_quoted(made, address):
    assert made == f"https://news.example{address}"


def test_pictures_may_lie_on_another_server():
    assert Links("https://news.example", "https://media.example/").picture("a.png") == "https://media.example/a.png"
