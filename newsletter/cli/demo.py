"""
The demo: the whole way in one command, from stored entries to a multilingual issue in real mailboxes.

Everything lies in one folder that can be thrown away: a SQLite database, the bundled sample, the compiled editions, and
the mailboxes of a mail server that runs on this machine for as long as the demo does.
"""

import asyncio
import datetime as dt
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import typer

from newsletter.cli.groups import group
from newsletter.cli.output import print_table, say
from newsletter.cli.report import counted
from newsletter.errors import InvalidInput, NewsletterError
from newsletter.paths import sample

if TYPE_CHECKING:
    from newsletter.bootstrap import Pipeline
    from newsletter.pipeline.approval import Built

LIST: Final = "readers"
SEGMENT: Final = "everybody"
MARKER: Final = "made-by-newsletter-demo"
"""A file in the folder that says it may be thrown away by the next demo."""

AHEAD_SECONDS: Final = 4
"""How far ahead the issue is queued, so that the scheduler is seen to start it."""


app = group()


@app.command()
def demo(output: Path = typer.Option(Path("var/demo"), help="Folder for everything the demo makes.")) -> None:
    """Go the whole way once with the bundled sample: SQLite, a mail server on this machine, forty mailboxes."""
    began = time.monotonic()
    folder = _fresh(output.resolve())
    with _mail_server(folder / "mailboxes") as port:
        pipeline = _pipeline(folder, port)
        slug = _stored(pipeline, folder)
        built = _built(pipeline, slug, folder)
        _queued(pipeline, slug)
        _dispatched(pipeline, slug)
    _summary(pipeline, slug, folder, built)
    say(f"\n{time.monotonic() - began:.0f} s in all. Throw it away with: rm -r {output}")


