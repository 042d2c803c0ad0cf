"""
The web view: an edition as a page for everybody, and the page that lists a newsletter's issues.

Takes an artifact and its edition, yields the page: the mail's own HTML (see `neutral`) with what a page has and a mail
has not: one address that counts, its other languages, what it shows where it is quoted, what it says for machines, a
sheet for paper, and what was corrected after sending. Promises that it names no reader, runs no script but the one it
names (so that a policy such as `script-src 'self'` holds), fetches nothing else but pictures, and is the same bytes for
the same build and corrections.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from newsletter.assembly.edition import Edition
from newsletter.compilation.artifact import Artifact
from newsletter.compilation.correction import Note
from newsletter.compilation.feeds import channel_of
from newsletter.compilation.jsonld import for_script, headline, leading_picture, structured_data
from newsletter.compilation.neutral import neutral_page, with_addresses
from newsletter.compilation.slots import unslotted
from newsletter.compilation.templates import render
from newsletter.content.markdown import to_text
from newsletter.links import Links
from newsletter.paths import templates
from newsletter.times import own_name, rfc3339
from newsletter.words import catalogue

PRINT_SCRIPT: Final = "print.js"
"""In the folder of static files: opens the browser's print dialog for links to #print."""

Addresses = Callable[[str], str]
"""How an absolute address is written on a page."""

_DESCRIPTION: Final = 200
"""Characters of a description where there is no preheader: search pages cut longer ones."""

_WRAPPER: Final = re.compile(r'<div\b[^<>]*\brole="article"[^<>]*>')
_ROLE: Final = re.compile(r' aria-roledescription="[^"]*"| role="article"')
_FOR_MAIL: Final = re.compile(
    r'<meta (?:http-equiv|name="(?:viewport|supported-color-schemes|x-apple-[\w-]+)")[^<>]*>'
    r"|<style\b[^<>]*>[^<]*\[data-ogs[^<]*</style>"
)
"""What mail programs alone read, and what the page says itself."""

_OPENING: Final = re.compile(r'.*?<div\b[^<>]*\brole="main"[^<>]*>', re.DOTALL)
"""Up to where the page begins to speak."""

_STAND_IN: Final = "\ufdd0"
"""A noncharacter, which no text may exchange (Unicode 23.7)."""

_DARK: Final = re.compile(r"@media\s*(\(prefers-color-scheme:\s*dark\))")
"""Paper is white, also where the screen is dark."""


def web_view(
    artifact: Artifact,
    edition: Edition,
    *,
    default: str,
    links: Links,
    script: str,
    at: Addresses = str,
    notes: Sequence[Note] = (),
) -> str:
    """
    The page of an edition.

    `notes` are the corrections since it was sent, the newest first; `artifact` then is what it says now. `default` is
    the language for readers of no other (`hreflang="x-default"`), `script` the address of `PRINT_SCRIPT`. `at` may
    write the addresses of links, pictures and script otherwise, for pages that are read from a disk; what is said about
    the page keeps whole addresses.
    """
    names = {
        **_page(artifact, edition, script=script, at=at),
        "title": headline(edition),
        "site": unslotted(edition.name.text),
        "description": description(edition),
        "picture": leading_picture(edition),
        "picture_alt": _alternative(edition),
        "hreflangs": _hreflangs(edition, default),
        "channel": channel_of(edition, links=links),
        "data": for_script(structured_data(edition, notes=notes)),
        "notes": [_told(note, edition) for note in notes],
        "modified": rfc3339(notes[0].at.replace(microsecond=0)) if notes else "",
        "sent": at(links.as_sent(edition.newsletter, edition.issue, edition.language)),
    }
    return render(templates() / "web" / "public", "issue.html.j2", names=names)


