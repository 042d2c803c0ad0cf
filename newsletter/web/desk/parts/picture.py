"""
The picture of an entry, as a form has it.

Takes a form; yields a row that shows again what was entered, and the image it makes with its problems. A picture stands
for every language (`*`), or for one where it bears words. Uploading stores the picture at once, under the digest of its
bytes; the entry names it when it is saved.

Fields: `picture-languages` (the tags that words are asked for), `picture-file-TAG` (the name of a stored picture),
`picture-url-TAG` (its address elsewhere), `picture-alt-TAG`, `picture-credit-TAG`, `picture-link`,
`picture-remove-TAG`; files: `picture-upload-TAG`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import ValidationError

from newsletter.content.entry import Entry, Image
from newsletter.content.images import PictureRefused, Refusal, StoredPicture
from newsletter.content.localised import EVERY
from newsletter.web.desk.forms import Upload
from newsletter.web.desk.parts.fields import Fields, Problems, words_in

Taking = Callable[[bytes, str], StoredPicture]
"""Stores a picture, given its bytes and the name of its file; raises PictureRefused."""

REFUSALS: Final[Mapping[Refusal, str]] = {
    Refusal.BROKEN: "This picture cannot be read: save it again and upload it once more.",
    Refusal.TOO_LARGE: "This picture is larger than 10 MB: scale it down first.",
    Refusal.TOO_MANY_PIXELS: "This picture has more than 40 megapixels: scale it down first.",
    Refusal.OTHER_FORMAT: "Mail programs do not show this kind of file: save the picture as JPEG, PNG, WebP or GIF.",
    Refusal.ANIMATED: "A moving picture is taken as GIF only, at most 1200 pixels wide.",
}
"""What to say where a picture is not taken."""

_ADDRESS: Final = "The address begins with https://."


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRow:
    """A picture as it was entered; `file` and `url` by tag, `EVERY` for the one that stands in every language."""

    file: Mapping[str, str] = field(default_factory=dict)
    url: Mapping[str, str] = field(default_factory=dict)
    alt: Mapping[str, str] = field(default_factory=dict)
    credit: Mapping[str, str] = field(default_factory=dict)
    link: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether there is no picture; words without one are nothing yet."""
        return not (self.file or self.url)

    @property
    def words(self) -> tuple[Mapping[str, str], ...]:
        """Everything that is in languages."""
        return (self.alt, self.credit)

    def source(self, tag: str) -> str:
        """Where the desk shows the picture of a language from, "" where there is none of its own."""
        return f"/media/{self.file[tag]}" if tag in self.file else self.url.get(tag, "")


def picture_in(form: Fields, entry: Entry | None, *, take: Taking | None = None) -> tuple[Image | None, Problems]:
    """
    The picture that a form says, None for none, and what is wrong with it.

    A form without these fields leaves what `entry` has. Files that came with the form are stored by `take`.
    """
    if "picture-languages" not in form:
        return (entry.image if entry else None), {}
    row, problems = uploaded(row_in(form), getattr(form, "files", {}) if take else {}, take=take)
    if row.is_blank:
        return None, problems
    try:
        return Image.model_validate(_data(row)), problems
    except ValidationError as error:
        return None, dict(problems) | dict(_problems(error))


def row_of(image: Image | None) -> PictureRow:
    """The row that shows what is stored."""
    if image is None:
        return PictureRow()
    return PictureRow(file=image.file, url=image.url, alt=image.alt, credit=image.credit, link=image.link or "")


def row_in(form: Fields) -> PictureRow:
    """The row of a form, without the pictures that are to be removed."""
    languages = form.get("picture-languages").split()
    tags = [tag for tag in dict.fromkeys((EVERY, *languages)) if f"picture-remove-{tag}" not in form]
    return PictureRow(
        file=words_in(form, "picture-file", tags),
        url=words_in(form, "picture-url", tags),
        alt=words_in(form, "picture-alt", languages),
        credit=words_in(form, "picture-credit", languages),
        link=form.get("picture-link").strip(),
    )


def uploaded(row: PictureRow, files: Mapping[str, Upload], *, take: Taking | None) -> tuple[PictureRow, dict[str, str]]:
    """The row with the files that were sent, each stored; what was at an address before is not any more."""
    problems: dict[str, str] = {}
    for name, file in files.items():
        tag = name.removeprefix("picture-upload-")
        if take is None or tag == name:
            continue
        try:
            picture = take(file.content, file.filename)
        except PictureRefused as refused:
            problems[name] = REFUSALS[refused.refusal]
        else:
            row = replace(row, file={**row.file, tag: picture.name}, url={})
    return row, problems


def _data(row: PictureRow) -> dict[str, Any]:
    # Whoever has uploaded pictures does not mean the address that stood there before.
    source = {"file": row.file} if row.file else {"url": row.url}
    return {**source, "alt": row.alt, "credit": row.credit, "link": row.link or None}


def _problems(error: ValidationError) -> Iterator[tuple[str, str]]:
    for details in error.errors(include_url=False):
        name = next(iter(details["loc"]), "url")
        yield ("picture-link" if name == "link" else f"picture-{name}-{EVERY}"), _ADDRESS
