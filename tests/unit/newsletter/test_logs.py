"""A log line is JSON for programs and words on a terminal; what nobody asked for is not written."""

import io
import json
import logging
import sys
import threading

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from newsletter.logs import configure, discreet, logger, tell_accident, tell_accidents_of_threads
from subscribers.tokens import Keys, sign

KEYS = Keys(signing=(("k1", b"s" * 32),), suppression=b"d" * 32)
ADA = "ada.lark@town.example"


@pytest.fixture(autouse=True)
def as_before():
    before, hook, handlers = structlog.get_config(), threading.excepthook, logging.getLogger().handlers[:]
    yield
    structlog.configure(**before)
    threading.excepthook = hook
    logging.getLogger().handlers[:] = handlers


def fail(error):
    raise error


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


def test_what_looks_like_an_address_is_masked_wherever_it_stands(capsys):
    configure(logging.INFO)
    logger("dispatch").info(
        f"to {ADA}",
        refused={ADA: [f"550 <{ADA}> unknown", (ADA, 7)]},
        error=ValueError(f"no {ADA}"),
        among={ADA},
        count=3,
        nothing=None,
    )
    told = capsys.readouterr().err
    assert "ada.lark" not in told
    line = json.loads(told)
    assert line["event"] == "to a…@t….example"
    assert line["refused"] == {"a…@t….example": ["550 <a…@t….example> unknown", ["a…@t….example", 7]]}
    assert (line["error"], line["among"]) == ("ValueError('no a…@t….example')", ["a…@t….example"])
    assert (line["count"], line["nothing"]) == (3, None)


def test_a_token_is_masked_and_what_only_looks_a_little_like_one_stays():
    token = sign(KEYS, "unsubscribe", "uid/issue:rivers/2026-12")
    assert discreet(f"GET /u/{token} 200") == "GET /u/… 200"
    for plain in ("2.0.0 Ok: queued as 77", "relay.north.example:25", "sqlite:///var/newsletter.sqlite", "1.2.3"):
        assert discreet(plain) == plain


@given(st.text(alphabet="ab@.<> \n", max_size=60))
def test_masking_twice_is_masking_once(text):
    assert discreet(discreet(text)) == discreet(text)


def test_a_traceback_is_logged_without_addresses(capsys):
    configure()
    try:
        fail(LookupError(ADA))
    except LookupError:
        logger("people").exception("failed")
    told = capsys.readouterr().err
    assert json.loads(told)["exception"].endswith("LookupError: a…@t….example")
    assert "ada.lark" not in told


def test_libraries_log_the_same_way_and_only_warnings(capsys):
    configure()
    configure()
    library = logging.getLogger("some.library")
    library.info("nothing to see")
    try:
        fail(OSError(ADA))
    except OSError:
        library.exception("could not write to %s", ADA)
    told = capsys.readouterr().err
    [line] = [json.loads(each) for each in told.splitlines() if each.startswith("{")]
    assert (line["event"], line["level"], line["stage"]) == (
        "could not write to a…@t….example",
        "error",
        "some.library",
    )
    assert "ada.lark" not in told


def test_a_line_that_cannot_be_made_stops_nobody(capsys, monkeypatch):
    configure()
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logging.getLogger("some.library").warning("%d things", "many")
    assert capsys.readouterr().err == ""


def test_an_accident_is_told_with_its_traceback_and_without_addresses(capsys):
    try:
        fail(RuntimeError(f"this should not have happened to {ADA}"))
    except RuntimeError as error:
        tell_accident(error)
    told = capsys.readouterr().err
    assert told.startswith("Traceback")
    assert told.endswith("RuntimeError: this should not have happened to a…@t….example\n")


def test_an_accident_of_a_thread_is_told_likewise(capsys):
    tell_accidents_of_threads()
    thread = threading.Thread(target=fail, args=(RuntimeError(ADA),))
    thread.start()
    thread.join()
    assert capsys.readouterr().err.endswith("RuntimeError: a…@t….example\n")
    threading.excepthook(threading.ExceptHookArgs((SystemExit, None, None, None)))
