"""The form that asks for a newsletter: what it shows, what it takes, and when it is shown again."""

import pytest
from visitor import ADDRESS

from newsletter.content.newsletter import Theme
from newsletter.errors import FormStale, TooMany
from newsletter.pipeline.signup import AskedFor
from subscribers.errors import InvalidAddress, InvalidValue, UnknownList

FORM = "/subscribe/rivers"


def test_the_only_newsletter_there_is_needs_no_choice(browser):
    browser.open("/subscribe?lang=fr&list=press")
    assert browser.url.endswith("/subscribe/rivers?lang=fr&list=press")
    assert browser.heading == "S’abonner à « Courrier des fleuves »"


def test_several_newsletters_are_offered_for_choice(browser, pipeline):
    pipeline.signup.several = True
    browser.open("/subscribe")
    assert browser.heading == "Our newsletters"
    assert browser.follow("River Post").heading == "Subscribe to River Post"


def test_without_a_newsletter_there_is_nothing_to_choose(browser, pipeline):
    pipeline.signup.newsletters = lambda *, language: ()
    assert "There is nothing to subscribe to at the moment." in browser.open("/subscribe").text


def test_the_form_says_what_is_agreed_to_and_with_whom(browser):
    browser.open(FORM)
    assert "I would like to receive this." in browser.text
    assert browser.link("Who we are: River Cities") == "https://rivers.example/"
    assert "Quay 1, Tideham" in browser.page.xpath("//footer")[0].text_content()


def test_no_box_is_ticked_before_the_person_ticks_it(browser):
    browser.open(FORM)
    assert browser.page.xpath("//input[@type='checkbox'][@checked]") == []


def test_fields_say_what_browsers_may_fill_in(browser):
    browser.open(FORM)
    told = {name: browser.field(name).get("autocomplete") for name in ("address", "first_name", "last_name", "topic")}
    assert told == {"address": "email", "first_name": "given-name", "last_name": "family-name", "topic": "off"}


def test_what_was_filled_in_is_asked_for_and_answered_by_others(browser, pipeline):
    browser.open(f"{FORM}?lang=fr").send(
        "S’abonner", address=" anne@towns.example ", list=["press"], first_name="Anne", language="fr"
    )
    assert pipeline.signup.asked == [
        AskedFor(
            newsletter="rivers",
            address="anne@towns.example",
            lists=("press",),
            first_name="Anne",
            language="fr",
            stamp="fresh",
            origin=ADDRESS,
        )
    ]
    assert pipeline.signup.answered == 0, "how long that takes would tell who is known"
    assert browser.url.endswith("/subscribe/rivers/asked?lang=fr")
    assert browser.heading == "Consultez votre boîte de réception"


def test_the_edition_is_that_of_the_page_where_there_is_one_and_else_the_first(browser):
    assert browser.open(f"{FORM}?lang=fr").field("language").value == "fr"
    assert browser.open(f"{FORM}?lang=ar").field("language").value == "en"


def test_a_form_can_be_narrowed_to_one_list(browser, pipeline):
    browser.open(f"{FORM}?list=press")
    assert "For the press" in browser.text
    assert "Every month" not in browser.text
    browser.send("Subscribe", address="anne@towns.example")
    assert pipeline.signup.asked[0].lists == ("press",)


def test_everything_that_is_wrong_is_said_at_once_beside_its_field(browser, pipeline):
    browser.open(FORM).send("Subscribe", address="anne@", first_name="Anne")
    assert browser.answer.status_code == 422
    assert browser.error_of("address").startswith("This does not look like an email address.")
    assert browser.error_of("list") == "Choose at least one."
    assert browser.page.findtext(".//title").startswith("Error: ")
    jumps = [link.get("href") for link in browser.page.xpath("//*[@role='alert']//a")]
    assert [browser.page.get_element_by_id(jump.removeprefix("#")).get("id") for jump in jumps] == ["address", "list"]
    assert browser.field("address").get("aria-invalid") == "true"
    assert (browser.field("address").value, browser.field("first_name").value) == ("anne@", "Anne")
    assert pipeline.signup.asked == []


def test_an_empty_address_is_asked_for(browser):
    browser.open(FORM).send("Subscribe", list=["monthly"])
    assert browser.error_of("address") == "Enter your email address."
    assert browser.page.xpath("//input[@value='monthly'][@checked]")


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (InvalidAddress("no"), "address"),
        (InvalidValue("first_name", "too long"), "first_name"),
        (InvalidValue("language", "not one"), "language"),
        (UnknownList("monthly"), "list"),
    ],
    ids=["address", "name", "language", "list"],
)
def test_what_the_verb_refuses_stands_beside_its_field(browser, pipeline, error, field):
    pipeline.signup.raises = error
    browser.open(FORM).send("Subscribe", address="anne@towns.example", list=["monthly"])
    assert browser.answer.status_code == 422
    assert browser.error_of(field)
    assert pipeline.signup.answered == 0


