"""How the state of a run is told, in words and as JSON; shared by several commands."""

from typing import TYPE_CHECKING, Any

from newsletter.planning.stage import Stage, hold_words
from newsletter.times import rfc3339

if TYPE_CHECKING:
    from newsletter.pipeline.control import OwnTimes, Staged, Standing


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun: "1 entry", "1,200 entries"."""
    return f"{number:,} {one if number == 1 else many}"


def standing_json(standing: "Standing") -> dict[str, Any]:
    """The contract of `issue status --json`: state, total, and the count of every delivery state."""
    return {
        "state": standing.state.value,
        "total": standing.total,
        **{state.value: count for state, count in standing.counts.items()},
        "languages": dict(standing.languages),
        "segment": standing.segment,
        "due": standing.due,
        "held": standing.held,
        "missed": standing.missed,
        "stage": _staged_json(standing.staged) if standing.staged else None,
        "times": _times_json(standing.times) if standing.times else None,
    }


def _staged_json(staged: "Staged") -> dict[str, Any]:
    return {
        "state": staged.stage,
        "first": staged.first,
        "hold": staged.hold.total_seconds(),
        "since": staged.since,
        "until": staged.until,
        "others": staged.others,
    }


def _times_json(times: "OwnTimes") -> dict[str, Any]:
    return {"wall": times.wall, "waiting": times.waiting, "next": times.next, "last": times.last}


def standing_words(slug: str, standing: "Standing") -> str:
    """One paragraph: where the issue stands and how many ended how."""
    parts = [f"{count:,} {state.value}" for state, count in standing.counts.items() if count]
    words = f"issue {slug} is {standing.state.value}"
    if standing.held:
        words += f" ({standing.held})"
    if parts:
        words += f": {counted(standing.total, 'delivery', 'deliveries')}: {', '.join(parts)}"
    if standing.languages:
        words += "\n" + ", ".join(f"{language} {count:,}" for language, count in standing.languages.items())
    return "\n".join([words, *filter(None, (_staged_words(standing.staged), _times_words(standing.times)))])


def _staged_words(staged: "Staged | None") -> str:
    """How a staged start stands, in one sentence; nothing once nobody waits any more."""
    if staged is None or staged.stage is Stage.PASSED:
        return ""
    first, others = counted(staged.first, "person goes", "people go"), f"{staged.others:,} others"
    if staged.stage is Stage.FIRST:
        return f"the first {staged.first:,} go out; {others} wait until {hold_words(staged.hold)} after that"
    if staged.stage is Stage.HOLDING and staged.until is not None:
        return (
            f"the first {staged.first:,} have gone out; {others} follow at {rfc3339(staged.until)} if nothing is amiss"
        )
    if staged.stage is Stage.STOPPED:
        return f"the first {staged.first:,} have gone out; {others} wait until the run is resumed"
    return f"{first} first, the others {hold_words(staged.hold)} after that"


def _times_words(times: "OwnTimes | None") -> str:
    if times is None or times.next is None or times.last is None:
        return ""
    until = "" if times.last == times.next else f", the last at {rfc3339(times.last)}"
    return f"{times.waiting:,} wait for {times.wall} where they are: the next at {rfc3339(times.next)}{until}"
