"""An application over nothing: routes of the test's own behind the layers of every page."""

from types import SimpleNamespace

import pytest
from fastapi import APIRouter
from visitor import ROOT, Visitor

from newsletter.links import Links
from newsletter.web import app as module
from newsletter.web.app import create_app


@pytest.fixture
def routes():
    """What the application serves beside nothing; a test adds to it before it visits."""
    return APIRouter()


@pytest.fixture
def visit(routes, monkeypatch):
    """Opens a visit of the application over `routes`."""
    visitors = []

    def opened(*, rates=None, media=None, **given):
        parts = SimpleNamespace(links=Links(ROOT, media))
        monkeypatch.setattr(module, "ROUTERS", (lambda _pipeline: routes,))
        monkeypatch.setattr(module, "DESK_ROUTERS", ())
        visitors.append(Visitor(create_app(SimpleNamespace(parts=parts), rates=rates), **given))
        return visitors[-1]

    yield opened
    for visitor in visitors:
        visitor.close()
