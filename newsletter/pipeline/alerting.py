"""
Alerts: noticing what officers should know, and telling those who chose to be told, by mail.

Whoever finds that something is the matter stores it (`note`), in the transaction in which it happened; a round of the
scheduler looks for what nobody stores (a run that stands still, a full disk) and plans the notices. These go out as
single messages through the ledger, like every mail: from the newsletter that they are about, or where they are about
the installation from the first one. Promises that a matter is told once, and no more than once an hour where it comes
back, whatever is killed between two steps.
"""

import datetime as dt
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqlmodel import Session

from newsletter.accounts import alerts
from newsletter.accounts.alerts import EVERY_NEWSLETTER, AlertKind, AlertRow
from newsletter.accounts.models import Deed
from newsletter.accounts.operator import Operator, OperatorId
from newsletter.accounts.store import note_deed
from newsletter.assembly import store as issues
from newsletter.assembly.facts import IssueState
from newsletter.assembly.models import IssueRow
from newsletter.compilation import store as artifacts
from newsletter.compilation.artifact import Artifact
from newsletter.content import store as content
from newsletter.content.localised import chosen
from newsletter.content.newsletter import Newsletter
from newsletter.database import reading
from newsletter.errors import NotFound, WrongState
from newsletter.logs import logger
from newsletter.pipeline.alert_words import WORDS, Said, said
from newsletter.pipeline.mailings import mailing_named
from newsletter.pipeline.parts import Parts
from newsletter.planning import store as planning
from newsletter.planning.models import DeliveryRow, DeliveryState, RunRow, RunState
from newsletter.words import catalogue
from subscribers.address import masked, parse_address
from subscribers.errors import InvalidAddress
from subscribers.language import direction
from subscribers.suppression import digest_of, suppressed_among

LITTLE_SPACE: Final = 2_000_000_000
"""Octets: an issue for a million people, with its write-ahead log, takes about half of that."""

LOOKED_BACK: Final = dt.timedelta(days=1)
"""How old the end of a run may be to be told: whoever starts the program after a month does not want to hear of it."""

KEPT: Final = dt.timedelta(days=60)
"""After which a matter that is over is forgotten."""

TEST: Final = "test"
"""Stands in the mailing of a notice that an operator asked for to see whether it arrives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """Something that may concern somebody: `name` tells it from others of its kind, `facts` are what its words need."""

    kind: AlertKind
    name: str
    newsletter: str = EVERY_NEWSLETTER
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """A matter that is not over."""

    kind: AlertKind
    newsletter: str
    facts: Mapping[str, str]
    since: dt.datetime


class Trial(StrEnum):
    """What became of an operator's wish to see whether alerts arrive."""

    #: A notice is on its way.
    SENT = "sent"
    #: Their account has no address, or one that cannot be written to.
    NO_ADDRESS = "no address"
    #: There is no newsletter that could send it.
    NO_NEWSLETTER = "no newsletter"


def note(session: Session, matter: Matter, *, now: dt.datetime) -> None:
    """Store a matter in the transaction in which it came about; the next round tells it."""
    facts = {name: masked(text)[:300] for name, text in matter.facts.items()}
    facts.setdefault("since", now.isoformat())
    alerts.notice(session, matter.kind, matter=matter.name, newsletter=matter.newsletter, facts=facts, now=now)


