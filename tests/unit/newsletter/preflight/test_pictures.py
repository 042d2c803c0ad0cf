from dataclasses import replace

from newsletter.preflight.pictures import HEAVIEST, check_pictures

IMAGE = {"file": "quay.jpg", "alt": "The quay"}


def found_in(given, *, pictures=None, sizes=None, image=IMAGE, **changes):
    facts = replace(given.issue(given.news(image=image)), pictures=pictures or {})
    return list(check_pictures(given.compiled(facts, **changes), facts, sizes=sizes or {}))


def test_a_picture_that_is_not_stored_is_an_error(given):
    (finding,) = found_in(given)
    assert (finding.code, finding.severity, finding.place) == ("picture-missing", "error", "piers")


def test_a_stored_picture_of_unknown_size_is_none(given):
    assert found_in(given, pictures={"quay.jpg": (9, 9)}) == []


def test_a_picture_elsewhere_is_not_looked_for(given):
    assert found_in(given, image={"url": "https://x.example/a.jpg", "alt": "The quay"}) == []


def test_a_picture_of_a_megabyte_is_heavy(given):
    (finding,) = found_in(given, pictures={"quay.jpg": (9, 9)}, sizes={"quay.jpg": HEAVIEST})
    assert finding.code == "picture-heavy"
    assert finding.message() == "The picture quay.jpg has 1,000 kB."


def test_a_picture_just_below_it_is_not(given):
    assert found_in(given, pictures={"quay.jpg": (9, 9)}, sizes={"quay.jpg": HEAVIEST - 1}) == []


def test_a_picture_without_width_and_height_has_no_room(given):
    html = given.page('<img src="https://x.example/a.jpg" alt="x">')
    (finding,) = found_in(given, pictures={"quay.jpg": (9, 9)}, html=html)
    assert (finding.code, dict(finding.facts)["picture"]) == ("picture-dimensions", "https://x.example/a.jpg")


def test_a_width_or_a_height_keeps_it(given):
    html = given.page('<img src="a.jpg" alt="x" width="9"><img src="b.jpg" alt="y" height="9">')
    assert found_in(given, pictures={"quay.jpg": (9, 9)}, html=html) == []
