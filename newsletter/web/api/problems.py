"""
What could not be done, for programs: problem details in JSON (RFC 9457).

Takes errors of verbs and of the framework; yields answers of the media type `application/problem+json` whose `type`
names the kind of problem and stays what it is from version to version.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from newsletter.errors import ApprovalVoid, FindingsOpen, InvalidInput, NewsletterError, NotFound, WrongState
from newsletter.web.access import RETRY_SECONDS, UNAVAILABLE
from subscribers.errors import (
    ListExists,
    SegmentExists,
    SubscriberExists,
    SubscribersError,
    UnknownList,
    UnknownSegment,
    UnknownSubscriber,
)

MEDIA_TYPE: Final = "application/problem+json"

_URN: Final = "urn:newsletter:problem:"

_GONE: Final = (NotFound, UnknownSubscriber, UnknownList, UnknownSegment)
_TAKEN: Final = (WrongState, SubscriberExists, ListExists, SegmentExists)


class Place(BaseModel):
    """One thing wrong with what was sent."""

    pointer: str = Field(description="JSON pointer (RFC 6901) into the body, or the name of a parameter.")
    detail: str


class Problem(BaseModel):
    """Why a request was not done."""

    type: str = Field(description="Names the kind of problem; compare this, not the words.")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = ""
    errors: list[Place] = []


class ApiError(Exception):
    """A request cannot be done, for a reason that no verb knows of."""

    def __init__(self, status: int, kind: str, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.headers = status, kind, detail, headers


def _answers() -> dict[int | str, dict[str, Any]]:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    content = {MEDIA_TYPE: {"schema": {**schema, "$defs": None}}}
    content[MEDIA_TYPE]["schema"].pop("$defs")
    content[MEDIA_TYPE]["schema"]["properties"]["errors"]["items"] = Place.model_json_schema()
    return {"4XX": {"description": "It was not done.", "content": content}}


ANSWERS: Final = _answers()
"""What every operation may answer beside what it is for, as OpenAPI has it."""


def problem(
    status: int,
    kind: str,
    detail: str = "",
    *,
    errors: Sequence[Place] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that says why something was not done."""
    told = Problem(
        type=f"{_URN}{kind}", title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors)
    )
    return JSONResponse(told.model_dump(), status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have an application answer errors as problems."""

    def refused(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  Starlette hands each handler what it was registered for
        kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return problem(error.status_code, kind, headers=error.headers)

    def unreadable(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101  as above
        return problem(422, "invalid", "The request is not as the API describes it.", errors=_places(error.errors()))

    def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, ValidationError)  # noqa: S101  as above
        return problem(422, "invalid", "The request cannot be taken.", errors=_places(error.errors()))

    def told(_request: Request, error: Exception) -> Response:
        status, kind = kind_of(error)
        if status == 500:  # noqa: PLR2004  ours to mend: the log says where
            raise error
        return problem(status, kind, str(error))

    def known(_request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)  # noqa: S101  as above
        return problem(error.status, error.kind, error.detail, headers=error.headers)

    def broken(_request: Request, error: Exception) -> Response:
        if isinstance(error, UNAVAILABLE):
            return problem(503, "unavailable", "Try again in a while.", headers={"Retry-After": RETRY_SECONDS})
        return problem(500, "internal", "It is not your fault. Try again later.")

    app.add_exception_handler(Exception, broken)  # the log tells of it: what is raised goes on after the answer
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, unreadable)
    app.add_exception_handler(ValidationError, invalid)
    app.add_exception_handler(NewsletterError, told)
    app.add_exception_handler(SubscribersError, told)
    app.add_exception_handler(ApiError, known)


def kind_of(error: Exception) -> tuple[int, str]:
    """Status and kind of what a verb has raised; 500 where nobody who asked can do anything about it."""
    if isinstance(error, _GONE):
        return 404, "not-found"
    if isinstance(error, ApprovalVoid | FindingsOpen):
        return 409, "approval-void" if isinstance(error, ApprovalVoid) else "findings-open"
    if isinstance(error, _TAKEN):
        return 409, "conflict"
    return (422, "invalid") if isinstance(error, InvalidInput | SubscribersError) else (500, "internal")


def _places(errors: Sequence[Any]) -> list[Place]:
    return [
        Place(pointer="/" + "/".join(str(part) for part in error["loc"]), detail=str(error["msg"])) for error in errors
    ]
