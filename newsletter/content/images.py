"""
Pictures: from a file that an officer has to bytes that every mail program shows.

Takes JPEG, PNG and GIF files of at most 5 MB and 40 megapixels, at the desk WebP too and up to 10 MB; yields a
`StoredPicture` at most 1200 pixels wide, upright, without EXIF (which may hold a place and a name), named by the digest
of its bytes. Promises that the same file gives the same bytes, and that a file which needs no change of its pixels
keeps them as they are; but a heavy photograph that somebody uploads as PNG becomes a JPEG.

The only module that knows Pillow.
"""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from newsletter.errors import InvalidInput

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES: Final = 5_000_000
"""What a photograph for a mail needs at the very most; more is a mistake, and readers on the road would pay for it."""

MAX_UPLOAD: Final = 10_000_000
"""What cameras make, for pictures that are scaled down while somebody waits."""

HEAVY: Final = 400_000
"""Bytes from which a picture without transparency is tried as JPEG: seconds for readers on the road."""

MAX_PIXELS: Final = 40_000_000
"""160 MB once unpacked: enough for any camera, too little to exhaust the machine."""

MAX_WIDTH: Final = 1200
"""Pixels: twice the width of the mail, for screens with two pixels a point."""

_FORMATS: Final = {"JPEG": ("jpg", "image/jpeg"), "PNG": ("png", "image/png"), "GIF": ("gif", "image/gif")}

_UPRIGHT: Final = 1
_ORIENTATION: Final = 0x0112
"""EXIF 2.32 §4.6.4: how the camera was held."""

_JPEG_QUALITY: Final = 85
"""Above it files grow faster than pictures get better."""