def sent_page(artifact: Artifact, edition: Edition, *, script: str, at: Addresses = str) -> str:
    """
    The email as it was sent, for an edition that was corrected since: `artifact` is what went out.

    The page that counts is that of the edition; search engines are asked to leave this one alone.
    """
    names = {**_page(artifact, edition, script=script, at=at), "digest": artifact.digest, "now": at(edition.web_view)}
    return render(templates() / "web" / "public", "sent.html.j2", names=names)


def _page(artifact: Artifact, edition: Edition, *, script: str, at: Addresses) -> dict[str, object]:
    """What both pages of an artifact need: its head and its body, which is cut where a note can stand."""
    page = neutral_page(artifact, edition)
    # The wrapper said that it is a mail; on a page it is what the page is about.
    body = _WRAPPER.sub(
        lambda found: _ROLE.sub("", found[0]).replace("<div", '<div role="main"', 1), page.body, count=1
    )
    opening = _OPENING.match(body)
    cut = opening.end() if opening else 0
    words = catalogue(edition.language)
    is_own = words.language.partition("-")[0] == edition.language.partition("-")[0]
    return {
        "edition": edition,
        "head": _DARK.sub(r"@media screen and \1", _FOR_MAIL.sub("", page.head)).strip(),
        "script": at(script),
        "opening": with_addresses(body[:cut], at),
        "body": with_addresses(body[cut:], at),
        "say": words.say,
        "words_language": None if is_own else words.language,
    }


def _told(note: Note, edition: Edition) -> dict[str, object]:
    """A note for the template: the reason stands inside a sentence, and may be in another language than it."""
    sentence = catalogue(edition.language).say("Corrected on {date}: {reason}", date=note.day, reason=_STAND_IN)
    before, _, after = sentence.partition(_STAND_IN)
    return {"before": before, "reason": note.reason, "after": after, "changed": note.changed}


def description(edition: Edition) -> str:
    """The preheader, else the beginning of the introduction, as plain words."""
    if edition.preheader.text:
        return unslotted(edition.preheader.text)
    intro = to_text(unslotted(edition.intro.text), width=_DESCRIPTION, lang=edition.language).strip()
    return intro.partition("\n")[0]


def archive_page(issues: Sequence[Sequence[Edition]], *, links: Links, at: Addresses = str) -> str:
    """
    The page that lists the issues of a newsletter, in the order given, each in all its languages.

    Each issue is its editions, the default language first; the page is in that of the first issue. Raises IndexError
    without any issue.
    """
    first = issues[0][0]
    channels = {edition.language: channel_of(edition, links=links) for issue in issues for edition in issue}
    names: dict[str, object] = {
        "language": first.language,
        "dir": first.dir,
        "title": unslotted(first.name.text),
        "home": channels[first.language].home,
        "website": first.website,
        "issues": [_listed(issue) for issue in issues],
        "channels": list(channels.values()),
        "own_name": own_name,
        "at": at,
    }
    return render(templates() / "web" / "public", "archive.html.j2", names=names)


def _listed(issue: Sequence[Edition]) -> dict[str, object]:
    edition = issue[0]
    say = catalogue(edition.language).say
    return {
        "title": unslotted(edition.title.text),
        "url": edition.web_view,
        "number": "" if edition.number is None else say("No. {number}", number=edition.number),
        "date": edition.date.isoformat(),
        "date_words": edition.date_words,
        "summary": description(edition),
        "language": edition.language,
        "dir": edition.dir,
        "editions": [
            {"language": other.language, "name": own_name(other.language), "url": other.web_view} for other in issue
        ],
    }


def _hreflangs(edition: Edition, default: str) -> list[tuple[str, str]]:
    """Every language with its address, this one among them, and the one for everybody else."""
    known = {edition.language: edition.web_view} | {other.language: other.url for other in edition.alternates}
    others = [("x-default", known[default])] if default in known else []
    return [*sorted(known.items()), *others]


def _alternative(edition: Edition) -> str:
    picture = leading_picture(edition)
    return unslotted(picture.alt.text) if picture else ""
