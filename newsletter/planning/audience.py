"""
Who gets which edition: the language of each person, chosen once.

Takes the languages people asked for and the editions there are, yields one edition per language asked for. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from subscribers.language import lookup


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """
    How many people who asked for `wanted` (None: for nothing) get the edition in `language`.

    `substitute` is True where the edition is in another language than asked for: the officer should know.
    """

    wanted: str | None
    language: str
    people: int

    @property
    def substitute(self) -> bool:
        """Whether these people get another language than theirs."""
        return self.wanted is not None and self.wanted.split("-")[0] != self.language.split("-")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """Those who got an issue, or one of its editions: whom an erratum is for."""

    issue: str
    language: str | None = None

    @property
    def what(self) -> str:
        """What they got: "issue 2026-12" or "issue 2026-12, edition fr"."""
        return f"issue {self.issue}" + (f", edition {self.language}" if self.language else "")

    @property
    def words(self) -> str:
        """Who they are: "readers of 2026-12, edition fr"."""
        return f"readers of {self.what.removeprefix('issue ')}"


def editions_for(wanted: Iterable[str | None], *, offered: Sequence[str], default: str) -> dict[str | None, str]:
    """Map each language asked for to an edition, by lookup (RFC 4647 §3.4)."""
    return {language: lookup(language, offered, default) for language in wanted}


def shares(counts: Mapping[str | None, int], *, offered: Sequence[str], default: str) -> tuple[Share, ...]:
    """Say how an audience falls on the editions, largest share first."""
    chosen = editions_for(counts, offered=offered, default=default)
    parts = [Share(wanted=wanted, language=chosen[wanted], people=people) for wanted, people in counts.items()]
    return tuple(sorted(parts, key=lambda share: (-share.people, share.language, share.wanted or "")))
