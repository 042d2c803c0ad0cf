"""Commands about tags: the labels that operators put on people."""

from newsletter.cli.groups import group
from newsletter.cli.lists import YesOption, agree
from newsletter.cli.output import JsonOption, note, print_json, print_table, say
from newsletter.cli.people import DryRunOption
from newsletter.cli.report import counted
from newsletter.cli.state import STATE

app = group("Tags: labels on subscribers; `subscribers tag` puts them on.", no_args_is_help=True)


@app.command("list")
def list_tags(json: bool = JsonOption) -> None:
    """List all tags with the number of people who have them."""
    found = STATE.pipeline().people.tags.all()
    if json:
        print_json([{"tag": tag, "people": count} for tag, count in found.items()])
        return
    print_table(("tag", "people"), list(found.items()))


@app.command()
def rename(old: str, new: str, dry_run: bool = DryRunOption, json: bool = JsonOption) -> None:
    """Give everybody who has one tag another one instead."""
    done = STATE.pipeline().people.tags.rename(old, new, dry_run=dry_run)
    if json:
        print_json({"old": old, "new": new, "people": done.people, "stranded": done.stranded})
        return
    say(f"tag {old} {'would be' if dry_run else 'is'} named {new}, for {counted(done.people, 'person', 'people')}")
    if done.stranded:
        note(f"still by the old name in {', '.join(done.stranded)}: nobody is meant there until you change it")


@app.command()
def delete(name: str, yes: bool = YesOption, dry_run: bool = DryRunOption, json: bool = JsonOption) -> None:
    """Take a tag off everybody; not where a segment or a queued issue names it."""
    if not dry_run:
        agree(f"Take the tag {name} off everybody?", yes=yes)
    people = STATE.pipeline().people.tags.delete(name, dry_run=dry_run)
    if json:
        print_json({"tag": name, "people": people})
        return
    say(f"tag {name} {'would be' if dry_run else 'was'} taken off {counted(people, 'person', 'people')}")
