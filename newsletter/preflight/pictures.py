"""
Pictures: whether they are there, how heavy they are, and whether their room is kept.

Takes a compiled edition, the facts of its issue and the sizes of stored pictures; yields findings. Of a picture at an
address elsewhere nothing is known here; `reach` asks for it where it is asked to. 1 MB is 1,000,000 octets: on the road
it takes seconds, and readers pay for it.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from newsletter.assembly.facts import IssueFacts
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.finding import Finding, Rule, Severity
from newsletter.preflight.places import entries_in

HEAVIEST: Final = 1_000_000
"""Octets from which a picture is heavy."""

MISSING: Final = Rule(
    code="picture-missing",
    severity=Severity.ERROR,
    message="The picture {picture} is not stored: readers would see a gap.",
    hint="Import the entry again together with its picture, or take the picture out.",
    shared=True,
)
HEAVY: Final = Rule(
    code="picture-heavy",
    severity=Severity.WARNING,
    message="The picture {picture} has {size} kB.",
    hint="Save it as JPEG, or smaller: 1200 pixels of width are enough.",
    shared=True,
)
SHAPELESS: Final = Rule(
    code="picture-dimensions",
    severity=Severity.WARNING,
    message="The {edition} edition keeps no room for the picture {picture}: its width and height are not given.",
    hint="The theme has to do this; ask whoever looks after it.",
)
RULES: Final = (MISSING, HEAVY, SHAPELESS)


def check_pictures(given: CompiledEdition, issue: IssueFacts, *, sizes: Mapping[str, int]) -> Iterator[Finding]:
    """Look at the pictures of an edition; `sizes` holds the octets of stored ones by name, as far as they are known."""
    for key in entries_in(given.edition):
        image = issue.entries[key].entry.image
        for name in dict.fromkeys(image.file.values() if image else ()):
            if name not in issue.pictures:
                yield MISSING.found(edition=given.name, place=key, picture=name)
            elif sizes.get(name, 0) >= HEAVIEST:
                yield HEAVY.found(edition=given.name, place=key, picture=name, size=sizes[name] // 1000)
    for element in given.document.root.iter("img"):
        if element.get("width") is None and element.get("height") is None:
            yield SHAPELESS.found(edition=given.name, picture=str(element.get("src", "")))
