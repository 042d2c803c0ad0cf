"""The clock of everything that waits in a dispatcher: monotonic seconds, never the time on the wall."""

import asyncio


def clock() -> float:
    """The loop's time, in seconds."""
    return asyncio.get_running_loop().time()
