"""
The way in: from a content pack to stored content.

Takes a YAML file and a session; yields the pack and a report of what is new and what is different. Promises that a pack
is taken whole or not at all, that taking it twice touches no row, and that it never commits: the caller does, or rolls
back to have seen only what would change.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlmodel import Session

from newsletter.content.difference import Difference, Effect
from newsletter.content.entry import Status
from newsletter.content.markdown import traps
from newsletter.content.newsletter import Newsletter
from newsletter.content.pack import ContentPack, foreign_sections, parse_pack, unknown_items
from newsletter.content.store import (
    entry_keys,
    get_newsletter,
    put_picture,
    save_entries,
    save_newsletter,
    save_topics,
)
from newsletter.errors import InvalidInput, InvalidPack, NotFound, Problem

__all__ = ["ContentPack", "PackReport", "import_pack", "parse_pack", "read_pack"]

MAX_BYTES: Final = 20_000_000
"""The largest pack (DESIGN §6): thousands of entries in many languages; more is read in parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackReport:
    """
    What importing a pack did, or would do.

    `settings` is None where the pack only names its newsletter; `topics` and `entries` are by key, in the pack's order;
    `withdrawn` are the entries taken back by it; `pictures` is the number of new ones; `notes` are places in new or
    changed texts that read otherwise in plain Markdown, with what is made of them.
    """

    newsletter_id: int
    slug: str
    settings: Difference | None
    topics: Mapping[str, Difference]
    entries: Mapping[str, Difference]
    withdrawn: frozenset[str]
    pictures: int
    notes: tuple[Problem, ...]

    def keys(self, effect: Effect) -> tuple[str, ...]:
        """The keys of the entries on which it had that effect."""
        return tuple(key for key, difference in self.entries.items() if difference.effect is effect)

    @property
    def unchanged(self) -> bool:
        """Whether everything was there already."""
        differences = (*([self.settings] if self.settings else []), *self.topics.values(), *self.entries.values())
        return not self.pictures and all(difference.effect is Effect.UNCHANGED for difference in differences)


def read_pack(path: Path, *, sections: Collection[str] = ()) -> ContentPack:
    """
    Read a content pack and the pictures beside it.

    `sections` are those that stored issues have beside their newsletter's. Raises InvalidPack with every problem of the
    file, or InvalidInput where there is no such file.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}") from error
    if len(raw) > MAX_BYTES:
        problem = Problem(message=f"the file is larger than {MAX_BYTES // 1_000_000} MB: split it")
        raise InvalidPack(path, [problem])
    return parse_pack(raw, name=path, folder=path.parent, sections=sections)


def import_pack(
    session: Session, pack: ContentPack, *, now: dt.datetime, file: str | Path, sections: Collection[str] = ()
) -> PackReport:
    """
    Store a pack's newsletter, topics, entries and pictures; its issues are the caller's.

    `file` is what messages call the pack; `sections` as for `read_pack`. Raises InvalidPack before anything is written
    where the pack names a newsletter, a section or an entry that does not exist.
    """
    newsletter_id = _check(session, pack, file=file, sections=sections)
    settings = None
    if isinstance(pack.newsletter, Newsletter):
        newsletter_id, settings = save_newsletter(session, pack.newsletter, now=now)
    topics = save_topics(session, newsletter_id, topics=pack.topics)
    entries = save_entries(session, newsletter_id, entries=pack.entries, now=now)
    return PackReport(
        newsletter_id=newsletter_id,
        slug=pack.slug,
        settings=settings,
        topics=topics,
        entries=entries,
        withdrawn=_withdrawn(pack, entries),
        pictures=sum(put_picture(session, picture) for picture in pack.pictures),
        notes=tuple(_notes(pack, entries)),
    )


def _check(session: Session, pack: ContentPack, *, file: str | Path, sections: Collection[str]) -> int:
    # Returns the stored newsletter's id; 0 where the pack itself brings the newsletter.
    try:
        newsletter_id, newsletter = get_newsletter(session, pack.slug)
    except NotFound as error:
        if isinstance(pack.newsletter, str):
            raise InvalidPack(file, [pack.document.problem(str(error), ("newsletter",))]) from error
        newsletter_id, newsletter = 0, pack.newsletter
    settings = newsletter if isinstance(pack.newsletter, str) else pack.newsletter
    problems = [
        *foreign_sections(pack, settings, others=sections),
        *unknown_items(pack, entry_keys(session, newsletter_id)),
    ]
    if problems:
        raise InvalidPack(file, problems)
    return newsletter_id


def _withdrawn(pack: ContentPack, differences: Mapping[str, Difference]) -> frozenset[str]:
    return frozenset(
        entry.key
        for entry in pack.entries
        if entry.status is Status.WITHDRAWN
        and any(change.path == "status" for change in differences[entry.key].changes)
    )


def _notes(pack: ContentPack, differences: Mapping[str, Difference]) -> Iterator[Problem]:
    for index, entry in enumerate(pack.entries):
        if differences[entry.key].effect is Effect.UNCHANGED:
            continue
        for language, text in entry.texts.items():
            path = ("entries", index, "texts", language, "body")
            yield from (pack.document.problem(str(trap), path) for trap in traps(text.body))
