import pytest

from newsletter.compilation.colours import READABLE, contrast
from newsletter.compilation.theme import Manifest, palette, read_theme, theme_names
from newsletter.errors import NotFound, TemplateFault

MANIFEST = {
    "title": "Test",
    "accent": "#0b5c8a",
    "backgrounds": ["paper", "panel"],
    "colours": {
        "light": {"paper": "#ffffff", "ink": "#1d2b33", "panel": "#e6eff3"},
        "dark": {"paper": "#1b2226", "ink": "#e8eef0", "panel": "#22303a"},
    },
}


def test_a_theme_is_found_by_name(themes):
    theme = read_theme("plain", folder=themes)
    assert theme.manifest.title == "Plain"
    assert theme.path == themes / "plain"
    assert theme_names(themes) == ("plain",)


def test_the_programs_own_themes_are_found_without_a_folder():
    assert "network" in theme_names()
    assert read_theme("network").manifest.title


def test_an_unknown_theme_is_refused_with_those_there_are(themes):
    with pytest.raises(NotFound, match="no theme 'plane'; did you mean 'plain'"):
        read_theme("plane", folder=themes)
    with pytest.raises(NotFound):
        read_theme("../themes/plain", folder=themes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"title = ", "x/manifest.toml: "),
        (b"\xff", "x/manifest.toml: "),
        (b'title = "x"', "x/manifest.toml: accent: Field required"),
        (b'title = "x"\naccent = "blue"', "accent: String should match pattern"),
        (b'title = "x"\naccent = "#000000"\ncolours = {light = {}, dark = {}}', "these colours are needed: ink, paper"),
        (
            b'title = "x"\naccent = "#000000"\ncolours = {light = {paper = "#ffffff"}, dark = {}}',
            "light and dark name different colours: paper",
        ),
    ],
)
def test_a_manifest_that_cannot_be_taken_says_why(tmp_path, content, message):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "manifest.toml").write_bytes(content)
    with pytest.raises(TemplateFault, match=message.replace("/", r"\/")):
        read_theme("x", folder=tmp_path)


@pytest.mark.parametrize("accent", [None, "#FFD200", "#000000", "#ffffff", "#0b5c8a", "#808080"])
def test_every_accent_can_be_read_on_every_background_of_the_theme(accent):
    colours = palette(Manifest.model_validate(MANIFEST), accent)
    assert colours.brand == (accent or "#0b5c8a").lower()
    for scheme in (colours.light, colours.dark):
        assert all(contrast(scheme["accent"], scheme[name]) >= READABLE for name in ("paper", "panel", "tint"))
        assert contrast(scheme["on_accent"], scheme["accent"]) >= READABLE


def test_a_colour_that_the_manifest_names_wins_over_a_computed_one():
    named = {
        scheme: {**colours, "accent": "#123456", "tint": "#abcdef"} for scheme, colours in MANIFEST["colours"].items()
    }
    colours = palette(Manifest.model_validate({**MANIFEST, "colours": named}), "#ff0000")
    assert colours.light["accent"] == colours.dark["accent"] == "#123456"
    assert colours.light["tint"] == "#abcdef"
