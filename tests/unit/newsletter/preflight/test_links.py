import pytest

from newsletter.preflight import links

GOOD = "https://www.city.example/page"


def found(given, *entries, **issue):
    facts = given.issue(*entries, **issue)
    return list(links.check(given.compiled(facts), facts))


def with_label(given, label, url=GOOD, key="piers"):
    return given.news(key, links=[{"label": label, "url": url}])


def test_a_link_that_says_where_it_leads_is_clean(given):
    assert found(given, given.news(body=f"See [the plan of the pier]({GOOD}).")) == []


def test_a_link_without_words_is_an_error(given):
    (finding,) = found(given, given.news(body=f"Piers [ ]({GOOD}) here."))
    assert (finding.code, finding.severity, finding.place) == ("link-empty", "error", "piers")
    assert finding.message() == f"A link has no words: nobody sees it, and it leads to “{GOOD}”."


@pytest.mark.parametrize("body", [f"[A]({GOOD})", f"<{GOOD}>"])
def test_a_link_of_one_letter_or_of_its_address_is_not_empty(given, body):
    assert found(given, given.news(body=body)) == []


def test_a_link_without_target_is_an_error(given):
    (finding,) = found(given, given.news(body="[The plan]()"))
    assert (finding.code, finding.severity) == ("link-targetless", "error")
    assert finding.message() == "The link “The plan” leads nowhere."


@pytest.mark.parametrize(
    "url", ["/page", "www.city.example/page", "htps://city.example", "https:///page", "mailto:", "https://[::1/page"]
)
def test_a_target_that_no_mail_program_can_open_is_an_error(given, url):
    (finding,) = found(given, given.news(body=f"[The plan]({url})"))
    assert (finding.code, finding.severity) == ("link-malformed", "error")
    assert finding.message().startswith(f"The link “The plan” leads to “{url}”")


@pytest.mark.parametrize("body", ["\\[The plan](/plan)", "Type `[The plan](/plan)`.", "The plan (/plan) [1]"])
def test_brackets_that_are_meant_as_brackets_are_clean(given, body):
    assert found(given, given.news(body=body)) == []


@pytest.mark.parametrize("url", [GOOD, "mailto:office@city.example", "tel:+3240000000"])
def test_a_target_that_a_mail_program_can_open_is_clean(given, url):
    assert found(given, given.news(body=f"[The plan]({url})")) == []


@pytest.mark.parametrize("label", ["here", "Click here!", "(…)", ">>>", "Lire la suite »", "hier", "Aquí.", "هنا"])
def test_a_label_that_says_nothing_is_a_warning(given, label):
    (finding,) = found(given, with_label(given, label))
    assert (finding.code, finding.severity, finding.place) == ("link-label-vague", "warning", "piers")
    assert finding.message() == f"The link “{label}” does not say where it leads (to {GOOD})."


@pytest.mark.parametrize("label", ["Here are the plans", "Programme & registration", "2027", "Мост"])
def test_a_label_with_something_to_say_is_clean(given, label):
    assert found(given, with_label(given, label)) == []


def test_an_action_is_never_vague(given):
    assert found(given, given.news(links=[{"action": "read_more", "url": GOOD}])) == []


def test_an_unencrypted_link_is_a_warning(given):
    (finding,) = found(given, with_label(given, "The plan", "http://www.city.example/"))
    assert (finding.code, finding.severity, finding.place) == ("link-http", "warning", "piers")


def test_an_unencrypted_picture_is_a_warning(given):
    picture = {"url": "http://img.example/a.jpg", "alt": "A crane"}
    assert given.codes(found(given, given.news(image=picture))) == ["link-http"]


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/a",
        "https://10.0.0.7/a",
        "https://[::1]/a",
        "https://cms.local/a",
        "https://city.test/a",
        "https://staging.city.example/a",
        "https://www-preprod.city.example/a",
        "https://test2.city.example/a",
    ],
)
def test_an_address_that_readers_cannot_reach_is_a_warning(given, url):
    (finding,) = found(given, with_label(given, "The plan", url))
    assert (finding.code, finding.severity) == ("link-staging", "warning")
    assert finding.message() == f"{url} looks like a test or internal address, which readers cannot open."


@pytest.mark.parametrize(
    "url",
    [
        "https://test.example/a",
        "https://www.test.example/a",
        "https://latest.city.example/a",
        "https://backstage.city.example/a",
        "https://192.0.43.7/a",
        "https://city.example/staging/a",
    ],
)
def test_an_address_that_only_looks_similar_is_clean(given, url):
    assert found(given, with_label(given, "The plan", url)) == []


def test_the_same_words_with_two_targets_are_a_warning(given):
    other = "https://www.city.example/other"
    (finding,) = found(given, with_label(given, "The plan"), with_label(given, "the  plan", other, key="crane"))
    assert (finding.code, finding.severity, finding.place) == ("link-same-words", "warning", "")
    assert finding.message() == f"The words “the  plan” lead to different pages: “{other}”, “{GOOD}”."


