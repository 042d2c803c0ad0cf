"""
The keys that a database was used with, by fingerprint, and whether this machine has them.

Several machines work over one database, each with a file of keys of its own. One whose file lacks a key would send
links that no other one takes, or write to addresses that are suppressed under another digest: it is refused here, when
it starts. Takes an engine and the settings; yields the keys.
"""

import datetime as dt

from sqlalchemy import Engine, select
from sqlmodel import Session

from newsletter.database import reading
from newsletter.errors import ConfigurationFault
from newsletter.keeping.models import KnownKeyRow
from newsletter.keyring import SUPPRESSION, fingerprint, fingerprints, key_file, load_keys
from newsletter.settings import Settings
from subscribers.columns import insert_into
from subscribers.tokens import Keys


def ensured_keys(engine: Engine, settings: Settings, *, now: dt.datetime) -> Keys:
    """
    The keys of this machine, which has every one that the database was used with; the one that signs is noted.

    Raises ConfigurationFault, saying what to do, where one is missing or another.
    """
    with reading(engine) as session:
        known = known_keys(session)
    keys = load_keys(settings, made=not known)
    ensure_known(keys, known, name=str(key_file(settings)))
    if not fingerprints(keys).items() <= known.items():
        with Session(engine) as session:
            note_keys(session, keys, now=now)
            session.commit()
    return keys


def known_keys(session: Session) -> dict[str, str]:
    """Fingerprints by name; empty where the database was never used."""
    return {row.name: row.fingerprint for row in session.scalars(select(KnownKeyRow))}


def ensure_known(keys: Keys, known: dict[str, str], *, name: str) -> None:
    """Raise ConfigurationFault, naming the file, unless `keys` has every key that is `known`."""
    if known.get(SUPPRESSION, fingerprint(keys.suppression)) != fingerprint(keys.suppression):
        raise ConfigurationFault(
            f"the keys in {name} are those of another installation: copy the file from a machine that works with this "
            "database, or restore it from a backup"
        )
    here = {key: fingerprint(secret) for key, secret in keys.signing}
    missing = sorted(key for key, print_ in known.items() if key != SUPPRESSION and here.get(key) != print_)
    if missing:
        raise ConfigurationFault(
            f"{name} lacks the signing key {', '.join(missing)}, with which links were made: copy the file from the "
            "machine that has it, or set the NEWSLETTER_SECRET_KEY of that time once more"
        )


def note_keys(session: Session, keys: Keys, *, now: dt.datetime) -> None:
    """Note the key that signs and that of the digests; whoever lacks them is refused from now on."""
    rows = [{"name": name, "fingerprint": print_, "since": now} for name, print_ in fingerprints(keys).items()]
    session.execute(insert_into(session, KnownKeyRow).values(rows).on_conflict_do_nothing())


def forget_key(session: Session, name: str) -> None:
    """A key was revoked: nobody has to have it."""
    row = session.get(KnownKeyRow, name)
    if row is not None:
        session.delete(row)
