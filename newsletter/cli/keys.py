"""Commands about the keys with which links are signed. None of them ever prints a key."""

import typer

from newsletter.cli.groups import group
from newsletter.cli.lists import YesOption, agree
from newsletter.cli.output import JsonOption, note, print_json, print_table, say
from newsletter.cli.state import STATE

app = group("Keys: what signs the links in mail, and how another one comes to sign.", no_args_is_help=True)


@app.command("list")
def list_keys(json: bool = JsonOption) -> None:
    """Show the signing keys by their ids, the one that signs first, and where the file lies."""
    from newsletter.keyring import key_file, standings

    settings = STATE.settings()
    STATE.pipeline()  # refuses keys that are not those of the database
    found = standings(settings)
    if json:
        print_json(
            [{"id": each.id, "signs": each.signs, "next": each.is_next, "from_settings": each.is_set} for each in found]
        )
        return
    rows = [
        (
            each.id,
            "signs" if each.signs else "signs next" if each.is_next else "still verifies",
            "NEWSLETTER_SECRET_KEY" if each.is_set else "",
        )
        for each in found
    ]
    print_table(("key", "", "from"), rows)
    note(f"they lie in {key_file(settings)}, with the key of the suppression digests, which never changes")


@app.command()
def rotate(
    prepare: bool = typer.Option(
        False, "--prepare", help="Only make the key that is to sign next, so that it can be copied to other machines."
    ),
    json: bool = JsonOption,
) -> None:
    """
    Have a new key sign links from now on. Links in old mail keep working: the keys before it still verify.

    With one machine: rotate, then restart every process. With several: rotate --prepare, copy the file of keys to each
    machine and restart there, then rotate, copy and restart once more. In between nobody meets a link that no machine
    takes.
    """
    keeping = STATE.pipeline().keys
    name = keeping.prepare() if prepare else keeping.rotate()
    if json:
        print_json({"id": name, "signs": not prepare})
        return
    where = f"copy {keeping.file} to every machine"
    say(f"key {name} signs next: {where}, restart, then rotate" if prepare else f"key {name} signs from now on")
    if not prepare:
        note(f"restart every process; where there are other machines, {where} first")


@app.command()
def revoke(
    name: str = typer.Argument(..., metavar="KEY", help="Its id, as `newsletter keys list` has it."),
    yes: bool = YesOption,
    json: bool = JsonOption,
) -> None:
    """
    Take links that a key has signed no more: it has got into wrong hands. Every link in mail of its time is dead then.

    Who had such a mail cannot leave by its link any more; rotate first, so that another key signs.
    """
    agree(f"Kill every link that the key {name} has signed? This cannot be undone.", yes=yes)
    keeping = STATE.pipeline().keys
    keeping.revoke(name)
    if json:
        print_json({"id": name, "revoked": True})
        return
    say(f"key {name} is revoked: restart every process, on other machines after copying {keeping.file} there")
