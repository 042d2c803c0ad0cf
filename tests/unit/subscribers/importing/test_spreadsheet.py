import datetime as dt
import io
import struct
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from subscribers.errors import ImportRefused
from subscribers.importing import Problem, Row, spreadsheet
from subscribers.importing.loading import Manner, understood
from subscribers.importing.rows import row_reader
from subscribers.importing.source import opened
from subscribers.importing.table import Layout

HEADINGS = ["E-mail", "City", "Population", "Since", "At", "Vip", "Code", "Share"]
ANNE = [
    "anne@x.example",
    "=Liège",
    197355,
    dt.datetime(2020, 5, 21),  # noqa: DTZ001 - a spreadsheet knows no zones
    dt.datetime(2020, 5, 21, 9, 30),  # noqa: DTZ001 - as above
    True,
    "007",
    0.0000001,
]


@pytest.fixture
def book(tmp_path):
    """Writes a workbook with sheets of rows and returns its path."""

    def write(*, hidden=(), **sheets):
        workbook = Workbook()
        workbook.remove(workbook.active)
        for title, rows in sheets.items():
            sheet = workbook.create_sheet(title)
            for row in rows:
                sheet.append(row)
                for cell in sheet[sheet.max_row]:
                    if isinstance(cell.value, str) and cell.value.startswith("="):
                        cell.data_type = "s"
            sheet.sheet_state = "hidden" if title in hidden else "visible"
        path = tmp_path / "people.xlsx"
        workbook.save(path)
        return path

    return write


def read(path, **facts):
    with opened(path, **facts) as table:
        file = understood(table, Manner())
        check = row_reader(table, file.columns, file.origin)
        return table.layout, [check(line, cells) for line, cells in table.rows()]


