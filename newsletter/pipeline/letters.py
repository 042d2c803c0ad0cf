"""
Sending one person a letter: a delivery of its own mailing, beside any run.

Takes a newsletter, a kind of letter and whom it goes to; yields a planned delivery in the session of the verb that
causes it, so that both are committed together. Promises that the letter is in the person's language where the program
speaks it, from the newsletter's sender, and stored under its digest like everything that is sent.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from newsletter.assembly.edition import Phrase
from newsletter.compilation import store as artifacts
from newsletter.compilation.single import Letter, LetterKind, compile_letter
from newsletter.content.newsletter import Newsletter
from newsletter.links import Links
from newsletter.pipeline.limits import VALID
from newsletter.pipeline.offering import list_offer, named, phrase
from newsletter.planning.models import DeliveryRow
from newsletter.planning.store import add_single
from newsletter.words import catalogue
from subscribers.language import direction
from subscribers.models import MailingList, Subscriber

_CONFIRMS: Final = frozenset({LetterKind.CONFIRM, LetterKind.INVITE, LetterKind.ADDRESS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What every letter of one verb has in common."""

    session: Session
    links: Links
    settings: Newsletter
    now: dt.datetime

    def plan(
        self,
        kind: LetterKind,
        *,
        key: str,
        subscriber: Subscriber,
        lists: Sequence[MailingList] = (),
        language: str | None = None,
    ) -> str:
        """Plan a letter to a subscriber, named after `key`; returns its mailing."""
        return self._plan(kind, key=key, lists=lists, language=language or subscriber.language, to=subscriber)

    def plan_to(self, kind: LetterKind, *, key: str, address: str, digest: str, language: str | None) -> str:
        """Plan a letter to an address that is nobody's yet; it is kept until the letter has ended."""
        return self._plan(kind, key=key, lists=(), language=language, to=(address, digest))

    def _plan(
        self,
        kind: LetterKind,
        *,
        key: str,
        lists: Sequence[MailingList],
        language: str | None,
        to: Subscriber | tuple[str, str],
    ) -> str:
        letter = letter_of(kind, self.settings, language=language, lists=lists)
        artifact = compile_letter(letter, self.links)
        artifacts.put(self.session, artifact, now=self.now)
        mailing = mailing_of_letter(kind, newsletter=self.settings.slug, key=key)
        whom = (
            {"subscriber_id": to.id, "digest": to.digest}
            if isinstance(to, Subscriber)
            else {"address": to[0], "digest": to[1]}
        )
        delivery = DeliveryRow(
            mailing=mailing, language=artifact.language, artifact=artifact.digest, changed=self.now, **whom
        )
        add_single(self.session, delivery)
        return mailing


def mailing_of_letter(kind: LetterKind, *, newsletter: str, key: str) -> str:
    """What the delivery of a letter belongs to."""
    return f"{'confirm' if kind in _CONFIRMS else 'notice'}:{newsletter}/{key}"


def letter_of(
    kind: LetterKind, settings: Newsletter, *, language: str | None, lists: Sequence[MailingList] = ()
) -> Letter:
    """A letter of a newsletter in a person's language, or the one nearest to it that the program speaks."""
    words = catalogue(language or settings.default_language).language
    default = settings.default_language
    sender = phrase(settings.sender.name, words, default=default)
    offers = [list_offer(each, words, default=default) for each in lists]
    return Letter(
        kind=kind,
        newsletter=settings.slug,
        language=words,
        dir=direction(words),
        name=named(settings, words),
        theme_name=settings.theme.name,
        accent=settings.theme.accent,
        sender_name=sender.text if sender else settings.slug,
        sender_address=settings.sender.address,
        reply_to=settings.sender.reply_to,
        postal=phrase(settings.footer.address, words, default=default),
        lists=tuple(
            phrase({offer.language: offer.title}, words, default=default) or Phrase(text=offer.title)
            for offer in offers
        ),
        days=VALID.days,
    )
