"""
Commands that change people, one or as many as are named, and read out what is stored about one.

Wherever ADDRESS... stands, `-` reads addresses from standard input and `@FILE` from a file, one a line. With several
people one who cannot be changed keeps nobody else from it; the exit code is 1 then.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import typer

from newsletter.cli.lists import PAIRS, LimitOption, YesOption, agree, pairs
from newsletter.cli.output import JsonOption, note, print_json, print_table, private, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE
from newsletter.errors import InvalidInput, NewsletterError
from newsletter.pipeline.changes import Done
from newsletter.pipeline.stopping import Stopped
from newsletter.times import rfc3339
from subscribers.errors import SubscribersError
from subscribers.models import SuppressionReason

AddressesArgument = typer.Argument(
    ..., metavar="ADDRESS...", help="One or more; - reads them from standard input, @FILE from a file, one a line."
)
"""The argument of every command that takes several people."""

DryRunOption = typer.Option(False, "--dry-run", help="Only say what would happen.")
"""The option of every command that can say beforehand what it would do."""

_COMMENT: Final = "#"


def register(app: typer.Typer) -> None:
    """Add the commands to the group of subscribers."""
    for command in (tag, move, rename, unsubscribe, suppress, unsuppress, suppressions, data, erase):
        app.command()(command)
    app.command("set")(set_subscriber)


def set_subscriber(
    address: str = typer.Argument(..., metavar="ADDRESS", help="Or - for many on standard input, @FILE for a file's."),
    facts: list[str] = typer.Argument(
        ..., metavar=PAIRS, help="Like language=fr, city=Ghent, population=12000, 'tags=press;mayor'; empty clears."
    ),
    dry_run: bool = DryRunOption,
    json: bool = JsonOption,
) -> None:
    """Change fields and attributes of people; tags=... replaces all tags."""
    done = STATE.pipeline().people.changes.set(_named([address]), pairs(facts), dry_run=dry_run)
    _report(done, json=json, dry_run=dry_run)


def tag(
    addresses: list[str] = AddressesArgument,
    add: list[str] = typer.Option([], "--add", metavar="TAG", help="A tag to put on; may be given several times."),
    remove: list[str] = typer.Option([], "--remove", metavar="TAG", help="A tag to take off; likewise."),
    dry_run: bool = DryRunOption,
    json: bool = JsonOption,
) -> None:
    """Put tags on people and take tags off."""
    if not add and not remove:
        raise InvalidInput("name a tag with --add or --remove")
    done = STATE.pipeline().people.changes.tag(_named(addresses), add=add, remove=remove, dry_run=dry_run)
    _report(done, json=json, dry_run=dry_run)


def move(
    addresses: list[str] = AddressesArgument,
    source: str = typer.Option(..., "--from", metavar="LIST", help="The list that they are confirmed members of."),
    target: str = typer.Option(..., "--to", metavar="LIST", help="The list that they become members of instead."),
    dry_run: bool = DryRunOption,
    json: bool = JsonOption,
) -> None:
    """Move members from one list to another, by your word as an administrator; who left the other stays away."""
    done = STATE.pipeline().people.changes.move(_named(addresses), source=source, target=target, dry_run=dry_run)
    _report(done, json=json, dry_run=dry_run)


def rename(old: str, new: str, dry_run: bool = DryRunOption, json: bool = JsonOption) -> None:
    """Give a person another address; lists, consent and what is still to be sent go along."""
    changed = STATE.pipeline().people.changes.rename(old, new, dry_run=dry_run)
    if json:
        print_json({"old": old, "new": new, "changed": changed})
        return
    say(f"{old} {'would have' if dry_run else 'has'} the address {new} now" if changed else f"{old}: nothing changed")


def unsubscribe(
    addresses: list[str] = AddressesArgument,
    newsletter: str | None = typer.Option(None, "--newsletter", help="Leave this newsletter."),
    list_name: str | None = typer.Option(None, "--list", help="Leave this list."),
    dry_run: bool = DryRunOption,
    json: bool = JsonOption,
) -> None:
    """Let people leave a newsletter, a list, or without both options everything; effective at once."""
    people = _named(addresses)
    done = STATE.pipeline().people.changes.unsubscribe(
        people, newsletter=newsletter, list_name=list_name, dry_run=dry_run
    )
    named = (("the newsletter", newsletter), ("the list", list_name))
    what = " and ".join(f"{kind} {name}" for kind, name in named if name) or "every list and newsletter"

    def words(each: Done) -> str:
        verb = "would leave" if dry_run else "has left"
        return f"{each.address} {verb if each.changed else 'had left'} {what}{_stopped_words(each.stopped)}"

    _report(done, json=json, dry_run=dry_run, words=words)


def suppress(
    addresses: list[str] = AddressesArgument,
    reason: str = typer.Option("", "--reason", "--note", help="Why, for those who ask later; addresses are masked."),
    dry_run: bool = DryRunOption,
    json: bool = JsonOption,
) -> None:
    """Never write to addresses again, whoever they belong to."""
    barring = STATE.pipeline().people.barring

    def words(each: Done) -> str:
        verb = "would be suppressed" if dry_run else "is suppressed"
        return f"{each.address} {verb if each.changed else 'was suppressed already'}{_stopped_words(each.stopped)}"

    done = _each(addresses, lambda address: barring.suppress(address, reason=reason, dry_run=dry_run), "suppressed")
    _report(done, json=json, dry_run=dry_run, words=words)


def unsuppress(
    addresses: list[str] = AddressesArgument,
    reason: str = typer.Option(..., "--reason", help="Why it may be written to again; the audit log keeps it."),
    even_complaints: bool = typer.Option(
        False, "--even-complaints", help="Also where the person reported a message as spam."
    ),
    dry_run: bool = DryRunOption,
    json: bool = JsonOption,
) -> None:
    """Lift the suppression of addresses; lists that were left stay left. Who was erased stays erased."""
    barring = STATE.pipeline().people.barring

    def lift(address: str) -> Stopped:
        lifted = barring.unsuppress(address, reason=reason, even_complaints=even_complaints, dry_run=dry_run)
        return Stopped(lifted, 0)

    def words(each: Done) -> str:
        verb = "might be written to again" if dry_run else "may be written to again"
        return f"{each.address} {verb if each.changed else 'was not suppressed'}"

    _report(_each(addresses, lift, "unsuppressed"), json=json, dry_run=dry_run, words=words)


def suppressions(
    reason: SuppressionReason | None = typer.Option(None, help="Only those for this reason."),
    limit: int = LimitOption,
    after: str = typer.Option("", metavar="KEY", help="Go on after this key: the first column of the last row."),
    json: bool = JsonOption,
) -> None:
    """List the addresses that must not be written to, by their keyed digests; in clear only those of subscribers."""
    found = STATE.pipeline().people.barring.page(limit=limit, after=after, reason=reason)
    if json:
        print_json(
            [
                {
                    "key": each.digest,
                    "address": each.address or None,
                    "reason": each.reason.value,
                    "note": each.note,
                    "since": each.since,
                }
                for each in found
            ]
        )
        return
    print_table(
        ("key", "address", "reason", "since", "note"),
        [(each.digest, each.address, each.reason.value, rfc3339(each.since), each.note) for each in found],
    )
    if len(found) == limit:
        note(f"there may be more: --after {found[-1].digest}")


def data(
    address: str,
    output: Path | None = typer.Option(None, help="Write JSON into this file, readable only by you."),
    json: bool = JsonOption,
) -> None:
    """Read out everything that is stored about a person, to answer a request for it; the audit log says who did."""
    told = STATE.pipeline().people.data(address)
    if output is not None:
        import json as library

        with private(output) as file:
            file.write(library.dumps(told, ensure_ascii=False, indent=2) + "\n")
        note(f"everything about one person written to {output}")
        return
    if json:
        print_json(told)
        return
    for line in _told(told, ""):
        say(line)


def erase(
    addresses: list[str] = AddressesArgument,
    yes: bool = YesOption,
    dry_run: bool = DryRunOption,
    json: bool = JsonOption,
) -> None:
    """Forget people; of each only a keyed digest stays, so that no import brings them back."""
    people = _named(addresses)
    if not dry_run:
        whom = people[0] if len(people) == 1 else f"{len(people):,} people"
        agree(f"Erase everything about {whom}? This cannot be undone.", yes=yes)
    ended = STATE.pipeline().people.erasure.erase_each(people, dry_run=dry_run)
    done = [_done(address, each, "erased") for address, each in zip(people, ended, strict=True)]

    def words(each: Done) -> str:
        known = "would be erased" if dry_run else "erased"
        unknown = "is not known" if dry_run else "was not known; no import brings it now"
        return f"{each.address} {known if each.changed else unknown}{_stopped_words(each.stopped)}"

    _report(done, json=json, dry_run=dry_run, words=words)


def _named(addresses: Iterable[str]) -> list[str]:
    """The addresses that are meant, each once and in order; raises InvalidInput where none is."""
    named = list(dict.fromkeys(each for given in addresses for each in _addresses(given)))
    if not named:
        raise InvalidInput("no address is named")
    return named


def _addresses(given: str) -> Iterator[str]:
    if given == "-":
        lines = sys.stdin.read().splitlines()
    elif given.startswith("@"):
        try:
            lines = Path(given[1:]).read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{given[1:]} cannot be read: {error}") from error
    else:
        lines = [given]
    yield from (line.strip() for line in lines if line.strip() and not line.startswith(_COMMENT))


def _each(addresses: Iterable[str], act: Callable[[str], Stopped], changed: str) -> list[Done]:
    """Do something about each address by itself."""
    done = []
    for address in _named(addresses):
        try:
            done.append(_done(address, act(address), changed))
        except (SubscribersError, NewsletterError) as error:
            done.append(Done(address=address, problem=error))
    return done


def _done(address: str, stopped: Stopped, changed: str) -> Done:
    return Done(address=address, changed=(changed,) if stopped.changed else (), stopped=stopped.deliveries)


def _report(done: list[Done], *, json: bool, dry_run: bool, words: Callable[[Done], str] | None = None) -> None:
    """Print what became of each person; exits with 1 where something could not be done."""
    failed = [each for each in done if each.problem is not None]
    if json:
        print_json(_counts(done) | {"people": [_done_json(each) for each in done]})
    elif len(done) == 1 and failed and failed[0].problem is not None:
        raise failed[0].problem
    else:
        for each in done:
            if each.problem is not None:
                note(f"{each.address}: {each.problem}")
            else:
                say((words or _changed_words)(each))
        if len(done) > 1:
            counts = _counts(done)
            note(", ".join(f"{count:,} {name}" for name, count in counts.items() if name != "people"))
        if dry_run:
            note("nothing was stored")
    if failed:
        raise typer.Exit(1)


def _counts(done: list[Done]) -> dict[str, Any]:
    failed = sum(each.problem is not None for each in done)
    changed = sum(bool(each.changed) for each in done)
    return {"changed": changed, "unchanged": len(done) - changed - failed, "failed": failed}


def _done_json(each: Done) -> dict[str, object]:
    return {
        "address": each.address,
        "changed": each.changed,
        "stopped": each.stopped,
        "problem": str(each.problem) if each.problem else None,
    }


def _changed_words(each: Done) -> str:
    if not each.changed:
        return f"{each.address}: nothing changed"
    return f"{each.address}: {', '.join(each.changed)} changed{_stopped_words(each.stopped)}"


def _stopped_words(stopped: int) -> str:
    return f"; {counted(stopped, 'delivery', 'deliveries')} stopped" if stopped else ""


def _told(value: Any, indent: str) -> Iterator[str]:
    """Tell headings and what stands under them, line by line."""
    for heading, each in value.items():
        if isinstance(each, dict) and each:
            yield f"{indent}{heading}"
            yield from _told(each, f"{indent}  ")
        elif isinstance(each, list) and each and isinstance(each[0], dict):
            yield f"{indent}{heading}"
            for number, item in enumerate(each, 1):
                yield f"{indent}  {number}."
                yield from _told(item, f"{indent}     ")
        else:
            shown = ", ".join(map(str, each)) if isinstance(each, list) else each
            yield f"{indent}{heading}: {'nothing' if shown in (None, '', {}) else shown}"
