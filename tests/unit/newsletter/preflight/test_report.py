import json
import re
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from newsletter.preflight.audience import AudienceCounts
from newsletter.preflight.finding import Rule, Severity
from newsletter.preflight.report import RULES, PreflightInput, Report, Verdict, run

PAGE = Path(__file__).parents[4] / "docs" / "preflight.md"
ERROR, WARNING, NOTICE = (
    Rule(code=f"tide-{severity}", severity=severity, message="Low.", hint="Wait.") for severity in Severity
)


def checked(given, *entries, languages=("en", "fr"), audience=None, **issue):
    facts = given.issue(*entries, **issue)
    editions = tuple(given.compiled(facts, language) for language in languages)
    return run(PreflightInput(issue=facts, editions=editions, audience=audience))


def test_a_clean_issue_has_no_findings(given):
    report = checked(
        given, given.news(), given.event(), audience=AudienceCounts(segment="m", people={"en": 1, "fr": 1})
    )
    assert report.findings == ()
    assert report.verdict() == 0


def test_findings_come_by_severity_then_edition_then_code(given):
    body = "[The plan](/plan) and [here](http://www.city.example/)"
    entry = given.news(texts={"en": {"title": "Piers", "body": body}})
    report = checked(given, entry, audience=AudienceCounts(segment="m", people={"en": 1}))
    assert [(finding.severity.value, finding.edition, finding.code) for finding in report.findings] == [
        ("error", "", "link-malformed"),
        ("warning", "", "link-http"),
        ("warning", "", "link-label-vague"),
        ("notice", "fr", "audience-language-empty"),
        ("notice", "fr", "fallback-shown"),
    ]


def test_the_order_does_not_depend_on_the_order_of_the_editions(given):
    entries = [given.news(key, title=f"{key} →") for key in ("piers", "cranes", "ropes")]
    facts = given.issue(*entries, plan={"texts": {}})
    editions = [given.compiled(facts, language) for language in ("en", "fr")]
    expected = run(PreflightInput(issue=facts, editions=tuple(editions)))
    Random(1).shuffle(editions)
    assert run(PreflightInput(issue=facts, editions=tuple(editions[::-1]))) == expected


def test_a_mistake_in_one_edition_names_it(given):
    report = checked(given, given.news(body="[here](https://www.city.example/)"))
    assert [(finding.code, finding.edition) for finding in report.findings] == [("link-label-vague", "en")]


def test_a_mistake_that_several_editions_share_is_one_finding_of_the_issue(given):
    footer = {"social": [{"network": "mastodon", "url": "http://social.example/"}]}
    report = checked(given, newsletter={"footer": footer})
    assert [(finding.code, finding.edition) for finding in report.findings] == [("link-http", "")]


def test_what_each_edition_lacks_is_a_finding_of_each(given):
    report = checked(given, plan={"texts": {}})
    assert [(finding.edition, finding.code) for finding in report.findings] == [
        ("en", "preheader-missing"),
        ("en", "subject-missing"),
        ("fr", "preheader-missing"),
        ("fr", "subject-missing"),
    ]


def test_what_all_variants_of_an_edition_lack_is_one_finding(given):
    facts = given.issue(plan={"texts": {}})
    editions = tuple(given.compiled(facts, "en", segments=segments) for segments in ((), ("press",)))
    report = run(PreflightInput(issue=facts, editions=editions))
    assert {finding.edition for finding in report.findings} == {"en"}


def test_what_only_a_variant_has_names_the_variant(given):
    facts = given.issue()
    editions = given.compiled(facts, "en"), given.compiled(facts, "en", segments=("press",), size=81_000)
    report = run(PreflightInput(issue=facts, editions=editions))
    assert [(finding.edition, finding.code) for finding in report.findings] == [("en.press", "weight-warning")]


