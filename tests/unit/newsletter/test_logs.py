"""A log line is JSON for programs and words on a terminal; what nobody asked for is not written."""

import io
import json
import logging
import sys

import pytest
import structlog

from newsletter.logs import configure, logger


@pytest.fixture(autouse=True)
def as_before():
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_a_line_in_a_file_is_json_with_its_stage_and_instant(monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure(logging.INFO)
    logger("dispatch").info("attempt", delivery=7)
    line = json.loads(written.getvalue())
    assert (line["stage"], line["event"], line["delivery"], line["level"]) == ("dispatch", "attempt", 7, "info")
    assert line["timestamp"].endswith("Z")


def test_a_line_on_a_terminal_is_words(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    configure()
    logger("dispatch").info("quiet")
    logger("dispatch").warning("relay away", relay="localhost:25")
    assert "relay away" in shown.getvalue()
    assert "quiet" not in shown.getvalue()
    assert not shown.getvalue().startswith("{")
