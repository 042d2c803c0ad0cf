"""What tests of signing up share: a clock, a newsletter, the verbs over a database of either kind."""

import datetime as dt

import pytest
from databases import KINDS

from newsletter.bootstrap import Pipeline
from newsletter.content.newsletter import Newsletter
from newsletter.content.store import save_newsletter
from newsletter.database import session_factory
from newsletter.links import Links
from newsletter.pipeline.parts import Parts
from newsletter.settings import Settings
from subscribers import store
from subscribers.replay import replay
from subscribers.tokens import Keys

KEYS = Keys(signing=(("k1", b"a secret for signing"),), suppression=b"a secret for digests")
NOW = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
ADA = "ada@town.example"
BOB = "bob@harbour.example"

BOTH = pytest.mark.parametrize("chosen_engine", KINDS, indirect=True)
"""Of tests that run on both databases; the others say the same on either."""


class Clock:
    """Stands still until it is moved."""

    def __init__(self, instant=NOW):
        self.instant = instant

    def __call__(self):
        return self.instant

    def forward(self, **delta):
        self.instant += dt.timedelta(**delta)


def bare_pipeline(engine, clock):
    """The verbs over an empty database."""
    return Pipeline(
        parts=Parts(
            settings=Settings(),
            engine=engine,
            sessions=session_factory(engine),
            keys=KEYS,
            links=Links("https://news.example"),
            operator="grace",
            now=clock,
        )
    )


def a_newsletter(pipeline, slug="rivers", **values):
    """Store a newsletter."""
    settings = Newsletter.model_validate(
        {
            "slug": slug,
            "name": {"en": "River News", "fr": "Nouvelles des rivières"},
            "languages": ["en", "fr"],
            "timezone": "Europe/Brussels",
            "sender": {"name": {"en": "River network", "fr": "Réseau des rivières"}, "address": "news@rivers.example"},
            "list_id": f"{slug}.rivers.example",
            "sections": [{"key": "news"}],
            **values,
        }
    )
    with pipeline.parts.sessions() as session:
        save_newsletter(session, settings, now=pipeline.parts.now())
        session.commit()


def states_of(pipeline, address=ADA):
    """How somebody stands to lists by name; their log says the same."""
    with pipeline.parts.sessions() as session:
        person = store.get_subscriber(session, address)
        found = {name: each.state for name, each in store.memberships_of(session, person.id).items()}
        replayed = replay(store.consent_of(session, person.digest))
        assert replayed.memberships == found
        assert replayed.departures == frozenset(store.departures_of(session, person.id))
        return found
