"""Webhooks: programs that are called when something happened."""

import datetime as dt
from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from newsletter.accounts.webhooks import WebhookCallRow, WebhookEvent, WebhookRow
from newsletter.web.api.access import Rules

CALLS = 50
"""Calls that are shown."""

Id = Annotated[int, Path(ge=1, le=2**63 - 1)]


class WebhookBody(BaseModel):
    """Whom to call, and for what."""

    url: str = Field(min_length=8, max_length=2000)
    events: list[WebhookEvent] = Field(min_length=1, max_length=10)


class WebhookShown(BaseModel):
    """A webhook."""

    id: int
    url: str
    events: list[WebhookEvent]
    created: dt.datetime
    failing_since: dt.datetime | None
    disabled: dt.datetime | None

    @classmethod
    def of(cls, row: WebhookRow) -> Self:
        """What is told about a webhook; its secret is told once."""
        return cls(
            id=row.id or 0,
            url=row.url,
            events=list(row.wants),
            created=row.created,
            failing_since=row.failing_since,
            disabled=row.disabled,
        )


class WebhookMade(WebhookShown):
    """A webhook that was just made, with the secret that signs its calls."""

    secret: str


class CallShown(BaseModel):
    """A call: what was told, and what was answered last (0: nothing)."""

    id: str
    event: str
    created: dt.datetime
    attempts: int
    status: int
    due: dt.datetime | None
    ended: dt.datetime | None

    @classmethod
    def of(cls, row: WebhookCallRow) -> Self:
        """What is told about a call."""
        return cls(
            id=row.uid,
            event=row.event,
            created=row.created,
            attempts=row.attempts,
            status=row.status,
            due=row.due,
            ended=row.ended,
        )


def router() -> APIRouter:
    """The routes of webhooks."""
    routes = APIRouter(tags=["webhooks"])

    @routes.get("/webhooks")
    def webhooks(caller: Rules) -> list[WebhookShown]:
        """All webhooks."""
        return [WebhookShown.of(row) for row in caller.pipeline.webhooks.all()]

    @routes.post("/webhooks", status_code=201)
    def add(caller: Rules, body: WebhookBody) -> WebhookMade:
        """Call a program from now on; keep the secret, it is shown this once."""
        row = caller.pipeline.webhooks.add(body.url, body.events)
        return WebhookMade(**WebhookShown.of(row).model_dump(), secret=row.secret)

    @routes.get("/webhooks/{id}")
    def webhook(caller: Rules, id: Id) -> WebhookShown:  # noqa: A002  the parameter's name
        """One webhook."""
        return WebhookShown.of(caller.pipeline.webhooks.get(id))

    @routes.delete("/webhooks/{id}", status_code=204)
    def remove(caller: Rules, id: Id) -> None:  # noqa: A002
        """Call a program no more."""
        caller.pipeline.webhooks.remove(id)

    @routes.get("/webhooks/{id}/calls")
    def calls(caller: Rules, id: Id) -> list[CallShown]:  # noqa: A002
        """The newest calls."""
        return [CallShown.of(row) for row in caller.pipeline.webhooks.calls(id, limit=CALLS)]

    @routes.post("/webhooks/{id}/test", status_code=202)
    def test(caller: Rules, id: Id) -> WebhookShown:  # noqa: A002
        """Call it soon, to see whether it works."""
        caller.pipeline.webhooks.test(id)
        return WebhookShown.of(caller.pipeline.webhooks.get(id))

    @routes.post("/webhooks/{id}/enable")
    def enable(caller: Rules, id: Id) -> WebhookShown:  # noqa: A002
        """Call a program again that was disabled because it failed."""
        caller.pipeline.webhooks.enable(id)
        return WebhookShown.of(caller.pipeline.webhooks.get(id))

    return routes
