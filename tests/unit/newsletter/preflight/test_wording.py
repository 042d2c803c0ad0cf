import datetime as dt

from newsletter.preflight.finding import Rule, Severity, Waiver
from newsletter.preflight.report import Report
from newsletter.preflight.wording import WIDTH, report_lines, verdict_words

PLAIN = {"message": "{pier} is low.", "hint": "Wait for the tide."}
ERROR = Rule(code="tide-low", severity=Severity.ERROR, **PLAIN)
WARNING = Rule(code="tide-late", severity=Severity.WARNING, **PLAIN)
NOTICE = Rule(code="tide-noted", severity=Severity.NOTICE, **PLAIN)
OUTSIDE = Rule(code="tide-outside", severity=Severity.WARNING, outside=True, **PLAIN)
WAIVER = Waiver(operator="ada", at=dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC), reason="The pier floats.")


def told(*findings, waivers=None, language="en"):
    return list(report_lines(Report(findings=findings), waivers or {}, language=language))


def test_a_clean_report_is_one_line():
    assert told() == ["nothing stands in the way of approval"]


def test_findings_are_told_by_edition_each_kind_with_what_to_do_once():
    lines = told(
        ERROR.found(place="piers", pier="East"),
        ERROR.found(place="footer", pier="West"),
        WARNING.found(edition="fr", place="piers", pier="North"),
        NOTICE.found(edition="fr.press", pier="South"),
    )
    assert lines == [
        "The whole issue",
        "  to fix (tide-low)",
        "    - piers – East is low.",
        "    - footer – West is low.",
        "    > Wait for the tide.",
        "",
        "The French edition",
        "  to decide (tide-late)",
        "    - piers – North is low.",
        "    > Wait for the tide.",
        "",
        "The French (press) edition",
        "  to know (tide-noted)",
        "    - South is low.",
        "    > Wait for the tide.",
        "",
        "2 to fix and 1 to fix or waive",
    ]


def test_what_was_accepted_says_by_whom_when_and_why_and_no_more_what_to_do():
    first, second = WARNING.found(place="a", pier="East"), WARNING.found(place="b", pier="West")
    assert told(first, second, waivers={first.fingerprint: WAIVER}) == [
        "The whole issue",
        "  accepted (tide-late)",
        "    - a – East is low.",
        "      accepted by ada on 1 December 2026: The pier floats.",
        "  to decide (tide-late)",
        "    - b – West is low.",
        "    > Wait for the tide.",
        "",
        "1 to fix or waive",
    ]


def test_what_was_found_outside_comes_last_and_stands_in_nobodys_way():
    lines = told(OUTSIDE.found(place="piers", pier="East"), OUTSIDE.found(edition="fr", pier="West"))
    assert lines == [
        "Outside the program, and not in the way of approval",
        "  to decide (tide-outside)",
        "    - piers – East is low.",
        "    > Wait for the tide.",
        "",
        "Outside the program, and not in the way of approval (French)",
        "  to decide (tide-outside)",
        "    - West is low.",
        "    > Wait for the tide.",
        "",
        "nothing stands in the way of approval",
    ]


def test_the_report_is_said_in_the_operators_language():
    lines = told(ERROR.found(place="sender", edition="fr", pier="East"), language="fr-BE")
    assert lines[:3] == ["La version en français", "  à corriger (tide-low)", "    - expéditeur – East is low."]
    assert lines[-1] == "1 à corriger"
    finding = WARNING.found(pier="East")
    assert "      accepté par ada le 1er décembre 2026\u00a0: The pier floats." in told(
        finding, waivers={finding.fingerprint: WAIVER}, language="fr"
    )


def test_no_line_is_wider_than_a_terminal_but_for_an_address():
    url = "https://quay.example/" + "a" * 90
    lines = told(
        ERROR.found(place="piers", pier=f"The long and winding quay wall of the east ({url}) beside the canal")
    )
    assert [line.strip() for line in lines if len(line) > WIDTH] == [f"({url})"]


def test_the_verdict_counts_what_stands_in_the_way():
    error, warning = ERROR.found(pier="East"), WARNING.found(pier="East")
    assert verdict_words(Report(findings=(error, error))) == "2 to fix"
    assert verdict_words(Report(findings=(error, warning)), {warning.fingerprint}) == "1 to fix"
    assert verdict_words(Report(findings=(warning,)), language="fr") == "1 à corriger ou à accepter"
