"""
The senders: whether mail from their domains is signed, and what the DNS says of them.

Takes the senders of the newsletters, the settings and, where somebody wants to know, something that answers questions
about names; yields checks, with the records to publish.
"""

from collections.abc import Collection, Iterator
from typing import Final

from newsletter.dispatch.dkim import Signer, read_signers, records, signer_for
from newsletter.doctor.check import Check, Status, error, ok, warning
from newsletter.errors import ConfigurationFault
from newsletter.pipeline.senders import domains_of
from newsletter.preflight.domains import NO_KEY, OTHER_KEY, Policy, check_domains, policy_for
from newsletter.preflight.finding import Finding, Severity
from newsletter.preflight.resolver import NameSource
from newsletter.settings import BounceSettings, DkimSettings, Settings
from subscribers.address import parse_address

RELAY_SIGNS: Final = (
    "The relay has to sign, then, and its signature has to cover List-Unsubscribe and List-Unsubscribe-Post "
    "(RFC 8058): look for both in h= of DKIM-Signature in a test message. Or let the program sign: "
    "`newsletter doctor dkim-key`."
)


def check_signing(addresses: Collection[str], settings: DkimSettings) -> Iterator[Check]:
    """Who signs what is sent from these addresses, and the DNS records of the keys."""
    try:
        signers = read_signers(settings)
    except ConfigurationFault as fault:
        yield error("dkim", str(fault), "No dispatcher starts before that: see docs/dkim.md.")
        return
    if not signers:
        yield ok("dkim", "the program signs nothing", RELAY_SIGNS)
        return
    for signer in signers:
        yield _published(signer)
    for domain in _domains(addresses):
        try:
            signer_for(signers, domain)
        except ConfigurationFault as fault:
            yield error("dkim", str(fault), "No dispatcher starts before that: see docs/dkim.md.")


def check_names(addresses: Collection[str], settings: Settings, names: NameSource) -> Iterator[Check]:
    """What the DNS says of the domains of these addresses, and of the one that takes bounces."""
    told: set[str] = set()
    for address in sorted(addresses, key=lambda each: parse_address(each).domain):
        domains = domains_of(address, settings)
        if domains.sender not in told:
            told.add(domains.sender)
            found = list(check_domains(domains, names))
            yield from map(_as_check, found)
            if not found:
                yield ok(
                    "dns", f"{domains.sender} has what large providers ask for: SPF, DMARC{_key_words(domains.keys)}"
                )
            yield from _logo(domains.sender, names)
    yield from _bounces(settings.bounce, names)


def _domains(addresses: Collection[str]) -> list[str]:
    return sorted({parse_address(address).domain for address in addresses})


def _published(signer: Signer) -> Check:
    kinds = " and ".join(key.algorithm for key in signer.keys)
    return ok(
        "dkim",
        f"mail from {signer.domain} is signed ({kinds})",
        "These records have to be in the DNS; `newsletter doctor --outside` compares them.",
        records=tuple(record.zone_line for record in records(signer)),
    )


def _key_words(keys: Collection[str]) -> str:
    return " and the keys that sign" if keys else ""


def _as_check(finding: Finding) -> Check:
    # What is signed and cannot be checked is worse than what is not signed at all.
    is_fatal = finding.rule in {NO_KEY, OTHER_KEY} or finding.severity is Severity.ERROR
    status = Status.ERROR if is_fatal else Status.WARNING
    return Check(code=finding.code, status=status, words=finding.message(), advice=finding.hint())


def _logo(domain: str, names: NameSource) -> Iterator[Check]:
    """BIMI, the logo beside a message (draft-brand-indicators-for-message-identification), is nobody's duty."""
    texts = names.texts(f"default._bimi.{domain}")
    if not any(text.startswith("v=BIMI1") for text in texts or ()):
        return
    policy = policy_for(domain, names)
    if isinstance(policy, Policy) and policy.tags.get("p", "").lower() != "none":
        yield ok("bimi", f"{domain} shows its logo (BIMI)")
    else:
        yield warning(
            "bimi",
            f"{domain} publishes a logo (BIMI) that nobody will show",
            "Providers ask for p=quarantine or p=reject in its DMARC record first.",
        )


def _bounces(settings: BounceSettings, names: NameSource) -> Iterator[Check]:
    if not settings.domain:
        return
    hosts = names.mail_hosts(settings.domain)
    if hosts:
        yield ok("bounce-domain", f"bounces to {settings.domain} go to {hosts[0]}")
    elif hosts is None:
        yield warning("bounce-domain", f"the DNS did not answer in time about {settings.domain}", "Try again later.")
    else:
        yield error(
            "bounce-domain",
            f"nothing takes mail for {settings.domain}: bounces are lost, and so is who bounced",
            "Publish an MX record that leads to the bounce mailbox, or take NEWSLETTER_BOUNCE__DOMAIN away.",
        )
