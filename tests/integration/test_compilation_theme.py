"""The program's own theme through the whole chain, with everything an edition can hold."""

import datetime as dt
import os
import subprocess
import sys
import time
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from newsletter.assembly.edition import (
    Alternate,
    Anchor,
    Block,
    CalendarEvent,
    Edition,
    FooterView,
    Line,
    LinePart,
    LogoView,
    Phrase,
    Picture,
    PlaceView,
    SectionView,
    SittingView,
    SocialView,
)
from newsletter.compilation.artifact import SAMPLE
from newsletter.compilation.calendar_file import issue_file
from newsletter.compilation.compiler import compile_edition, compile_issue, sample_message, sample_values
from newsletter.compilation.structure import shape_of
from newsletter.compilation.theme import theme_names
from newsletter.content.entry import Action, Kind, SittingStatus
from newsletter.content.newsletter import Show, Theme
from newsletter.links import Links
from newsletter.times import Span, local

LINKS = Links("https://news.example")
SITE = "https://www.rivers.example/en"
DIRECTIONS = {"en": "ltr", "fr": "ltr", "es": "ltr", "de": "ltr", "el": "ltr", "ar": "rtl", "hu": "ltr"}


def anchor(path, *, action=Action.READ_MORE, label=None, context="Quays at night"):
    return Anchor(url=f"{SITE}/{path}", action=action, label=label, context=Phrase(text=context))


def sitting(key, status=SittingStatus.CONFIRMED, **changes):
    view = SittingView(
        key=key,
        uid=f"rivers.sessions.{key}@rivers.example",
        sequence=0,
        span=Span(start=local(dt.datetime(2026, 12, 1, 14), "Europe/Brussels")),  # noqa: DTZ001  a wall clock
        when="Tuesday 1 December 2026, 14:00 CET",
        languages="French",
        title=Phrase(text=f"What does a square cost? {key}", lang="fr", dir="ltr"),
        body=Phrase(text="Bring your *figures*."),
        place=PlaceView(words=Phrase(text="City Hall, Szeged (HU)"), online="https://meet.rivers.example/water"),
        links=(anchor(f"sessions/{key}", action=Action.REGISTER, context=f"What does a square cost? {key}"),),
        status=status,
        calendar=f"https://news.example/archive/rivers/2026-12/en/sessions.{key}.ics",
    )
    return replace(view, **changes)


def block(key, kind=Kind.NEWS, **changes):
    title = f"Quays at night: {key}"
    view = Block(
        key=key,
        kind=kind,
        topic=Phrase(text="SiltWatch"),
        topic_url=f"{SITE}/siltwatch",
        lang=None,
        dir=None,
        title=title,
        body=f"Dear [[first_name|reader]], **bold**\n*italic* and a [list]({SITE}/{key}/list):\n\n- one\n- two\n\n> Who pays?",
        links=(
            anchor(key, context=title),
            anchor(f"{key}/programme", action=None, label=Phrase(text=f"Programme of {key}"), context=title),
        ),
        picture=None,
        place=None,
        sittings=(),
        segment=None,
    )
    return replace(view, **changes)


def picture():
    return Picture(
        url="https://www.rivers.example/img/maas.jpg",
        alt=Phrase(text='The Maas "by night"', lang="fr", dir="ltr"),
        credit=Phrase(text="Photo: City of Rotterdam"),
        link=f"{SITE}/rotterdam",
        width=1200,
        height=700,
    )


def line(key):
    return Line(
        key=key,
        when="1 December 2026",
        first_day=dt.date(2026, 12, 1),
        topic=Phrase(text="Living with water"),
        parts=(
            LinePart(
                title=Phrase(text="Retention squares"),
                languages="French",
                links=(anchor(f"{key}/a", action=Action.REGISTER),),
                status=SittingStatus.MOVED,
            ),
            LinePart(
                title=Phrase(text="Places inondables", lang="fr", dir="ltr"),
                languages=None,
                links=(),
                status=SittingStatus.CANCELLED,
            ),
        ),
        place=PlaceView(words=Phrase(text="Rotterdam (NL)"), online=None),
        segment=None,
    )


def section(key, *blocks, lines=(), title="A section", columns=1, marker=None):
    return SectionView(
        key=key,
        title=Phrase(text=title) if title else None,
        show=Show.LINES if lines else Show.BLOCKS,
        columns=columns,
        marker=marker,
        blocks=blocks,
        lines=tuple(lines),
    )


