"""
Who calls, and what their token lets them do.

Takes the `Authorization` field of a request (RFC 6750 §2.1); yields a `Caller` whose pipeline acts in the operator's
name. A route asks for its scope by a parameter annotated with `Reads`, `Writes`, `Sends`, `Manages` or `Rules`.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from newsletter.accounts.operator import Operator
from newsletter.accounts.tokens import Scope
from newsletter.bootstrap import Pipeline
from newsletter.web.api.problems import ApiError

_BEARER: Final = HTTPBearer(
    auto_error=False, description="A token that an operator made at the desk, or by `newsletter operators token`."
)

Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A program of an operator's; `pipeline` acts in the operator's name."""

    operator: Operator
    pipeline: Pipeline


class Needing:
    """Finds who calls, and refuses a token without the scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(self, request: Request, credentials: Credentials) -> Caller:
        """Find the caller; raises ApiError with 401 or 403."""
        pipeline: Pipeline = request.app.state.pipeline
        token = credentials.credentials if credentials else ""
        holder = await run_in_threadpool(pipeline.operators.tokens.find, token) if token else None
        if holder is None:
            raise ApiError(
                401, "unauthorized", "Send a valid token as a bearer.", headers={"WWW-Authenticate": "Bearer"}
            )
        if self.scope not in holder.scopes:
            raise ApiError(403, "scope-missing", f"This needs a token with the scope {self.scope.value!r}.")
        return Caller(operator=holder.operator, pipeline=request.app.state.desk.acting_as(holder.operator.name))


Reads = Annotated[Caller, Depends(Needing(Scope.READ))]
"""Whoever may look."""

Writes = Annotated[Caller, Depends(Needing(Scope.CONTENT))]
"""Whoever may write entries and build issues."""

Sends = Annotated[Caller, Depends(Needing(Scope.SEND))]
"""Whoever may approve and send."""

Manages = Annotated[Caller, Depends(Needing(Scope.PEOPLE))]
"""Whoever may see and change people."""

Rules = Annotated[Caller, Depends(Needing(Scope.ADMIN))]
"""Whoever may change settings and erase."""
