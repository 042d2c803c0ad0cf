import pytest
from unit.newsletter.assembly.builders import LINKS, a_catalogue, a_newsletter, an_agenda_entry, stored, the_facts

from newsletter.assembly.edition import Phrase
from newsletter.assembly.sittings import calendar_event, sitting_view, uid_of
from newsletter.assembly.wording import Wording
from newsletter.content.entry import SittingStatus
from newsletter.content.newsletter import Topic

TOPICS = {"water": Topic.model_validate({"key": "water", "name": {"en": "Living with water"}})}
URL = "https://x.example/"


def told(language="en", catalogue=None, sequences=None, sitting=None, **changes):
    """The words of an edition, an entry in them and its only sitting."""
    plain = {"key": "main", "start": "2026-12-01T14:00", **(sitting or {})}
    entry = an_agenda_entry(sittings=[plain], **changes)
    wording = Wording(language=language, settings=a_newsletter(), catalogue=catalogue or a_catalogue())
    return wording, wording.rendition(stored(entry, **(sequences or {})), TOPICS), entry.sittings[0]


def event(**circumstances):
    wording, rendition, sitting = told(**circumstances)
    return calendar_event(rendition, sitting, wording=wording)


def view(**circumstances):
    wording, rendition, sitting = told(**circumstances)
    return sitting_view(rendition, sitting, wording=wording, issue=the_facts(rendition.entry), links=LINKS)


@pytest.mark.parametrize(
    ("list_id", "uid"),
    [
        ("news.rivers.example", "rivers--assembly--main@rivers.example"),
        ("rivers.example", "rivers--assembly--main@mail.example"),
    ],
)
def test_a_uid_is_made_of_keys_and_of_the_domain_that_lasts(list_id, uid):
    newsletter = a_newsletter(list_id=list_id, sender={"name": "N", "address": "news@mail.example"})
    assert uid_of(newsletter, "assembly", "main") == uid


def test_keys_with_dots_and_hyphens_share_no_uid():
    newsletter = a_newsletter()
    assert len({uid_of(newsletter, *keys) for keys in (("a.b", "c"), ("a", "b.c"), ("a-b", "c"), ("a", "b-c"))}) == 4


def test_a_sitting_says_when_in_which_languages_and_what_is_its_own():
    shown = view(
        sequences={"main": 3},
        sitting={
            "end": "2026-12-01T15:00",
            "languages": ["fr"],
            "title": {"en": "Squares", "fr": "Places"},
            "body": {"fr": "Gratuit."},
            "place": {"online": "https://meet.example/"},
            "links": [{"action": "register", "url": URL}],
            "status": "moved",
        },
    )
    assert shown.when.replace("\u00a0", " ") == "Tuesday 1 December 2026, 14:00–15:00 CET"
    assert (shown.languages, shown.title) == ("French", Phrase(text="Squares"))
    assert shown.body == Phrase(text="Gratuit.", lang="fr", dir="ltr")
    assert (shown.place.words.text, shown.place.online) == ("", "https://meet.example/")
    assert [(link.url, link.context.text) for link in shown.links] == [(URL, "Squares")]
    assert (shown.sequence, shown.status) == (3, SittingStatus.MOVED)
    assert shown.calendar == "https://news.example/archive/rivers/2026-12/en/assembly--main.ics"


def test_a_sitting_without_words_of_its_own_leaves_them_to_its_entry():
    shown = view(place={"city": "Liège"})
    assert (shown.title, shown.body, shown.place, shown.links, shown.languages) == (None, None, None, (), None)
    assert shown.sequence == 0


def test_the_calendar_bears_the_same_uid_and_sequence_as_the_block():
    circumstances = {"sequences": {"main": 2}}
    shown, kept = view(**circumstances), event(**circumstances)
    assert (kept.uid, kept.sequence, kept.span) == (shown.uid, shown.sequence, shown.span)


def test_an_event_is_named_by_topic_and_title():
    assert event(topic="water").title == "Living with water — Title of assembly"
    assert event(sitting={"title": "Squares"}).title == "Squares"


def test_an_event_describes_itself_with_text_languages_and_links():
    links = [{"action": "read_more", "url": URL}, {"label": "Programme of the day", "url": f"{URL}p"}]
    texts = {"en": {"title": "T", "body": "Free of charge.", "links": links}}
    found = event(texts=texts, sitting={"languages": ["fr", "en"]})
    assert found.description == (
        f"In French and English\n\nFree of charge.\n\nRead more: {URL}\nProgramme of the day: {URL}p"
    )
    assert found.url == URL


def test_an_event_describes_itself_in_the_words_of_its_edition():
    catalogue = a_catalogue("fr", **{"Register": "S’inscrire", "in {languages}": "en {languages}", "{action}: {title}": "{action} : {title}"})  # fmt: skip
    sitting = {"languages": ["fr"], "links": [{"action": "register", "url": URL}]}
    texts = {"fr": {"title": "T", "body": "Gratuit."}}
    found = event(language="fr", catalogue=catalogue, sitting=sitting, texts=texts)
    assert found.description == f"En français\n\nGratuit.\n\nS’inscrire : {URL}"


def test_the_text_and_links_of_a_sitting_go_before_its_entrys():
    texts = {"en": {"title": "T", "body": "Entry.", "links": [{"action": "watch", "url": URL}]}}
    sitting = {"body": {"en": "Sitting."}, "links": [{"action": "register", "url": f"{URL}own"}]}
    found = event(texts=texts, sitting=sitting)
    assert (found.description, found.url) == (f"Sitting.\n\nRegister: {URL}own", f"{URL}own")


@pytest.mark.parametrize(
    ("place", "location", "url"),
    [
        (None, "", None),
        ({"city": "Szeged", "country": "HU"}, "Szeged (HU)", None),
        ({"online": "https://meet.example/"}, "https://meet.example/", "https://meet.example/"),
        ({"city": "Szeged", "online": "https://meet.example/"}, "Szeged", "https://meet.example/"),
    ],
)
def test_an_event_takes_place_in_words_or_online(place, location, url):
    found = event(place=place)
    assert (found.location, found.url) == (location, url)


def test_a_hybrid_event_says_where_to_take_part_from_afar():
    assert event(place={"city": "Szeged", "online": "https://meet.example/"}).description.endswith(
        "\n\nhttps://meet.example/"
    )


def test_a_link_to_an_address_of_mail_is_no_web_address_of_an_event():
    assert event(sitting={"links": [{"action": "register", "url": "mailto:office@x.example"}]}).url is None


def test_nothing_of_one_reader_stands_in_a_calendar():
    texts = {"en": {"title": "[[first_name|Reader]], come", "body": "Dear [[ last_name | guest ]] of [[city]]."}}
    found = event(texts=texts)
    assert (found.title, found.description) == ("Reader, come", "Dear guest of .")
