"""
The list of items that an officer made by hand.

Takes an issue's plan, its sections and its newsletter's entries; yields, by the key of each entry on the list, the
places that the officer gave it. Refuses a list that names what does not exist, or one thing twice.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from newsletter.content.entry import Entry
from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Newsletter, Show
from newsletter.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A place on the list: where it stands there (from 0), in which section, and who may see it."""

    index: int
    section: str
    segment: str | None


def read_list(
    plan: IssuePlan, settings: Newsletter, entries: Mapping[str, Entry]
) -> Mapping[str, tuple[Named, ...]] | None:
    """
    Read the list of an issue; None where its items are selected automatically.

    A place without a section is in the entry's own, which the issue may lack: that is for the verdict to say. Raises
    InvalidInput for an entry or a section that does not exist and for an entry that stands twice in blocks or in lines.
    """
    if plan.items == "auto":
        return None
    sections = {section.key: section.show for section in settings.sections}
    _refuse(plan, "entries that do not exist", _unknown([item.key for item in plan.items], entries))
    _refuse(plan, "sections it does not have", _unknown([item.section for item in plan.items], sections))
    named: dict[str, tuple[Named, ...]] = {}
    for index, item in enumerate(plan.items):
        place = Named(index=index, section=item.section or entries[item.key].section, segment=item.segment)
        named[item.key] = (*named.get(item.key, ()), place)
    _refuse(plan, "an entry twice", _twice(named, sections))
    return named


def _refuse(plan: IssuePlan, what: str, names: Collection[str]) -> None:
    if names:
        raise InvalidInput(f"the items of issue {plan.slug} name {what}: {', '.join(names)}")


def _unknown(names: Collection[str | None], known: Collection[str]) -> list[str]:
    unknown = dict.fromkeys(name for name in names if name is not None and name not in known)
    return [f"{name}{_hint(name, known)}" for name in unknown]


def _hint(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _twice(named: Mapping[str, tuple[Named, ...]], sections: Mapping[str, Show]) -> list[str]:
    shows = Counter((key, sections.get(place.section)) for key, places in named.items() for place in places)
    return list(dict.fromkeys(key for (key, _), count in shows.items() if count > 1))
