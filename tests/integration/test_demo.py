"""The demo goes the whole way in one command, within a minute."""

import email
import email.policy
import json
import subprocess
import sys
from collections import Counter

from newsletter.cli.demo import MARKER

LANGUAGES = ("en", "fr", "es", "de", "ar")


def run(folder, *arguments):
    command = [sys.executable, "-m", "newsletter", "demo", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=60, check=False)


def test_the_demo_ends_with_forty_mailboxes_and_says_where_everything_lies(tmp_path):
    (tmp_path / "demo").mkdir()
    for name in (MARKER, "stale.txt"):
        (tmp_path / "demo" / name).touch()  # left by an earlier demo
    done = run(tmp_path, "--output", "demo")
    assert done.returncode == 0, done.stderr
    assert "every invariant holds" in done.stdout
    assert str(tmp_path / "demo" / "issue") in done.stdout

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


def test_the_demo_leaves_a_folder_of_others_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    done = run(tmp_path, "--output", "mine")
    assert done.returncode == 2
    assert done.stderr.endswith("mine holds something else: name an empty folder with --output\n")
    assert (tmp_path / "mine" / "letter.txt").read_text(encoding="utf-8") == "dear"
