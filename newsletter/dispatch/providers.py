"""
Which domains belong to one mailbox provider: what slows one of them down slows down all.

Takes an address, yields the name of its group: the provider's, or the domain itself. The table is our own, of what
large providers say about their domains; who is not in it stands alone, which is the safe side. Pure.
"""

from typing import Final

_DOMAINS: Final = {
    "google": "gmail.com googlemail.com",
    "microsoft": "outlook.com outlook.fr outlook.de outlook.es outlook.it outlook.be hotmail.com hotmail.fr hotmail.de"
    " hotmail.es hotmail.it hotmail.be hotmail.nl hotmail.co.uk live.com live.fr live.de live.it live.be live.nl"
    " live.co.uk msn.com passport.com",
    "yahoo": "yahoo.com yahoo.fr yahoo.de yahoo.es yahoo.it yahoo.co.uk yahoo.ie yahoo.gr yahoo.se yahoo.dk yahoo.pl"
    " ymail.com rocketmail.com aol.com aol.fr aol.de aol.it aol.co.uk",
    "gmx": "gmx.com gmx.net gmx.de gmx.at gmx.ch gmx.fr gmx.eu web.de mail.com email.com",
    "apple": "icloud.com me.com mac.com",
    "orange": "orange.fr wanadoo.fr voila.fr",
    "free": "free.fr aliceadsl.fr libertysurf.fr",
    "laposte": "laposte.net",
    "sfr": "sfr.fr neuf.fr cegetel.net club-internet.fr numericable.fr",
    "telekom": "t-online.de magenta.de",
    "libero": "libero.it iol.it inwind.it blu.it giallo.it",
    "proton": "proton.me protonmail.com protonmail.ch pm.me",
    "fastmail": "fastmail.com fastmail.fm",
    "zoho": "zoho.com zoho.eu zohomail.com zohomail.eu",
    "yandex": "yandex.com yandex.ru ya.ru",
    "mail.ru": "mail.ru inbox.ru list.ru bk.ru internet.ru",
    "seznam": "seznam.cz email.cz post.cz",
    "wp": "wp.pl o2.pl tlen.pl",
    "onet": "onet.pl onet.eu op.pl vp.pl poczta.onet.pl",
    "bt": "btinternet.com btopenworld.com talk21.com",
    "ziggo": "ziggo.nl home.nl upcmail.nl",
    "kpn": "kpnmail.nl planet.nl hetnet.nl",
    "telenet": "telenet.be",
    "proximus": "skynet.be proximus.be belgacom.net",
}
_GROUPS: Final = {domain: group for group, domains in _DOMAINS.items() for domain in domains.split()}


def group_of(address: str) -> str:
    """The provider of an address, or its domain where that is not known; whatever the case of its letters."""
    domain = address.rpartition("@")[2].lower()
    return _GROUPS.get(domain, domain)
