"""
A theme's folder and manifest.

Takes the name of a theme (and where themes lie), yields a `ThemeFolder`: its path and its `Manifest`. A theme is a
folder `templates/email/<name>/`:

    manifest.toml       this module's `Manifest`
    issue.mjml.j2       the HTML part of an edition, as MJML
    issue.txt.j2        the text part
    parts/              what these include

A theme may be based on another one, which lies beside it or comes with the program: whatever it lacks, a template, a
colour, a font or an option, is then that one's.

    # manifest.toml
    title = "Network"
    description = "Masthead, lead, two-column news, agenda."
    base = "…"                          # the theme it is based on, if any
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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Self

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
    base: str | None = None
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
    """A theme that was found and whose manifest could be read; `bases` are what it is based on, the nearest first."""

    name: str
    path: Path
    manifest: Manifest
    bases: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours an edition is dressed in: its newsletter's accent as it is, and both schemes complete."""

    brand: str
    light: dict[str, str]
    dark: dict[str, str]


def theme_names(folder: Path | None = None) -> tuple[str, ...]:
    """The themes of `folder` (default: those of the program), by name."""
    root = folder or _own()
    return tuple(sorted(path.parent.name for path in root.glob(f"*/{MANIFEST}")))


def read_theme(name: str, *, folder: Path | None = None) -> ThemeFolder:
    """
    Find the theme `name` in `folder` (default: the themes of the program) and read its manifest.

    Raises NotFound where there is no such theme, TemplateFault where its manifest cannot be taken.
    """
    names = theme_names(folder)
    if name not in names:
        raise NotFound("theme", name, near=names)
    path = (folder or _own()) / name
    told, bases = _told(path, ())
    return ThemeFolder(name=name, path=path, manifest=_manifest(path, told), bases=bases)


def _own() -> Path:
    return templates() / "email"


def _told(path: Path, above: tuple[Path, ...]) -> tuple[dict[str, Any], tuple[Path, ...]]:
    """What a manifest says, and the bases of which it is silent say; those bases. `above` are based on this one."""
    told = _read_toml(path)
    base = _base(path, told.get("base"), (*above, path))
    if base is None:
        return told, ()
    lent, bases = _told(base, (*above, path))
    return _complete(told, lent), (base, *bases)


def _base(path: Path, name: object, above: tuple[Path, ...]) -> Path | None:
    """The folder of the theme that the one in `path` is based on; it may bear the same name and be the program's."""
    if name is None:
        return None
    found = [root / str(name) for root in (path.parent, _own()) if str(name) in theme_names(root)]
    base = next((folder for folder in found if folder not in above), None)
    if base is None:
        fault = f"{name!r} is based on this theme" if found else f"there is no theme {name!r}"
        raise TemplateFault(_where(path), None, f"base: {fault}")
    return base


def _complete(told: Mapping[str, Any], lent: Mapping[str, Any]) -> dict[str, Any]:
    """Both together, what the manifest itself says before what is lent to it; titles are a theme's own."""
    rest = {key: value for key, value in lent.items() if key not in {"title", "description"}}
    return {**rest, **{key: _joined(rest.get(key), value) for key, value in told.items()}}


def _joined(lent: object, own: object) -> object:
    if not (isinstance(lent, dict) and isinstance(own, dict)):
        return own
    return {**lent, **{key: _joined(lent.get(key), value) for key, value in own.items()}}


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TemplateFault(_where(path), None, str(error)) from error


def _manifest(path: Path, told: dict[str, Any]) -> Manifest:
    try:
        return Manifest.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise TemplateFault(_where(path), None, f"{place + ': ' if place else ''}{first['msg']}") from error


def _where(path: Path) -> str:
    return f"{path.name}/{MANIFEST}"


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
