"""
What pages and letters say about newsletters and lists, in the reader's language.

Takes stored newsletters and lists and a language; yields their names, titles and descriptions, and the words that a
person agrees to. Promises an answer in every language: words fall back along BCP 47 to the newsletter's first language,
and what is missing altogether is called by its name. The version of a wording is the digest of language and text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from newsletter.assembly.edition import Phrase
from newsletter.content.localised import EVERY, chosen
from newsletter.content.newsletter import Newsletter
from newsletter.words import ENGLISH, catalogue
from subscribers.language import direction, fallback_chain, lookup
from subscribers.models import MailingList

VERSION_DIGITS: Final = 16
"""Of the digest: 64 bits tell all wordings apart that an installation will ever have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterOffer:
    """A newsletter that one may ask for: its key, its name in the page's language, the languages of its editions."""

    slug: str
    name: str
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOffer:
    """A list as pages show it: `name` is what a form sends; `language` is that of title and description."""

    name: str
    title: str
    description: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The words that a person agrees to by sending a form, with their version (a digest) and language."""

    text: str
    language: str
    version: str


def newsletter_offer(settings: Newsletter, language: str) -> NewsletterOffer:
    """A newsletter as a page in `language` shows it."""
    return NewsletterOffer(slug=settings.slug, name=named(settings, language).text, languages=settings.languages)


def gone_newsletter(slug: str) -> NewsletterOffer:
    """A newsletter that does not exist any more, as far as it is still known."""
    return NewsletterOffer(slug=slug, name=slug, languages=())


def named(settings: Newsletter, language: str) -> Phrase:
    """The newsletter's name, marked where it is in another language."""
    return phrase(settings.name, language, default=settings.default_language) or Phrase(text=settings.slug)


def phrase(words: Mapping[str, str], language: str, *, default: str) -> Phrase | None:
    """Localised words for a reader of `language`, marked where they are in another; None where there are none."""
    found = chosen(words, _chain(words, language, default))
    if found is None:
        return None
    text, tag = found
    foreign = tag if tag and tag.partition("-")[0] != language.partition("-")[0] else None
    return Phrase(text=text, lang=foreign, dir=direction(foreign) if foreign else None)


def list_offer(mailing_list: MailingList, language: str, *, default: str = ENGLISH) -> ListOffer:
    """
    A list as a page in `language` shows it; `default` is the language that is tried last.

    Its description is in the language of its title, so that no French words stand under an English name, and the one
    that an operator wrote for all stands in where there is none.
    """
    titles, descriptions = mailing_list.titles or {}, mailing_list.descriptions or {}
    said = titles or descriptions
    found = chosen({tag: tag for tag in said}, _chain(said, language, default))
    tag = found[0] if found else ""
    return ListOffer(
        name=mailing_list.name,
        title=titles.get(tag) or mailing_list.name,
        description=descriptions.get(tag) or mailing_list.description,
        language=tag or language,
    )


def consent_words(settings: Newsletter, language: str) -> Consent:
    """What a person agrees to who signs up for a newsletter: its own words, else the program's."""
    words = catalogue(language)
    own = chosen(settings.consent, _chain(settings.consent, language, settings.default_language))
    if own is not None:
        return _version(own[0], own[1] or words.language)
    sender = phrase(settings.sender.name, words.language, default=settings.default_language)
    text = words.say(
        "I would like to receive {newsletter} from {sender} by email. "
        "I can unsubscribe at any time, through the link in every message.",
        newsletter=named(settings, words.language).text,
        sender=sender.text if sender else settings.slug,
    )
    return _version(text, words.language)


def own_consent_words(language: str) -> Consent:
    """What a person agrees to who chooses lists on the page of their own."""
    words = catalogue(language)
    text = words.say(
        "I would like to receive the lists I have chosen by email. "
        "I can unsubscribe at any time, through the link in every message."
    )
    return _version(text, words.language)


def _version(text: str, language: str) -> Consent:
    version = sha256(f"{language}\n{text}".encode()).hexdigest()[:VERSION_DIGITS]
    return Consent(text=text, language=language, version=version)


def _chain(words: Mapping[str, str], language: str, default: str) -> tuple[str, ...]:
    offered = tuple(tag for tag in words if tag != EVERY)
    nearest = lookup(language, offered, default)
    return tuple(dict.fromkeys((*fallback_chain(language, source=nearest, default=default), ENGLISH)))
