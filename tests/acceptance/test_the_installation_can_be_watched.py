"""Whoever looks after the machines asks the processes how they are, reads figures, and ends them without a lost request."""

import re
import time

import httpx


def served(installation, **settings):
    """A web and the address that it serves."""
    process = installation.start("web", "--port", "0", **settings)
    installation.wait(lambda: "served at" in process.error or process.poll() is not None)
    return process, re.search(r"served at (\S+)", process.error)[1]


def test_a_web_that_is_to_end_is_not_ready_any_more_and_answers_until_that_is_noticed(approved):
    process, root = served(approved, NEWSLETTER_WEB__DRAIN="3")
    port = root.rpartition(":")[2]
    assert "ready" in approved.run("ready", "--process", "web", "--port", port).out
    figures = httpx.get(f"{root}/metrics").text
    assert 'newsletter_http_requests_total{route="probe",status="2xx"}' in figures
    assert "newsletter_database_up 1.0" in figures
    process.terminate()
    began = time.monotonic()
    approved.wait(lambda: httpx.get(f"{root}/ready").status_code == 503)
    answer = httpx.get(f"{root}/ready")
    assert answer.text == "ending\n"
    assert httpx.get(f"{root}/health").status_code == 200
    assert process.wait() == 0
    assert time.monotonic() - began < 20
    request = answer.headers["x-request-id"]
    assert [line["route"] for line in process.log if line.get("request") == request] == ["/ready"]
    assert len({line["process"] for line in process.log}) == 1


def test_a_process_that_is_not_there_is_told_with_what_to_do(approved):
    assert approved.run("ready").out == "ready\n"
    assert "start `newsletter scheduler`" in approved.run("ready", "--process", "scheduler", code=1).err
    assert "start `newsletter dispatch`" in approved.run("ready", "--process", "dispatch", code=1).err
    assert "no web answers at port 1" in approved.run("ready", "--process", "web", "--port", "1", code=1).err
    dispatcher = approved.start("dispatch")
    scheduler = approved.start("scheduler")
    approved.wait(lambda: approved.quickly("ready", "--process", "dispatch", code=None).code == 0)
    approved.wait(lambda: approved.quickly("ready", "--process", "scheduler", code=None).code == 0)
    for process in (dispatcher, scheduler):
        process.terminate()
        assert process.wait() == 0


def test_the_log_is_as_the_settings_say(approved):
    process, root = served(approved, NEWSLETTER_LOG__FORMAT="plain", NEWSLETTER_LOG__LEVEL="warning")
    httpx.get(f"{root}/health")
    process.terminate()
    assert process.wait() == 0
    assert "request" not in process.error
    wrong = approved.run("web", "--port", "0", code=2, NEWSLETTER_LOG__LEVEL="loud")
    assert "NEWSLETTER_LOG__LEVEL" in wrong.err
