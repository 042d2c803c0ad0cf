import os
import stat

import pytest

from newsletter import files


def test_a_private_file_is_its_owners_alone_and_takes_no_ones_place(tmp_path):
    path = tmp_path / "own"
    with files.safe(path) as file:
        file.write(b"mine")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"mine"
    with pytest.raises(FileExistsError):
        files.private(path)


@pytest.fixture
def synced(monkeypatch):
    """What is on the disk, as inodes."""
    seen = []

    def note(descriptor):
        seen.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(files.os, "fsync", note)
    return seen


def test_what_was_written_is_on_the_disk_when_the_file_is_closed_and_a_name_once_its_folder_is(tmp_path, synced):
    path = tmp_path / "own"
    with files.safe(path):
        assert synced == []
    assert synced == [path.stat().st_ino]
    files.sync(tmp_path)
    assert synced[1:] == [tmp_path.stat().st_ino]


def test_what_broke_off_is_not_waited_for(tmp_path, synced):
    with pytest.raises(KeyboardInterrupt), files.safe(tmp_path / "own"):
        raise KeyboardInterrupt
    assert synced == []
