"""
Language tags: their one spelling, their order of fallback and the way their script runs.

Takes tags as people and files write them; yields canonical BCP 47 tags and choices between offered ones; promises
never to fail on a stored tag. Facts about languages come from CLDR through Babel; there is no I/O.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from subscribers.errors import InvalidLanguage, InvalidValue

Direction = Literal["ltr", "rtl"]

_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?P<extlang>(?:-[a-z]{3}){0,3}(?![a-z0-9]))?(?P<script>-[a-z]{4}(?![a-z0-9]))?"
    r"(?P<region>-(?:[a-z]{2}|[0-9]{3})(?![a-z0-9]))?(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
    r"(?P<extensions>(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*)(?P<private>-x(?:-[a-z0-9]{1,8})+)?"
)
"""A well-formed langtag of RFC 5646 §2.1 in small letters, without the reserved primary languages of 4 to 8 letters."""

MAX_TAG = 35
"""Characters: what RFC 5646 §4.4.1 says a fixed field should hold."""

_PREFERRED = {"iw": "he", "in": "id", "ji": "yi", "jw": "jv", "mo": "ro"}
"""Withdrawn two-letter codes and what the IANA registry prefers; CLDR's own list would turn `tl` into `fil`."""

_ENCOMPASSING = {"nb": "no", "nn": "no"}
"""Norwegian is offered as `no`, `nb` or `nn` by different people who mean the same readers."""

_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
"""Two-letter codes that CLDR names but that are groups, pseudo-locales or unknown; XK (Kosovo) is in common use."""

