"""
By what a later change is noticed: digests of texts, fingerprints of sittings.

Takes entries as they were and as they are to be, yields for each translation the digest of the source text it was made
from, and the languages whose source has moved on since. Pure.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from newsletter.content.entry import Entry, Sitting, Text

Origins = Mapping[str, str | None]
"""For each language the digest of the source text that its text was made from; None for the source itself."""


def text_digest(text: Text) -> str:
    """The SHA-256 of what a text says."""
    return _digest(text.model_dump(mode="json"))


def fingerprint(entry: Entry, sitting: Sitting) -> str:
    """The SHA-256 of what makes a calendar entry another: when, where, whether, and under which title."""
    place = sitting.place or entry.place
    return _digest(
        sitting.model_dump(mode="json", include={"date", "until", "start", "end", "timezone", "status", "title"})
        | {"place": place.model_dump(mode="json") if place else None}
    )


def origins(entry: Entry, *, before: Entry | None, known: Origins) -> dict[str, str | None]:
    """
    Say which source text each text of `entry` was made from.

    A text that is new or changed was made from the present source: what arrives together is not stale to each other.
    One that stayed as it was keeps its origin in `known`. Where another language becomes the source, the texts that
    were up to date stay so.
    """
    source = text_digest(entry.texts[entry.source])
    found: dict[str, str | None] = {}
    for language, text in entry.texts.items():
        if language == entry.source:
            found[language] = None
        elif (
            before is None
            or before.texts.get(language) != text
            or _was_fresh_to_another(entry, before, known, language)
        ):
            found[language] = source
        else:
            found[language] = known.get(language)
    return found


def stale(entry: Entry, known: Origins) -> frozenset[str]:
    """The languages whose text was made from another source text than the present one."""
    source = text_digest(entry.texts[entry.source])
    return frozenset(tag for tag in entry.texts if tag != entry.source and known.get(tag) != source)


def _was_fresh_to_another(entry: Entry, before: Entry, known: Origins, language: str) -> bool:
    return before.source != entry.source and language not in stale(before, known)


def _digest(data: Any) -> str:
    return sha256(json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
