"""
What a preview shows: which edition, how wide, in which light, through whose eyes.

Takes the query of a request and a look at the issue; yields a `Preview`, which also gives the addresses of the same
preview with one thing changed. What the query asks for and there is not is passed over.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from starlette.requests import Request

from newsletter.accounts.operator import Role
from newsletter.compilation.artifact import Artifact
from newsletter.compilation.preview import CLIPPED, Opened, pictures_elsewhere
from newsletter.compilation.slots import unslotted
from newsletter.errors import NotFound
from newsletter.links import Links
from newsletter.pipeline.looks import Look, SampleReader
from newsletter.pipeline.previewing import Previewing
from newsletter.times import own_name
from newsletter.web.desk.checks.frames import SCHEMES
from newsletter.web.desk.guard import Seat
from subscribers.errors import UnknownSubscriber

VIEWS: Final = ("html", "text", "source")
"""The message as its reader sees it, its text part, its HTML as it is written."""

WIDTHS: Final = ("computer", "phone")
"""How wide a screen is."""

_KEPT: Final = ("edition", "view", "width", "scheme", "as", "mark", "pictures", "segment", "pane", "tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """
    One look at one edition.

    `editions` names all of them in their own languages; `inbox` is the preheader as an inbox shows it after the
    subject; `text` and `source` are set where they are shown; `clipped` is the share of what Gmail shows before it cuts
    a message off. `elsewhere` counts the pictures that lie on other sites.
    """

    artifact: Artifact
    names: tuple[str, ...]
    editions: list[tuple[str, str]]
    view: str
    width: str
    scheme: str
    subject: str
    sender: str
    inbox: str
    text: str
    source: tuple[str, ...]
    octets: int
    clipped: float
    reader: SampleReader | None
    elsewhere: int
    all_pictures: bool
    mark: str
    root: str
    asked: dict[str, str]

    def with_(self, **changes: str) -> str:
        """The address of this preview with something changed; "" takes a choice back."""
        query = {name: value for name, value in {**self.asked, **changes}.items() if value}
        return f"{self.root}/check?{urlencode(query)}" if query else f"{self.root}/check"

    def showing(self, edition: str, place: str) -> str:
        """The address of a preview with a passage marked."""
        return self.with_(edition=edition, mark=place, view="", pane="preview")

    @property
    def files(self) -> str:
        """Where the parts of the edition lie."""
        return f"{self.root}/editions/{quote(self.artifact.name)}"

    @property
    def frame(self) -> str:
        """The address of the framed page."""
        asked = {"as": self.reader.uid if self.reader else "", "scheme": self.scheme, "mark": self.mark}
        query = urlencode({name: value for name, value in asked.items() if value})
        pictures = "pictures=all" if self.all_pictures else ""
        both = "&".join(filter(None, (query, pictures)))
        return f"{self.files}/html{'?' + both if both else ''}{'#passage' if self.mark else ''}"


def preview_of(request: Request, seat: Seat, look: Look, looking: Previewing, *, links: Links) -> Preview:
    """The preview that a request asks for."""
    asked = {name: request.query_params[name] for name in _KEPT if request.query_params.get(name)}
    try:
        artifact = look.artifact(asked.get("edition", ""))
    except NotFound:
        artifact = look.built.artifacts[0]
    reader, message = _message(artifact, seat, looking, uid=asked.get("as", ""))
    page, view = message.html.decode(), _one_of(VIEWS, asked.get("view", ""))
    fields, preheader = dict(message.fields), look.edition(artifact.name).preheader.text
    return Preview(
        artifact=artifact,
        names=tuple(each.name for each in look.built.artifacts),
        editions=[(each.name, _called(each)) for each in look.built.artifacts],
        view=view,
        width=_one_of(WIDTHS, asked.get("width", "")),
        scheme=asked.get("scheme", "") if asked.get("scheme") in SCHEMES else "",
        subject=message.subject,
        sender=fields.get("From", ""),
        inbox=unslotted(preheader),
        text=message.text.replace("\r\n", "\n") if view == "text" else "",
        source=tuple(page.replace("\r\n", "\n").split("\n")) if view == "source" else (),
        octets=artifact.size,
        clipped=len(message.html) / CLIPPED,
        reader=reader,
        elsewhere=len(pictures_elsewhere(page, [links.root, *filter(None, [links.media])])),
        all_pictures=asked.get("pictures") == "all",
        mark=asked.get("mark", ""),
        root=f"/desk/n/{quote(look.facts.settings.slug)}/issues/{quote(look.facts.plan.slug)}",
        asked={name: value for name, value in asked.items() if name != "tests"},
    )


def _message(artifact: Artifact, seat: Seat, looking: Previewing, *, uid: str) -> tuple[SampleReader | None, Opened]:
    """The message, and the subscriber it is for where one was asked for who is still there."""
    reader = looking.reader(uid) if uid and seat.may(Role.OFFICER) else None
    if reader is not None:
        try:
            return reader, looking.message(artifact, reader=reader.uid)
        except UnknownSubscriber:
            pass
    return None, looking.message(artifact)


def _called(artifact: Artifact) -> str:
    """An edition by its language's own name, with the segments that a variant is for."""
    variant = f" ({artifact.variant.replace('+', ', ')})" if artifact.variant else ""
    return own_name(artifact.language) + variant


def _one_of(known: tuple[str, ...], value: str) -> str:
    return value if value in known else known[0]
