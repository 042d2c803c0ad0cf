import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.assembly.edition import Anchor, Block, CalendarEvent, Edition, FooterView, Phrase, SectionView
from newsletter.content.entry import Action, Kind, SittingStatus
from newsletter.content.newsletter import Show, Theme
from newsletter.times import Span, local

THEMES = Path(__file__).parent / "themes"


def a_block(key="dredging", **changes):
    block = Block(
        key=key,
        kind=Kind.NEWS,
        topic=Phrase(text="SiltWatch"),
        topic_url=None,
        lang=None,
        dir=None,
        title="Eleven partners compare their records",
        body="The partners met in **Szeged (HU)**, [[first_name|dear reader]].",
        links=(an_anchor(),),
        picture=None,
        place=None,
        sittings=(),
        segment=None,
    )
    return replace(block, **changes)


def an_anchor(url="https://www.rivers.example/en/silt?a=1&b=2", *, action=Action.READ_MORE, label=None):
    return Anchor(url=url, action=action, label=label, context=Phrase(text="Eleven partners compare their records"))


def an_event(key="main", **changes):
    event = CalendarEvent(
        uid=f"river-cities.assembly.{key}@rivers.example",
        sequence=0,
        span=Span(start=local(dt.datetime(2026, 12, 1, 14), "Europe/Brussels")),  # noqa: DTZ001  a wall clock beside its zone
        title="General assembly",
        description="",
        location="",
        url=None,
        status=SittingStatus.CONFIRMED,
    )
    return replace(event, **changes)


def an_edition(*blocks, **changes):
    section = SectionView(
        key="news",
        title=Phrase(text="Our projects"),
        show=Show.BLOCKS,
        columns=1,
        marker=None,
        blocks=blocks or (a_block(),),
        lines=(),
    )
    footer = FooterView(address=None, phone=None, email=None, text=None, social=(), logos=(), credits=())
    edition = Edition(
        newsletter="river-cities",
        issue="2026-12",
        number=42,
        date=dt.date(2026, 12, 1),
        date_words="1 December 2026",
        language="en",
        locale="en-GB",
        dir="ltr",
        variant="",
        name=Phrase(text="River Cities News"),
        title=Phrase(text="December 2026"),
        subject="River Cities News: quays at night",
        preheader=Phrase(text="Lamps that let the bats sleep"),
        intro=Phrase(text="Welcome to the *December* issue."),
        sender_name="River Cities network",
        sender_address="news@rivers.example",
        reply_to="office@rivers.example",
        list_id="river-cities.rivers.example",
        website=None,
        theme=Theme(name="plain"),
        logo=None,
        web_view="https://news.example/archive/river-cities/2026-12/en",
        calendar="https://news.example/archive/river-cities/2026-12/en/issue.ics",
        alternates=(),
        sections=(section,),
        footer=footer,
        events=(),
        fallbacks=(),
        missing=(),
        blocked=(),
    )
    return replace(edition, **changes)


@pytest.fixture
def themes():
    return THEMES


@pytest.fixture
def make_edition():
    return an_edition


@pytest.fixture
def make_block():
    return a_block


@pytest.fixture
def make_anchor():
    return an_anchor


@pytest.fixture
def make_event():
    return an_event
