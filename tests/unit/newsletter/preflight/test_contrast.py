import pytest

from newsletter.preflight.contrast import check

PAPER = "#ffffff"


def found_in(given, body, *, accent=None, head=""):
    theme = {"theme": {"accent": accent}} if accent else {}
    facts = given.issue(newsletter=theme)
    html = given.page(body).replace("</head>", f"<style>{head}</style></head>")
    return list(check(given.compiled(facts, html=html), facts))


def in_light(given, body, **more):
    """Light only: what is written into the elements is dark on light in every scheme."""
    return [finding for finding in found_in(given, body, **more) if finding.code != "contrast-low-dark"]


def p(style, words="Low tide"):
    return f'<p style="background:{PAPER};{style}">{words}</p>'


def test_pale_words_are_hard_to_read(given):
    (finding,) = in_light(given, p("color:#777"))
    assert finding.code == "contrast-low"
    assert finding.message() == (
        "In the English edition “Low tide” is hard to read: #777777 on #ffffff has a contrast of 4.4:1, and 4.5:1 is "
        "needed."
    )


def test_words_with_just_enough_contrast_are_not(given):
    assert in_light(given, p("color:#767676")) == []


@pytest.mark.parametrize(
    ("style", "codes"),
    [
        ("color:#949494;font-size:24px", []),
        ("color:#949494;font-size:23px", ["contrast-low"]),
        ("color:#949494;font-size:19px;font-weight:700", []),
        ("color:#949494;font-size:18px;font-weight:700", ["contrast-low"]),
        ("color:#959595;font-size:40px", ["contrast-low"]),
    ],
)
def test_large_words_need_less(given, style, codes):
    assert given.codes(in_light(given, p(style))) == codes


def test_words_on_a_picture_are_not_judged(given):
    assert in_light(given, '<p style="background:url(a.png);color:#eee">Low tide</p>') == []


def test_colours_that_cannot_be_told_are_not_judged(given):
    assert found_in(given, '<p style="color:var(--ink)">Low tide</p>') == []


def test_each_pair_of_colours_is_one_finding_by_its_first_words(given):
    findings = in_light(given, p("color:#777", "x" * 80) + p("color:#777", "Two"))
    assert [dict(finding.facts)["words"] for finding in findings] == ["x" * 60 + "…"]


def test_the_dark_scheme_is_judged_by_itself(given):
    head = "@media (prefers-color-scheme:dark){body{background:#222}p{color:#444}}"
    (finding,) = found_in(given, "<p>Low tide</p>", head=head)
    assert finding.code == "contrast-low-dark"
    assert finding.message().startswith("In the dark scheme of the English edition “Low tide” is hard to read: #444444")


def test_a_dark_scheme_that_can_be_read_is_none(given):
    head = "@media (prefers-color-scheme:dark){body{background:#222}p{color:#eee}}"
    assert found_in(given, "<p>Low tide</p>", head=head) == []


LINK = '<p style="background:#fff"><a href="https://x.example" style="color:{}">The tide tables</a></p>'


def test_links_in_a_pale_accent_are_unreadable(given):
    (finding,) = in_light(given, LINK.format("#FFD200"), accent="#FFD200")
    assert (finding.code, finding.edition) == ("accent-unreadable", "en")
    assert finding.message().startswith("Links in the newsletter's colour #ffd200 are hard to read on #ffffff")


def test_links_in_a_dark_accent_are_not(given):
    assert in_light(given, LINK.format("#0b5c8a"), accent="#0b5c8a") == []


def test_an_accent_that_is_shown_darker_is_a_notice(given):
    (finding,) = in_light(given, LINK.format("#7a6500"), accent="#FFD200")
    assert (finding.code, finding.severity) == ("accent-shaded", "notice")


def test_an_accent_that_could_be_shown_and_is_not_is_none(given):
    assert in_light(given, LINK.format("#333333"), accent="#0b5c8a") == []


def test_an_issue_without_any_link_has_no_accent_to_shade(given):
    assert in_light(given, "<p>Low tide</p>", accent="#FFD200") == []


def test_an_edition_on_a_picture_has_no_paper_to_judge_an_accent_on(given):
    head = "body{background:url(a.png)}"
    assert in_light(given, '<a href="https://x.example">Tide</a>', accent="#FFD200", head=head) == []


def test_small_words_are_a_warning_once_for_each_size(given):
    findings = in_light(given, '<p style="font-size:12px">One</p><p style="font-size:12px">Two</p>')
    assert [(finding.code, finding.message()) for finding in findings] == [
        ("text-small", "In the English edition “One” is 12 pixels high, and less than 13 is hard to read on a phone.")
    ]


def test_words_that_are_small_on_a_phone_only_are_small(given):
    head = "@media (max-width:479px){p{font-size:12.5px}}"
    assert given.codes(found_in(given, "<p>One</p>", head=head)) == ["text-small"]


@pytest.mark.parametrize("size", ["13px", "0"])
def test_thirteen_pixels_are_enough_and_none_is_a_way_to_lay_things_out(given, size):
    assert in_light(given, f'<p style="font-size:{size}">One</p>') == []
