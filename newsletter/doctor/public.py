"""
The public address: whether readers can follow the links of a message.

Takes settings, yields a check. Pure.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from newsletter.doctor.check import Check, error, ok, warning
from newsletter.doctor.relay import is_local
from newsletter.settings import Settings


def check_public_url(settings: Settings) -> Check:
    """
    Whether the root of every public link is one that readers can reach, over https (RFC 8058 §3.1 asks for it).

    A relay on this machine may be a trial, so that there it is no more than a warning.
    """
    url = settings.public_url
    host = urlsplit(url).hostname or ""
    if is_inward(host):
        words, advice = f"{url} leads to this machine or a private network", "readers cannot follow any link"
    elif not url.startswith("https://"):
        words, advice = f"{url} is not encrypted", "large providers ask for https to unsubscribe"
    else:
        return ok("public-url", url)
    is_trial = settings.dispatch.maildir is not None or all(is_local(relay.host) for relay in settings.outlets)
    made = warning if is_trial else error
    return made("public-url", words, f"Set NEWSLETTER_PUBLIC_URL before you write to people: {advice}.")


def is_inward(host: str) -> bool:
    """Whether a host is a name or an address that means nothing outside."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return is_local(host) or host.endswith((".localhost", ".local", ".internal")) or "." not in host
