"""
Where the files beside the code lie, in a checkout and in an installed wheel alike.

The wheel carries `templates/` inside the package as `_templates`; a checkout has it beside the packages.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates() -> Path:
    """The folder that holds `email/` and `web/`."""
    installed = _PACKAGE / "_templates"
    return installed if installed.is_dir() else _PACKAGE.parent / "templates"


def locales() -> Path:
    """The folder of the gettext catalogues."""
    return _PACKAGE / "locales"


def migrations() -> Path:
    """The folder of the Alembic migrations."""
    return _PACKAGE / "migrations"


def sample() -> Path:
    """The folder of the bundled sample newsletter."""
    return _PACKAGE / "sample"
