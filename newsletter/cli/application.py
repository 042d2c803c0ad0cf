"""
The root of the command line: joins the groups of commands and turns errors into one line and an exit code.

Exit codes: 0 done; 1 it could not be done; 2 the input is wrong; 3 preflight errors; 4 warnings to decide, or something
is due later; 5 some deliveries ended uncertain; 130 interrupted.
"""

import logging
import sys

import typer

from newsletter.cli import operations, processes
from newsletter.cli.groups import Commands
from newsletter.cli.state import STATE
from newsletter.errors import NewsletterError
from newsletter.logs import configure, discreet
from subscribers.errors import SubscribersError

app = typer.Typer(
    name="newsletter",
    cls=Commands,
    help="Write entries once in several languages, assemble issues, compile one edition per language, dispatch them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
operations.register(app)
processes.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version as installed_version

        typer.echo(f"newsletter {installed_version('newsletter')}")
        raise typer.Exit


@app.callback()
def root(
    operator: str = typer.Option(None, "--as", help="Who acts, for the audit log.", envvar="NEWSLETTER_OPERATOR"),
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Log more."),
    _version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Make a newsletter in several languages."""
    STATE.operator, STATE.verbose = operator, verbose
    configure(logging.INFO if verbose else logging.WARNING)


def run() -> None:
    """Run the command line and exit with what happened."""
    try:
        app()
    except NewsletterError as error:
        typer.echo(f"newsletter: {error}", err=True)
        sys.exit(error.exit_code)
    except SubscribersError as error:
        typer.echo(f"newsletter: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:  # the reader of a pipe has had enough
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:  # a folder that cannot be written, a disk that is full
        if STATE.verbose:
            raise
        typer.echo(f"newsletter: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}", err=True)
        sys.exit(1)
    except Exception as error:
        from sqlalchemy.exc import DBAPIError

        if STATE.verbose or not isinstance(error, DBAPIError):
            raise
        # likewise under the database, or another program that holds it
        typer.echo(f"newsletter: the database says: {discreet(' '.join(str(error.orig).split()))}", err=True)
        sys.exit(1)
