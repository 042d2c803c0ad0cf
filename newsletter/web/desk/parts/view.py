"""
What the templates of an entry's parts are given, under the one name `parts`.

Takes an entry as it is stored, or the form that was sent and shall be shown again; yields its rows, their problems and
words, the languages of its fields and the zones to choose from. Touches no database.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from newsletter.content.entry import Action, Entry, Sitting, SittingStatus
from newsletter.content.newsletter import Newsletter
from newsletter.web.desk.parts import picture, sittings
from newsletter.web.desk.parts.fields import Fields, Problems, languages_of
from newsletter.web.desk.parts.picture import PictureRow
from newsletter.web.desk.parts.said import OddHour, SaidIn, odd_hours, said_of
from newsletter.web.desk.parts.sittings import LinkRow, SittingRow
from newsletter.web.zones import ZoneGroup, zone_groups

ACTIONS: Final[Mapping[Action, str]] = {
    Action.REGISTER: "Register",
    Action.READ_MORE: "Read more",
    Action.INFORMATION: "Information",
    Action.DOWNLOAD: "Download",
    Action.PROGRAMME: "Programme",
    Action.WATCH: "Watch",
}
"""What the desk calls the actions that a link may have."""

STATUSES: Final[Mapping[SittingStatus, str]] = {
    SittingStatus.CONFIRMED: "Takes place",
    SittingStatus.MOVED: "Moved",
    SittingStatus.CANCELLED: "Cancelled",
}
"""What the desk calls the states of a sitting."""


_TIMES: Final = frozenset({"first", "last", "start", "end", "zone"})
"""The fields of a sitting that are always seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SittingView:
    """
    A sitting in the form: `said` is empty while its time cannot be read.

    `is_wrong_inside` says whether something is wrong with what is not the time, and has to be seen.
    """

    row: SittingRow
    said: tuple[SaidIn, ...] = ()
    odd: tuple[OddHour, ...] = ()
    is_wrong_inside: bool = False

    @property
    def links(self) -> tuple[LinkRow, ...]:
        """Its links, and an empty one to fill."""
        return (*self.row.links, LinkRow())


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryParts:
    """
    The parts of one entry's form; `path` is the address of the entry, below which its parts are asked for.

    `focus` is the number of the sitting that was just added, -1 where one was removed. `by_script` says that a script
    puts them into the page: then nothing stands there for browsers without one.
    """

    path: str
    newsletter: Newsletter
    sittings: tuple[SittingView, ...]
    sitting_languages: tuple[str, ...]
    picture: PictureRow
    picture_languages: tuple[str, ...]
    problems: Problems
    zones: Sequence[ZoneGroup]
    focus: int | None = None
    by_script: bool = False

    @property
    def actions(self) -> Mapping[Action, str]:
        """What a link may say, and what the desk calls it."""
        return ACTIONS

    @property
    def statuses(self) -> Mapping[SittingStatus, str]:
        """Whether a sitting takes place, and what the desk calls it."""
        return STATUSES

    @property
    def blank(self) -> SittingView:
        """A card to fill, where no script adds one."""
        return SittingView(row=SittingRow())

    @property
    def languages(self) -> tuple[str, ...]:
        """Those of the newsletter's editions."""
        return self.newsletter.languages


def entry_parts(
    newsletter: Newsletter,
    entry: Entry | None,
    *,
    key: str,
    language: str,
    form: Fields | None = None,
    problems: Problems | None = None,
) -> EntryParts:
    """
    The parts of an entry's form; `language` is that of the page.

    With `form` they show what was sent, with `problems` (by default those that are found in it) beside the fields.
    """
    rows = sittings.rows_of(entry.sittings if entry else ())
    image = picture.row_of(entry.image if entry else None)
    found: Problems = {}
    if form is not None:
        rows = sittings.rows_in(form) if "sitting-count" in form else rows
        image = picture.row_in(form) if "picture-languages" in form else image
        found = {**sittings.sittings_in(form, entry)[1], **picture.picture_in(form, entry)[1]}
    return parts_of(
        newsletter,
        rows,
        image,
        key=key,
        language=language,
        problems=found if problems is None else problems,
        by_script=False,
    )


def parts_of(
    newsletter: Newsletter,
    rows: Sequence[SittingRow],
    image: PictureRow,
    *,
    key: str,
    language: str,
    problems: Problems,
    focus: int | None = None,
    by_script: bool = True,
) -> EntryParts:
    """The parts as they are to be shown; `focus` is the number of the sitting that was just added."""
    shown = tuple(rows) or (SittingRow(),)
    return EntryParts(
        path=f"/desk/n/{newsletter.slug}/entries/{key}",
        newsletter=newsletter,
        sittings=tuple(
            sitting_view(row, newsletter, wrong=_wrong(problems, number)) for number, row in enumerate(shown)
        ),
        sitting_languages=languages_of(newsletter.languages, (words for row in shown for words in row.words)),
        picture=image,
        picture_languages=languages_of(newsletter.languages, image.words),
        problems=problems,
        zones=zone_groups(language),
        focus=focus,
        by_script=by_script,
    )


def sitting_view(row: SittingRow, newsletter: Newsletter, *, wrong: Collection[str] = ()) -> SittingView:
    """A row with what readers are told, as soon as its time can be read; `wrong` are fields that have a problem."""
    found, inside = _timed(row), not _TIMES.issuperset(wrong)
    if found is None:
        return SittingView(row=row, is_wrong_inside=inside)
    said, odd = said_of(found, newsletter), odd_hours(found, newsletter)
    return SittingView(row=row, said=said, odd=odd, is_wrong_inside=inside)


def _wrong(problems: Problems, number: int) -> frozenset[str]:
    beginning = f"sitting-{number}-"
    return frozenset(name.removeprefix(beginning) for name in problems if name.startswith(beginning))


def _timed(row: SittingRow) -> Sitting | None:
    """The time of a sitting alone: what is still missing of its words does not matter."""
    bare = SittingRow(
        key=row.key or "new",
        all_day=row.all_day,
        first=row.first,
        last=row.last,
        start=row.start,
        end=row.end,
        zone=row.zone,
        languages=row.languages,
    )
    return sittings.sitting_of(bare)[0]
