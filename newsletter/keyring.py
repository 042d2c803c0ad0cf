"""
The keys of an installation: the one that signs links, those that signed before, and that of the suppression digests.

Takes the settings; yields `Keys`, made at first use and kept in a file that only its owner may read, beside the
database or where `key_file` says. A key that has signed is never forgotten, so that links in old mail keep working: one
that comes from the settings is written into the file at its first use. The key of the digests never changes.
"""

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import make_url

from newsletter.errors import ConfigurationFault, NotFound, WrongState
from newsletter.files import safe, sync
from newsletter.settings import Settings
from subscribers.tokens import Keys

KEY_FILE: Final = "newsletter.keys.json"
"""Beside the database: the signing key that is made where none is set, and the key of the suppression digests."""

SUPPRESSION: Final = "suppression"
"""What the key of the digests is called where keys have names."""

_PRINTED: Final = b"newsletter/fingerprint/1"

Change = Callable[[dict[str, Any]], dict[str, Any]]
"""What makes of the stored keys those that are stored next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A signing key: its id, whether it signs now, is to sign next, and whether the settings give it."""

    id: str
    signs: bool
    is_next: bool
    is_set: bool


def load_keys(settings: Settings, *, made: bool = True) -> Keys:
    """
    The keys of this installation; where there are none they are made, unless they must have been `made` before.

    A secret key from the settings signs; keys that signed before still verify. Raises ConfigurationFault for a file
    that is missing though it must not be, or cannot be read.
    """
    path = key_file(settings)
    stored = _stored(path, made=made)
    own = _own(settings)
    if own is not None and own not in _signing(stored):
        with contextlib.suppress(OSError):  # a file that is mounted to be read only
            stored = _rewritten(path, _remembering(own))
    return _keys(stored, own)


def read_keys(content: bytes, *, name: str) -> Keys:
    """The keys in a file's content. Raises ConfigurationFault, naming the file, where it holds none."""
    try:
        return _keys(json.loads(content), None)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationFault(f"{name} cannot be read: restore it from a backup") from error


def key_file(settings: Settings) -> Path:
    """Where the keys lie: where the settings say, else beside a SQLite file, else in `./var`."""
    if settings.key_file is not None:
        return settings.key_file
    url = make_url(settings.database.url)
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(url.database).parent / KEY_FILE
    return Path("var") / KEY_FILE


def fingerprints(keys: Keys) -> dict[str, str]:
    """By name, what tells the key that signs and the key of the digests from others, and gives neither away."""
    name, secret = keys.signing[0]
    return {name: fingerprint(secret), SUPPRESSION: fingerprint(keys.suppression)}


def fingerprint(secret: bytes) -> str:
    """What tells a key from others: 32 hexadecimal digits from which nobody gets it back."""
    return hmac.digest(secret, _PRINTED, "sha256").hex()[:32]


def standings(settings: Settings) -> list[Standing]:
    """The signing keys, the one that signs first."""
    stored, keys, own = _stored(key_file(settings)), load_keys(settings), _own(settings)
    following = stored.get("next")
    return [
        Standing(
            id=name,
            signs=(name, secret) == keys.signing[0],
            is_next=following is not None and following[0] == name,
            is_set=(name, secret) == own,
        )
        for name, secret in keys.signing
    ]


def prepare(settings: Settings) -> str:
    """
    Make the key that is to sign next, or take the one that was made; returns its id.

    It verifies from now on, and signs nothing before `rotate`: time to carry the file to other machines.
    """
    _ensure_not_set(settings)

    def prepared(stored: dict[str, Any]) -> dict[str, Any]:
        return stored if stored.get("next") else {**stored, "next": _new_key()}

    return str(_rewritten(key_file(settings), prepared)["next"][0])


def rotate(settings: Settings) -> str:
    """Have a new key sign, the one that was prepared where there is one; those before still verify. Returns its id."""
    _ensure_not_set(settings)

    def rotated(stored: dict[str, Any]) -> dict[str, Any]:
        first = stored.get("next") or _new_key()
        rest = {name: value for name, value in stored.items() if name != "next"}
        return {**rest, "signing": [first, *stored["signing"]]}

    return str(_rewritten(key_file(settings), rotated)["signing"][0][0])


