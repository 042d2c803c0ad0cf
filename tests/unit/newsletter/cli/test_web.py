"""How the web process is set up."""

import asyncio
import contextlib
import signal
from types import SimpleNamespace

import pytest

from newsletter.cli import web as module
from newsletter.cli.web import LOOPBACK, _address, _listening, _server
from newsletter.links import Links
from newsletter.web import app


@pytest.fixture
def server(monkeypatch):
    """The server over no routes."""
    monkeypatch.setattr(app, "ROUTERS", ())
    monkeypatch.setattr(app, "DESK_ROUTERS", ())

    def made(proxies=None):
        settings = SimpleNamespace(web=SimpleNamespace(proxies=proxies, drain=0))
        return _server(SimpleNamespace(parts=SimpleNamespace(settings=settings, links=Links("https://news.example"))))

    return made


@pytest.mark.parametrize(
    ("proxies", "believed"), [(None, list(LOOPBACK)), ((), []), (("10.0.0.7", "fd00::/8"), ["10.0.0.7", "fd00::/8"])]
)
def test_the_listed_proxies_are_believed_else_those_of_this_machine(server, proxies, believed):
    assert server(proxies).config.forwarded_allow_ips == believed


def test_the_server_says_nothing_of_itself_and_logs_no_address(server):
    config = server().config
    assert (config.server_header, config.access_log, config.log_config) == (False, False, None)
    assert config.timeout_graceful_shutdown == module.DRAIN_SECONDS < 30


def test_the_address_is_said_as_a_browser_takes_it():
    with contextlib.closing(_listening("127.0.0.1", 0)) as listening:
        assert _address(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(OSError, match="in use"):
            _listening("127.0.0.1", listening.getsockname()[1])
    with contextlib.closing(_listening("::1", 0)) as listening:
        assert _address(listening) == f"http://[::1]:{listening.getsockname()[1]}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_in_good_order(server, number):
    serving = server()
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    listening = _listening("127.0.0.1", 0)

    async def serve():
        asyncio.get_running_loop().call_later(0.1, signal.raise_signal, number)
        await serving.serve(sockets=[listening])

    try:
        asyncio.run(serve())
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert serving.should_exit
