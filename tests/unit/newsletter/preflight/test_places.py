from newsletter.preflight.places import PlacedLink, PlacedText, entries_in, links_of, pictures_in, texts_in

SITTING = {
    "key": "morning",
    "date": "2026-12-10",
    "title": {"en": "At the crane"},
    "body": {"en": "See [the map](https://maps.example/crane)."},
    "links": [{"label": {"en": "Seats"}, "url": "https://www.harbours.example/seats"}],
    "place": {"online": "https://meet.harbours.example/crane"},
}

FOOTER = {
    "text": "Harbours are a network.",
    "social": [{"network": "mastodon", "url": "https://social.example/@harbours"}],
    "logos": [{"url": "https://www.harbours.example/fund.png", "alt": "Fund", "link": "https://fund.example/"}],
}


def words(edition):
    return [(text.place, text.text) for text in texts_in(edition)]


def links(edition):
    return [(link.place, link.url) for link in links_of(edition)]


def test_the_words_of_an_issue_and_its_sections_are_texts(given):
    edition = given.compiled(given.issue(newsletter={"footer": FOOTER})).edition
    assert words(edition) == [
        ("title", "December"),
        ("subject", "Two piers"),
        ("preheader", "And a crane."),
        ("intro", "Good morning."),
        ("section: news", "News"),
        ("piers", "Two piers"),
        ("footer", "Harbours are a network."),
    ]


def test_the_words_of_a_block_and_its_sittings_are_texts(given):
    links = [{"label": "Programme", "url": "https://www.harbours.example/p"}]
    edition = given.compiled(given.issue(given.event("open-day", SITTING, body="Come.", links=links))).edition
    assert words(edition)[5:] == [
        ("open-day", "Open day"),
        ("open-day", "Come."),
        ("open-day", "Programme"),
        ("open-day: morning", "At the crane"),
        ("open-day: morning", "See [the map](https://maps.example/crane)."),
        ("open-day: morning", "Seats"),
        ("section: agenda", "Agenda"),
    ]


def test_only_bodies_and_introduction_are_markdown(given):
    edition = given.compiled(given.issue(given.news(body="Come."))).edition
    assert [text.text for text in texts_in(edition) if text.markdown] == ["Good morning.", "Come."]


def test_the_words_of_a_line_are_texts_where_its_entry_has_no_block(given):
    edition = given.compiled(given.issue(given.event("open-day", SITTING, section="agenda"))).edition
    assert words(edition)[5:] == [("open-day", "At the crane"), ("open-day", "Seats")]


def test_words_of_another_language_bear_that_language(given):
    french = given.news(texts={"fr": {"title": "Deux jetées"}})
    edition = given.compiled(given.issue(french)).edition
    assert PlacedText(place="piers", text="Deux jetées", language="fr") in list(texts_in(edition))


def test_every_link_of_a_block_and_its_sittings_has_its_place(given):
    event = given.event(
        "open-day",
        SITTING,
        topic="cranes",
        body="[Map](https://maps.example/)",
        links=[{"action": "register", "url": "https://www.harbours.example/r"}],
        place={"city": "Ghent", "online": "https://meet.harbours.example/"},
        image={"url": "https://img.example/a.jpg", "link": "https://img.example/"},
    )
    topic = {"key": "cranes", "name": "Cranes", "url": "https://cranes.example/"}
    edition = given.compiled(given.issue(event, topics=[topic])).edition
    assert links(edition) == [
        ("open-day", "https://cranes.example/"),
        ("open-day", "https://maps.example/"),
        ("open-day", "https://www.harbours.example/r"),
        ("open-day", "https://meet.harbours.example/"),
        ("open-day: morning", "https://maps.example/crane"),
        ("open-day: morning", "https://www.harbours.example/seats"),
        ("open-day: morning", "https://meet.harbours.example/crane"),
        ("open-day", "https://img.example/a.jpg"),
        ("open-day", "https://img.example/"),
    ]


def test_the_links_of_a_line_count_where_its_entry_has_no_block(given):
    edition = given.compiled(given.issue(given.event("open-day", SITTING, section="agenda"))).edition
    assert list(links_of(edition)) == [
        PlacedLink(place="open-day", url="https://www.harbours.example/seats", label="Seats", dated=True),
        PlacedLink(place="open-day", url="https://meet.harbours.example/crane"),
    ]


def test_the_links_of_introduction_masthead_and_footer_have_their_places(given):
    plan = {"texts": {"en": {"intro": "[Us](https://www.harbours.example/us)"}}}
    logo = {"url": "https://www.harbours.example/logo.png"}
    newsletter = {"website": "https://www.harbours.example/", "footer": FOOTER, "theme": {"logo": logo}}
    edition = given.compiled(given.issue(plan=plan, newsletter=newsletter)).edition
    assert links(edition) == [
        ("intro", "https://www.harbours.example/us"),
        ("masthead", "https://www.harbours.example/"),
        ("masthead", "https://www.harbours.example/logo.png"),
        ("masthead", "https://www.harbours.example/"),
        ("footer", "https://www.harbours.example/fund.png"),
        ("footer", "https://fund.example/"),
        ("footer", "https://social.example/@harbours"),
    ]


def test_a_stored_picture_lies_with_us_and_is_no_link_to_look_after(given):
    edition = given.compiled(given.issue(given.news(image={"file": "a1.png", "alt": "A crane"}))).edition
    assert links(edition) == []
    assert [(place, picture.alt.text) for place, picture in pictures_in(edition)] == [("piers", "A crane")]


def test_an_action_has_no_label_and_a_sittings_link_is_dated(given):
    event = given.event("open-day", SITTING, links=[{"action": "register", "url": "https://www.harbours.example/r"}])
    found = list(links_of(given.compiled(given.issue(event)).edition))
    assert [(link.label, link.dated, link.entry) for link in found] == [
        (None, False, "open-day"),
        ("the map", True, "open-day"),
        ("Seats", True, "open-day"),
        (None, False, "open-day"),
    ]


def test_an_entry_that_stands_twice_is_named_once(given):
    edition = given.compiled(given.issue(given.news(), given.event())).edition
    assert entries_in(edition) == ("open-day", "piers")


def test_a_link_knows_the_language_of_its_text(given):
    body = "[One](https://www.harbours.example/one)"
    texts = {
        "fr": {"title": "Jetées", "body": body, "links": [{"label": "Deux", "url": "https://www.harbours.example/2"}]}
    }
    facts = given.issue(given.news(texts=texts), newsletter={"website": "https://www.harbours.example/"})
    assert [(link.url[-3:], link.language) for link in links_of(given.compiled(facts).edition)] == [
        ("one", "fr"),
        ("e/2", "fr"),
        ("le/", None),
    ]