def an_edition(language="en", *, theme="network", **changes):
    others = [tag for tag in ("en", "fr", "es", "ar") if tag != language]
    sections = (
        section(
            "lead",
            block("lead", picture=picture(), place=PlaceView(words=Phrase(text="Rotterdam"), online=None)),
            title="",
        ),
        section("projects", *(block(f"news-{number}") for number in range(5)), columns=2),
        section(
            "sessions",
            block(
                "sessions",
                Kind.AGENDA,
                sittings=(
                    sitting("one"),
                    sitting("two", SittingStatus.MOVED, languages=None, place=None),
                    sitting("three", SittingStatus.CANCELLED, title=None, body=None, links=()),
                ),
            ),
        ),
        section("resources", block("factsheet", Kind.PUBLICATION, lang="fr", dir="ltr", title="Éclairer un quai")),
        section("did-you-know", block("locks", Kind.NOTE, topic=None, links=()), marker="arrow"),
        section("agenda", lines=[line("one"), line("two")]),
    )
    footer = FooterView(
        address=Phrase(text="River Cities, 1 Quay Street"),
        phone="+32 4 000 00 00",
        email="office@rivers.example",
        text=Phrase(text="61 local authorities on 19 rivers."),
        social=(SocialView(network="mastodon", url="https://social.example/@rivers"),),
        logos=(
            LogoView(url="https://www.rivers.example/funder.png", alt=Phrase(text="Rivers Fund"), link=f"{SITE}/fund"),
        ),
        credits=(Phrase(text="SiltWatch: co-funded by the Rivers Fund."),),
    )
    edition = Edition(
        newsletter="rivers",
        issue="2026-12",
        number=42,
        date=dt.date(2026, 12, 1),
        date_words="1 December 2026",
        language=language,
        locale=language,
        dir=DIRECTIONS[language],
        variant="",
        name=Phrase(text="River Cities News"),
        title=Phrase(text="December 2026"),
        subject="River Cities News: quays at night",
        preheader=Phrase(text="Lamps that let the bats sleep"),
        intro=Phrase(text="Welcome, [[first_name|dear reader]]."),
        sender_name="River Cities network",
        sender_address="news@rivers.example",
        reply_to="office@rivers.example",
        list_id="rivers.rivers.example",
        website="https://www.rivers.example/",
        theme=Theme(name=theme, accent="#FFD200"),
        logo=LogoView(
            url="https://www.rivers.example/logo.png",
            alt=Phrase(text="River Cities"),
            link="https://www.rivers.example/",
        ),
        web_view=f"https://news.example/archive/rivers/2026-12/{language}",
        calendar=f"https://news.example/archive/rivers/2026-12/{language}/issue.ics",
        alternates=tuple(
            Alternate(language=tag, name=tag.upper(), url=f"https://news.example/archive/rivers/2026-12/{tag}")
            for tag in others
        ),
        sections=sections,
        footer=footer,
        events=(
            CalendarEvent(
                uid="rivers.sessions.one@rivers.example",
                sequence=0,
                span=Span(start=dt.date(2026, 12, 1)),
                title="Sessions",
                description="",
                location="",
                url=None,
                status=SittingStatus.CONFIRMED,
            ),
        ),
        fallbacks=(),
        missing=(),
        blocked=(),
    )
    return replace(edition, **changes)


@pytest.mark.parametrize("theme", theme_names())
@pytest.mark.parametrize("language", DIRECTIONS)
def test_a_full_edition_compiles_and_its_text_shows_every_link(theme, language):
    artifact = compile_edition(an_edition(language, theme=theme), links=LINKS)
    assert artifact.text_lacks == ()
    assert artifact.unknown == ()
    assert {slot.name for slot in artifact.slots} >= {"first_name", "unsubscribe_url", "preferences_url"}
    assert shape_of(artifact.html).unbalanced == 0
    for shown in (
        "Quays at night: news-4",
        "Éclairer un quai",
        "Retention squares",
        "61 local authorities",
        "co-funded",
    ):
        assert shown in shape_of(artifact.html).words
        assert shown in " ".join(artifact.text.split())
    assert "bold italic" in shape_of(artifact.html).words
    if DIRECTIONS[language] == "rtl":
        assert "direction:ltr" not in artifact.html


