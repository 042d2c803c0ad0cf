"""Commands about issues: make one, look at it, approve, queue, watch, prove."""

import datetime as dt
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from newsletter.cli.clicks import clicks
from newsletter.cli.corrections import correct, correction_json, correction_words
from newsletter.cli.export import export
from newsletter.cli.groups import group
from newsletter.cli.output import JsonOption, note, print_json, print_table, progress, say
from newsletter.cli.queueing import queue
from newsletter.cli.report import counted, standing_json, standing_words
from newsletter.cli.state import STATE, NewsletterOption
from newsletter.errors import InvalidInput

if TYPE_CHECKING:
    from newsletter.preflight.outside import Outside

app = group("Issues: assemble, compile, check, approve, queue, watch, prove.", no_args_is_help=True)

app.command()(export)
app.command()(correct)
app.command()(queue)
app.command()(clicks)

ACKNOWLEDGED_SECONDS: Final = 30
"""How long `pause` waits for what is on the wire."""


def _day(value: str | None, option: str) -> dt.date | None:
    if value is None:
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError as error:
        raise InvalidInput(f"{option} {value!r} is no date; write it like 2026-12-01") from error


@app.command()
def assemble(
    slug: str,
    newsletter: str = NewsletterOption,
    first: str = typer.Option(None, "--from", help="First day whose entries are news, like 2026-11-01."),
    last: str = typer.Option(None, "--to", help="Last day whose entries are news."),
    json: bool = JsonOption,
) -> None:
    """Choose the entries of an issue and say of every candidate why it is in or out."""
    made = STATE.pipeline().editorial.assemble(
        slug, newsletter=newsletter, first=_day(first, "--from"), last=_day(last, "--to")
    )
    if json:
        print_json(
            {
                "issue": slug,
                "items": [
                    {
                        "key": item.key,
                        "section": item.section,
                        "placement": item.placement.value,
                        "segment": item.segment,
                    }
                    for item in made.items
                ],
                "verdicts": [
                    {"key": verdict.key, "title": verdict.title, "code": verdict.code.value, "words": verdict.words}
                    for verdict in made.verdicts
                ],
            }
        )
        return
    print_table(
        ("entry", "title", "verdict"), [(verdict.key, verdict.title, verdict.words) for verdict in made.verdicts]
    )
    say(f"{counted(len({item.key for item in made.items}), 'entry', 'entries')} in issue {slug}")


@app.command("list")
def list_issues(newsletter: str = NewsletterOption, json: bool = JsonOption) -> None:
    """List all issues, newest first."""
    rows = STATE.pipeline().editorial.issues(newsletter)
    if json:
        print_json(
            [
                {
                    "newsletter": row.newsletter,
                    "slug": row.slug,
                    "number": row.number,
                    "date": row.date,
                    "state": row.state,
                }
                for row in rows
            ]
        )
        return
    print_table(
        ("newsletter", "issue", "no.", "date", "state"),
        [(row.newsletter, row.slug, row.number, row.date, row.state.value) for row in rows],
    )


@app.command()
def show(slug: str, newsletter: str = NewsletterOption, json: bool = JsonOption) -> None:
    """Show an issue: texts, items, and every candidate's verdict."""
    shown = STATE.pipeline().editorial.show(slug, newsletter=newsletter)
    facts, verdicts = shown.facts, shown.verdicts
    if json:
        print_json(
            {
                "slug": facts.plan.slug,
                "newsletter": facts.settings.slug,
                "state": facts.state.value,
                "plan": facts.plan.model_dump(mode="json", by_alias=True),
                "items": [
                    {
                        "key": item.key,
                        "section": item.section,
                        "placement": item.placement.value,
                        "segment": item.segment,
                    }
                    for item in facts.items
                ],
                "verdicts": [
                    {"key": verdict.key, "title": verdict.title, "code": verdict.code.value, "words": verdict.words}
                    for verdict in verdicts
                ],
                "corrections": [correction_json(correction) for correction in shown.corrections],
            }
        )
        return
    say(f"{facts.settings.slug}/{facts.plan.slug}, {facts.plan.date}, {facts.state.value}")
    for language, text in facts.plan.texts.items():
        say(f"  {language}: {text.subject or '(no subject)'}")
    for correction in shown.corrections:
        say(f"  {correction_words(correction)}")
    print_table(("entry", "section", "as"), [(item.key, item.section, item.placement.value) for item in facts.items])
    say()
    print_table(("entry", "title", "verdict"), [(verdict.key, verdict.title, verdict.words) for verdict in verdicts])


