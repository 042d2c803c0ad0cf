"""Commands about themes."""

import typer

from newsletter.cli.output import JsonOption, print_json, print_table
from newsletter.compilation.theme import read_theme, theme_names

app = typer.Typer(help="Themes: the dress of the editions.", no_args_is_help=True)


@app.callback()
def themes() -> None:
    """Themes: the dress of the editions."""


@app.command("list")
def list_all(json: bool = JsonOption) -> None:
    """List the themes that an issue can wear."""
    found = [read_theme(name) for name in theme_names()]
    if json:
        print_json([{"name": theme.name, "title": theme.manifest.title, "folder": str(theme.path)} for theme in found])
        return
    print_table(
        ("theme", "title", "description"),
        [(theme.name, theme.manifest.title, theme.manifest.description) for theme in found],
    )
