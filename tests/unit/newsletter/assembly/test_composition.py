from dataclasses import replace

import pytest
from unit.newsletter.assembly.builders import (
    LINKS,
    a_catalogue,
    a_newsletter,
    a_plan,
    an_agenda_entry,
    an_entry,
    stored,
    the_facts,
)

from newsletter.assembly.composition import build_edition, variant_name, variants
from newsletter.assembly.edition import Alternate, Counting, Phrase
from newsletter.assembly.facts import PlacedItem, Placement
from newsletter.content.entry import SittingStatus
from newsletter.content.newsletter import Tracking
from newsletter.errors import InvalidInput

ENGLISH = {"en": {"title": "Title", "body": "Body"}}
FRENCH = {"fr": {"title": "Titre", "body": "Texte"}}


def edition(*entries, language="en", segments=(), **circumstances):
    return build_of(the_facts(*entries, **circumstances), language, segments)


def build_of(issue, language="en", segments=()):
    return build_edition(issue, language=language, segments=frozenset(segments), links=LINKS, catalogue=a_catalogue())


def item(key, segment=None):
    return PlacedItem(key=key, section="projects", position=0, segment=segment, placement=Placement.BLOCK)


def keys(found):
    return [part.key for section in found.sections for part in (*section.blocks, *section.lines)]


def test_an_edition_bears_its_names_numbers_and_addresses():
    found = edition(an_entry(), language="fr", newsletter=a_newsletter(website="https://rivers.example/"))
    assert (found.newsletter, found.issue, found.number, found.language) == ("rivers", "2026-12", 42, "fr")
    assert (found.locale, found.dir, found.variant) == ("fr-FR", "ltr", "")
    assert found.date_words.replace("\u00a0", " ") == "1er décembre 2026"
    assert (found.name.text, found.sender_name) == ("Lettre des fleuves", "Réseau des fleuves")
    assert (found.sender_address, found.reply_to, found.list_id) == ("news@rivers.example", None, "news.rivers.example")
    assert found.web_view == "https://news.example/archive/rivers/2026-12/fr"
    assert found.calendar == "https://news.example/archive/rivers/2026-12/fr/issue.ics"
    assert found.alternates == (
        Alternate(language="en", name="English", url="https://news.example/archive/rivers/2026-12/en"),
        Alternate(language="es", name="Español", url="https://news.example/archive/rivers/2026-12/es"),
    )


@pytest.mark.parametrize(
    ("tracking", "opens", "words"),
    [
        ("totals", False, "We count clicks on the links of this message, without recording whose they are."),
        (
            "totals",
            True,
            "We count how often this message is opened and its links are clicked, without recording by whom.",
        ),
        ("people", False, "We record whether you click a link in this message."),
        ("people", True, "We record whether you open this message and whether you click a link in it."),
    ],
)
def test_what_is_counted_of_its_readers_an_edition_tells_them(tracking, opens, words):
    found = edition(an_entry(), newsletter=a_newsletter(tracking=tracking, opens=opens))
    assert found.counting == Counting(tracking=Tracking(tracking), opens=opens, words=words)


def test_where_nothing_is_counted_an_edition_is_what_it_was_before():
    found = edition(an_entry(), newsletter=a_newsletter(tracking="off", opens=True))
    assert found == edition(an_entry())
    assert found.counting is None
    assert "counting" not in repr(edition(an_entry(), newsletter=a_newsletter(tracking="people")))


def test_a_right_to_left_edition_says_so():
    assert edition(language="ar", newsletter=a_newsletter(languages=["ar"])).dir == "rtl"


def test_a_newsletter_and_a_sender_without_names_are_called_by_slug_and_name():
    newsletter = a_newsletter(name={}, sender={"name": {}, "address": "news@rivers.example"})
    found = edition(newsletter=newsletter)
    assert (found.name, found.sender_name) == (Phrase(text="rivers"), "rivers")


def test_the_issues_own_words_fall_back_as_a_whole():
    texts = {
        "en": {"title": "December", "subject": "News", "preheader": "Inside", "intro": "Good morning."},
        "fr": {"subject": "Nouvelles : lisez !", "intro": "Bonjour !"},
        "es": {"title": ""},
    }
    french, spanish = (edition(plan=a_plan(texts=texts), language=language) for language in ("fr", "es"))
    assert (french.subject, french.intro) == ("Nouvelles : lisez !", Phrase(text="Bonjour\u202f!"))
    assert (french.title, french.preheader) == (Phrase(text="Décembre 2026"), Phrase(text=""))
    assert (spanish.subject, spanish.title) == ("News", Phrase(text="December", lang="en", dir="ltr"))


