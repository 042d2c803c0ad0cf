"""
The desk of a large installation while a run goes out: 200,000 subscribers, 2,000 entries, 60 issues.

Every page that links lead to is asked for over and over, over HTTP, from a web process of its own, while a dispatcher
sends over a line of 20 ms round trip. Said are the 95th percentile of each route and what the run lost of its speed.
"""

import contextlib
import datetime as dt
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from itertools import cycle

import httpx
import pytest
from benchmarks.scene import an_installation, free_port, slow_line, smtp_sink
from desk_house import walk

from newsletter.accounts import sessions
from newsletter.accounts.models import OperatorRow
from newsletter.accounts.operator import OperatorId, Role
from newsletter.assembly import store as issues
from newsletter.content import store as content
from newsletter.content.entry import Entry
from newsletter.content.issue import IssuePlan
from newsletter.web.app import create_app
from newsletter.web.desk.guard import COOKIE

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

PEOPLE = int(os.environ.get("NEWSLETTER_TESTS_PEOPLE", "200000"))
ENTRIES, ISSUES = 2_000, 60
CONNECTIONS = 10
ROUND_TRIP = 0.020
BOUND = 0.300
"""Seconds at the 95th percentile."""
LOSS = 0.10
"""Of the run's speed, at most."""
SECONDS = int(os.environ.get("NEWSLETTER_TESTS_SECONDS", "40"))
"""How long the run is watched without the desk, and again with it."""
ASKED_EVERY = 0.5
"""Seconds between two pages that an officer opens: quicker than anybody clicks all day."""

BODY = " ".join(f"word{number} of the river and its quays" for number in range(60))


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("load")
    database = f"sqlite:///{folder / 'n.sqlite'}"
    pipeline, _ = an_installation(folder, database, people=PEOPLE)
    newsletter = pipeline.entries.newsletters()[0]
    now = pipeline.parts.now()
    with pipeline.parts.sessions() as session:
        newsletter_id, _ = content.get_newsletter(session, newsletter.slug)
        content.save_entries(session, newsletter_id, entries=[entry(newsletter, n) for n in range(ENTRIES)], now=now)
        for number in range(ISSUES):
            day = dt.date(2021, 1, 28) + dt.timedelta(days=30 * number)
            planned = {
                "slug": f"n-{number}",
                "date": day,
                "period": {"from": day - dt.timedelta(days=30), "to": day - dt.timedelta(days=1)},
                "texts": {tag: {"title": f"No. {number}", "subject": f"No. {number}"} for tag in newsletter.languages},
                "items": [f"entry-{number + place}" for place in range(20)],
            }
            issues.save_plan(session, newsletter_id, IssuePlan.model_validate(planned), now=now)
        operator = OperatorRow(name="anna", role=Role.ADMIN, language="en", timezone="Europe/Brussels", created=now)
        session.add(operator)
        session.flush()
        token = sessions.begin(session, OperatorId(operator.id), agent="bench", now=now)
        session.commit()
    for number in (ISSUES - 1, ISSUES - 2):
        pipeline.editorial.assemble(f"n-{number}", newsletter=newsletter.slug)
    yield {"folder": folder, "database": database, "pipeline": pipeline, "slug": newsletter.slug, "token": token}
    pipeline.parts.engine.dispose()


def entry(newsletter, number):
    texts = {tag: {"title": f"Quay {number} in {tag}", "body": f"{BODY} {number}"} for tag in newsletter.languages}
    day = dt.date(2020, 1, 1) + dt.timedelta(days=number)
    section = newsletter.sections[number % 2].key
    return Entry.model_validate(
        {"key": f"entry-{number}", "kind": "news", "section": section, "published": day, "texts": texts}
    )


@contextlib.contextmanager
def process(*arguments, **settings):
    environment = {**os.environ, **{f"NEWSLETTER_{name}": str(value) for name, value in settings.items()}}
    command = [sys.executable, "-m", "newsletter", *arguments]
    running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(timeout=60)


def accepted(house):
    with contextlib.closing(sqlite3.connect(house["folder"] / "n.sqlite", timeout=30)) as database:
        return database.execute("SELECT count(*) FROM delivery WHERE state = 'accepted'").fetchone()[0]


def rate_while(house, work):
    before, began = accepted(house), time.monotonic()
    work()
    return (accepted(house) - before) / (time.monotonic() - began)


def test_every_page_answers_in_time_while_a_run_goes_out(house):
    with smtp_sink() as sink, slow_line(sink, round_trip=ROUND_TRIP) as line, contextlib.ExitStack() as stack:
        settings = {"DATABASE__URL": house["database"], "PUBLIC_URL": "https://news.example"}
        port = free_port()
        smtp = {"SMTP__HOST": "127.0.0.1", "SMTP__PORT": line, "SMTP__TLS": "none", "SMTP__CONNECTIONS": CONNECTIONS}
        stack.enter_context(process("web", "--port", str(port), **settings))
        stack.enter_context(process("dispatch", **settings, **smtp))
        cookies = {COOKIE: house["token"]}
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", cookies=cookies, timeout=30))
        await_start(client, house)
        pages = every_page(client, house)
        alone = rate_while(house, lambda: time.sleep(SECONDS))
        seconds = defaultdict(list)
        beside = rate_while(house, lambda: ask(client, pages, seconds))
        for _ in range(4):  # enough of each for a percentile; the run goes on
            ask(client, pages, seconds, pause=0.0)
        figures = {route: percentile(found) for route, found in seconds.items()}
        tell(figures, seconds, alone=alone, beside=beside)
        assert {route: figure for route, figure in figures.items() if figure > BOUND} == {}
        assert beside > (1 - LOSS) * alone


def await_start(client, house):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if client.get("/health").status_code == 200 and accepted(house) > 100:
                return
        time.sleep(0.2)
    raise TimeoutError("nothing is served, or nothing is sent")


def every_page(client, house):
    """Path and route of every page, two of each route at most; asked once, so that nothing is made for the first time."""
    app = create_app(house["pipeline"])
    starts = ("/desk", "/desk/newsletters", f"/desk/n/{house['slug']}/issues/n-{ISSUES - 1}/check")
    found = [page for page in walk(app, client.get, *starts, at_most=2) if page.answer.status_code == 200]
    return [(page.path, page.route) for page in found]


def ask(client, pages, seconds, *, pause=ASKED_EVERY):
    until = time.monotonic() + SECONDS
    for path, route in cycle(pages):
        if time.monotonic() > until:
            return
        began = time.perf_counter()
        answer = client.get(path)
        seconds[route].append(time.perf_counter() - began)
        assert answer.status_code < 400, (path, answer.status_code)
        time.sleep(pause)


def percentile(found):
    return statistics.quantiles([*found, found[0]], n=100, method="inclusive")[94]


def tell(figures, seconds, *, alone, beside):
    print(f"\n{PEOPLE:,} people, {ENTRIES:,} entries, {ISSUES} issues; {alone:,.0f}/s alone, {beside:,.0f}/s beside")
    for route, figure in sorted(figures.items(), key=lambda pair: -pair[1]):
        print(f"{figure * 1000:8.0f} ms  {len(seconds[route]):4}  {route}")
    print(json.dumps({"alone": alone, "beside": beside, "slowest": max(figures.values())}))