@pytest.mark.parametrize("theme", theme_names())
@pytest.mark.parametrize(
    "changes",
    [
        {"sections": ()},
        {"sections": (section("lead", block("one"), title=""),)},
        {"sections": (section("all", *(block(f"n{number}") for number in range(40)), columns=2),)},
        {"logo": None, "number": None, "alternates": (), "reply_to": None, "website": None},
        {"intro": Phrase(text=""), "preheader": Phrase(text="")},
        {"footer": FooterView(address=None, phone=None, email=None, text=None, social=(), logos=(), credits=())},
    ],
    ids=["empty", "one", "forty", "bare", "silent", "footless"],
)
def test_an_edition_of_any_size_compiles(theme, changes):
    artifact = compile_edition(an_edition(theme=theme, **changes), links=LINKS)
    assert artifact.text_lacks == ()


@pytest.mark.parametrize("theme", theme_names())
def test_hostile_words_are_inert_in_every_place_of_a_theme(theme):
    hostile = '{{ 7*7 }} <script>alert(1)</script> </td></mj-text> [[unsubscribe]] " onload="x" 🌊 مدن'
    long = "Donaudampfschifffahrt" * 240
    everywhere = replace(
        an_edition(theme=theme),
        name=Phrase(text=hostile),
        title=Phrase(text=hostile),
        preheader=Phrase(text=hostile),
        intro=Phrase(text=hostile, lang="ar", dir="rtl"),
        sections=(
            section(
                "a", block("a", title=hostile, body=f"{hostile}\n\n{long}", topic=Phrase(text=hostile)), title=hostile
            ),
            section("b", block("b", picture=replace(picture(), alt=Phrase(text=hostile), credit=Phrase(text=hostile)))),
            section("c", block("c", Kind.AGENDA, sittings=(sitting("x", title=Phrase(text=hostile), when=hostile),))),
            section("d", lines=[replace(line("l"), topic=Phrase(text=hostile), when=hostile)], title=hostile),
        ),
    )
    artifact = compile_edition(everywhere, links=LINKS)
    words = shape_of(artifact.html).words
    for text in (words, " ".join(artifact.text.split())):
        assert text.count("{{ 7*7 }} <script>alert(1)</script> </td></mj-text> [[unsubscribe]]") >= 5
        assert long in text
    assert "<script" not in artifact.html
    assert 'onload="' not in artifact.html.replace('" onload="x" 🌊', "")
    assert artifact.unknown == ("unsubscribe",)


@pytest.mark.unwatched  # what is measured is the program, not its being watched
@pytest.mark.unwatched
def test_four_languages_compile_in_less_than_a_second():
    editions = [an_edition(language) for language in ("en", "fr", "es", "de")]
    compile_edition(editions[0], links=LINKS)
    seconds = []
    while len(seconds) < 3 or (min(seconds) >= 1 and len(seconds) < 12):
        start = time.process_time()
        artifacts = compile_issue(editions, links=LINKS)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 1, "the best of many is the program's own time, whatever else the machine does"
    assert len({artifact.digest for artifact in artifacts}) == 4


def test_another_process_with_another_hash_seed_gives_the_same_bytes():
    code = (
        "import importlib.util as u, sys; s = u.spec_from_file_location('t', sys.argv[1]); m = u.module_from_spec(s);"
        "s.loader.exec_module(m); a = m.compile_edition(m.an_edition('fr'), links=m.LINKS);"
        "print(a.digest, m.sha(m.issue_file(m.an_edition('fr'))))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, __file__],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    own = compile_edition(an_edition("fr"), links=LINKS).digest
    assert found == f"{own} {sha(issue_file(an_edition('fr')))}\n"


def sha(content):
    from hashlib import sha256

    return sha256(content).hexdigest()


@pytest.mark.parametrize("language", ["en", "el", "ar"])
def test_the_sample_message_reads_back_as_the_filled_parts(language):
    artifact = compile_edition(an_edition(language), links=LINKS)
    message = message_from_bytes(sample_message(artifact), policy=default)
    assert not message.defects
    text, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    assert text == artifact.text_for(sample_values(artifact))
    assert html == artifact.html_for(sample_values(artifact))
    assert "https://t.invalid" not in text + html
    assert SAMPLE.unsubscribe_url in text
    assert "dear reader" in text
