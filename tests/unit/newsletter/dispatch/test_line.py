"""What a line does with waits that are of no more use; all else of it is tried with a dispatcher around it."""

import asyncio
import gc

import pytest

from newsletter.dispatch.line import _given_up


async def _refused_when_cancelled():
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        raise OSError("refused at that very moment") from None


async def _refused():
    raise OSError("refused")


@pytest.mark.parametrize("opening", [_refused_when_cancelled, _refused])
def test_a_connection_that_fails_when_it_is_given_up_is_no_accident(opening):
    accidents = []

    async def give_up():
        asyncio.get_running_loop().set_exception_handler(lambda _loop, accident: accidents.append(accident))
        waiting = asyncio.ensure_future(opening())
        await asyncio.sleep(0)
        await _given_up(waiting)

    asyncio.run(give_up())
    gc.collect()
    assert accidents == []
