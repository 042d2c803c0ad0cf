"""
The public data set of caniemail, in place of our own table.

Takes the JSON file that https://www.caniemail.com publishes as `api/data.json` (MIT licence, © 2019 Rémi Parmentier),
yields `ClientFacts`. Fetches nothing: whoever wants newer facts brings the file.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from newsletter.errors import InvalidInput
from newsletter.preflight.client_facts import (
    CLIENTS,
    LOST,
    PARTLY,
    SUPPORTED,
    UNKNOWN,
    Client,
    ClientFacts,
    Feature,
    own_facts,
)

LARGEST_FILE: Final = 20_000_000
"""Octets: the whole data set has under one million; what is cut off is no JSON any more."""

_CSS_NAMES: Final = (
    ("pseudo-class-", ":{}"),
    ("pseudo-element-", "::{}"),
    ("at-media-", "({})"),
    ("at-", "@{}"),
    ("unit-", "1{}"),
    ("function-", "{}()"),
    ("selector-", ""),
    ("", "{}"),
)
"""How the data set names features of CSS; the first that fits counts. Selectors that we do not know have no sign."""

_WORST_FIRST: Final = (LOST, PARTLY, SUPPORTED, UNKNOWN)


def load_facts(path: Path) -> ClientFacts:
    """
    Read the whole public data set, the JSON file that caniemail publishes as `api/data.json`.

    Features of our table keep their titles, signs and what breaks reading; the others are known by their name alone,
    and their lack breaks nothing. Raises InvalidInput where the file cannot be read or is something else.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE)
        return _facts_from(json.loads(data))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput(
            f"{path} is not the data of caniemail: get https://www.caniemail.com/api/data.json and name that file"
        ) from error


def _facts_from(data: Mapping[str, Any]) -> ClientFacts:
    known = {feature.slug: feature for feature in own_facts().features}
    features = []
    for found in data["data"]:
        slug, stats = str(found["slug"]), found["stats"]
        own = known.get(slug)
        features.append(
            Feature(
                slug=slug,
                title=own.title if own else str(found["title"]),
                signs=own.signs if own else signs_of(slug),
                support="".join(_letter(client, stats) for client in CLIENTS),
                breaks=own.breaks if own else False,
            )
        )
    return ClientFacts(as_of=str(data["last_update_date"])[:10], features=tuple(features))


def signs_of(slug: str) -> tuple[str, ...]:
    """The signs of a feature that is known by its name in the data set alone: `css-pseudo-class-x` is `:x`."""
    category, _, name = slug.partition("-")
    if category == "image":
        return (f".{name}",)
    if category == "html":
        return f"<{name}>", f"{name}="
    for prefix, sign in _CSS_NAMES:
        if category == "css" and name.startswith(prefix):
            return (sign.format(name.removeprefix(prefix)),) if sign else ()
    return (name,) if category == "css" else ()


def _letter(client: Client, stats: Mapping[str, Any]) -> str:
    family, *platforms = client.sources
    letters = {_newest((stats.get(family) or {}).get(platform) or {}) for platform in platforms}
    return next((letter for letter in _WORST_FIRST if letter in letters), UNKNOWN)


def _newest(versions: Mapping[str, str]) -> str:
    """The letter of the newest version; versions stand in their order, each with numbers of notes behind it."""
    return next(reversed(list(versions.values())), UNKNOWN)[:1]
