"""
Forms of the desk as a browser sees them: found on a page, filled in, sent with everything else that stands in them.

    page = client.get("/desk/newsletters/new")
    fill(client, page, {"name": "River News"})                     # the only form that has these fields
    fill(client, page, {"then": "publish"}, action="/entries/")    # the one whose action contains that
"""

from collections.abc import Mapping, Sequence

from httpx import Response
from integration.desk import DeskClient
from lxml import html

Given = Mapping[str, str | Sequence[str]]


def form_of(page: Response, names: Sequence[str] = (), *, action: str = "") -> html.FormElement:
    """The form of a page that has the fields of those names, and whose action contains a text."""
    forms = html.fromstring(page.text, base_url=str(page.url)).forms
    found = [
        form
        for form in forms
        if form.method == "POST" and action in (form.get("action") or str(page.url)) and set(names) <= set(_names(form))
    ]
    known = [(form.get("action"), sorted(set(_names(form)))) for form in forms]
    assert found, f"no form of {page.url} has {sorted(names)} at {action!r}: {known}"
    return max(found, key=lambda form: len(list(_names(form))))


def _names(form: html.FormElement) -> list[str]:
    return [str(field.get("name")) for field in form.iter("input", "select", "textarea", "button") if field.get("name")]


def values_of(form: html.FormElement) -> dict[str, list[str]]:
    """What a browser would send of a form that nobody has touched."""
    values: dict[str, list[str]] = {}
    for name, value in form.form_values():
        values.setdefault(name, []).append(value)
    for area in form.iter("textarea"):
        if area.get("name"):  # the first line break after the tag is not part of the text (HTML §13.2.6.4.7)
            values[area.get("name")] = [(area.text or "").removeprefix("\n")]
    return values


def fill(client: DeskClient, page: Response, given: Given, *, action: str = "", pressed: str = "") -> Response:
    """Fill in a form of a page and send it; `pressed` names the button, which `given` has the value of."""
    names = [name for name in given if name != pressed]
    form = form_of(page, names, action=action)
    target = form.get("action") or str(page.url.raw_path, "ascii")
    return client.post(target, {**values_of(form), **given})
