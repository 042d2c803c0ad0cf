"""The dispatcher's progress bar."""

import io
import sys
import threading
from types import SimpleNamespace

from newsletter.cli.progress import dispatching
from newsletter.dispatch.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_how_many_deliveries_have_ended(monkeypatch):
    shown, asked = Terminal(), threading.Event()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")

    def unended():
        asked.set()
        return 3

    with dispatching(SimpleNamespace(proof=SimpleNamespace(unended=unended)), Progress(accepted=4)):
        assert asked.wait(5)
    assert "dispatching" in shown.getvalue()


def test_elsewhere_the_database_is_not_asked(capsys):
    with dispatching(SimpleNamespace(), Progress()):
        pass
    assert capsys.readouterr() == ("", "")
