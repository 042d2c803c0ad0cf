"""A new officer's whole way, from an empty database to the report of an issue that went out over real SMTP."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
from browser.officer import Keyboard, Mouse, Officer, an_empty_house
from PIL import Image
from playwright.sync_api import expect

PASSWORD = "seven herons on the weir"
LIST = "readers"
READERS = {"bo@pier.example": "fr", "cy@pier.example": "en"}

WAYS = [
    pytest.param(Mouse, "en", 1280, id="mouse-en-1280"),
    pytest.param(Keyboard, "fr", 375, id="keyboard-fr-375"),
    *(
        pytest.param(hand, language, width, id=f"{hand.__name__.lower()}-{language}-{width}", marks=pytest.mark.long)
        for hand, language, width in [
            (Mouse, "en", 375),
            (Mouse, "fr", 1280),
            (Mouse, "fr", 375),
            (Keyboard, "en", 1280),
            (Keyboard, "en", 375),
            (Keyboard, "fr", 1280),
        ]
    ),
]


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("hand", "language", "width"), WAYS)
def test_a_new_officer_goes_the_whole_way(chromium, tmp_path, hand, language, width):
    with an_empty_house(tmp_path) as house:
        context = chromium.new_context(viewport={"width": width, "height": 900}, locale="en-GB")
        page = context.new_page()
        page.set_default_timeout(15_000)
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        officer = Officer(page, hand, root=house.root, language=language)
        try:
            make_an_account(officer, house)
            found_a_newsletter(officer)
            bring_people(officer)
            write_entries(officer, tmp_path)
            slug = build_an_issue(officer)
            mend_and_approve(officer, slug)
            schedule(officer, house, slug)
            watch(officer, house, slug)
        except BaseException:
            page.screenshot(path=tmp_path / "where-it-stopped.png", full_page=True)  # beside the test's other files
            raise
        context.close()
    assert faults == []


def make_an_account(officer, house):
    officer.open(f"/desk/setup/{house.pipeline.operators.setup.first()}")
    officer.language, own = "en", officer.language
    officer._words, words = Officer(officer.page, type(officer.hand), root="", language="en")._words, officer._words
    officer.write(full_name="Anna Brandt", email="anna@desk.example", name="anna", password=PASSWORD)
    if own != "en":
        officer.hand.choose(officer.named("language"), "Français")
    officer.press("Make my account")
    officer.language, officer._words = own, words
    expect(officer.page.locator("html")).to_have_attribute("lang", own)


def found_a_newsletter(officer):
    if not officer.page.url.endswith("/newsletters/new"):
        officer.open("/desk/newsletters/new")
    page = officer.page
    officer.write(name="Harbour Post", sender_name="Harbour towns", sender_address="post@harbour.example")
    choices = page.locator('main select[name="languages"]')
    for place, tag in enumerate(("en", "fr")):
        label = choices.nth(place).locator(f'option[value="{tag}"]').evaluate("one => one.label")
        officer.hand.choose(choices.nth(place), label)
    officer.press("Create the newsletter")
    assert "/desk/n/harbour-post" in page.url


def bring_people(officer):
    officer.open("/desk/lists/new")
    officer.write(name=LIST)
    officer.press("Make the list")
    for address, language in READERS.items():
        officer.open("/desk/people/new")
        officer.write(address=address, first_name="Bo", language=language)
        officer.press("Add this person")
    officer.open("/desk/segments/new")
    officer.write(name="everybody", text=f'list = "{LIST}"')
    officer.press("Save the segment")
    assert "everybody" in officer.page.locator("main").inner_text()


def begin(officer, kind, title):
    officer.open("/desk/n/harbour-post/entries/new")
    officer.hand.tick(officer.page.locator(f'main input[name="kind"][value="{kind}"]'))
    officer.write(title=title)
    officer.press("Begin to write")
    officer.page.wait_for_url(re.compile("/entries/[^/]+$"))


def show(officer, language):
    """Have the column of a language on the screen, where there is no room for all."""
    field = officer.page.locator(f'main [name="title.{language}"]')
    if not field.is_visible():
        officer.hand.press(officer.page.locator(f'main [data-pick="{language}"]'))
    field.wait_for()


def fill(officer, texts):
    for language, (title, body) in texts.items():
        show(officer, language)
        officer.write(**{f"title.{language}": title, f"body.{language}": body})


def write_entries(officer, folder):
    page = officer.page
    begin(officer, "news", "The night ferry is back")
    fill(
        officer,
        {
            "en": ("The night ferry is back", "From December it crosses **twice** a week."),
            "fr": ("Le ferry de nuit est de retour", "Dès décembre, il traverse **deux fois** par semaine."),
        },
    )
    picture = folder / "ferry.png"
    Image.effect_noise((1800, 900), 40).convert("RGB").save(picture)
    officer.hand.file(page.locator('main input[type="file"]').first, picture)
    alt = page.locator('main [name="picture-alt-en"]:visible')
    alt.wait_for()
    for language, words in {"en": "A ferry at night", "fr": "Un ferry dans la nuit"}.items():
        officer.hand.write(page.locator(f'main [name="picture-alt-{language}"]'), words)
    officer.press("Publish", context="entry")
    begin(officer, "news", "Cranes turn again")
    fill(
        officer,
        {
            "en": ("Cranes turn again", f"On {wrong_day()}, from ten to four."),
            "fr": ("Les grues tournent de nouveau", "Le dimanche, de dix heures à seize heures."),
        },
    )
    officer.press("Publish", context="entry")
    begin(officer, "agenda", "Harbour talks")
    fill(
        officer,
        {
            "en": ("Harbour talks", "Two evenings about quays."),
            "fr": ("Soirées du port", "Deux soirées sur les quais."),
        },
    )
    soon = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=20)
    for number, day in enumerate((soon, soon + dt.timedelta(days=7))):
        start = page.locator(f'main [name="sitting-{number}-start"]')
        if not start.count():
            officer.hand.press(officer.button("Add a sitting"))
            start.wait_for()
        officer.hand.moment(start, f"{day:%Y-%m-%d}T18:30")
    officer.press("Publish", context="entry")
    officer.open("/desk/n/harbour-post/entries")
    assert page.locator("main table tbody tr").count() == 3


def build_an_issue(officer):
    page = officer.page
    officer.open("/desk/n/harbour-post/issues/new")
    officer.write(title__en="December", title__fr="Décembre")
    slug = officer.named("slug").input_value()
    officer.press("Make the issue")
    officer.page.wait_for_url(re.compile(rf"/issues/{slug}"))
    text = page.locator("main").inner_text()
    assert "The night ferry is back" in text or "Le ferry de nuit est de retour" in text
    officer.follow("Go on to the words")
    for language, subject in {"en": "In December: the night ferry", "fr": "En décembre : le ferry de nuit"}.items():
        officer.write(**{f"subject-{language}".replace("-", "__"): subject, f"preheader__{language}": f"{subject}…"})
    return slug


def wrong_day():
    """A date beside a weekday that it is not, as it comes of copying last year's text."""
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=9)
    return f"{day + dt.timedelta(days=1):%A} {day.day} {day:%B %Y}"