def altered(path, changed=None, **more):
    """Replace or add files of the archive; `changed` is a function of the sheet's text."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet1.xml" and changed is not None:
                content = changed(content)
            new.writestr(name, content)
        for name, content in more.items():
            new.writestr(name, content)
    path.write_bytes(out.getvalue())
    return path


def test_a_sheet_is_read_with_dates_numbers_and_truth_values(book):
    layout, (row,) = read(book(People=[HEADINGS, ANNE]))
    assert layout == Layout(form="xlsx", sheet="People")
    assert isinstance(row, Row)
    assert (row.line, row.values) == (2, {"city": "=Liège"})
    assert row.attributes == {
        "population": 197355,
        "since": "2020-05-21",
        "at": "2020-05-21T09:30:00",
        "vip": True,
        "code": "007",
        "share": 0.0000001,
    }


def test_rows_know_their_number_and_may_be_of_any_width(book):
    path = book(People=[[], ["email", "city"], ["a@x.example"], [], ["b@x.example", "x\ny", "z"], ["c@x.example", "q"]])
    _, (short, wide, last) = read(path)
    assert (short.line, short.values) == (3, {})
    assert isinstance(wide, Problem)
    assert (wide.line, wide.words) == (5, "the row has 3 fields, the headings are 2")
    assert (last.line, last.values) == (6, {"city": "q"})


def test_text_of_several_lines_is_one_line(book):
    _, (row,) = read(book(People=[["email", "city"], ["a@x.example", " x\ny "]]))
    assert row.values == {"city": "x y"}


def test_the_first_sheet_that_is_not_hidden_is_read_unless_another_is_named(book):
    sheets = {"Old": [["email"], ["o@x.example"]], "New": [["email"], ["n@x.example"]], "Last": [["email"]]}
    path = book(hidden=["Old"], **sheets)
    layout, (row,) = read(path)
    assert (layout.sheet, row.address.key) == ("New", "n@x.example")
    assert read(path, sheet="Last") == (Layout(form="xlsx", sheet="Last"), [])
    with pytest.raises(ImportRefused, match="no sheet “Old”; those that can be read: “New”, “Last”"):
        read(path, sheet="Old")


def test_a_workbook_whose_sheets_are_all_hidden_is_refused(book):
    path = book(hidden=["Old"], New=[["email"]], Old=[["email"]])
    path = altered(path)
    with zipfile.ZipFile(path) as archive:
        workbook = archive.read("xl/workbook.xml").replace(b'state="visible"', b'state="hidden"')
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, workbook if name == "xl/workbook.xml" else old.read(name))
    path.write_bytes(out.getvalue())
    with pytest.raises(ImportRefused, match="no sheet that is not hidden; those that can be read: none"):
        read(path)


def test_a_cell_that_holds_an_error_is_empty_and_a_formula_is_what_it_last_came_to(book):
    def with_formula(content):
        return content.replace(
            b"</row></sheetData>",
            b'<c r="B2" t="e"><v>#N/A</v></c><c r="C2"><f>1+1</f><v>2</v></c><c r="D2"><f>HYPERLINK("x")</f></c>'
            b"</row></sheetData>",
        )

    path = altered(book(People=[["email", "a", "b", "c"], ["a@x.example"]]), with_formula)
    _, (row,) = read(path)
    assert row.attributes == {"b": 2}


def test_a_sheet_that_lies_about_its_size_is_read_as_it_is(book):
    path = altered(
        book(People=[["email"], ["a@x.example"]]),
        lambda content: content.replace(b'ref="A1:A2"', b'ref="A1:XFD1048576"'),
    )
    assert len(read(path)[1]) == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({f"extra{number}.bin": b"x" for number in range(100)}, "more than 100 files"),
        ({"bomb.bin": bytes(2_000_000)}, "packed too tightly"),
        ({"xl/evil.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}, "declares entities"),
        ({"xl/evil.rels": b'<!DOCTYPE a SYSTEM "http://evil.example/a.dtd"><a/>'}, "declares entities"),
        ({"xl/odd.xml": b"no xml"}, "damaged"),
        ({"xl/worksheets/sheet1.xml": b"<worksheet"}, "damaged"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_bomb_is_refused_before_it_is_unpacked(book, more, words):
    with pytest.raises(ImportRefused, match=words):
        read(altered(book(People=[["email"], ["a@x.example"]]), **more))


def test_a_spreadsheet_that_unpacks_to_too_much_is_refused(book, monkeypatch):
    path = book(People=[["email"], ["a@x.example"]])
    monkeypatch.setattr(spreadsheet, "MAX_UNPACKED", 1000)
    with pytest.raises(ImportRefused, match="unpacks to more than"):
        read(path)


def test_one_text_that_many_cells_refer_to_is_refused(book, monkeypatch):
    path = book(People=[["email"], *[["x" * 4000]] * 9])
    monkeypatch.setattr(spreadsheet, "MAX_LETTERS", 30_000)
    with pytest.raises(ImportRefused, match="more text than a list of people"):
        read(path)


def test_a_sheet_that_is_too_wide_is_refused(book):
    with pytest.raises(ImportRefused, match="more than 512 columns"):
        read(book(People=[["email"] * 513]))


def test_a_text_that_is_too_long_is_refused_as_in_csv(book):
    with pytest.raises(ImportRefused, match="line 2, column 2: the field has more than 4,096"):
        read(book(People=[["email", "x"], ["a@x.example", "x" * 5000]]))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04 and so on", "damaged or protected"),
        (b"\xd0\xcf\x11\xe0 and so on", "old XLS file, or protected"),
    ],
)
def test_what_only_looks_like_a_spreadsheet_is_refused(people, content, words):
    with pytest.raises(ImportRefused, match=words) as error:
        read(people(content, "people.xlsx"))
    assert error.value.file == "people.xlsx"


def test_an_archive_of_other_files_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("subscribed.csv", "email\n")
    with pytest.raises(ImportRefused, match="unpack it and import the files in it"):
        read(path)


def test_a_workbook_that_openpyxl_cannot_read_is_damaged(book):
    def dangling(content):
        return content.replace(b't="inlineStr"><is><t>email</t></is>', b't="s"><v>99</v>')

    path = altered(book(People=[["email"], ["a@x.example"]]), dangling)
    with pytest.raises(ImportRefused, match="damaged; open it, save it again"):
        read(path)


def test_a_date_that_is_none_is_no_reason_to_stumble(book):
    def far(content):
        return content.replace(b"<v>43972</v>", b"<v>99999999999</v>")

    path = altered(book(People=[["email", "since"], ["a@x.example", dt.date(2020, 5, 21)]]), far)
    _, (row,) = read(path)
    assert row.attributes == {}


def test_an_archive_whose_contents_lie_is_refused(book):
    path = book(People=[["email"], ["a@x.example"]])
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    struct.pack_into("<L", content, end + 16, 7)
    path.write_bytes(bytes(content))
    with pytest.raises(ImportRefused, match="damaged"):
        read(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
    cut=st.floats(0, 1),
)
def test_a_spreadsheet_with_octets_gone_astray_is_read_or_refused_in_words(book, changes, cut):
    path = book(People=[HEADINGS, ANNE])
    content = bytearray(path.read_bytes())
    for place, octet in changes:
        content[int(place * len(content))] = octet
    path.write_bytes(content[: max(4, int(len(content) * cut))] if cut < 0.2 else content)
    try:
        _, rows = read(path)
    except ImportRefused:
        return
    assert all(isinstance(row, Row | Problem) for row in rows)
