"""
Reach: whether the pages behind the links answer, asked over the network where somebody wants to know.

Takes links, yields findings. Whoever writes entries must not be able to make this machine ask its own network
(server-side request forgery, OWASP Top Ten A10): each host is resolved once, the connection goes to the very address
that was looked at, and an address that is not a public one is refused, on each of at most three redirects anew. A page
has five seconds for its headers, of which 16 kB are read; its content is not. Nothing is sent but the address and the
program's name: no cookie, no referrer. Off unless asked for: preflight itself reads no network.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from newsletter.preflight.finding import Finding, Rule, Severity
from newsletter.preflight.places import PlacedLink

TIMEOUT: Final = 5.0
"""Seconds that a page has, all its redirects together not counted: each is a page."""

MOST_REDIRECTS: Final = 3
MOST_LINKS: Final = 300
"""Links of one issue that are asked for: more than any newsletter has, fewer than would be an attack."""

AT_ONCE: Final = 8
"""Pages that are asked for at the same time."""

LONGEST_HEAD: Final = 16_000
"""Octets of an answer's headers."""

AGENT: Final = "newsletter-preflight (checks the links of a newsletter before it is sent)"

DEAD: Final = Rule(
    code="link-dead",
    severity=Severity.WARNING,
    message="The page {url} does not exist (status {status}).",
    hint="Correct the address, or take the link out.",
    outside=True,
)
NO_HOST: Final = Rule(
    code="link-host-unknown",
    severity=Severity.WARNING,
    message="Nobody knows the site {host}: no link to it leads anywhere.",
    hint="Correct the address: the name of the site may be misspelt.",
    outside=True,
)
INWARD: Final = Rule(
    code="link-inward",
    severity=Severity.WARNING,
    message="{url} leads into a private network, where readers cannot go.",
    hint="Give the public address of the page.",
    outside=True,
)
REDIRECTS: Final = Rule(
    code="link-redirects",
    severity=Severity.WARNING,
    message="{url} is passed on more than three times.",
    hint="Give the address that your browser shows in the end.",
    outside=True,
)
CERTIFICATE: Final = Rule(
    code="link-certificate",
    severity=Severity.WARNING,
    message="The certificate of {url} is not valid: browsers warn of the page.",
    hint="Tell whoever runs the site, or give another address.",
    outside=True,
)
UNANSWERED: Final = Rule(
    code="link-unanswered",
    severity=Severity.NOTICE,
    message="{url} did not answer within five seconds.",
    hint="Open the page yourself: it may be slow, or closed to programs.",
    outside=True,
)
REFUSED: Final = Rule(
    code="link-refused",
    severity=Severity.NOTICE,
    message="{url} answered with status {status}.",
    hint="Open the page yourself: some sites answer people only.",
    outside=True,
)
RULES: Final = (DEAD, NO_HOST, INWARD, REDIRECTS, CERTIFICATE, UNANSWERED, REFUSED)

Address = IPv4Address | IPv6Address

Progress = Callable[[int, int], None]
"""Hears how much is done, and of how much."""

