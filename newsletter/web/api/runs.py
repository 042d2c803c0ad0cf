"""Runs: queue an issue, watch it, stop it, prove what became of it."""

from fastapi import APIRouter

from newsletter.web.api.access import Manages, Reads, Sends
from newsletter.web.api.issues import ISSUE
from newsletter.web.api.sending_schemas import (
    AddressBody,
    AuditShown,
    Halted,
    Queue,
    QueuedShown,
    StandingShown,
    StoryShown,
    TestBody,
    TestShown,
)


def router() -> APIRouter:
    """The routes of runs."""
    routes = APIRouter(tags=["runs"])
    _sending(routes)
    _proving(routes)
    return routes


def _sending(routes: APIRouter) -> None:
    @routes.post(f"{ISSUE}/queue", status_code=201)
    def queue(caller: Sends, newsletter: str, slug: str, body: Queue) -> QueuedShown:
        """Queue an approved issue for a segment; the scheduler or the dispatcher starts it."""
        queued = caller.pipeline.sending.queue(
            slug, newsletter=newsletter, segment=body.segment, at=body.at, zone=body.timezone, manner=body.manner
        )
        return QueuedShown.of(queued)

    @routes.post(f"{ISSUE}/pause")
    def pause(caller: Sends, newsletter: str, slug: str) -> StandingShown:
        """Stop a run; done when nothing is `on_the_wire`."""
        return StandingShown.of(caller.pipeline.control.pause(slug, newsletter=newsletter))

    @routes.post(f"{ISSUE}/resume")
    def resume(caller: Sends, newsletter: str, slug: str) -> StandingShown:
        """Let a paused run go on."""
        return StandingShown.of(caller.pipeline.control.resume(slug, newsletter=newsletter))

    @routes.post(f"{ISSUE}/cancel")
    def cancel(caller: Sends, newsletter: str, slug: str) -> StandingShown:
        """Stop a run for good."""
        return StandingShown.of(caller.pipeline.control.cancel(slug, newsletter=newsletter))

    @routes.post("/halt")
    def halt(caller: Sends) -> Halted:
        """Pause every run."""
        return Halted(issues=caller.pipeline.control.halt())

    @routes.post(f"{ISSUE}/tests", status_code=202)
    def test(caller: Sends, newsletter: str, slug: str, body: TestBody) -> TestShown:
        """Send one edition, as it is now, to one address."""
        built = caller.pipeline.approval.compile(slug, newsletter=newsletter)
        mailing = caller.pipeline.proof.test(slug, to=body.address, artifact=built.edition(body.language))
        return TestShown(mailing=mailing)


def _proving(routes: APIRouter) -> None:
    @routes.get(f"{ISSUE}/status")
    def status(caller: Reads, newsletter: str, slug: str) -> StandingShown:
        """How the dispatch of an issue stands."""
        return StandingShown.of(caller.pipeline.control.status(slug, newsletter=newsletter))

    @routes.get(f"{ISSUE}/audit")
    def audit(caller: Reads, newsletter: str, slug: str) -> AuditShown:
        """Check that everybody of the frozen audience ended exactly once."""
        return AuditShown.of(caller.pipeline.proof.audit(slug, newsletter=newsletter))

    @routes.post(f"{ISSUE}/explain")
    def explain(caller: Manages, newsletter: str, slug: str, body: AddressBody) -> StoryShown:
        """Did this person get it, in which language, and what did the relay say."""
        return StoryShown.of(caller.pipeline.proof.explain(body.address, slug, newsletter=newsletter))
