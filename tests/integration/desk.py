"""
Somebody at the desk, in tests: an operator is stored, signed in, and asks the real application.

    client = desk_client(pipeline, role=Role.OFFICER)
    client.get("/desk/n/rivers/entries")
    client.post("/desk/n/rivers/entries", {"title": "…"})      # bears the token of the session

Redirects are not followed. `client.csrf` is the token; `client.name` the operator's name.
"""

import asyncio
import atexit
from collections.abc import Mapping, Sequence
from typing import Any

from httpx import Response
from sqlmodel import col, select
from visitor import Visitor

from newsletter.accounts import sessions
from newsletter.accounts.models import OperatorRow
from newsletter.accounts.operator import OperatorId, Role
from newsletter.bootstrap import Pipeline
from newsletter.web.app import create_app
from newsletter.web.desk.guard import COOKIE, csrf_of

LOCALHOST = "http://localhost"

Data = Mapping[str, str | Sequence[str]]


_RUNNER = asyncio.Runner()
atexit.register(_RUNNER.close)
# One for all browsers: garbage is collected at any time, and closing a loop meets another one that runs.


class Browser(Visitor):
    """A visitor that keeps cookies."""

    def __init__(self, app: Any, *, root: str) -> None:
        super().__init__(app, root=root)
        self._runner = _RUNNER

    @property
    def cookies(self) -> Any:
        return self._client.cookies

    def ask(self, method: str, address: str, **given: Any) -> Response:
        return self._runner.run(self._client.request(method, address, **given))

    def close(self) -> None:
        """Leave, and let the others go on."""
        self._runner.run(self._client.aclose())


class DeskClient:
    """An operator's browser, signed in."""

    def __init__(self, app: Any, *, name: str, token: str) -> None:
        self.app = app
        self.name = name
        self.csrf = csrf_of(token)
        self.web = Browser(app, root=LOCALHOST)
        self.web.cookies.set(COOKIE, token)

    def get(self, path: str, **headers: str) -> Response:
        """Open a page."""
        return self.web.get(path, headers=headers)

    def post(self, path: str, data: Data | None = None, *, files: Any = None, **headers: str) -> Response:
        """Send a form of the page."""
        return self.web.post(path, data={"csrf": self.csrf, **(data or {})}, files=files, headers=headers)

    def post_json(self, path: str, data: Mapping[str, Any]) -> Response:
        """Send what a script of the page sends."""
        return self.web.post(path, json=data, headers={"X-CSRF-Token": self.csrf})


def desk_client(
    pipeline: Pipeline,
    *,
    role: Role = Role.OFFICER,
    name: str = "",
    language: str = "en",
    timezone: str = "Europe/Brussels",
    app: Any = None,
) -> DeskClient:
    """Sign an operator in, storing them where they are new; `app` is an application that is there already."""
    token = signed_in(pipeline, role=role, name=name, language=language, timezone=timezone)
    return DeskClient(app or create_app(pipeline), name=name or role.value, token=token)


def signed_in(
    pipeline: Pipeline,
    *,
    role: Role = Role.OFFICER,
    name: str = "",
    language: str = "en",
    timezone: str = "Europe/Brussels",
) -> str:
    """Store an operator where they are new, begin a session, and return its token: the value of the cookie."""
    parts, called = pipeline.parts, name or role.value
    with parts.sessions() as session:
        row = session.exec(select(OperatorRow).where(col(OperatorRow.name) == called)).first()
        if row is None:
            row = OperatorRow(
                name=called,
                full_name=called.title(),
                email=f"{called}@desk.example",
                role=role,
                language=language,
                timezone=timezone,
                created=parts.now(),
            )
            session.add(row)
            session.flush()
        token = sessions.begin(session, OperatorId(row.id or 0), agent="tests", now=parts.now())
        session.commit()
    return token
