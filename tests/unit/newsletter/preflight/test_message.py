import pytest

from newsletter.compilation.slots import Slots, System
from newsletter.preflight import message

TOPIC = {"key": "cranes", "name": {"en": "Cranes"}, "credit": {"en": "Co-funded by the [[city]] Fund, grant 12."}}


def found(given, *entries, issue=None, **artifact):
    facts = given.issue(*entries, **(issue or {}))
    return list(message.check(given.compiled(facts, **artifact), facts))


def test_a_plain_message_is_clean(given):
    assert found(given) == []


def test_an_edition_without_entries_is_an_error(given):
    (finding,) = found(given, given.news(languages=["fr"]))
    assert (finding.code, finding.severity, finding.edition) == ("edition-empty", "error", "en")
    assert finding.message() == "The English edition has no entry at all."


def test_one_line_of_the_agenda_is_enough_to_read(given):
    assert found(given, given.event(section="agenda")) == []


def test_double_brackets_without_a_slot_are_a_warning(given):
    (finding,) = found(given, unknown=("unsubscribe",))
    assert (finding.code, finding.severity) == ("slot-unknown", "warning")
    assert finding.message() == "“[[unsubscribe]]” is no slot here: readers will see it as it stands."


def test_a_slot_without_default_words_is_a_notice(given):
    (finding,) = found(given, issue={"plan": {"texts": {"en": {"subject": "Dear [[first_name]]"}}}})
    assert (finding.code, finding.severity) == ("slot-without-default", "notice")
    assert finding.message() == "“[[first_name]]” stays empty for readers of whom that is not known."


@pytest.mark.parametrize("slot", ["[[first_name|reader]]", "[[email]]"])
def test_a_slot_that_always_has_words_is_clean(given, slot):
    assert found(given, issue={"plan": {"texts": {"en": {"subject": f"Dear {slot}"}}}}) == []


@pytest.mark.parametrize(
    ("body", "signs"),
    [
        (">>> Programme", ">>>"),
        ("Come\nsee the **** show", "****"),
        ("Now ==> there", "==>"),
        ("====", "===="),
        ("Then →→ there", "→→"),
        ("Free!!!!", "!!!!"),
        ("a ----- b", "-----"),
    ],
)
def test_signs_as_decoration_are_a_warning(given, body, signs):
    (finding,) = found(given, given.news(body=body))
    assert (finding.code, finding.severity, finding.place) == ("decoration-signs", "warning", "piers")
    assert f"“{signs}” in “" in finding.message()


@pytest.mark.parametrize("title", ["→ Register", "> Programme", "Read on →", "More ->"])
def test_a_pointer_beside_a_title_is_a_warning(given, title):
    assert given.codes(found(given, given.news(title=title))) == ["decoration-signs"]


@pytest.mark.parametrize(
    "body",
    [
        "> Who pays?\n\n> Nobody.",
        "Before\n\n* * *\n\nAfter\n\n-----\n\nEnd",
        "***Why not?!*** said **she**",
        "From A -> B and A → B",
        "See https://www.city.example/a====b-----c",
        "Free!!! Really???",
    ],
)
def test_signs_with_a_meaning_are_clean(given, body):
    assert found(given, given.news(body=body)) == []


@pytest.mark.parametrize("title", ["« Vivre avec l’eau »", "»Hafen«", "A > B", "Ships <3"])
def test_signs_inside_a_title_are_clean(given, title):
    assert found(given, given.news(title=title)) == []


def test_a_long_line_with_signs_is_shown_in_part(given):
    (finding,) = found(given, given.news(body=f"First.\n>>> {'pier ' * 20}\nLast."))
    assert finding.message().startswith("“>>>” in “>>> pier pier")
    assert "…” is decoration" in finding.message()
    assert "First" not in finding.message()


def test_a_credit_that_one_part_does_not_show_is_a_warning(given):
    topical = given.news(topic="cranes")
    findings = found(given, topical, issue={"topics": [TOPIC]}, html=given.page("<h1>News</h1>"))
    (finding,) = [each for each in findings if each.code == "credit-missing"]
    assert (finding.code, finding.severity, finding.place) == ("credit-missing", "warning", "footer")
    assert finding.message() == (
        "The English edition does not show the credit that “Cranes” asks for: "
        "“Co-funded by the [[city]] Fund, grant 12.”."
    )


