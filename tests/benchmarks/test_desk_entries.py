"""How long the pages of entries take with two thousand of them, in the state that a few years leave behind."""

import statistics
import time

import pytest
from integration.desk import desk_client
from integration.signing import Clock
from integration.writing import START, an_entry, rivers
from sqlalchemy import update
from sqlmodel import col

from newsletter.assembly import store as issues
from newsletter.content import store
from newsletter.content.issue import IssuePlan
from newsletter.content.models import EntryText
from newsletter.database import open_engine
from subscribers.columns import Base

pytestmark = pytest.mark.long

ENTRIES = 2_000
ISSUES = 60
TIMES = 12
BOUND = 0.300
"""Seconds at the 95th percentile on two cores."""

PATH = "/desk/n/rivers/entries"
BODY = " ".join(f"word{number} of the river and its quays" for number in range(60))


@pytest.fixture(scope="module")
def anna(tmp_path_factory):
    """An officer of a newsletter with many entries in three languages, each with a history."""
    folder = tmp_path_factory.mktemp("many")
    engine = open_engine(f"sqlite:///{folder / 'n.sqlite'}")
    Base.metadata.create_all(engine)
    clock = Clock(START)
    pipeline = rivers(engine, folder, clock=clock)
    many = []
    for number in range(ENTRIES):
        tags = ("en", "fr", "es")[: 1 + number % 3]
        texts = {tag: {"title": f"Quay {number} in {tag}", "body": f"{BODY} {number}"} for tag in tags}
        day = f"20{20 + number % 7}-{number % 12 + 1:02}-{number % 28 + 1:02}"
        many.append(an_entry(f"entry-{number}", published=day, texts=texts))
    with pipeline.parts.sessions() as session:
        store.save_entries(session, 1, entries=many, now=clock())
        for number in range(ISSUES):
            planned = {
                "slug": f"n-{number}",
                "date": f"20{20 + number // 12}-{number % 12 + 1:02}-28",
                "period": {"from": "2020-01-01", "to": "2020-01-31"},
                "texts": {tag: {"title": f"No. {number}", "intro": BODY * 4} for tag in ("en", "fr", "es")},
                "items": [f"entry-{number + place}" for place in range(20)],
            }
            issues.save_plan(session, 1, IssuePlan.model_validate(planned), now=clock())
        old = (col(EntryText.language) == "fr", col(EntryText.entry_id) % 5 == 0)
        session.execute(update(EntryText).where(*old).values(source_digest="older"))
        session.commit()
    for number in range(30):
        pipeline.writing.change("entry-7", newsletter="rivers", fields={"body.en": f"{BODY} {number} again"})
    yield desk_client(pipeline)
    engine.dispose()


def percentile(seconds, share=0.95):
    return statistics.quantiles(seconds, n=100, method="inclusive")[round(share * 100) - 1]


@pytest.mark.parametrize(
    "page",
    [
        PATH,
        f"{PATH}?q=quays+1999",
        f"{PATH}?q=nowhere-at-all",
        f"{PATH}?state=missing",
        f"{PATH}?state=stale&language=fr",
        f"{PATH}?state=present",
        f"{PATH}?kind=news&status=published&section=lead&q=river&state=missing&language=es",
        f"{PATH}?after=2023-06-15_1000",
        f"{PATH}/entry-7",
        f"{PATH}/entry-7/history",
        f"{PATH}/new",
    ],
)
def test_every_page_answers_in_time(anna, page):
    assert anna.get(page).status_code == 200
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        anna.get(page)
        seconds.append(time.perf_counter() - began)
    print(f"{page}: median {statistics.median(seconds) * 1000:.0f} ms, p95 {percentile(seconds) * 1000:.0f} ms")
    assert percentile(seconds) < BOUND
