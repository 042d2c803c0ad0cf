"""
The static export: an issue's web view as a folder that any web server can host.

Takes an issue and a folder, writes the files at the paths of their public addresses (see `links`): a page and a
calendar file per language, a calendar file per sitting, pictures, and for the newsletter a page that lists its issues
and two feeds per language. The folder is the root of the public address; several exports stand in it side by side.

A file is written beside its place and then put there at once, and only where its bytes are new, so that an interruption
leaves whole files: first what pages need, then the pages, last what leads to them. Nothing is ever deleted. What is
limited to a segment stands on no page and in no feed; its calendar files are there, because the mail names them.
"""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import quote, unquote, urldefrag

from newsletter.assembly import store as issues
from newsletter.assembly.edition import CalendarEvent, Edition
from newsletter.compilation.artifact import Artifact
from newsletter.compilation.calendar_file import issue_file, sitting_file
from newsletter.compilation.feeds import archive_address, channel_of, item_of, json_feed, rss
from newsletter.compilation.webview import PRINT_SCRIPT, archive_page, web_view
from newsletter.content import store as content
from newsletter.errors import InvalidInput
from newsletter.links import Links
from newsletter.paths import templates
from newsletter.pipeline.approval import Approval, Built
from newsletter.pipeline.parts import Parts

PAGE: Final = "index.html"
"""What web servers show for a folder."""

Pair = tuple[Artifact, Edition]
"""A compiled edition and what it was compiled from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """
    What an export wrote.

    `pages` and `files` are paths inside `folder`, the files in the order in which they were put there; `changed` says
    how many of them were new or other than before. `missing` names calendar files that a page links to and that are no
    more: their sittings were taken out of the entry after the approval. `pinned` is that of the build.
    """

    folder: Path
    pages: tuple[str, ...]
    files: tuple[str, ...]
    changed: int
    missing: tuple[str, ...]
    pinned: bool


class Export:
    """The verb of the static export."""

    def __init__(self, parts: Parts, *, approval: Approval) -> None:
        self._parts = parts
        self._approval = approval

    def export(self, slug: str, folder: Path, *, newsletter: str | None = None) -> Exported:
        """
        Write an issue into a folder, and list it there beside the issues that were exported before.

        An approved issue gives the bytes that were approved. Raises InvalidInput where the folder cannot be written.
        """
        built = self._approval.compile(slug, newsletter=newsletter)
        pairs = _for_everybody(built)
        site = _Site(self._parts.links, [edition for _, edition in pairs], stored=self._stored())
        calendars = _calendars(built, pairs, site)
        site.known.update(calendars)
        pages = dict(self._page(pair, site, default=pairs[0][1].language) for pair in pairs)
        needed = {site.script: (templates() / "web" / "static" / PRINT_SCRIPT).read_bytes(), **self._pictures(site)}
        files = {**needed, **calendars, **pages, **self._lists(slug, pairs, folder, site)}
        return Exported(
            folder=folder,
            pages=tuple(pages),
            files=tuple(files),
            changed=_put(folder, files),
            missing=_missing(built, site),
            pinned=built.pinned,
        )

    def _page(self, pair: Pair, site: "_Site", *, default: str) -> tuple[str, bytes]:
        artifact, edition = pair
        path = site.page(edition)
        script = f"{site.root}{site.script}"
        html = web_view(
            artifact,
            edition,
            default=default,
            links=self._parts.links,
            script=script,
            at=lambda address: site.near(address, path),
        )
        return path, html.encode()

    def _stored(self) -> frozenset[str]:
        with self._parts.sessions() as session:
            return frozenset(content.picture_names(session))

    def _pictures(self, site: "_Site") -> dict[str, bytes]:
        with self._parts.sessions() as session:
            return {f"media/{name}": content.get_picture(session, name).data for name in sorted(site.pictures)}

    def _lists(self, slug: str, pairs: Sequence[Pair], folder: Path, site: "_Site") -> dict[str, bytes]:
        """The feeds and the page of the newsletter, over the issues that the folder holds by now."""
        links, newsletter = self._parts.links, pairs[0][1].newsletter
        home = site.path(archive_address(links, newsletter))
        exported = [
            pairs if name == slug else _for_everybody(self._approval.compile(name, newsletter=newsletter))
            for name in self._issues(newsletter)
            if name == slug or (folder / home / name).is_dir()
        ]
        files: dict[str, bytes] = {}
        editions = {edition.language: edition for issue in reversed(exported) for _, edition in issue}
        for language, latest in editions.items():
            channel = channel_of(latest, links=links)
            items = [item_of(*pair) for issue in exported for pair in issue if pair[1].language == language]
            files |= {site.path(channel.rss): rss(channel, items), site.path(channel.json): json_feed(channel, items)}
        listed = [[edition for _, edition in issue] for issue in exported]
        site.known.update(files, (site.page(edition) for issue in listed for edition in issue))
        path = f"{home}/{PAGE}"
        page = archive_page(listed, links=links, at=lambda address: site.near(address, path))
        return {**files, path: page.encode()}

    def _issues(self, newsletter: str) -> list[str]:
        """The newsletter's issues, the latest first."""
        with self._parts.sessions() as session:
            newsletter_id, _ = content.get_newsletter(session, newsletter)
            return [row.slug for row in issues.list_issues(session, newsletter_id)]


