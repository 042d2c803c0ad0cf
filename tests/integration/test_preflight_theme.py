"""Preflight beside real themes: what is the theme's, what is an officer's, and what a spam filter says."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from newsletter.assembly.composition import build_edition
from newsletter.assembly.facts import IssueFacts, IssueState
from newsletter.compilation.compiler import compile_edition
from newsletter.compilation.theme import theme_names
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter, Theme
from newsletter.links import Links
from newsletter.preflight import accessibility, contrast, markup, mime, pictures, weight
from newsletter.preflight.baseline import frame_baseline, specimen, theme_baseline
from newsletter.preflight.client_facts import own_facts
from newsletter.preflight.clients import check_clients
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.deliverability import SUSPICIOUS, check_spam, installed
from newsletter.words import catalogue

LINKS = Links("https://news.example")
LANGUAGES = ("en", "fr", "ar")

NEWSLETTER = {
    "slug": "harbours",
    "name": "Harbour News",
    "languages": list(LANGUAGES),
    "timezone": "Europe/Brussels",
    "sender": {"name": "Harbours", "address": "news@harbours.example"},
    "list_id": "news.harbours.example",
    "website": "https://www.harbours.example/",
    "sections": [{"key": "lead", "title": None}],
}
PLAN = {
    "slug": "2026-12",
    "date": "2026-12-01",
    "period": {"from": "2026-11-01", "to": "2026-11-30"},
    "texts": {"en": {"title": "December", "subject": "Harbour News", "preheader": "Low tide."}},
}
ACCENTS = (None, "#ffd200", "#0b5c8a", "#000000", "#ffffff")


def an_issue():
    return IssueFacts(
        id=1,
        newsletter_id=1,
        state=IssueState.DRAFT,
        revision=1,
        plan=IssuePlan.model_validate(PLAN),
        settings=Newsletter.model_validate(NEWSLETTER),
        topics=(),
        items=(),
        entries={},
        pictures={},
    )


def an_edition(language="en", *, theme="network", accent=None):
    bare = build_edition(an_issue(), language=language, links=LINKS, catalogue=catalogue(language))
    return replace(bare, theme=Theme(name=theme, accent=accent))


def compiled(edition):
    return CompiledEdition(edition=edition, artifact=compile_edition(edition, links=LINKS))


@pytest.fixture(scope="module", params=theme_names())
def theme(request):
    return request.param


def with_picture(edition, url):
    """The specimen with the picture of its lead at another address."""
    full = specimen(edition)
    lead, *others = full.sections
    (block,) = lead.blocks
    other = replace(block, picture=replace(block.picture, url=url))
    return replace(full, sections=(replace(lead, blocks=(other,)), *others))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_theme_uses_by_itself_is_no_finding(theme, language):
    edition = an_edition(language, theme=theme)
    baseline = theme_baseline([edition], links=LINKS)
    for whole in (edition, specimen(edition)):
        assert list(check_clients(compiled(whole), facts=own_facts(), baseline=baseline)) == []


def test_what_an_officer_brings_is_one(theme):
    edition = an_edition(theme=theme)
    baseline = theme_baseline([edition], links=LINKS)
    given = compiled(with_picture(edition, "https://www.harbours.example/quay.webp"))
    codes = [finding.code for finding in check_clients(given, facts=own_facts(), baseline=baseline)]
    assert codes == ["client-breaks", "client-partly"]


def test_a_baseline_holds_for_both_directions(theme):
    both = [an_edition(language, theme=theme) for language in ("en", "fr", "ar")]
    baseline = theme_baseline(both, links=LINKS)
    assert baseline == theme_baseline(both[:1], links=LINKS) | theme_baseline(both[2:], links=LINKS)


def test_what_mjml_brings_is_less_than_what_a_theme_chose(theme):
    frame = frame_baseline()
    assert "<html>" in frame
    assert frame < theme_baseline([an_edition(theme=theme)], links=LINKS) | frame


@pytest.mark.parametrize("accent", ACCENTS)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_everything_in_a_theme_can_be_read_in_every_accent(theme, language, accent):
    given = compiled(specimen(an_edition(language, theme=theme, accent=accent)))
    findings = [finding for finding in contrast.check(given, an_issue()) if finding.severity != "notice"]
    assert [finding.message() for finding in findings] == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_theme_makes_a_whole_message(theme, language):
    given = compiled(specimen(an_edition(language, theme=theme)))
    for family in (markup, mime, weight):
        assert [finding.message() for finding in family.check(given, an_issue())] == []
    assert list(pictures.check_pictures(given, replace(an_issue(), entries=_Nothing()), sizes={})) == []
    codes = {finding.code for finding in accessibility.check(given, an_issue())}
    # The specimen says the same of all its entries, which no officer would.
    assert codes <= {"link-spoken-alike", "heading-order"}


class _Nothing(dict[str, object]):
    """Entries without pictures of their own: those of a specimen are no issue's."""

    def __missing__(self, key: str) -> object:
        return SimpleNamespace(entry=SimpleNamespace(image=None))


@pytest.mark.skipif(installed() is None, reason="SpamAssassin is not installed")
@pytest.mark.timeout(120)
def test_a_spam_filter_has_nothing_against_a_theme(theme):
    given = compiled(specimen(an_edition(theme=theme)))
    findings = list(check_spam([given], installed()))
    assert [finding.message() for finding in findings if dict(finding.facts).get("score", 0) >= SUSPICIOUS] == []
    assert "spam-unknown" not in {finding.code for finding in findings}