_NAT64: Final = ip_network("64:ff9b::/96")
_PORTS: Final = {"http": 80, "https": 443}
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |\r|\n)")
_LOCATION: Final = re.compile(rb"^location:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_UNQUOTED: Final = "/?#[]@!$&'()*+,;=:%-._~"
_WITHOUT_HEAD: Final = frozenset({403, 404, 405, 501})
"""Statuses with which sites answer HEAD that answer GET with a page."""

_GONE: Final = frozenset({404, 410})
_FIRST_FAILURE: Final = 400
_MOVED: Final = frozenset({301, 302, 303, 307, 308})


def quietly(_done: int, _total: int) -> None:
    """Tell nobody how far it has come."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public network, also behind the forms in which IPv6 carries IPv4."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        # NAT64 (RFC 6052): a gateway would pass it on to the address in its last 32 bits.
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def addresses_of(host: str, port: int) -> tuple[Address, ...]:
    """Every address of a host, as the system resolves it. Raises OSError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How pages are asked for; `allows` says which addresses may be."""

    allows: Callable[[Address], bool] = is_public
    resolve: Callable[[str, int], tuple[Address, ...]] = addresses_of
    timeout: float = TIMEOUT
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def check(self, links: Iterable[PlacedLink], *, progress: Progress = quietly) -> Iterator[Finding]:
        """
        Ask for the page of every link, each address once; a link that is no web address is passed over.

        `progress` hears how many pages of how many have answered.
        """
        places: dict[str, str] = {}
        for link in links:
            if _web(link.url):
                places.setdefault(link.url, link.place)
        asked = list(places)[:MOST_LINKS]
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            answers = pool.map(self._judged, asked, map(places.__getitem__, asked))
            unknown: set[object] = set()
            for done, found in enumerate(answers, start=1):
                progress(done, len(asked))
                # A site that nobody knows is told of once, with the first link to it.
                if found and not (found.rule is NO_HOST and found.facts in unknown):
                    unknown.add(found.facts)
                    yield found

    def _judged(self, url: str, place: str) -> Finding | None:
        try:
            status = self._status(url)
        except _Refusal as refusal:
            return refusal.rule.found(place=place, **(refusal.facts or {"url": url}))
        except ssl.SSLCertVerificationError:
            return CERTIFICATE.found(place=place, url=url)
        except (OSError, ValueError):
            return UNANSWERED.found(place=place, url=url)
        if status < _FIRST_FAILURE:
            return None
        return (DEAD if status in _GONE else REFUSED).found(place=place, url=url, status=status)

    def _status(self, url: str) -> int:
        """The status of the page that an address leads to in the end."""
        for _ in range(MOST_REDIRECTS + 1):
            status, location = self._asked(url)
            if status not in _MOVED or not location:
                return status
            url = urljoin(url, location)
        raise _Refusal(REDIRECTS)

    def _asked(self, url: str) -> tuple[int, str]:
        parts = _web(url)
        if parts is None:
            raise ValueError(url)
        address, port = self._address(parts)
        status, location = self._answer(parts, "HEAD", address=address, port=port)
        if status in _WITHOUT_HEAD:
            status, location = self._answer(parts, "GET", address=address, port=port)
        return status, location

    def _address(self, parts: SplitResult) -> tuple[Address, int]:
        host = parts.hostname or ""
        port = parts.port or _PORTS[parts.scheme]
        try:
            found = self.resolve(host, port)
        except (socket.gaierror, UnicodeError) as error:
            raise _Refusal(NO_HOST, host=host) from error
        # One private address among public ones is enough: the name could be made to turn.
        if not found or not all(map(self.allows, found)):
            raise _Refusal(INWARD)
        return found[0], port

    def _answer(self, parts: SplitResult, method: str, *, address: Address, port: int) -> tuple[int, str]:
        """Status and redirect; raises OSError or ValueError where there is no answer of HTTP in time."""
        deadline = time.monotonic() + self.timeout
        with socket.create_connection((str(address), port), timeout=self.timeout) as plain:
            if parts.scheme == "http":
                return _exchange(plain, _request(parts, method), deadline)
            with self.tls.wrap_socket(plain, server_hostname=parts.hostname) as secure:
                return _exchange(secure, _request(parts, method), deadline)


class _Refusal(Exception):  # noqa: N818  not an error: it says what was found
    """A page that was not asked for, and the rule that says why; without facts the page's own address is the one."""

    def __init__(self, rule: Rule, **facts: str) -> None:
        super().__init__(rule.code)
        self.rule, self.facts = rule, facts


def _web(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        known = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if known else None


def _request(parts: SplitResult, method: str) -> bytes:
    target = quote(parts.path or "/", safe=_UNQUOTED) + (
        f"?{quote(parts.query, safe=_UNQUOTED)}" if parts.query else ""
    )
    host = (parts.hostname or "").encode("idna").decode("ascii")
    named = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    lines = (f"{method} {target} HTTP/1.1", f"Host: {named}{port}", f"User-Agent: {AGENT}", "Accept: */*")
    return "".join(f"{line}\r\n" for line in (*lines, "Connection: close", "")).encode("ascii")


def _exchange(connection: socket.socket, request: bytes, deadline: float) -> tuple[int, str]:
    connection.sendall(request)
    head = b""
    while not _HEAD_END.search(head) and len(head) < LONGEST_HEAD:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        received = connection.recv(4096)
        if not received:
            break
        head += received
    status = _STATUS.match(head)
    if status is None:
        raise ValueError("no answer of HTTP")
    location = _LOCATION.search(head)
    return int(status[1]), location[1].decode("utf-8", "replace") if location else ""
