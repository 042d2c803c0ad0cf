"""Commands about operators: who may sign in at the desk, as what, and with which tokens their programs do."""

import datetime as dt
import sys
from typing import Any

import typer

from newsletter.accounts.operator import Operator, Role
from newsletter.accounts.team import Member
from newsletter.accounts.tokens import Scope
from newsletter.cli.groups import group
from newsletter.cli.output import JsonOption, note, print_json, print_table, say
from newsletter.cli.state import STATE
from newsletter.errors import InvalidInput, NotFound

app = group("Operators: who may sign in at the desk.", no_args_is_help=True)

RoleOption = typer.Option(Role.OFFICER, "--role", help="viewer looks, officer makes and sends, admin does everything.")
NewRoleOption = typer.Option(None, "--role", help="viewer, officer or admin; another one ends all their sessions.")
EmailOption = typer.Option(None, "--email", help="Address: for signing in, and for alerts.")
FullNameOption = typer.Option(None, "--full-name", help="The name that colleagues see.")
LanguageOption = typer.Option(None, "--language", help="Language of the desk, such as fr.")
TimezoneOption = typer.Option(None, "--timezone", help="Time zone, such as Europe/Brussels.")
StdinOption = typer.Option(False, "--password-stdin", help="Read the password from standard input.")
LinkOption = typer.Option(
    False, "--link", help="Print a link by which they choose a password; it works once, for 72 h."
)


@app.command()
def add(
    name: str,
    role: Role = RoleOption,
    email: str = EmailOption,
    full_name: str = FullNameOption,
    language: str = LanguageOption,
    timezone: str = TimezoneOption,
    password_stdin: bool = StdinOption,
    link: bool = LinkOption,
    json: bool = JsonOption,
) -> None:
    """Add an operator, with a password; where none can be asked for, print a link by which they choose one."""
    pipeline = STATE.pipeline()
    given = _given(email=email, full_name=full_name, language=language, timezone=timezone)
    password = _password(password_stdin, asks=not link and sys.stdin.isatty())
    operator = pipeline.operators.add(name, role=role, password=password, **given)
    _tell(operator, f"{operator.name} is added, as {operator.role}", link=password is None, json=json)


@app.command("list")
def list_operators(json: bool = JsonOption) -> None:
    """List all operators."""
    members = STATE.pipeline().operators.all()
    if json:
        print_json([_plain(member) for member in members])
        return
    rows = [
        (each.operator.name, each.operator.role, each.operator.called, each.operator.email, _standing(each))
        for each in members
    ]
    print_table(("name", "role", "full name", "email", "standing"), rows)


@app.command("set")
def change(
    name: str,
    role: Role | None = NewRoleOption,
    email: str = EmailOption,
    full_name: str = FullNameOption,
    language: str = LanguageOption,
    timezone: str = TimezoneOption,
    password_stdin: bool = StdinOption,
    password: bool = typer.Option(False, "--password", help="Ask for a new password."),
    link: bool = LinkOption,
    enable: bool = typer.Option(False, "--enable", help="Let them sign in again."),
    no_second_factor: bool = typer.Option(False, "--no-second-factor", help="Their device is lost: forget it."),
    json: bool = JsonOption,
) -> None:
    """Change an operator; a new password or role ends all their sessions."""
    operators = STATE.pipeline().operators
    given = _given(email=email, full_name=full_name, language=language, timezone=timezone)
    operator = operators.get(name).operator
    if enable:
        operators.enable(operator.name)
    if no_second_factor:
        operators.remove_second_factor(operator.name)
    if role is not None or given:
        operator = operators.change(operator.name, role=role, **given)
    secret = _password(password_stdin, asks=password)
    if secret is not None:
        operators.set_password(operator.name, secret)
    _tell(operator, f"{operator.name} is changed", link=link, json=json)


@app.command()
def disable(name: str, json: bool = JsonOption) -> None:
    """Let an operator sign in no more; `set NAME --enable` undoes it."""
    operators = STATE.pipeline().operators
    operators.disable(name)
    operator = operators.get(name).operator
    _tell(operator, f"{operator.name} cannot sign in any more", link=False, json=json)


@app.command()
def token(
    name: str,
    label: str = typer.Argument(help="What the token is for."),
    scope: list[Scope] = typer.Option([Scope.READ], "--scope", help="What it may do; as often as needed."),
    days: int = typer.Option(90, min=0, max=3650, help="Days that it lasts; 0: until it is revoked."),
    revoke: bool = typer.Option(False, "--revoke", help="Revoke the tokens of that label instead."),
    json: bool = JsonOption,
) -> None:
    """Make a token with which a program uses the API in an operator's name; it is printed this once."""
    pipeline = STATE.pipeline()
    operator, tokens = pipeline.operators.get(name).operator, pipeline.operators.tokens
    if revoke:
        found = [each.id for each in tokens.all(operator.id) if each.name == label]
        if not found:
            raise NotFound("token", label)
        for each in found:
            tokens.revoke(operator.id, each)
        say(f"{label}: revoked") if not json else print_json({"operator": operator.name, "revoked": len(found)})
        return
    expires = pipeline.parts.now() + dt.timedelta(days=days) if days else None
    made = tokens.make(operator.id, label, scopes=scope, expires=expires)
    if json:
        print_json({"operator": operator.name, "label": label, "scopes": scope, "expires": expires, "token": made})
        return
    say(made)
    until = f"until {expires:%Y-%m-%d}" if expires else "until it is revoked"
    note(f"shown this once; it may {', '.join(scope)}, {until}")


def _tell(operator: Operator, words: str, *, link: bool, json: bool) -> None:
    """Say what was done, with a link for a password where one is wanted."""
    pipeline = STATE.pipeline()
    address = pipeline.parts.links.setup(pipeline.operators.password_link(operator.name)) if link else None
    if json:
        print_json(_plain(pipeline.operators.get(operator.name)) | ({"link": address} if address else {}))
        return
    note(words) if address else say(words)
    if address:
        say(address)
        note("the link works once, for 72 hours; hand it on")


def _password(is_piped: bool, *, asks: bool) -> str | None:
    """The password from standard input, or from whoever sits at the terminal."""
    if is_piped:
        found = sys.stdin.readline().rstrip("\r\n")
        if not found:
            raise InvalidInput("there is no password on standard input")
        return found
    if not asks:
        return None
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _given(**values: str | None) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _standing(member: Member) -> str:
    if member.disabled is not None:
        return "disabled"
    return "no password yet" if not member.has_password else "second factor" if member.has_second_factor else ""


def _plain(member: Member) -> dict[str, Any]:
    operator = member.operator
    return {
        "name": operator.name,
        "full_name": operator.full_name,
        "email": operator.email,
        "role": operator.role,
        "language": operator.language,
        "timezone": operator.timezone,
        "disabled": member.disabled,
        "has_password": member.has_password,
        "has_second_factor": member.has_second_factor,
        "created": member.created,
    }
