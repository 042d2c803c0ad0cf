"""Clicks and opened messages, from the message that is sent over the routes to the figures."""

import datetime as dt
import email
import email.policy
import re
from dataclasses import replace
from html import unescape

import pytest
from fastapi import FastAPI
from integration.feedback_scene import KEYS, NOW, RIVERS, Scene
from integration.samples import LINKS, SMALL_NEWSLETTER, edition_of, issue_of
from sqlalchemy import delete, event, update
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select
from visitor import Visitor

from newsletter.assembly.models import IssueRow
from newsletter.bootstrap import Pipeline
from newsletter.compilation import store as artifacts
from newsletter.compilation.compiler import compile_edition
from newsletter.compilation.neutral import neutral_page
from newsletter.content.models import NewsletterRow
from newsletter.content.newsletter import Tracking
from newsletter.dispatch.composer import MessageComposer, Sealing
from newsletter.dispatch.ledger import Claim
from newsletter.errors import NotFound
from newsletter.feedback.clicks import store
from newsletter.feedback.clicks.models import Engaged, EngagementRow, TallyRow
from newsletter.links import Links
from newsletter.pipeline.meaning import engagement
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow
from newsletter.web.public.reactions import DOT, router
from subscribers.models import Subscriber
from subscribers.segments import Reaction

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
TARGETS = [f"https://{name}.example/page?of={name}&x=1" for name in ("quays", "bats", "locks", "lamps", "silt")]


