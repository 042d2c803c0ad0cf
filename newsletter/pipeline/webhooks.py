"""
The verbs of webhooks: who is called, and the calls themselves.

Takes the consent log and the ends of runs, as they stand in the database; yields signed calls (Standard Webhooks 1.0).
Promises that nothing is told before it is committed, that what was not taken is tried again for three days, that every
try of a call bears the same id, and that no address of a person leaves.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlmodel import Session

from newsletter.accounts import webhooks as store
from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.accounts.webhooks import SECRET_PREFIX, WebhookCallRow, WebhookEvent, WebhookRow
from newsletter.callbacks import NotAllowed, ensure_callable, post
from newsletter.database import reading
from newsletter.errors import InvalidInput, NotFound
from newsletter.logs import logger
from newsletter.pipeline.mailings import mailing_named
from newsletter.pipeline.parts import Parts
from newsletter.planning.models import RunRow
from newsletter.planning.store import runs_ended
from newsletter.times import rfc3339
from subscribers.models import ConsentAction, ConsentEntry, MembershipState
from subscribers.replay import state_after
from subscribers.store import consent_after, newest_consent

RETRIES: Final = tuple(
    dt.timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long a call waits after each try that failed: three days in all (as Standard Webhooks advises)."""

GIVEN_UP: Final = dt.timedelta(days=5)
"""After failing for so long without one success a webhook is disabled."""

SETTLED: Final = dt.timedelta(seconds=30)
"""How far back is looked, so that a transaction which began earlier and ends later is not passed over."""

TAKEN: Final = dt.timedelta(minutes=2)
"""How long a process has a call for itself."""

TOGETHER: Final = 500
"""People told of in one call: an import of a million is two thousand calls."""

AT_ONCE: Final = 20
"""Calls of one round: a slow program must not keep the others waiting for long."""

GONE: Final = 410
"""The status by which a program says that it wants no more calls."""

_EVENTS: Final = {
    MembershipState.CONFIRMED: WebhookEvent.SUBSCRIBER_JOINED,
    MembershipState.LEFT: WebhookEvent.SUBSCRIBER_LEFT,
    MembershipState.REMOVED: WebhookEvent.SUBSCRIBER_LEFT,
}
"""What is told of somebody who stands so to a list since."""

_NEWSLETTER_EVENTS: Final = {
    ConsentAction.RESUBSCRIBED: WebhookEvent.SUBSCRIBER_JOINED,
    ConsentAction.LEFT_NEWSLETTER: WebhookEvent.SUBSCRIBER_LEFT,
}
"""What is told of a line about a newsletter."""

Post = Callable[..., int]
"""Makes a call, as `callbacks.post`."""


