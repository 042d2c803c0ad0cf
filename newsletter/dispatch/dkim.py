"""
DKIM: the sender's domain signs what is sent (RFC 6376, RFC 8301, RFC 8463).

Takes key files and finished messages, yields the header fields that go before a message. Each key of a domain signs:
RSA first, which every verifier knows, then Ed25519. Promises relaxed/relaxed without `l=` and `x=`; what people and
their mail programs act upon signed, and barred from being added; lines as short as those of other headers; and the same
bytes for the same message, since `t=` is the message's own Date and both algorithms are deterministic. A signer never
changes and reads nothing but its argument, so any number of threads may share one.

With `feedback.signatures` the only module that knows `cryptography`.
"""

import calendar
import os
import re
import stat
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from newsletter import files
from newsletter.compilation import headers
from newsletter.errors import ConfigurationFault
from newsletter.preflight.alignment import is_aligned
from newsletter.settings import DkimSettings
from subscribers.address import domain_key
from subscribers.errors import InvalidAddress

OVERSIGNED: Final = (
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "Sender",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Language",
    "List-ID",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Help",
)
"""
Named once more in `h=` than they stand in the message, so that nobody on the way can add one (RFC 6376 §5.4.2, §8.15).

Chosen after RFC 6376 §5.4.1; both unsubscribe fields must be covered (RFC 8058 §4).
"""

SIGNED: Final = ("MIME-Version", "Feedback-ID", "CFBL-Address", "CFBL-Feedback-ID")
"""Named as often as they stand there (RFC 9477 wants the CFBL fields signed): a relay may add feedback of its own."""

RSA_BITS: Final = range(2048, 4097)
"""What every verifier can and will check (RFC 8301 §3.2: signers should use 2048, verifiers must take up to 4096)."""

ED25519_SUFFIX: Final = "-ed25519"
"""What sets the selector of an Ed25519 key apart: two keys cannot share a DNS record (RFC 6376 §3.6.2.2)."""

RECORD_STRING: Final = 255
"""Octets of one string of a TXT record (RFC 1035 §3.3.14)."""

