"""How the state of a run is told, in words and as JSON; shared by several commands."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from newsletter.pipeline.control import Standing


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
    }


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
    return words
