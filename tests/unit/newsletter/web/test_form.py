"""What a form says."""

import pytest
from starlette.requests import Request

from newsletter.web.form import MOST_FIELDS, MOST_OCTETS, Form, Posted


@pytest.fixture
def visitor(visit, routes):
    async def tell(request: Request, form: Posted):
        return {name: form.all(name) for name in form.fields}

    routes.add_api_route("/p", tell, methods=["POST"])
    return visit()


def test_a_form_gives_the_last_value_of_a_name_or_all():
    form = Form({"list": ("a", "b")})
    assert (form.get("list"), form.all("list"), "list" in form) == ("b", ("a", "b"), True)
    assert (form.get("name"), form.get("name", "x"), form.all("name"), "name" in form) == ("", "x", (), False)


def test_both_encodings_say_the_same(visitor):
    said = {"list": ["a", "b"], "first_name": "Ada & Zoë"}
    expected = {"list": ["a", "b"], "first_name": ["Ada & Zoë"]}
    assert visitor.post("/p", data=said).json() == expected
    parts = [("list", (None, "a")), ("list", (None, "b")), ("first_name", (None, "Ada & Zoë"))]
    assert visitor.post("/p", files=parts).json() == expected


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/json"])
def test_a_body_of_another_kind_is_a_form_without_fields(visitor, content_type):
    headers = {"content-type": content_type} if content_type else {}
    assert visitor.post("/p", content=b'{"a": 1}', headers=headers).json() == {}


def test_a_form_has_so_many_fields_and_no_more(visitor):
    most = {f"f{number}": "x" for number in range(MOST_FIELDS)}
    assert len(visitor.post("/p", data=most).json()) == MOST_FIELDS
    assert visitor.post("/p", data={**most, "one": "more"}).status_code == 400
    parts = [(name, (None, value)) for name, value in {**most, "one": "more"}.items()]
    assert visitor.post("/p", files=parts).status_code == 400


def test_a_field_has_so_many_octets_and_no_more(visitor):
    assert visitor.post("/p", data={"a": "x" * (MOST_OCTETS - 1)}).status_code == 200
    assert visitor.post("/p", data={"a": "x" * (MOST_OCTETS + 1)}).status_code == 400


def test_a_file_is_refused(visitor):
    assert visitor.post("/p", files={"a": ("a.txt", b"x")}).status_code == 400


@pytest.mark.parametrize("value", ["a\x00b", "\x1b[2J", "\x7f", "a\x0bb"])
def test_characters_that_no_keyboard_makes_are_refused(visitor, value):
    assert visitor.post("/p", data={"a": value}).status_code == 422
    assert visitor.post("/p", data={value: "a"}).status_code == 422


def test_half_a_character_is_refused(visitor):
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\\ud800\r\n--b--\r\n'
    kind = {"content-type": "multipart/form-data; boundary=b; charset=unicode_escape"}
    assert visitor.post("/p", content=body, headers=kind).status_code == 422


def test_lines_of_an_address_are_kept(visitor):
    assert visitor.post("/p", data={"a": "one\r\ntwo\tthree"}).json() == {"a": ["one\r\ntwo\tthree"]}


@pytest.mark.parametrize(
    "body", [b"", b"--b", b"--b\r\n\r\n--b--", b"x" * 50, b"--b\r\nContent-Disposition: x\r\n\r\n1\r\n--b--"]
)
def test_a_broken_form_is_no_error_of_ours(visitor, body):
    answer = visitor.post("/p", content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert answer.status_code in {200, 400}


def test_a_form_without_a_boundary_is_no_error_of_ours(visitor):
    answer = visitor.post("/p", content=b"a", headers={"content-type": "multipart/form-data"})
    assert answer.status_code == 400
