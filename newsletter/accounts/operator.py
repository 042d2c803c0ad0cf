"""
An operator: somebody with a login, and what their role lets them do.

Values only; the rows are `models.OperatorRow`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

OperatorId = NewType("OperatorId", int)


class Role(StrEnum):
    """What an operator may do; each may do what those before it may."""

    #: Looks at everything, changes nothing; addresses are masked.
    VIEWER = "viewer"
    #: Writes, builds, sends.
    OFFICER = "officer"
    #: Also manages the team, the newsletters' settings and erasure.
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Tell whether this role may do what `needed` may."""
        return _ORDER.index(self) >= _ORDER.index(needed)


_ORDER: Final = tuple(Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """
    Who sits at the desk.

    `name` signs in and stands in the audit log; `language` is a BCP 47 tag and `timezone` an IANA name, both of what
    the desk shows.
    """

    id: OperatorId
    name: str
    full_name: str
    email: str
    role: Role
    language: str
    timezone: str

    @property
    def called(self) -> str:
        """The name to show."""
        return self.full_name or self.name
