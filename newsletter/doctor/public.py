"""
The public addresses: whether readers can follow the links of a message, and see its pictures.

Takes settings, yields checks. Pure.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final
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
    if _leads_inward(url):
        words, advice = f"{url} {_INWARD}", "readers cannot follow any link"
    elif not url.startswith("https://"):
        words, advice = f"{url} {_OPEN}", "large providers ask for https to unsubscribe"
    else:
        return ok("public-url", url)
    made = warning if _is_trial(settings) else error
    return made("public-url", words, f"Set NEWSLETTER_PUBLIC_URL before you write to people: {advice}.")


def check_media_url(settings: Settings) -> Iterator[Check]:
    """The same of the root of stored pictures, where it is another one."""
    url = settings.media_url
    if url is None:
        return
    if _leads_inward(url):
        words, advice = f"{url} {_INWARD}", "readers see no picture"
    elif not url.startswith("https://"):
        words, advice = f"{url} {_OPEN}", "browsers leave such pictures out of encrypted pages"
    else:
        yield ok("media-url", url, "That server has to hand out what the pages have at /media.")
        return
    made = warning if _is_trial(settings) else error
    yield made("media-url", words, f"Set NEWSLETTER_MEDIA_URL, or leave it out, before you write to people: {advice}.")


_INWARD: Final = "leads to this machine or a private network"
_OPEN: Final = "is not encrypted"


def _leads_inward(url: str) -> bool:
    return is_inward(urlsplit(url).hostname or "")


def _is_trial(settings: Settings) -> bool:
    return settings.dispatch.maildir is not None or all(is_local(relay.host) for relay in settings.outlets)


def is_inward(host: str) -> bool:
    """Whether a host is a name or an address that means nothing outside."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return is_local(host) or host.endswith((".localhost", ".local", ".internal")) or "." not in host
