"""
Public pages: a template, words and a language become a response.

Takes a request and what a page says; yields HTML in the language of its reader, from the templates under
`templates/web/public` and the catalogues `public.po`. Promises that values are escaped, that an undefined name is an
error, and that every address of our own on a page is a path, so that it leads to the host that the reader came to.

Names in every template
    lang, dir               the language of the page and how it is read
    say, say_n              the words of the page, see `words.Catalogue`
    languages               the languages this page is to be had in (`LanguageLink`): the switch at its top
    here(address)           an address of `links` as a path; others stay as they are
    static(name)            the path of a file under `templates/web/static`
    subscribing             the path of the form that asks for a newsletter
    site                    the name of the newsletter that the page is about, or ""
    own_name(tag)           a language's name in itself
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse

from newsletter.links import Links
from newsletter.times import own_name
from newsletter.web.environment import environment
from newsletter.words import ENGLISH, catalogue, languages
from subscribers.language import direction, lookup

WORDS: Final = "public"
"""The domain of the words of public pages."""

_MOST_RANGES: Final = 20
"""Of an `Accept-Language`: more is no browser's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageLink:
    """A language that a page is to be had in; `href` is relative to the page."""

    language: str
    name: str
    href: str
    dir: str
    is_current: bool


def language_of(request: Request, *, person: str | None = None) -> str:
    """
    Choose the language of a page: `?lang=`, else the `person`'s own, else `Accept-Language`, else English.

    What is asked for and not to be had is passed over, as in RFC 4647 §3.4 (lookup).
    """
    offered = languages(WORDS)
    asked = (request.query_params.get("lang"), person, *accepted(request.headers.get("accept-language", "")))
    found = (lookup(wanted, offered, "") for wanted in asked if wanted and len(wanted) < 36)  # noqa: PLR2004  RFC 5646 §4.4.1
    return next(filter(None, found), ENGLISH)


def accepted(header: str) -> list[str]:
    """Read an `Accept-Language` (RFC 9110 §12.5.4), the preferred language first; what is wrong is left out."""
    weighed = []
    for part in header.split(",")[:_MOST_RANGES]:
        tag, _, weight = (piece.strip() for piece in part.partition(";"))
        quality = _quality(weight)
        if tag and tag != "*" and quality > 0:
            weighed.append((-quality, tag))
    return [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]


def _quality(weight: str) -> float:
    name, _, number = weight.partition("=")
    if not weight:
        return 1.0
    try:
        return min(float(number), 1.0) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0


class Pages:
    """Renders the pages of one installation."""

    def __init__(self, links: Links) -> None:
        root = urlsplit(links.root)
        self._origin = f"{root.scheme}://{root.netloc}"
        self._links = links

    def here(self, address: str) -> str:
        """An address of our own as a path, any other as it is."""
        path = address.removeprefix(self._origin)
        return path if path.startswith("/") else address

    def static(self, name: str) -> str:
        """The path of a file of the public pages."""
        return self.here(self._links.script(name))

    def show(
        self, request: Request, template: str, *, language: str, status: int = 200, site: str = "", **names: Any
    ) -> HTMLResponse:
        """Render a template for a request, with the `names` of this page."""
        words = catalogue(language, WORDS)
        html = (
            environment("public")
            .get_template(template)
            .render(
                lang=words.language,
                dir=direction(words.language),
                say=words.say,
                say_n=words.say_n,
                languages=_switch(request, words.language),
                here=self.here,
                static=self.static,
                subscribing=self.here(self._links.subscribe()),
                own_name=own_name,
                site=site,
                **names,
            )
        )
        return HTMLResponse(html, status, headers={"Content-Language": words.language, "Vary": "Accept-Language"})


def _switch(request: Request, current: str) -> Sequence[LanguageLink]:
    """The languages of a page; what answers a POST cannot be fetched again, and stays in its own."""
    if request.method not in {"GET", "HEAD"}:
        return ()
    others = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return [
        LanguageLink(
            language=tag,
            name=own_name(tag),
            href=f"?{urlencode([*others, ('lang', tag)])}",
            dir=direction(tag),
            is_current=tag == current,
        )
        for tag in languages(WORDS)
    ]
