"""
The static export: an issue's web view as a folder that any web server can host.

Takes an issue and a folder, writes the files at the paths of their public addresses (see `links`): a page and a
calendar file per language, a calendar file per sitting, pictures, and for the newsletter a page that lists its issues
and two feeds per language. An edition that was corrected after sending says what it says now, with the email as it was
sent on a page beside it. The folder is the root of the public address; several exports stand in it side by side.

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
from newsletter.assembly.edition import Edition
from newsletter.compilation import store as artifacts
from newsletter.compilation.calendar_file import issue_file, sitting_file
from newsletter.compilation.correction import Revised, notes_for
from newsletter.compilation.feeds import Item, channel_of, item_of, json_feed, rss
from newsletter.compilation.webview import PRINT_SCRIPT, archive_page, sent_page, web_view
from newsletter.content import store as content
from newsletter.content.newsletter import Newsletter
from newsletter.errors import InvalidInput
from newsletter.links import Links
from newsletter.paths import templates
from newsletter.pipeline.approval import Approval, Built
from newsletter.pipeline.correction import standing_artifacts
from newsletter.pipeline.parts import Parts

PAGE: Final = "index.html"
"""What web servers show for a folder."""

FEED_ISSUES: Final = 24
"""The newest issues of a newsletter stand in its feeds, whole: two years of a monthly one, some hundred kilobytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """
    What an export wrote.

    `pages` and `files` are paths inside `folder`, the files in the order in which they were put there; `changed` says
    how many of them were new or other than before. `missing` names calendar files that a page links to and that are no
    more: their sittings were taken out of the entry after the approval. `pinned` is that of the build; `corrected` has
    the languages of the pages that were corrected since.
    """

    folder: Path
    pages: tuple[str, ...]
    files: tuple[str, ...]
    changed: int
    missing: tuple[str, ...]
    pinned: bool
    corrected: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFiles:
    """
    The web view of an issue: its editions as they stand by now, its `pages` and `calendars` by path.

    `pictures` are the names of those that a page shows; `missing` and `pinned` as in `Exported`.
    """

    revised: tuple[Revised, ...]
    pages: Mapping[str, bytes]
    calendars: Mapping[str, bytes]
    pictures: frozenset[str]
    missing: tuple[str, ...]
    pinned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An edition as lists have it: `edition` without what it consists of, `item` for its feed where it stands there."""

    edition: Edition
    item: Item | None


class Export:
    """The verb of the static export."""

    def __init__(self, parts: Parts, *, approval: Approval) -> None:
        self._parts = parts
        self._approval = approval

    def export(self, slug: str, folder: Path, *, newsletter: str | None = None) -> Exported:
        """
        Write an issue into a folder, and list it there beside the issues that were exported before.

        An approved issue gives the bytes that were approved, or those of its last correction. Raises InvalidInput where
        the folder cannot be written.
        """
        issue = self.issue_files(slug, newsletter=newsletter)
        script = {f"static/{PRINT_SCRIPT}": (templates() / "web" / "static" / PRINT_SCRIPT).read_bytes()}
        needed = {**script, **self._pictures(issue.pictures)}
        owner = issue.revised[0].edition.newsletter
        names = self._exported(slug, owner, folder)
        lists = self.list_files([self.listed(name, newsletter=owner) for name in names])
        files = {**needed, **issue.calendars, **issue.pages, **lists}
        return Exported(
            folder=folder,
            pages=tuple(issue.pages),
            files=tuple(files),
            changed=_put(folder, files),
            missing=issue.missing,
            pinned=issue.pinned,
            corrected=tuple(each.edition.language for each in issue.revised if each.notes),
        )

    def issue_files(self, slug: str, *, newsletter: str | None = None) -> IssueFiles:
        """The pages and calendar files of an issue, by path."""
        built = self._approval.compile(slug, newsletter=newsletter)
        revised = self._revised(built)
        site = _Site(self._parts.links, (each.edition for each in revised), stored=self._stored())
        site.known.update(site.sent(each.edition) for each in revised if each.notes)
        calendars = _calendars(built, revised, site)
        site.known.update(calendars)
        pages: dict[str, bytes] = {}
        for each in revised:
            pages |= self._pages(each, site, default=revised[0].edition.language)
        return IssueFiles(
            revised=tuple(revised),
            pages=pages,
            calendars=calendars,
            pictures=frozenset(site.pictures),
            missing=_missing(built, site),
            pinned=built.pinned,
        )

    def listed(self, slug: str, *, newsletter: str | None, in_feeds: bool = True) -> tuple[Listed, ...]:
        """How the editions of an issue stand in lists, and `in_feeds`."""
        revised = self._revised(self._approval.compile(slug, newsletter=newsletter))
        return tuple(
            Listed(
                edition=replace(each.edition, sections=(), events=()),
                item=item_of(each.artifact, each.edition, modified=each.modified) if in_feeds else None,
            )
            for each in revised
        )

    def list_files(self, issues: Sequence[Sequence[Listed]]) -> dict[str, bytes]:
        """The feeds of a newsletter and the page that lists its `issues`, the latest first, by path."""
        links = self._parts.links
        site = _Site(links, (each.edition for issue in issues for each in issue), stored=frozenset())
        files: dict[str, bytes] = {}
        editions = {each.edition.language: each.edition for issue in reversed(issues) for each in issue}
        for language, latest in editions.items():
            channel = channel_of(latest, links=links)
            newest = (each for issue in issues[:FEED_ISSUES] for each in issue)
            items = [each.item for each in newest if each.item and each.edition.language == language]
            files |= {site.path(channel.rss): rss(channel, items), site.path(channel.json): json_feed(channel, items)}
        site.known.update(files)
        path = f"{site.path(links.archive(issues[0][0].edition.newsletter))}/{PAGE}"
        listed = [[each.edition for each in issue] for issue in issues]
        page = archive_page(listed, links=links, at=lambda address: site.near(address, path))
        return {**files, path: page.encode()}

    def _revised(self, built: Built) -> list[Revised]:
        """The editions without what is limited to a segment, in the order of the languages, as they stand by now."""
        made = {artifact.language: artifact for artifact in built.artifacts if not artifact.variant}
        plain = [edition for edition in built.editions if not edition.variant]
        with self._parts.sessions() as session:
            issue = issues.get_issue(session, plain[0].issue, plain[0].newsletter)
            corrections = artifacts.corrections(session, issue.id or 0)
            standing = standing_artifacts(session, issue.id or 0) if corrections else {}
            zone = Newsletter.model_validate(issue.settings).timezone
        return [
            Revised(
                edition=edition,
                artifact=standing.get(edition.language, made[edition.language]),
                sent=made[edition.language],
                notes=notes_for(corrections, edition, zone=zone, default=plain[0].language),
            )
            for edition in plain
        ]

    def _pages(self, revised: Revised, site: "_Site", *, default: str) -> dict[str, bytes]:
        """The page of an edition, and the email as it was sent where that is something else."""
        links, edition = self._parts.links, revised.edition
        script, page, sent = links.script(PRINT_SCRIPT), site.page(edition), site.sent(edition)
        html = web_view(
            revised.artifact,
            edition,
            default=default,
            links=links,
            script=script,
            at=lambda address: site.near(address, page),
            notes=revised.notes,
        )
        if not revised.notes:
            return {page: html.encode()}
        before = sent_page(revised.sent, edition, script=script, at=lambda address: site.near(address, sent))
        return {sent: before.encode(), page: html.encode()}

    def _stored(self) -> frozenset[str]:
        with self._parts.sessions() as session:
            return frozenset(content.picture_names(session))

    def _pictures(self, names: Iterable[str]) -> dict[str, bytes]:
        with self._parts.sessions() as session:
            return {f"media/{name}": content.get_picture(session, name).data for name in sorted(names)}

    def _exported(self, slug: str, newsletter: str, folder: Path) -> list[str]:
        """The issues of a newsletter that the folder holds with this one, the latest first."""
        home = folder / "archive" / newsletter
        return [name for name in self._issues(newsletter) if name == slug or (home / name).is_dir()]

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

    def __init__(self, links: Links, editions: Iterable[Edition], *, stored: frozenset[str]) -> None:
        self.root = f"{links.root.rstrip('/')}/"
        self.script = self.path(links.script(PRINT_SCRIPT))
        self._links, self._media, self._stored = links, links.picture(""), stored
        self.known = {self.script, *map(self.page, editions)}
        self.pictures: set[str] = set()

    def path(self, address: str) -> str:
        """Where an address under the root lies."""
        return unquote(address.removeprefix(self.root))

    def page(self, edition: Edition) -> str:
        """Where the page of an edition lies."""
        return f"{self.path(edition.web_view)}/{PAGE}"

    def sent(self, edition: Edition) -> str:
        """Where the email as it was sent lies, where the edition was corrected since."""
        return f"{self.path(self._links.as_sent(edition.newsletter, edition.issue, edition.language))}/{PAGE}"

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


def _calendars(built: Built, revised: Iterable[Revised], site: _Site) -> dict[str, bytes]:
    """The calendar file of each edition, and one at each address that a sitting names, limited ones included."""
    modified = {each.edition.language: each.modified for each in revised}
    files = {site.path(each.edition.calendar): issue_file(each.edition, modified=each.modified) for each in revised}
    for edition in built.editions:
        events = {event.uid: event for event in edition.events}
        for address, uid in _sittings(edition):
            file = sitting_file(events[uid], edition=edition, modified=modified[edition.language])
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