_RIGHT_TO_LEFT = frozenset(
    {"Adlm", "Arab", "Aran", "Hebr", "Mand", "Mend", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa", "Yezi"}
)
"""ISO 15924 codes of the scripts in use that run from right to left."""


@lru_cache(maxsize=4096)
def normalise_tag(text: str) -> str:
    """Return the canonical spelling of a tag: `fr_be` becomes `fr-BE`, `ZH-hant-tw` becomes `zh-Hant-TW`.

    Letter case is that of RFC 5646 §2.1.1; withdrawn codes and three-letter codes with a two-letter form are
    replaced (§4.5). Two-letter languages and regions must be assigned: `gr` is a country, its language is `el`.

    Raises:
        InvalidLanguage: the text is not well-formed, or names a language or region that does not exist.
    """
    found = _TAG.fullmatch(text.strip().replace("_", "-").lower()) if len(text) <= MAX_TAG else None
    if found is None:
        raise InvalidLanguage(text[:MAX_TAG])
    parts = [_language(found, text)]
    if script := found["script"]:
        parts.append(script[1:].title())
    if region := found["region"]:
        parts.append(_region(region[1:].upper(), text))
    rest = found["variants"] + found["extensions"]
    _refuse_repeats(rest, text)
    return "-".join(parts) + rest + (found["private"] or "")


def parents(tag: str) -> tuple[str, ...]:
    """Return the ever less special tags above `tag`, nearest first: `zh-Hant-TW` gives `zh-Hant`, `zh`.

    Truncation as in RFC 4647 §3.4: a single letter or digit never stands at the end.
    """
    subtags = tag.split("-")
    above = []
    while len(subtags) > 1:
        subtags.pop()
        if len(subtags[-1]) == 1 and len(subtags) > 1:
            subtags.pop()
        above.append("-".join(subtags))
    return tuple(above)


def lookup(wanted: str | None, offered: Sequence[str], default: str) -> str:
    """Return the one of `offered` that a reader of `wanted` gets, or `default`.

    First RFC 4647 §3.4: the tag itself, then its parents. Then any offered tag of the same language that is not
    written in another script, so that a reader of `en` gets `en-GB` rather than another language. Among several the
    one nearest to the bare language wins, then the order of `offered`. Letter case does not matter.
    """
    if not wanted:
        return default
    spelled = {tag.lower(): tag for tag in reversed(offered)}
    for tag in (wanted, *parents(wanted)):
        if (exact := spelled.get(tag.lower())) is not None:
            return exact
    relatives = [tag for tag in offered if _primary(tag) == _primary(wanted) and _script(tag) == _script(wanted)]
    return min(relatives, key=lambda tag: tag.count("-"), default=default)


def fallback_chain(language: str, *, source: str, default: str) -> tuple[str, ...]:
    """Return the tags whose text may stand in an edition of `language`, best first, none twice."""
    return tuple(dict.fromkeys((language, *parents(language), source, default)))


def direction(tag: str) -> Direction:
    """Return how the script of `tag` runs; a script that is not named is the likely one of CLDR."""
    return "rtl" if _script(tag) in _RIGHT_TO_LEFT else "ltr"


def display_name(tag: str, in_language: str) -> str:
    """Return the name of a language in another: `fr-BE` in `fr` is “français (Belgique)”.

    What CLDR cannot name is shown as the tag; names in an unknown language are in English.
    """
    locale = _locale(tag)
    if locale is None:
        return tag
    return locale.get_display_name(_locale(in_language) or Locale("en")) or tag


@lru_cache(maxsize=1024)
def country_code(text: str) -> str:
    """Return a country as ISO 3166-1 alpha-2 in capitals; `uk` becomes `GB`, as CLDR has it.

    Raises:
        InvalidValue: no country has this code.
    """
    code = _successor(text.strip().upper())
    if not re.fullmatch(r"[A-Z]{2}", code) or code in _NO_COUNTRIES or code not in _known().territories:
        raise InvalidValue("country", f"“{text[:MAX_TAG]}” is no country code; write two letters like BE")
    return code


@lru_cache(maxsize=1024)
def country_named(name: str) -> str | None:
    """Return the code of a country by its English name, as other programs write it; None where there is none."""
    return _country_names().get(name.strip().casefold())


@lru_cache(maxsize=1)
def _country_names() -> Mapping[str, str]:
    named = {name.casefold(): code for code, name in Locale("en").territories.items() if re.fullmatch("[A-Z]{2}", code)}
    return {name: code for name, code in named.items() if code not in _NO_COUNTRIES}


def _language(found: re.Match[str], text: str) -> str:
    language = _PREFERRED.get(found["language"], found["language"])
    if len(language) == 3:  # noqa: PLR2004 - ISO 639-2 and -3 codes have three letters
        shorter = get_global("language_aliases").get(language, language)
        language = shorter if len(shorter) == 2 else language  # noqa: PLR2004 - as above, ISO 639-1
    elif language not in _known().languages:
        raise InvalidLanguage(text, f"“{language}” is no language code")
    return language + (found["extlang"] or "")


def _region(region: str, text: str) -> str:
    region = _successor(region)
    if region not in _known().territories:
        raise InvalidLanguage(text, f"“{region}” is no country or region")
    return region


def _successor(region: str) -> str:
    # A country that fell into several has no single successor and stays as it is written.
    successors = get_global("territory_aliases").get(region, [region])
    return str(successors[0]) if len(successors) == 1 else region


def _refuse_repeats(rest: str, text: str) -> None:
    before_extensions, *extensions = re.split(r"(?=-[a-z0-9]-)", rest)
    variants = before_extensions.split("-")[1:]
    singletons = [extension[1] for extension in extensions]
    if len(set(variants)) < len(variants) or len(set(singletons)) < len(singletons):
        raise InvalidLanguage(text, "a part stands in it twice")


@lru_cache(maxsize=1)
def _known() -> Locale:
    # Loading CLDR's names takes milliseconds, so it waits until somebody asks.
    return Locale("en")


def _primary(tag: str) -> str:
    language = tag.partition("-")[0].lower()
    return _ENCOMPASSING.get(language, language)


@lru_cache(maxsize=4096)
def _script(tag: str) -> str | None:
    language, *rest = tag.split("-")
    for subtag in rest[:2]:
        if len(subtag) == 4 and subtag.isalpha():  # noqa: PLR2004 - ISO 15924 codes have four letters
            return subtag.title()
    regions = [subtag.upper() for subtag in rest if len(subtag) in {2, 3} and subtag != "x"]
    likely = get_global("likely_subtags")
    for key in (*(f"{language.lower()}_{region}" for region in regions[:1]), language.lower()):
        if key in likely:
            return str(likely[key]).split("_")[1]
    return None


@lru_cache(maxsize=4096)
def _locale(tag: str) -> Locale | None:
    for candidate in (tag, *parents(tag)):
        try:
            return Locale.parse(candidate, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return None
