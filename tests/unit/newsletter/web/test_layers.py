"""The layers let pass what is no request of HTTP."""

import asyncio

import pytest

from newsletter.links import Links
from newsletter.web.access import AccessLog
from newsletter.web.bodies import Bodies
from newsletter.web.errors import ErrorPages
from newsletter.web.gate import Gate
from newsletter.web.head import Head
from newsletter.web.headers import SecurityHeaders
from newsletter.web.metrics import Requests
from newsletter.web.page import Pages
from newsletter.web.rates import RateLimit, Rates

ERRORS = ErrorPages(Pages(Links("https://news.example")))
LAYERS = [
    (AccessLog, {"errors": ERRORS, "requests": Requests()}),
    (Bodies, {"errors": ERRORS}),
    (Gate, {"errors": ERRORS, "hosts": ()}),
    (Head, {}),
    (RateLimit, {"errors": ERRORS, "rates": Rates(burst=0)}),
    (SecurityHeaders, {}),
]


@pytest.mark.parametrize(("layer", "given"), LAYERS, ids=[layer.__name__ for layer, _ in LAYERS])
def test_the_start_and_the_end_of_a_process_pass_every_layer(layer, given):
    heard = []

    async def app(*message):
        heard.append(message)

    message = ({"type": "lifespan"}, None, None)
    asyncio.run(layer(app, **given)(*message))
    assert heard == [message]