def test_an_issue_with_words_in_another_language_only_shows_these():
    found = edition(plan=a_plan(texts={"fr": {"title": "Décembre"}}))
    assert found.title == Phrase(text="Décembre", lang="fr", dir="ltr")


def test_an_issue_without_words_is_named_by_its_month():
    found = edition()
    assert (found.title, found.intro) == (Phrase(text="December 2026"), Phrase(text=""))
    assert found.subject == "River News – December 2026"


def test_a_french_only_entry_stands_in_the_english_edition_in_french():
    found = edition(an_entry(texts=FRENCH))
    block = found.sections[0].blocks[0]
    assert (block.lang, block.dir, block.title, block.body) == ("fr", "ltr", "Titre", "Texte")
    assert (found.fallbacks, found.missing, found.blocked) == ((("silt", "fr"),), (), ())


def test_french_words_are_no_fallback_in_a_belgian_french_edition():
    found = edition(an_entry(texts=FRENCH), language="fr-BE", newsletter=a_newsletter(languages=["fr-BE", "en"]))
    assert (found.sections[0].blocks[0].lang, found.fallbacks) == (None, ())


@pytest.mark.parametrize("own", [an_entry, an_agenda_entry])
def test_a_newsletter_may_omit_what_is_not_translated(own):
    found = edition(own("gone", texts=FRENCH), an_entry("stays"), newsletter=a_newsletter(fallback="omit"))
    assert (keys(found), found.fallbacks, found.missing, found.blocked) == (["stays"], (), ("gone",), ())
    assert found.events == ()


def test_an_issue_may_be_blocked_by_what_is_not_translated():
    found = edition(an_entry(texts=FRENCH), plan=a_plan(fallback="block"))
    assert (keys(found), found.fallbacks, found.missing, found.blocked) == (["silt"], (("silt", "fr"),), (), ("silt",))


@pytest.mark.parametrize(("language", "stand"), [("en", []), ("fr", ["silt"]), ("es", [])])
def test_an_entry_stands_in_its_own_editions_only(language, stand):
    assert keys(edition(an_entry(texts=FRENCH, languages=["fr"]), language=language)) == stand


def test_an_item_whose_dates_have_moved_out_of_the_window_leaves_nothing_behind():
    issue = the_facts(
        an_agenda_entry(topic="silt", texts=FRENCH), topics=({"key": "silt", "name": "S", "credit": "C"},)
    )
    late = an_agenda_entry(sittings=[{"key": "main", "date": "2030-01-01"}])
    found = build_of(replace(issue, entries={"assembly": stored(late)}))
    assert (found.sections, found.events, found.fallbacks, found.footer.credits) == ((), (), (), ())


def test_one_event_as_block_and_in_lines_has_one_calendar_entry_a_sitting():
    entry = an_agenda_entry(
        "sessions",
        section="lead",
        sittings=[
            {"key": "fr", "start": "2026-12-01T14:00", "end": "2026-12-01T15:00", "languages": ["fr"]},
            {"key": "en", "start": "2026-12-03T14:00", "languages": ["en"]},
            {"key": "off", "start": "2026-12-10T11:30", "status": "cancelled"},
        ],
    )
    found = edition(entry, language="fr")
    lead, agenda = found.sections
    assert [event.uid.partition("@")[0] for event in found.events] == [
        "rivers--sessions--fr",
        "rivers--sessions--en",
        "rivers--sessions--off",
    ]
    assert [event.span.end is None for event in found.events] == [False, True, True]
    assert [sitting.uid for sitting in lead.blocks[0].sittings] == [event.uid for event in found.events]
    assert [sitting.when.replace("\u00a0", " ") for sitting in lead.blocks[0].sittings] == [
        "mardi 1er décembre 2026, 14:00–15:00 CET",
        "jeudi 3 décembre 2026, 14:00 CET",
        "jeudi 10 décembre 2026, 11:30 CET",
    ]
    assert [part.languages for line in agenda.lines for part in line.parts] == ["français", "anglais", None]
    assert agenda.lines[-1].parts[0].status is SittingStatus.CANCELLED


