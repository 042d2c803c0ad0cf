"""Commands about lists: what people subscribe to."""

import sys
from collections.abc import Iterable

import typer

from newsletter.cli.groups import group
from newsletter.cli.output import JsonOption, note, print_json, print_table, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE
from newsletter.errors import InvalidInput
from newsletter.pipeline.lists import ListFacts
from newsletter.pipeline.person import Person
from subscribers.models import MembershipState

app = group("Lists: what people subscribe to.", no_args_is_help=True)

LimitOption = typer.Option(50, min=1, max=10_000, help="How many at most.")
"""The option of every command that prints people page by page."""

AfterOption = typer.Option(None, metavar="KEY", help="Go on after this key: the first column of the last row.")
"""The option that asks for the next page."""

YesOption = typer.Option(False, "--yes", help="Do not ask; it is only asked on a terminal.")
"""The option of every command that cannot be undone."""

PAIRS = "KEY=VALUE..."
"""How arguments that `pairs` reads are shown in help texts."""


def pairs(texts: Iterable[str]) -> dict[str, str]:
    """Read arguments of the form `KEY=VALUE`."""
    read = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise InvalidInput(f"{text!r} is no KEY=VALUE; write for example language=fr")
        read[key.strip()] = value
    return read


def agree(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone; scripts are not asked."""
    if not yes and sys.stdin.isatty():
        typer.confirm(question, abort=True, err=True)


@app.command()
def create(
    name: str,
    public: bool = typer.Option(False, "--public", help="Offer it on the public pages."),
    single_opt_in: bool = typer.Option(False, "--single-opt-in", help="New members need not confirm by mail."),
    reason: str = typer.Option("", help="Why they need not confirm."),
    description: str = typer.Option("", help="What the list is for, in a sentence."),
) -> None:
    """Create a list; people confirm by mail before they are members, unless --single-opt-in."""
    STATE.pipeline().people.lists.create(
        name, public=public, double_opt_in=not single_opt_in, opt_in_reason=reason, description=description
    )
    say(f"list {name} created")
    if single_opt_in and not reason.strip():
        note("its members need not confirm, and the list says that no reason was given: add one with opt_in_reason=…")


@app.command("list")
def list_lists(json: bool = JsonOption) -> None:
    """List all lists with their numbers of members."""
    found = STATE.pipeline().people.lists.all()
    if json:
        print_json([_list_json(facts) for facts in found])
        return
    print_table(
        ("list", "offered", "opt-in", *(state.value for state in MembershipState)),
        [
            (
                facts.name,
                "public" if facts.public else "private",
                "double" if facts.double_opt_in else "single",
                *(facts.counts[state] for state in MembershipState),
            )
            for facts in found
        ],
    )


def _list_json(facts: ListFacts) -> dict[str, object]:
    return {
        "name": facts.name,
        "public": facts.public,
        "double_opt_in": facts.double_opt_in,
        "opt_in_reason": facts.opt_in_reason,
        "description": facts.description,
        "titles": dict(facts.titles),
        "descriptions": dict(facts.descriptions),
        "created": facts.created,
        **{state.value: facts.counts[state] for state in MembershipState},
    }


@app.command("set")
def set_list(
    name: str,
    changes: list[str] = typer.Argument(
        ...,
        metavar=PAIRS,
        help="name, public, double_opt_in, opt_in_reason, description, and what readers see in each language: "
        "title.fr, description.fr; like public=true.",
    ),
) -> None:
    """Change what is said about a list."""
    stranded = STATE.pipeline().people.lists.change(name, pairs(changes))
    say(f"list {name} changed")
    if stranded:
        note(f"still by the old name in {', '.join(stranded)}: nobody is meant there until you change it")


@app.command()
def rename(
    old: str,
    new: str,
    dry_run: bool = typer.Option(False, "--dry-run", help="Only say what would happen."),
    json: bool = JsonOption,
) -> None:
    """Give a list another name; members and consent stay, segments that name it do not follow."""
    stranded = STATE.pipeline().people.lists.change(old, {"name": new}, dry_run=dry_run)
    if json:
        print_json({"old": old, "new": new, "stranded": stranded})
        return
    say(f"list {old} {'would be' if dry_run else 'is'} named {new}")
    if stranded:
        note(f"still by the old name in {', '.join(stranded)}: nobody is meant there until you change it")


@app.command()
def delete(
    name: str,
    yes: bool = YesOption,
    dry_run: bool = typer.Option(False, "--dry-run", help="Only say what would happen."),
    json: bool = JsonOption,
) -> None:
    """Delete a list and its memberships; the people stay, and so does the consent log."""
    if not dry_run:
        agree(f"Delete the list {name} and all its memberships?", yes=yes)
    members = STATE.pipeline().people.lists.delete(name, dry_run=dry_run)
    if json:
        print_json({"list": name, "members": members})
        return
    has = "would be deleted; it has" if dry_run else "deleted; it had"
    say(f"list {name} {has} {counted(members, 'member', 'members')}")


@app.command()
def members(
    name: str,
    state: MembershipState = typer.Option(MembershipState.CONFIRMED, help="How they stand to the list."),
    limit: int = LimitOption,
    after: str | None = AfterOption,
    json: bool = JsonOption,
) -> None:
    """List the members of a list, page by page."""
    found = STATE.pipeline().people.page(limit=limit, after=after, list_name=name, state=state)
    print_people(found, json=json, limit=limit)


def print_people(people: list[Person], *, json: bool, limit: int) -> None:
    """Print a page of people, and on standard error how to get the next one."""
    if json:
        print_json([person_json(person) for person in people])
        return
    print_table(
        ("key", "address", "name", "language", "lists", "tags"),
        [
            (
                person.key,
                person.address,
                person.name,
                person.fields["language"],
                ", ".join(person.lists),
                ", ".join(person.tags),
            )
            for person in people
        ],
    )
    if len(people) == limit:
        note(f"there may be more: --after {people[-1].key}")


def person_json(person: Person) -> dict[str, object]:
    """Return what is told about a person, as JSON has it."""
    return {
        "key": person.key,
        "address": person.address,
        **person.fields,
        "attributes": dict(person.attributes),
        "tags": person.tags,
        "lists": person.lists,
        "created": person.created,
        "updated": person.updated,
    }
