"""The whole way of a subscriber with a program that reads pages and sends forms, and runs no script."""

import json
import re

import pytest
from plain_browser import PlainBrowser
from subscribing import scene
from visitor import ROOT, visiting

from newsletter.web.app import create_app

ANNE = "anne@towns.example"
NEW = "anne.tilleul@towns.example"


@pytest.fixture
def house(tmp_path):
    with scene(tmp_path, root=ROOT) as opened:
        yield opened


@pytest.fixture
def browser(house):
    with visiting(create_app(house.pipeline)) as visitor:
        yield PlainBrowser(visitor)


def standing(house, address=ANNE):
    return house.pipeline.people.show(address)


def subscribe(house, browser, *, lists=("monthly",), language="en"):
    browser.open(f"/subscribe?lang={language}")
    house.forward(seconds=10)
    browser.send({"en": "Subscribe", "fr": "S’abonner"}[language], address=ANNE, list=list(lists))
    house.dispatch()
    browser.open(house.link(ANNE, "c"))
    return browser.send({"en": "Confirm", "fr": "Confirmer"}[language])


def test_from_the_form_to_the_undo_in_french(house, browser):
    browser.open("/subscribe?lang=fr")
    assert browser.heading == "S’abonner à « Courrier du port »"
    house.forward(seconds=10)
    browser.send("S’abonner", address=ANNE, list=["monthly"], first_name="Anne")
    assert browser.heading == "Consultez votre boîte de réception"
    house.dispatch()
    [letter] = house.letters(ANNE)
    assert letter["Content-Language"] == "fr"
    assert "Anne" not in letter.get_body(("plain",)).get_content().replace(ANNE, "")

    browser.open(house.link(ANNE, "c"))
    assert (browser.language, browser.heading) == ("fr", "Confirmer votre abonnement")
    assert ANNE not in browser.answer.text
    browser.send("Confirmer")
    assert browser.heading == "Votre abonnement est confirmé"
    assert "Chaque mois" in browser.text

    browser.follow("Vos préférences")
    assert browser.field("first_name").value == "Anne"
    browser.send("Enregistrer", language="en", timezone="Asia/Kolkata", list=["monthly", "press"])
    assert (browser.language, browser.heading) == ("en", "Your preferences")
    assert "Your preferences are saved." in browser.text
    assert standing(house).person.lists == ("monthly", "press")
    assert standing(house).person.fields["timezone"] == "Asia/Kolkata"

    house.send_issue()
    browser.open(house.link(ANNE, "u"))
    assert browser.heading == "Unsubscribe from Harbour Post?"
    assert ANNE not in browser.answer.text
    browser.send("Unsubscribe")
    assert browser.heading == "You no longer receive Harbour Post"
    assert "harbour" in standing(house).departures
    browser.send("Undo: I want to keep receiving it")
    assert browser.heading == "You keep receiving Harbour Post"
    assert standing(house).departures == {}
    assert browser.follow("Your preferences").heading == "Your preferences"
    browser.open("/archive/harbour/")
    assert browser.answer.status_code == 200


def test_a_form_on_another_site_takes_one_step_more(house, browser):
    browser.open("/subscribe/harbour/embed?list=monthly")
    browser.send("Subscribe", address=ANNE)
    assert browser.heading == "One more click"
    browser.send("Subscribe")
    assert browser.heading == "One more click", "nobody reads a page in no time"
    house.forward(seconds=4)
    browser.send("Subscribe")
    assert browser.heading == "Look into your mailbox"
    house.dispatch()
    assert len(house.letters(ANNE)) == 1


def test_the_answer_is_the_same_for_who_is_subscribed_already(house, browser):
    subscribe(house, browser)
    pages = []
    for address in (ANNE, "stranger@towns.example"):
        browser.open("/subscribe/harbour")
        house.forward(seconds=10)
        browser.send("Subscribe", address=address, list=["monthly"])
        pages.append((browser.url, browser.answer.text))
    assert pages[0] == pages[1]


def test_a_used_link_says_what_it_did_and_an_old_one_leads_back_to_the_form(house, browser):
    subscribe(house, browser)
    link = house.link(ANNE, "c")
    assert browser.open(link).heading == "Your subscription is confirmed"
    house.forward(days=2)
    browser.open("/subscribe/harbour")
    house.forward(seconds=10)
    browser.send("Subscribe", address="late@towns.example", list=["press"])
    house.dispatch()
    house.forward(days=60)
    browser.open(house.link("late@towns.example", "c"))
    assert browser.heading == "This link is no longer valid"
    assert browser.follow("Subscribe again").heading == "Subscribe to Harbour Post"


def test_another_address_is_confirmed_where_it_is_read(house, browser):
    subscribe(house, browser)
    browser.follow("Your preferences").follow("Change your address")
    browser.send("Send the link", present="somebody@towns.example", address=NEW)
    assert browser.error_of("present") == "This is not the address that this page belongs to."
    browser.send("Send the link", present=ANNE.upper(), address=NEW)
    assert browser.heading == "Look into the new mailbox"
    house.dispatch()
    browser.follow("Back to your preferences")
    assert "A change waits for its confirmation" in browser.text
    assert len(house.letters(NEW)) == 1
    browser.open(house.link(NEW, "c"))
    assert browser.heading == "Confirm your new address"
    browser.send("Confirm")
    assert browser.heading == "Your address has changed"
    assert standing(house, NEW).person.lists == ("monthly",)


def test_a_person_reads_and_then_erases_what_is_held_about_them(house, browser):
    subscribe(house, browser, lists=("monthly", "press"))
    browser.follow("Your preferences")
    page = browser.url
    browser.follow("Download everything we hold about you").send("Download", present=ANNE)
    assert ANNE in json.dumps(json.loads(browser.answer.text))
    browser.open(page).follow("Erase everything about you")
    browser.send("Erase everything", present=ANNE)
    assert browser.heading == "Everything has been erased"
    browser.open(page)
    assert (browser.answer.status_code, browser.heading) == (410, "We hold nothing about you")
    for table in ("subscriber", "membership"):
        with house.pipeline.parts.engine.connect() as connection:
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


def test_no_page_names_an_address_in_full_or_loads_from_elsewhere(house, browser):
    subscribe(house, browser)
    card = browser.follow("Your preferences").url
    house.send_issue()
    for page in (card, *(f"{card.partition('?')[0]}/{name}" for name in ("address", "data", "erase"))):
        browser.open(page)
        assert browser.answer.status_code == 200
        assert ANNE not in browser.answer.text
        loaded = browser.page.xpath("//@src | //link/@href")
        assert [each for each in loaded if not re.match(r"/(static|subscribe)/", each)] == []
        assert browser.page.xpath("//script | //@style | //style") == []
        assert "set-cookie" not in browser.answer.headers
