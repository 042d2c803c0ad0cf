"""SpamAssassin has nothing against any edition of the samples: two of them in the ordinary run, all in the long one."""

import re
import subprocess

import pytest
from conftest import need
from integration.samples import SAMPLES, THEMES, artifact_of, artifacts_of

from newsletter.compilation.compiler import sample_message

BETWEEN = "From somebody@mailbox.example Tue Dec  1 08:00:00 2026"
"""The line that begins each message of a mailbox file."""

LIMIT = 1.0
"""Points: filters refuse at five, but begin to look more closely long before."""

GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
"""What every spam filter has to take for spam: the Generic Test for Unsolicited Bulk Email."""


def judged(messages):
    """
    For each message its score, and its rules with their points.

    All in one process, which takes its rules seconds to read: without network (`-L`), without history (`-t`) and
    without anybody's own preferences (`-x`).
    """
    program = need("spamassassin", "apt-get install spamassassin")
    mailbox = b"".join(b"%b\n%b\n" % (BETWEEN.encode(), data.replace(b"\r\n", b"\n")) for data in messages)
    told = subprocess.run(
        [program, "--mbox", "-t", "-L", "-x"], input=mailbox, capture_output=True, check=True
    ).stdout.decode("utf-8", "replace")
    return [verdict(report) for report in told.split(BETWEEN)[1:]]


def verdict(report):
    score = re.search(r"^X-Spam-Status: (?:Yes|No), score=(-?[\d.]+)", report, re.MULTILINE)[1]
    rules = re.findall(r"^\s*(-?\d+(?:\.\d)?)\s+([A-Z][A-Z0-9_]+)\s", report, re.MULTILINE)
    return float(score), {name: float(points) for points, name in rules}


def check(artifacts):
    verdicts = judged([sample_message(artifact) for artifact in artifacts])
    assert len(verdicts) == len(artifacts)
    for artifact, (score, rules) in zip(artifacts, verdicts, strict=True):
        said = f"{artifact.newsletter} {artifact.name}: {rules}"
        assert "HTML_MESSAGE" in rules, said
        assert score < LIMIT, said
        # What is in favour of a mailing list must not hide what is against its words.
        assert sum(points for points in rules.values() if points > 0) < LIMIT, said


def test_an_edition_of_either_theme_has_nothing_that_a_spam_filter_holds_against_it():
    check([artifact_of("bundled", "network", "fr"), artifact_of("river-cities", "bulletin", "en")])


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_spam_filter_holds_nothing_against_any_edition_of_the_samples():
    check([artifact for name in SAMPLES for theme in THEMES for artifact in artifacts_of(name, theme)])


@pytest.mark.long
def test_the_filter_that_is_asked_knows_spam_when_it_sees_it():
    clean = sample_message(artifact_of("river-cities", "bulletin", "en"))
    [(score, rules)] = judged([b"Subject: x\r\n\r\n" + GTUBE + b"\r\n"])
    assert score > 100
    assert "GTUBE" in rules
    assert GTUBE not in clean
