"""
Mail from outside is read whatever it is: what the harnesses of bounces and complaints share.

`head` is what the inputs that begin with `!` have before them, so that they come past the door.
"""

import sys

import atheris

with atheris.instrument_imports(include=["newsletter.feedback", "newsletter.dispatch.outcome", "email"]):
    from newsletter.feedback.event import LONGEST_TEXT, said
    from newsletter.feedback.reading import MOST_NAMES, read

READER = "anna.brook@lakes.example"


def run(head: bytes) -> None:
    """Try inputs until told to end."""

    def one(data: bytes) -> None:
        report = read(head + data[1:] if data[:1] == b"!" else data)
        if len(report.names) > MOST_NAMES:
            raise AssertionError("too many names")
        if not (report.is_read or report.why):
            raise AssertionError("not understood, and nothing says why")
        about = report.about(lambda address: address == READER)
        line = said(about.text) if about else ""
        if not line.isprintable() or len(line.encode()) > LONGEST_TEXT or READER in line:
            raise AssertionError(f"{line!r} is not fit to be kept")

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
