"""
The DNS, as far as the checks ask it: TXT and MX records.

Takes names, yields records as text. Promises to be done within the seconds it was given, all questions together: a name
server that is silent or far away costs no more than that. Asks the name servers of this machine; the only module that
knows dnspython.
"""

import time
from collections.abc import Sequence
from typing import Final, Protocol

from dns.exception import DNSException
from dns.rdtypes.mxbase import MXBase
from dns.rdtypes.txtbase import TXTBase
from dns.resolver import NXDOMAIN, Answer, Resolver

SECONDS: Final = 3.0
"""Seconds that all questions have together."""

QUESTION_SECONDS: Final = 1.0
"""Seconds that one question has, so that one domain whose servers are down does not take the time of the others."""


class NameSource(Protocol):
    """Something that answers questions about names."""

    def texts(self, name: str) -> tuple[str, ...] | None:
        """
        The TXT records of a name in alphabetical order, each in one piece (RFC 7208 §3.3).

        None where there is no answer in time.
        """
        ...

    def mail_hosts(self, name: str) -> tuple[str, ...] | None:
        """The hosts that take mail for a domain, the preferred first; None where there is no answer in time."""
        ...


class Dns:
    """The name servers of this machine, or those at `servers`; its time runs from the moment it is made."""

    def __init__(self, *, seconds: float = SECONDS, servers: Sequence[str] = (), port: int = 53) -> None:
        self._deadline = time.monotonic() + seconds
        self._resolver = _resolver(servers, port)

    def texts(self, name: str) -> tuple[str, ...] | None:
        """The TXT records of a name, each in one piece."""
        found = self._asked(name, "TXT")
        if found is None:
            return None
        texts = (b"".join(record.strings) for record in found if isinstance(record, TXTBase))
        # Servers give records in any order, another one each time.
        return tuple(sorted(text.decode("utf-8", "replace") for text in texts))

    def mail_hosts(self, name: str) -> tuple[str, ...] | None:
        """The hosts that take mail for a domain, the preferred first."""
        found = self._asked(name, "MX")
        if found is None:
            return None
        records = sorted(
            (record.preference, record.exchange.to_text(omit_final_dot=True))
            for record in found
            if isinstance(record, MXBase)
        )
        # A lone dot says that the domain takes no mail (RFC 7505).
        return tuple(host for _, host in records if host != ".")

    def _asked(self, name: str, kind: str) -> Answer | tuple[()] | None:
        left = self._deadline - time.monotonic()
        if self._resolver is None or left <= 0:
            return None
        try:
            return self._resolver.resolve(
                f"{name}.", kind, lifetime=min(left, QUESTION_SECONDS), search=False, raise_on_no_answer=False
            )
        except NXDOMAIN:
            return ()
        except (DNSException, OSError):
            return None


def _resolver(servers: Sequence[str], port: int) -> Resolver | None:
    """None on a machine that names no server."""
    try:
        made = Resolver(configure=not servers)
    except (DNSException, OSError):
        return None
    if servers:
        made.nameservers = list(servers)
    made.port = port
    return made
