import os

from newsletter import process


def test_a_process_is_called_by_its_machine_and_its_number(monkeypatch):
    monkeypatch.setattr(process.socket, "gethostname", lambda: "a-machine-with-a-name-of-some-fifty-characters.example")
    assert process.machine_name() == "a-machine-with-a-name-of-some-fifty-char"
    assert process.process_name() == f"{process.machine_name()}:{os.getpid()}"


def test_the_clock_never_goes_back():
    assert process.boot_seconds() <= process.boot_seconds()