class Alerting:
    """The verbs of alerts."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._log = logger("alerts")
        self._silent: frozenset[str] | None = None

    def choices(self, operator_id: OperatorId) -> frozenset[tuple[AlertKind, str]]:
        """What an operator wants to be told: pairs of a kind and a newsletter's slug, "" for all or for neither."""
        with reading(self._parts.engine) as session:
            return alerts.choices(session, operator_id)

    def choose(self, operator_id: OperatorId, wanted: Collection[tuple[AlertKind, str]]) -> None:
        """Change what an operator wants to be told."""
        with self._parts.sessions() as session:
            before = alerts.choices(session, operator_id)
            if before == frozenset(wanted):
                return
            alerts.choose(session, operator_id, wanted)
            note_deed(
                session,
                Deed.ALERTS_CHOSEN,
                operator=self._parts.operator,
                at=self._parts.now(),
                about=f"{_listed(before)} → {_listed(wanted)}",
            )
            session.commit()

    def current(self) -> list[Current]:
        """The matters of the installation that are not over, the oldest first."""
        lasting = [kind for kind in AlertKind if not kind.is_of_newsletter]
        now = self._parts.now()
        with reading(self._parts.engine) as session:
            return [
                Current(kind=row.kind, newsletter=row.newsletter, facts=row.facts, since=row.since)
                for row in alerts.open_alerts(session, lasting)
                if row.since <= now - row.kind.patience
            ]

    def ask(self, slug: str, *, newsletter: str) -> int:
        """
        Ask for the approval of a draft; returns how many operators are told of it by mail.

        It is asked for until the issue is approved. Raises NotFound, and WrongState for what is no draft.
        """
        now = self._parts.now()
        with self._parts.sessions() as session:
            row = issues.get_issue(session, slug, newsletter)
            if row.state is not IssueState.DRAFT:
                raise WrongState(f"issue {slug} is {row.state.value}: only a draft waits for approval")
            facts = {"issue": slug, "title": _title(row), "person": self._parts.operator}
            name = f"{newsletter}/{slug}"
            matter = Matter(kind=AlertKind.APPROVAL, name=name, newsletter=newsletter, facts=facts)
            note(session, matter, now=now)
            note_deed(session, Deed.APPROVAL_ASKED, operator=self._parts.operator, at=now, about=name)
            told = len(alerts.who_chose(session, AlertKind.APPROVAL, newsletter))
            session.commit()
        return told

    def asked(self) -> dict[tuple[str, str], Current]:
        """The drafts whose approval somebody asks for, by slug of newsletter and issue."""
        with reading(self._parts.engine) as session:
            return {
                (row.newsletter, row.facts["issue"]): Current(
                    kind=row.kind, newsletter=row.newsletter, facts=row.facts, since=row.since
                )
                for row in alerts.open_alerts(session, (AlertKind.APPROVAL,))
            }

    def mailbox_failed(self, reason: str) -> None:
        """The mailbox for what comes back could not be read."""
        self._settle(AlertKind.MAILBOX, [Matter(kind=AlertKind.MAILBOX, name="mailbox", facts={"reason": reason})])

    def mailbox_read(self) -> None:
        """It could be read."""
        self._settle(AlertKind.MAILBOX, [])

    def relays(self, silent: Collection[str]) -> None:
        """Hear from a dispatcher which relays it leaves alone; writes only where that has changed."""
        seen = frozenset(silent)
        if seen != self._silent:
            matters = [Matter(kind=AlertKind.RELAY, name=relay, facts={"relay": relay}) for relay in seen]
            self._settle(AlertKind.RELAY, matters)
            self._silent = seen

    def watch(self, now: dt.datetime | None = None) -> int:
        """Look for what nobody has stored, then plan the notices of all that is to be told; returns how many."""
        now = now or self._parts.now()
        with reading(self._parts.engine) as session:
            still = [self._stopped(session, run) for run in _still(session)]
            known = alerts.matters_since(session, AlertKind.FINISHED, now - 2 * LOOKED_BACK)
            ended = [run for run in planning.ended_since(session, now - LOOKED_BACK) if _named(run) not in known]
            finished = [self._finished(session, run) for run in ended]
        self._settle(AlertKind.PAUSED, still)
        if finished:
            with self._parts.sessions() as session:
                for matter in finished:
                    note(session, matter, now=now)
                alerts.drop_ended(session, now - KEPT)
                session.commit()
        self._settle(AlertKind.DISK, self._room())
        self._end_approvals(now)
        return self._tell_all(now)

    def test(self, operator: Operator) -> Trial:
        """Send an operator a notice at once, to show whether alerts arrive."""
        now = self._parts.now()
        with reading(self._parts.engine) as session:
            settings = self._sender(session, EVERY_NEWSLETTER)
        if settings is None:
            return Trial.NO_NEWSLETTER
        words = catalogue(operator.language, WORDS)
        told = Said(
            heading=words.say("Alerts reach you"),
            lines=(words.say("You asked for this message. Real ones look like it."),),
            button=words.say("Choose your alerts"),
            page=("alerts",),
        )
        artifact = self._artifact(TEST, told, operator, settings)
        with self._parts.sessions() as session:
            planned = self._plan(session, {operator: artifact}, f"{TEST}-{operator.id}", now=now)
            session.commit()
        return Trial.SENT if planned else Trial.NO_ADDRESS

    def _settle(self, kind: AlertKind, matters: Sequence[Matter]) -> None:
        """Note what is the matter, and that the rest of its kind is over; touches no row where nothing has changed."""
        now, holding = self._parts.now(), {matter.name: matter for matter in matters}
        with reading(self._parts.engine) as session:
            known = {row.matter for row in alerts.open_alerts(session, (kind,))}
        if known == holding.keys():
            return
        with self._parts.sessions() as session:
            alerts.end_others(session, kind, holding=list(holding), now=now)
            for name in holding.keys() - known:
                note(session, holding[name], now=now)
            session.commit()

    def _end_approvals(self, now: dt.datetime) -> None:
        """Nobody asks any more for the approval of what is no draft."""
        with reading(self._parts.engine) as session:
            asked = alerts.open_alerts(session, (AlertKind.APPROVAL,))
            drafts = [row.matter for row in asked if _is_draft(session, row)]
            if len(drafts) == len(asked):
                return
        with self._parts.sessions() as session:
            alerts.end_others(session, AlertKind.APPROVAL, holding=drafts, now=now)
            session.commit()

    def _room(self) -> list[Matter]:
        """The disk where it is nearly full."""
        database = self._parts.engine.url
        if self._parts.engine.dialect.name != "sqlite" or not database.database:
            return []
        free = shutil.disk_usage(Path(database.database).resolve().parent).free
        if free >= LITTLE_SPACE:
            return []
        return [Matter(kind=AlertKind.DISK, name="disk", facts={"free": f"{free / 1e9:.1f}"})]

    def _stopped(self, session: Session, run: RunRow) -> Matter:
        return self._of_run(session, run, AlertKind.PAUSED, {"reason": run.held or ""})

    def _finished(self, session: Session, run: RunRow) -> Matter:
        counts = planning.states_of(session, run.mailing)
        figures = {
            "accepted": counts[DeliveryState.ACCEPTED],
            "refused": counts[DeliveryState.REFUSED] + counts[DeliveryState.EXPIRED],
            "uncertain": counts[DeliveryState.UNCERTAIN],
        }
        return self._of_run(session, run, AlertKind.FINISHED, {name: str(count) for name, count in figures.items()})

    def _of_run(self, session: Session, run: RunRow, kind: AlertKind, facts: Mapping[str, str]) -> Matter:
        newsletter, slug = mailing_named(run.mailing)
        row = issues.issue_row(session, run.issue_id)
        own = {"issue": slug, "title": _title(row), **facts}
        return Matter(kind=kind, name=_named(run), newsletter=newsletter, facts=own)

    def _tell_all(self, now: dt.datetime) -> int:
        with reading(self._parts.engine) as session:
            due = alerts.due(session, now)
            session.expunge_all()
        return sum(self._tell(alert, now) for alert in due)

    def _tell(self, alert: AlertRow, now: dt.datetime) -> int:
        """Plan the notices of one alert: compiled before the transaction, so that it stays short."""
        with reading(self._parts.engine) as session:
            readers = alerts.who_chose(session, alert.kind, alert.newsletter)
            settings = self._sender(session, alert.newsletter)
        made: dict[Operator, Artifact] = {}
        if settings is not None:
            for reader in readers:
                words = catalogue(reader.language, WORDS)
                told = said(alert.kind, alert.facts, words, newsletter=alert.newsletter, zone=reader.timezone)
                made[reader] = self._artifact(alert.kind.value, told, reader, settings)
        with self._parts.sessions() as session:
            if not alerts.take(session, alert, now=now):
                return 0
            planned = self._plan(session, made, f"{alert.kind.value}-{alert.id}", now=now)
            session.commit()
        self._log.info("alert", kind=alert.kind.value, newsletter=alert.newsletter, told=planned)
        return planned

    def _plan(self, session: Session, made: Mapping[Operator, Artifact], key: str, *, now: dt.datetime) -> int:
        """Plan a notice to each operator whose address can be written to; returns how many there are."""
        planned = 0
        for reader, artifact in made.items():
            try:
                address = parse_address(reader.email)
            except InvalidAddress:
                continue
            digest = digest_of(self._parts.keys, address)
            if suppressed_among(session, [digest]):
                continue
            artifacts.put(session, artifact, now=now)
            planning.add_single(
                session,
                DeliveryRow(
                    mailing=f"notice:{artifact.newsletter}/{key}-{now:%Y%m%dT%H%M%S%f}",
                    digest=digest,
                    address=address.text,
                    language=artifact.language,
                    artifact=artifact.digest,
                    changed=now,
                ),
            )
            planned += 1
        return planned

    def _sender(self, session: Session, newsletter: str) -> Newsletter | None:
        """The newsletter that a notice comes from."""
        known = [settings for _, settings in content.list_newsletters(session)]
        return next((settings for settings in known if newsletter in {settings.slug, EVERY_NEWSLETTER}), None)

    def _artifact(self, label: str, told: Said, reader: Operator, settings: Newsletter) -> Artifact:
        from newsletter.compilation.notice import Notice, compile_notice  # the dispatcher needs no compiler
        from newsletter.compilation.theme import theme_names

        words = catalogue(reader.language, WORDS)
        name = _in(settings.name, words.language, settings)
        notice = Notice(
            label=label,
            newsletter=settings.slug,
            name=name,
            language=words.language,
            dir=direction(words.language),
            theme_name=settings.theme.name if settings.theme.name in theme_names() else "network",
            accent=settings.theme.accent,
            sender_name=_in(settings.sender.name, words.language, settings),
            sender_address=settings.sender.address,
            reply_to=settings.sender.reply_to,
            subject=words.say("{matter} · {newsletter}", matter=told.heading, newsletter=name),
            heading=told.heading,
            lines=told.lines,
            button=told.button,
            address=self._parts.links.desk(*told.page),
            closing=words.say("You get this message because you chose it at the desk, under “Alerts”."),
        )
        return compile_notice(notice, self._parts.links)


def _in(words: Mapping[str, str], language: str, settings: Newsletter) -> str:
    found = chosen(words, (language, settings.default_language))
    return found[0] if found else settings.slug


def _title(row: IssueRow) -> str:
    """The title of an issue in the first language that has one, or ""."""
    texts = row.plan.get("texts", {})
    return next((text["title"] for text in texts.values() if text.get("title")), "")


def _is_draft(session: Session, alert: AlertRow) -> bool:
    try:
        return issues.get_issue(session, alert.facts["issue"], alert.newsletter).state is IssueState.DRAFT
    except NotFound:
        return False


def _still(session: Session) -> list[RunRow]:
    """Runs that stand still until somebody does something."""
    waiting = planning.runs(session, states=(RunState.PAUSED, RunState.SCHEDULED))
    return [run for run in waiting if run.state is RunState.PAUSED or run.held]


def _named(run: RunRow) -> str:
    return f"run {run.id}"


def _listed(wanted: Collection[tuple[AlertKind, str]]) -> str:
    return ", ".join(sorted(f"{kind.value} {newsletter}".strip() for kind, newsletter in wanted)) or "none"