_WORD: Final = 74
"""Octets between blanks within a signature field; with `bh=` before and a colon after they still fit a line."""

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SELECTOR: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_FIELD_END: Final = re.compile(rb"\r\n(?![ \t])")
_BLANKS: Final = re.compile(rb"[ \t\r\n]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key and the selector under which its public half is published."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> str:
        """The tag `a=` (RFC 6376 §3.3, RFC 8463 §3)."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    def signature(self, data: bytes) -> bytes:
        """The signature over SHA-256 of the data: PKCS #1 v1.5 (RFC 6376 §3.3.1) or PureEdDSA (RFC 8463 §3)."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(data, PKCS1v15(), SHA256())
        return self.private.sign(sha256(data).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs for one domain (A-labels, in small letters), once with each of its keys."""

    domain: str
    keys: tuple[SigningKey, ...]

    def is_aligned(self, domain: str) -> bool:
        """Whether DMARC takes a signature of this domain for mail from that one."""
        return is_aligned(domain, self.domain)

    def sign(self, message: bytes) -> bytes:
        """
        The DKIM-Signature fields to put before a message.

        The message has CRLF line ends and is what arrives, before dots are stuffed. Raises ValueError where it has no
        Date that can be read.
        """
        head, _, body = message.partition(b"\r\n\r\n")
        fields = _relaxed_fields(head)
        names, lines = _selected(fields)
        moment = _seconds(fields.get(b"date", [b""])[0].decode("ascii", "replace"))
        digest = b64encode(sha256(_relaxed_body(body)).digest()).decode()
        signed = b"".join(lines)
        tags = f"t={moment}; h={_in_words(names)}; bh={digest}; b="
        return b"".join(self._field(key, signed, tags) for key in self.keys)

    def _field(self, key: SigningKey, signed: bytes, tags: str) -> bytes:
        """One field; in the relaxed form folding is no more than the blanks it stands at, so `value` is that form."""
        value = f"v=1; a={key.algorithm}; c=relaxed/relaxed; d={self.domain}; s={key.selector}; {tags}"
        signature = b64encode(key.signature(signed + b"dkim-signature:" + value.encode("ascii"))).decode()
        words = [signature[start : start + _WORD] for start in range(0, len(signature), _WORD)]
        return headers.structured("DKIM-Signature", value + " ".join(words))


class Record(NamedTuple):
    """A TXT record to publish: its name without the last dot, and its strings of at most 255 octets."""

    name: str
    strings: tuple[str, ...]

    @property
    def text(self) -> str:
        """What a verifier reads: the strings without anything between them (RFC 6376 §3.6.2.2)."""
        return "".join(self.strings)

    @property
    def zone_line(self) -> str:
        """The record as a zone file has it (RFC 1035 §5.1)."""
        return " ".join((f"{self.name}. IN TXT", *(f'"{each}"' for each in self.strings)))


def records(signer: Signer) -> list[Record]:
    """The DNS records by which receivers verify a signer's mail, one a key (RFC 6376 §3.6.1, RFC 8463 §4)."""
    return [_record(signer.domain, key) for key in signer.keys]


def read_signers(settings: DkimSettings) -> tuple[Signer, ...]:
    """
    The signers that the settings name, none by default; reads their key files.

    Raises ConfigurationFault for a setting that lacks its fellows, a name that cannot stand in the DNS, and a key file
    that is missing, open to everybody, or holds anything but one RSA key of 2,048 to 4,096 bits, one Ed25519 key, or
    both.
    """
    signers = [_signer(domain, keys.selector, file=keys.key_file) for domain, keys in (settings.domains or {}).items()]
    if settings.domain and settings.selector and settings.key_file:
        signers.insert(0, _signer(settings.domain, settings.selector, file=settings.key_file))
    elif settings.domain or settings.selector or settings.key_file:
        raise ConfigurationFault(
            "NEWSLETTER_DKIM__DOMAIN, NEWSLETTER_DKIM__SELECTOR and NEWSLETTER_DKIM__KEY_FILE go together: "
            "set all three, or none to send without a signature"
        )
    if twice := [signer.domain for signer in signers if sum(other.domain == signer.domain for other in signers) > 1]:
        raise ConfigurationFault(f"the DKIM domain {twice[0]} is set twice: keep one of them")
    return tuple(signers)


def signer_for(signers: Iterable[Signer], domain: str) -> Signer | None:
    """
    Who signs mail from a domain (A-labels, in small letters); None where nobody signs anything.

    The domain's own signer comes first, then the nearest. Raises ConfigurationFault where there are signers but none is
    aligned, since receivers would count such mail as unsigned.
    """
    known = list(signers)
    aligned = [signer for signer in known if signer.is_aligned(domain)]
    if known and not aligned:
        raise ConfigurationFault(
            f"a newsletter is sent from {domain}, for which there is no DKIM key: "
            f'add [dkim.domains."{domain}"] to newsletter.toml, or change its sender'
        )
    return min(aligned, key=lambda signer: abs(len(signer.domain) - len(domain)), default=None)


def generate(folder: Path, selector: str) -> Path:
    """
    Make a key file with an RSA and an Ed25519 key, which only its owner may read; returns where it lies.

    Raises ConfigurationFault for a selector that cannot stand in the DNS and for a file that exists or cannot be made.
    """
    path = folder / f"{_checked(selector)}.pem"
    made = (generate_private_key(65537, RSA_BITS.start), Ed25519PrivateKey.generate())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = files.private(path)
    except OSError as error:
        raise ConfigurationFault(f"the DKIM key file {path} cannot be made: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for key in made)
    return path


def _signer(domain: str, selector: str, *, file: Path) -> Signer:
    try:
        own = domain_key(domain)
    except InvalidAddress as error:
        raise ConfigurationFault(f"the DKIM domain {domain!r} is none that mail could come from: {error}") from error
    privates = [_private(block[0], file) for block in _BLOCK.finditer(_contents(file))]
    rsa = [key for key in privates if isinstance(key, RSAPrivateKey)]
    ed25519 = [key for key in privates if isinstance(key, Ed25519PrivateKey)]
    if not privates:
        raise ConfigurationFault(f"the DKIM key file {file} holds no private key in PEM: see docs/dkim.md")
    if len(rsa) > 1 or len(ed25519) > 1:
        raise ConfigurationFault(f"the DKIM key file {file} holds two keys of one kind: each selector has its own file")
    keys = [SigningKey(selector=_checked(selector), private=key) for key in rsa]
    keys += [SigningKey(selector=_checked(selector) + ED25519_SUFFIX, private=key) for key in ed25519]
    return Signer(domain=own, keys=tuple(keys))


def _checked(selector: str) -> str:
    if not all(_SELECTOR.fullmatch(name) for name in (selector, selector + ED25519_SUFFIX)):
        raise ConfigurationFault(
            f"the DKIM selector {selector!r} cannot be published: take letters, digits and hyphens, 55 at most"
        )
    return selector


def _contents(file: Path) -> bytes:
    try:
        mode, contents = file.stat().st_mode, file.read_bytes()
    except OSError as error:
        raise ConfigurationFault(f"the DKIM key file {file} cannot be read: {error.strerror}") from error
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise ConfigurationFault(f"everybody on this machine may open the DKIM key file {file}: run chmod o= {file}")
    return contents


def _private(pem: bytes, file: Path) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise ConfigurationFault(
            f"the DKIM key file {file} is encrypted, and nobody is there to unlock it: store it without a passphrase"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationFault(f"the DKIM key file {file} holds something that is no private key") from error
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationFault(f"the DKIM key file {file} holds a key of another kind: DKIM takes RSA and Ed25519")
    if key.key_size not in RSA_BITS:
        raise ConfigurationFault(
            f"the RSA key in {file} has {key.key_size} bits: DKIM takes {RSA_BITS.start} to {RSA_BITS.stop - 1}"
        )
    return key


def _record(domain: str, key: SigningKey) -> Record:
    public = key.private.public_key()
    if isinstance(key.private, RSAPrivateKey):
        kind, octets = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        kind, octets = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    text = f"v=DKIM1; k={kind}; p={b64encode(octets).decode()}"
    strings = tuple(text[start : start + RECORD_STRING] for start in range(0, len(text), RECORD_STRING))
    return Record(f"{key.selector}._domainkey.{domain}", strings)


def _relaxed_fields(head: bytes) -> dict[bytes, list[bytes]]:
    """The fields by their names in small letters, in relaxed form (RFC 6376 §3.4.2)."""
    fields: dict[bytes, list[bytes]] = {}
    for each in _FIELD_END.split(head):
        name, _, value = each.partition(b":")
        key = name.rstrip(b" \t").lower()
        fields.setdefault(key, []).append(b"%b:%b\r\n" % (key, _BLANKS.sub(b" ", value).strip(b" ")))
    return fields


def _selected(fields: Mapping[bytes, Sequence[bytes]]) -> tuple[tuple[str, ...], list[bytes]]:
    """The names of `h=` and the fields they stand for; of several with one name the last comes first (§5.4.2)."""
    names: list[str] = []
    lines: list[bytes] = []
    for name in OVERSIGNED + SIGNED:
        present = fields.get(name.lower().encode("ascii"), ())
        names += [name] * (len(present) + (name in OVERSIGNED))
        lines += reversed(present)
    return tuple(names), lines


def _relaxed_body(body: bytes) -> bytes:
    """The body in relaxed form (RFC 6376 §3.4.4); replacing is many times faster than a regular expression."""
    text = body.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    text = text.replace(b" \r\n", b"\r\n").rstrip(b" \r\n")
    return text + b"\r\n" if text else b""


@lru_cache(maxsize=64)
def _in_words(names: tuple[str, ...]) -> str:
    """The names joined by colons, with a blank wherever the field may be folded (RFC 6376 §3.5)."""
    words = [""]
    for name in names:
        if len(words[-1]) + len(name) >= _WORD:
            words.append("")
        words[-1] += f"{name}:"
    return " ".join(words)[:-1]


@lru_cache(maxsize=64)
def _seconds(date: str) -> int:
    """The seconds since 1970 of a Date field."""
    return calendar.timegm(parsedate_to_datetime(date.partition(":")[2]).utctimetuple())
