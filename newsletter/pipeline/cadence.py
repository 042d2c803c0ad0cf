"""
The cadence of newsletters: a draft at every time that is due, and nothing sent by itself.

Takes the cron lines of newsletters' settings; yields a draft issue for each time that has come, compiled and checked,
and an alert that it is ready. The rows are the truth: a time is taken once, whoever looks at the clock, and its draft
is made again where whoever took it was stopped. Of several times that passed while nothing was running the last one
counts.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from sqlmodel import Session

from newsletter.accounts.alerts import AlertKind
from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.assembly import due
from newsletter.assembly import store as issues
from newsletter.assembly.days import default_period
from newsletter.content import store as content
from newsletter.content.cron import Cron, slots
from newsletter.content.issue import IssuePlan, IssueText
from newsletter.content.newsletter import Newsletter
from newsletter.database import reading
from newsletter.errors import NewsletterError
from newsletter.logs import logger
from newsletter.pipeline.alerting import Matter, note
from newsletter.pipeline.approval import Approval
from newsletter.pipeline.editorial import Editorial
from newsletter.pipeline.parts import Parts
from newsletter.times import month_words

STOPPED: Final = dt.timedelta(minutes=10)
"""After which whoever took a time and made no draft was stopped: the longest assembly takes seconds."""

BY_ITSELF: Final = "cadence"
"""Who acts, for the audit log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A time of a newsletter's cadence that has come."""

    newsletter_id: int
    settings: Newsletter
    at: dt.datetime


