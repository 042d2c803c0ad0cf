"""The templates of pages: values are escaped, an undefined name is an error."""

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from newsletter.paths import templates


@cache
def environment(folder: str) -> Environment:
    """The templates of a folder under `templates/web`."""
    return Environment(
        loader=FileSystemLoader(templates() / "web" / folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
