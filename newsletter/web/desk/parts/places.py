"""
Time zones as officers name them.

Takes what somebody typed or chose; yields the IANA name that is meant. A city or "Brussels – Belgium" in any language
of the desk will do where one zone only is called so; what means none stays as it was written, for a message to say.
"""

from collections.abc import Mapping
from functools import cache

from newsletter.web.desk.words import desk_languages
from newsletter.web.zones import zone_groups, zone_names


def zone_named(written: str) -> str:
    """The IANA name of the zone that is meant, "" for nothing written."""
    if not written or written in zone_names():
        return written
    return _by_words().get(_plain(written), written)


@cache
def _by_words() -> Mapping[str, str]:
    found: dict[str, str] = {"utc": "UTC"}
    for name in zone_names():
        found[_plain(name)] = name
    for language in desk_languages():
        for group in zone_groups(language):
            for zone in group.zones:
                for words in (zone.words, zone.words.partition(" – ")[0]):
                    found.setdefault(_plain(words), zone.name)
    return found


def _plain(words: str) -> str:
    return " ".join(words.replace("–", " ").replace("-", " ").replace("_", " ").casefold().split())