def test_the_same_words_twice_in_one_text_are_a_warning_there(given):
    body = f"[Plan]({GOOD}) and [plan]({GOOD}2)"
    (finding,) = found(given, given.news(body=body))
    assert (finding.code, finding.place) == ("link-same-words", "piers")


def test_the_same_words_with_one_target_are_clean(given):
    assert found(given, with_label(given, "The plan"), with_label(given, "The plan", key="crane")) == []


def test_sittings_of_one_event_may_all_say_the_same(given):
    def sitting(day):
        seats = {"label": {"en": "Seats"}, "url": f"https://www.city.example/{day}"}
        return {"key": f"s{day}", "date": f"2026-12-{day}", "links": [seats]}

    assert found(given, given.event("open-day", sitting(10), sitting(11))) == []


def test_equal_vague_words_are_told_of_once_each_and_not_as_the_same_words(given):
    entries = with_label(given, "here"), with_label(given, "here", f"{GOOD}2", key="crane")
    assert given.codes(found(given, *entries)) == ["link-label-vague", "link-label-vague"]


def test_words_differ_only_where_letters_do(given):
    entries = with_label(given, "The plan!"), with_label(given, "→ the PLAN", f"{GOOD}2", key="crane")
    assert given.codes(found(given, *entries)) == ["link-same-words"]


SITE = "https://www.city.example"


def french(given, url, *, others=(f"{SITE}/fr/ponts",), label="Les jetées", **entry):
    """What is found in the French edition of an entry with this link in its French text, and others beside it."""
    also = [{"label": f"Page {number}", "url": other} for number, other in enumerate(others)]
    texts = {
        "en": {"title": "Two piers"},
        "fr": {"title": "Deux jetées", "links": [{"label": label, "url": url}, *also]},
    }
    facts = given.issue(given.news(**{"texts": texts, **entry}))
    return [
        finding for finding in links.check(given.compiled(facts, "fr"), facts) if finding.code == "link-other-language"
    ]


def test_a_french_text_that_leads_to_english_pages_is_a_warning(given):
    (finding,) = french(given, f"{SITE}/en/piers")
    assert (finding.severity, finding.edition, finding.place) == ("warning", "fr", "piers")
    assert finding.message() == (
        "In the French edition a link leads to the English pages of a site that has its own language too: "
        "https://www.city.example/en/piers"
    )


@pytest.mark.parametrize(
    ("url", "other"),
    [
        (f"{SITE}/en-GB/piers", f"{SITE}/fr_BE/ponts"),
        ("https://en.city.example/piers", "https://fr.city.example/ponts"),
        (f"{SITE}/piers?lang=en", f"{SITE}/ponts?hl=fr"),
    ],
)
def test_a_language_may_stand_in_path_host_or_query(given, url, other):
    assert len(french(given, url, others=(other,))) == 1


@pytest.mark.parametrize(
    ("url", "other"),
    [
        (f"{SITE}/fr/piers", f"{SITE}/en/ponts"),
        (f"{SITE}/en/piers", f"{SITE}/en/bridges"),
        (f"{SITE}/en/piers", "https://www.port.example/fr/ponts"),
        (f"{SITE}/de/piers", f"{SITE}/fr/ponts"),
        (f"{SITE}/enter/piers", f"{SITE}/fr/ponts"),
        (f"{SITE}/piers?page=en", f"{SITE}/fr/ponts"),
        ("mailto:piers@city.example", f"{SITE}/fr/ponts"),
        ("https://city.example/piers", "https://fr.city.example/ponts"),
    ],
)
def test_a_site_that_shows_no_french_pages_or_another_language_is_none(given, url, other):
    found = french(given, url, others=(other,))
    assert [finding for finding in found if ("url", url) in finding.facts] == []


@pytest.mark.parametrize("label", ["Les jetées (en anglais)", "Piers in English", "Les jetées (EN)"])
def test_words_that_say_the_language_are_fair(given, label):
    assert french(given, f"{SITE}/en/piers", label=label) == []


def test_a_text_that_is_shown_in_another_language_may_lead_there(given):
    english = {"en": {"title": "Piers", "links": [{"label": "All", "url": f"{SITE}/en/piers"}]}}
    facts = given.issue(given.news(texts=english), given.news("cranes", body=f"[Les ponts]({SITE}/fr/ponts)"))
    assert "link-other-language" not in given.codes(links.check(given.compiled(facts, "fr"), facts))


def test_a_link_that_serves_all_languages_is_not_judged(given):
    image = {"url": "https://x.example/a.jpg", "alt": "x", "link": f"{SITE}/en/piers"}
    assert french(given, f"{SITE}/fr/piers", image=image) == []