class Webhooks:
    """The verbs of outgoing webhooks."""

    def __init__(self, parts: Parts, *, post: Post = post) -> None:
        self._parts = parts
        self._post = post
        self._log = logger("webhooks")

    def add(self, url: str, events: Sequence[WebhookEvent]) -> WebhookRow:
        """Call a program from now on; its secret stands in what is returned. Raises InvalidInput."""
        try:
            ensure_callable(url)
        except NotAllowed as error:
            raise InvalidInput(str(error)) from error
        if not events or WebhookEvent.TEST in events:
            raise InvalidInput("say for which events it is called")
        now = self._parts.now()
        with self._parts.sessions() as session:
            row = store.add(session, url, events=events, seen=newest_consent(session), now=now)
            self._note(session, Deed.WEBHOOK_ADDED, f"{row.id}: {row.events}")
            session.commit()
        return row

    def all(self) -> Sequence[WebhookRow]:
        """All webhooks."""
        with reading(self._parts.engine) as session:
            found = store.webhooks(session)
            session.expunge_all()  # they are read on after the session has ended
        return found

    def get(self, webhook_id: int) -> WebhookRow:
        """One webhook; raises NotFound."""
        with reading(self._parts.engine) as session:
            found = _known(session, webhook_id)
            session.expunge_all()
        return found

    def remove(self, webhook_id: int) -> None:
        """Call a program no more; raises NotFound."""
        with self._parts.sessions() as session:
            if not store.remove(session, webhook_id):
                raise NotFound("webhook", str(webhook_id))
            self._note(session, Deed.WEBHOOK_REMOVED, str(webhook_id))
            session.commit()

    def enable(self, webhook_id: int) -> None:
        """Call a program again that was disabled because it failed; what waits is told. Raises NotFound."""
        with self._parts.sessions() as session:
            row = _known(session, webhook_id)
            row.disabled = row.failing_since = None
            session.add(row)
            self._note(session, Deed.WEBHOOK_ENABLED, str(webhook_id))
            session.commit()

    def test(self, webhook_id: int) -> str:
        """Plan a call that says nothing but that it works; returns its matter. Raises NotFound."""
        now = self._parts.now()
        with self._parts.sessions() as session:
            _known(session, webhook_id)
            matter, body = f"{now:%Y%m%dT%H%M%S%f}", _body(WebhookEvent.TEST, at=now, data={})
            store.tell(session, webhook_id, event=WebhookEvent.TEST, matter=matter, body=body, now=now)
            session.commit()
        return matter

    def calls(self, webhook_id: int, *, limit: int) -> Sequence[WebhookCallRow]:
        """The newest calls of a webhook; raises NotFound."""
        with reading(self._parts.engine) as session:
            _known(session, webhook_id)
            found = store.calls_of(session, webhook_id, limit=limit)
            session.expunge_all()
        return found

    def tick(self) -> int:
        """Look for what happened, and make the calls that are due; returns how many were made."""
        self._collect()
        return self._call()

    def _collect(self) -> None:
        until = self._parts.now() - SETTLED
        with reading(self._parts.engine) as session:
            active = [row.id or 0 for row in store.webhooks(session, active=True)]
        for webhook_id in active:
            while self._collect_for(webhook_id, until):
                pass

    def _collect_for(self, webhook_id: int, until: dt.datetime) -> bool:
        """Plan what one webhook has not been told; returns whether there may be more."""
        now = self._parts.now()
        with self._parts.sessions() as session:
            row = _known(session, webhook_id)
            lines = consent_after(session, row.consent_seen, until=until, limit=TOGETHER)
            for event, told in _changes(lines).items():
                if event in row.wants:
                    body = _body(event, at=told[-1][1], data={"subscribers": [each for each, _ in told]})
                    matter = f"consent {row.consent_seen}"
                    store.tell(session, webhook_id, event=event, matter=matter, body=body, now=now)
            for run in runs_ended(session, after=row.runs_seen, until=until):
                if WebhookEvent.RUN_FINISHED in row.wants:
                    store.tell(session, webhook_id, event=WebhookEvent.RUN_FINISHED, **_of_run(run), now=now)
                row.runs_seen = run.ended or until
            if lines:
                row.consent_seen = lines[-1][0].id or 0
            session.add(row)
            session.commit()
        return len(lines) == TOGETHER

    def _call(self) -> int:
        now, made = self._parts.now(), 0
        with reading(self._parts.engine) as session:
            due = store.due_calls(session, now, limit=AT_ONCE)
            session.expunge_all()
        for call, webhook in due:
            with self._parts.sessions() as session:
                is_ours = store.take(session, call, until=self._parts.now() + TAKEN)
                session.commit()
            if is_ours:
                self._answered(call, webhook, self._ask(call, webhook))
                made += 1
        return made

    def _ask(self, call: WebhookCallRow, webhook: WebhookRow) -> int:
        body = call.body.encode()
        try:
            return self._post(
                webhook.url,
                body,
                headers=signed(body, uid=call.uid, secret=webhook.secret, now=self._parts.now()),
                private=self._parts.settings.webhooks.private,
            )
        except NotAllowed:
            return 0

    def _answered(self, call: WebhookCallRow, webhook: WebhookRow, status: int) -> None:
        now, tries = self._parts.now(), call.attempts + 1
        is_taken = 200 <= status < 300  # noqa: PLR2004  RFC 9110 §15.3
        is_over = is_taken or tries > len(RETRIES)
        due = None if is_over else now + RETRIES[tries - 1]
        with self._parts.sessions() as session:
            store.note_answer(session, call.id or 0, status=status, due=due, ended=now if is_over else None)
            row = store.get(session, webhook.id or 0)
            if row is not None:
                row.failing_since = None if is_taken else row.failing_since or now
                if status == GONE or (row.failing_since and now - row.failing_since > GIVEN_UP):
                    row.disabled = now
                session.add(row)
            store.drop_ended(session, now - store.KEPT)
            session.commit()
        self._log.info(
            "webhook called", webhook=webhook.id, call=call.uid, kind=call.event, status=status, attempt=tries
        )

    def _note(self, session: Session, deed: Deed, about: str) -> None:
        note_deed(session, deed, operator=self._parts.operator, at=self._parts.now(), about=about)


def signed(body: bytes, *, uid: str, secret: str, now: dt.datetime) -> Mapping[str, str]:
    """The fields of a call, with its signature (Standard Webhooks 1.0: HMAC-SHA256 over id, time and body)."""
    stamp = str(int(now.timestamp()))
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.new(key, f"{uid}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "newsletter",
        "webhook-id": uid,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _known(session: Session, webhook_id: int) -> WebhookRow:
    found = store.get(session, webhook_id)
    if found is None:
        raise NotFound("webhook", str(webhook_id))
    return found


def _body(event: WebhookEvent, *, at: dt.datetime, data: Mapping[str, Any]) -> str:
    return json.dumps({"type": event.value, "timestamp": rfc3339(at), "data": data}, ensure_ascii=False)


def _of_run(run: RunRow) -> dict[str, str]:
    newsletter, issue = mailing_named(run.mailing)
    data = {"newsletter": newsletter, "issue": issue, "state": run.state.value, "audience": run.total}
    body = _body(WebhookEvent.RUN_FINISHED, at=run.ended or run.created, data=data)
    return {"matter": f"run {run.id}", "body": body}


_Told = tuple[dict[str, str], dt.datetime]


def _changes(lines: Sequence[tuple[ConsentEntry, str | None]]) -> dict[WebhookEvent, list[_Told]]:
    """Who joined and who left, as it is told; of who is erased nothing is."""
    told: dict[WebhookEvent, list[_Told]] = {}
    for line, uid in lines:
        event = _event_of(line)
        if event is not None and uid is not None:
            about = {"id": uid, "list": line.list_name, "newsletter": line.newsletter, "how": line.action.value}
            told.setdefault(event, []).append(({**about, "at": rfc3339(line.at)}, line.at))
    return told


def _event_of(line: ConsentEntry) -> WebhookEvent | None:
    return _EVENTS.get(state_after(line)) if line.list_name else _NEWSLETTER_EVENTS.get(line.action)
