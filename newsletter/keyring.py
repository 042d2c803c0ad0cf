"""
The keys of an installation: the one that signs links, those that signed before, and that of the suppression digests.

Takes the settings; yields `Keys`, made at first use and kept beside the database, in a file that only its owner may
read.
"""

import contextlib
import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import make_url

from newsletter.errors import ConfigurationFault
from newsletter.settings import Settings
from subscribers.tokens import Keys

KEY_FILE: Final = "newsletter.keys.json"
"""Beside the database: the signing key that is made where none is set, and the key of the suppression digests."""


def load_keys(settings: Settings) -> Keys:
    """
    The keys of this installation, made at first use and kept in a file that only its owner may read.

    A secret key from the settings signs; keys that signed before still verify, so that links in old mail keep working.
    """
    path = key_file(settings)
    stored = _stored(path)
    signing = [(str(key_id), bytes.fromhex(secret)) for key_id, secret in stored["signing"]]
    if settings.secret_key is not None:
        secret = hashlib.sha256(settings.secret_key.get_secret_value().encode()).digest()
        named = (hashlib.sha256(b"id" + secret).hexdigest()[:8], secret)
        signing = [named, *(known for known in signing if known != named)]
    return Keys(signing=tuple(signing), suppression=bytes.fromhex(stored["suppression"]))


def key_file(settings: Settings) -> Path:
    """Where the keys lie: beside a SQLite file, else in `./var`."""
    url = make_url(settings.database.url)
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(url.database).parent / KEY_FILE
    return Path("var") / KEY_FILE


def _stored(path: Path) -> dict[str, Any]:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = {"signing": [[secrets.token_hex(4), secrets.token_hex(32)]], "suppression": secrets.token_hex(32)}
        draft = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(made, file)
        with contextlib.suppress(FileExistsError):  # another process was first: its keys hold
            os.link(draft, path)
        draft.unlink()
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise ConfigurationFault(f"{path} cannot be read: restore it from a backup ({error})") from error
