"""
Links: where they lead, and whether their words say so.

Takes a compiled edition, yields findings. Asks no network: what can be told from an address alone is told. Every link
that an officer entered is looked at, in entries, introduction and footer. A link leads to pages in another language
where its address names one of the newsletter's languages, in the path, the host or the query, while another link of the
edition shows that the same site has the language of the text.

Vague words: WCAG 2.2, success criterion 2.4.9 "Link Purpose (Link Only)"; people who hear a message jump from link to
link and hear their words alone. Names for machines that no reader reaches: RFC 6761 and RFC 6762 (`.test`, `.invalid`,
`.localhost`, `.local`); `.internal` is ICANN's for private use. `.example` is left alone, so that samples are clean.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, parse_qsl

from newsletter.assembly.facts import IssueFacts
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Rule, Severity, Tongue
from newsletter.preflight.places import PlacedLink, opened
from subscribers.language import display_name

EMPTY: Final = Rule(
    code="link-empty",
    severity=Severity.ERROR,
    message="A link has no words: nobody sees it, and it leads to “{url}”.",
    hint="Write in the square brackets what the link leads to, or take the link out.",
    shared=True,
)
TARGETLESS: Final = Rule(
    code="link-targetless",
    severity=Severity.ERROR,
    message="The link “{label}” leads nowhere.",
    hint="Write the address in the round brackets, or take the link out.",
    shared=True,
)
MALFORMED: Final = Rule(
    code="link-malformed",
    severity=Severity.ERROR,
    message="The link “{label}” leads to “{url}”, which is no address that a mail program can open.",
    hint="Give the whole address, such as https://www.city.example/page: a mail has no page of its own to start from.",
    shared=True,
)
VAGUE: Final = Rule(
    code="link-label-vague",
    severity=Severity.WARNING,
    message="The link “{label}” does not say where it leads (to {url}).",
    hint="Write what the reader finds there, or choose one of the actions: the theme then adds the title for those who "
    "hear the message.",
    shared=True,
)
PLAIN: Final = Rule(
    code="link-http",
    severity=Severity.WARNING,
    message="{url} is not encrypted (http): some mail programs warn before they open it, or leave the picture out.",
    hint="Write https:// if the site has it; nearly every site does.",
    shared=True,
)
STAGING: Final = Rule(
    code="link-staging",
    severity=Severity.WARNING,
    message="{url} looks like a test or internal address, which readers cannot open.",
    hint="Give the public address of the page.",
    shared=True,
)
SAME_WORDS: Final = Rule(
    code="link-same-words",
    severity=Severity.WARNING,
    message="The words “{label}” lead to different pages: {urls}.",
    hint="Give each link its own words, or choose one of the actions: the theme then adds the title.",
    shared=True,
)
OTHER_LANGUAGE: Final = Rule(
    code="link-other-language",
    severity=Severity.WARNING,
    message="In the {edition} edition a link leads to the {language} pages of a site that has its own language too: "
    "{url}",
    hint="Give the address of the page in the edition's language; if there is none, say in the link's words which "
    "language it leads to.",
)
RULES: Final = (EMPTY, TARGETLESS, MALFORMED, VAGUE, PLAIN, STAGING, SAME_WORDS, OTHER_LANGUAGE)

_VAGUE_WORDS: Final = """
    here | click here | click | click on this link | link | this link | this page | more | read more | learn more |
    find out more | see more | more information | more info |
    ici | cliquez ici | cliquer ici | lien | ce lien | suivez ce lien | plus | en savoir plus | lire plus |
    lire la suite | voir plus | plus d’informations |
    aquí | aqui | haga clic aquí | clic aquí | pulse aquí | enlace | este enlace | más | leer más | ver más |
    saber más | más información |
    hier | klicken sie hier | hier klicken | klick | dieser link | mehr | weiter | weiterlesen | mehr lesen |
    mehr erfahren | mehr informationen | weitere informationen |
    qui | clicca qui | leggi tutto | leggi di più | scopri di più | clique aqui | ler mais | saiba mais |
    klik hier | lees meer | meer | meer informatie |
    εδώ | κάντε κλικ εδώ | περισσότερα | διαβάστε περισσότερα |
    هنا | اضغط هنا | انقر هنا | المزيد | اقرأ المزيد
"""
"""What says nothing of a link by itself, in the languages of most European newsletters."""

_WORD: Final = re.compile(r"[^\W_]+")
_UNREACHABLE: Final = ("localhost", "local", "localdomain", "test", "invalid", "internal", "intranet", "lan")
_TRIAL: Final = re.compile(
    r"(?:test|testing|dev|develop|stage|qa)\d*|(?:.+-)?(?:staging|preprod|preview|sandbox|uat)\d*(?:-.+)?"
)
"""The first label of a host that is not for readers; `www.test.example` may well be a testers' association."""

