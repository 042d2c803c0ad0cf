import pytest
from pydantic import ValidationError

from newsletter.content.issue import IssuePlan
from newsletter.content.newsletter import Fallback, Newsletter, Tracking


def settings(**changes):
    return {
        "slug": "rivers",
        "name": "Rivers",
        "languages": ["en", "fr"],
        "timezone": "Europe/Brussels",
        "sender": {"name": "Rivers", "address": "news@rivers.example"},
        "list_id": "rivers.rivers.example",
        "sections": [{"key": "lead"}, {"key": "agenda", "show": "lines", "columns": "2"}],
    } | changes


def refusal(given):
    with pytest.raises(ValidationError) as caught:
        Newsletter.model_validate(given)
    (error,) = caught.value.errors()
    return error["loc"], error["msg"].removeprefix("Value error, ")


def test_nothing_of_its_readers_doings_is_counted_unless_it_says_so():
    plain = Newsletter.model_validate(settings())
    assert (plain.tracking, plain.opens) == (Tracking.OFF, False)
    asked = Newsletter.model_validate(settings(tracking="people", opens=True))
    assert (asked.tracking, asked.opens) == (Tracking.PEOPLE, True)
    assert refusal(settings(tracking="all")) == (("tracking",), "Input should be 'off', 'totals' or 'people'")


def test_a_newsletter_knows_its_default_language_and_locales():
    newsletter = Newsletter.model_validate(settings(locales={"en": "en-GB"}))
    assert newsletter.default_language == "en"
    assert (newsletter.locale("en"), newsletter.locale("fr")) == ("en-GB", "fr")
    assert newsletter.sections[1].columns == 2


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"languages": ["en", "EN"]}, (("languages",), "a language is named twice")),
        ({"sections": [{"key": "a"}, {"key": "a"}]}, (("sections",), "two sections have the key 'a'")),
        ({"locales": {"en": "xx-YY"}}, (("locales",), "'xx-YY' is no locale; write for example en-GB")),
        ({"footer": {"email": "nobody"}}, (("footer", "email"), "An email address must have an @-sign.")),
    ],
)
def test_settings_are_consistent(changes, refused):
    assert refusal(settings(**changes)) == refused


def test_addresses_may_be_left_out():
    newsletter = Newsletter.model_validate(settings(footer={"email": None, "phone": "1"}))
    assert newsletter.footer.email is newsletter.sender.reply_to is None
    footer = {"email": "Office@Rivers.example"}
    assert Newsletter.model_validate(settings(footer=footer)).footer.email == "Office@rivers.example"


def plan(**changes):
    return {"slug": "2026-12", "date": "2026-12-01", "period": {"from": "2026-11-01", "to": "2026-11-30"}} | changes


def test_an_issue_lies_over_the_newsletters_settings():
    newsletter = Newsletter.model_validate(settings())
    assert IssuePlan.model_validate(plan()).settings(newsletter) == newsletter
    over = IssuePlan.model_validate(plan(agenda_days=200, fallback="omit", sections=[{"key": "one"}]))
    merged = over.settings(newsletter)
    assert (merged.cadence.agenda_days, merged.fallback) == (200, Fallback.OMIT)
    assert [section.key for section in merged.sections] == ["one"]
    assert merged.theme == newsletter.theme


def test_items_are_automatic_or_a_list_of_keys_and_items():
    assert IssuePlan.model_validate(plan()).items == "auto"
    items = IssuePlan.model_validate(plan(items=["a", 2026, {"key": "b", "section": "lead"}])).items
    assert [item.key for item in items] == ["a", "2026", "b"]


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"items": "all"}, ("items", "word")),
        ({"items": [{"kye": "a", "key": "b"}]}, ("items", "list", 0, "kye")),
        ({"items": {"key": "a"}}, ("items", "list")),
        ({"period": {"from": "2026-12-01", "to": "2026-11-01"}}, ("period", "to")),
        ({"period": {"from": "x", "to": "2026-11-01"}}, ("period", "from")),
        ({"texts": {"en": {"subject": "a\nb"}}}, ("texts", "en", "subject")),
    ],
)
def test_other_plans_are_refused_where_they_are_wrong(changes, loc):
    with pytest.raises(ValidationError) as caught:
        IssuePlan.model_validate(plan(**changes))
    assert [error["loc"] for error in caught.value.errors()] == [loc]


def test_an_empty_text_of_an_issue_counts_as_absent():
    assert IssuePlan.model_validate(plan(texts={"en": None})).texts == {}
