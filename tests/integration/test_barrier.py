"""The barrier finds the write-ahead log of a database, where there is one."""

import sqlite3

import pytest

from newsletter.dispatch.barrier import barrier_of


def opened(file, mode):
    driver = sqlite3.connect(file)
    driver.execute(f"PRAGMA journal_mode = {mode}")
    driver.execute("CREATE TABLE sent (id INTEGER PRIMARY KEY)")
    driver.commit()
    return driver


def test_a_barrier_has_the_log_taken_and_says_where_it_was_not(tmp_path):
    driver = opened(tmp_path / "n.sqlite", "wal")
    log = tmp_path / "n.sqlite-wal"
    barrier = barrier_of(driver)
    barrier.begin()
    barrier.wait()

    log.rename(tmp_path / "elsewhere")
    barrier.begin()
    with pytest.raises(sqlite3.OperationalError, match="did not take what was committed: No such file"):
        barrier.wait()
    barrier.wait()  # nothing is under way any more
    driver.close()


def test_there_is_none_without_a_log_or_a_file(tmp_path):
    kept, unkept = opened(tmp_path / "n.sqlite", "delete"), sqlite3.connect(":memory:")
    assert barrier_of(kept) is None
    assert barrier_of(unkept) is None
    kept.close()
    unkept.close()
