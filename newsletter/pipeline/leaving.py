"""
Leaving by an unsubscribe link: the newsletter it stood in, and the lists that brought it.

Takes a person and the mailing of the message; yields what that ended, in the session of the verb, together with what
was planned for them. The lines of the consent log that it writes are what `Own.undo` takes back.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlmodel import Session

from newsletter.dispatch.composer import LETTERS
from newsletter.pipeline.stopping import Stopped, stop_all, stop_unmeant
from newsletter.planning.models import DeliveryRow
from newsletter.planning.store import expressions_that_reached
from subscribers import consent, store
from subscribers.consent import Circumstances
from subscribers.errors import SubscribersError
from subscribers.models import ConsentAction, ConsentEntry, Subscriber, SuppressionReason
from subscribers.segments import expand, list_names, parse
from subscribers.suppression import suppress_digest

ONE_CLICK: Final = "one-click"
"""How the consent log calls a POST as RFC 8058 has it, sent by a mail program."""

BY_PAGE: Final = "unsubscribe page"
"""How it calls the button on the page."""

UNDO_WITHIN: Final = dt.timedelta(days=1)
"""How long a farewell can be taken back."""

_FAREWELL: Final = frozenset({ConsentAction.LEFT, ConsentAction.LEFT_NEWSLETTER})


def newsletter_of(mailing: str) -> str:
    """The key of the newsletter that a mailing belongs to, whatever its kind: `issue:rivers/2026-12` gives `rivers`."""
    return mailing.partition(":")[2].partition("/")[0]


def leave(session: Session, subscriber: Subscriber, *, mailing: str, circumstances: Circumstances) -> Stopped:
    """
    Let a person leave the newsletter of a mailing.

    Memberships of the lists that the run's segment means end with it, and what is planned for the person in runs that
    they are not meant by any more is stopped.
    """
    newsletter = newsletter_of(mailing)
    left = consent.leave_newsletter(
        session,
        subscriber=subscriber,
        newsletter=newsletter,
        lists=_lists_of(session, subscriber, mailing),
        circumstances=replace(circumstances, newsletter=newsletter),
    )
    return Stopped(left, stop_unmeant(session, subscriber, reason="unsubscribed", now=circumstances.at))


def leave_by(session: Session, delivery: DeliveryRow, *, circumstances: Circumstances) -> Stopped:
    """
    Let the person of a delivery leave, who answered it by mail.

    Somebody who is gone has nothing to leave. A letter to an address that is no subscriber's, such as the one that
    confirms a change of address, was not wanted at all: nothing goes there any more.
    """
    subscriber = None if delivery.subscriber_id is None else session.get(Subscriber, delivery.subscriber_id)
    if subscriber is not None:
        return leave(session, subscriber, mailing=delivery.mailing, circumstances=circumstances)
    if not delivery.mailing.startswith(LETTERS):
        return Stopped(changed=False, deliveries=0)
    reason, now = SuppressionReason.UNSUBSCRIBED, circumstances.at
    barred = suppress_digest(session, digest=delivery.digest, reason=reason, now=now)
    return Stopped(barred, stop_all(session, delivery.digest, reason="unsubscribed", now=now))


def last_farewell(
    session: Session, subscriber: Subscriber, *, newsletter: str, since: dt.datetime
) -> Sequence[ConsentEntry]:
    """The lines of the newest leave from a newsletter by a link, if it is not older; those of one moment."""
    lines = [
        line
        for line in store.consent_of(session, subscriber.digest)
        if line.newsletter == newsletter and line.source in {ONE_CLICK, BY_PAGE} and line.action in _FAREWELL
    ]
    return [line for line in lines if line.at == lines[-1].at and line.at >= since]


def _lists_of(session: Session, subscriber: Subscriber, mailing: str) -> frozenset[str]:
    """The lists that brought a message: those its segment means, or those that its letter is about."""
    kind, _, rest = mailing.partition(":")
    if kind == "issue":
        reached = expressions_that_reached(session, mailing, subscriber_id=store.id_of(subscriber))
        return frozenset[str]().union(*(_meant(session, expression) for expression in reached))
    request = store.find_request(session, rest.rpartition("/")[2])
    return frozenset(request.lists) if request else frozenset()


def _meant(session: Session, expression: str) -> frozenset[str]:
    try:
        return list_names(expand(parse(expression), store.resolver(session)))
    except SubscribersError:
        # A segment it names is gone: leaving the newsletter must not fail for that.
        return frozenset()