_LANGUAGE_NAMES: Final = frozenset({"lang", "language", "locale", "hl", "lc"})
_TAG: Final = re.compile(r"[a-z]{2,3}(?:[-_][a-z]{2,4})?")

_LABELS: Final = 3
"""Fewer labels in a host mean that the first one is the site's own name."""


def check(given: CompiledEdition, issue: IssueFacts) -> Iterator[Finding]:
    """Look at every link of an edition."""
    found = given.links
    for link in found:
        yield from _target(link, given.name)
        yield from _words(link, given.name)
    yield from _same_words(found, given.name)
    yield from _other_language(found, given, issue.settings.languages)


def _target(link: PlacedLink, edition: str) -> Iterator[Finding]:
    if not link.url.strip():
        yield TARGETLESS.found(edition=edition, place=link.place, label=link.label or "")
        return
    parts = opened(link.url)
    if parts is None:
        yield MALFORMED.found(edition=edition, place=link.place, url=link.url, label=link.label or "")
        return
    if parts.scheme.lower() == "http":
        yield PLAIN.found(edition=edition, place=link.place, url=link.url)
    if _is_staging(parts):
        yield STAGING.found(edition=edition, place=link.place, url=link.url)


def _is_staging(parts: SplitResult) -> bool:
    host = (parts.hostname or "").rstrip(".").lower()
    try:
        return not ip_address(host).is_global
    except ValueError:
        labels = host.split(".")
        return labels[-1] in _UNREACHABLE or (len(labels) >= _LABELS and _TRIAL.fullmatch(labels[0]) is not None)


def _words(link: PlacedLink, edition: str) -> Iterator[Finding]:
    if link.label is None:
        return
    if not link.label.strip():
        yield EMPTY.found(edition=edition, place=link.place, url=link.url)
    elif is_vague(link.label):
        yield VAGUE.found(edition=edition, place=link.place, label=link.label, url=link.url)


def is_vague(label: str) -> bool:
    """Whether the words of a link say nothing by themselves."""
    words = words_of(label)
    return not words or words in _vague()


@cache
def _vague() -> frozenset[str]:
    return frozenset(words_of(words) for words in _VAGUE_WORDS.split("|"))


def words_of(label: str) -> str:
    """The words in small letters, without the signs around and between them."""
    return " ".join(_WORD.findall(label.casefold()))


def _same_words(found: Iterable[PlacedLink], edition: str) -> Iterator[Finding]:
    by_words: dict[str, list[PlacedLink]] = {}
    for link in found:
        if link.label and not is_vague(link.label):
            by_words.setdefault(words_of(link.label), []).append(link)
    for links in by_words.values():
        urls = tuple(dict.fromkeys(link.url for link in links))
        entries = {link.entry for link in links}
        # The sittings of one event may all say the same: each link stands under its own date.
        told_apart = len(entries) == 1 and all(link.dated for link in links)
        if len(urls) > 1 and not told_apart:
            place = entries.pop() if len(entries) == 1 else ""
            yield SAME_WORDS.found(edition=edition, place=place, label=links[0].label or "", urls=urls)


def _other_language(found: Iterable[PlacedLink], given: CompiledEdition, languages: Iterable[str]) -> Iterator[Finding]:
    known = {tag.partition("-")[0].lower() for tag in languages}
    marked = [(link, mark) for link in found if (parts := opened(link.url)) and (mark := _language_of(parts, known))]
    has = {mark for _, mark in marked}
    for link, (site, tag) in marked:
        own = (link.language or tag).partition("-")[0].lower()
        if tag != own and (site, own) in has and not _says_language(link.label or "", tag, given.edition.language):
            yield OTHER_LANGUAGE.found(edition=given.name, place=link.place, url=link.url, language=Tongue(tag))


def _language_of(parts: SplitResult, known: Collection[str]) -> tuple[str, str] | None:
    """The site and the language that an address names, where it names one."""
    first, _, rest = (parts.hostname or "").partition(".")
    if first in known:
        return rest, first
    named = [segment.lower() for segment in parts.path.split("/")]
    named += [value.lower() for name, value in parse_qsl(parts.query) if name.lower() in _LANGUAGE_NAMES]
    tags = (segment.replace("_", "-").partition("-")[0] for segment in named if _TAG.fullmatch(segment))
    tag = next((tag for tag in tags if tag in known), None)
    return (parts.hostname or "", tag) if tag else None


def _says_language(label: str, tag: str, language: str) -> bool:
    words = words_of(label)
    names = (display_name(tag, language), display_name(tag, tag))
    return tag in words.split() or any(words_of(name) in words for name in names)
