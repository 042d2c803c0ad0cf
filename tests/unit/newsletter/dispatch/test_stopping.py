import asyncio

from newsletter.dispatch.stopping import Stopping


def test_a_rest_ends_by_itself_or_with_the_wish_to_stop():
    async def rests():
        stopping = Stopping()
        first = await stopping.rest(0.001)
        asyncio.get_running_loop().call_soon(stopping.set)
        second = await stopping.rest(1000)
        await stopping.wait()
        return first, second, bool(stopping)

    assert asyncio.run(rests()) == (False, True, True)
