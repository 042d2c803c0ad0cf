"""
The public addresses: whether readers can follow the links of a message, and see its pictures.

Takes settings, yields checks. Pure.
"""

from collections.abc import Callable, Iterator
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
    against = _against(
        url, inward="readers cannot follow any link", plain="large providers ask for https to unsubscribe"
    )
    if against is None:
        return ok("public-url", url)
    words, advice = against
    made = _made(settings)
    return made("public-url", words, f"Set NEWSLETTER_PUBLIC_URL before you write to people: {advice}.")


def check_media_url(settings: Settings) -> Iterator[Check]:
    """The same of the root of stored pictures, where it is another one."""
    url = settings.media_url
    if url is None:
        return
    against = _against(
        url, inward="readers see no picture", plain="browsers leave such pictures out of encrypted pages"
    )
    if against is None:
        yield ok("media-url", url, "That server has to hand out what the pages have at /media.")
        return
    words, advice = against
    made = _made(settings)
    yield made("media-url", words, f"Set NEWSLETTER_MEDIA_URL, or leave it out, before you write to people: {advice}.")


def _against(url: str, *, inward: str, plain: str) -> tuple[str, str] | None:
    """What is wrong with an address and what comes of it, `inward` or `plain`; None where nothing is."""
    if is_inward(urlsplit(url).hostname or ""):
        return f"{url} leads to this machine or a private network", inward
    return None if url.startswith("https://") else (f"{url} is not encrypted", plain)


def _made(settings: Settings) -> Callable[[str, str, str], Check]:
    is_trial = settings.dispatch.maildir is not None or all(is_local(relay.host) for relay in settings.outlets)
    return warning if is_trial else error


def is_inward(host: str) -> bool:
    """Whether a host is a name or an address that means nothing outside."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return is_local(host) or host.endswith((".localhost", ".local", ".internal")) or "." not in host