_OTHERS: Final = (
    (b"RIFF", "WebP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"BM", "BMP"),
    (b"%PDF", "PDF"),
    (b"<svg", "SVG"),
    (b"<?xml", "SVG"),
    (b"\0\0\0", "HEIC or AVIF"),
)
"""How files begin that officers try; mail programs show none of them everywhere."""


class Refusal(StrEnum):
    """Why a picture cannot be taken."""

    #: The file cannot be read, or is cut off.
    BROKEN = "broken"
    #: More bytes than a picture for a mail needs.
    TOO_LARGE = "too large"
    #: More pixels than a camera makes.
    TOO_MANY_PIXELS = "too many pixels"
    #: No picture, or one that mail programs do not show.
    OTHER_FORMAT = "other format"
    #: A moving picture that would have to be made anew.
    ANIMATED = "animated"


class PictureRefused(InvalidInput):
    """The picture cannot be taken."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        self.refusal = refusal
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPicture:
    """A picture as it is stored and served; `width` and `height` in pixels, `name` unique to its bytes."""

    name: str
    media_type: str
    width: int
    height: int
    data: bytes


def read_picture(source: Path | bytes, name: str) -> StoredPicture:
    """
    Make a picture ready to be stored; `name` is what messages call it.

    Raises PictureRefused, saying what to do, where it is missing, too big, broken or of another format.
    """
    data = _bytes(source, name)
    _check_size(data, name, most=MAX_BYTES)
    return _stored(*_made(data, name, formats=tuple(_FORMATS), make=_ready))


def read_upload(data: bytes, name: str) -> StoredPicture:
    """
    Make a picture that somebody uploads ready to be stored; WebP becomes what every mail program shows.

    Raises PictureRefused as `read_picture`.
    """
    _check_size(data, name, most=MAX_UPLOAD)
    return _stored(*_made(data, name, formats=(*_FORMATS, "WEBP"), make=_light))


def _check_size(data: bytes, name: str, *, most: int) -> None:
    if len(data) > most:
        message = f"the picture {name} is larger than {most // 1_000_000} MB: scale it down first"
        raise PictureRefused(Refusal.TOO_LARGE, message)


def _made(
    data: bytes, name: str, *, formats: tuple[str, ...], make: Callable[["Image", bytes, str], tuple[str, bytes]]
) -> tuple[str, bytes]:
    image = _opened(data, name, formats)
    try:
        return make(image, data, name)
    except InvalidInput:
        raise
    except Exception as error:
        message = f"the picture {name} is broken: save it again ({error})"
        raise PictureRefused(Refusal.BROKEN, message) from error


def _stored(kind: str, data: bytes) -> StoredPicture:
    extension, media_type = _FORMATS[kind]
    width, height = _size(data)
    return StoredPicture(
        name=f"{sha256(data).hexdigest()[:16]}.{extension}",
        media_type=media_type,
        width=width,
        height=height,
        data=data,
    )


def _bytes(source: Path | bytes, name: str) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        with source.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"the picture {name} cannot be read: {error.strerror or error}"
        raise PictureRefused(Refusal.BROKEN, message) from error


def _opened(data: bytes, name: str, formats: tuple[str, ...]) -> "Image":
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(data), formats=(*formats, "MPO"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name) from error
    except Exception as error:
        found = next((kind for start, kind in _OTHERS if data.lstrip().startswith(start)), None)
        what = f"{found}, which not every mail program shows" if found else "no picture that mail programs show"
        message = f"the picture {name} is {what}: save it as JPEG, PNG or GIF"
        raise PictureRefused(Refusal.OTHER_FORMAT, message) from error
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(name)
    return image


def _too_large(name: str) -> PictureRefused:
    message = f"the picture {name} has more than {MAX_PIXELS // 1_000_000} megapixels: scale it down first"
    return PictureRefused(Refusal.TOO_MANY_PIXELS, message)


def _light(image: "Image", data: bytes, name: str) -> tuple[str, bytes]:
    image.load()
    if image.format == "WEBP":
        if getattr(image, "is_animated", False):
            message = f"the picture {name} moves, which mail programs show of GIF alone: save it as GIF"
            raise PictureRefused(Refusal.ANIMATED, message)
        return _redrawn(image, "PNG" if image.has_transparency_data else "JPEG")
    kind, ready = _ready(image, data, name)
    if kind != "PNG" or len(ready) <= HEAVY or image.has_transparency_data or getattr(image, "is_animated", False):
        return kind, ready
    photograph = _redrawn(image, "JPEG")
    return photograph if len(photograph[1]) < len(ready) // 2 else (kind, ready)


def _ready(image: "Image", data: bytes, name: str) -> tuple[str, bytes]:
    # Loading finds a file that is cut off. A file that needs no other pixels is only freed of what tells on people.
    image.load()
    kind = "JPEG" if image.format in {"JPEG", "MPO"} else str(image.format)
    upright = image.getexif().get(_ORIENTATION, _UPRIGHT) == _UPRIGHT
    if kind == "GIF" and getattr(image, "is_animated", False):
        if image.width > MAX_WIDTH:
            message = f"the animated picture {name} is wider than {MAX_WIDTH} pixels: scale it down first"
            raise PictureRefused(Refusal.ANIMATED, message)
        return kind, data
    if image.width <= MAX_WIDTH and upright and image.mode != "CMYK" and image.format != "MPO":
        return kind, _bare_jpeg(data) if kind == "JPEG" else _bare_png(data) if kind == "PNG" else data
    return _redrawn(image, kind)


def _redrawn(image: "Image", kind: str) -> tuple[str, bytes]:
    from PIL import Image, ImageOps

    # A profile of inks says nothing about the red, green and blue that screens need.
    profile = None if image.mode == "CMYK" else image.info.get("icc_profile")
    drawn = ImageOps.exif_transpose(image).convert(_screen_mode(image))
    if drawn.width > MAX_WIDTH:
        height = max(1, round(drawn.height * MAX_WIDTH / drawn.width))
        drawn = drawn.resize((MAX_WIDTH, height), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    if kind == "JPEG":
        drawn.save(target, "JPEG", quality=_JPEG_QUALITY, optimize=True, progressive=True, icc_profile=profile)
        return kind, target.getvalue()
    drawn.save(target, "PNG", optimize=True, icc_profile=profile)
    return "PNG", target.getvalue()


def _screen_mode(image: "Image") -> str:
    if image.mode in {"1", "L"}:
        return "L"
    return "RGBA" if image.has_transparency_data else "RGB"


# Markers of ITU-T T.81 table B.1; each follows an octet FF.
_END, _SCAN, _COMMENT, _ADOBE = 0xD9, 0xDA, 0xFE, 0xEE
_APPLICATIONS: Final = range(0xE1, 0xF0)
"""Segments of applications, but for JFIF's: EXIF, XMP, previews, and the colour profile."""

_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7]|\Z")
"""The next marker behind coded data, in which an FF is followed by 00 or is a restart marker."""


def _bare_jpeg(data: bytes) -> bytes:
    # Kept are the tables, the scans, JFIF, the colour profile and Adobe's note on the colours; what cameras put behind
    # the end (films, second pictures) goes.
    return data[:2] + b"".join(part for marker, part in _jpeg_parts(data) if _is_needed(marker, part))


def _is_needed(marker: int, part: bytes) -> bool:
    if marker in _APPLICATIONS:
        return marker == _ADOBE or b"ICC_PROFILE\0" in part[:20]
    return marker != _COMMENT


def _jpeg_parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 2
    while True:
        start = position
        position = len(data) - len(data[position:].lstrip(b"\xff")) + 1
        marker = data[position - 1]
        if marker == _END:
            yield marker, data[start:position]
            return
        position += int.from_bytes(data[position : position + 2], "big")
        if marker == _SCAN:
            position = next(_AFTER_SCAN.finditer(data, position)).start()
        yield marker, data[start:position]


_PNG_CHUNKS: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"pHYs"}
    | {b"acTL", b"fcTL", b"fdAT"}
)
"""What a PNG is drawn from (PNG 3rd edition §11), animations included; the rest are remarks."""


def _bare_png(data: bytes) -> bytes:
    kept = [data[:8]]
    position = 8
    while position < len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        if kind in _PNG_CHUNKS:
            kept.append(data[position:end])
        if kind == b"IEND":
            break
        position = end
    return b"".join(kept)


def _size(data: bytes) -> tuple[int, int]:
    from PIL import Image

    return Image.open(io.BytesIO(data)).size
