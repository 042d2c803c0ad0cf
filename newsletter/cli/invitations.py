"""The command that asks people whom an operator put on a list for their own word."""

import typer

from newsletter.cli.output import JsonOption, print_json, progress, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE, interruptible


def invite(
    list_name: str = typer.Option(..., "--list", help="The list whose pending people are asked to confirm."),
    newsletter: str | None = typer.Option(None, help="In whose name; needed where there are several newsletters."),
    json: bool = JsonOption,
) -> None:
    """Send a confirmation mail to everybody who is pending on a list and was sent none in 30 days."""
    sent = invite_all(list_name, newsletter=newsletter)
    if json:
        print_json({"invited": sent})
    else:
        say(invited_words(sent))


def invite_all(list_name: str, *, newsletter: str | None) -> int:
    """Invite, with a bar; returns how many were."""
    with interruptible("who was invited stays so; give the same command again to go on"), progress("inviting") as bar:
        return STATE.pipeline().signup.invite(list_name, newsletter=newsletter, progress=bar)


def invited_words(sent: int) -> str:
    """How many were invited, and what sends the mails."""
    return f"{counted(sent, 'person', 'people')} invited to confirm; `newsletter run` or `dispatch` sends the mails"
