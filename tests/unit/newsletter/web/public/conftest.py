"""The pages of subscribers over verbs that only remember what they were asked."""

import datetime as dt
from types import SimpleNamespace

import pytest
from plain_browser import PlainBrowser
from visitor import ROOT, visiting

from newsletter.content.newsletter import Newsletter
from newsletter.errors import FormStale, NotFound
from newsletter.links import Links
from newsletter.pipeline.card import Card, ListChoice
from newsletter.pipeline.signup import (
    Confirmed,
    Consent,
    Invitation,
    InvitationState,
    ListOffer,
    NewsletterOffer,
    Offer,
)
from newsletter.web import app as module
from newsletter.web.app import create_app
from newsletter.web.public import confirm, own_data, preferences, subscribe
from subscribers.errors import TokenRefused
from subscribers.models import RequestKind

RIVERS = Newsletter.model_validate(
    {
        "slug": "rivers",
        "name": {"en": "River Post", "fr": "Courrier des fleuves"},
        "languages": ["en", "fr"],
        "timezone": "Europe/Brussels",
        "sender": {"name": "River Cities", "address": "post@rivers.example"},
        "list_id": "post.rivers.example",
        "website": "https://rivers.example/",
        "footer": {"address": "Quay 1, Tideham", "email": "hello@rivers.example"},
        "sections": [{"key": "lead"}],
    }
)
OFFERED = NewsletterOffer(slug="rivers", name="River Post", languages=("en", "fr"))
MONTHLY = ListOffer(name="monthly", title="Every month", description="On the first.", language="en")
PRESS = ListOffer(name="press", title="For the press", description="", language="en")
CONSENT = Consent(text="I would like to receive this.", language="en", version="1")
MASKED = "a•••@t•••.example"


class Signup:
    """Takes forms; `raises` is what it answers instead, once."""

    def __init__(self):
        self.lists = (MONTHLY, PRESS)
        self.several = False
        self.asked, self.answered, self.raises = [], 0, None
        self.invitation = Invitation(
            kind=RequestKind.LISTS,
            state=InvitationState.OPEN,
            newsletter=OFFERED,
            lists=(MONTHLY,),
            masked=MASKED,
            language="en",
            asked=dt.datetime(2026, 12, 1, tzinfo=dt.UTC),
            preferences="",
        )
        self.confirmed = []

    def newsletters(self, *, language):
        other = NewsletterOffer(slug="lakes", name="Lakes", languages=("en",))
        return (OFFERED, other) if self.several else (OFFERED,)

    def offer(self, newsletter, *, language, lists=()):
        if newsletter != "rivers":
            raise NotFound("newsletter", newsletter)
        offered = tuple(each for each in self.lists if not lists or each.name in lists)
        return Offer(newsletter=OFFERED, lists=offered, consent=CONSENT, stamp="fresh")

    def ask(self, asked):
        if self.raises:
            error, self.raises = self.raises, None
            raise error
        if not asked.stamp:
            raise FormStale
        self.asked.append(asked)

    def answer(self):
        self.answered += 1
        return 1

    def look(self, token):
        if token not in {"token", "gone"}:
            raise TokenRefused
        return self.invitation if token == "token" else None

    def confirm(self, token, *, origin):
        invitation = self.look(token)
        if self.raises:
            raise self.raises
        self.confirmed.append((token, origin))
        return invitation and Confirmed(
            kind=invitation.kind,
            state=InvitationState.CONFIRMED,
            changed=True,
            newsletter=OFFERED,
            lists=invitation.lists,
            language="en",
            preferences="preferences-token",
        )


class Own:
    """One person, whose address is anne@towns.example."""

    def __init__(self):
        self.done, self.raises = [], None
        self.known = True
        self.card = Card(
            masked=MASKED,
            first_name="Anne",
            last_name="",
            language="en",
            timezone="Europe/Brussels",
            languages=("en", "fr"),
            lists=(
                ListChoice(offer=MONTHLY, joined=True, pending=False),
                ListChoice(offer=PRESS, joined=False, pending=False),
            ),
            left=(),
            awaiting="",
            barred=False,
            preferences="token",
            consent=CONSENT,
        )

    def look(self, token, *, language):
        if token != "token":
            raise TokenRefused
        return self.card if self.known else None

    def change(self, token, changes):
        self._note("change", changes)
        return frozenset({"language"} if changes.language != self.card.language else {"first_name"})

    def ask_for_address(self, token, new, *, origin):
        self._note("ask_for_address", new, origin)

    def keep_address(self, token):
        self._note("keep_address")
        return True

    def owns(self, token, address):
        return address.lower() == "anne@towns.example"

    def export(self, token):
        self._note("export")
        return {"address": "anne@towns.example", "since": dt.date(2026, 12, 1), "city": "Liège"}

    def erase(self, token):
        self._note("erase")
        self.known = False
        return True

    def _note(self, *done):
        if self.raises:
            raise self.raises
        self.done.append(done)


class Entries:
    """One newsletter."""

    def newsletters(self):
        return [RIVERS]

    def newsletter(self, slug):
        if slug != "rivers":
            raise NotFound("newsletter", slug)
        return RIVERS


class Archive:
    """Has issues, or has none yet."""

    def __init__(self):
        self.open = True

    def has_issues(self, newsletter):
        return self.open


@pytest.fixture
def pipeline():
    return SimpleNamespace(
        parts=SimpleNamespace(links=Links(ROOT)), signup=Signup(), own=Own(), entries=Entries(), archive=Archive()
    )


@pytest.fixture
def browser(pipeline, monkeypatch):
    monkeypatch.setattr(module, "ROUTERS", (subscribe.router, confirm.router, preferences.router, own_data.router))
    monkeypatch.setattr(module, "DESK_ROUTERS", ())
    with visiting(create_app(pipeline)) as visitor:
        yield PlainBrowser(visitor)
