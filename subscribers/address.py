"""
Email addresses: the one parser of the program.

Takes text; yields a frozen `Address` or raises `InvalidAddress`; promises that whatever it lets through is free of
control characters, comments, quoted local parts and address literals, fits RFC 5321 and compares equal by `key`.
Plain ASCII addresses are read by one regular expression, everything else by email-validator.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from subscribers.errors import InvalidAddress

MAX_LOCAL = 64
"""Octets before the @ (RFC 5321 §4.5.3.1.1)."""

MAX_ADDRESS = 254
"""Octets of the whole address: a path of 256 less its angle brackets (RFC 5321 §4.5.3.1.3, erratum 1690)."""


@cache
def _refused_domains() -> frozenset[str]:
    """Names that can never receive mail; `.test` and `.invalid` are let through because tests and samples use them."""
    from email_validator import SPECIAL_USE_DOMAIN_NAMES

    return frozenset(SPECIAL_USE_DOMAIN_NAMES) - {"invalid", "test"}


_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"(?!..--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(
    rf"({_ATEXT}(?:\.{_ATEXT})*)@((?:{_LABEL}\.)+(?!..--)(?:[A-Za-z0-9][A-Za-z0-9-]{{0,61}})?[A-Za-z])", re.ASCII
)
_ANYWHERE = re.compile(r"(?:\"[^\"\s]*\"|[^\s<>()\[\]\",;:@]+)@([^\s<>()\[\]\",;:@]*[^\s<>()\[\]\",;:@.])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_EDGES = " \t\r\n\u00a0\ufeff"


@dataclass(frozen=True, slots=True)
class Address:
    """An address that may be stored and written to.

    Attributes:
        text: as shown to people, in NFC; the domain in small letters and its own script.
        key: what makes it the same mailbox for us: local part in small letters, domain as A-labels.
        ascii_form: as written into the SMTP envelope: local part as given, domain as A-labels.
        needs_smtputf8: the local part is not ASCII, so only relays with SMTPUTF8 (RFC 6531) take it.
    """

    text: str
    key: str
    ascii_form: str
    needs_smtputf8: bool

    @property
    def domain(self) -> str:
        """The domain as A-labels, in small letters."""
        return self.key.rpartition("@")[2]


def parse_address(text: str) -> Address:
    """Read one bare address; white space around it is dropped.

    Raises:
        InvalidAddress: with a reason in words that does not repeat the address.
    """
    bare = text.strip(_EDGES)
    found = _PLAIN.fullmatch(bare)
    if found is None:
        return _parse_unusual(bare)
    local, domain = found[1], found[2].lower()
    _check_sizes(local, domain)
    if domain.rpartition(".")[2] in _refused_domains():
        raise InvalidAddress("No mail can be sent to this domain.")
    shown = f"{local}@{domain}"
    return Address(text=shown, key=shown.lower(), ascii_form=shown, needs_smtputf8=False)


def domain_key(text: str) -> str:
    """Return a domain as it stands in `Address.key`: A-labels in small letters.

    Raises:
        InvalidAddress: the text is no domain an address could have.
    """
    return parse_address(f"x@{text.strip().removeprefix('@')}").domain


def masked(text: str) -> str:
    """Replace every address within `text` by a form that a log may hold, such as `a…@l….example`."""
    return _ANYWHERE.sub(_mask, text)


def _mask(found: re.Match[str]) -> str:
    domain = found[1]
    host, dot, top = domain.rpartition(".")
    shown = f"{host[:1]}…{dot}{top}" if host else f"{domain[:1]}…"
    initial = found[0].lstrip('"')[:1]
    return f"{initial}…@{shown}"


def _parse_unusual(text: str) -> Address:
    from email_validator import EmailNotValidError, validate_email

    if not text:
        raise InvalidAddress("The address is empty.")
    if len(text) > MAX_ADDRESS:
        raise InvalidAddress(f"The address is longer than {MAX_ADDRESS} octets.")
    if _CONTROL.search(text):
        raise InvalidAddress("The address contains a control character or a line break.")
    text = unicodedata.normalize("NFC", text)
    # email-validator refuses .invalid; .example has as many letters and is judged like any other domain.
    stand_in = text[: -len("invalid")] + "example" if text.lower().endswith(".invalid") else text
    try:
        checked = validate_email(stand_in, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise InvalidAddress(str(error)) from error
    domain, ascii_domain = checked.domain, checked.ascii_domain
    if stand_in is not text:
        domain, ascii_domain = (name[: -len("example")] + "invalid" for name in (domain, ascii_domain))
    return _assembled(checked.local_part, domain=domain, ascii_domain=ascii_domain)


def _assembled(local: str, *, domain: str, ascii_domain: str) -> Address:
    _check_sizes(local, ascii_domain)
    if "." not in ascii_domain:
        raise InvalidAddress("The domain has no dot.")
    key_local = unicodedata.normalize("NFC", local.lower())
    ascii_domain = ascii_domain.lower()
    return Address(
        text=f"{local}@{domain}",
        key=f"{key_local}@{ascii_domain}",
        ascii_form=f"{local}@{ascii_domain}",
        needs_smtputf8=not local.isascii(),
    )


def _check_sizes(local: str, domain: str) -> None:
    octets = len(local.encode())
    if octets > MAX_LOCAL:
        raise InvalidAddress(f"The part before the @ is longer than {MAX_LOCAL} octets.")
    if octets + 1 + len(domain) > MAX_ADDRESS:
        raise InvalidAddress(f"The address is longer than {MAX_ADDRESS} octets.")
