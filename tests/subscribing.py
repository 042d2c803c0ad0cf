"""
A whole installation for those who subscribe: the pages, a mail server on loopback, a dispatcher, an issue to send.

The clock goes on by itself and can be moved, so that nobody waits for a form to grow old enough.
"""

import asyncio
import contextlib
import dataclasses
import datetime as dt
import email
import email.policy
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from databases import url_of

from newsletter.bootstrap import Pipeline, build
from newsletter.cli.mailbox import mailbox
from newsletter.database import migrate
from newsletter.dispatchers import build_dispatcher
from newsletter.settings import load

PACK = {
    "newsletter": {
        "slug": "harbour",
        "name": {"en": "Harbour Post", "fr": "Courrier du port", "ar": "بريد الميناء"},
        "languages": ["en", "fr"],
        "locales": {"en": "en-GB", "fr": "fr-FR"},
        "timezone": "Europe/Brussels",
        "sender": {
            "name": {"en": "Harbour towns", "fr": "Villes portuaires", "ar": "مدن الموانئ"},
            "address": "post@harbour.example",
        },
        "list_id": "post.harbour.example",
        "website": "https://www.harbour.example/",
        "theme": {"name": "network", "accent": "#7a2f5d"},
        "footer": {"address": "Quay 1, 4000 Tideham", "email": "office@harbour.example"},
        "sections": [{"key": "lead"}],
    },
    "entries": [
        {
            "key": "ferry",
            "kind": "news",
            "section": "lead",
            "published": "2026-11-20",
            "source": "en",
            "texts": {
                "en": {"title": "The night ferry is back", "body": "From December it crosses twice a week."},
                "fr": {"title": "Le ferry de nuit est de retour", "body": "Il traverse deux fois par semaine."},
            },
        }
    ],
    "issues": [
        {
            "slug": "one",
            "date": "2026-12-01",
            "period": {"from": "2026-11-01", "to": "2026-11-30"},
            "texts": {
                "en": {"title": "December", "subject": "In December"},
                "fr": {"title": "Décembre", "subject": "En décembre"},
            },
        }
    ],
}

LISTS = {
    "monthly": {
        "title.en": "Every month",
        "title.fr": "Chaque mois",
        "title.ar": "كل شهر",
        "description.en": "News from the harbours, on the first of the month.",
        "description.fr": "Des nouvelles des ports, le premier du mois.",
        "description.ar": "أخبار الموانئ في أول كل شهر.",
    },
    "press": {"title.en": "For the press", "title.fr": "Pour la presse", "title.ar": "للصحافة"},
}


class Scene:
    """The installation; `pipeline` has its verbs, `root` is its public address."""

    def __init__(self, pipeline: Pipeline, letters: Path) -> None:
        self.root = pipeline.parts.settings.public_url
        self.folder = letters.parent
        self.ahead = dt.timedelta()
        parts = dataclasses.replace(pipeline.parts, now=lambda: dt.datetime.now(dt.UTC) + self.ahead)
        self.pipeline = Pipeline(parts=parts)
        self._letters = letters

    def forward(self, **delta: float) -> None:
        """Move the clock on."""
        self.ahead += dt.timedelta(**delta)

    def dispatch(self) -> None:
        """Send everything that waits to be sent; in a thread of its own, for a browser's test has a loop already."""
        dispatcher = build_dispatcher(self.pipeline)
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: asyncio.run(dispatcher.run(until_done=True, patience=5))).result()

    def send_issue(self) -> None:
        """Send the issue to everybody on the monthly list."""
        self.pipeline.people.segments.create("readers", 'list = "monthly"')
        self.pipeline.editorial.assemble("one", newsletter=None)
        self.pipeline.approval.approve("one", newsletter=None)
        self.pipeline.sending.queue("one", newsletter=None, segment="readers", at=None, zone=None)
        self.dispatch()

    def letters(self, address: str) -> list[email.message.EmailMessage]:
        """What came to an address, the oldest first."""
        files = sorted((self._letters / address / "new").glob("*.eml"))
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]

    def link(self, address: str, purpose: str) -> str:
        """The last link of a purpose (`c`, `p`, `u`) in the last letter to an address, as its text part has it."""
        text = self.letters(address)[-1].get_body(("plain",)).get_content()
        return re.findall(rf"https?://[^\s<>]+/{purpose}/[\w.-]+", text)[-1]


@contextlib.contextmanager
def bare(folder: Path, *, root: str) -> Iterator[Scene]:
    """An installation in an empty folder with nothing in it, whose pages have the public address `root`."""
    with mailbox(folder / "letters") as port:
        settings = load(
            database={"url": url_of(folder / "newsletter.sqlite")},
            smtp={"host": "127.0.0.1", "port": port, "tls": "none", "connections": 2},
            public_url=root,
        )
        pipeline = build(settings, migrated=False)
        migrate(pipeline.parts.engine)
        yield Scene(pipeline, folder / "letters")
        pipeline.parts.engine.dispose()


@contextlib.contextmanager
def scene(folder: Path, *, root: str) -> Iterator[Scene]:
    """An installation with a newsletter, lists, and an issue to send."""
    with bare(folder, root=root) as place:
        pack = folder / "pack.yaml"
        pack.write_text(json.dumps(PACK), encoding="utf-8")  # JSON is YAML
        place.pipeline.entries.import_pack(pack)
        for name, words in LISTS.items():
            place.pipeline.people.lists.create(name, public=True)
            place.pipeline.people.lists.change(name, words)
        yield place