@app.command()
def copy(slug: str, new: str, newsletter: str = NewsletterOption) -> None:
    """Make a new draft from an issue: the next period, texts and hand-picked items kept."""
    made = STATE.pipeline().editorial.copy(slug, new, newsletter=newsletter)
    say(
        f"issue {new} is dated {made.date}, with the entries of {made.period.first} to {made.period.last}: "
        f"run `newsletter issue assemble {new}`"
    )


@app.command()
def compile(  # noqa: A001  the command's name
    slug: str,
    newsletter: str = NewsletterOption,
    output: Path | None = typer.Option(None, help="Write LANG.html, .txt, .eml, .mjml, issue.ics and build.json here."),
    json: bool = JsonOption,
) -> None:
    """Compile every edition; an approved or sent issue gives the bytes that were approved."""
    built = STATE.pipeline().approval.compile(slug, newsletter=newsletter)
    if output is not None:
        built.write(output)
    if json:
        print_json(
            {
                "issue": slug,
                "editions": [
                    {
                        "name": artifact.name,
                        "language": artifact.language,
                        "variant": artifact.variant,
                        "digest": artifact.digest,
                        "size": artifact.size,
                    }
                    for artifact in built.artifacts
                ],
                "pinned": built.pinned,
            }
        )
        return
    print_table(
        ("edition", "size", "digest"),
        [(artifact.name, f"{artifact.size / 1000:.1f} kB", artifact.digest[:16]) for artifact in built.artifacts],
    )
    if built.pinned:
        note("these are the bytes that were approved")
    say(f"written to {output}" if output is not None else "compiled; give --output DIR to get the files")


@app.command()
def preflight(
    slug: str,
    newsletter: str = NewsletterOption,
    segment: str = typer.Option(None, help="Judge the audience of this segment as well."),
    caniemail: Path | None = typer.Option(
        None, metavar="FILE", help="Judge mail programs by caniemail's api/data.json."
    ),
    outside: bool = typer.Option(False, "--outside", help="Ask linked pages, the DNS and a spam filter, too."),
    language: str = typer.Option(None, help="Language of the words: en or fr; default: NEWSLETTER_LANGUAGE."),
    json: bool = JsonOption,
) -> None:
    """Check an issue. Exit code 0: may be approved; 3: errors; 4: warnings to decide."""
    from newsletter.preflight.caniemail import load_facts

    pipeline = STATE.pipeline()
    with progress("asking pages") as bar:
        checked = pipeline.approval.preflight(
            slug,
            newsletter=newsletter,
            segment=segment,
            client_facts=None if caniemail is None else load_facts(caniemail),
            outside=_everybody() if outside else None,
            progress=bar,
        )
    words = language or pipeline.parts.settings.language
    if json:
        print_json(checked.to_json(words))
    else:
        for line in checked.lines(words):
            say(line)
    raise typer.Exit(checked.exit_code)


def _everybody() -> "Outside":
    """The network, the DNS, and the spam filter of this machine if it has one."""
    from newsletter.preflight.outside import Outside
    from newsletter.preflight.reach import Reach
    from newsletter.preflight.resolver import Dns

    return Outside(reach=Reach(), names=Dns)


@app.command()
def waive(
    slug: str,
    code: str,
    reason: str = typer.Option(..., help="Why this warning is accepted."),
    segment: str = typer.Option(None, help="Accept warnings about the audience of this segment as well."),
    newsletter: str = NewsletterOption,
) -> None:
    """Accept a warning of preflight, with a reason; holds until that finding changes."""
    count = STATE.pipeline().approval.waive(slug, code, reason=reason, newsletter=newsletter, segment=segment)
    say(f"{counted(count, 'finding', 'findings')} {code} waived")


