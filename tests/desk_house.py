"""
A desk with everything on it: two newsletters, people, an issue that was sent, one approved and one being made.

`furnish` fills an installation (`subscribing.Scene`); `walk` opens every page that links lead to, as an operator.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

import lxml.html
from httpx import Response
from ruamel.yaml import YAML
from starlette.routing import Match

from newsletter.accounts.webhooks import WebhookEvent

PACK = Path(__file__).parent / "integration" / "river-cities.yaml"

CANARY = """<script>canary(1)</script>"'><img src=x onerror=canary(2)>"""
"""What must stay text wherever it is shown."""

SPICED = frozenset(
    {
        *("name", "title", "body", "alt", "credit", "text", "address", "label", "preheader", "subject", "intro"),
        *("phone", "topic"),
    }
)
"""Keys of a content pack whose words are free."""

EXACT = frozenset({"place", "theme", "sender", "country", "email", "list_id"})
"""Keys whose words are addresses, colours and the like."""

AT_MOST = 3
"""Pages of one route that are opened: the fourth entry is shown by the same template."""

LINKS = (("a", "href"), ("iframe", "src"), ("*[not(self::select or self::input)]", "hx-get"))


@dataclass(frozen=True)
class Page:
    """A page that was opened: its path, the pattern of its route, and the answer."""

    path: str
    route: str
    answer: Response


def spiced(data: Any, *, free: bool = False) -> Any:
    """A content pack with the canary at the end of every free text."""
    if isinstance(data, dict):
        return {
            key: value if key in EXACT else spiced(value, free=free or key in SPICED) for key, value in data.items()
        }
    if isinstance(data, list):
        return [spiced(value, free=free) for value in data]
    return f"{data} {CANARY}" if free and isinstance(data, str) and "://" not in data else data


def furnish(place: Any, *, spice: bool = False) -> None:
    """Fill an installation whose newsletter `harbour` has an issue to send."""
    pipeline = place.pipeline
    words = f" {CANARY}" if spice else ""
    people = {"ada@pier.example": "en", "bo@pier.example": "fr", "cy@pier.example": "fr"}
    for address, language in people.items():
        given = {"language": language, "first_name": f"Ada{words}"[:90], "tags": "crew", "berth": f"7{words}"}
        pipeline.people.add(address, list_name="monthly", given=given)
    place.send_issue()
    data = YAML(typ="safe").load(PACK.read_text("utf-8"))
    data = json.loads(json.dumps(data, default=str))
    pack = Path(place.folder) / "rivers.yaml"
    pack.write_text(json.dumps(spiced(data) if spice else data), encoding="utf-8")
    pipeline.entries.import_pack(pack)
    pipeline.editorial.assemble("2026-12", newsletter="river-cities")
    pipeline.people.lists.change("press", {"description": f"For journalists{words}"})
    pipeline.people.segments.create("crew", 'tag = "crew"')
    pipeline.webhooks.add("https://crm.example/hooks", [WebhookEvent.RUN_FINISHED])


def walk(app: Any, get: Callable[[str], Response], *starts: str, at_most: int = AT_MOST) -> Iterator[Page]:
    """Open every page of the desk that links lead to, breadth first, a few of each route."""
    waiting, seen, opened = list(starts), set(starts), Counter[str]()
    while waiting:
        path = waiting.pop(0)
        route = route_of(app, urlsplit(path).path)
        if opened[route] >= at_most:
            continue
        opened[route] += 1
        answer = get(path)
        yield Page(path, route, answer)
        for found in links_of(path, answer):
            if found not in seen:
                seen.add(found)
                waiting.append(found)


def links_of(path: str, answer: Response) -> Iterator[str]:
    """The paths of the desk that a page leads to; where it redirects, that one."""
    if answer.is_redirect:
        yield urljoin(path, answer.headers["location"])
        return
    if not answer.headers.get("content-type", "").startswith("text/html") or not answer.text.strip():
        return
    page = lxml.html.document_fromstring(answer.text)
    for tag, attribute in LINKS:
        for each in page.xpath(f"//{tag}[@{attribute}]"):
            filled_in = f"?{urlencode(each.form_values())}" if each.tag == "form" else ""
            found = urldefrag(urljoin(path, each.get(attribute) + filled_in)).url
            if found == "/desk" or found.startswith(("/desk/", "/desk?")):
                yield found


def route_of(app: Any, path: str) -> str:
    """The pattern of the route that answers a GET of a path; "" where there is none."""
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    for route in _flat(app.router):
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return str(route.path)
    return ""


def _flat(router: Any) -> Iterator[Any]:
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        yield from [route] if inner is None else _flat(inner)
