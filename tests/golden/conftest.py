"""The editions that are compared with the approved ones, and the option that approves them anew."""

from pathlib import Path

import pytest

from newsletter.bootstrap import build
from newsletter.database import migrate
from newsletter.settings import load

FOLDER = Path(__file__).parent


def pytest_addoption(parser):
    parser.addoption(
        "--write-golden", action="store_true", help="approve the present output: show what differs, keep it"
    )


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """A folder with all files of the golden issue, compiled now."""
    folder = tmp_path_factory.mktemp("golden")
    settings = load(
        database={"url": f"sqlite:///{folder / 'newsletter.sqlite'}"}, public_url="https://news.orchardtowns.example"
    )
    pipeline = build(settings, operator="golden", migrated=False)
    migrate(pipeline.parts.engine)
    pipeline.entries.import_pack(FOLDER / "pack.yaml")
    pipeline.editorial.assemble("2026-12", newsletter=None)
    pipeline.approval.compile("2026-12", newsletter=None).write(folder / "out")
    pipeline.parts.engine.dispose()
    return folder / "out"
