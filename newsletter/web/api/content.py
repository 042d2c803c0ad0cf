"""Newsletters and entries."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from newsletter.content.entry import Kind, Status
from newsletter.web.api.access import Reads, Rules, Writes
from newsletter.web.api.content_schemas import EntryBody, EntryShown, EntryStored, EntrySummary
from newsletter.web.api.paging import After, Limit, Page, key_of, page_of


class NewsletterShown(BaseModel):
    """A newsletter's settings, as a content pack has them."""

    slug: str
    settings: dict[str, Any]


class SettingsBody(BaseModel):
    """What changes, by dotted keys such as `theme.accent`."""

    changes: dict[str, Any] = Field(max_length=100)


class SettingsChanged(BaseModel):
    """What is different now, in words."""

    changes: list[str]


def router() -> APIRouter:
    """The routes of content."""
    routes = APIRouter(tags=["content"])

    @routes.get("/newsletters")
    def newsletters(caller: Reads) -> list[NewsletterShown]:
        """All newsletters."""
        return [
            NewsletterShown(slug=each.slug, settings=each.model_dump(mode="json", by_alias=True))
            for each in caller.pipeline.entries.newsletters()
        ]

    @routes.get("/newsletters/{newsletter}")
    def newsletter(caller: Reads, newsletter: str) -> NewsletterShown:
        """A newsletter's settings."""
        found = caller.pipeline.entries.newsletter(newsletter)
        return NewsletterShown(slug=found.slug, settings=found.model_dump(mode="json", by_alias=True))

    @routes.patch("/newsletters/{newsletter}")
    def change(caller: Rules, newsletter: str, body: SettingsBody) -> SettingsChanged:
        """Change settings."""
        return SettingsChanged(changes=list(caller.pipeline.entries.change_newsletter(newsletter, body.changes)))

    @routes.get("/newsletters/{newsletter}/entries")
    def entries(
        caller: Reads,
        newsletter: str,
        *,
        kind: Annotated[Kind | None, Query()] = None,
        status: Annotated[Status | None, Query()] = None,
        language: Annotated[str | None, Query(max_length=35)] = None,
        limit: Limit = 50,
        after: After = "",
    ) -> Page[EntrySummary]:
        """Entries by key."""
        found = caller.pipeline.storing.entries(
            newsletter, after=key_of(after), limit=limit + 1, kind=kind, status=status, language=language
        )
        rows = [EntrySummary.of(each) for each in found]
        return page_of(rows, limit=limit, keys=[row.key for row in rows])

    @routes.get("/newsletters/{newsletter}/entries/{key}")
    def entry(caller: Reads, newsletter: str, key: str) -> EntryShown:
        """One entry, whole."""
        return EntryShown.of(caller.pipeline.entries.entry(key, newsletter=newsletter))

    @routes.put("/newsletters/{newsletter}/entries/{key}", responses={201: {"model": EntryStored}})
    def put(caller: Writes, newsletter: str, key: str, body: EntryBody, response: Response) -> EntryStored:
        """Store an entry, new or in place of the one with this key."""
        stored = caller.pipeline.storing.entry(body.read(key), newsletter=newsletter, revision=body.revision)
        response.status_code = 201 if stored.is_new else 200
        return EntryStored(key=key, revision=stored.stored.revision, changes=list(stored.changes))

    @routes.delete("/newsletters/{newsletter}/entries/{key}", status_code=204)
    def delete(caller: Writes, newsletter: str, key: str) -> None:
        """Delete an entry that no issue has or names."""
        caller.pipeline.writing.shelf.delete(key, newsletter=newsletter)

    return routes