@app.command()
def approve(slug: str, newsletter: str = NewsletterOption, json: bool = JsonOption) -> None:
    """Approve exactly these bytes: what is approved is what is sent."""
    built = STATE.pipeline().approval.approve(slug, newsletter=newsletter)
    if json:
        print_json({"issue": slug, "editions": {artifact.name: artifact.digest for artifact in built.artifacts}})
        return
    say(f"issue {slug} approved: {', '.join(artifact.name for artifact in built.artifacts)}")


@app.command()
def test(
    slug: str,
    to: str = typer.Option(..., help="Address that gets the test."),
    language: str = typer.Option(None, help="Which edition; default: the newsletter's first language."),
    newsletter: str = NewsletterOption,
) -> None:
    """Send one edition to one address, as it is now, over the configured relay."""
    from newsletter.cli.processes import dispatch_single

    pipeline = STATE.pipeline()
    built = pipeline.approval.compile(slug, newsletter=newsletter)
    mailing = pipeline.proof.test(slug, to=to, artifact=built.edition(language))
    say(dispatch_single(pipeline, mailing))


@app.command()
def status(slug: str, newsletter: str = NewsletterOption, json: bool = JsonOption) -> None:
    """Say how an issue's dispatch stands."""
    pipeline = STATE.pipeline()
    standing = pipeline.control.status(slug, newsletter=newsletter)
    if json:
        print_json(standing_json(standing))
        return
    say(standing_words(slug, standing))
    if back := pipeline.feedback.counts(slug, newsletter=newsletter):
        say(f"came back: {', '.join(f'{count:,} {kind.value}' for kind, count in sorted(back.items()))}")


@app.command()
def pause(slug: str, newsletter: str = NewsletterOption, json: bool = JsonOption) -> None:
    """Stop a run; comes back when nothing is on the wire any more."""
    control = STATE.pipeline().control
    standing = control.pause(slug, newsletter=newsletter)
    patience = time.monotonic() + ACKNOWLEDGED_SECONDS
    while standing.on_the_wire and time.monotonic() < patience:
        time.sleep(0.1)
        standing = control.status(slug, newsletter=newsletter)
    if json:
        print_json(standing_json(standing))
        return
    say(f"issue {slug} is paused; {standing.beyond_recall} beyond recall, {standing.on_the_wire} still on the wire")


@app.command()
def resume(slug: str, newsletter: str = NewsletterOption, json: bool = JsonOption) -> None:
    """Let a paused run go on, or start one that was missed."""
    standing = STATE.pipeline().control.resume(slug, newsletter=newsletter)
    if json:
        print_json(standing_json(standing))
    else:
        say(standing_words(slug, standing))


@app.command()
def cancel(slug: str, newsletter: str = NewsletterOption, json: bool = JsonOption) -> None:
    """Stop a run for good: whatever has not gone out never does."""
    standing = STATE.pipeline().control.cancel(slug, newsletter=newsletter)
    if json:
        print_json(standing_json(standing))
    else:
        say(f"issue {slug} is cancelled; {standing.beyond_recall} of {standing.total} are beyond recall")


@app.command()
def audit(slug: str, newsletter: str = NewsletterOption, json: bool = JsonOption) -> None:
    """Check that everybody of the frozen audience ended exactly once. Exit code 0 only if all invariants hold."""
    checks = STATE.pipeline().proof.audit(slug, newsletter=newsletter)
    if json:
        print_json(
            {
                "holds": all(check.holds for check in checks),
                "checks": [
                    {"code": check.code, "holds": check.holds, "violations": check.violations, "words": check.words}
                    for check in checks
                ],
            }
        )
    else:
        print_table(
            ("", "invariant", "violations"),
            [(check.code, check.words, "holds" if check.holds else check.violations) for check in checks],
        )
    raise typer.Exit(0 if all(check.holds for check in checks) else 1)
