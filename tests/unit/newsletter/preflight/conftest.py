import datetime as dt
from html import escape
from types import SimpleNamespace

import pytest

from newsletter.assembly.composition import build_edition
from newsletter.assembly.facts import IssueFacts, IssueState, PlacedItem, Placement
from newsletter.assembly.selection import select
from newsletter.compilation.artifact import Artifact
from newsletter.compilation.message import Head, build_skeleton
from newsletter.compilation.slots import Slots, System
from newsletter.content.entry import Entry, Kind, StoredEntry
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.links import Links
from newsletter.preflight.compiled import CompiledEdition
from newsletter.words import catalogue

NEWSLETTER = {
    "slug": "harbours",
    "name": "Harbour News",
    "languages": ["en", "fr"],
    "locales": {"en": "en-GB"},
    "timezone": "Europe/Brussels",
    "sender": {"name": "Harbours", "address": "news@harbours.example"},
    "list_id": "news.harbours.example",
    "sections": [
        {"key": "news", "title": {"en": "News", "fr": "Actualités"}},
        {"key": "agenda", "title": {"en": "Agenda", "fr": "Agenda"}, "show": "lines"},
    ],
}

PLAN = {
    "slug": "2026-12",
    "date": "2026-12-01",
    "period": {"from": "2026-11-01", "to": "2026-11-30"},
    "texts": {
        "en": {"title": "December", "subject": "Two piers", "preheader": "And a crane.", "intro": "Good morning."},
        "fr": {"title": "Décembre", "subject": "Deux jetées", "preheader": "Et une grue.", "intro": "Bonjour."},
    },
}


def news(key="piers", **changes):
    """A news entry in English and French; `title`, `body` and `links` are those of the English text."""
    english = {name: changes.pop(name) for name in ("title", "body", "links") if name in changes}
    texts = {"en": {"title": "Two piers", **english}, "fr": {"title": "Deux jetées"}}
    given = {"key": key, "kind": "news", "section": "news", "published": "2026-11-10", "texts": texts, **changes}
    return Entry.model_validate(given)


def event(key="open-day", *sittings, **changes):
    """An agenda entry that stands as a block and, by its sittings, in the agenda."""
    dated = list(sittings) or [{"key": "main", "date": "2026-12-10"}]
    return news(key, **{"title": "Open day", "kind": "agenda", "sittings": dated, **changes})


def issue(*entries, plan=None, newsletter=None, topics=(), stale=None, by_hand=False):
    """An issue with these entries, chosen automatically or, `by_hand`, each as a block whatever its dates are."""
    known = {**NEWSLETTER, **(newsletter or {})}
    planned = IssuePlan.model_validate({**PLAN, **(plan or {})})
    settings = planned.settings(Newsletter.model_validate(known))
    listed = entries or (news(),)
    blocks = tuple(
        PlacedItem(key=entry.key, section="news", position=number, segment=None, placement=Placement.BLOCK)
        for number, entry in enumerate(listed)
    )
    return IssueFacts(
        id=1,
        newsletter_id=1,
        state=IssueState.DRAFT,
        revision=1,
        plan=planned,
        settings=settings,
        topics=tuple(Topic.model_validate(topic) for topic in topics),
        items=blocks if by_hand else select(listed, plan=planned, settings=settings, published={}).items,
        entries={entry.key: stored(entry, stale=(stale or {}).get(entry.key, ())) for entry in listed},
        pictures={},
    )


def stored(entry, *, stale=()):
    changed = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    return StoredEntry(id=1, entry=entry, stale=frozenset(stale), sequences={}, changed=changed)


def compiled(facts, language="en", *, segments=(), **changes):
    """An edition of an issue with an artifact of few words; `changes` are made to the artifact."""
    edition = build_edition(
        facts,
        language=language,
        segments=frozenset(segments),
        links=Links("https://news.example"),
        catalogue=catalogue(language),
    )
    slots = Slots.of(repr(edition))
    subject = slots.mark(edition.subject)
    way_out = slots.url(System.UNSUBSCRIBE)
    lines = [slots.mark(credit.text) for credit in edition.footer.credits]
    made = {
        "newsletter": edition.newsletter,
        "issue": edition.issue,
        "date": edition.date,
        "language": language,
        "dir": edition.dir,
        "variant": edition.variant,
        "subject": subject,
        "sender_address": edition.sender_address,
        "preheader": slots.mark(edition.preheader.text),
        "mjml": "",
        "html": page(
            f"<h1>{escape(edition.name.text)}</h1><h2>News</h2><h3>Two piers</h3>"
            f'<p>{"<br>".join(map(escape, lines))}</p><a href="{way_out}">Unsubscribe</a>',
            language=language,
            direction=edition.dir,
        ),
        "text": "\n".join([edition.name.text, *lines, way_out, ""]),
        "nonce": slots.nonce,
        "slots": slots.used,
        "unknown": slots.unknown,
        "links": (way_out,),
        "text_lacks": (),
        "size": 20_000,
        "digest": "0" * 64,
    }
    given = {**made, **changes}
    if "skeleton" not in given:
        known = Slots.known(given["nonce"], given["slots"])
        head = Head(
            sender_name=edition.sender_name,
            sender_address=given["sender_address"],
            language=language,
            list_id=edition.list_id,
        )
        parts = {name: known.split(given[name]) for name in ("subject", "text", "html")}
        given["skeleton"] = build_skeleton(head, **parts).to_bytes()
    return CompiledEdition(edition=edition, artifact=Artifact(**given))


STYLE = "<style>a { color: navy } @media (prefers-color-scheme: dark) { a { color: white } }</style>"


def page(body, *, language="en", direction="ltr", title="Harbour News"):
    """A finished HTML part around `body`."""
    tongue = f'lang="{language}" dir="{direction}"'
    return (
        f"<!DOCTYPE html><html {tongue}><head><title>{title}</title>{STYLE}</head>"
        f'<body><div role="article" {tongue}>{body}</div></body></html>'
    )


def codes(findings):
    return [finding.code for finding in findings]


@pytest.fixture(scope="session")
def given():
    """Builders of what is checked, each with defaults that no check finds fault with."""
    return SimpleNamespace(
        news=news, event=event, issue=issue, stored=stored, compiled=compiled, page=page, codes=codes, kinds=Kind
    )