def test_an_event_that_is_over_is_a_finding_of_the_issue(given):
    over = given.event("open-day", {"key": "main", "date": "2026-11-20"})
    report = checked(given, over, given.news(), by_hand=True)
    assert [(finding.code, finding.edition) for finding in report.findings] == [("date-over", "")]


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        ((), Verdict.CLEAR),
        ((NOTICE,), Verdict.CLEAR),
        ((WARNING, NOTICE), Verdict.UNDECIDED),
        ((ERROR, WARNING), Verdict.ERRORS),
    ],
)
def test_the_verdict_is_that_of_the_gravest_finding(rules, verdict):
    assert Report(findings=tuple(rule.found() for rule in rules)).verdict() is verdict


@settings(deadline=None)  # the first example of a language reads its tables
@examples(words=st.text(max_size=120), markup=st.text(alphabet="[]()<>`*_#>!-= a1/:.", max_size=120))
def test_no_words_are_too_odd_to_be_checked(given, words, markup):
    facts = given.issue(given.news(title=f"A{words}", body=markup))
    report = run(PreflightInput(issue=facts, editions=(given.compiled(facts),)))
    assert {finding.rule for finding in report.findings} <= set(RULES)
    assert all(finding.message() and finding.hint() for finding in report.findings)


@pytest.mark.unwatched  # what is measured is the program, not its being watched
@pytest.mark.parametrize(
    "body", ["[x](" * 9_000, "[x](" + "a" * 45_000, "." * 45_000 + "[a](b", "`" * 45_000, "Mon " * 9_000]
)
def test_a_long_text_is_checked_in_no_time(given, body):
    facts = given.issue(given.news(body=body))
    editions = (given.compiled(facts),)
    start = time.process_time()
    run(PreflightInput(issue=facts, editions=editions))
    assert time.process_time() - start < 2


def test_verdicts_are_the_exit_codes_of_the_command_line():
    assert [int(verdict) for verdict in Verdict] == [0, 3, 4]


def test_a_waiver_opens_the_way_past_its_warning_only():
    first, second = WARNING.found(place="a"), WARNING.found(place="b")
    report = Report(findings=(first, second))
    assert report.standing({first.fingerprint}) == (second,)
    assert report.verdict({first.fingerprint}) is Verdict.UNDECIDED
    assert report.verdict({first.fingerprint, second.fingerprint}) is Verdict.CLEAR


def test_a_waiver_does_not_open_the_way_past_an_error():
    finding = ERROR.found()
    assert Report(findings=(finding,)).verdict({finding.fingerprint}) is Verdict.ERRORS


def test_the_report_as_json_has_the_shape_of_the_contract(given):
    report = checked(given, given.news(body="[here](https://www.city.example/)"))
    (fingerprint,) = [finding.fingerprint for finding in report.findings]
    assert json.loads(json.dumps(report.to_json({fingerprint}))) == {
        "findings": [
            {
                "code": "link-label-vague",
                "severity": "warning",
                "edition": "en",
                "place": "piers",
                "message": "The link “here” does not say where it leads (to https://www.city.example/).",
                "hint": "Write what the reader finds there, or choose one of the actions: the theme then adds the "
                "title for those who hear the message.",
                "waived": True,
            }
        ]
    }


def test_only_warnings_are_waived_in_json():
    finding = ERROR.found()
    report = Report(findings=(finding, WARNING.found()))
    assert [each["waived"] for each in report.to_json({finding.fingerprint})["findings"]] == [False, False]


def test_codes_are_unique_and_readable():
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes)
    assert all(code.replace("-", "").isalpha() and code == code.lower() for code in codes)


def test_a_finding_that_editions_share_does_not_name_one():
    assert [rule.code for rule in RULES if rule.shared and "{edition}" in rule.message] == []


def test_the_page_explains_every_code_in_the_words_of_the_program():
    rows = [line.strip("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| `[a-z]", line)]
    explained = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)] for row in rows]
    assert sorted((code.strip("`"), severity, hint) for code, severity, _, _, hint in explained) == sorted(
        (rule.code, rule.severity.value, rule.hint) for rule in RULES
    )
    assert all(what and why for _, _, what, why, _ in explained)
