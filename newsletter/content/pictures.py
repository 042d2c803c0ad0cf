"""
The picture files beside a content pack.

Takes entries whose images name files, yields them with the names under which the pictures are stored. Promises to read
nothing outside the pack's own folder, whatever a path or a link in the file system says, and each file once.
"""

from pathlib import Path as FilePath
from typing import Final

from newsletter.content.entry import Entry
from newsletter.content.images import StoredPicture, read_picture
from newsletter.content.yaml import Document, Path
from newsletter.errors import InvalidInput, Problem

MOST_BYTES: Final = 100_000_000
"""All pictures of one pack together: they are held in memory until they are stored."""

_SHOWN: Final = 80
"""Characters of a file's name that messages repeat."""


class Pictures:
    """The pictures of one pack, read from `folder`; without a folder every file is a problem."""

    def __init__(self, document: Document, folder: FilePath | None) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._folder = folder.resolve() if folder else None
        self._read: dict[FilePath, StoredPicture] = {}

    @property
    def stored(self) -> tuple[StoredPicture, ...]:
        """The pictures read, each once."""
        return tuple({picture.name: picture for picture in self._read.values()}.values())

    def taken(self, entry: Entry, path: Path) -> Entry:
        """The entry with stored names in place of its image's files; problems are collected."""
        if entry.image is None or not entry.image.file:
            return entry
        names = {}
        for tag, file in entry.image.file.items():
            try:
                names[tag] = self._picture(file).name
            except InvalidInput as refusal:
                self.problems.append(self._document.problem(str(refusal), (*path, "image", "file", tag)))
        return entry.model_copy(update={"image": entry.image.model_copy(update={"file": names})})

    def _picture(self, file: str) -> StoredPicture:
        name = file if len(file) <= _SHOWN else f"{file[:_SHOWN]}…"
        found = self._found(file, name)
        if found not in self._read:
            picture = read_picture(found, name)
            if sum(len(other.data) for other in self._read.values()) + len(picture.data) > MOST_BYTES:
                raise InvalidInput(f"all pictures together are larger than {MOST_BYTES // 1_000_000} MB")
            self._read[found] = picture
        return self._read[found]

    def _found(self, file: str, name: str) -> FilePath:
        if self._folder is None:
            raise InvalidInput("a pack without a folder brings no files: give the picture's url")
        try:
            found = (self._folder / file).resolve()
            is_file = found.is_file()
        except (OSError, RuntimeError, ValueError) as error:
            raise InvalidInput(f"the picture {name} cannot be read") from error
        if not found.is_relative_to(self._folder):
            raise InvalidInput(f"the picture {name} lies outside the pack's folder")
        if not is_file:
            raise InvalidInput(f"there is no file {name} beside the pack")
        return found
