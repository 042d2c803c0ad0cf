"""The command that writes an issue's web view as a folder for any web server."""

from pathlib import Path

import typer

from newsletter.cli.output import JsonOption, note, print_json, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE, NewsletterOption, interruptible


def export(
    slug: str,
    folder: Path = typer.Argument(..., help="Folder that a web server hands out as the public address."),
    newsletter: str = NewsletterOption,
    json: bool = JsonOption,
) -> None:
    """Write the web view: a page per language, calendar files, pictures, a list of issues, feeds."""
    pipeline = STATE.pipeline()
    with interruptible("every file in the folder is whole; export again to have them all"):
        exported = pipeline.export.export(slug, folder, newsletter=newsletter)
    if json:
        print_json(
            {
                "issue": slug,
                "folder": str(exported.folder),
                "pages": exported.pages,
                "files": exported.files,
                "changed": exported.changed,
                "missing": exported.missing,
                "pinned": exported.pinned,
                "corrected": exported.corrected,
            }
        )
        return
    for page in exported.pages:
        say(str(exported.folder / page))
    say(f"{counted(len(exported.files), 'file', 'files')}, {exported.changed:,} of them new or changed")
    if exported.corrected:
        note(f"corrected after sending: {', '.join(exported.corrected)}; the email as it was sent stands beside them")
    if not exported.pinned:
        note("this is what would be compiled now; nobody has approved these bytes")
    for address in exported.missing:
        note(f"the page links to {address}, whose sitting is no more")
