import pytest

from subscribers.errors import ImportRefused
from subscribers.importing import open_table
from subscribers.importing.table import Layout

TEXT = "email,city\na@x.example,Liège\nb@x.example,Århus\n"
ROWS = [(2, ["a@x.example", "Liège"]), (3, ["b@x.example", "Århus"])]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "iso-8859-1"),
    ],
)
def test_the_encoding_is_found_out(people, encoding, found):
    opened = open_table(people(TEXT, encoding=encoding))
    assert opened.encoding == found
    assert list(opened.rows()) == ROWS


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiter_and_line_ends_are_found_out(people, delimiter, newline):
    opened = open_table(people(TEXT.replace(",", delimiter).replace("\n", newline)))
    assert opened.delimiter == delimiter
    assert list(opened.rows()) == ROWS


def test_what_stands_in_quotes_is_no_delimiter(people):
    opened = open_table(people('"email, or mail";"city, or town"\na@x.example;x\n'))
    assert opened.headings == ("email, or mail", "city, or town")


def test_a_spreadsheets_own_line_says_the_delimiter(people):
    opened = open_table(people("sep=;\nemail;city\na@x.example;a,b,c\n"))
    assert (opened.headings, opened.first_line) == (("email", "city"), 2)
    assert list(opened.rows()) == [(3, ["a@x.example", "a,b,c"])]


def test_a_single_column_needs_no_delimiter(people):
    assert open_table(people("email\na@x.example\n")).headings == ("email",)


def test_rows_know_the_line_on_which_they_begin(people):
    opened = open_table(people('\nemail,city\n\na@x.example,"two\nlines"\n , \n,\nb@x.example,x\n'))
    assert [line for line, _ in opened.rows()] == [4, 8]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"PK\x03\x04 and so on", "spreadsheet"),
        (b"\xd0\xcf\x11\xe0 and so on", "spreadsheet"),
        (b"a@x.example,Anne\n", "the first line must name the columns"),
        (b",".join([b"c"] * 513) + b"\n", "more than 512 columns"),
        (b"email\n\x81\n", "not valid cp1252"),
        (b"\x81mail\n", "not valid cp1252"),
        (b"\xff\xfee\x00m", "not valid utf-16"),
        (b"email\n" + b"a@x.example\n" * 5000 + b"\x81\n", "line 5002: the text is not valid cp1252"),
    ],
)
def test_what_is_no_table_is_refused(people, content, words):
    path = people(content)
    with pytest.raises(ImportRefused, match=words) as error:
        list(open_table(path).rows())
    assert error.value.file == "people.csv"


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ImportRefused, match="cannot be read"):
        open_table(tmp_path / "nothing.csv")


def test_a_file_that_is_too_large_is_refused(people):
    with pytest.raises(ImportRefused, match="larger than 0 MB"):
        open_table(people(TEXT), largest=10)


def test_a_field_that_is_too_long_is_refused_with_its_place(people):
    with pytest.raises(ImportRefused, match="4,096") as error:
        list(open_table(people(f"email,city\na@x.example,b\nb@x.example,{'x' * 5000}\n")).rows())
    assert (error.value.line, error.value.column) == (3, 2)


def test_a_quotation_mark_that_is_never_closed_is_refused_with_its_line(people):
    with pytest.raises(ImportRefused, match="divided into fields") as error:
        list(open_table(people('email,city\na@x.example,"b\n' + "c@x.example,d\n" * 20_000)).rows())
    assert error.value.line == 2


def test_a_quotation_mark_after_a_space_opens_a_field(people):
    (row,) = open_table(people('email, city\na@x.example, "Liège, north"\n')).rows()
    assert row == (2, ["a@x.example", "Liège, north"])


def test_a_zero_octet_is_a_matter_of_its_row(people):
    opened = open_table(people(b"email,city\na@x.example,b\0c\nb@x.example,x\n"))
    assert (opened.encoding, [row for _, row in opened.rows()]) == (
        "utf-8",
        [["a@x.example", "b\0c"], ["b@x.example", "x"]],
    )


def test_a_table_knows_how_it_is_written(people):
    assert open_table(people("email;city\n")).layout == Layout(encoding="utf-8", delimiter=";")
    assert open_table(people(b"email|city\na@x.example|Li\xe8ge\n")).layout == Layout(
        encoding="iso-8859-1", assumed=True, delimiter="|"
    )


def test_a_tab_may_be_said_in_a_line_of_its_own(people):
    assert open_table(people("sep=\t\nemail\tcity\n")).headings == ("email", "city")