def _fresh(folder: Path) -> Path:
    """An empty folder; one that an earlier demo made is emptied, any other is left alone."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).exists():
            raise InvalidInput(f"{folder} holds something else: name an empty folder with --output")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()
    return folder


@contextmanager
def _mail_server(folder: Path) -> Iterator[int]:
    from newsletter.cli.mailbox import mailbox

    with mailbox(folder) as port:
        yield port


def _pipeline(folder: Path, port: int) -> "Pipeline":
    from newsletter.bootstrap import build
    from newsletter.database import migrate
    from newsletter.settings import load

    settings = load(
        database={"url": f"sqlite:///{folder / 'newsletter.sqlite'}"},
        smtp={"host": "127.0.0.1", "port": port, "tls": "none", "connections": 4},
        dispatch={"maildir": None},
        media_url=(folder / "media").as_uri(),
    )
    pipeline = build(settings, operator="demo", migrated=False)
    migrate(pipeline.parts.engine)
    return pipeline


def _stored(pipeline: "Pipeline", folder: Path) -> str:
    """Import the sample; returns the slug of its issue."""
    from newsletter.cli.pictures import draw_pictures

    pack = folder / "content"
    shutil.copytree(sample(), pack)
    draw_pictures(pack / "images")
    imported = pipeline.entries.import_pack(pack / "pack.yaml")
    pipeline.entries.write_pictures(folder / "media")
    pipeline.people.lists.create(LIST, public=True)
    people = pipeline.people.import_file(pack / "subscribers.csv", list_name=LIST)
    pipeline.people.segments.create(SEGMENT, f'list = "{LIST}"')
    entries = counted(len(imported.report.entries), "entry", "entries")
    say(f"stored     {entries} in {pack / 'pack.yaml'}, {counted(people.new, 'subscriber', 'subscribers')}")
    return next(iter(imported.issues))


def _built(pipeline: "Pipeline", slug: str, folder: Path) -> "Built":
    chosen = pipeline.editorial.assemble(slug, newsletter=None)
    taken = counted(len({item.key for item in chosen.items}), "entry", "entries")
    say(
        f"assembled  issue {slug}: {taken} of {len(chosen.verdicts)} candidates; "
        f"`newsletter issue show {slug}` gives each one's verdict"
    )
    began = time.perf_counter()
    built = pipeline.approval.compile(slug, newsletter=None)
    seconds = time.perf_counter() - began
    built.write(folder / "issue")
    say(f"compiled   {counted(len(built.artifacts), 'edition', 'editions')} in {seconds:.2f} s")
    checked = pipeline.approval.preflight(slug, newsletter=None, segment=SEGMENT)
    say(f"checked    {checked.words}")
    pipeline.approval.approve(slug, newsletter=None)
    say("approved   these bytes, by digest")
    return built


def _queued(pipeline: "Pipeline", slug: str) -> None:
    zone = pipeline.editorial.zone_of(slug, newsletter=None)
    at = dt.datetime.now(ZoneInfo(zone)) + dt.timedelta(seconds=AHEAD_SECONDS)
    queued = pipeline.sending.queue(slug, newsletter=None, segment=SEGMENT, at=f"{at:%Y-%m-%d %H:%M:%S}", zone=zone)
    say(f"queued     for {at:%H:%M:%S} {zone}, {sum(share.people for share in queued.shares)} people")


def _dispatched(pipeline: "Pipeline", slug: str) -> None:
    """Let the scheduler start the run when it is due, then dispatch it to the end."""
    from newsletter.assembly.facts import IssueState
    from newsletter.dispatch.lock import dispatcher_lock
    from newsletter.dispatchers import build_dispatcher
    from scheduler import make_scheduler

    clock = make_scheduler(pipeline.sending.start_due)
    clock.start()
    try:
        patience = time.monotonic() + 30
        while pipeline.control.status(slug, newsletter=None).state is IssueState.QUEUED:
            if time.monotonic() > patience:
                raise NewsletterError("the scheduler did not start the run")
            time.sleep(0.1)
    finally:
        clock.shutdown()
    say("started    by the scheduler")
    with dispatcher_lock(pipeline.parts.engine):
        dispatcher = build_dispatcher(pipeline, wakes=False)
        asyncio.run(dispatcher.run(until_done=True))
    say(f"dispatched {counted(dispatcher.progress.accepted, 'message', 'messages')} over SMTP")


def _summary(pipeline: "Pipeline", slug: str, folder: Path, built: "Built") -> None:
    from newsletter.compilation.artifact import SAMPLE

    standing = pipeline.control.status(slug, newsletter=None)
    sound = all(check.holds for check in pipeline.proof.audit(slug, newsletter=None))
    say(f"audited    {'every invariant holds' if sound else 'AN INVARIANT DOES NOT HOLD'}\n")
    received = _received(folder / "mailboxes")
    print_table(
        ("language", "people", "subject", "for example"),
        [
            (
                artifact.language,
                standing.languages.get(artifact.language, 0),
                artifact.subject_for(SAMPLE),
                ", ".join(received.get(artifact.language, [])[:2]),
            )
            for artifact in built.artifacts
        ],
    )
    say("\nLook at:")
    for words, place in (
        ("editions", folder / "issue" / "LANG.html, .txt, .eml, .mjml"),
        ("calendar", folder / "issue" / "issue.ics"),
        ("build", folder / "issue" / "build.json"),
        ("mailboxes", folder / "mailboxes" / "ADDRESS" / "new"),
    ):
        say(f"  {words:10} {place}")
    say("\nOpen the desk on it, where it prints a link for your account:")
    say(f"  NEWSLETTER_DATABASE__URL=sqlite:///{folder / 'newsletter.sqlite'} newsletter web")
    if not sound:
        raise typer.Exit(1)


def _received(mailboxes: Path) -> dict[str, list[str]]:
    """The addresses that have mail, by the language of what they got."""
    found: dict[str, list[str]] = {}
    for message in sorted(mailboxes.glob("*/new/*.eml")):
        language = str(BytesHeaderParser().parsebytes(message.read_bytes())["Content-Language"])
        found.setdefault(language, []).append(message.parents[1].name)
    return found
