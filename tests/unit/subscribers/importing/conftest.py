"""A file of people, and an import of it."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from subscribers.importing import Manner, import_subscribers


@pytest.fixture
def people(tmp_path):
    """Writes a file and returns its path."""

    def write(text: str | bytes, name: str = "people.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


@pytest.fixture
def load(engine, keys, people, session, members):
    """Imports a text into the list of members."""
    session.commit()

    def run(text: str | bytes, *, name="people.csv", now=None, list_name="members", listeners=None, **manner):
        return import_subscribers(
            lambda: Session(engine),
            people(text, name),
            list_name=list_name,
            keys=keys,
            operator="marie",
            now=now or members.created,
            manner=Manner(**manner),
            listeners=listeners,
        )

    return run
