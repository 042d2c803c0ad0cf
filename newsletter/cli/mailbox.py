"""
A mail server for trials: takes everything over real SMTP and puts it into a Maildir, one folder a recipient.

Listens on loopback only. It is what the demo sends to, and what a curious officer may look into.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


class _Maildir:
    """aiosmtpd's handler: one file a message, moved into place when it is whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        for recipient in envelope.rcpt_tos:
            self._count += 1
            name = f"{self._count:06}.{hashlib.sha256(envelope.original_content).hexdigest()[:12]}.eml"
            box = self._folder / recipient.replace("/", "_")
            for part in ("tmp", "new", "cur"):
                (box / part).mkdir(parents=True, exist_ok=True)
            draft = box / "tmp" / name
            draft.write_bytes(envelope.original_content)
            draft.replace(box / "new" / name)
        return "250 2.0.0 kept"


@contextmanager
def mailbox(folder: Path, *, port: int = 0) -> Iterator[int]:
    """Run the server while the context lasts; yields the port it listens on (0 takes a free one)."""
    controller = Controller(_Maildir(folder), hostname="127.0.0.1", port=port or _free_port())
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
