"""
What the program makes of a small issue is byte for byte what was approved.

`make golden` writes the files beside this one again and shows what differs; they are reviewed like any other change.
"""

import difflib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent

NAMES = (*(f"{tag}.{ending}" for tag in ("en", "fr", "ar") for ending in ("mjml", "html", "txt", "eml")), "issue.ics")


def lines(data):
    return data.decode("utf-8").splitlines(keepends=True)


@pytest.mark.parametrize("name", NAMES)
def test_an_edition_is_byte_for_byte_what_was_approved(compiled, name, pytestconfig, capsys):
    made, approved = (compiled / name).read_bytes(), FOLDER / name
    known = approved.read_bytes() if approved.exists() else b""
    if made == known:
        return
    difference = "".join(difflib.unified_diff(lines(known), lines(made), f"approved {name}", f"made {name}", n=1))
    if not pytestconfig.getoption("--write-golden", default=False):
        pytest.fail(
            f"{name} is not what was approved; `make golden` approves it anew\n{difference[:4000]}", pytrace=False
        )
    with capsys.disabled():
        print(f"\n{difference}" if known else f"\n{name} is new, {len(made)} bytes")  # noqa: T201  it is looked at
    approved.write_bytes(made)


def test_nothing_is_approved_that_is_not_made(compiled):
    kept = {path.name for path in FOLDER.iterdir() if path.suffix in {".mjml", ".html", ".txt", ".eml", ".ics"}}
    assert kept == set(NAMES)
    assert kept | {"build.json"} == {path.name for path in compiled.iterdir()}
