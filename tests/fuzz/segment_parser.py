"""Any text is read as an expression that is written and said again, or refused in words with its place."""

import sys

import atheris

with atheris.instrument_imports(
    include=["subscribers.segments", "subscribers.language", "subscribers.address", "lark"]
):
    from subscribers.errors import SegmentSyntaxError
    from subscribers.segments import parse, to_text, to_words


def one(data: bytes) -> None:
    """Read the text that the octets make."""
    text = atheris.FuzzedDataProvider(data).ConsumeUnicodeNoSurrogates(len(data))
    try:
        expression = parse(text)
    except SegmentSyntaxError as error:
        if not (error.problem and error.line >= 1 and error.column >= 1 and error.pointer):
            raise AssertionError(f"refused without a place: {error!r}") from error
        return
    to_words(expression)
    written = to_text(expression)
    if len(written) <= 4000 and parse(written) != expression:
        raise AssertionError(f"{text!r} is written as {written!r}, which is read as something else")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
