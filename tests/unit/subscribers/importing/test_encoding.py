import pytest

from subscribers.errors import ImportRefused
from subscribers.importing.encoding import Encoding, encoding_of


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"", Encoding("utf-8")),
        (b"email\n", Encoding("utf-8")),
        ("Liège".encode(), Encoding("utf-8")),
        ("Liège".encode("utf-8-sig"), Encoding("utf-8-sig")),
        ("Liège".encode("utf-16"), Encoding("utf-16")),
        ("Liège".encode("utf-16-le"), Encoding("utf-16-le")),
        ("Liège".encode("utf-16-be"), Encoding("utf-16-be")),
        ("email,city\na@x.example,Αθήνα\n".encode("utf-16-le"), Encoding("utf-16-le")),
        (b"email\0city", Encoding("utf-8")),
        ("Liège".encode("iso-8859-1"), Encoding("iso-8859-1", assumed=True)),
        ("Liège’s".encode("cp1252"), Encoding("cp1252", assumed=True)),
        (b"Li\x81ge", Encoding("cp1252", assumed=True)),
    ],
)
def test_an_encoding_is_known_or_said_to_be_assumed(people, octets, expected):
    assert encoding_of(people(octets), name="people.csv") == expected


def test_a_long_file_is_utf_8_only_if_all_of_it_is(people):
    long = b"email,city\n" + b"a@x.example,b\n" * 90_000
    assert encoding_of(people(long + b"c@x.example,\xe9\n"), name="x").name == "iso-8859-1"
    assert encoding_of(people(long + b"c@x.example,\xc3"), name="x").name == "iso-8859-1"
    assert encoding_of(people(long + "c@x.example,é".encode()), name="x").name == "utf-8"


def test_a_file_in_two_encodings_is_refused_with_the_line_that_disagrees(people):
    mixed = "é\né\né\n".encode() + b"\xe9\n\xe8\n"
    with pytest.raises(ImportRefused, match="line 4: most letters of this file are UTF-8"):
        encoding_of(people(mixed), name="people.csv")


def test_a_few_odd_letters_in_a_western_file_are_no_second_encoding(people):
    assert encoding_of(people("Ã©lan, Liège, Köln, Málaga\n".encode("cp1252")), name="x").name == "iso-8859-1"
