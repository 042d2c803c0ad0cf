import dataclasses
import datetime as dt
import shutil

import pytest

from newsletter.assembly.composition import build_edition
from newsletter.assembly.facts import IssueFacts, IssueState, PlacedItem, Placement
from newsletter.compilation.block import BLOCK, compile_block
from newsletter.content.entry import Entry, StoredEntry
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter, Theme
from newsletter.links import Links
from newsletter.paths import templates
from newsletter.words import catalogue

ENTRY = Entry.model_validate(
    {
        "key": "quay",
        "kind": "news",
        "section": "news",
        "published": "2026-11-03",
        "texts": {"en": {"title": "The quay", "body": "Dear [[first_name|reader]], <script>alert(1)</script>"}},
    }
)
RIVERS = Newsletter.model_validate(
    {
        "slug": "rivers",
        "name": "River News",
        "languages": ["en", "ar"],
        "timezone": "Europe/Brussels",
        "sender": {"name": "Rivers", "address": "news@rivers.example"},
        "list_id": "news.rivers.example",
        "footer": {"address": "1 Quay Street"},
        "sections": [{"key": "news", "title": "News"}],
    }
)


@pytest.fixture(scope="module")
def edition():
    stored = StoredEntry(
        id=1, entry=ENTRY, stale=frozenset(), sequences={}, changed=dt.datetime(2026, 11, 3, tzinfo=dt.UTC)
    )
    facts = IssueFacts(
        id=1,
        newsletter_id=1,
        state=IssueState.DRAFT,
        revision=0,
        plan=IssuePlan.model_validate(
            {"slug": "x", "date": "2026-12-01", "period": {"from": "2026-11-01", "to": "2026-11-30"}}
        ),
        settings=RIVERS,
        topics=(),
        items=(PlacedItem(key="quay", section="news", position=0, segment=None, placement=Placement.BLOCK),),
        entries={"quay": stored},
        pictures={},
    )
    return build_edition(facts, language="en", links=Links("https://news.example"), catalogue=catalogue("en"))


@pytest.mark.parametrize("theme", ["network", "bulletin"])
def test_a_block_stands_alone_with_the_slots_filled(edition, theme):
    html = compile_block(dataclasses.replace(edition, theme=Theme(name=theme)))
    assert "The quay" in html
    assert "Dear reader," in html
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "1 Quay Street" not in html
    assert "View in browser" not in html


def test_a_theme_that_has_no_frame_for_blocks_shows_the_whole_edition(edition, tmp_path):
    shutil.copytree(templates() / "email" / "network", tmp_path / "plain")
    (tmp_path / "plain" / BLOCK).unlink()
    html = compile_block(dataclasses.replace(edition, theme=Theme(name="plain")), templates_dir=tmp_path)
    assert "The quay" in html
    assert "1 Quay Street" in html
