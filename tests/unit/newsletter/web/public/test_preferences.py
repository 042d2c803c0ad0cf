"""What a person receives and says about themselves."""

import dataclasses

import pytest
from visitor import ADDRESS

from newsletter.pipeline.card import Changes, ListChoice
from newsletter.pipeline.signup import ListOffer, NewsletterOffer
from subscribers.errors import InvalidValue, UnknownSubscriber

PAGE = "/p/token"


def put(pipeline, **changes):
    pipeline.own.card = dataclasses.replace(pipeline.own.card, **changes)


def test_looking_shows_the_address_in_part_and_changes_nothing(browser, pipeline):
    browser.open(PAGE)
    assert browser.heading == "Your preferences"
    assert "a•••@t•••.example" in browser.text
    assert browser._visitor.head(PAGE).status_code == 200
    assert pipeline.own.done == []


def test_what_is_changed_is_saved_and_said(browser, pipeline):
    browser.open(PAGE).send(
        "Save", first_name="Anna", last_name="Tilleul", timezone="Asia/Kolkata", list=["press"], language="en"
    )
    changes = Changes(
        first_name="Anna",
        last_name="Tilleul",
        language="en",
        timezone="Asia/Kolkata",
        join=("press",),
        leave=("monthly",),
        shown_in="en",
        origin=ADDRESS,
    )
    assert pipeline.own.done == [("change", changes)]
    assert browser.url.endswith("/p/token?saved=1")
    assert [each.text for each in browser.page.xpath("//*[@role='status']")] == ["Your preferences are saved."]


def test_saving_without_a_change_joins_and_leaves_nothing(browser, pipeline):
    browser.open(PAGE).send("Save")
    [(_, changes)] = pipeline.own.done
    assert (changes.join, changes.leave, changes.rejoin) == ((), (), ())


def test_a_list_that_came_up_meanwhile_is_not_left(browser, pipeline):
    browser.open(PAGE)
    extra = ListOffer(name="extra", title="Extra", description="", language="en")
    put(pipeline, lists=(*pipeline.own.card.lists, ListChoice(offer=extra, joined=True, pending=False)))
    browser.send("Save")
    [(_, changes)] = pipeline.own.done
    assert changes.leave == ()


def test_another_language_is_that_of_the_page_from_then_on(browser, pipeline):
    browser.open(f"{PAGE}?lang=en")
    browser.send("Save", language="fr")
    assert browser.url.endswith("/p/token?saved=1")


def test_a_language_that_was_chosen_for_the_page_stays(browser):
    browser.open(f"{PAGE}?lang=fr").send("Enregistrer", first_name="Anna")
    assert browser.url.endswith("/p/token?lang=fr&saved=1")


def test_the_page_is_in_the_language_of_the_person(browser, pipeline):
    put(pipeline, language="fr")
    assert browser.open(PAGE).language == "fr"
    assert browser.open(f"{PAGE}?lang=de").language == "de"


def test_a_newsletter_that_was_left_can_be_had_again(browser, pipeline):
    put(pipeline, left=(NewsletterOffer(slug="rivers", name="River Post", languages=("en",)),))
    browser.open(PAGE).send("Save", rejoin=["rivers"])
    [(_, changes)] = pipeline.own.done
    assert changes.rejoin == ("rivers",)


def test_a_list_that_waits_for_confirmation_says_so(browser, pipeline):
    first, second = pipeline.own.card.lists
    put(pipeline, lists=(first, dataclasses.replace(second, pending=True)))
    assert "Waiting for your confirmation" in browser.open(PAGE).text


def test_somebody_on_no_list_is_told(browser, pipeline):
    put(pipeline, lists=())
    assert "You are on none of our lists." in browser.open(PAGE).text


def test_an_address_that_nothing_is_sent_to_is_told(browser, pipeline):
    put(pipeline, barred=True)
    assert "nothing is sent to this address" in browser.open(PAGE).text


def test_what_is_not_known_is_not_made_up(browser, pipeline):
    put(pipeline, language="", timezone="")
    browser.open(PAGE)
    assert (browser.field("language").value, browser.field("timezone").value) == ("", "")


def test_what_is_stored_and_not_offered_any_more_stays_chosen(browser, pipeline):
    put(pipeline, language="nl", timezone="US/Eastern")
    browser.open(PAGE)
    assert (browser.field("language").value, browser.field("timezone").value) == ("nl", "US/Eastern")
    browser.send("Save")
    [(_, changes)] = pipeline.own.done
    assert (changes.language, changes.timezone) == ("nl", "US/Eastern")


def test_a_zone_that_was_not_offered_is_refused_beside_its_field(browser, pipeline):
    browser.open(PAGE)
    answer = browser._visitor.post(PAGE, data={"timezone": "Moon/Tranquility", "first_name": "Anna"})
    assert answer.status_code == 422
    assert 'id="timezone-error"' in answer.text
    assert 'value="Anna"' in answer.text
    assert pipeline.own.done == []


def test_what_the_verb_refuses_stands_beside_its_field(browser, pipeline):
    browser.open(PAGE)
    pipeline.own.raises = InvalidValue("first_name", "too long")
    browser.send("Save", first_name="A" * 100)
    assert browser.answer.status_code == 422
    assert browser.error_of("first_name").startswith("This cannot be taken as it is.")
    assert browser.page.xpath("//*[@role='status']") == []


def test_a_person_who_is_gone_has_no_preferences(browser, pipeline):
    browser.open(PAGE)
    pipeline.own.raises = UnknownSubscriber()
    assert browser.send("Save").answer.status_code == 410
    pipeline.own.known = False
    assert browser._visitor.get(PAGE).status_code == 410
    assert browser._visitor.post(PAGE).status_code == 410


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_is_not_ours_has_no_page(browser, method):
    assert browser._visitor.ask(method, "/p/forged").status_code == 404
