"""What a dispatcher has come to so far, for progress bars and the last line of a command."""

from dataclasses import dataclass

from newsletter.dispatch.outcome import Verdict


@dataclass(kw_only=True)
class Progress:
    """Counts of outcomes."""

    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    uncertain: int = 0

    def count(self, verdict: Verdict) -> None:
        """Add one outcome."""
        if verdict is Verdict.ACCEPTED:
            self.accepted += 1
        elif verdict is not Verdict.NOT_SENT:
            setattr(self, verdict.value, getattr(self, verdict.value) + 1)
