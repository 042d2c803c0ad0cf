import pytest

from newsletter.preflight.client_facts import CLIENTS, ClientFacts, Feature, own_facts
from newsletter.preflight.clients import check_clients
from newsletter.preflight.features import signs_in


def found_in(given, body, *, baseline=frozenset(), facts=None):
    plain = signs_in(given.compiled(given.issue()).document)
    edition = given.compiled(given.issue(), html=given.page(body))
    return list(check_clients(edition, facts=facts or own_facts(), baseline=plain | baseline))


def facts_with(**letters):
    """One feature, `display: grid`, with letters for programs by name and `y` for the others."""
    support = "".join(letters.get(client.name.replace(" ", "_"), "y") for client in CLIENTS)
    feature = Feature(slug="grid", title="display: grid", signs=("display:grid",), support=support, breaks=True)
    return ClientFacts(as_of="2026-11-01", features=(feature,))


GRID = '<p style="display:grid">x</p>'


def test_what_breaks_reading_in_a_large_program_is_a_warning(given):
    (finding,) = found_in(given, '<img src="https://x.example/a.heic.webp" alt="x" width="9">')[:1]
    assert finding.code == "client-breaks"
    assert finding.message() == "WebP is lost in Outlook (Windows): their readers miss what depends on it."
    assert finding.message("fr").startswith("WebP ne marche pas dans Outlook (Windows)")


def test_a_picture_of_a_format_that_all_show_is_none(given):
    assert found_in(given, '<img src="https://x.example/a.jpg" alt="x" width="9">') == []


def test_what_breaks_reading_in_a_small_program_is_a_notice(given):
    assert given.codes(found_in(given, GRID, facts=facts_with(Orange="n"))) == ["client-lacks"]


def test_what_breaks_nothing_is_a_notice(given):
    codes = given.codes(found_in(given, '<p style="text-shadow:1px 1px red">x</p>'))
    assert codes == ["client-lacks"]


def test_what_works_in_part_is_a_notice_beside(given):
    findings = found_in(given, GRID, facts=facts_with(Orange="n", SFR="a"))
    assert [(finding.code, finding.message()) for finding in findings] == [
        ("client-lacks", "display: grid is lost in Orange."),
        ("client-partly", "display: grid works only in part in SFR."),
    ]


def test_what_every_program_shows_or_nobody_tested_is_none(given):
    assert found_in(given, GRID, facts=facts_with(Orange="u")) == []


def test_a_family_that_lacks_it_as_a_whole_is_named_once(given):
    lost = {"Apple_Mail_(macOS)": "n", "Apple_Mail_(iOS)": "n", "Gmail_(web)": "n"}
    (finding,) = found_in(given, GRID, facts=facts_with(**lost))
    assert "lost in Apple Mail, Gmail (web):" in finding.message()


def test_what_the_theme_uses_by_itself_is_none(given):
    assert found_in(given, GRID, baseline={"display:grid", "display"}) == []


def test_a_sign_may_stand_for_all_that_begin_so(given):
    codes = given.codes(found_in(given, '<p style="margin-inline-start:1px">x</p>'))
    assert codes == ["client-lacks"]
    assert found_in(given, '<p style="margin-left:1px">x</p>') == []


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (GRID, []),
        ('<img src="https://x.example/a.webp" alt="x" width="9">', ["client-breaks", "client-partly"]),
        ('<img src="data:image/png;base64,AA" alt="x" width="9">', ["client-breaks", "client-partly"]),
    ],
)
def test_without_a_baseline_pictures_alone_are_judged(given, body, codes):
    edition = given.compiled(given.issue(), html=given.page(body))
    assert given.codes(check_clients(edition, facts=own_facts())) == codes
