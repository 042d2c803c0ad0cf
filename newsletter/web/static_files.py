"""
Files that pages load: our own under `templates/web/static`, and htmx from the package that carries it.

Takes a name; yields bytes, plain or compressed once (RFC 1952). An address bears the digest of its file, so a browser
keeps it for ever and still loads the next version's.
"""

import datetime as dt
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path, PurePath
from typing import Final

from newsletter.paths import templates

TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is served, by the end of its name."""

HTMX: Final = "htmx.js"
"""The name that pages load htmx by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFile:
    """A file as it is sent; `etag` is quoted (RFC 9110 §8.8.3), `compressed` the same bytes by gzip."""

    data: bytes
    compressed: bytes
    media_type: str
    etag: str
    modified: dt.datetime

    @property
    def version(self) -> str:
        """What an address bears to be kept for ever."""
        return self.etag.strip('"')[:12]


def static_file(name: str) -> StaticFile | None:
    """The file of a name without folders, as it is now; None where there is none."""
    if PurePath(name).suffix not in TYPES or PurePath(name).name != name:
        return None
    path = _htmx() if name == HTMX else templates() / "web" / "static" / name
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else None


@cache
def _htmx() -> Path:
    """A wheel is always installed as files."""
    return Path(str(resources.files("js_lib_htmx"))) / "static" / "htmx" / "htmx.min.js"


@cache
def _read(path: Path, modified: int) -> StaticFile:
    data = path.read_bytes()
    return StaticFile(
        data=data,
        compressed=gzip.compress(data, mtime=0),
        media_type=TYPES[path.suffix],
        etag=f'"{hashlib.sha256(data).hexdigest()[:32]}"',
        modified=dt.datetime.fromtimestamp(modified // 1_000_000_000, dt.UTC),
    )


def address_of(name: str) -> str:
    """The address of a file of ours, with its version; raises KeyError where there is no such file."""
    found = static_file(name)
    if found is None:
        raise KeyError(name)
    return f"/static/{name}?v={found.version}"
