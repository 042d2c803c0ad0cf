"""The file of a backup: read as it was written, or not at all."""

import gzip
import io
import json
import tarfile

import pytest

from newsletter.errors import InvalidInput
from newsletter.keeping.file import BackupFile, Head, write_backup
from newsletter.keeping.shape import Column, Kind, Shape, Table

WORDS = Table("words", (Column("id", Kind.INTEGER), Column("word", Kind.TEXT)))
SHAPE = Shape(dialect="sqlite", revision="0021", tables=(WORDS,))
HEAD = Head(program="1.0", at="2026-12-01T08:00:00Z", shape=SHAPE, rows=3)


class Given:
    """Three rows."""

    shape, total = SHAPE, 3

    def portions(self):
        yield WORDS, [b"1\ta\n", b"2\tb\n"]
        yield WORDS, [b"3\tc\n"]

    def counters(self):
        return {"words": 7}


@pytest.fixture(scope="module")
def written():
    stream = io.BytesIO()
    told = []
    write_backup(stream, Given(), head=HEAD, keys=b"{}", progress=lambda *each: told.append(each))
    assert told == [(2, 3), (3, 3)]
    return stream.getvalue()


def read(content):
    backup = BackupFile(io.BytesIO(content), name="a.backup")
    lines = [line for _table, lines in backup.portions() for line in lines]
    return backup, lines


def changed(content, name, change):
    """The same backup with one of its members changed, or left out."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as old, tarfile.open(fileobj=stream, mode="w:gz") as new:
        for member in old:
            kept = old.extractfile(member).read()
            if member.name == name:
                kept = change(kept)
            if kept is not None:
                member.size = len(kept)
                new.addfile(member, io.BytesIO(kept))
    return stream.getvalue()


def test_a_backup_is_read_as_it_was_written(written):
    backup, lines = read(written)
    assert (backup.head, backup.keys, backup.shape, backup.total) == (HEAD, b"{}", SHAPE, 3)
    assert lines == [b"1\ta\n", b"2\tb\n", b"3\tc\n"]
    assert backup.counters() == {"words": 7}


def test_every_octet_matters(written):
    plain = gzip.decompress(written)
    place = plain.index(b"2\tb\n")
    with pytest.raises(InvalidInput, match=r"a\.backup is damaged: the rows of words"):
        read(gzip.compress(plain[:place] + b"2\tB\n" + plain[place + 4 :]))


@pytest.mark.parametrize("share", [0.99, 0.9, 0.7])
def test_one_that_was_cut_short_is_refused(written, share):
    with pytest.raises(InvalidInput, match=r"a\.backup is (no backup|damaged or was cut short)"):
        read(written[: int(len(written) * share)])


@pytest.mark.parametrize("name", ["end.json", "rows/words/000002"])
def test_one_that_lacks_a_part_is_refused(written, name):
    with pytest.raises(InvalidInput, match="is damaged"):
        read(changed(written, name, lambda _kept: None))


@pytest.mark.parametrize("content", [b"", b"words", gzip.compress(b"words")])
def test_what_is_no_backup_is_refused(content):
    with pytest.raises(InvalidInput, match=r"a\.backup is no backup of this program"):
        read(content)


def test_a_table_that_was_not_announced_is_refused(written):
    def renamed(head):
        data = json.loads(head)
        data["shape"]["tables"] = {"others": {"id": "integer"}}
        return json.dumps(data).encode()

    with pytest.raises(InvalidInput, match="is damaged"):
        read(changed(written, "backup.json", renamed))


def test_one_of_a_later_format_says_what_to_do(written):
    later = changed(written, "backup.json", lambda head: json.dumps({**json.loads(head), "format": 2}).encode())
    with pytest.raises(InvalidInput, match="made by a newer version of this program: upgrade it first"):
        read(later)
