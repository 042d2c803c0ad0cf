"""Commands about content: packs, entries, completeness."""

from pathlib import Path

import typer

from newsletter.cli.groups import group
from newsletter.cli.output import JsonOption, note, print_json, print_table, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE, NewsletterOption
from newsletter.content.difference import Difference, Effect
from newsletter.content.entry import Kind, Status, StoredEntry
from newsletter.pipeline.entries import Imported

app = group("Content: import packs, list entries, see what is missing.", no_args_is_help=True)


@app.command("import")
def import_packs(
    files: list[Path] = typer.Argument(..., metavar="FILE...", help="Content packs (YAML)."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what would change and change nothing."),
    json: bool = JsonOption,
) -> None:
    """Take content packs: each whole or not at all; a pack taken twice changes nothing."""
    entries = STATE.pipeline().entries
    told = []
    for file in files:
        imported = entries.import_pack(file, dry_run=dry_run)
        told.append({"file": str(file), "dry_run": dry_run, **_data(imported)})
        if not json:
            _tell(file, imported, dry_run=dry_run)
    if json:
        print_json(told)


def _groups(imported: Imported) -> dict[str, dict[str, Difference]]:
    report = imported.report
    return {
        "newsletter": {report.slug: report.settings} if report.settings else {},
        "topic": dict(report.topics),
        "entry": dict(report.entries),
        "issue": dict(imported.issues),
    }


def _data(imported: Imported) -> dict[str, object]:
    return {
        **{
            kind: {
                key: {"effect": difference.effect.value, "changes": list(difference.lines)}
                for key, difference in differences.items()
            }
            for kind, differences in _groups(imported).items()
        },
        "voided": list(imported.voided),
    }


def _tell(file: Path, imported: Imported, *, dry_run: bool) -> None:
    tally = dict.fromkeys(Effect, 0)
    for kind, differences in _groups(imported).items():
        for key, difference in differences.items():
            tally[difference.effect] += 1
            if difference.effect is Effect.UNCHANGED:
                continue
            say(f"{difference.effect.value:8} {kind} {key}")
            for line in difference.lines:
                say(f"{'':8}   {line}")
    counts = ", ".join(f"{count} {effect.value}" for effect, count in tally.items())
    say(f"{file}: {counts}{' (nothing was changed: this was a dry run)' if dry_run else ''}")
    for remark in imported.report.notes:
        note(remark.at(file))
    for slug in imported.voided:
        note(f"issue {slug} was approved and is a draft again: look at it and approve it anew")


@app.command("list")
def list_entries(
    newsletter: str = NewsletterOption,
    kind: Kind = typer.Option(None, help="Only this kind."),
    language: str = typer.Option(None, help="Only entries with a text in this language."),
    status: Status = typer.Option(None, help="Only this editorial status."),
    json: bool = JsonOption,
) -> None:
    """List entries."""
    found = STATE.pipeline().entries.entries(newsletter=newsletter, kind=kind, language=language, status=status)
    if json:
        print_json([_summary(stored) for stored in found])
        return
    print_table(
        ("entry", "kind", "section", "published", "status", "texts", "title"),
        [
            (
                stored.entry.key,
                stored.entry.kind.value,
                stored.entry.section,
                stored.entry.published,
                stored.entry.status.value,
                " ".join(f"{tag}*" if tag in stored.stale else tag for tag in stored.entry.texts),
                stored.entry.texts[stored.entry.source].title,
            )
            for stored in found
        ],
    )
    if any(stored.stale for stored in found):
        note("* older than the text it was translated from")


def _summary(stored: StoredEntry) -> dict[str, object]:
    entry = stored.entry
    return {
        "key": entry.key,
        "kind": entry.kind.value,
        "section": entry.section,
        "status": entry.status.value,
        "published": entry.published,
        "languages": list(entry.texts),
        "stale": sorted(stored.stale),
        "title": entry.texts[entry.source].title,
    }


@app.command()
def show(key: str, newsletter: str = NewsletterOption, json: bool = JsonOption) -> None:
    """Show an entry with all its texts."""
    stored = STATE.pipeline().entries.entry(key, newsletter=newsletter)
    entry = stored.entry
    if json:
        data = entry.model_dump(mode="json", by_alias=True)
        print_json({**data, "stale": sorted(stored.stale), "sequences": dict(stored.sequences)})
        return
    say(f"{entry.key}: {entry.kind.value} in {entry.section}, {entry.status.value}, published {entry.published}")
    for sitting in entry.sittings:
        when = (
            f"{sitting.start:%Y-%m-%d %H:%M}" if sitting.start else f"{sitting.date} to {sitting.until or sitting.date}"
        )
        say(f"  sitting {sitting.key}: {when}, {sitting.status.value}")
    for tag, text in entry.texts.items():
        say(f"\n[{tag}{', stale' if tag in stored.stale else ''}] {text.title}")
        if text.body:
            say(text.body.rstrip())
        for link in text.links:
            say(f"  {link.action.value if link.action else link.label}: {link.url}")


@app.command()
def matrix(slug: str, newsletter: str = NewsletterOption, json: bool = JsonOption) -> None:
    """Show which entries of an issue have a text in which language."""
    languages, rows = STATE.pipeline().editorial.matrix(slug, newsletter=newsletter)
    if json:
        print_json(
            [
                {
                    "key": row.key,
                    "title": row.title,
                    "source": row.source,
                    "cells": {
                        cell.language: {"state": cell.state.value, "instead": cell.instead} for cell in row.cells
                    },
                }
                for row in rows
            ]
        )
        return
    print_table(("entry", *languages), [(row.key, *map(str, row.cells)) for row in rows], headed=True)
    complete = sum(row.complete for row in rows)
    say(f"{complete} of {counted(len(rows), 'entry', 'entries')} complete in every language")