def pack(**newsletter):
    links = [{"label": f"Read of {url[8:13]}", "url": url} for url in TARGETS]
    entries = [
        {
            "key": f"entry{number}",
            "kind": "news",
            "section": "news",
            "published": "2026-11-10",
            "texts": {"en": {"title": f"Title {number}", "body": "Words.", "links": [link]}},
        }
        for number, link in enumerate(links)
    ]
    issue = {"slug": "2026-12", "date": "2026-12-01", "period": {"from": "2026-11-01", "to": "2026-11-30"}}
    texts = {"en": {"title": "December", "subject": "In December"}}
    settings = {**SMALL_NEWSLETTER, "slug": "rivers", **newsletter}
    return {"newsletter": settings, "entries": entries, "issues": [{**issue, "texts": texts}]}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The English edition for each way of counting."""
    made = {}
    for tracking, opens in (("totals", True), ("people", True), ("people", False)):
        folder = tmp_path_factory.mktemp("pack")
        facts = issue_of(folder, pack(tracking=tracking, opens=opens))
        made[tracking, opens] = compile_edition(edition_of(facts, "en"), links=LINKS)
    return made


class Reading:
    """Anna has got the issue 2026-12; a visitor follows its links while a clock is moved by hand."""

    def __init__(self, engine, compiled, tracking="people", *, opens=True):
        self.scene = Scene(engine)
        self.now = NOW + dt.timedelta(minutes=5)
        self.artifact = compiled[tracking, opens]
        self.set(tracking=tracking, opens=opens)
        with self.scene.sessions() as session:
            artifacts.put(session, self.artifact, now=NOW)
            session.commit()
        self.delivery = self.scene.delivery("2026-12", artifact=self.artifact.digest)
        self.pin()
        self.pipeline = Pipeline(parts=replace(self.scene.parts, now=lambda: self.now))
        app = FastAPI()
        app.include_router(router(self.pipeline))
        self.visitor = Visitor(app)
        self.sealing = Sealing(keys=KEYS, links=Links("https://news.example"), bounce_domain=None)

    def set(self, **settings):
        self.change(update(NewsletterRow).values(settings={**RIVERS, **settings}))

    def pin(self):
        with self.scene.sessions() as session:
            issue = session.exec(select(RunRow.issue_id)).one()
            artifacts.pin(session, issue, [self.artifact])
            session.commit()
            settings = session.exec(select(NewsletterRow.settings)).one()
        self.change(update(IssueRow).values(settings=settings))

    def change(self, statement):
        with self.scene.sessions() as session:
            session.execute(statement)
            session.commit()

    def message(self, mailing="issue:rivers/2026-12"):
        claim = Claim(
            delivery_id=self.delivery, epoch=1, number=1, repeats=0, run_id=1, address=None, language="en",
            since=NOW, dated=NOW, mailing=mailing, digest=self.scene.digest(), artifact=self.artifact.digest,
            subscriber_id=self.scene.subscriber().id,
        )  # fmt: skip
        composer = MessageComposer(self.scene.sessions, self.sealing)
        (draft,) = composer.look_up([claim])
        message = email.message_from_bytes(composer.compose(draft).data, policy=email.policy.default)
        return tuple(message.get_body((kind,)).get_content() for kind in ("html", "plain"))

    def links(self, **given):
        """Every counted link of the message, in order."""
        return list(dict.fromkeys(re.findall(r'href="(https://news\.example/r/[^"]+)"', self.message(**given)[0])))

    def dot(self):
        return re.search(r'src="(https://news\.example/o/[^"]+\.gif)"', self.message()[0])[1]

    def follow(self, url, *, method="GET", agent=BROWSER, after=60.0, **headers):
        self.now += dt.timedelta(seconds=after)
        return self.visitor.ask(method, url, headers={"user-agent": agent, **headers})

    def tally(self):
        with self.scene.sessions() as session:
            rows = session.exec(select(TallyRow).order_by(col(TallyRow.link))).all()
            return {row.link: (row.people, row.programs) for row in rows}

    def engaged(self):
        with self.scene.sessions() as session:
            return {row.kind: row.first for row in session.exec(select(EngagementRow)).all()}


@pytest.fixture
def reading(chosen_engine, compiled):
    """Anna reads an issue whose newsletter wants to know its readers."""
    made = Reading(chosen_engine, compiled)
    yield made
    made.visitor.close()


@pytest.fixture
def totals(chosen_engine, compiled):
    """Anna reads an issue whose newsletter counts links alone."""
    made = Reading(chosen_engine, compiled, "totals")
    yield made
    made.visitor.close()


def test_a_link_leads_on_and_is_counted_for_its_reader_once(reading):
    first = reading.links()[1]
    answers = [reading.follow(first) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [302, 302, 302]
    assert answers[0].headers["location"] == TARGETS[1]
    assert answers[0].headers["cache-control"] == "no-store"
    assert answers[0].headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answers[0].headers
    assert reading.tally() == {2: (3, 0)}
    assert reading.engaged() == {Engaged.CLICKED: NOW + dt.timedelta(minutes=6)}


def test_each_link_of_both_parts_leads_where_the_issue_says(reading):
    html, text = reading.message()
    found = dict.fromkeys(re.findall(r"https://news\.example/r/\S+?(?=[\"\s)])", html + text))
    led = {reading.follow(url).headers["location"] for url in found}

    assert led == set(TARGETS)
    assert not any(target in unescape(html) + text for target in TARGETS)
    assert "https://news.example/u/" in html
    assert "https://news.example/p/" in text


def test_an_opened_message_is_counted_by_its_dot(reading):
    answer = reading.follow(reading.dot())
    reading.follow(reading.dot())

    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, DOT, "image/gif")
    assert answer.headers["cache-control"] == "no-store"
    assert reading.tally() == {0: (2, 0)}
    assert reading.engaged() == {Engaged.OPENED: NOW + dt.timedelta(minutes=6)}


def test_there_is_no_dot_where_opened_messages_are_not_counted(chosen_engine, compiled):
    made = Reading(chosen_engine, compiled, opens=False)

    assert "/o/" not in made.message()[0]
    assert len(made.links()) == len(TARGETS)
    made.visitor.close()


def test_all_readers_have_the_same_links_where_nobody_is_to_be_known(totals):
    links = totals.links()
    totals.change(update(Subscriber).values(uid="anotheranotherbb"))

    assert totals.links() == links
    totals.follow(links[0])
    totals.follow(totals.dot())
    assert totals.tally() == {0: (1, 0), 1: (1, 0)}
    assert totals.engaged() == {}


@pytest.mark.parametrize("kind", ["reading", "totals"])
def test_a_crawler_that_follows_everything_is_counted_as_a_program_and_changes_nothing(kind, request):
    made = request.getfixturevalue(kind)
    before = made.scene.subscriber().model_dump()
    for method in ("HEAD", "GET"):
        for url in (*made.links(), made.dot()):
            made.follow(url, method=method, after=0.3)

    people = {link: counted for link, counted in made.tally().items() if link}
    assert people == dict.fromkeys(range(1, 6), (0, 2))
    assert Engaged.CLICKED not in made.engaged()
    assert made.scene.subscriber().model_dump() == before
    assert made.scene.suppression() is None


def test_what_was_taken_for_a_person_is_taken_back_when_it_shows_that_it_was_none(reading):
    links = reading.links()
    for url in links[:3]:
        reading.follow(url, after=0.5)
    assert Engaged.CLICKED in reading.engaged()

    reading.follow(links[3], after=0.5)
    assert reading.tally() == dict.fromkeys(range(1, 5), (0, 1))
    assert reading.engaged() == {}


def test_a_click_from_before_is_not_taken_back(reading):
    links = reading.links()
    reading.follow(links[0])
    first = reading.engaged()
    for url in links:
        reading.follow(url, after=20 if url == links[0] else 0.2)

    assert reading.engaged() == first
    assert reading.tally()[1] == (1, 1)


@pytest.mark.parametrize(
    "given",
    [
        {"method": "HEAD"},
        {"agent": "curl/8.5"},
        {"sec-purpose": "prefetch;prerender"},
    ],
)
def test_programs_are_led_on_and_counted_apart(reading, given):
    assert reading.follow(reading.links()[0], **given).status_code == 302
    assert reading.tally() == {1: (0, 1)}
    assert reading.engaged() == {}


def test_who_asks_before_the_message_is_out_or_within_two_seconds_is_a_program(reading):
    link = reading.links()[0]
    reading.change(update(DeliveryRow).values(state=DeliveryState.SENDING))
    reading.follow(link)
    reading.change(
        update(DeliveryRow).values(state=DeliveryState.ACCEPTED, changed=reading.now + dt.timedelta(minutes=1))
    )
    reading.follow(link, after=61)

    assert reading.tally() == {1: (0, 2)}
    reading.follow(link, after=120)
    assert reading.tally() == {1: (1, 2)}


def test_a_test_message_has_links_that_work_and_are_not_counted(reading):
    links = reading.links(mailing="test:rivers/2026-12/1")

    assert reading.follow(links[0]).headers["location"] == TARGETS[0]
    assert reading.tally() == {}


def test_a_newsletter_that_stops_counting_is_believed_at_once(reading):
    reading.set(tracking="totals")
    reading.follow(reading.links()[0])
    assert (reading.tally(), reading.engaged()) == ({1: (1, 0)}, {})

    reading.set()
    assert reading.follow(reading.links()[0]).status_code == 302
    assert reading.tally() == {1: (1, 0)}


def test_nobody_else_can_make_a_link(reading):
    link = reading.links()[0]
    token = link.removeprefix("https://news.example/r/").rpartition(".")[0]
    for text in (f"{token}.99", f"{token}.0", token, "x.1", f"{token[:-2]}AA.1", "https:%2F%2Fevil.example", "%00.1"):
        assert reading.follow(f"https://news.example/r/{text}").status_code == 404, text
    assert reading.visitor.get(f"https://news.example/r/{token}.1/https://evil.example").status_code == 404
    assert reading.visitor.post(link).status_code == 405
    assert reading.follow("https://news.example/o/made-up.gif").content == DOT
    assert reading.tally() == {}


def test_a_link_of_an_artifact_that_is_gone_leads_nowhere(reading):
    link, dot = reading.links()[0], reading.dot()
    with reading.scene.sessions() as session:
        session.execute(delete(artifacts.PinRow))
        session.execute(delete(artifacts.ArtifactRow))
        session.commit()

    assert reading.follow(link).status_code == 404
    assert reading.follow(dot).status_code == 200


def test_a_reader_who_was_erased_leaves_counts_behind_and_nothing_else(reading):
    links = reading.links()
    reading.follow(links[0])
    reading.change(delete(Subscriber))

    assert reading.engaged() == {}
    assert reading.follow(links[0]).headers["location"] == TARGETS[0]
    assert (reading.tally(), reading.engaged()) == ({1: (2, 0)}, {})


def test_a_reader_is_led_on_when_the_database_takes_no_count(reading):
    link = reading.links()[0]

    def locked(_connection, _cursor, statement, *_rest):
        if "click_tally" in statement:
            raise OperationalError(statement, {}, Exception("database is locked"))

    event.listen(reading.scene.parts.engine, "before_cursor_execute", locked)
    assert reading.follow(link).headers["location"] == TARGETS[0]
    event.remove(reading.scene.parts.engine, "before_cursor_execute", locked)
    assert reading.tally() == {}


def test_the_figures_add_up_the_links_of_a_language(reading):
    links = reading.links()
    reading.follow(links[0])
    reading.follow(links[4], agent="curl/8")
    reading.follow(reading.dot())
    figures = reading.pipeline.engagement.figures("2026-12", newsletter=None)
    (english,) = figures.editions

    assert (figures.newsletter, figures.issue, figures.tracking, figures.opens) == (
        "rivers", "2026-12", Tracking.PEOPLE, True,
    )  # fmt: skip
    assert (english.language, english.accepted) == ("en", 1)
    assert [(link.url, link.times.people, link.times.programs) for link in english.links] == [
        (url, int(url == TARGETS[0]), int(url == TARGETS[4])) for url in TARGETS
    ]
    assert (english.opens.people, english.readers) == (1, {Engaged.CLICKED: 1, Engaged.OPENED: 1})
    with pytest.raises(NotFound):
        reading.pipeline.engagement.figures("1999-01", newsletter=None)


def test_an_artifact_that_does_not_count_has_no_marks(reading, tmp_path):
    plain = compile_edition(edition_of(issue_of(tmp_path, pack()), "en"), links=LINKS)

    assert (plain.tracking, plain.tracked) == (Tracking.OFF, ())
    assert b"/r/" not in plain.skeleton


@pytest.mark.parametrize("language", ["en", "fr"])
def test_readers_are_told_what_is_counted_and_the_archive_is_not(tmp_path, language):
    facts = issue_of(tmp_path, pack(tracking="people", opens=True))
    edition = edition_of(facts, language)
    artifact = compile_edition(edition, links=LINKS)
    words = edition.counting.words

    assert words.startswith({"en": "We record whether", "fr": "Nous enregistrons si"}[language])
    assert words in unescape(artifact.html)
    assert words in " ".join(artifact.text.split())
    page = neutral_page(artifact, edition)
    assert words not in unescape(page.body)
    assert "/r/" not in page.body
    assert "/o/" not in page.body
    assert TARGETS[0] in unescape(page.body)


class Readers:
    """Some people and what they did, in either database."""

    def __init__(self, engine):
        self.scene = Scene(engine)
        self.scene.delivery("2026-12")
        self.scene.delivery("2027-01", state=DeliveryState.REFUSED)
        self.anna = self.scene.subscriber().id

    def ids(self, kind, what):
        with self.scene.sessions() as session:
            look = engagement(session)(Reaction(kind), what)
            return {found for found in session.scalars(look) if found is not None}


def test_segments_can_ask_who_received_opened_or_clicked(engine):
    readers = Readers(engine)
    anna = readers.anna
    with readers.scene.sessions() as session:
        for _ in range(2):
            store.record(session, "issue:rivers/2026-12", Engaged.CLICKED, subscriber_id=anna, now=NOW)
        store.record(session, "issue:lakes/2027-01", Engaged.OPENED, subscriber_id=anna, now=NOW)
        session.commit()
        told = store.engagement_of(session, anna)
    later = NOW + dt.timedelta(seconds=1)

    assert readers.ids("clicked", "2026-12") == readers.ids("clicked", "rivers/2026-12") == {anna}
    assert readers.ids("clicked", "lakes/2026-12") == set()
    assert readers.ids("clicked", "2027-01") == set()
    assert readers.ids("opened", "2027-01") == set()
    assert readers.ids("opened", NOW) == readers.ids("clicked", NOW) == {anna}
    assert readers.ids("clicked", later) == set()
    assert readers.ids("received", "2026-12") == readers.ids("received", NOW) == {anna}
    assert readers.ids("received", "2027-01") == readers.ids("received", later) == set()
    assert [(row.mailing, row.kind) for row in told] == [
        ("issue:lakes/2027-01", Engaged.OPENED),
        ("issue:rivers/2026-12", Engaged.CLICKED),
    ]
    with pytest.raises(ValueError, match="liked"):
        store.reacted("liked", ["issue:rivers/2026-12"])


def test_what_was_received_in_a_run_that_ended_long_ago_is_not_looked_for(engine):
    readers = Readers(engine)
    with readers.scene.sessions() as session:
        session.execute(update(RunRow).values(ended=NOW))
        session.commit()

    assert readers.ids("received", NOW) == {readers.anna}
    assert readers.ids("received", NOW + dt.timedelta(days=2)) == set()


def test_counts_are_kept_apart_and_can_be_taken_back(engine, compiled):
    scene, artifact = Scene(engine), compiled["totals", True]
    with scene.sessions() as session:
        artifacts.put(session, artifact, now=NOW)
        for by_program in (False, False, True):
            store.count(session, artifact.digest, 3, by_program=by_program)
        store.count(session, artifact.digest, 0, by_program=False)
        assert store.tallies(session, [artifact.digest]) == {artifact.digest: {3: (2, 1), 0: (1, 0)}}

        store.recount(session, artifact.digest, (3, 3, 0, 7))
        assert store.tallies(session, [artifact.digest]) == {artifact.digest: {3: (0, 3), 0: (0, 1)}}
        store.recount(session, artifact.digest, (3,))
        assert store.tallies(session, [artifact.digest])[artifact.digest][3] == (0, 3)

        assert store.marked(session, artifact.digest[:16]).targets == tuple(TARGETS)
        assert store.marked(session, "f" * 16) is None
        assert store.tracking_now(session, "nobody") is Tracking.OFF


def test_who_clicked_is_forgotten_when_its_term_is_over_and_the_counts_stay(engine):
    readers = Readers(engine)
    with readers.scene.sessions() as session:
        for number in range(5):
            at = NOW + dt.timedelta(days=number)
            store.record(session, f"issue:rivers/{number}", Engaged.CLICKED, subscriber_id=readers.anna, now=at)
        before = NOW + dt.timedelta(days=3)

        assert store.count_engagement(session, before) == 3
        assert [store.drop_engagement(session, before, 2) for _ in range(3)] == [2, 1, 0]
        assert [row.mailing for row in store.engagement_of(session, readers.anna)] == [
            "issue:rivers/3",
            "issue:rivers/4",
        ]
