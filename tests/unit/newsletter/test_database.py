"""A database is used only if its tables are those of this version, and says what to do if they are not."""

import pytest
from sqlalchemy import text

from newsletter.database import ensure_current, migrate, open_engine, reading, session_factory
from newsletter.errors import ConfigurationFault, DatabaseFault


@pytest.fixture
def engine(tmp_path):
    opened = open_engine(f"sqlite:///{tmp_path / 'deep' / 'newsletter.sqlite'}")
    yield opened
    opened.dispose()


def run(engine, statement):
    with session_factory(engine)() as session:
        session.execute(text(statement))
        session.commit()


def test_an_empty_database_has_to_be_made_first(engine):
    with pytest.raises(DatabaseFault, match="the database is empty: run `newsletter init`"):
        ensure_current(engine)
    assert migrate(engine)
    ensure_current(engine)
    assert migrate(engine)


def test_tables_of_another_program_are_left_alone(engine):
    run(engine, "CREATE TABLE other (id INTEGER)")
    with pytest.raises(DatabaseFault, match="holds tables of another program"):
        ensure_current(engine)


def test_a_newer_database_asks_for_a_newer_program(engine):
    migrate(engine)
    run(engine, "UPDATE alembic_version SET version_num = 'f00d'")
    with pytest.raises(DatabaseFault, match="made by a newer version of this program"):
        ensure_current(engine)


def test_a_session_that_reads_takes_no_lock(engine):
    migrate(engine)
    with reading(engine) as one, reading(engine) as two:
        assert one.scalar(text("SELECT count(*) FROM entry")) == two.scalar(text("SELECT count(*) FROM entry")) == 0
        run(engine, "DELETE FROM entry")


def test_what_is_deleted_is_gone_from_the_file(engine):
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1


@pytest.mark.parametrize(("url", "words"), [("nonsense", "cannot be read"), ("mysql://host/name", "must be sqlite")])
def test_an_address_that_is_none_is_refused(url, words):
    with pytest.raises(ConfigurationFault, match=words):
        open_engine(url)


def test_a_database_in_memory_makes_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    open_engine("sqlite://").dispose()
    open_engine("sqlite:///:memory:").dispose()
    assert list(tmp_path.iterdir()) == []


def test_the_password_of_a_database_is_not_said():
    engine = open_engine("postgresql://ada:sesame@127.0.0.1:1/newsletter")
    with pytest.raises(DatabaseFault, match="cannot be opened") as refused:
        ensure_current(engine)
    assert "sesame" not in str(refused.value)
    engine.dispose()
