"""
The clock of everything that waits in a dispatcher: monotonic seconds, never the time on the wall.

It is the one that asyncio's loops go by; asked for here it costs a message nothing, while asking which loop is running
costs a call of the kernel each time (Python 3.11).
"""

from time import monotonic as clock

__all__ = ["clock"]
