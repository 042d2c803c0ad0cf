"""The sample issues that tests compile: the bundled one with its pictures, and River Cities, in every theme."""

import datetime as dt
import json
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from newsletter.assembly.composition import build_edition
from newsletter.assembly.facts import IssueFacts, IssueState
from newsletter.assembly.selection import select
from newsletter.cli.pictures import draw_pictures
from newsletter.compilation.compiler import compile_edition
from newsletter.compilation.theme import theme_names
from newsletter.content.entry import StoredEntry
from newsletter.content.intake import read_pack
from newsletter.links import Links
from newsletter.paths import sample
from newsletter.words import catalogue

LINKS = Links("https://news.example")
SAMPLES = ("bundled", "river-cities")
THEMES = theme_names()

SMALL_NEWSLETTER = {
    "slug": "small",
    "name": {"en": "Small Letter", "fr": "Petite lettre"},
    "languages": ["en", "fr"],
    "locales": {"en": "en-GB", "fr": "fr-FR"},
    "timezone": "Europe/Brussels",
    "sender": {"name": "Small network", "address": "letter@small.example"},
    "list_id": "letter.small.example",
    "sections": [{"key": "news", "title": {"en": "News", "fr": "Nouvelles"}}],
}
"""Of packs that tests write themselves."""


@cache
def _facts(name):
    if name == "river-cities":
        return _issue(Path(__file__).with_name("river-cities.yaml"))
    with tempfile.TemporaryDirectory() as folder:
        pack = Path(folder) / "pack.yaml"
        pack.write_bytes((sample() / "pack.yaml").read_bytes())
        draw_pictures(Path(folder) / "images")
        return _issue(pack)


def issue_of(folder, pack):
    """The first issue of a content pack that is written in Python."""
    file = folder / "pack.yaml"
    file.write_text(json.dumps(pack), encoding="utf-8")
    return _issue(file)


def edition_of(facts, language):
    """An issue in one language."""
    return build_edition(facts, language=language, links=LINKS, catalogue=catalogue(language))


def _issue(file):
    pack = read_pack(file)
    plan = pack.issues[0]
    changed = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    return IssueFacts(
        id=1,
        newsletter_id=1,
        state=IssueState.DRAFT,
        revision=1,
        plan=plan,
        settings=pack.newsletter,
        topics=pack.topics,
        items=select(pack.entries, plan=plan, settings=pack.newsletter, published={}).items,
        entries={
            entry.key: StoredEntry(id=1, entry=entry, stale=frozenset(), sequences={}, changed=changed)
            for entry in pack.entries
        },
        pictures={picture.name: (picture.width, picture.height) for picture in pack.pictures},
    )


def languages_of(name):
    """The languages of a sample, its default first."""
    return _facts(name).settings.languages


@cache
def sample_edition(name, language, theme="network"):
    """One of a sample's editions, dressed in a theme."""
    facts = _facts(name)
    dress = facts.settings.theme.model_copy(update={"name": theme})
    return edition_of(replace(facts, settings=facts.settings.model_copy(update={"theme": dress})), language)


@cache
def artifact_of(name, theme, language):
    """One of a sample's editions, compiled in a theme."""
    return compile_edition(sample_edition(name, language, theme), links=LINKS)


def artifacts_of(name, theme):
    """All of a sample's editions, compiled in a theme."""
    return [artifact_of(name, theme, language) for language in languages_of(name)]
