"""The page behind the link of a confirmation mail."""

import dataclasses

import pytest
from visitor import ADDRESS

from newsletter.pipeline.offering import Consent
from newsletter.pipeline.signup import InvitationState
from subscribers.errors import SubscriberExists
from subscribers.models import RequestKind

CONSENT = Consent(text="I would like to receive this.", language="en", version="1")


def put(pipeline, **changes):
    pipeline.signup.invitation = dataclasses.replace(pipeline.signup.invitation, **changes)


def test_looking_shows_what_is_to_be_confirmed_and_confirms_nothing(browser, pipeline):
    browser.open("/c/token")
    assert browser.heading == "Confirm your subscription"
    assert "a•••@t•••.example" in browser.text
    assert "Every month" in browser.text
    assert browser._visitor.head("/c/token").status_code == 200
    assert pipeline.signup.confirmed == []


def test_what_is_agreed_to_by_confirming_stands_above_the_button(browser, pipeline):
    put(pipeline, consent=CONSENT)
    assert "I would like to receive this." in browser.open("/c/token").text


def test_the_button_confirms_and_leads_to_what_comes_next(browser, pipeline):
    browser.open("/c/token?lang=fr")
    put(pipeline, state=InvitationState.CONFIRMED, preferences="preferences-token")
    browser.send("Confirmer")
    assert pipeline.signup.confirmed == [("token", ADDRESS)]
    assert browser.url.endswith("/c/token?lang=fr")
    assert browser.heading == "Votre abonnement est confirmé"
    assert browser.link("Vos préférences") == "../p/preferences-token"
    assert browser.link("Lire les numéros précédents") == "../archive/rivers"


def test_the_page_is_in_the_language_of_what_was_asked_for(browser, pipeline):
    put(pipeline, language="fr")
    assert browser.open("/c/token").language == "fr"


def test_a_link_that_is_too_old_leads_back_to_the_form(browser, pipeline):
    put(pipeline, state=InvitationState.EXPIRED)
    assert browser.open("/c/token").heading == "This link is no longer valid"
    assert browser.link("Subscribe again") == "../subscribe/rivers?lang=en"
    assert browser.page.xpath("//form") == []


@pytest.mark.parametrize(
    ("state", "heading"),
    [
        (InvitationState.OPEN, "Confirm your new address"),
        (InvitationState.CONFIRMED, "Your address has changed"),
        (InvitationState.EXPIRED, "This link is no longer valid"),
    ],
)
def test_a_new_address_has_words_of_its_own(browser, pipeline, state, heading):
    put(pipeline, kind=RequestKind.ADDRESS, state=state, lists=())
    assert browser.open("/c/token").heading == heading
    assert "subscri" not in browser.text.lower()


def test_an_address_that_was_taken_meanwhile_is_told_and_nothing_is_done(browser, pipeline):
    put(pipeline, kind=RequestKind.ADDRESS)
    browser.open("/c/token")
    pipeline.signup.raises = SubscriberExists()
    browser.send("Confirm")
    assert browser.answer.status_code == 409
    assert browser.heading == "This address is in use already"


def test_a_link_whose_person_is_gone_says_so(browser):
    for answer in (browser.open("/c/gone"), browser):
        assert answer.answer.status_code == 410
        assert answer.heading == "We hold nothing about you"
        assert answer.link("Subscribe") == "/subscribe?lang=en"
    assert browser._visitor.post("/c/gone").status_code == 410


def test_a_link_that_is_not_ours_has_no_page(browser):
    assert browser._visitor.get("/c/forged").status_code == 404
    assert browser._visitor.post("/c/forged").status_code == 404