def revoke(settings: Settings, name: str) -> None:
    """
    Forget a key that has got into wrong hands: links that it signed are dead.

    Raises NotFound for a key that is not there, WrongState for the one that signs.
    """
    found = {each.id: each for each in standings(settings)}
    if name not in found:
        raise NotFound("signing key", name, near=tuple(found)[:2])
    if found[name].signs:
        raise WrongState(f"the key {name} signs: rotate first, so that another does")

    def without(stored: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in stored.items() if key != "next" or value[0] != name}
        return {**kept, "signing": [each for each in stored["signing"] if each[0] != name]}

    _rewritten(key_file(settings), without)


def content_of(settings: Settings) -> bytes:
    """
    What the file of keys holds, with the key that the settings give: all that another machine needs.

    Raises ConfigurationFault where there is none.
    """
    stored, own = _stored(key_file(settings), made=False), _own(settings)
    return _as_file(_remembering(own)(stored) if own else stored)


def put_keys(path: Path, content: bytes, *, mark: str) -> Path | None:
    """
    Put keys into their place.

    Keys of the same installation that lie there stay and sign on, and what they lack is added. Those of another one are
    set aside: returns where they lie now, under a name that ends with `mark`, else None.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _written(path, content)
        return None
    stored, given = _stored(path), json.loads(content)
    if stored["suppression"] == given["suppression"]:
        known = _signing(stored)
        added = [[name, secret.hex()] for name, secret in _signing(given) if (name, secret) not in known]
        _rewritten(path, lambda now: {**now, "signing": [*now["signing"], *added]} if added else now)
        return None
    aside = path.with_name(f"{path.name}.before-{mark}")
    os.link(path, aside)
    _written(path, content)
    return aside


def _keys(stored: dict[str, Any], own: tuple[str, bytes] | None) -> Keys:
    signing = _signing(stored)
    if own is not None:
        signing = [own, *(known for known in signing if known != own)]
    return Keys(signing=tuple(signing), suppression=bytes.fromhex(stored["suppression"]))


def _signing(stored: dict[str, Any]) -> list[tuple[str, bytes]]:
    found = [*stored["signing"], *([stored["next"]] if stored.get("next") else [])]
    return [(str(name), bytes.fromhex(secret)) for name, secret in found]


def _as_file(stored: dict[str, Any]) -> bytes:
    return json.dumps(stored).encode()


def _own(settings: Settings) -> tuple[str, bytes] | None:
    """The key that the settings give, with its id."""
    if settings.secret_key is None:
        return None
    secret = hashlib.sha256(settings.secret_key.get_secret_value().encode()).digest()
    return hashlib.sha256(b"id" + secret).hexdigest()[:8], secret


def _ensure_not_set(settings: Settings) -> None:
    if settings.secret_key is not None:
        raise WrongState(
            "NEWSLETTER_SECRET_KEY signs: give it another value and restart every process; the old one is remembered"
        )


def _new_key() -> list[str]:
    return [secrets.token_hex(4), secrets.token_hex(32)]


def _remembering(own: tuple[str, bytes]) -> Change:
    def remembered(stored: dict[str, Any]) -> dict[str, Any]:
        known = own in _signing(stored)
        return stored if known else {**stored, "signing": [*stored["signing"], [own[0], own[1].hex()]]}

    return remembered


def _stored(path: Path, *, made: bool = True) -> dict[str, Any]:
    if not path.exists():
        if not made:
            raise ConfigurationFault(
                f"{path} is missing, and this database was used with keys: copy it from another machine of this "
                "installation, or restore it from a backup"
            )
        _make(path)
    try:
        stored = dict(json.loads(path.read_text()))
        _keys(stored, None)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationFault(f"{path} cannot be read: restore it from a backup ({error})") from error
    return stored


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = {"signing": [_new_key()], "suppression": secrets.token_hex(32)}
    draft = _draft(path, _as_file(made))
    with contextlib.suppress(FileExistsError):  # another process was first: its keys hold
        os.link(draft, path)
    draft.unlink()


def _rewritten(path: Path, change: Change) -> dict[str, Any]:
    """Change what is stored, one process at a time; returns what is stored then."""
    _stored(path)
    with _alone(path):
        stored = _stored(path)
        changed = change(stored)
        if changed != stored:
            _written(path, _as_file(changed))
    return changed


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the file's lock: that of the file which lies there once it is had, for each change puts another in place."""
    while True:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                yield
                return


def _written(path: Path, content: bytes) -> None:
    draft = _draft(path, content)
    draft.replace(path)
    sync(path.parent)


def _draft(path: Path, content: bytes) -> Path:
    """A file beside it that only its owner may read, safe on the disk."""
    draft = path.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    with safe(draft) as file:
        file.write(content)
    return draft