def mend_and_approve(officer, slug):
    page, check = officer.page, f"/desk/n/harbour-post/issues/{slug}/check"
    officer.open(check)
    expect(page.frame_locator("main iframe").first.locator("body")).to_contain_text("ferry", timeout=30_000)
    officer.open(f"{check}?pane=checks")
    with page.expect_navigation():
        officer.hand.press(page.locator('main a[href*="/desk/n/harbour-post/entries/cranes-turn-again"]:visible').last)
    show(officer, "en")
    officer.write(**{"body.en": "On Sundays, from ten to four."})
    officer.press("Save", context="entry")
    officer.open(f"{check}?pane=checks")  # the French text was made from the English one as it was
    officer.press("Still right")
    officer.open(f"/desk/n/harbour-post/issues/{slug}/approve")
    officer.press("Approve these editions")
    officer.follow("Go on to schedule it")


def schedule(officer, house, slug):
    """For the next full minute after this one, by the clock of the newsletter."""
    page = officer.page
    zone = ZoneInfo(house.pipeline.entries.newsletter("harbour-post").timezone)
    when = (house.pipeline.parts.now() + dt.timedelta(minutes=2)).astimezone(zone)
    officer.hand.choose(officer.named("segment"), "everybody")
    officer.hand.moment(officer.named("day"), f"{when:%Y-%m-%d}")
    officer.hand.moment(officer.named("time"), f"{when:%H:%M}")
    officer.press("Look at it once more…")
    told = page.locator("main").inner_text()
    assert f"{when:%H:%M}" in told
    officer.press("Schedule it", context="sending")
    assert house.pipeline.control.status(slug, newsletter="harbour-post").state == "queued"


def watch(officer, house, slug):
    """The page follows the run by itself while it goes out over SMTP; then the report says what became of it."""
    page = officer.page
    officer.open(f"/desk/n/harbour-post/issues/{slug}/run")
    house.forward(minutes=3)
    house.dispatch()
    expect(page.locator("main")).to_contain_text(officer.say("Everything has gone out."), timeout=20_000)
    officer.follow("Read the report", context="sending")
    told = page.locator("main").inner_text()
    assert "2" in told
    letters = {address: house.letters(address) for address in READERS}
    assert {address: len(found) for address, found in letters.items()} == dict.fromkeys(READERS, 1)
    assert letters["bo@pier.example"][0]["Subject"] == "En décembre : le ferry de nuit"
    html = letters["cy@pier.example"][0].get_body(("html",)).get_content()
    assert "A ferry at night" in html
    assert "Harbour talks" in html
    assert all(check.holds for check in house.pipeline.proof.audit(slug, newsletter="harbour-post"))
