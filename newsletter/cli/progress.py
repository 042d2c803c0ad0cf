"""The progress bar of the dispatcher, on a terminal."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from newsletter.cli.output import progress

if TYPE_CHECKING:
    from newsletter.bootstrap import Pipeline
    from newsletter.dispatch.progress import Progress


@contextmanager
def dispatching(pipeline: "Pipeline", done: "Progress") -> Iterator[None]:
    """Show how many deliveries have ended while the context lasts."""
    if not sys.stderr.isatty():
        yield
        return
    over = threading.Event()
    with progress("dispatching") as bar:

        def show() -> None:
            while not over.wait(0.5):
                ended = done.accepted + done.refused + done.uncertain
                bar(ended, ended + pipeline.proof.unended())

        thread = threading.Thread(target=show, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
