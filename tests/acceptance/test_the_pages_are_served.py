"""The web process: it serves, it says where, it ends when it is asked, and it does not slow down other commands."""

import re
import signal
import subprocess
import sys

import httpx


def served(installation, command="web", **settings):
    """A process and the address that it serves."""
    process = installation.start(command, "--port", "0", **settings)
    installation.wait(lambda: "served at" in process.error or process.poll() is not None)
    return process, re.search(r"served at (\S+)", process.error)[1]


def test_the_pages_are_served_until_the_process_is_asked_to_end(approved):
    process, root = served(approved)
    answer = httpx.get(f"{root}/ready")
    assert (answer.status_code, answer.text) == (200, "ready\n")
    assert "server" not in answer.headers
    assert "date" in answer.headers
    assert httpx.get(f"{root}/archive/beacon-towns/2026-12/en/").status_code == 404
    assert httpx.get(f"{root}/ready", headers={"host": "other.example"}).status_code == 200
    assert httpx.get(f"{root}/static/public.css", headers={"host": "other.example"}).status_code == 421
    assert httpx.get(f"{root}/static/public.css", headers={"host": "news.beacontowns.example"}).status_code == 200
    process.terminate()
    assert process.wait() == 0
    routes = [event["route"] for event in process.log]
    assert routes == ["/ready", "/archive/{path:path}", "/ready", "", "/static/{name}"]


def test_ctrl_c_ends_it_too(approved):
    process, _ = served(approved)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0


def test_the_pages_end_with_their_supervisor_however_it_ends(approved):
    supervisor, root = served(approved, "run")
    assert httpx.get(f"{root}/health").status_code == 200
    supervisor.kill()

    def is_gone():
        try:
            httpx.get(f"{root}/health")
        except httpx.TransportError:
            return True
        return False

    approved.wait(is_gone)


def test_a_reverse_proxy_is_believed_where_it_is_listed(approved):
    headers = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", "x-forwarded-host": "other.example"}
    process, root = served(approved)
    assert "strict-transport-security" in httpx.get(f"{root}/ready", headers=headers).headers
    approved.wait(lambda: process.log)  # the line is written after the answer
    assert process.log[-1]["network"] == "203.0.113.0/24"
    process, root = served(approved, NEWSLETTER_WEB__PROXIES="[]")
    assert "strict-transport-security" not in httpx.get(f"{root}/ready", headers=headers).headers
    approved.wait(lambda: process.log)
    assert process.log[-1]["network"] == "127.0.0.0/24"


def test_a_port_that_is_taken_is_said_in_one_line(approved):
    _, root = served(approved)
    refused = approved.run("web", "--port", root.rpartition(":")[2], code=1)
    assert "Address already in use" in refused.problem
    assert len(refused.problem.splitlines()) == 1


def test_a_proxy_that_is_no_address_is_said_in_one_line(approved):
    refused = approved.run("web", "--port", "0", code=2, NEWSLETTER_WEB__PROXIES='["proxy.example"]')
    assert "NEWSLETTER_WEB__PROXIES" in refused.problem
    assert "proxy.example" in refused.problem


def test_other_commands_do_without_the_web(approved):
    code = (
        "import sys; from newsletter.cli.application import app; import newsletter.bootstrap, newsletter.cli.web;"
        "print([name for name in ('fastapi', 'starlette', 'uvicorn', 'newsletter.web') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"
