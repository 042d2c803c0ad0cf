"""
Mail programs: what an edition uses that some of them do not show.

Takes a compiled edition, facts about programs and the signs of the theme's baseline; yields findings. The baseline is
what the theme uses by itself: its author has made sure that it can be missed, and an officer can do nothing about it
(`newsletter theme check` is for the author). Without a baseline only the formats of pictures are judged, the one thing
that no theme brings.

Only what is lost, or works in part, in a program that is known to have been tested counts. A warning is for what breaks
reading in one of the large programs; everything else is a notice.
"""

from collections.abc import Collection, Iterator
from itertools import groupby
from typing import Final

from newsletter.preflight.client_facts import CLIENTS, LOST, PARTLY, Client, ClientFacts, Feature
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.features import signs_in
from newsletter.preflight.finding import Finding, Names, Rule, Severity

_HINT: Final = (
    "Do without it, or see that nothing depends on it; pictures are best as JPEG or PNG. Where the theme uses it, ask "
    "whoever looks after it."
)

BREAKS: Final = Rule(
    code="client-breaks",
    severity=Severity.WARNING,
    message="{feature} is lost in {clients}: their readers miss what depends on it.",
    hint=_HINT,
    shared=True,
)
LACKS: Final = Rule(
    code="client-lacks",
    severity=Severity.NOTICE,
    message="{feature} is lost in {clients}.",
    hint=_HINT,
    shared=True,
)
IN_PART: Final = Rule(
    code="client-partly",
    severity=Severity.NOTICE,
    message="{feature} works only in part in {clients}.",
    hint=_HINT,
    shared=True,
)
RULES: Final = (BREAKS, LACKS, IN_PART)


def check_clients(
    given: CompiledEdition, *, facts: ClientFacts, baseline: Collection[str] | None = None
) -> Iterator[Finding]:
    """Look for features of an edition that mail programs lack."""
    signs = signs_in(given.document)
    own = {sign for sign in signs if _is_format(sign)} if baseline is None else signs.difference(baseline)
    for feature in facts.features:
        if any(_is_used(sign, own) for sign in feature.signs):
            yield from _judged(feature, given.name)


def _is_format(sign: str) -> bool:
    return sign.startswith(".") or sign == "data:"


def _is_used(sign: str, used: Collection[str]) -> bool:
    if sign.endswith("*") and len(sign) > 1:
        return any(other.startswith(sign[:-1]) for other in used)
    return sign in used


def _judged(feature: Feature, edition: str) -> Iterator[Finding]:
    lost, partly = feature.clients(LOST), feature.clients(PARTLY)
    if lost:
        rule = BREAKS if feature.breaks and any(client.large for client in lost) else LACKS
        yield rule.found(edition=edition, feature=feature.title, clients=_names(lost))
    if partly:
        yield IN_PART.found(edition=edition, feature=feature.title, clients=_names(partly))


def _names(clients: Collection[Client]) -> Names:
    """Each by its name, or the name of its family where that is whole."""
    names = []
    for family, members in groupby(clients, key=lambda client: client.family):
        listed = list(members)
        whole = len(listed) == sum(client.family == family for client in CLIENTS)
        names += [family] if whole else [client.name for client in listed]
    return Names(tuple(names))
