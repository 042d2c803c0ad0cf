"""What watches over us asks."""

from types import SimpleNamespace

import pytest
from visitor import ROOT, visiting

from newsletter.database import migrate, open_engine
from newsletter.links import Links
from newsletter.web import app as module
from newsletter.web.app import create_app
from newsletter.web.public import health


@pytest.fixture
def visit(monkeypatch):
    monkeypatch.setattr(module, "ROUTERS", (health.router,))
    monkeypatch.setattr(module, "DESK_ROUTERS", ())

    return lambda engine: visiting(create_app(SimpleNamespace(parts=SimpleNamespace(engine=engine, links=Links(ROOT)))))


def test_a_process_lives_whatever_its_database_is(visit, tmp_path):
    with visit(open_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")) as visitor:
        assert (visitor.get("/health").status_code, visitor.get("/health").text) == (200, "ok\n")
        answer = visitor.get("/ready")
        assert (answer.status_code, answer.text) == (503, "the database is not ready\n")
        assert visitor.head("/ready").status_code == 503


def test_a_process_is_ready_when_its_database_is_current(visit, tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'newsletter.sqlite'}")
    migrate(engine)
    with visit(engine) as visitor:
        assert (visitor.get("/ready").status_code, visitor.get("/ready").text) == (200, "ready\n")


def test_a_database_that_cannot_be_reached_is_not_ready(visit):
    with visit(open_engine("postgresql://nobody@/nothing?host=/nowhere")) as visitor:
        assert visitor.get("/ready").status_code == 503
