"""
A theme's folder and manifest.

Takes the name of a theme (and where themes lie), yields a `ThemeFolder`: its path and its `Manifest`. A theme is a
folder `templates/email/<name>/`:

    manifest.toml       this module's `Manifest`
    issue.mjml.j2       the HTML part of an edition, as MJML
    issue.txt.j2        the text part
    parts/              what these include

    # manifest.toml
    title = "Network"
    description = "Masthead, lead, two-column news, agenda."
    accent = "#0b5c8a"                  # used where the newsletter names none
    backgrounds = ["paper", "panel"]    # colours that accent-coloured text may stand on
    [colours.light]
    paper = "#ffffff"
    ink = "#1d2b33"
    panel = "#e6eff3"                   # any further names
    [colours.dark]
    paper = "#1b2226"
    ink = "#e8eef0"
    panel = "#22303a"
    [fonts]
    body = "Helvetica, Arial, sans-serif"
    [options]                           # strings, numbers or booleans, with their defaults
    numbered = true
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from newsletter.compilation.colours import READABLE, mix, readable, text_on
from newsletter.errors import NotFound, TemplateFault
from newsletter.paths import templates

MANIFEST: Final = "manifest.toml"

Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
"""A colour as #rrggbb."""

_ON_DARK: Final = 6.0
"""Contrast of the accent in the dark scheme: at the minimum it looks dull."""

_TINT: Final = 0.08
"""How much accent a tint has: visible beside paper, and ink on it keeps its contrast."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Schemes(_Part):
    """The colours of each colour scheme, by name; both name the same ones."""

    light: dict[str, Colour]
    dark: dict[str, Colour]


class Manifest(_Part):
    """What a theme says of itself."""

    title: str
    description: str = ""
    accent: Colour
    backgrounds: Annotated[tuple[str, ...], Field(min_length=1)] = ("paper",)
    colours: Schemes
    fonts: dict[str, str] = {}
    options: dict[str, str | int | float | bool] = {}

    @model_validator(mode="after")
    def _schemes_agree(self) -> Self:
        light, dark = self.colours.light, self.colours.dark
        if set(light) != set(dark):
            raise ValueError(f"light and dark name different colours: {', '.join(sorted(set(light) ^ set(dark)))}")
        if missing := sorted({"paper", "ink", *self.backgrounds} - set(light)):
            raise ValueError(f"these colours are needed: {', '.join(missing)}")
        return self


@dataclass(frozen=True, slots=True)
class ThemeFolder:
    """A theme that was found and whose manifest could be read."""

    name: str
    path: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours an edition is dressed in: its newsletter's accent as it is, and both schemes complete."""

    brand: str
    light: dict[str, str]
    dark: dict[str, str]


def theme_names(folder: Path | None = None) -> tuple[str, ...]:
    """The themes of `folder` (default: those of the program), by name."""
    root = folder or templates() / "email"
    return tuple(sorted(path.parent.name for path in root.glob(f"*/{MANIFEST}")))


def read_theme(name: str, *, folder: Path | None = None) -> ThemeFolder:
    """
    Find the theme `name` in `folder` (default: the themes of the program) and read its manifest.

    Raises NotFound where there is no such theme, TemplateFault where its manifest cannot be taken.
    """
    names = theme_names(folder)
    if name not in names:
        raise NotFound("theme", name, near=names)
    path = (folder or templates() / "email") / name
    return ThemeFolder(name=name, path=path, manifest=_read_manifest(name, path / MANIFEST))


def _read_manifest(name: str, file: Path) -> Manifest:
    where = f"{name}/{MANIFEST}"
    try:
        return Manifest.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TemplateFault(where, None, str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        raise TemplateFault(where, None, f"{path + ': ' if path else ''}{first['msg']}") from error


def palette(manifest: Manifest, accent: str | None) -> Palette:
    """Complete the manifest's schemes with the variants of `accent` (default: the manifest's own)."""
    brand = (accent or manifest.accent).lower()
    schemes = manifest.colours
    return Palette(
        brand=brand,
        light=_scheme(schemes.light, brand, manifest.backgrounds, ratio=READABLE),
        dark=_scheme(schemes.dark, brand, manifest.backgrounds, ratio=_ON_DARK),
    )


def _scheme(named: dict[str, str], brand: str, backgrounds: tuple[str, ...], *, ratio: float) -> dict[str, str]:
    tint = named.get("tint") or mix(named["paper"], brand, _TINT)
    accent = named.get("accent") or readable(brand, [tint, *(named[name] for name in backgrounds)], ratio=ratio)
    computed = {"accent": accent, "tint": tint, "on_accent": text_on(accent, [named["paper"], named["ink"]])}
    return {**computed, **named}
