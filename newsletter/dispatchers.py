"""
Puts a dispatcher together from the settings: its relays, their paces, what signs its messages.

Apart from `bootstrap`, so that who dispatches nothing (the pages, most commands) imports nothing of it.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING

from newsletter.bootstrap import Pipeline
from newsletter.dispatch.bucket import TokenBucket
from newsletter.dispatch.composer import MessageComposer, Sealing
from newsletter.dispatch.dispatcher import Dispatcher
from newsletter.dispatch.granted import Granted
from newsletter.dispatch.groups import Groups
from newsletter.dispatch.leases import Leases
from newsletter.dispatch.ledger import Ledger
from newsletter.dispatch.maildir import MaildirRelay
from newsletter.dispatch.pace import Pace, Together, Unlimited
from newsletter.dispatch.progress import Progress
from newsletter.dispatch.retry import Backoff
from newsletter.dispatch.route import Route
from newsletter.dispatch.smtp import SmtpRelay
from newsletter.dispatch.store import taken_since
from newsletter.dispatch.warm_up import WarmUp, midnight_before
from newsletter.pipeline.parts import Parts
from newsletter.process import process_name
from newsletter.settings import DkimSettings, SmtpSettings
from subscribers.address import parse_address

if TYPE_CHECKING:
    from newsletter.dispatch.dkim import Signer


def build_dispatcher(
    pipeline: Pipeline, *, progress: Progress | None = None, wakes: bool = True, granted: Granted | None = None
) -> Dispatcher:
    """
    A dispatcher over the configured relays; with `wakes` it starts due runs itself, `granted` is for a worker's.

    Raises ConfigurationFault for DKIM keys that cannot be used, and for a newsletter whose sender has none.
    """
    parts, dispatch = pipeline.parts, pipeline.parts.settings.dispatch
    is_shared = parts.engine.dialect.name != "sqlite"
    leases = Leases(parts.sessions) if is_shared else None
    routes = _routes(parts, leases)
    dispatcher = Dispatcher(
        ledger=Ledger(
            parts.sessions,
            worker=process_name(),
            uncertain=dispatch.uncertain,
            hold=dt.timedelta(seconds=dispatch.uncertain_hold),
            connections=sum(route.connections for route in routes),
        ),
        routes=routes,
        composer=MessageComposer(
            parts.sessions,
            Sealing(
                keys=parts.keys,
                links=parts.links,
                bounce_domain=parts.settings.bounce.domain,
                signers=_signers(parts),
            ),
        ),
        backoff=Backoff(first=dispatch.first_retry, expiry=dispatch.expiry),
        now=parts.now,
        wake=_waking(pipeline, routes) if wakes else pipeline.staging.advance,
        finished=_finishing(pipeline),
        progress=progress or Progress(),
        threaded=is_shared,  # SQLite's commit takes less than the way to a thread
        granted=granted or (Granted() if is_shared else None),  # what a dead one had is claimed first
    )
    if leases is not None:
        leases.serve(lambda: dispatcher.ledger.worker, lambda: dispatcher.has_messages)
    return dispatcher


def _waking(pipeline: Pipeline, routes: Sequence[Route]) -> Callable[[], None]:
    """Do what is due, and tell which relays are left alone: only this process knows."""
    told: list[str] = []
    rounds = count(1)

    def wake() -> None:
        nonlocal told
        pipeline.wake()
        silent = [route.relay.name for route in routes if not route.breaker.is_closed]
        # What an earlier dispatcher told of relays is taken back by the second round of one that stays.
        if next(rounds) == 2 or silent != told:  # noqa: PLR2004
            pipeline.alerting.relays(silent)
            told = silent

    return wake


def _finishing(pipeline: Pipeline) -> Callable[[list[int]], None]:
    """What ends issues; imported when there is something to end."""

    def finished(issue_ids: list[int]) -> None:
        pipeline.sending.finished(issue_ids)

    return finished


def _routes(parts: Parts, leases: Leases | None) -> tuple[Route, ...]:
    """A route a relay, the spares behind those that they stand in for; a Maildir takes the place of them all."""
    settings = parts.settings
    if settings.dispatch.maildir:
        relay = MaildirRelay(settings.dispatch.maildir)
        return (Route(relay=relay, connections=settings.smtp.connections),)
    paces = {outlet.called: _pace(outlet, parts, leases) for outlet in settings.outlets}
    primaries = tuple(_route(outlet, paces[outlet.called]) for outlet in settings.outlets if not outlet.is_spare)
    spares = tuple(_route(outlet, paces[outlet.called], primaries) for outlet in settings.outlets if outlet.is_spare)
    return primaries + spares


def _route(outlet: SmtpSettings, pace: Pace, stands_in_for: Sequence[Route] = ()) -> Route:
    return Route(
        relay=SmtpRelay(outlet),
        connections=outlet.connections,
        pace=pace,
        stands_in_for=stands_in_for,
    )


def _pace(outlet: SmtpSettings, parts: Parts, leases: Leases | None) -> Pace:
    """Every limit that is set for a relay; on a server all dispatchers share those on what goes out."""
    paces: list[Pace] = []
    if outlet.rate:
        paces.append(leases.bucket(outlet.called, outlet.rate) if leases else TokenBucket(outlet.rate))
    if outlet.warm_up and outlet.warm_up_start:
        quotas, start = outlet.warm_up, outlet.warm_up_start
        paces.append(leases.warm_up(outlet.called, quotas, start=start) if leases else _warm_up(outlet, start, parts))
    if outlet.groups:
        paces.append(Groups())
    return Together(paces) if paces else Unlimited()


def _warm_up(outlet: SmtpSettings, start: dt.date, parts: Parts) -> WarmUp:
    with parts.sessions() as session:
        sent = taken_since(session, outlet.called, midnight_before(parts.now()))
    return WarmUp(outlet.warm_up or (), start=start, sent=sent, clock=parts.now)


def _signers(parts: Parts) -> "tuple[Signer, ...]":
    """The DKIM signers, and the certainty that every newsletter has one, if there are any."""
    if parts.settings.dkim == DkimSettings():
        return ()
    from newsletter.content.store import list_newsletters
    from newsletter.dispatch.dkim import read_signers, signer_for

    signers = read_signers(parts.settings.dkim)
    if signers:
        with parts.sessions() as session:
            for _, newsletter in list_newsletters(session):
                signer_for(signers, parse_address(newsletter.sender.address).domain)
    return signers
