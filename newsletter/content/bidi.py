"""
Direction marks that stay where they belong.

Takes texts that may hold Unicode's invisible controls of writing direction; yields texts in which everything opened is
closed and nothing is closed that was not opened (Unicode Standard Annex #9, §2): a mark left open would turn around
what other people wrote beside it.
"""

from typing import Final

_POP_EMBEDDING: Final = "\u202c"
_POP_ISOLATE: Final = "\u2069"
_CLOSED_BY: Final = {
    **dict.fromkeys("\u202a\u202b\u202d\u202e", _POP_EMBEDDING),
    **dict.fromkeys("\u2066\u2067\u2068", _POP_ISOLATE),
}
_CLOSING: Final = frozenset(_CLOSED_BY.values())
_CONTROLS: Final = frozenset({*_CLOSING, *_CLOSED_BY})

_DEEPEST: Final = 125
"""What readers of the text follow (UAX #9, BD2 max_depth); deeper marks would be ignored, closed or not."""


class Balance:
    """The marks that are open in one paragraph, which may come in pieces."""

    def __init__(self) -> None:
        self._open: list[str] = []

    def feed(self, piece: str) -> str:
        """The next piece without marks that close nothing."""
        if _CONTROLS.isdisjoint(piece):
            return piece
        return "".join(kept for char in piece if (kept := self._kept(char)))

    def close(self) -> str:
        """What closes everything that is still open."""
        closing = "".join(reversed(self._open))
        self._open.clear()
        return closing

    def _kept(self, char: str) -> str:
        if char in _CLOSED_BY:
            return self._begun(char)
        if char in _CLOSING and not self._ended(char):
            return ""
        return char

    def _begun(self, char: str) -> str:
        if len(self._open) >= _DEEPEST:
            return ""
        self._open.append(_CLOSED_BY[char])
        return char

    def _ended(self, char: str) -> bool:
        # Closing an isolate closes the embeddings inside it; an embedding is not closed from inside an isolate.
        if char not in self._open or (char == _POP_EMBEDDING and self._open[-1] != char):
            return False
        while self._open.pop() != char:
            pass
        return True


def balanced(text: str) -> str:
    """One paragraph with every mark of direction closed."""
    balance = Balance()
    return balance.feed(text) + balance.close()