def test_a_form_of_another_site_is_shown_once_more_with_only_the_button_left(browser, pipeline):
    browser.open(f"{FORM}/embed?list=press").send("Subscribe", address="anne@towns.example")
    assert browser.heading == "One more click"
    assert browser.answer.status_code == 200
    assert pipeline.signup.asked == []
    browser.send("Subscribe")
    assert pipeline.signup.asked[0].address == "anne@towns.example"
    assert pipeline.signup.asked[0].lists == ("press",)
    assert browser.heading == "Look into your mailbox"


def test_a_form_that_came_too_quickly_keeps_its_stamp_which_grows_older(browser, pipeline):
    pipeline.signup.raises = FormStale("young")
    browser.open(FORM).send("Subscribe", address="anne@towns.example", list=["monthly"])
    assert browser.field("stamp").value == "young"
    browser.send("Subscribe")
    assert pipeline.signup.asked[0].stamp == "young"


def test_the_lines_for_other_sites_are_the_form_that_is_shown(browser):
    browser.open(f"{FORM}/embed?lang=fr")
    lines = browser.page.get_element_by_id("code").text
    assert 'action="https://news.example/subscribe/rivers?lang=fr"' in lines
    assert "<script" not in lines
    assert 'name="stamp"' not in lines
    shown = browser.page.xpath("//form")[0]
    assert [field.get("name") for field in shown.xpath(".//input")] == ["address", "list", "list", "language"]


def test_a_filled_trap_is_handed_on(browser, pipeline):
    browser.open(FORM).send("Subscribe", address="anne@towns.example", list=["monthly"], topic="cheap")
    assert pipeline.signup.asked[0].trap == "cheap"
    assert browser.heading == "Look into your mailbox"


def test_too_many_forms_are_put_off(browser, pipeline):
    pipeline.signup.raises = TooMany(retry_after=120)
    browser.open(FORM).send("Subscribe", address="anne@towns.example", list=["monthly"])
    assert (browser.answer.status_code, browser.answer.headers["retry-after"]) == (429, "120")


def test_without_a_public_list_there_is_nothing_to_fill_in(browser, pipeline):
    pipeline.signup.lists = ()
    for page in (FORM, f"{FORM}/embed"):
        browser.open(page)
        assert "There is nothing to subscribe to at the moment." in browser.text
        assert browser.page.xpath("//form") == []


@pytest.mark.parametrize("page", ["", "/asked", "/embed"])
def test_an_unknown_newsletter_has_no_page(browser, page):
    assert browser.open(f"/subscribe/lakes{page}").answer.status_code == 404


def test_a_form_for_an_unknown_newsletter_is_not_taken(browser, pipeline):
    assert browser._visitor.post("/subscribe/lakes", data={"address": "anne@towns.example"}).status_code == 404
    assert pipeline.signup.asked == []


@pytest.mark.parametrize("has_issues", [True, False])
def test_the_archive_is_named_where_there_is_one(browser, pipeline, has_issues):
    pipeline.archive.open = has_issues
    browser.open(f"{FORM}/asked")
    assert ("Read earlier issues" in browser.text) is has_issues


@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "el", "ar"])
def test_every_page_is_in_the_language_it_says(browser, language):
    for page in (FORM, f"{FORM}/asked", f"{FORM}/embed"):
        browser.open(f"{page}?lang={language}")
        assert browser.language == language
        assert browser.page.get("dir") == ("rtl" if language == "ar" else "ltr")
        current = browser.page.xpath("//nav//a[@aria-current]")
        assert [link.get("lang") for link in current] == [language]


def test_pages_have_the_colour_of_their_newsletter(browser, pipeline):
    dressed = pipeline.entries.newsletter("rivers").model_copy(update={"theme": Theme(accent="#3b4a94")})
    assert browser._visitor.get(f"{FORM}/look.css").text == ""
    assert browser._visitor.get("/subscribe/lakes/look.css").status_code == 404
    pipeline.entries.newsletter = lambda slug: dressed
    browser.open(FORM)
    [sheet] = [link.get("href") for link in browser.page.xpath("//link[@rel='stylesheet']")][1:]
    answer = browser._visitor.get(sheet)
    assert answer.headers["content-type"].startswith("text/css")
    assert "--accent: #3b4a94;" in answer.text
