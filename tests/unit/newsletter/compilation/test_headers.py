import datetime as dt
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compilation import headers
from newsletter.compilation.headers import HeaderRefused

printable = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp")), max_size=300)
ascii_words = st.text(st.sampled_from("abcXYZ019 .,:;()<>@[]\"'\\=?_-"), max_size=120)
tight = st.text(st.sampled_from("abcXYZ019.,:;()<>@[]='\\?&/%_-"), min_size=1, max_size=200)


def parsed(field):
    assert field.endswith(b"\r\n")
    message = message_from_bytes(field + b"\r\n", policy=default)
    assert not message.defects
    return message


def lines_of(field):
    return field.removesuffix(b"\r\n").split(b"\r\n")


def without_runs(text):
    # The standard library's parser makes runs of blanks in a phrase one, as RFC 5322 lets it.
    return " ".join(text.split())


def phrase_of(field):
    # The standard library puts blanks between neighbouring encoded-words of a phrase, against RFC 2047 §6.2, but reads
    # them right in a subject.
    phrase = field.removeprefix(b"From: ").rpartition(b"<")[0].strip()
    return str(parsed(b"Subject: " + phrase + b"\r\n")["Subject"])


def test_a_short_ascii_subject_stands_as_it_is():
    assert headers.unstructured("Subject", "River Cities News No. 42") == b"Subject: River Cities News No. 42\r\n"


def test_a_long_ascii_subject_is_folded_at_its_blanks():
    field = headers.unstructured("Subject", "word " * 30 + "end")
    assert len(lines_of(field)) > 1
    assert max(map(len, lines_of(field))) <= 78
    assert parsed(field)["Subject"] == "word " * 30 + "end"


@pytest.mark.parametrize(
    "text",
    ["Le quai s’éclaire", "Έργα και πόλεις " * 14, "مدن الأنهار " * 17, "🌊" * 200, "x=?y", "a  b", " a", "z" * 200],
)
def test_subjects_in_any_script_come_back_equal(text):
    field = headers.unstructured("Subject", text)
    assert b"=?utf-8?" in field
    assert max(map(len, lines_of(field))) <= 76
    assert parsed(field)["Subject"] == text


@given(printable)
def test_any_printable_subject_comes_back_equal_on_short_lines(text):
    field = headers.unstructured("Subject", text)
    assert field.isascii()
    assert max(map(len, lines_of(field))) <= 78
    assert str(parsed(field)["Subject"]) == text
    for line in lines_of(field):
        assert all(len(word) <= 75 for word in line.split(b" ") if word.startswith(b"=?"))


@given(printable)
def test_no_encoded_word_ends_in_the_middle_of_a_character(text):
    for line in lines_of(headers.unstructured("Subject", text)):
        word = message_from_bytes(b"Subject: " + line.removeprefix(b"Subject: ").strip() + b"\r\n\r\n", policy=default)
        assert "\ufffd" not in str(word["Subject"]) or "\ufffd" in text


@pytest.mark.parametrize("char", ["\x00", "\r", "\n", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"])
def test_control_characters_are_refused_everywhere(char):
    for write in (
        lambda: headers.unstructured("Subject", f"a{char}b"),
        lambda: headers.structured("List-ID", f"a{char}b"),
        lambda: headers.mailbox("To", f"a{char}@b.example"),
        lambda: headers.mailbox("To", "a@b.example", display=f"a{char}b"),
    ):
        with pytest.raises(HeaderRefused, match=f"U\\+{ord(char):04X}"):
            write()


def test_a_no_break_space_is_no_control_character():
    assert parsed(headers.unstructured("Subject", "Le saviez-vous\u00a0?"))["Subject"] == "Le saviez-vous\u00a0?"


@given(tight)
def test_a_long_address_is_never_encoded_in_a_structured_field(value):
    field = headers.structured("List-Unsubscribe", f"<https://n.example/u/{value}>")
    assert b"=?utf-8?" not in field
    assert b"".join(line.removeprefix(b" ") for line in lines_of(field)).endswith(b">")
    assert f"<https://n.example/u/{value}>".encode() in field


def test_an_address_that_fits_on_its_own_line_gets_one():
    url = "https://news.example/u/" + "x" * 45
    field = headers.structured("List-Unsubscribe", f"<{url}>")
    assert lines_of(field) == [b"List-Unsubscribe:", f" <{url}>".encode()]
    longer = headers.structured("List-Unsubscribe", f"<{url}{'y' * 60}>")
    assert len(lines_of(longer)) == 1


def test_two_addresses_are_folded_between_them():
    field = headers.structured(
        "List-Unsubscribe", f"<https://news.example/u/{'x' * 30}>, <mailto:u+{'y' * 30}@n.example>"
    )
    assert len(lines_of(field)) == 2
    assert lines_of(field)[1].startswith(b" <mailto:")


def test_structured_fields_take_ascii_on_lines_under_the_limit_only():
    with pytest.raises(HeaderRefused, match="ASCII only"):
        headers.structured("List-ID", "<villes-été.example>")
    with pytest.raises(HeaderRefused, match="998"):
        headers.structured("Message-ID", f"<{'x' * 1000}>")


@pytest.mark.parametrize(
    ("display", "field"),
    [
        ("", b"To: ann@a.example\r\n"),
        ("Ann Lee", b"To: Ann Lee <ann@a.example>\r\n"),
        ("Lee, Ann", b'To: "Lee, Ann" <ann@a.example>\r\n'),
        ('Ann "A" \\ Lee', b'To: "Ann \\"A\\" \\\\ Lee" <ann@a.example>\r\n'),
    ],
)
def test_display_names_are_quoted_where_they_need_it(display, field):
    assert headers.mailbox("To", "ann@a.example", display=display) == field


@given(display=st.one_of(printable, ascii_words))
def test_any_display_name_comes_back_equal(display):
    field = headers.mailbox("From", "news@rivers.example", display=display)
    assert max(map(len, lines_of(field))) <= 78
    address = parsed(field)["From"].addresses[0]
    assert address.addr_spec == "news@rivers.example"
    assert without_runs(phrase_of(field) if b"=?" in field else address.display_name) == without_runs(display)


def test_a_long_name_and_address_stand_on_two_lines():
    field = headers.mailbox("To", f"{'a' * 60}@b.example", display="Réseau des villes de fleuve")
    assert len(lines_of(field)) == 2


@pytest.mark.parametrize("address", ["é@a.example", "a b@c.example", "<a@b.example>", "a@b.example,c@d.example"])
def test_an_address_that_is_not_one_ascii_address_is_refused(address):
    with pytest.raises(HeaderRefused, match="one ASCII address"):
        headers.mailbox("To", address)


def test_the_date_is_in_utc_whatever_the_zone():
    when = dt.datetime(2026, 12, 1, 9, 5, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    assert headers.date(when) == b"Date: Tue, 1 Dec 2026 08:05:00 +0000\r\n"
    with pytest.raises(ValueError, match="time zone"):
        headers.date(dt.datetime(2026, 12, 1))  # noqa: DTZ001
