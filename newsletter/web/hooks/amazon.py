"""
What has to be fetched from Amazon SNS: the certificates that it signs with, and the confirmation of a subscription.

Takes addresses that were checked to be Amazon's own; yields what is there. A redirect is not followed, no proxy of the
environment is asked, and no answer is longer or later than such an answer can be.
"""

import threading
from typing import Final

import httpx

TIMEOUT: Final = 5.0
"""Seconds: SNS itself waits fifteen for us."""

LONGEST: Final = 32_768
"""Octets of a certificate: theirs have about two thousand."""

KEPT: Final = 8
"""Certificates held in memory: each region has one, and changes it once a year."""


class Amazon:
    """Fetches from Amazon SNS; any number of threads may share one."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        self._transport = transport
        self._certificates: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def certificate(self, url: str) -> bytes:
        """The PEM file at an address, from memory if it was fetched before; raises ConnectionError."""
        with self._lock:
            known = self._certificates.get(url)
        if known is not None:
            return known
        fetched = self._fetched(url)
        with self._lock:
            if len(self._certificates) >= KEPT:
                self._certificates.clear()
            self._certificates[url] = fetched
        return fetched

    def confirm(self, url: str) -> None:
        """Call the address that confirms a subscription; raises ConnectionError where Amazon does not take it."""
        self._fetched(url)

    def _fetched(self, url: str) -> bytes:
        try:
            with (
                httpx.Client(transport=self._transport, timeout=TIMEOUT, trust_env=False) as client,
                client.stream("GET", url) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise ConnectionError(f"Amazon SNS answers with {response.status_code}")
                content = b""
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > LONGEST:
                        raise ConnectionError("Amazon SNS answers at too great a length")
                return content
        except httpx.HTTPError as error:
            raise ConnectionError(f"Amazon SNS cannot be reached: {type(error).__name__}") from error
