import subprocess
from email import message_from_bytes

import pytest

from newsletter.preflight import deliverability
from newsletter.preflight.deliverability import check_spam, installed, verdict_in


def report(score, *hits):
    lines = [f" {points} {name:<22} BODY: what it says" for points, name in hits]
    return "\n".join(
        (f"X-Spam-Status: No, score={score} required=5.0 tests=X", "Subject: x", "", " pts rule", *lines, "")
    )


def found_in(given, said):
    return list(check_spam([given.compiled(given.issue())], lambda _: said))


def test_a_message_of_one_point_is_a_warning_with_the_rules_it_met(given):
    said = report("1.0", ("0.3", "HTML_TIDE"), ("0.7", "HTML_FONT_LOW"), ("-0.0", "NO_RELAYS"))
    (finding,) = found_in(given, said)
    assert (finding.code, finding.severity, finding.edition) == ("spam-score", "warning", "en")
    assert finding.message() == (
        "SpamAssassin gives the English edition 1 points, for HTML_FONT_LOW, HTML_TIDE; filters refuse at five."
    )


def test_a_message_of_less_is_a_notice(given):
    (finding,) = found_in(given, report("0.9", ("0.9", "HTML_TIDE")))
    assert (finding.code, finding.severity) == ("spam-rules", "notice")
    assert finding.message("fr") == "SpamAssassin donne 0,9 points à la version en anglais, pour HTML_TIDE."


@pytest.mark.parametrize("score", ["0.0", "-0.5"])
def test_a_message_of_nothing_is_none(given, score):
    assert found_in(given, report(score)) == []


@pytest.mark.parametrize("said", ["", "Subject: x\n\nX-Spam-Status: maybe"])
def test_what_is_no_report_is_a_notice(given, said):
    assert given.codes(found_in(given, said)) == ["spam-unknown"]


@pytest.mark.parametrize(
    "error", [OSError("gone"), subprocess.TimeoutExpired("x", 1), subprocess.CalledProcessError(1, "x")]
)
def test_a_filter_that_fails_is_a_notice(given, error):
    def judge(_message):
        raise error

    assert given.codes(check_spam([given.compiled(given.issue())], judge)) == ["spam-unknown"]


def test_the_filter_gets_the_sample_message(given):
    seen = []

    def judge(message):
        seen.append(message)
        return report("0.0")

    list(check_spam([given.compiled(given.issue())], judge))
    assert message_from_bytes(seen[0])["Subject"] == "Two piers"


def test_a_word_is_no_rule():
    assert verdict_in(report("0.5") + "\n 0.5 points\n").rules == ()


def test_a_machine_without_the_program_has_no_filter(monkeypatch):
    monkeypatch.setattr(deliverability, "which", lambda _: None)
    assert installed() is None


def test_the_program_is_given_the_message_and_its_report_is_read(monkeypatch, tmp_path):
    program = tmp_path / "spamassassin"
    program.write_text('#!/bin/sh\necho "X-Spam-Status: No, score=0.$(wc -c | tr -d " ") required=5.0 args=$*"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    judge = installed()
    assert judge(b"12345") == "X-Spam-Status: No, score=0.5 required=5.0 args=-t -L -x\n"
