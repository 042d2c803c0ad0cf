"""A content pack with a mistake is refused whole, with file, line, column and path of the mistake."""

import pytest
from sqlalchemy import inspect

from newsletter.database import open_engine

PACK = """\
newsletter:
  slug: small
  name: {en: Small Letter, fr: Petite lettre}
  languages: [en, fr]
  timezone: Europe/Brussels
  sender: {name: Small network, address: letter@small.example}
  list_id: letter.small.example
  sections:
    - {key: news, title: {en: News}}
    - {key: agenda, title: {en: Agenda}, show: lines}
entries:
  - key: before
    kind: news
    section: news
    published: 2026-11-10
    texts:
      en: {title: Taken before the mistake}
  - key: meeting
    kind: agenda
    section: agenda
    published: 2026-11-10
    source: en
    sittings:
      - key: main
        start: 2026-12-01T14:00
        end: 2026-12-01T15:00
        timezone: Europe/Brussels
    texts:
      en: {title: Meeting}
"""

MISTAKES = {
    "an unknown key": (
        "    source: en\n",
        "    sourse: en\n",
        "22:5: entries[1].sourse: unknown key 'sourse'; did you mean 'source'?",
    ),
    "no title in its own language": (
        "source: en",
        "source: fr",
        "29:7: entries[1].texts: the entry's own language is fr, but it has no title and text in it",
    ),
    "an end before its start": (
        "end: 2026-12-01T15:00",
        "end: 2026-12-01T13:00",
        "26:14: entries[1].sittings[0].end: the sitting ends (2026-12-01 13:00) before it starts (2026-12-01 14:00)",
    ),
    "an unknown zone": (
        "        timezone: Europe/Brussels",
        "        timezone: Europe/Brusels",
        "27:19: entries[1].sittings[0].timezone: 'Europe/Brusels' is no IANA time zone",
    ),
    "a key that stands twice": (
        "key: meeting",
        "key: before",
        "18:10: entries[1].key: the key 'before' stands here twice, first in line 12",
    ),
    "the same word twice in a mapping": (
        "    source: en\n",
        "    source: en\n    source: fr\n",
        "23:5: entries[1].source",
    ),
    "indentation by tab": ("    source: en\n", "\tsource: en\n", "22:1: "),
    "an unknown section": (
        "section: agenda",
        "section: agenta",
        "20:14: entries[1].section: there is no section 'agenta'; did you mean 'agenda'?",
    ),
}


@pytest.fixture
def furnished(installation):
    """An installation that holds one entry already."""
    (installation.folder / "good.yaml").write_text(PACK.replace("key: before", "key: earlier"), encoding="utf-8")
    installation.quickly("content", "import", "good.yaml")
    return installation


def everything(installation):
    engine = open_engine(installation.url)
    tables = inspect(engine).get_table_names()
    engine.dispose()
    return {table: installation.rows(f"SELECT * FROM {table}") for table in tables}


def test_a_mistake_in_a_pack_is_said_with_its_place_and_nothing_is_imported(furnished):
    before = everything(furnished)
    for name, (right, wrong, words) in MISTAKES.items():
        assert right in PACK
        (furnished.folder / "bad.yaml").write_text(PACK.replace(right, wrong, 1), encoding="utf-8")
        refused = furnished.quickly("content", "import", "bad.yaml", code=2)
        assert f"bad.yaml:{words}" in refused.err, name
        assert refused.err.endswith("nothing was imported\n"), name
        assert refused.out == "", name
    assert everything(furnished) == before


def test_all_mistakes_of_a_pack_are_said_at_once(furnished):
    text = PACK
    for name in ("an unknown key", "an unknown zone", "a key that stands twice"):
        text = text.replace(*MISTAKES[name][:2], 1)
    (furnished.folder / "bad.yaml").write_text(text, encoding="utf-8")
    refused = furnished.run("content", "import", "bad.yaml", code=2)
    told = refused.problem.removeprefix("newsletter: ").splitlines()
    assert [line.split(":")[1] for line in told[:-1]] == ["18", "22", "27"]


def test_a_file_that_is_too_large_or_no_text_is_refused_whole(furnished):
    before = everything(furnished)
    huge = furnished.folder / "huge.yaml"
    huge.write_text(PACK + "# " + "x" * 30_000_000, encoding="utf-8")
    refused = furnished.quickly("content", "import", "huge.yaml", code=2)
    assert "huge.yaml: the file is larger than 20 MB: split it" in refused.err
    (furnished.folder / "latin.yaml").write_bytes(PACK.replace("Meeting", "Réunion").encode("latin-1"))
    refused = furnished.quickly("content", "import", "latin.yaml", code=2)
    assert "latin.yaml:29:20: this is not UTF-8" in refused.err
    refused = furnished.quickly("content", "import", "absent.yaml", code=2)
    assert refused.err == "newsletter: absent.yaml cannot be read: No such file or directory\n"
    assert everything(furnished) == before


def test_of_several_packs_those_before_the_mistake_are_taken(furnished):
    (furnished.folder / "one.yaml").write_text(PACK.replace("key: before", "key: one"), encoding="utf-8")
    (furnished.folder / "bad.yaml").write_text(PACK.replace("kind: news", "kind: gnus", 1), encoding="utf-8")
    refused = furnished.quickly("content", "import", "one.yaml", "bad.yaml", code=2)
    assert "bad.yaml:13:11: entries[0].kind" in refused.err
    keys = {entry["key"] for entry in furnished.quickly("content", "list", "--json").json}
    assert keys == {"earlier", "one", "meeting"}
