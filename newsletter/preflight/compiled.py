"""
A compiled edition, as the checks read it: the edition, its artifact, and the outline of its HTML, read once.

Takes nothing; yields `CompiledEdition`. Pure.
"""

from dataclasses import dataclass
from functools import cached_property

from newsletter.assembly.edition import Edition
from newsletter.compilation.artifact import Artifact
from newsletter.preflight.outline import Outline, outline_of


@dataclass(frozen=True, kw_only=True)
class CompiledEdition:
    """An edition with the artifact that was compiled from it."""

    edition: Edition
    artifact: Artifact

    @property
    def name(self) -> str:
        """`fr` or `fr.members+press`: as findings name it."""
        return self.artifact.name

    @cached_property
    def outline(self) -> Outline:
        """What can be told of the HTML part without seeing it."""
        return outline_of(self.artifact.html)
