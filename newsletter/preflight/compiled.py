"""
A compiled edition, as the checks read it.

Takes an edition with its artifact; yields its links, and its HTML as an outline and as a tree, each read once. Pure.
"""

from dataclasses import dataclass
from functools import cached_property

from newsletter.assembly.edition import Edition
from newsletter.compilation.artifact import Artifact
from newsletter.preflight.document import Document, document_of
from newsletter.preflight.outline import Outline, outline_of
from newsletter.preflight.places import PlacedLink, links_of


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

    @cached_property
    def links(self) -> tuple[PlacedLink, ...]:
        """The links that somebody entered for the edition."""
        return tuple(links_of(self.edition))

    @cached_property
    def document(self) -> Document:
        """The HTML part as a tree, with its style sheets."""
        return document_of(self.artifact.html)
