"""An officer schedules an issue, watches it go out over real SMTP without touching the page, and reads the report."""

import asyncio
import contextlib
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from faults.relay import Relay, running
from integration.desk import signed_in
from integration.sent_scene import ISSUE, NEWSLETTER, READERS, copied, prepared
from serving import serving

from newsletter.bootstrap import Pipeline
from newsletter.dispatchers import build_dispatcher
from newsletter.web.app import create_app
from newsletter.web.desk.guard import COOKIE

pytestmark = pytest.mark.usefixtures("no_page_twice")

AHEAD = dt.timedelta(seconds=3)
"""How long before its minute the issue is scheduled."""


@contextlib.contextmanager
def dispatching(pipeline):
    """A dispatcher at work."""
    dispatcher = build_dispatcher(pipeline)
    with ThreadPoolExecutor(1) as thread:
        work = thread.submit(lambda: asyncio.run(dispatcher.run(until_done=False, patience=60)))
        try:
            yield
        finally:
            dispatcher.stop()
    work.result()


def test_an_issue_is_scheduled_and_watched_to_its_end(chromium, tmp_path):
    clock = [dt.timedelta()]
    with running(Relay(tmp_path / "relay")) as relay:
        smtp = {"host": "127.0.0.1", "port": relay.port, "connections": 1}
        made = copied(prepared(tmp_path), tmp_path / "copy", smtp=smtp)
        parts = replace(made.parts, now=lambda: dt.datetime.now(dt.UTC) + clock[0])
        pipeline = Pipeline(parts=parts)
        with dispatching(pipeline), serving(create_app(pipeline)) as root:
            context = chromium.new_context(viewport={"width": 1280, "height": 900}, base_url=root)
            context.add_cookies([{"name": COOKIE, "value": signed_in(pipeline), "url": root}])
            page = context.new_page()
            asked, wrong = [], []
            page.on("request", lambda request: asked.append(request.url))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            _schedule(page, clock)
            _watch(page)
            _read(page)
            context.close()
            assert not wrong
            assert {url for url in asked if not url.startswith(root)} == set()
        pipeline.parts.engine.dispose()


def _schedule(page, clock):
    page.goto(f"/desk/n/{NEWSLETTER}/issues/{ISSUE}/schedule")
    page.get_by_label("Segment").select_option("all")
    page.locator("#audience .figure", has_text=str(len(READERS))).wait_for()
    then = (dt.datetime.now(ZoneInfo("Europe/Brussels")) + dt.timedelta(hours=1)).replace(second=0, microsecond=0)
    page.get_by_label("Day", exact=True).fill(f"{then:%Y-%m-%d}")
    page.get_by_label("Time", exact=True).fill(f"{then:%H:%M}")
    page.locator("#moment", has_text=f"{then:%H:%M} Brussels time").wait_for()
    page.get_by_role("button", name="Look at it once more").click()
    page.get_by_text("3 people get English, 2 French, 1 English because Hungarian is missing.").wait_for()
    clock[0] = then - AHEAD - dt.datetime.now(dt.UTC)  # time flies until shortly before that minute
    page.get_by_role("button", name="Schedule it").click()
    page.get_by_text("It is scheduled").wait_for()
    page.get_by_role("link", name="Watch the run").click()


def _watch(page):
    """Nothing is pressed here: the page follows the run by itself."""
    page.get_by_text("It is going out.").or_(page.get_by_text("Everything has gone out.")).wait_for()
    page.get_by_text("Everything has gone out.").wait_for()
    page.locator(".tiles", has_text=f"of {len(READERS)}").wait_for()
    assert page.locator(".tiles .figure").first.inner_text() == str(len(READERS))


def _read(page):
    page.get_by_role("link", name="Read the report").click()
    page.get_by_text(f"The mail servers took {len(READERS)} of {len(READERS)} messages").wait_for()
    page.get_by_role("button", name="Check it now").click()
    page.get_by_text("Checked: everything holds.").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Figures as CSV").click()
    assert download.value.suggested_filename == f"{NEWSLETTER}-{ISSUE}.csv"
