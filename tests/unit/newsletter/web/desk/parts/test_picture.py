import pytest

from newsletter.content.entry import Image
from newsletter.content.images import PictureRefused, Refusal, StoredPicture
from newsletter.web.desk.forms import DeskForm, Upload
from newsletter.web.desk.parts.picture import REFUSALS, PictureRow, picture_in, row_of

NAME = "0123456789abcdef.jpg"
QUAY = Image.model_validate(
    {
        "file": {"*": NAME, "fr": "fedcba9876543210.png"},
        "alt": {"en": "A quay", "fr": "Un quai"},
        "credit": {"en": "A. Ferry"},
        "link": "https://quay.example",
    }
)


class WithImage:
    """All that is asked of an entry."""

    image = QUAY


def form(files=None, **fields):
    said = {"picture-languages": "en fr", **{name.replace("_", "-"): value for name, value in fields.items()}}
    return DeskForm({name: (value,) for name, value in said.items()}, files or {})


def upload(content=b"pixels"):
    return Upload(filename="quay.jpg", content=content, media_type="image/jpeg")


def store(content, name):
    if content == b"broken":
        raise PictureRefused(Refusal.BROKEN, f"{name} is broken")
    return StoredPicture(name=NAME, media_type="image/jpeg", width=1, height=1, data=content)


SHOWN = {
    "picture-file-*": NAME,
    "picture-file-fr": "fedcba9876543210.png",
    "picture-alt-en": " A quay ",
    "picture-alt-fr": "Un quai",
    "picture-credit-en": "A. Ferry",
    "picture-link": "https://quay.example",
}


def test_a_form_says_everything_that_a_picture_may_have():
    assert picture_in(form(**SHOWN), None) == (QUAY, {})


def test_a_form_without_a_picture_leaves_it_and_an_empty_one_has_none():
    assert picture_in(DeskForm({}), WithImage()) == (QUAY, {})
    assert picture_in(DeskForm({}), None) == (None, {})
    assert picture_in(form(picture_alt_en="words wait for a picture"), WithImage()) == (None, {})


def test_a_picture_of_one_language_can_be_removed():
    found, problems = picture_in(form(**SHOWN, **{"picture-remove-fr": "1"}), None)
    assert (found.file, problems) == ({"*": NAME}, {})


def test_an_uploaded_file_is_stored_and_takes_the_place_of_an_address():
    sent = form({"picture-upload-*": upload()}, **{"picture-url-*": "https://old.example/a.jpg"})
    found, problems = picture_in(sent, None, take=store)
    assert (found.file, found.url, problems) == ({"*": NAME}, {}, {})


def test_nothing_is_stored_while_the_form_only_saves_itself():
    sent = form({"picture-upload-*": upload(b"broken")}, **{"picture-url-*": "https://old.example/a.jpg"})
    found, problems = picture_in(sent, None)
    assert (found.url, problems) == ({"*": "https://old.example/a.jpg"}, {})


def test_a_file_that_is_refused_is_told_beside_its_field():
    sent = form({"picture-upload-fr": upload(b"broken")}, **SHOWN)
    found, problems = picture_in(sent, None, take=store)
    assert (found, problems) == (QUAY, {"picture-upload-fr": REFUSALS[Refusal.BROKEN]})


def test_every_refusal_has_words():
    assert set(REFUSALS) == set(Refusal)


@pytest.mark.parametrize(
    ("field", "value"), [("picture-url-*", "javascript:alert(1)"), ("picture-link", "quay.example")]
)
def test_an_address_that_is_none_is_told(field, value):
    sent = form(**{"picture-url-*": "https://a.example/b.jpg", field: value})
    assert picture_in(sent, None) == (None, {field: "The address begins with https://."})


def test_what_is_shown_is_what_is_stored():
    row = row_of(QUAY)
    assert row.source("*") == f"/media/{NAME}"
    assert row.source("en") == ""
    assert row_of(None) == PictureRow()
    assert PictureRow(url={"*": "https://a.example/b.jpg"}).source("*") == "https://a.example/b.jpg"
