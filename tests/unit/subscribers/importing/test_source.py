import io
from pathlib import Path

import pytest

from subscribers.errors import ImportRefused
from subscribers.importing.source import opened, spooled


def test_a_csv_file_is_opened_where_it_lies(people):
    path = people("email\n")
    with opened(path) as table:
        assert (table.path, table.name) == (path, "people.csv")


def test_a_csv_file_has_no_sheets(people):
    with pytest.raises(ImportRefused, match="no sheets"), opened(people("email\n"), sheet="x"):
        pass


def test_a_file_that_is_too_large_is_refused(people):
    with pytest.raises(ImportRefused, match="larger than 0 MB"), opened(people("email\n"), largest=3):
        pass


def test_a_stream_is_kept_as_long_as_it_is_needed():
    with spooled(io.BytesIO(b"email\n")) as path:
        assert path.read_bytes() == b"email\n"
        assert path.stat().st_mode & 0o077 == 0
    assert not Path(path).exists()


def test_a_stream_without_end_is_refused():
    class Endless(io.RawIOBase):
        def read(self, size=-1):
            return bytes(size)

    with (
        pytest.raises(ImportRefused, match="standard input: there are more than 3 MB"),
        spooled(Endless(), largest=3_000_000),
    ):
        pass
