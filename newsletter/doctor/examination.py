"""
The examination: every check, in the order in which an installation is put up.

Takes settings and the means to look around, yields a `Diagnosis`. Where the database cannot be opened, what needs it is
left out: one error says why.
"""

import datetime as dt
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from newsletter.compilation.theme import read_theme
from newsletter.content.newsletter import Newsletter
from newsletter.content.store import list_newsletters
from newsletter.database import reading
from newsletter.doctor.check import Check, Diagnosis, Status, error, ok, warning
from newsletter.doctor.machine import PROGRAMS, check_programs, check_python, check_zones
from newsletter.doctor.pictures import check_stored
from newsletter.doctor.public import check_media_url, check_public_url
from newsletter.doctor.relay import Probe, check_relay, probe
from newsletter.doctor.senders import check_names, check_signing
from newsletter.doctor.storage import (
    MOUNTS,
    check_database,
    check_file_system,
    check_keys,
    check_known_keys,
    check_space,
    reach_database,
    sqlite_file,
)
from newsletter.doctor.working import check_working
from newsletter.errors import NewsletterError
from newsletter.preflight.resolver import NameSource
from newsletter.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """
    The means to look around.

    `key_file` is where the installation's keys lie. `names` makes something that answers questions about names, when
    it is needed; None: the DNS is not asked. `mounts` is the text of /proc/self/mountinfo, "" where there is none.
    """

    key_file: Path
    names: Callable[[], NameSource] | None = None
    probe: Probe = probe
    mounts: str = ""
    version: tuple[int, int, int] = sys.version_info[:3]
    which: Callable[[str], str | None] = shutil.which
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)


def mounts_of_this_machine() -> str:
    """What is mounted, as Linux tells it; "" on other systems."""
    return MOUNTS.read_text(encoding="utf-8", errors="replace") if MOUNTS.exists() else ""


def examine(settings: Settings, around: Surroundings) -> Diagnosis:
    """Look at everything; takes seconds where a relay or name server is silent."""
    return Diagnosis(tuple(_all(settings, around)))


def _all(settings: Settings, around: Surroundings) -> Iterator[Check]:
    yield check_python(around.version)
    reached = reach_database(settings.database.url)
    yield reached if isinstance(reached, Check) else check_database(reached)
    newsletters: Sequence[Newsletter] = ()
    if not isinstance(reached, Check):
        yield from check_working(reached, around.now())
        yield from check_known_keys(reached, settings)
        yield check_stored(reached, around.now())
        newsletters = _newsletters(reached)
    yield from _storage(settings, around)
    yield from check_keys(around.key_file)
    yield check_zones({"UTC", *(newsletter.timezone for newsletter in newsletters)})
    yield from _themes(newsletters)
    yield check_public_url(settings)
    yield from check_media_url(settings)
    yield from _relay(settings, around)
    senders = {newsletter.sender.address for newsletter in newsletters}
    yield from check_signing(senders, settings.dkim)
    if around.names:
        yield from check_names(senders, settings, around.names())
    yield from check_programs([name for name in PROGRAMS if around.which(name)])


def _newsletters(engine: Engine) -> Sequence[Newsletter]:
    try:
        with reading(engine) as session:
            return tuple(newsletter for _, newsletter in list_newsletters(session))
    finally:
        engine.dispose()


def _storage(settings: Settings, around: Surroundings) -> Iterator[Check]:
    if not settings.database.url.startswith("sqlite"):
        return
    file = sqlite_file(make_url(settings.database.url))
    if file is not None and file.parent.exists():
        yield check_file_system(file, around.mounts)
        yield check_space(file.parent)


def _themes(newsletters: Sequence[Newsletter]) -> Iterator[Check]:
    if not newsletters:
        yield warning("newsletters", "there is no newsletter yet", "Import one: `newsletter content import PACK`.")
        return
    broken = False
    for name in sorted({newsletter.theme.name for newsletter in newsletters}):
        try:
            read_theme(name)
        except NewsletterError as fault:
            broken = True
            yield error("theme", str(fault), f"Mend it and run `newsletter theme check` on the folder of {name!r}.")
    if not broken:
        slugs = ", ".join(newsletter.slug for newsletter in newsletters)
        yield ok("theme", f"every theme can be read that is worn by {slugs}")


def _named(found: Iterable[Check], name: str) -> Iterator[Check]:
    """The checks of one of several relays, which say which it is; its settings have no names in the environment."""
    for check in found:
        advice = _SETTING.sub(lambda named: f"its {named[1].lower()}", check.advice)
        yield replace(check, words=f"{name}: {check.words}", advice=advice)


_SETTING: Final = re.compile(r"(?:NEWSLETTER_SMTP)?__([A-Z_]+)")


def _relay(settings: Settings, around: Surroundings) -> Iterator[Check]:
    maildir = settings.dispatch.maildir
    if maildir is None:
        for outlet in settings.outlets:
            found = check_relay(outlet, around.probe(outlet))
            yield from _named(found, outlet.called) if settings.relays else found
        return
    status = Status.WARNING
    words = f"messages are written into {maildir} and sent to nobody"
    yield Check(code="relay", status=status, words=words, advice="Take NEWSLETTER_DISPATCH__MAILDIR away to send them.")
