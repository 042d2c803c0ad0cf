"""
Calling programs of others over http: one POST, to a host on the internet.

Takes an address, headers and a body; yields the status of the answer, or 0 where there was none. Promises that no
redirect is followed, no proxy of the environment asked, that the body of the answer is not read, and that an address
which leads into our own network is not called (OWASP, server-side request forgery), unless that is allowed: the name
is looked up once, and what was looked at is what is connected to.
"""

import ipaddress
import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import httpx

TIMEOUT: Final = 10.0
"""Seconds for each step: who takes longer should answer first and work afterwards."""


class NotAllowed(Exception):  # noqa: N818  reads as what it is
    """The address is none that may be called."""


def post(url: str, body: bytes, *, headers: Mapping[str, str], private: bool = False) -> int:
    """Send a POST; returns the status, 0 for no answer. Raises NotAllowed."""
    parts = urlsplit(url)
    host = _host(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), private=private)
    if host is None:
        return 0
    target = httpx.URL(url).copy_with(host=host)
    named = {"Host": parts.netloc.rpartition("@")[2], **headers}
    try:
        with (
            httpx.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False) as client,
            client.stream(
                "POST", target, content=body, headers=named, extensions={"sni_hostname": parts.hostname}
            ) as response,
        ):
            return response.status_code
    except httpx.HTTPError:
        return 0


def ensure_callable(url: str) -> None:
    """Raise NotAllowed, saying why, for what is no http address of a host."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError as error:
        raise NotAllowed("this is no address of a web page") from error
    if not is_whole or parts.username or parts.password or parts.fragment or not url.isprintable() or " " in url:
        raise NotAllowed("give an address like https://crm.example/hooks, without name and password")


def _host(name: str, port: int, *, private: bool) -> str | None:
    """The numeric address to connect to; None where the name has none."""
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    addresses = [str(entry[4][0]) for entry in found]
    if not private and any(not ipaddress.ip_address(each.partition("%")[0]).is_global for each in addresses):
        raise NotAllowed(f"{name} lies in our own network; NEWSLETTER_WEBHOOKS__PRIVATE allows that")
    return addresses[0]
