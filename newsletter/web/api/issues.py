"""Issues: make them, look at them, check and approve them."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from newsletter.compilation.artifact import Artifact
from newsletter.compilation.compiler import sample_values
from newsletter.web.api.access import Reads, Sends, Writes
from newsletter.web.api.content_schemas import (
    AssembleBody,
    Built,
    CopyBody,
    EditionContent,
    EditionShown,
    Findings,
    FindingShown,
    IssueShown,
    IssueSummary,
    WaiveBody,
    Waived,
)
from newsletter.web.api.paging import After, Limit, Page, cursor, key_of

ISSUE = "/newsletters/{newsletter}/issues/{slug}"


def router() -> APIRouter:
    """The routes of issues."""
    routes = APIRouter(tags=["issues"])
    _making(routes)
    _checking(routes)
    return routes


def _making(routes: APIRouter) -> None:
    @routes.get("/newsletters/{newsletter}/issues")
    def issues(caller: Reads, newsletter: str, limit: Limit = 50, after: After = "") -> Page[IssueSummary]:
        """Issues, the newest first."""
        rows = [IssueSummary.of(each) for each in caller.pipeline.editorial.issues(newsletter)]
        last = key_of(after)
        start = next((place for place, row in enumerate(rows, 1) if row.slug == last), 0) if last else 0
        part = rows[start : start + limit]
        has_more = start + limit < len(rows)
        return Page(items=part, next=cursor(part[-1].slug) if has_more else None)

    @routes.get(ISSUE)
    def issue(caller: Reads, newsletter: str, slug: str) -> IssueShown:
        """An issue with its items and verdicts."""
        return IssueShown.of(caller.pipeline.editorial.planned(slug, newsletter=newsletter))

    @routes.post(f"{ISSUE}/assemble", responses={201: {"model": IssueShown}})
    def assemble(caller: Writes, newsletter: str, slug: str, body: AssembleBody, response: Response) -> IssueShown:
        """Choose the entries of an issue; an issue that there is not is made."""
        editorial = caller.pipeline.editorial
        known = {row.slug for row in editorial.issues(newsletter)}
        editorial.assemble(slug, newsletter=newsletter, first=body.first, last=body.last)
        response.status_code = 200 if slug in known else 201
        return IssueShown.of(editorial.planned(slug, newsletter=newsletter))

    @routes.post(f"{ISSUE}/copy", status_code=201)
    def copy(caller: Writes, newsletter: str, slug: str, body: CopyBody) -> IssueShown:
        """Plan the next issue after the model of this one."""
        caller.pipeline.editorial.copy(slug, body.slug, newsletter=newsletter)
        return IssueShown.of(caller.pipeline.editorial.planned(body.slug, newsletter=newsletter))


def _checking(routes: APIRouter) -> None:
    @routes.get(f"{ISSUE}/editions")
    def editions(caller: Reads, newsletter: str, slug: str) -> Built:
        """Compile every edition; an approved issue gives the bytes that were approved."""
        built = caller.pipeline.approval.compile(slug, newsletter=newsletter)
        return Built(editions=[_edition(each) for each in built.artifacts], pinned=built.pinned)

    @routes.get(f"{ISSUE}/editions/{{language}}")
    def edition(caller: Reads, newsletter: str, slug: str, language: str) -> EditionContent:
        """One edition with its content."""
        found = caller.pipeline.approval.compile(slug, newsletter=newsletter).edition(language)
        values = sample_values(found)
        html, text = found.html_for(values), found.text_for(values)
        return EditionContent(**_edition(found).model_dump(), html=html, text=text)

    @routes.get(f"{ISSUE}/findings")
    def findings(
        caller: Reads, newsletter: str, slug: str, segment: Annotated[str | None, Query(max_length=80)] = None
    ) -> Findings:
        """Check an issue, and the audience of a segment with it."""
        checked = caller.pipeline.approval.preflight(slug, newsletter=newsletter, segment=segment)
        told = checked.to_json(caller.operator.language)["findings"]
        return Findings(verdict=checked.exit_code, findings=[FindingShown(**each) for each in told])

    @routes.post(f"{ISSUE}/waivers", status_code=201)
    def waive(caller: Sends, newsletter: str, slug: str, body: WaiveBody) -> Waived:
        """Accept a warning, with a reason."""
        count = caller.pipeline.approval.waive(
            slug, body.code, reason=body.reason, newsletter=newsletter, segment=body.segment
        )
        return Waived(count=count)

    @routes.post(f"{ISSUE}/approve")
    def approve(caller: Sends, newsletter: str, slug: str) -> Built:
        """Approve exactly these bytes."""
        built = caller.pipeline.approval.approve(slug, newsletter=newsletter)
        return Built(editions=[_edition(each) for each in built.artifacts], pinned=True)


def _edition(artifact: Artifact) -> EditionShown:
    return EditionShown(
        name=artifact.name,
        language=artifact.language,
        variant=artifact.variant,
        subject=artifact.subject,
        digest=artifact.digest,
        size=artifact.size,
    )