class _Site:
    """
    The paths of public addresses inside the folder.

    `known` are those that it has, `pictures` the names of those of the `stored` pictures that a page shows.
    """

    script: Final = f"static/{PRINT_SCRIPT}"

    def __init__(self, links: Links, editions: Iterable[Edition], *, stored: frozenset[str]) -> None:
        self.root = f"{links.root.rstrip('/')}/"
        self._media, self._stored = links.picture(""), stored
        self.known = {self.script, *(self.page(edition) for edition in editions)}
        self.pictures: set[str] = set()

    def path(self, address: str) -> str:
        """Where an address under the root lies."""
        return unquote(address.removeprefix(self.root))

    def page(self, edition: Edition) -> str:
        """Where the page of an edition lies."""
        return f"{self.path(edition.web_view)}/{PAGE}"

    def near(self, address: str, page: str) -> str:
        """An address as a page of the folder writes it: relative where the folder has it, else as it is."""
        bare, fragment = urldefrag(address)
        found = self._found(bare)
        if not found:
            return address
        relative = posixpath.relpath(f"/{found}", posixpath.dirname(f"/{page}"))
        return quote(relative) + (f"#{fragment}" if fragment else "")

    def _found(self, address: str) -> str:
        name = unquote(address.removeprefix(self._media)) if address.startswith(self._media) else ""
        if name in self._stored:
            self.pictures.add(name)
            return f"media/{name}"
        path = self.path(address) if address.startswith(self.root) else ""
        return next((known for known in (path, f"{path}/{PAGE}") if known in self.known), "")


def _for_everybody(built: Built) -> list[Pair]:
    """The editions without what is limited to a segment, in the order of the languages."""
    artifacts = {artifact.language: artifact for artifact in built.artifacts if not artifact.variant}
    return [(artifacts[edition.language], edition) for edition in built.editions if not edition.variant]


def _calendars(built: Built, pairs: Iterable[Pair], site: _Site) -> dict[str, bytes]:
    """The calendar file of each edition, and one at each address that a sitting names, limited ones included."""
    files = {site.path(edition.calendar): issue_file(edition) for _, edition in pairs}
    for edition in built.editions:
        events = {event.uid: event for event in edition.events}
        named: dict[str, list[CalendarEvent]] = {}
        for address, uid in _sittings(edition):
            named.setdefault(address, []).append(events[uid])
        for address, found in named.items():
            # Keys may have dots, so two sittings can share an address: then the file has both.
            both = replace(edition, events=tuple(found))
            file = issue_file(both) if len(found) > 1 else sitting_file(found[0], edition=edition)
            files.setdefault(site.path(address), file)
    return files


def _sittings(edition: Edition) -> Iterator[tuple[str, str]]:
    blocks = (block for section in edition.sections for block in section.blocks)
    return ((sitting.calendar, sitting.uid) for block in blocks for sitting in block.sittings)


def _missing(built: Built, site: _Site) -> tuple[str, ...]:
    links = (link for artifact in built.artifacts for link in artifact.links)
    named = (link for link in links if link.startswith(site.root) and link.endswith(".ics"))
    return tuple(dict.fromkeys(link for link in named if site.path(link) not in site.known))


def _put(folder: Path, files: Mapping[str, bytes]) -> int:
    """Put files into a folder, each at once and in order; returns how many were new or had other bytes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        changed = [name for name, data in files.items() if not _has(folder / name, data)]
        # On the same file system as their places, so that each is put there in one step.
        with TemporaryDirectory(prefix=".export-", dir=folder) as staging:
            for number, name in enumerate(changed):
                (Path(staging) / str(number)).write_bytes(files[name])
            for number, name in enumerate(changed):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(staging) / str(number)).replace(folder / name)
    except OSError as error:
        raise InvalidInput(f"the folder {folder} cannot be written: {error.strerror or error}") from error
    return len(changed)


def _has(file: Path, data: bytes) -> bool:
    return file.is_file() and file.stat().st_size == len(data) and file.read_bytes() == data
