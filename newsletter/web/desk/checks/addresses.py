"""The addresses of the pages about one issue."""

from urllib.parse import quote


def address_of(newsletter: str, slug: str, page: str = "check") -> str:
    """The address of a page about an issue; `page` may have a query and a fragment."""
    return f"/desk/n/{quote(newsletter)}/issues/{quote(slug)}/{page}"
