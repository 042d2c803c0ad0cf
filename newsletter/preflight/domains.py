"""
What the DNS says of a sender's domains: who may send (SPF), which keys sign (DKIM), what becomes of the rest (DMARC).

Takes the domains and something that answers questions about names, yields findings. Asked only where somebody wants to
know: `newsletter doctor --outside`, `newsletter issue preflight --outside`. Gmail, Yahoo and Microsoft refuse large
newsletters that lack one of the three, and the relay takes them without a word.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from newsletter.preflight.finding import Finding, Rule, Severity
from newsletter.preflight.resolver import NameSource
from newsletter.preflight.sender import PLACE

NO_SPF: Final = Rule(
    code="spf-missing",
    severity=Severity.WARNING,
    message="{domain} has no SPF record: receivers cannot tell which servers may send for it.",
    hint="Publish a TXT record that names the servers of the relay, such as “v=spf1 include:relay.example -all”; "
    "whoever runs the relay knows what to put there.",
    outside=True,
)
SPF_TWICE: Final = Rule(
    code="spf-several",
    severity=Severity.WARNING,
    message="{domain} has {n} SPF records: receivers then count none of them.",
    hint="Join them into one TXT record that begins with v=spf1.",
    outside=True,
)
SPF_OPEN: Final = Rule(
    code="spf-open",
    severity=Severity.WARNING,
    message="The SPF record of {domain} lets every server on earth send for it (“{record}”).",
    hint="End it with -all or ~all instead.",
    outside=True,
)
NO_KEY: Final = Rule(
    code="dkim-unpublished",
    severity=Severity.WARNING,
    message="There is no DKIM key at {name}: receivers cannot check the signatures.",
    hint="Publish the record that `newsletter doctor` prints, or wait: the DNS may take a day.",
    outside=True,
)
OTHER_KEY: Final = Rule(
    code="dkim-other-key",
    severity=Severity.WARNING,
    message="The DKIM key at {name} is not the one that signs: receivers count every signature as forged.",
    hint="Publish the record that `newsletter doctor` prints in place of the present one.",
    outside=True,
)
NO_DMARC: Final = Rule(
    code="dmarc-missing",
    severity=Severity.WARNING,
    message="{domain} has no DMARC record: large providers refuse newsletters without one.",
    hint="Publish a TXT record at _dmarc, in front of the domain; “v=DMARC1; p=none” is enough to begin with.",
    outside=True,
)
BAD_DMARC: Final = Rule(
    code="dmarc-unreadable",
    severity=Severity.WARNING,
    message="The DMARC record at {name} is none that receivers can read: there has to be one, and it has to say "
    "p=none, p=quarantine or p=reject.",
    hint="Publish one TXT record there, such as “v=DMARC1; p=none”.",
    outside=True,
)
STRICT: Final = Rule(
    code="dmarc-strict",
    severity=Severity.WARNING,
    message="The DMARC record at {name} wants signatures of {domain} itself (adkim=s), but {signing} signs.",
    hint="Give the sender's domain a key of its own (docs/dkim.md), or take adkim=s out of the record.",
    outside=True,
)
SILENT: Final = Rule(
    code="dns-unanswered",
    severity=Severity.NOTICE,
    message="The DNS did not answer in time about {name}.",
    hint="Try again later; if it stays so, ask whoever looks after the domain.",
    outside=True,
)
RULES: Final = (NO_SPF, SPF_TWICE, SPF_OPEN, NO_KEY, OTHER_KEY, NO_DMARC, BAD_DMARC, STRICT, SILENT)

_POLICIES: Final = frozenset({"none", "quarantine", "reject"})
_FEWEST_LABELS: Final = 2
"""A top-level domain publishes no policy for those beneath it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderDomains:
    """
    The domains behind one sender, as A-labels.

    `sender` stands in From, `returns` in the return path. `signing` is the domain whose keys sign, None where the relay
    does it or nobody; `keys` has what should be published for it, by name.
    """

    sender: str
    returns: str
    signing: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """A DMARC record: where it was found, and its tags."""

    name: str
    tags: Mapping[str, str]


def check_domains(domains: SenderDomains, names: NameSource) -> Iterator[Finding]:
    """Ask the DNS about the domains of a sender."""
    yield from _spf(domains.returns, names)
    for name, text in domains.keys.items():
        yield from _key(name, text, names)
    yield from _dmarc(domains, names)


def policy_for(domain: str, names: NameSource) -> Policy | Finding | None:
    """
    The DMARC policy that holds for a domain: its own, or that of the nearest domain above (RFC 7489 §6.6.3).

    None where there is none; a finding where there is one that cannot be read, or no answer.
    """
    labels = domain.split(".")
    for start in range(max(1, len(labels) - _FEWEST_LABELS + 1)):
        name = f"_dmarc.{'.'.join(labels[start:])}"
        texts = names.texts(name)
        if texts is None:
            return SILENT.found(place=PLACE, name=name)
        found = [tags for text in texts if (tags := tags_in(text)).get("v") == "DMARC1"]
        if len(found) == 1 and found[0].get("p", "").lower() in _POLICIES:
            return Policy(name, found[0])
        if found:
            return BAD_DMARC.found(place=PLACE, name=name)
    return None


def tags_in(record: str) -> dict[str, str]:
    """The tags of a record such as `v=DMARC1; p=none` (RFC 6376 §3.2), without the blanks within values."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip(): "".join(value.split()) for name, sign, value in pairs if sign}


def _spf(domain: str, names: NameSource) -> Iterator[Finding]:
    texts = names.texts(domain)
    if texts is None:
        yield SILENT.found(place=PLACE, name=domain)
        return
    found = [text for text in texts if text.lower().split(" ", 1)[0] == "v=spf1"]
    if not found:
        yield NO_SPF.found(place=PLACE, domain=domain)
    elif len(found) > 1:
        yield SPF_TWICE.found(place=PLACE, domain=domain, n=len(found))
    elif _is_open(found[0].lower().split()):
        yield SPF_OPEN.found(place=PLACE, domain=domain, record=found[0])


def _is_open(terms: Sequence[str]) -> bool:
    return "+all" in terms or "all" in terms


def _key(name: str, text: str, names: NameSource) -> Iterator[Finding]:
    texts = names.texts(name)
    if texts is None:
        yield SILENT.found(place=PLACE, name=name)
    elif not texts:
        yield NO_KEY.found(place=PLACE, name=name)
    elif tags_in(text)["p"] not in {tags_in(published).get("p") for published in texts}:
        yield OTHER_KEY.found(place=PLACE, name=name)


def _dmarc(domains: SenderDomains, names: NameSource) -> Iterator[Finding]:
    policy = policy_for(domains.sender, names)
    if policy is None:
        yield NO_DMARC.found(place=PLACE, domain=domains.sender)
    elif isinstance(policy, Finding):
        yield policy
    elif domains.signing and policy.tags.get("adkim", "r").lower() == "s" and domains.signing != domains.sender:
        yield STRICT.found(place=PLACE, name=policy.name, domain=domains.sender, signing=domains.signing)
