"""
The verbs about lists.

Takes names and texts, yields lists with their counts; promises that no list disappears under a segment or a queued
issue that means its members.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.database import reading
from newsletter.errors import InvalidInput
from newsletter.pipeline.naming import naming_list, refuse_named
from newsletter.pipeline.parts import Parts
from subscribers import store
from subscribers.errors import UnknownField
from subscribers.models import MembershipState
from subscribers.store import ListChanges

NO_REASON = "no reason given by {operator}"
"""What stands where a list needs no confirmation and nobody said why: a data-protection officer will ask whom."""

_TRUTH = {"true": True, "yes": True, "false": False, "no": False}

_SETTINGS = (
    "name",
    "public",
    "double_opt_in",
    "opt_in_reason",
    "description",
    "title.LANGUAGE",
    "description.LANGUAGE",
)
"""What can be changed about a list, as it is written on the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFacts:
    """A list, and how many stand to it in which way."""

    name: str
    public: bool
    double_opt_in: bool
    opt_in_reason: str
    description: str
    titles: Mapping[str, str]
    descriptions: Mapping[str, str]
    created: dt.datetime
    counts: Mapping[MembershipState, int]


class Lists:
    """The verbs about lists."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def create(
        self,
        name: str,
        *,
        public: bool = False,
        double_opt_in: bool = True,
        opt_in_reason: str = "",
        description: str = "",
    ) -> str:
        """
        Create a list and return its name as it is stored; `opt_in_reason` is why it does without confirmation.

        Without a reason the list says who gave none. Raises ListExists, InvalidValue.
        """
        if not double_opt_in and not opt_in_reason.strip():
            opt_in_reason = NO_REASON.format(operator=self._parts.operator)
        with self._parts.sessions() as session:
            created = store.create_list(
                session,
                name,
                now=self._parts.now(),
                public=public,
                double_opt_in=double_opt_in,
                opt_in_reason=opt_in_reason,
                description=description,
            )
            self._note(session, Deed.LIST_CREATED, created.name)
            session.commit()
        return created.name

    def all(self) -> list[ListFacts]:
        """Return every list with its counts, by name."""
        with reading(self._parts.engine) as session:
            counts = store.list_counts(session)
            return [
                ListFacts(
                    name=each.name,
                    public=each.public,
                    double_opt_in=each.double_opt_in,
                    opt_in_reason=each.opt_in_reason,
                    description=each.description,
                    titles=dict(each.titles),
                    descriptions=dict(each.descriptions),
                    created=each.created,
                    counts={state: counts[each.name].get(state, 0) for state in MembershipState},
                )
                for each in store.all_lists(session)
            ]

    def change(self, name: str, changes: Mapping[str, str], *, dry_run: bool = False) -> list[str]:
        """
        Change what is said about a list; returns what still names it by the old name, if it got another.

        Raises UnknownList, UnknownField, ListExists, InvalidInput, InvalidValue: nothing was changed.
        """
        wanted = _read(changes)
        with self._parts.sessions() as session:
            unconfirmed = wanted.get("double_opt_in") is False
            if unconfirmed and not (wanted.get("opt_in_reason") or store.get_list(session, name).opt_in_reason).strip():
                wanted["opt_in_reason"] = NO_REASON.format(operator=self._parts.operator)
            changed = store.set_list(session, name, **wanted)
            stranded = naming_list(session, name) if changed.name != name else []
            deed = Deed.LIST_CHANGED if changed.name == name else Deed.LIST_RENAMED
            self._note(session, deed, name if changed.name == name else f"{name} → {changed.name}")
            if dry_run:
                session.rollback()
            session.commit()
        return stranded

    def delete(self, name: str, *, dry_run: bool = False) -> int:
        """
        Delete a list and return how many confirmed members it had; the consent log keeps its name.

        Raises UnknownList, or WrongState where a segment or a queued issue names it.
        """
        with self._parts.sessions() as session:
            doomed = store.get_list(session, name)
            refuse_named(f"list “{name}”", naming_list(session, name))
            members = store.list_counts(session)[name].get(MembershipState.CONFIRMED, 0)
            store.touch_members(session, doomed, self._parts.now())
            store.delete_list(session, name)
            self._note(session, Deed.LIST_DELETED, name)
            if dry_run:
                session.rollback()
            session.commit()
        return members

    def _note(self, session: Session, deed: Deed, about: str) -> None:
        note_deed(session, deed, operator=self._parts.operator, at=self._parts.now(), about=about)


def _read(changes: Mapping[str, str]) -> ListChanges:
    wanted: ListChanges = {}
    texts: dict[str, dict[str, str]] = {"title": {}, "description": {}}
    for key, text in changes.items():
        field, dot, language = key.partition(".")
        match key:
            case "public" | "double_opt_in":
                wanted[key] = _truth(key, text)
            case "name" | "opt_in_reason" | "description":
                wanted[key] = text
            case _ if dot and field in texts:
                texts[field][language] = text
            case _:
                raise UnknownField(key, _SETTINGS)
    if texts["title"]:
        wanted["titles"] = texts["title"]
    if texts["description"]:
        wanted["descriptions"] = texts["description"]
    return wanted


def _truth(key: str, text: str) -> bool:
    truth = _TRUTH.get(text.strip().lower())
    if truth is None:
        raise InvalidInput(f"{key} is true or false, not {text!r}")
    return truth