def test_a_calendar_holds_no_sitting_that_is_over_and_is_ordered_by_time():
    entries = [
        an_agenda_entry("a", sittings=[{"key": "x", "date": "2026-12-20"}, {"key": "past", "date": "2026-11-20"}]),
        an_agenda_entry("b", section="lead", sittings=[{"key": "x", "date": "2026-12-05"}]),
        an_agenda_entry("c", sittings=[{"key": "x", "date": "2026-12-05"}]),
    ]
    assert [event.title for event in edition(*entries).events] == ["Title of b", "Title of c", "Title of a"]


def test_funders_are_named_once_for_each_of_their_topics_in_the_edition():
    topics = (
        {"key": "silt", "name": "SiltWatch", "credit": {"en": "Co-funded.", "fr": "Cofinancé."}},
        {"key": "quay", "name": {"en": "Night quays"}, "credit": "Grant 7."},
        {"key": "free", "name": "Free"},
        {"key": "absent", "name": "Absent", "credit": "Grant 9."},
    )
    entries = [
        an_entry("a", topic="quay", priority=1),
        an_entry("b", topic="silt"),
        an_entry("c", topic="silt"),
        an_agenda_entry("d", topic="free"),
        an_entry("e", topic="no key"),
        an_entry("f"),
    ]
    credit_lines = edition(*entries, topics=topics, language="fr").footer.credits
    assert credit_lines == (Phrase(text="Night quays\u00a0: Grant 7."), Phrase(text="SiltWatch\u00a0: Cofinancé."))


def test_a_footer_is_in_the_editions_words():
    footer = {
        "address": "1 Quai, Liège",
        "phone": "+32 4 000 00 00",
        "email": "office@rivers.example",
        "text": {"en": "A network.", "fr": "Un réseau."},
        "social": [{"network": "mastodon", "url": "https://social.example/@r"}],
        "logos": [{"url": "https://x.example/l.png", "alt": {"en": "Fund"}}, {"url": "https://x.example/m.png"}],
    }
    found = edition(language="fr", newsletter=a_newsletter(footer=footer)).footer
    assert (found.address, found.text) == (Phrase(text="1 Quai, Liège"), Phrase(text="Un réseau."))
    assert (found.phone, found.email) == ("+32 4 000 00 00", "office@rivers.example")
    assert [(page.network, page.url) for page in found.social] == [("mastodon", "https://social.example/@r")]
    assert [logo.alt for logo in found.logos] == [Phrase(text="Fund", lang="en", dir="ltr"), Phrase(text="")]
    empty = edition().footer
    assert (empty.address, empty.text, empty.logos, empty.credits) == (None, None, (), ())


def test_the_logo_leads_to_the_website_and_is_called_by_the_newsletters_name():
    theme = {"logo": {"url": "https://x.example/logo.png"}}
    logo = edition(newsletter=a_newsletter(theme=theme, website="https://rivers.example/")).logo
    assert (logo.alt, logo.link) == (Phrase(text="River News"), "https://rivers.example/")
    assert edition().logo is None


def test_items_for_a_segment_stand_in_its_variants_only():
    plan = a_plan(items=["a", {"key": "b", "segment": "press"}, {"key": "c", "segment": "members"}])
    entries = [an_entry(key) for key in "abc"]
    assert keys(edition(*entries, plan=plan)) == ["a"]
    assert keys(edition(*entries, plan=plan, segments={"press"})) == ["a", "b"]
    both = edition(*entries, plan=plan, segments={"press", "members"})
    assert (keys(both), both.variant) == (["a", "b", "c"], "members+press")
    assert [block.segment for block in both.sections[0].blocks] == [None, "press", "members"]


def test_variants_are_all_combinations_the_plain_edition_first():
    found = variants([item("a"), item("b", "press"), item("c", "members"), item("d", "press")])
    assert [variant_name(segments) for segments in found] == ["", "members", "press", "members+press"]
    assert variants([item("a")]) == (frozenset(),)


def test_three_segments_make_eight_variants_and_four_are_refused():
    items = [item("a", name) for name in ("one", "two", "three", "four")]
    assert len(variants(items[:3])) == 8
    with pytest.raises(InvalidInput, match="limited to 3 segments; these name four, one, three, two"):
        variants(items)


def test_the_same_facts_give_an_equal_edition():
    issue = the_facts(an_entry(), an_agenda_entry(), topics=({"key": "silt", "name": "S"},))
    assert build_of(issue) == build_of(issue)
