"""
One block alone, as it looks in the mail, for those who write it.

Takes an edition of one entry; yields a page of HTML by the same steps that an artifact goes through, with the slots
filled for the neutral reader. A theme says in `block.mjml.j2` what stands around a block; a theme that has none, nor is
based on one that does, shows the whole edition. Nothing that is sent comes from here.
"""

from html import escape
from pathlib import Path
from typing import Final

from newsletter.assembly.edition import Edition
from newsletter.compilation.artifact import SAMPLE
from newsletter.compilation.compiler import page_from
from newsletter.compilation.mjml import directed
from newsletter.compilation.slots import Slots
from newsletter.compilation.templates import MJML, render
from newsletter.compilation.theme import ThemeFolder, read_theme
from newsletter.compilation.vocabulary import names_for_mjml

BLOCK: Final = "block.mjml.j2"


def compile_block(edition: Edition, *, templates_dir: Path | None = None) -> str:
    """Compile the one entry of an edition; raises as `compile_edition`."""
    theme = read_theme(edition.theme.name, folder=templates_dir)
    slots = Slots.of(repr(edition))
    names = names_for_mjml(theme, edition, slots=slots)
    mjml = directed(render(theme.path, _template(theme), names=names, bases=theme.bases), edition.dir)
    return slots.fill(page_from(mjml, edition, slots=slots), SAMPLE.by_name(), escape=escape)


def _template(theme: ThemeFolder) -> str:
    return BLOCK if any((folder / BLOCK).is_file() for folder in (theme.path, *theme.bases)) else MJML
