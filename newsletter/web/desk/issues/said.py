"""
What became of a change, in the officer's words.

Takes what a verb returned; yields a sentence, and whether it is good news. Each is a message of `desk-issues.po`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from newsletter.assembly.arranging import Obstacle
from newsletter.pipeline.building import Arranged, Outcome
from newsletter.pipeline.proposing import Fault

Say = Callable[..., str]
"""Says a message in the language of the page."""

OVERTAKEN: Final = (
    "Somebody else has changed this issue in the meantime. What you see now is how it stands; your last change was not "
    "made."
)
CLOSED: Final = "This issue is no draft any more: nothing was changed."
UNDONE: Final = "The last change was undone."

_OBSTACLES: Final[Mapping[Obstacle, str]] = {
    Obstacle.NO_SECTION: "This issue does not have that section.",
    Obstacle.STANDS: "It stands there already.",
    Obstacle.GONE: "That entry is not in the issue any more.",
    Obstacle.EDGE: "There is no place further that way.",
    Obstacle.SEGMENTS: "The items of one issue may be limited to three segments at most: each doubles the editions.",
    Obstacle.RULES: "It cannot stand there: its dates, its languages or its state forbid it.",
}

_DONE: Final[Mapping[str, str]] = {
    "undo": UNDONE,
    "remove": "“{title}” was taken out.",
    "add": "“{title}” was added to {section}.",
    "segment": "“{title}” is shown to {segment} only.",
    "everybody": "“{title}” is shown to everybody.",
}

_FAULTS: Final[Mapping[Fault, str]] = {
    Fault.SHAPE: "Write small letters, digits and single hyphens, such as 2026-12.",
    Fault.TAKEN: "Another issue has this name already.",
    Fault.ORDER: "The period ends before it begins.",
    Fault.EMPTY: "Keep at least one section.",
}


def outcome(arranged: Arranged, did: str, *, say: Say, **names: str) -> tuple[str, bool]:
    """
    Say what became of a change of items.

    `did` is what was asked for: add, remove, segment, everybody, undo or a move. `names` are those of the title, the
    section and the segment.
    """
    if arranged.outcome is Outcome.OVERTAKEN:
        return say(OVERTAKEN), False
    if arranged.outcome is Outcome.CLOSED:
        return say(CLOSED), False
    if arranged.obstacle is not None:
        return say(_OBSTACLES[arranged.obstacle]), False
    words = _DONE.get(did, "“{title}” is now at place {place} of {of} in {section}.")
    return say(words, place=arranged.place, of=arranged.of, **names), True


def fault(found: Fault, say: Say) -> str:
    """Say what is wrong with a field of a plan."""
    return say(_FAULTS[found])
