"""Three issues in a row: what is over goes, what is news goes once, what stands for long comes again."""

import copy

import pytest

ISSUES = (
    ("2026-11", "2026-11-02", "2026-10-01", "2026-10-31"),
    ("2026-12", "2026-12-01", "2026-11-01", "2026-11-30"),
    ("2027-01", "2027-01-04", "2026-12-01", "2026-12-31"),
)


def an_entry(key, published, **more):
    return {
        "key": key,
        "kind": "news",
        "section": "news",
        "published": published,
        "texts": {"en": {"title": f"Title of {key}"}},
    } | more


ENTRIES = [
    an_entry("october-news", "2026-10-20"),
    an_entry("catalogue", "2026-10-05", kind="publication", repeat=True),
    an_entry("fair", "2026-10-10", kind="agenda", section="agenda", sittings=[{"key": "main", "date": "2026-12-10"}]),
    an_entry(
        "course",
        "2026-10-12",
        kind="agenda",
        section="lead",
        sittings=[{"key": "one", "start": "2026-11-20T10:00"}, {"key": "two", "start": "2027-01-15T10:00"}],
    ),
]


@pytest.fixture
def monthly(installation, small):
    small["newsletter"]["cadence"] = {"agenda_days": 40}
    small["newsletter"]["languages"] = ["en"]
    small["entries"] = copy.deepcopy(ENTRIES)
    small["issues"] = []
    installation.quickly("lists", "create", "readers")
    installation.quickly("subscribers", "add", "ada@readers.example", "--list", "readers")
    installation.quickly("segments", "create", "everybody", 'list = "readers"')
    return installation


def send(installation, pack, number):
    """Import the pack with its next issue, send that, and say which entries stand in it how."""
    slug, date, first, last = ISSUES[number]
    pack["issues"] = [
        {
            "slug": slug,
            "number": number,
            "date": date,
            "period": {"from": first, "to": last},
            "texts": {"en": {"title": slug, "subject": f"Issue {slug}"}},
        }
    ]
    installation.quickly("content", "import", installation.write(f"{slug}.yaml", pack))
    assembled = installation.quickly("issue", "assemble", slug, "--json").json
    installation.quickly("issue", "compile", slug, "--output", slug)
    installation.quickly("issue", "approve", slug)
    installation.quickly("issue", "queue", slug, "--segment", "everybody", "--now")
    installation.run("dispatch", "--until-done")
    placed = {}
    for item in assembled["items"]:
        placed.setdefault(item["key"], set()).add(item["placement"])
    return placed, {verdict["key"]: verdict["words"] for verdict in assembled["verdicts"]}


def test_three_months_of_a_newsletter(monthly, small, mail):
    placed, _ = send(monthly, small, 0)
    assert placed == {
        "october-news": {"block"},
        "catalogue": {"block"},
        "course": {"block", "lines"},
        "fair": {"lines"},
    }
    first = {path.name: path.read_bytes() for path in (monthly.folder / "2026-11").iterdir()}

    small["newsletter"]["cadence"] = {"agenda_days": 10}
    small["newsletter"]["sections"] = [
        {"key": "news", "title": {"en": "What is new"}},
        {"key": "lead", "title": {"en": "In depth"}},
        {"key": "agenda", "title": {"en": "Dates"}, "show": "lines"},
    ]
    small["newsletter"]["theme"] = {"name": "network", "accent": "#225522"}
    small["entries"].append(an_entry("november-news", "2026-11-10"))
    small["entries"][0]["texts"]["en"]["title"] = "Another title of october-news"
    placed, words = send(monthly, small, 1)
    assert placed == {"catalogue": {"block"}, "november-news": {"block"}, "fair": {"lines"}}
    assert "2026-11" in words["october-news"]

    small["newsletter"]["cadence"] = {"agenda_days": 60}
    small["entries"].append(an_entry("december-news", "2026-12-24"))
    placed, words = send(monthly, small, 2)
    assert placed == {"catalogue": {"block"}, "december-news": {"block"}, "course": {"lines"}}
    assert "over" in words["fair"]

    assert [received.subject for received in mail.received] == [f"Issue {slug}" for slug, *_ in ISSUES]
    monthly.run("issue", "compile", "2026-11", "--output", "again")
    assert {path.name: path.read_bytes() for path in (monthly.folder / "again").iterdir()} == first
