"""The demo goes the whole way in one command, within a minute."""

import email
import email.policy
import json
from collections import Counter

import pytest

from newsletter.cli.demo import MARKER

LANGUAGES = ("en", "fr", "es", "de", "ar")


@pytest.fixture
def run(zygote, tmp_path):
    """Runs the demo in a process of its own; yields its exit code, and what it said on both streams."""

    def run(*arguments):
        process = zygote.start(["demo", *arguments], environment={}, folder=tmp_path)
        return process.wait(), process.out, process.error

    return run


def test_the_demo_ends_with_forty_mailboxes_and_says_where_everything_lies(run, tmp_path):
    (tmp_path / "demo").mkdir()
    for name in (MARKER, "stale.txt"):
        (tmp_path / "demo" / name).touch()  # left by an earlier demo
    code, out, error = run("--output", "demo")
    assert code == 0, error
    assert "every invariant holds" in out
    assert str(tmp_path / "demo" / "issue") in out
    assert f"sqlite:///{tmp_path / 'demo' / 'newsletter.sqlite'} newsletter web" in out

    built = {path.name for path in (tmp_path / "demo" / "issue").iterdir()}
    editions = {f"{tag}.{ending}" for tag in LANGUAGES for ending in ("html", "txt", "eml", "mjml")}
    assert built == editions | {"issue.ics", "build.json"}
    build = json.loads((tmp_path / "demo" / "issue" / "build.json").read_bytes())
    assert set(build["editions"]) == set(LANGUAGES)

    messages = [path.read_bytes() for path in (tmp_path / "demo" / "mailboxes").glob("*/new/*")]
    assert len(messages) == 40
    assert len(list((tmp_path / "demo" / "mailboxes").iterdir())) == 40
    parsed = [email.message_from_bytes(message, policy=email.policy.default) for message in messages]
    languages = Counter(str(message["Content-Language"]) for message in parsed)
    assert set(languages) == set(LANGUAGES)
    assert not (tmp_path / "demo" / "stale.txt").exists()


def test_the_demo_leaves_a_folder_of_others_alone(run, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    code, _, error = run("--output", "mine")
    assert code == 2
    assert error.endswith("mine holds something else: name an empty folder with --output\n")
    assert (tmp_path / "mine" / "letter.txt").read_text(encoding="utf-8") == "dear"
