"""
What the pages about accounts share: what is wrong with a form, and the choices of roles, languages, zones and scopes.

Takes a request and who sits there; yields values for templates, in the language of the page.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request

from newsletter.accounts.operator import Role
from newsletter.accounts.problems import FieldRefused
from newsletter.accounts.tokens import Scope
from newsletter.times import own_name
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.guard import Seat
from newsletter.web.desk.words import desk_languages
from newsletter.web.zones import ZoneGroup, zone_groups, zone_names

ROLES: Final[Mapping[Role, tuple[str, str]]] = {
    Role.VIEWER: ("Viewer", "Looks at everything and changes nothing."),
    Role.OFFICER: ("Officer", "Writes entries, builds issues and sends them, looks after people and lists."),
    Role.ADMIN: ("Administrator", "Does all of that, and looks after newsletters, mail servers and the team."),
}
"""Name and meaning of each role; messages of `desk-accounts.po`."""

SCOPES: Final[Mapping[Scope, tuple[str, str]]] = {
    Scope.READ: ("Read", "Look at entries, issues, reports and people."),
    Scope.CONTENT: ("Write", "Write entries, build issues."),
    Scope.SEND: ("Send", "Approve, schedule, pause and cancel."),
    Scope.PEOPLE: ("People", "Change subscribers, lists and segments."),
    Scope.ADMIN: ("Administer", "Change settings, erase people."),
}
"""Likewise of each scope of a token."""


class Blank(dict[str, str]):
    """Values by name for a template, where a name without a value has the value ""."""

    def __missing__(self, _name: str) -> str:
        return ""


def problems_of(desk: Desk, request: Request, seat: Seat | None, refused: FieldRefused | None) -> Blank:
    """What is wrong, by field, in the language of the page."""
    return Blank({refused.field: desk.say(request, seat, str(refused))} if refused else {})


def roles(desk: Desk, request: Request, seat: Seat | None) -> Sequence[tuple[str, str, str]]:
    """Value, name and meaning of each role."""
    return [
        (role.value, desk.say(request, seat, name, context="role"), desk.say(request, seat, meaning))
        for role, (name, meaning) in ROLES.items()
    ]


def language_choices() -> Sequence[tuple[str, str]]:
    """The languages that the desk speaks, each in itself."""
    return [(tag, own_name(tag)) for tag in desk_languages()]


def zone_choices(desk: Desk, request: Request, seat: Seat | None) -> Sequence[ZoneGroup]:
    """The time zones by parts of the world."""
    return zone_groups(desk.language_of(request, seat))


def known_zones() -> frozenset[str]:
    """The names of those zones."""
    return zone_names()