class Cadences:
    """The verbs of cadences."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._log = logger("cadence")

    def upcoming(self, cron: str, zone: str, *, count: int = 3) -> list[dt.datetime]:
        """The next times of a cron line in a zone, in UTC. Raises ValueError for a line that cannot be read."""
        return list(islice(slots(Cron.parse(cron), zone, after=self._parts.now()), count))

    def tick(self, now: dt.datetime | None = None) -> list[str]:
        """Make the draft of every time that has come; returns the slugs. Any number of schedulers may call it."""
        now = now or self._parts.now()
        with reading(self._parts.engine) as session:
            known = due.known(session)
            newsletters = content.list_newsletters(session)
            left = due.unfinished(session, now - STOPPED)
            session.expunge_all()
        by_id = dict(newsletters)
        made = [self._make(slot.newsletter_id, by_id[slot.newsletter_id], slot.at, slot.issue, now) for slot in left]
        for newsletter_id, settings in newsletters:
            at = self._look(newsletter_id, settings, known.get(newsletter_id), now)
            if at is not None:
                made.append(self._take(Due(newsletter_id=newsletter_id, settings=settings, at=at), now))
        return [slug for slug in made if slug]

    def _look(
        self, newsletter_id: int, settings: Newsletter, known: due.CadenceRow | None, now: dt.datetime
    ) -> dt.datetime | None:
        """The last time of a newsletter that has come and was not taken; a new cadence counts from now on."""
        cron, zone = settings.cadence.cron, settings.timezone
        if cron is None:
            if known is not None and known.cron:
                self._set(newsletter_id, cron="", zone=zone, since=now)
            return None
        if known is None or (known.cron, known.zone) != (cron, zone):
            self._set(newsletter_id, cron=cron, zone=zone, since=now)
            return None
        return last_before(cron, zone, after=known.since, now=now)

    def _set(self, newsletter_id: int, *, cron: str, zone: str, since: dt.datetime) -> None:
        with self._parts.sessions() as session:
            due.set_cadence(session, newsletter_id, cron=cron, zone=zone, since=since)
            session.commit()

    def _take(self, this: Due, now: dt.datetime) -> str | None:
        with self._parts.sessions() as session:
            slug = _free_slug(session, this)
            taken = due.take(session, this.newsletter_id, at=this.at, issue=slug, now=now)
            session.commit()
        return self._make(this.newsletter_id, this.settings, this.at, slug, now, is_mine=True) if taken else None

    def _make(
        self,
        newsletter_id: int,
        settings: Newsletter,
        at: dt.datetime,
        slug: str,
        now: dt.datetime,
        *,
        is_mine: bool = False,
    ) -> str | None:
        """Plan and assemble the draft of a time, then say that it is there; None where somebody else is about it."""
        if not is_mine and not self._take_over(newsletter_id, at, now):
            return None
        this = Due(newsletter_id=newsletter_id, settings=settings, at=at)
        items = self._assembled(this, slug, now)
        standing = None if items is None else self._checked(slug, settings.slug)
        with self._parts.sessions() as session:
            finished = due.finish(session, newsletter_id, at=at, now=now)
            if finished and items is not None:
                title = _titles(this)[settings.default_language].title
                facts = {"issue": slug, "title": title, "items": str(items), "checks": str(standing or 0)}
                matter = Matter(kind=AlertKind.DRAFT, name=slug, newsletter=settings.slug, facts=facts)
                note(session, matter, now=now)
                note_deed(session, Deed.DRAFT_MADE, operator=BY_ITSELF, at=now, about=f"{settings.slug}/{slug}")
            session.commit()
        return slug if items is not None else None

    def _assembled(self, this: Due, slug: str, now: dt.datetime) -> int | None:
        """How many items the draft has; None where it could not be made, or is no draft any more."""
        try:
            with self._parts.sessions() as session:
                if issues.find_issue(session, this.newsletter_id, slug) is None:
                    issues.save_plan(session, this.newsletter_id, _plan(session, this, slug), now=now)
                session.commit()
            chosen = Editorial(self._parts).assemble(slug, newsletter=this.settings.slug)
        except NewsletterError as error:
            self._log.error("no draft", newsletter=this.settings.slug, issue=slug, reason=str(error))
            return None
        self._log.info("draft made", newsletter=this.settings.slug, issue=slug, items=len(chosen.items))
        return len(chosen.items)

    def _checked(self, slug: str, newsletter: str) -> int | None:
        """
        Compile and check a draft, so that a theme that is wrong is known before anybody opens it.

        Returns what stands in the way of its approval; None where it cannot be compiled.
        """
        try:
            checked = Approval(self._parts).preflight(slug, newsletter=newsletter, segment=None)
        except NewsletterError as error:
            self._log.error("draft not compiled", newsletter=newsletter, issue=slug, reason=str(error))
            return None
        standing = len(checked.report.standing(checked.waivers))
        self._log.info("draft checked", newsletter=newsletter, issue=slug, standing=standing)
        return standing

    def _take_over(self, newsletter_id: int, at: dt.datetime, now: dt.datetime) -> bool:
        with self._parts.sessions() as session:
            left = due.unfinished(session, now - STOPPED)
            slot = next((each for each in left if (each.newsletter_id, each.at) == (newsletter_id, at)), None)
            mine = slot is not None and due.take_over(session, slot, now=now)
            session.commit()
        return mine


def last_before(cron: str, zone: str, *, after: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """The last time of a cron line later than `after` that has come; None where none has."""
    last = None
    for at in slots(Cron.parse(cron), zone, after=after):
        if at > now:
            break
        last = at
    return last


def _plan(session: Session, this: Due, slug: str) -> IssuePlan:
    """The plan of a draft: of the day on which it was due, numbered after the issue before it, named by its month."""
    date = _date(this)
    previous = issues.previous_plan(session, this.newsletter_id, date)
    number = previous.number + 1 if previous and previous.number is not None else None
    period = default_period(previous, date)
    return IssuePlan(slug=slug, number=number, date=date, period=period, texts=_titles(this))


def _titles(this: Due) -> dict[str, IssueText]:
    date, settings = _date(this), this.settings
    return {
        tag: IssueText(title=_capital(month_words(date, locale=settings.locale(tag)))) for tag in settings.languages
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _date(this: Due) -> dt.date:
    return this.at.astimezone(ZoneInfo(this.settings.timezone)).date()


def _free_slug(session: Session, this: Due) -> str:
    """The month, or the day where the month's name is taken, or the day with a number."""
    return next(slug for slug in _slugs(_date(this)) if issues.find_issue(session, this.newsletter_id, slug) is None)


def _slugs(date: dt.date) -> Iterator[str]:
    yield f"{date:%Y-%m}"
    yield f"{date:%Y-%m-%d}"
    number = 2
    while True:
        yield f"{date:%Y-%m-%d}-{number}"
        number += 1
