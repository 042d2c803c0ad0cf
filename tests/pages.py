"""The pages that tests of one process have compiled: most work with compiled editions, hundreds of times the same few."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from newsletter.assembly.edition import Edition
    from newsletter.compilation.slots import Slots

_MADE: dict[tuple[str, str, str], str] = {}
"""Pages by their MJML, language and direction."""


@contextmanager
def every_page_once() -> Iterator[None]:
    """Meanwhile the compiler takes the page that has been made of the same MJML before."""
    from newsletter.compilation import compiler

    make = compiler.page_from

    def made(mjml: str, edition: "Edition", *, slots: "Slots") -> str:
        key = mjml, edition.language, edition.dir
        if key not in _MADE:
            _MADE[key] = make(mjml, edition, slots=slots)
        return _MADE[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "page_from", made)
        yield
