"""
The address of a provider's webhook: `/hooks/PROVIDER/KEY`.

Answers 200 for what was absorbed, 403 for what is not proven, 400 for what is proven and cannot be read, 413 for what
is too long, 503 for what has to come again, and 404 for everybody else: whoever does not know the key learns nothing,
not even which providers are set up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import SecretStr

from newsletter.bootstrap import Pipeline
from newsletter.errors import InvalidInput
from newsletter.feedback.providers import brevo, mailgun, postmark, sendgrid, ses
from newsletter.feedback.providers.report import Post, Provider, Refusal
from newsletter.feedback.providers.secrets import agrees
from newsletter.feedback.signatures import ensure_p256
from newsletter.logs import logger
from newsletter.settings import HooksSettings
from newsletter.web.hooks.amazon import Amazon

LONGEST: Final = 1_000_000
"""Octets of a request: a thousand happenings of SendGrid's, which posts the longest, take half of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A provider that is set up, with the key of its address."""

    name: str
    key: str
    provider: Provider


def router(pipeline: Pipeline, *, amazon: Amazon | None = None) -> APIRouter:
    """The webhooks that are set up; raises ConfigurationFault for a key of SendGrid's that is none."""
    outside = amazon or Amazon()
    listeners = {each.name: each for each in _listeners(pipeline.parts.settings.hooks, outside)}
    heard = _hearing(pipeline, outside)
    routes = APIRouter(include_in_schema=False)

    @routes.post("/hooks/{provider}/{key}")
    async def hear(provider: str, key: str, request: Request) -> Response:
        listener = listeners.get(provider)
        if listener is None or not agrees(key, listener.key):
            raise HTTPException(404)
        body = await _body(request)
        post = Post(headers=dict(request.headers), body=body, at=pipeline.parts.now())
        return Response(status_code=await run_in_threadpool(heard, listener, post))

    return routes


def _listeners(hooks: HooksSettings, amazon: Amazon) -> list[Listener]:
    found: list[Listener] = []

    def listen(name: str, key: SecretStr | None, provider: Callable[[], Provider]) -> None:
        if key is not None:
            found.append(Listener(name=name, key=key.get_secret_value(), provider=provider()))

    listen(
        ses.NAME,
        hooks.ses.key,
        lambda: ses.Ses(topics=hooks.ses.topics or (), certificate=amazon.certificate),
    )
    listen(
        postmark.NAME,
        hooks.postmark.key,
        lambda: postmark.Postmark(username=hooks.postmark.username or "", password=_secret(hooks.postmark.password)),
    )
    listen(mailgun.NAME, hooks.mailgun.key, lambda: mailgun.Mailgun(_secret(hooks.mailgun.signing_key)))
    listen(sendgrid.NAME, hooks.sendgrid.key, lambda: _sendgrid(hooks.sendgrid.public_key or ""))
    listen(brevo.NAME, hooks.brevo.key, lambda: brevo.Brevo(_secret(hooks.brevo.token)))
    return found


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""


def _sendgrid(public_key: str) -> Provider:
    ensure_p256(public_key)
    return sendgrid.SendGrid(public_key)


def _hearing(pipeline: Pipeline, amazon: Amazon) -> Callable[[Listener, Post], int]:
    log = logger("feedback")

    def heard(listener: Listener, post: Post) -> int:
        """Check, read and absorb a request; returns the status of the answer."""
        try:
            told = listener.provider.hear(post)
            if isinstance(told, Refusal):
                log.warning("webhook refused", provider=listener.name, reason=told.value)
                return 403
            if told.confirm:
                amazon.confirm(told.confirm)
                log.info("webhook confirmed", provider=listener.name)
            pipeline.hooks.absorb(listener.name, told)
        except InvalidInput as error:
            log.warning("webhook refused", provider=listener.name, reason=str(error))
            return 400
        except ConnectionError as error:
            log.warning("webhook put off", provider=listener.name, reason=str(error))
            return 503
        return 200

    return heard


async def _body(request: Request) -> bytes:
    """The body, as far as it is not too long; what a request says of its length is not believed."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST:
            raise HTTPException(413)
    return bytes(body)