def test_a_credit_that_both_parts_show_is_clean(given):
    assert given.codes(found(given, given.news(topic="cranes"), issue={"topics": [TOPIC]})) == ["slot-without-default"]


def test_a_credit_may_be_broken_over_lines(given):
    topic = {**TOPIC, "credit": "Co-funded by the Fund."}
    facts = given.issue(given.news(topic="cranes"), topics=[topic])
    text = given.compiled(facts).artifact.text.replace("by the ", "by\nthe ")
    assert list(message.check(given.compiled(facts, text=text), facts)) == []


def test_a_topic_that_does_not_stand_in_the_edition_asks_for_no_credit(given):
    assert found(given, issue={"topics": [TOPIC]}) == []


def test_a_topic_without_a_name_is_called_by_its_key(given):
    topic = {"key": "cranes", "name": {}, "credit": "Co-funded."}
    findings = found(given, given.news(topic="cranes"), issue={"topics": [topic]}, text="")
    assert "that “cranes” asks for" in findings[0].message()


def test_a_part_without_a_link_to_unsubscribe_is_an_error(given):
    findings = found(given, html=given.page("<h1>News</h1>"), text="News\n")
    assert [(finding.code, finding.severity) for finding in findings] == [("unsubscribe-missing", "error")] * 2
    assert [finding.message() for finding in findings] == [
        "The English edition has no link to unsubscribe in its HTML part.",
        "The English edition has no link to unsubscribe in its text part.",
    ]


def test_the_link_to_unsubscribe_is_missed_once(given):
    facts = given.issue()
    (way_out,) = given.compiled(facts).artifact.links
    findings = message.check(given.compiled(facts, text="", text_lacks=(way_out,)), facts)
    assert given.codes(findings) == ["unsubscribe-missing"]


def test_a_personal_link_that_the_text_part_lacks_is_called_by_its_name(given):
    facts = given.issue()
    slots = Slots.of(repr(given.compiled(facts).edition))
    slots.url(System.UNSUBSCRIBE)
    preferences = slots.url(System.PREFERENCES)
    made = given.compiled(facts, slots=slots.used, text_lacks=(preferences,))
    (finding,) = message.check(made, facts)
    assert finding.message().endswith("HTML part: preferences_url")


def test_a_link_that_the_text_part_lacks_is_a_warning(given):
    (finding,) = found(given, text_lacks=("https://www.city.example/",))
    assert (finding.code, finding.severity) == ("text-lacks-link", "warning")
    assert finding.message().endswith("lacks a link of the HTML part: https://www.city.example/")


def with_slot(given, html="", text="", **issue):
    """An edition with one officer's slot, `[[city|town]]`, whose token stands in these parts and in no other."""
    slots = Slots("0123456789")
    way_out, token = slots.url(System.UNSUBSCRIBE), slots.mark("[[city|town]]")
    parts = {"html": given.page(f"{way_out} {html.format(token)}"), "text": f"{way_out} {text.format(token)}"}
    return found(given, nonce=slots.nonce, slots=slots.used, subject="Tides", preheader="", **parts, **issue)


def test_a_slot_in_both_parts_is_clean(given):
    assert with_slot(given, "{}", "{}") == []


@pytest.mark.parametrize(
    ("html", "text", "parts"), [("{}", "", ["text"]), ("", "{}", ["HTML"]), ("", "", ["HTML", "text"])]
)
def test_a_slot_that_a_part_does_not_show_is_a_notice(given, html, text, parts):
    findings = with_slot(given, html, text)
    assert {(finding.code, finding.severity) for finding in findings} == {("slot-unused", "notice")}
    assert [dict(finding.facts)["part"] for finding in findings] == parts


def test_a_slot_of_the_subject_need_not_stand_in_a_part(given):
    assert found(given, issue={"plan": {"texts": {"en": {"subject": "Dear [[city|town]]", "preheader": "x"}}}}) == []
