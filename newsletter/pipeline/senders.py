"""
The domains behind a sender: which of the settings' keys sign for it, and where its bounces go.

Takes settings and a sender's address, yields names. Reads key files only for what should be published in the DNS.
"""

import contextlib

from newsletter.errors import ConfigurationFault
from newsletter.preflight.alignment import is_aligned
from newsletter.preflight.domains import SenderDomains
from newsletter.settings import DkimSettings, Settings
from subscribers.address import domain_key, parse_address
from subscribers.errors import InvalidAddress


def signing_domains(settings: DkimSettings) -> tuple[str, ...]:
    """The domains that the settings have keys for, as A-labels; a name that could not send mail is left out."""
    named = [*([settings.domain] if settings.domain else []), *(settings.domains or {})]
    found = []
    for name in named:
        with contextlib.suppress(InvalidAddress):
            found.append(domain_key(name))
    return tuple(found)


def domains_of(address: str, settings: Settings) -> SenderDomains:
    """
    The domains behind a sender's address.

    Keys that cannot be read are left out: `newsletter doctor` says so, and whoever checks an issue need not be allowed
    to read them.
    """
    sender = parse_address(address).domain
    returns = settings.bounce.domain or sender
    signing = [domain for domain in signing_domains(settings.dkim) if is_aligned(sender, domain)]
    if not signing:
        return SenderDomains(sender=sender, returns=returns)
    nearest = min(signing, key=lambda domain: abs(len(domain) - len(sender)))
    return SenderDomains(sender=sender, returns=returns, signing=nearest, keys=_published(nearest, settings.dkim))


def _published(domain: str, settings: DkimSettings) -> dict[str, str]:
    """The DNS records of a domain's keys, by name."""
    from newsletter.dispatch.dkim import read_signers, records

    with contextlib.suppress(ConfigurationFault):
        return {
            record.name: record.text
            for signer in read_signers(settings)
            if signer.domain == domain
            for record in records(signer)
        }
    return {}
