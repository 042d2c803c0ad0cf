"""Consent that was logged before proofs were keeps its lines, on the way up and down."""

import pytest
from alembic import command
from sqlalchemy import inspect, text

from newsletter.database import _alembic, open_engine

LINE = """
INSERT INTO consent_entry (digest, action, list_name, newsletter, wording_version, wording_language, source, operator,
    origin, at)
VALUES ('d', 'imported', 'members', '', '', '', 'import', 'marie', '', '2026-11-21 09:00:00')
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request, tmp_path):
    """A database without tables, of either kind."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'n.sqlite'}")
    else:
        engine = open_engine(request.getfixturevalue("bare_postgres_engine").url.render_as_string(hide_password=False))
    yield engine
    engine.dispose()


def test_a_line_of_the_log_gets_an_empty_proof_and_loses_it_again(bare):
    def migrated(step, revision):
        config = _alembic(bare)
        with bare.connect() as connection:
            config.attributes["connection"] = connection
            step(config, revision)
            connection.commit()
            return {column["name"] for column in inspect(connection).get_columns("consent_entry")}

    before = migrated(command.upgrade, "0005")
    with bare.begin() as connection:
        connection.execute(text(LINE))
    assert migrated(command.upgrade, "0006") - before == {"proof"}
    with bare.begin() as connection:
        assert connection.execute(text("SELECT source, proof FROM consent_entry")).all() == [("import", "")]
    assert migrated(command.downgrade, "0005") == before
    with bare.begin() as connection:
        assert connection.execute(text("SELECT source FROM consent_entry")).scalars().all() == ["import"]
