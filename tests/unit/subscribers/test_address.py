import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from subscribers.address import domain_key, masked, parse_address
from subscribers.errors import InvalidAddress

LOCALS = st.from_regex(r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~.\-]{1,20}", fullmatch=True)
DOMAINS = st.from_regex(r"[a-zA-Z0-9.\-]{1,20}\.[a-zA-Z0-9\-]{1,8}", fullmatch=True)


def test_the_key_is_the_same_however_the_letters_are_cased():
    address = parse_address("  Anne.Lambert@Liege.Example ")
    assert address.text == "Anne.Lambert@liege.example"
    assert address.key == "anne.lambert@liege.example"
    assert address.ascii_form == "Anne.Lambert@liege.example"
    assert address.domain == "liege.example"
    assert not address.needs_smtputf8


def test_a_domain_in_another_script_is_compared_as_a_labels():
    unicode, ascii_ = parse_address("x@münchen.example"), parse_address("x@xn--mnchen-3ya.example")
    assert unicode == ascii_
    assert unicode.text == "x@münchen.example"
    assert unicode.ascii_form == unicode.key == "x@xn--mnchen-3ya.example"
    assert not unicode.needs_smtputf8


def test_a_local_part_in_another_script_needs_smtputf8_and_is_composed():
    address = parse_address("Zoe\u0308@liege.example")
    assert address.text == "Zoë@liege.example"
    assert address.key == "zoë@liege.example"
    assert address.needs_smtputf8


@pytest.mark.parametrize(
    "text", ["a@b.example", "a@b.test", "a@b.invalid", "zoë@b.test", "zoë@b.invalid", "é@é.invalid"]
)
def test_names_reserved_for_tests_and_samples_are_let_through(text):
    assert parse_address(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anne",
        "a@b",
        "a@test",
        "@b.example",
        "a@",
        "a b@c.example",
        "a..b@c.example",
        ".a@c.example",
        "a.@c.example",
        '"a b"@c.example',
        "a@[192.0.2.1]",
        "Anne <a@c.example>",
        "a@c.example, b@c.example",
        "a@-c.example",
        "a@c-.example",
        "a@ab--c.example",
        "a@c.example1",
        "a@c.local",
        "a@c.onion",
        "a@localhost",
        "a@c.arpa",
        "é@c.local",
        "a\x00@c.example",
        "a@c.example\r\nBcc: x@y.example",
        "a\u2028@c.example",
        "a" * 65 + "@c.example",
        "é" * 33 + "@c.example",
        "a@" + "b" * 64 + ".example",
        "a@" + "b." * 124 + "example",
        "é" * 300 + "@c.example",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InvalidAddress) as refusal:
        parse_address(text)
    assert len(text) < 4 or text not in str(refusal.value)


def test_the_longest_address_has_254_octets():
    domain = ".".join(["b" * 63, "b" * 63, "b" * 60, "example"])
    longest = "a" * (253 - len(domain)) + "@" + domain
    assert len(parse_address(longest).text) == 254
    with pytest.raises(InvalidAddress, match="254"):
        parse_address("a" + longest)


@given(LOCALS, DOMAINS)
def test_plain_addresses_are_judged_as_email_validator_judges_them(local, domain):
    text = f"{local}@{domain}"
    try:
        expected = validate_email(text, check_deliverability=False).ascii_email
    except EmailNotValidError:
        expected = None
    try:
        found = parse_address(text).ascii_form
    except InvalidAddress:
        found = None
    if domain.lower().endswith((".test", ".invalid")):
        return
    assert found == expected


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_let_through_has_a_stable_key_and_no_control_characters(local, domain):
    try:
        address = parse_address(f"{local}@{domain}.example")
    except InvalidAddress:
        return
    assert parse_address(address.key).key == address.key
    assert parse_address(address.text) == address
    assert not any(ord(letter) < 33 or ord(letter) == 127 for letter in address.text)
    assert address.key.count("@") == 1


def test_a_domain_alone_has_the_same_key_as_in_an_address():
    assert domain_key(" @München.Example") == "xn--mnchen-3ya.example"
    with pytest.raises(InvalidAddress):
        domain_key("no domain")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a.lambert@liege.example", "a…@l….example"),
        ("550 5.1.1 <a.lambert@mail.liege.example>: unknown", "550 5.1.1 <a…@m….example>: unknown"),
        ("write to a@b.example.", "write to a…@b….example."),
        ('"Anne"@localhost', "A…@l…"),
        ("no address here", "no address here"),
        ("a…@l….example", "a…@l….example"),
    ],
)
def test_addresses_in_text_are_masked(text, shown):
    assert masked(text) == shown


@given(LOCALS, DOMAINS)
def test_no_masked_address_can_be_read(local, domain):
    shown = masked(f"<{local}@{domain}>")
    assert f"{local}@" not in shown or len(local) == 1
