"""Another address, a copy of everything, erasure: each asks for the present address in full."""

import dataclasses
import json

import pytest
from visitor import ADDRESS

from newsletter.web.public.own_data import FILE_NAME
from subscribers.errors import InvalidAddress, UnknownSubscriber

PAGES = ["/p/token/address", "/p/token/data", "/p/token/erase"]
BUTTONS = ["Send the link", "Download", "Erase everything"]


@pytest.mark.parametrize("page", [*PAGES, "/p/token/address/asked"])
def test_looking_does_nothing(browser, pipeline, page):
    assert browser.open(page).answer.status_code == 200
    assert browser._visitor.head(page).status_code == 200
    assert pipeline.own.done == []


@pytest.mark.parametrize("deed", [*zip(PAGES, BUTTONS, strict=True)], ids=["address", "data", "erasure"])
@pytest.mark.parametrize(
    ("typed", "problem"),
    [("", "Enter your email address."), ("other@towns.example", "This is not the address that this page belongs to.")],
)
def test_who_does_not_know_the_address_can_do_nothing(browser, pipeline, deed, typed, problem):
    page, button = deed
    others = {"address": "new@towns.example"} if page.endswith("address") else {}
    browser.open(page).send(button, present=typed, **others)
    assert browser.answer.status_code == 422
    assert browser.error_of("present") == problem
    assert browser.field("present").value == ""
    assert pipeline.own.done == []


def test_another_address_is_asked_for_and_confirmed_elsewhere(browser, pipeline):
    browser.open("/p/token").follow("Change your address")
    browser.send("Send the link", present="Anne@towns.example", address="new@towns.example")
    assert pipeline.own.done == [("ask_for_address", "new@towns.example", ADDRESS)]
    assert pipeline.signup.answered == 0, "how long that takes would tell who is known"
    assert browser.url.endswith("/p/token/address/asked?lang=en")
    assert browser.heading == "Look into the new mailbox"
    assert browser.follow("Back to your preferences").heading == "Your preferences"


def test_both_fields_of_the_address_are_looked_at_together(browser, pipeline):
    browser.open("/p/token/address").send("Send the link", present="x", address="new@")
    assert browser.error_of("present") == "This is not the address that this page belongs to."
    assert browser.error_of("address").startswith("This does not look like an email address.")
    assert browser.field("address").value == "new@"


def test_an_address_that_the_verb_refuses_is_told(browser, pipeline):
    pipeline.own.raises = InvalidAddress("no")
    browser.open("/p/token/address").send("Send the link", present="anne@towns.example", address="new@towns.example")
    assert browser.error_of("address")


def test_a_change_that_waits_can_be_withdrawn(browser, pipeline):
    pipeline.own.card = dataclasses.replace(pipeline.own.card, awaiting="n•••@t•••.example")
    browser.open("/p/token")
    assert "n•••@t•••.example" in browser.text
    browser.send("Keep the present address")
    assert pipeline.own.done == [("keep_address",)]
    assert browser.url.endswith("/p/token?lang=en&kept=1")
    assert "Your address stays as it is." in browser.text


def test_everything_that_is_stored_comes_as_a_file(browser, pipeline):
    browser.open("/p/token").follow("Download everything we hold about you")
    browser.send("Download", present="anne@towns.example")
    assert browser.answer.headers["content-type"] == "application/json"
    assert browser.answer.headers["content-disposition"] == f'attachment; filename="{FILE_NAME}"'
    assert "Liège" in browser.answer.text
    assert json.loads(browser.answer.text)["since"] == "2026-12-01"


def test_erasure_says_what_goes_and_what_stays_before_it_is_done(browser, pipeline):
    browser.open("/p/token").follow("Erase everything about you")
    assert "What is kept" in browser.text
    assert "code that was computed from your address" in browser.text
    browser.send("Erase everything", present="anne@towns.example")
    assert pipeline.own.done == [("erase",)]
    assert browser.url.endswith("/p/token?lang=en&erased=1")
    assert (browser.answer.status_code, browser.heading) == (200, "Everything has been erased")


def test_erasure_can_be_thought_over(browser, pipeline):
    browser.open("/p/token/erase").follow("Keep everything as it is")
    assert browser.heading == "Your preferences"
    assert pipeline.own.done == []


def test_a_person_who_is_gone_has_nothing_to_do_here(browser, pipeline):
    browser.open("/p/token/data")
    pipeline.own.raises = UnknownSubscriber()
    assert browser.send("Download", present="anne@towns.example").answer.status_code == 410
    pipeline.own.known = False
    visitor = browser._visitor
    assert {visitor.get(page).status_code for page in PAGES} == {410}
    assert {visitor.post(page).status_code for page in (*PAGES, "/p/token/address/keep")} == {410}
    assert browser.open("/p/token/data").heading == "We hold nothing about you"


@pytest.mark.parametrize("page", [*PAGES, "/p/token/address/keep"])
def test_a_link_that_is_not_ours_has_no_page(browser, pipeline, page):
    assert browser._visitor.post(page.replace("token", "forged")).status_code == 404
    assert pipeline.own.done == []
