"""
The mail servers of this installation as somebody may look at them: everything but the secrets.

Takes the settings and what the ledger knows; yields what goes out over each relay, how far its warm-up has come, and
since when it takes nothing. Changes nothing: servers are set in `newsletter.toml` and the environment.
"""

import datetime as dt
from dataclasses import dataclass

from newsletter.accounts.alerts import AlertKind, open_alerts
from newsletter.database import reading
from newsletter.dispatch.store import taken_since
from newsletter.dispatch.warm_up import midnight_before
from newsletter.pipeline.parts import Parts
from newsletter.settings import SmtpSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Warming:
    """How far a warm-up has come: `quota` for today, `day` counted from 1, of so many `days`."""

    quota: int
    day: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A relay; `today` is what it has taken since midnight (UTC), `silent` since when it takes nothing."""

    name: str
    host: str
    port: int
    security: str
    signs_in: str
    connections: int
    rate: float | None
    gives_way: bool
    is_spare: bool
    today: int
    warming: Warming | None
    silent: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where mail goes out and what comes back; the names are "" where nothing is set."""

    outlets: tuple[Outlet, ...]
    maildir: str
    mailbox: str
    mailbox_failing: dt.datetime | None
    bounce_domain: str
    signing: tuple[str, ...]


class Outlets:
    """The verb that looks at mail servers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def look(self) -> Servers:
        """Say how every server is set and stands."""
        settings, now = self._parts.settings, self._parts.now()
        with reading(self._parts.engine) as session:
            alerts = {row.matter: row.since for row in open_alerts(session, (AlertKind.RELAY, AlertKind.MAILBOX))}
            midnight = midnight_before(now)
            outlets = tuple(
                _outlet(each, taken_since(session, each.called, midnight), silent=alerts.get(each.called), now=now)
                for each in settings.outlets
            )
        dkim, imap = settings.dkim, settings.bounce.imap
        return Servers(
            outlets=outlets,
            maildir=str(settings.dispatch.maildir or ""),
            mailbox=f"{imap.host}:{imap.number}" if imap.host else "",
            mailbox_failing=alerts.get("mailbox"),
            bounce_domain=settings.bounce.domain or "",
            signing=tuple(sorted({*(dkim.domains or {}), *([dkim.domain] if dkim.domain else [])})),
        )


def _outlet(settings: SmtpSettings, today: int, *, silent: dt.datetime | None, now: dt.datetime) -> Outlet:
    return Outlet(
        name=settings.called,
        host=settings.host,
        port=settings.port,
        security=settings.security.value,
        signs_in="" if settings.username is None else "oauth" if settings.oauth.is_set else "password",
        connections=settings.connections,
        rate=settings.rate,
        gives_way=settings.groups,
        is_spare=settings.is_spare,
        today=today,
        warming=_warming(settings, now.astimezone(dt.UTC).date()),
        silent=silent,
    )


def _warming(settings: SmtpSettings, today: dt.date) -> Warming | None:
    """The quota of a day, while there is one."""
    quotas, start = settings.warm_up, settings.warm_up_start
    if quotas is None or start is None:
        return None
    day = max(0, (today - start).days)
    return Warming(quota=quotas[day], day=day + 1, days=len(quotas)) if day < len(quotas) else None
